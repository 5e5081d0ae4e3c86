"""What stops the integrator's kit: contracts, samples and recordings."""

from gateway.model.errors.base import ErrorKind, Fault, Text

CONTRACT_UNUSABLE = ErrorKind(
    code="server.clientproxy.contract_unusable",
    status=500,
    fault=Fault.GATEWAY,
    title=Text("The WSDL or OpenAPI document cannot be used", "Không dùng được tệp WSDL hoặc OpenAPI"),
    next=Text(
        "Do what is said there; nothing outside the document's own folder is read, and nothing from the network.",
        "Hãy làm theo chỉ dẫn đã nêu; không đọc gì ngoài thư mục của chính tệp đó và không tải gì từ mạng.",
    ),
)
SAMPLE_UNUSABLE = ErrorKind(
    code="server.clientproxy.sample_unusable",
    status=500,
    fault=Fault.GATEWAY,
    title=Text("A sample cannot be used", "Không dùng được một mẫu thử"),
    next=Text(
        "Correct the sample's file that is named; docs/adapters.md says what a sample is.",
        "Hãy sửa tệp mẫu thử được nêu; docs/adapters.md giải thích mẫu thử là gì.",
    ),
)
RECORDING_UNSAFE = ErrorKind(
    code="server.clientproxy.recording_unsafe",
    status=500,
    fault=Fault.GATEWAY,
    title=Text(
        "A recording would still hold personal data, and was not written",
        "Bản ghi vẫn còn dữ liệu cá nhân nên không được lưu",
    ),
    next=Text(
        "Name further personal fields with --personal, or fields that are no person's with --not-personal.",
        "Hãy nêu thêm các trường cá nhân bằng --personal, hoặc các trường không phải của cá nhân bằng --not-personal.",
    ),
)
