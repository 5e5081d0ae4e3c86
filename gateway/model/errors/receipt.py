"""Kinds of errors of receipts: asking for one, and holding one against the message that it is about."""

from gateway.model.errors.base import ErrorKind, Fault, Text

RECEIPT_UNKNOWN = ErrorKind(
    code="client.receipt_unknown",
    status=404,
    fault=Fault.CALLER,
    title=Text(
        "There is no receipt with this id for this subsystem",
        "Không có biên nhận mang mã này cho hệ thống con này",
    ),
    next=Text(
        "Use the id in Motlan-Receipt or X-Road-Request-Id of your own exchange, under the subsystem that made it or "
        "that provides the service. Others ask an auditor.",
        "Hãy dùng mã trong Motlan-Receipt hoặc X-Road-Request-Id của chính giao dịch của mình, dưới tên hệ thống con "
        "đã gọi hoặc cung cấp dịch vụ. Bên khác cần hỏi kiểm toán viên.",
    ),
)
RECEIPT_PENDING = ErrorKind(
    code="server.clientproxy.receipt_pending",
    status=503,
    fault=Fault.GATEWAY,
    retryable=True,
    title=Text(
        "The record is durable, but no signed checkpoint covers it yet",
        "Bản ghi đã được lưu bền vững nhưng chưa có điểm kiểm đã ký nào bao gồm nó",
    ),
    next=Text(
        "Ask again after a second. If it stays so for a minute, tell the gateway's operator.",
        "Hãy hỏi lại sau một giây. Nếu sau một phút vẫn vậy, hãy báo cho đơn vị vận hành cổng.",
    ),
)
RECEIPT_DIFFERS = ErrorKind(
    code="server.clientproxy.receipt_differs",
    status=500,
    fault=Fault.GATEWAY,
    title=Text(
        "The log's record is not of the message that was exchanged",
        "Bản ghi trong nhật ký không khớp với thông điệp đã trao đổi",
    ),
    next=Text(
        "Keep the receipt with your request and the answer, and give them to an auditor: the gateway recorded "
        "something else than what happened.",
        "Hãy giữ biên nhận cùng yêu cầu và câu trả lời rồi chuyển cho kiểm toán viên: cổng đã ghi khác với điều đã "
        "xảy ra.",
    ),
)
