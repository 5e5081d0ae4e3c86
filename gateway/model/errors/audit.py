"""Kinds of errors of those who read the log: roles, quotas, exports. Met by auditors, not by callers."""

from gateway.model.errors.base import ErrorKind, Fault, Text

ROLE_UNKNOWN = ErrorKind(
    code="client.role_unknown",
    status=403,
    fault=Fault.CALLER,
    title=Text(
        "This key holds no role in the trust list in force",
        "Khóa này không có vai trò nào trong danh sách tin cậy đang có hiệu lực",
    ),
    next=Text(
        "Use the private key whose public half the trust list names for your role, or have it added to the next list.",
        "Hãy dùng khóa riêng có khóa công khai đã ghi cho vai trò của bạn, hoặc đề nghị ghi vào danh sách kế tiếp.",
    ),
)
ROLE_DENIED = ErrorKind(
    code="client.role_denied",
    status=403,
    fault=Fault.CALLER,
    title=Text(
        "This role may not do this",
        "Vai trò này không được phép thực hiện việc này",
    ),
    next=Text(
        "Records are read by auditors and the data-protection officer only. Ask one of them.",
        "Chỉ kiểm toán viên và cán bộ bảo vệ dữ liệu được đọc bản ghi. Hãy đề nghị một trong số họ.",
    ),
)
ROLE_ENDED = ErrorKind(
    code="client.role_ended",
    status=403,
    fault=Fault.CALLER,
    title=Text(
        "The time for which this key held its role is over",
        "Thời hạn giữ vai trò của khóa này đã kết thúc",
    ),
    next=Text(
        "If the role goes on, have the next trust list say so.",
        "Nếu vẫn tiếp tục giữ vai trò, hãy đề nghị gia hạn trong danh sách tin cậy kế tiếp.",
    ),
)
AUDIT_QUOTA_SPENT = ErrorKind(
    code="client.audit_quota_spent",
    status=429,
    fault=Fault.CALLER,
    title=Text(
        "The daily quota of reading is spent",
        "Đã hết hạn mức đọc trong ngày",
    ),
    next=Text(
        "Narrow the question, or go on tomorrow (Vietnamese time). A larger quota is set under [audit].",
        "Hãy thu hẹp câu hỏi hoặc tiếp tục vào ngày mai (giờ Việt Nam). Hạn mức được đặt tại mục [audit].",
    ),
)
SECOND_AUDITOR_NEEDED = ErrorKind(
    code="client.second_auditor_needed",
    status=403,
    fault=Fault.CALLER,
    title=Text(
        "So many persons in a day are shown to two auditors together only",
        "Xem dữ liệu của nhiều người như vậy trong một ngày phải có hai kiểm toán viên cùng thực hiện",
    ),
    next=Text(
        "Let a second auditor, listed under another name and with a key of their own, add it with --second-key.",
        "Hãy mời kiểm toán viên thứ hai, có tên và khóa riêng khác trong danh sách, bổ sung khóa bằng --second-key.",
    ),
)
NO_DATA_PROTECTION_OFFICER = ErrorKind(
    code="server.clientproxy.no_data_protection_officer",
    status=500,
    fault=Fault.GATEWAY,
    title=Text(
        "The trust list names no data-protection officer whose key can be sealed to",
        "Danh sách tin cậy không có cán bộ bảo vệ dữ liệu với khóa dùng được để niêm phong",
    ),
    next=Text(
        "Have a data-protection officer with an elliptic-curve key listed in the next trust list.",
        "Hãy ghi cán bộ bảo vệ dữ liệu với khóa đường cong elliptic vào danh sách tin cậy kế tiếp.",
    ),
)
LOG_NOT_MOVING = ErrorKind(
    code="server.clientproxy.log_not_moving",
    status=503,
    fault=Fault.GATEWAY,
    retryable=True,
    title=Text(
        "What was just recorded does not get into the log",
        "Bản ghi vừa tạo chưa được đưa vào nhật ký",
    ),
    next=Text(
        "See whether the gateway that keeps the log runs, and what it alarms about; then try again.",
        "Hãy kiểm tra cổng ghi nhật ký có đang chạy không và có cảnh báo gì, rồi thử lại.",
    ),
)
READER_NOT_LISTED = ErrorKind(
    code="server.clientproxy.reader_not_listed",
    status=500,
    fault=Fault.GATEWAY,
    title=Text(
        "Somebody under [[ledger.readers]] may not read what the log keeps private",
        "Có người đọc tại [[ledger.readers]] không được phép đọc phần riêng tư của nhật ký",
    ),
    next=Text(
        "Readers are auditors and data-protection officers of the trust list, by the key that it names. Have the key "
        "listed in the next list, or take it out of the settings. Operators open nothing that is private.",
        "Người đọc phải là kiểm toán viên hoặc cán bộ bảo vệ dữ liệu có khóa ghi trong danh sách tin cậy. Hãy ghi khóa "
        "vào danh sách kế tiếp hoặc gỡ khỏi cấu hình. Người vận hành không được mở phần riêng tư.",
    ),
)
