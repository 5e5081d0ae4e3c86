"""Kinds of errors of records, the log and its proofs. Most are met by auditors and verifiers, not by callers."""

from gateway.model.errors.base import ErrorKind, Fault, Text

LOG_MALFORMED = ErrorKind(
    code="server.clientproxy.log_malformed",
    status=500,
    fault=Fault.GATEWAY,
    title=Text(
        "A part of the log does not have its format",
        "Một phần của nhật ký không đúng định dạng",
    ),
    next=Text(
        "Fetch the file again from the log itself. If it is still malformed, keep a copy and tell the operator.",
        "Hãy tải lại tệp từ chính nhật ký. Nếu vẫn sai định dạng, hãy báo cho đơn vị vận hành và giữ lại một bản sao.",
    ),
)
LOG_SIGNATURE_INVALID = ErrorKind(
    code="server.clientproxy.log_signature_invalid",
    status=500,
    fault=Fault.GATEWAY,
    title=Text(
        "The log's signature is missing or wrong",
        "Chữ ký của nhật ký bị thiếu hoặc không đúng",
    ),
    next=Text(
        "Check that the verifier key is this log's, from a source you trust. If it is, do not rely on the document.",
        "Hãy kiểm tra khóa xác minh là của nhật ký này và lấy từ nguồn tin cậy. Nếu đúng, đừng dựa vào tài liệu này.",
    ),
)
LOG_PROOF_INVALID = ErrorKind(
    code="server.clientproxy.log_proof_invalid",
    status=500,
    fault=Fault.GATEWAY,
    title=Text(
        "The proof does not prove what it claims",
        "Bằng chứng không chứng minh được điều đã nêu",
    ),
    next=Text(
        "Ask for the receipt again and compare it with the message it is about. If it still fails, tell an auditor.",
        "Hãy yêu cầu lại biên nhận và đối chiếu với thông điệp liên quan. Nếu vẫn sai, hãy báo cho kiểm toán viên.",
    ),
)
LOG_INVALID = ErrorKind(
    code="server.clientproxy.log_invalid",
    status=500,
    fault=Fault.GATEWAY,
    title=Text(
        "The log's content is not what its checkpoint signed",
        "Nội dung nhật ký khác với nội dung đã được ký tại điểm kiểm",
    ),
    next=Text(
        "Keep the checkpoints and the parts named here, and tell the auditors: records were altered, lost or forged.",
        "Hãy giữ các điểm kiểm và những phần được nêu ở đây, rồi báo kiểm toán: bản ghi đã bị sửa, mất hoặc giả mạo.",
    ),
)
OPENING_UNREADABLE = ErrorKind(
    code="server.clientproxy.opening_unreadable",
    status=500,
    fault=Fault.GATEWAY,
    title=Text(
        "The sealed fields of a record cannot be opened",
        "Không mở được các trường đã niêm phong của bản ghi",
    ),
    next=Text(
        "Use the key of the epoch in which the record was made, and an auditor's or data-protection officer's own key.",
        "Hãy dùng khóa của kỳ mà bản ghi được tạo, cùng khóa riêng của kiểm toán viên hoặc cán bộ bảo vệ dữ liệu.",
    ),
)
