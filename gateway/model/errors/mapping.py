"""What is wrong with an adapter, so that its service does not start."""

from gateway.model.errors.base import ErrorKind, Fault, Text

ADAPTER_UNUSABLE = ErrorKind(
    code="server.clientproxy.adapter_unusable",
    status=500,
    fault=Fault.GATEWAY,
    title=Text("A service's adapter cannot be used", "Không dùng được bộ chuyển đổi của một dịch vụ"),
    next=Text(
        "Correct the mapping, its WSDL or the entry point that is named; 'motlan adapter test' shows what is wrong.",
        "Hãy sửa tệp ánh xạ, WSDL hoặc entry point được nêu; lệnh 'motlan adapter test' cho biết lỗi ở đâu.",
    ),
)
