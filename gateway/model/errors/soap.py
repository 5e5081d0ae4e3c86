"""Refusals of a SOAP message for what it is: its MIME parts, its XML, its envelope."""

from gateway.model.errors.base import ErrorKind, Fault, Text

MIME_BROKEN = ErrorKind(
    code="client.mime_parsing_failed",
    status=400,
    fault=Fault.CALLER,
    title=Text("The multipart message cannot be read", "Không đọc được thông điệp nhiều phần (multipart)"),
    next=Text(
        "Send multipart/related as RFC 2387 says: CRLF line ends, the SOAP envelope as the first part, every Content-ID"
        " once, no nested multipart, Content-Transfer-Encoding 7bit, 8bit or binary.",
        "Hãy gửi multipart/related theo RFC 2387: xuống dòng bằng CRLF, phong bì SOAP là phần đầu tiên, mỗi Content-ID"
        " chỉ dùng một lần, không lồng multipart, Content-Transfer-Encoding là 7bit, 8bit hoặc binary.",
    ),
)
ROOT_TOO_LARGE = ErrorKind(
    code="client.envelope_too_large",
    status=413,
    fault=Fault.CALLER,
    title=Text("The SOAP envelope is too large", "Phong bì SOAP vượt quá dung lượng cho phép"),
    next=Text(
        "Send large content as an attachment (SOAP with Attachments, or MTOM), not inside the envelope.",
        "Hãy gửi nội dung lớn dưới dạng tệp đính kèm (SOAP with Attachments hoặc MTOM), không đặt trong phong bì.",
    ),
)
INVALID_XML = ErrorKind(
    code="client.invalid_xml",
    status=400,
    fault=Fault.CALLER,
    title=Text("The message is not XML that may be read", "Thông điệp không phải XML được phép đọc"),
    next=Text(
        "Send well-formed XML 1.0 without DOCTYPE, in the charset that it declares.",
        "Hãy gửi XML 1.0 đúng cú pháp, không có DOCTYPE, đúng bảng mã đã khai báo.",
    ),
)
INVALID_SOAP = ErrorKind(
    code="client.invalid_soap",
    status=400,
    fault=Fault.CALLER,
    title=Text("The message is not a SOAP envelope as expected", "Thông điệp không phải phong bì SOAP hợp lệ"),
    next=Text(
        "Send an Envelope with at most one Header and exactly one Body, with exactly one element in Body"
        " (document/literal wrapped).",
        "Hãy gửi Envelope có tối đa một Header và đúng một Body, trong Body có đúng một phần tử"
        " (document/literal wrapped).",
    ),
)
MISSING_FIELD = ErrorKind(
    code="client.missing_header_field",
    status=400,
    fault=Fault.CALLER,
    title=Text("A SOAP header field is missing", "Thiếu một trường trong SOAP Header"),
    next=Text(
        "Add the header field that is named: client, service, id and protocolVersion are required.",
        "Hãy bổ sung trường được nêu: client, service, id và protocolVersion là bắt buộc.",
    ),
)
BAD_FIELD = ErrorKind(
    code="client.invalid_header_field",
    status=400,
    fault=Fault.CALLER,
    title=Text("A SOAP header field has a wrong form", "Một trường trong SOAP Header sai định dạng"),
    next=Text(
        "Write the header field that is named as the X-Road message protocol says.",
        "Hãy ghi trường được nêu đúng theo giao thức thông điệp X-Road.",
    ),
)
NOT_UNDERSTOOD = ErrorKind(
    code="client.must_understand",
    status=400,
    fault=Fault.CALLER,
    title=Text(
        "A header block that must be understood is not known here",
        "Có khối tiêu đề bắt buộc phải hiểu nhưng cổng không hỗ trợ",
    ),
    next=Text(
        "Leave out the header block that is named, or its mustUnderstand attribute.",
        "Hãy bỏ khối tiêu đề được nêu, hoặc bỏ thuộc tính mustUnderstand của khối đó.",
    ),
)
WRONG_OPERATION = ErrorKind(
    code="client.unknown_operation",
    status=400,
    fault=Fault.CALLER,
    title=Text(
        "The element in Body is no operation of the service", "Phần tử trong Body không phải thao tác của dịch vụ"
    ),
    next=Text(
        "Call the operation that the service's WSDL describes (GET /wsdl?service=…); its element begins with the"
        " service code.",
        "Hãy gọi đúng thao tác trong WSDL của dịch vụ (GET /wsdl?service=…); tên phần tử bắt đầu bằng mã dịch vụ.",
    ),
)
