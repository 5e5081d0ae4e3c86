"""Kinds of errors of evidence containers: making one, and holding one against what it claims."""

from gateway.model.errors.base import ErrorKind, Fault, Text

EVIDENCE_MALFORMED = ErrorKind(
    code="server.clientproxy.evidence_malformed",
    status=500,
    fault=Fault.GATEWAY,
    title=Text(
        "This is not an evidence container, or it was changed",
        "Đây không phải gói chứng cứ, hoặc gói đã bị thay đổi",
    ),
    next=Text(
        "Take the file again from where it was issued, byte for byte. If it stays so, do not rely on it.",
        "Hãy lấy lại nguyên vẹn tệp từ nơi cấp. Nếu vẫn như vậy, đừng dựa vào tệp này.",
    ),
)
EVIDENCE_INVALID = ErrorKind(
    code="server.clientproxy.evidence_invalid",
    status=500,
    fault=Fault.GATEWAY,
    title=Text(
        "The evidence does not prove what it claims",
        "Gói chứng cứ không chứng minh được điều đã nêu",
    ),
    next=Text(
        "Read which claims fail. Check the trust list, the signers and the timestamp authority that you gave; if they "
        "are right, do not rely on this container, and tell the auditors.",
        "Hãy xem những điều không chứng minh được. Kiểm tra danh sách tin cậy, bên ký và tổ chức cấp dấu thời gian đã "
        "chọn; nếu đúng, đừng dựa vào gói này và hãy báo kiểm toán viên.",
    ),
)
EVIDENCE_UNAVAILABLE = ErrorKind(
    code="client.evidence_unavailable",
    status=404,
    fault=Fault.CALLER,
    title=Text(
        "There is no evidence of this record",
        "Không có chứng cứ cho bản ghi này",
    ),
    next=Text(
        "Check the id: the one in Motlan-Receipt, of a request, an answer or a refusal. A record that was just made is "
        "in the log a second later.",
        "Hãy kiểm tra mã: mã trong Motlan-Receipt của yêu cầu, trả lời hoặc từ chối. Bản ghi vừa tạo sẽ có trong nhật "
        "ký sau một giây.",
    ),
)
