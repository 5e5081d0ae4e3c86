"""What a provider did instead of answering as asked; ``FOR_OUTCOME`` gives the kind for an outcome without success."""

from gateway.model.errors.base import ErrorKind, Fault, Text
from gateway.model.outcomes import Outcome

UNAVAILABLE = ErrorKind(
    code="server.serverproxy.service_failed.unavailable",
    status=503,
    fault=Fault.PROVIDER,
    retryable=True,
    title=Text(
        "The provider cannot be reached or is not working", "Không kết nối được hoặc hệ thống nguồn không hoạt động"
    ),
    next=Text(
        "Try again later; nothing can be said about whether the data exists. Retry-After says when, where it is known.",
        "Hãy thử lại sau; chưa thể kết luận dữ liệu có tồn tại hay không. Retry-After cho biết thời điểm, nếu có.",
    ),
)
TIMED_OUT = ErrorKind(
    code="server.serverproxy.service_failed.timeout",
    status=504,
    fault=Fault.PROVIDER,
    retryable=True,
    title=Text("The provider did not answer in time", "Hệ thống nguồn không trả lời trong thời gian cho phép"),
    next=Text(
        "Try again later; a time-out does not mean that nothing was found.",
        "Hãy thử lại sau; quá thời gian chờ không có nghĩa là không tìm thấy dữ liệu.",
    ),
)
INVALID_REPLY = ErrorKind(
    code="server.serverproxy.service_failed.invalid_reply",
    status=502,
    fault=Fault.PROVIDER,
    title=Text("The provider's answer is not valid", "Câu trả lời của hệ thống nguồn không hợp lệ"),
    next=Text(
        "Nothing of the answer was used. Report the record's id to the provider.",
        "Không sử dụng nội dung nào của câu trả lời. Hãy gửi mã bản ghi cho đơn vị cung cấp.",
    ),
)
DENIED = ErrorKind(
    code="server.serverproxy.service_failed.denied",
    status=403,
    fault=Fault.PROVIDER,
    title=Text("The provider refused the request", "Hệ thống nguồn từ chối yêu cầu"),
    next=Text(
        "Ask the provider whether this procedure, agency and officer are registered with it.",
        "Hãy hỏi đơn vị cung cấp xem thủ tục, cơ quan và cán bộ này đã được đăng ký hay chưa.",
    ),
)
END_UNKNOWN = ErrorKind(
    code="server.serverproxy.service_failed.end_unknown",
    status=504,
    fault=Fault.PROVIDER,
    title=Text("The request was sent and its end is not known", "Yêu cầu đã được gửi nhưng chưa rõ kết quả"),
    next=Text(
        "Do not simply send it again: the provider may have acted. Ask it first, naming the record's id.",
        "Không gửi lại ngay: hệ thống nguồn có thể đã xử lý. Hãy hỏi đơn vị cung cấp trước, kèm mã bản ghi.",
    ),
)
REJECTED = ErrorKind(
    code="server.serverproxy.service_failed.rejected",
    status=422,
    fault=Fault.CALLER,
    title=Text("The provider cannot serve the request as it is", "Hệ thống nguồn không thể xử lý yêu cầu này"),
    next=Text(
        "Add or correct what is named (officer, purpose, element) and send the request again.",
        "Hãy bổ sung hoặc sửa phần được nêu (cán bộ, thủ tục, trường dữ liệu) rồi gửi lại yêu cầu.",
    ),
)
NOT_FOUND = ErrorKind(
    code="server.serverproxy.record_not_found",
    status=404,
    fault=Fault.CALLER,
    title=Text("The provider holds no such record", "Hệ thống nguồn không có dữ liệu này"),
    next=Text(
        "Check what was asked for; the person's data may be in another register or not digitised yet.",
        "Hãy kiểm tra thông tin tra cứu; dữ liệu có thể ở hệ thống khác hoặc chưa được số hóa.",
    ),
)
MISMATCH = ErrorKind(
    code="server.serverproxy.record_mismatch",
    status=409,
    fault=Fault.CALLER,
    title=Text(
        "The record exists, but with other values than those given", "Có dữ liệu nhưng khác với thông tin đã cung cấp"
    ),
    next=Text(
        "Check the elements that are named against the citizen's papers; no value of the register is shown.",
        "Hãy đối chiếu các trường được nêu với giấy tờ của công dân; giá trị trong hệ thống nguồn không được hiển thị.",
    ),
)
AMBIGUOUS = ErrorKind(
    code="server.serverproxy.record_ambiguous",
    status=409,
    fault=Fault.CALLER,
    title=Text("More than one record answers to this", "Có nhiều hơn một bản ghi phù hợp"),
    next=Text(
        "Ask again with the personal identification number.",
        "Hãy tra cứu lại bằng số định danh cá nhân.",
    ),
)

FOR_OUTCOME: dict[Outcome, ErrorKind] = {
    Outcome.UNAVAILABLE: UNAVAILABLE,
    Outcome.INVALID_REPLY: INVALID_REPLY,
    Outcome.DENIED: DENIED,
    Outcome.UNKNOWN: END_UNKNOWN,
    Outcome.REJECTED: REJECTED,
    Outcome.NOT_FOUND: NOT_FOUND,
    Outcome.MISMATCH: MISMATCH,
    Outcome.AMBIGUOUS: AMBIGUOUS,
}
"""Outcome of a Reply → the error a caller reads where the provider sent no body of its own to pass on."""


TIMED_OUT_CODE = "timeout"
"""``Reply.provider_code`` where the provider did not answer in time (it has no code of its own to give then)."""


def kind_of(outcome: Outcome, provider_code: str | None) -> ErrorKind:
    """The kind for a Reply with nothing to pass on: as ``FOR_OUTCOME``, but a time-out has its own, and a success
    with nothing to pass on is an invalid reply.
    """
    if outcome is Outcome.UNAVAILABLE and provider_code == TIMED_OUT_CODE:
        return TIMED_OUT
    return FOR_OUTCOME.get(outcome, INVALID_REPLY)
