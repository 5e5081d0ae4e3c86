"""What is wrong with the gateway's own configuration, so that it does not start."""

from gateway.model.errors.base import ErrorKind, Fault, Text

CONFIGURATION_INVALID = ErrorKind(
    code="server.clientproxy.malformed_server_conf",
    status=500,
    fault=Fault.GATEWAY,
    title=Text("The configuration is wrong", "Cấu hình không hợp lệ"),
    next=Text(
        "Correct every problem that is listed; 'motlan check' lists them again.",
        "Hãy sửa mọi lỗi được liệt kê; lệnh 'motlan check' sẽ liệt kê lại.",
    ),
)
CONFIGURATION_INCOMPLETE = ErrorKind(
    code="server.clientproxy.configuration_incomplete",
    status=500,
    fault=Fault.GATEWAY,
    title=Text(
        "The ledger, the keys or the trust list is not configured",
        "Chưa cấu hình sổ ghi, khóa hoặc danh sách tin cậy",
    ),
    next=Text(
        "Configure what is named; these have no default, and the gateway does not start without them.",
        "Hãy cấu hình mục được nêu; các mục này không có giá trị mặc định và cổng không khởi động nếu thiếu.",
    ),
)
SECRET_UNUSABLE = ErrorKind(
    code="server.clientproxy.secret_unusable",
    status=500,
    fault=Fault.GATEWAY,
    title=Text("A secret cannot be read", "Không đọc được một giá trị bí mật"),
    next=Text(
        "Put the secret where the configuration points to, readable by the gateway's account only (mode 0600).",
        "Hãy đặt giá trị bí mật đúng nơi cấu hình trỏ tới và chỉ cho tài khoản của cổng đọc được (quyền 0600).",
    ),
)
