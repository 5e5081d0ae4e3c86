"""Kinds of errors of orders, legal holds, erasure and sealed payloads. People at a command line meet them."""

from gateway.model.errors.base import ErrorKind, Fault, Text

ORDER_MALFORMED = ErrorKind(
    code="client.order_malformed",
    status=400,
    fault=Fault.CALLER,
    title=Text("The order is not one of a known form", "Lệnh không đúng định dạng"),
    next=Text(
        "Draft it with  motlan log order  (or  motlan log hold), and pass it on without changing a byte.",
        "Hãy soạn bằng  motlan log order  (hoặc  motlan log hold) và chuyển nguyên vẹn, không sửa một byte nào.",
    ),
)
ORDER_SIGNATURES = ErrorKind(
    code="client.order_signatures",
    status=403,
    fault=Fault.CALLER,
    title=Text("The order lacks a signature that it needs", "Lệnh thiếu chữ ký cần có"),
    next=Text(
        "An erasure is signed by the data-protection officer and by another person of another role in the trust list.",
        "Lệnh xóa phải có chữ ký của cán bộ bảo vệ dữ liệu và của một người khác giữ vai trò khác trong danh sách "
        "tin cậy.",
    ),
)
ORDER_ELSEWHERE = ErrorKind(
    code="client.order_elsewhere",
    status=403,
    fault=Fault.CALLER,
    title=Text("The order is for another log, or not of this time", "Lệnh dành cho nhật ký khác, hoặc sai thời điểm"),
    next=Text(
        "Check the log that the order names, when it was issued, and this machine's clock; draft a new one if need be.",
        "Hãy kiểm tra nhật ký ghi trong lệnh, thời điểm ban hành và đồng hồ máy; nếu cần hãy soạn lệnh mới.",
    ),
)
HOLD_UNKNOWN = ErrorKind(
    code="client.hold_unknown",
    status=404,
    fault=Fault.CALLER,
    title=Text("There is no such legal hold", "Không có lệnh lưu giữ pháp lý này"),
    next=Text("List those in force with  motlan log hold list.", "Hãy xem danh sách bằng  motlan log hold list."),
)
HOLD_LOST = ErrorKind(
    code="server.clientproxy.hold_lost",
    status=500,
    fault=Fault.GATEWAY,
    title=Text(
        "The log records a legal hold whose document is missing or altered",
        "Nhật ký ghi nhận một lệnh lưu giữ pháp lý nhưng văn bản đã mất hoặc bị sửa",
    ),
    next=Text(
        "Nothing is erased while a hold is unknown. Give its file again with  motlan log hold add --file, and find out "
        "who altered the database.",
        "Không dữ liệu nào bị xóa khi chưa rõ lệnh lưu giữ. Hãy nạp lại tệp bằng  motlan log hold add --file  và tìm "
        "hiểu ai đã sửa cơ sở dữ liệu.",
    ),
)
PAYLOAD_MISSING = ErrorKind(
    code="client.payload_missing",
    status=404,
    fault=Fault.CALLER,
    title=Text("No payload is kept of this record", "Không lưu nội dung thông điệp của bản ghi này"),
    next=Text(
        "The record's private field payload says whether one was kept; it may have been erased, or its time is over.",
        "Trường riêng tư payload của bản ghi cho biết có lưu hay không; nội dung có thể đã bị xóa hoặc hết hạn.",
    ),
)
PAYLOAD_ALTERED = ErrorKind(
    code="server.clientproxy.payload_altered",
    status=500,
    fault=Fault.GATEWAY,
    title=Text(
        "The stored payload is not the one that the record commits to",
        "Nội dung lưu trữ không khớp với cam kết trong bản ghi",
    ),
    next=Text(
        "Keep a copy of the database, and tell the auditors: the stored payload was altered or exchanged.",
        "Hãy giữ một bản sao cơ sở dữ liệu và báo kiểm toán: nội dung lưu trữ đã bị sửa hoặc bị tráo.",
    ),
)
