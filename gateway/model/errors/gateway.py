"""Failures of the gateway itself. They tell the caller what is safe to do, and nothing of the inside."""

from gateway.model.errors.base import ErrorKind, Fault, Text

RECORD_FAILED = ErrorKind(
    code="server.clientproxy.record_failed",
    status=503,
    fault=Fault.GATEWAY,
    retryable=True,
    title=Text("The request could not be recorded", "Không ghi được yêu cầu vào nhật ký"),
    next=Text(
        "Nothing was forwarded; try again later with a new signature.",
        "Chưa có nội dung nào được chuyển tiếp; hãy thử lại sau với chữ ký mới.",
    ),
)
ANSWER_UNRECORDED = ErrorKind(
    code="server.clientproxy.answer_unrecorded",
    status=503,
    fault=Fault.GATEWAY,
    retryable=True,
    title=Text(
        "The answer could not be recorded and is withheld", "Không ghi được câu trả lời nên câu trả lời bị giữ lại"
    ),
    next=Text(
        "The provider may have acted. Find out before you repeat a write; retry with the same Idempotency-Key.",
        "Cơ quan cung cấp có thể đã xử lý yêu cầu. Hãy xác minh trước khi gửi lại thao tác ghi; dùng lại cùng"
        " Idempotency-Key khi thử lại.",
    ),
)
SHUTTING_DOWN = ErrorKind(
    code="server.clientproxy.shutting_down",
    status=503,
    fault=Fault.GATEWAY,
    retryable=True,
    title=Text("The gateway is shutting down", "Cổng đang dừng hoạt động"),
    next=Text(
        "Nothing was forwarded; try again in a moment.",
        "Chưa có nội dung nào được chuyển tiếp; hãy thử lại sau giây lát.",
    ),
)
OVERLOADED = ErrorKind(
    code="server.clientproxy.overloaded",
    status=503,
    fault=Fault.GATEWAY,
    retryable=True,
    title=Text("The gateway has too much to do", "Cổng đang quá tải"),
    next=Text(
        "Nothing was forwarded; wait as Retry-After says and try again.",
        "Chưa có nội dung nào được chuyển tiếp; hãy chờ theo Retry-After rồi thử lại.",
    ),
)
NOT_READY = ErrorKind(
    code="server.clientproxy.not_ready",
    status=503,
    fault=Fault.GATEWAY,
    retryable=True,
    title=Text("The gateway is not ready yet", "Cổng chưa sẵn sàng"),
    next=Text(
        "Nothing was forwarded; try again in a moment.",
        "Chưa có nội dung nào được chuyển tiếp; hãy thử lại sau giây lát.",
    ),
)
INTERNAL_ERROR = ErrorKind(
    code="server.clientproxy.internal_error",
    status=500,
    fault=Fault.GATEWAY,
    retryable=True,
    title=Text("The gateway made a mistake", "Cổng gặp lỗi nội bộ"),
    next=Text(
        "Try again; if it happens again, give the operator the error's id.",
        "Hãy thử lại; nếu lỗi lặp lại, gửi mã lỗi cho đơn vị vận hành.",
    ),
)
