"""Refusals of a request for what it is: its head, target, body, size, age or repetition."""

from gateway.model.errors.base import ErrorKind, Fault, Text

MISSING_HEADER = ErrorKind(
    code="client.missing_header",
    status=400,
    fault=Fault.CALLER,
    title=Text("A required header is missing", "Thiếu một trường tiêu đề bắt buộc"),
    next=Text(
        "Add the header that is named and send the request again.",
        "Hãy bổ sung trường tiêu đề được nêu rồi gửi lại yêu cầu.",
    ),
)
BAD_HEADER = ErrorKind(
    code="client.bad_header",
    status=400,
    fault=Fault.CALLER,
    title=Text("A header has a wrong form", "Một trường tiêu đề sai định dạng"),
    next=Text(
        "Write the header that is named as the protocol says and send the request again.",
        "Hãy ghi trường tiêu đề được nêu đúng theo quy định của giao thức rồi gửi lại yêu cầu.",
    ),
)
DUPLICATE_HEADER = ErrorKind(
    code="client.duplicate_header_field",
    status=400,
    fault=Fault.CALLER,
    title=Text("A header is given more than once", "Một trường tiêu đề xuất hiện nhiều lần"),
    next=Text(
        "Send the header that is named exactly once.",
        "Chỉ gửi trường tiêu đề được nêu đúng một lần.",
    ),
)
INCONSISTENT_HEADERS = ErrorKind(
    code="client.inconsistent_headers",
    status=400,
    fault=Fault.CALLER,
    title=Text("Headers contradict one another", "Các trường tiêu đề mâu thuẫn với nhau"),
    next=Text(
        "Make the headers that are named agree with each other and with the request.",
        "Hãy sửa các trường tiêu đề được nêu cho thống nhất với nhau và với yêu cầu.",
    ),
)
INVALID_CLIENT_IDENTIFIER = ErrorKind(
    code="client.invalid_client_identifier",
    status=400,
    fault=Fault.CALLER,
    title=Text("X-Road-Client does not name a subsystem", "X-Road-Client không xác định được hệ thống con"),
    next=Text(
        "Write X-Road-Client as instance/class/member/subsystem, each part percent-encoded.",
        "Hãy ghi X-Road-Client theo dạng instance/class/member/subsystem, từng phần được mã hóa phần trăm.",
    ),
)
INVALID_HTTP_METHOD = ErrorKind(
    code="client.invalid_http_method",
    status=405,
    fault=Fault.CALLER,
    title=Text("The method cannot be used here", "Phương thức không dùng được ở địa chỉ này"),
    next=Text(
        "Use one of the methods that are named.",
        "Hãy dùng một trong các phương thức được nêu.",
    ),
)
INVALID_PROTOCOL_VERSION = ErrorKind(
    code="client.invalid_protocol_version",
    status=400,
    fault=Fault.CALLER,
    title=Text("The protocol version is not supported", "Phiên bản giao thức không được hỗ trợ"),
    next=Text(
        "Use REST message protocol r1 (paths that begin with /r1/) or SOAP message protocol 4.x.",
        "Hãy dùng giao thức REST r1 (đường dẫn bắt đầu bằng /r1/) hoặc giao thức SOAP 4.x.",
    ),
)
NOT_FOUND = ErrorKind(
    code="client.not_found",
    status=404,
    fault=Fault.CALLER,
    title=Text("There is nothing at this address", "Không có nội dung tại địa chỉ này"),
    next=Text(
        "Check the address; services are called below /r1/, the gateway's own interface is described by /openapi.json.",
        "Hãy kiểm tra lại địa chỉ; dịch vụ được gọi dưới /r1/, giao diện riêng của cổng được mô tả tại /openapi.json.",
    ),
)
UNKNOWN_SERVICE = ErrorKind(
    code="server.serverproxy.unknown_service",
    status=404,
    fault=Fault.CALLER,
    title=Text("The service is not known", "Không có dịch vụ này"),
    next=Text(
        "Check the service's identifier; ask the provider for the right one.",
        "Hãy kiểm tra mã định danh dịch vụ; liên hệ cơ quan cung cấp để có mã đúng.",
    ),
)
WRONG_SERVICE_TYPE = ErrorKind(
    code="server.serverproxy.service_type",
    status=400,
    fault=Fault.CALLER,
    title=Text("The service is of another type", "Dịch vụ thuộc loại khác"),
    next=Text(
        "Call the service over the protocol that it is offered in, or ask for the other kind of description.",
        "Hãy gọi dịch vụ bằng giao thức mà dịch vụ hỗ trợ, hoặc yêu cầu loại mô tả tương ứng.",
    ),
)
TARGET_REFUSED = ErrorKind(
    code="client.target_refused",
    status=400,
    fault=Fault.CALLER,
    title=Text("The request target is not acceptable", "Địa chỉ yêu cầu không được chấp nhận"),
    next=Text(
        "Send a plain target: no dot segments, backslashes, empty segments, fragments, control or non-ASCII characters,"
        " in any encoding.",
        "Hãy gửi địa chỉ đơn giản: không chứa đoạn dấu chấm, dấu gạch chéo ngược, đoạn rỗng, phân mảnh (#), ký tự điều"
        " khiển hoặc ký tự ngoài ASCII, dưới bất kỳ cách mã hóa nào.",
    ),
)
MISDIRECTED = ErrorKind(
    code="client.misdirected",
    status=421,
    fault=Fault.CALLER,
    title=Text("The request is addressed to another host", "Yêu cầu được gửi cho một máy chủ khác"),
    next=Text(
        "Send the request to one of this gateway's public addresses, and sign that address.",
        "Hãy gửi yêu cầu đến một địa chỉ công khai của cổng này và ký đúng địa chỉ đó.",
    ),
)
BODY_TOO_LARGE = ErrorKind(
    code="client.body_too_large",
    status=413,
    fault=Fault.CALLER,
    title=Text("The body is too large", "Nội dung yêu cầu vượt quá dung lượng cho phép"),
    next=Text(
        "Send less than the limit that is named, or ask the operator to raise it for this service.",
        "Hãy gửi nội dung nhỏ hơn giới hạn được nêu, hoặc đề nghị đơn vị vận hành nâng giới hạn cho dịch vụ này.",
    ),
)
BODY_TRUNCATED = ErrorKind(
    code="client.body_truncated",
    status=400,
    fault=Fault.CALLER,
    retryable=True,
    title=Text("The body ended early", "Nội dung yêu cầu bị ngắt giữa chừng"),
    next=Text(
        "Send the whole request again; nothing was forwarded.",
        "Hãy gửi lại toàn bộ yêu cầu; chưa có nội dung nào được chuyển tiếp.",
    ),
)
HEADER_TOO_LARGE = ErrorKind(
    code="client.header_too_large",
    status=431,
    fault=Fault.CALLER,
    title=Text("The header section is too large", "Phần tiêu đề vượt quá dung lượng cho phép"),
    next=Text(
        "Send fewer or shorter headers.",
        "Hãy giảm số lượng hoặc độ dài các trường tiêu đề.",
    ),
)
TARGET_TOO_LONG = ErrorKind(
    code="client.target_too_long",
    status=414,
    fault=Fault.CALLER,
    title=Text("The request target is too long", "Địa chỉ yêu cầu quá dài"),
    next=Text(
        "Shorten the path or the query, or send the parameters in the body.",
        "Hãy rút ngắn đường dẫn hoặc chuỗi truy vấn, hoặc đưa tham số vào nội dung yêu cầu.",
    ),
)
TIMEOUT = ErrorKind(
    code="client.timeout",
    status=408,
    fault=Fault.CALLER,
    retryable=True,
    title=Text("The request took too long to arrive", "Yêu cầu được gửi đến quá chậm"),
    next=Text(
        "Send the whole request without pauses; check the network.",
        "Hãy gửi toàn bộ yêu cầu liên tục, không ngắt quãng; kiểm tra đường truyền.",
    ),
)
BAD_JSON = ErrorKind(
    code="client.bad_json",
    status=400,
    fault=Fault.CALLER,
    title=Text("The body is not valid JSON", "Nội dung không phải JSON hợp lệ"),
    next=Text(
        "Send JSON as RFC 8259 defines it, in UTF-8, without repeated names, and not nested beyond the limit.",
        "Hãy gửi JSON đúng RFC 8259, mã hóa UTF-8, không lặp tên thuộc tính và không lồng nhau quá giới hạn.",
    ),
)
SCHEMA_MISMATCH = ErrorKind(
    code="client.schema_mismatch",
    status=422,
    fault=Fault.CALLER,
    title=Text("The body does not match the service's schema", "Nội dung không khớp với lược đồ của dịch vụ"),
    next=Text(
        "Correct the elements that are named; the service's schema says what they may be.",
        "Hãy sửa các thành phần được nêu theo đúng lược đồ của dịch vụ.",
    ),
)
UNSUPPORTED_MEDIA_TYPE = ErrorKind(
    code="client.invalid_content_type",
    status=415,
    fault=Fault.CALLER,
    title=Text("The content type is not supported", "Kiểu nội dung không được hỗ trợ"),
    next=Text(
        "Send the body in a content type that the service takes.",
        "Hãy gửi nội dung với kiểu mà dịch vụ chấp nhận.",
    ),
)
PERSON_IN_URL = ErrorKind(
    code="client.person_in_url",
    status=400,
    fault=Fault.CALLER,
    title=Text("The address seems to hold a person's number", "Địa chỉ dường như chứa số định danh của cá nhân"),
    next=Text(
        "Send identity numbers in the body of a POST, never in a path or query: addresses end up in logs.",
        "Hãy gửi số định danh trong nội dung của yêu cầu POST, không đặt trong đường dẫn hoặc chuỗi truy vấn, vì địa"
        " chỉ có thể bị lưu vào nhật ký.",
    ),
)
CONSENT_UNSUPPORTED = ErrorKind(
    code="client.consent_unsupported",
    status=400,
    fault=Fault.CALLER,
    title=Text("Consent tokens cannot be checked yet", "Cổng chưa kiểm tra được phiếu chấp thuận"),
    next=Text(
        "State the legal basis in Motlan-Purpose and leave Motlan-Consent out.",
        "Hãy nêu căn cứ pháp lý trong Motlan-Purpose và không gửi Motlan-Consent.",
    ),
)
PURPOSE_MISSING = ErrorKind(
    code="client.purpose_missing",
    status=400,
    fault=Fault.CALLER,
    title=Text("The purpose is missing", "Thiếu mục đích sử dụng dữ liệu"),
    next=Text(
        'State the procedure and its legal basis, for example Motlan-Purpose: "1.001193";basis="ND-63/2024".',
        'Hãy nêu mã thủ tục và căn cứ pháp lý, ví dụ Motlan-Purpose: "1.001193";basis="ND-63/2024".',
    ),
)
REPLAYED_NONCE = ErrorKind(
    code="client.replayed_nonce",
    status=409,
    fault=Fault.CALLER,
    title=Text("This signature was used before", "Chữ ký này đã được sử dụng trước đó"),
    next=Text(
        "Sign every request anew with a fresh nonce; to retry safely, keep the Idempotency-Key.",
        "Hãy ký lại mỗi yêu cầu với nonce mới; để gửi lại an toàn, giữ nguyên Idempotency-Key.",
    ),
)
MESSAGE_ID_REUSED = ErrorKind(
    code="client.message_id_reused",
    status=409,
    fault=Fault.CALLER,
    title=Text("This X-Road-Id was used before", "X-Road-Id này đã được sử dụng trước đó"),
    next=Text(
        "Give every message its own X-Road-Id; to retry, repeat the Idempotency-Key of the first call.",
        "Mỗi thông điệp cần có X-Road-Id riêng; khi gửi lại, hãy dùng lại Idempotency-Key của lần gọi đầu.",
    ),
)
IDEMPOTENCY_RUNNING = ErrorKind(
    code="client.idempotency_running",
    status=409,
    fault=Fault.CALLER,
    retryable=True,
    title=Text("The first call with this key is still running", "Lần gọi đầu tiên với khóa này vẫn đang được xử lý"),
    next=Text(
        "Wait as Retry-After says, then ask again with the same Idempotency-Key.",
        "Hãy chờ theo Retry-After rồi gọi lại với cùng Idempotency-Key.",
    ),
)
IDEMPOTENCY_MISMATCH = ErrorKind(
    code="client.idempotency_mismatch",
    status=422,
    fault=Fault.CALLER,
    title=Text("This Idempotency-Key belongs to another request", "Idempotency-Key này thuộc về một yêu cầu khác"),
    next=Text(
        "Use a new Idempotency-Key for a new request; a retry must be the same request.",
        "Hãy dùng Idempotency-Key mới cho yêu cầu mới; khi gửi lại, nội dung yêu cầu phải giữ nguyên.",
    ),
)
SIGNATURE_TOO_OLD = ErrorKind(
    code="client.signature_too_old",
    status=401,
    fault=Fault.CALLER,
    title=Text("The signature is too old", "Chữ ký được tạo quá lâu"),
    next=Text(
        "Sign the request again now; check your clock.",
        "Hãy ký lại yêu cầu ngay bây giờ; kiểm tra đồng hồ hệ thống.",
    ),
)


UNKNOWN_PROCEDURE = ErrorKind(
    code="client.unknown_procedure",
    status=404,
    fault=Fault.CALLER,
    title=Text("The procedure is not known", "Không có thủ tục này"),
    next=Text(
        "State the code of a procedure that this gateway can prefill; the operator lists them.",
        "Hãy nêu mã thủ tục mà cổng có thể điền sẵn; đơn vị vận hành cung cấp danh mục.",
    ),
)
