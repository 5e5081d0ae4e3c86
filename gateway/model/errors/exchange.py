"""Errors of the exchange itself: how a caller may prove itself, calls made inside, and where it listens."""

from gateway.model.errors.base import ErrorKind, Fault, Text

PROOF_SCHEME_NOT_ALLOWED = ErrorKind(
    code="client.proof_scheme_not_allowed",
    status=401,
    fault=Fault.CALLER,
    title=Text(
        "This subsystem may not prove itself in this way.",
        "Hệ thống này không được phép xác thực theo cách này.",
    ),
    next=Text(
        "Use a scheme that the subsystem's trust-list entry allows, or have the entry changed.",
        "Dùng phương thức mà mục đăng ký của hệ thống trong danh sách tin cậy cho phép, hoặc đề nghị thay đổi mục đó.",
    ),
)
"""The subsystem's entry does not allow the scheme of this request."""

DELEGATION_REFUSED = ErrorKind(
    code="server.clientproxy.delegation_refused",
    status=500,
    fault=Fault.GATEWAY,
    title=Text(
        "A call made inside did not keep the client and purpose of its request.",
        "Lệnh gọi nội bộ không giữ nguyên bên gọi và mục đích của yêu cầu gốc.",
    ),
    next=Text(
        "Report it to the gateway's operator with the message id.",
        "Báo cho đơn vị vận hành cổng kèm theo mã bản ghi.",
    ),
)
"""Never seen unless our own code is wrong."""

PORT_UNAVAILABLE = ErrorKind(
    code="server.clientproxy.port_unavailable",
    status=500,
    fault=Fault.GATEWAY,
    title=Text("The gateway cannot listen there.", "Cổng không thể lắng nghe tại địa chỉ này."),
    next=Text(
        "Stop what uses the port, or choose another one (listener.port, or MOTLAN_LISTENER_PORT).",
        "Dừng chương trình đang dùng cổng mạng đó, hoặc chọn cổng khác (listener.port hoặc MOTLAN_LISTENER_PORT).",
    ),
)
"""A configured address is in use, privileged or not of this machine."""
