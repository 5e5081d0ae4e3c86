"""Kinds of errors of signatures and body digests (protocols.md §2, "Who signs what")."""

from gateway.model.errors.base import ErrorKind, Fault, Text

SIGNATURE_MISSING = ErrorKind(
    code="client.signature_missing",
    status=401,
    fault=Fault.CALLER,
    title=Text("The request carries no signature of its caller", "Yêu cầu không có chữ ký của bên gọi"),
    next=Text(
        'Sign the request as docs/signing.md says, with tag="motlan-request"; Accept-Signature lists what to cover.',
        'Ký yêu cầu theo docs/signing.md, với tag="motlan-request"; Accept-Signature liệt kê các thành phần phải ký.',
    ),
)
SIGNATURE_MALFORMED = ErrorKind(
    code="client.signature_malformed",
    status=400,
    fault=Fault.CALLER,
    title=Text(
        "Signature-Input or Signature does not follow RFC 9421",
        "Signature-Input hoặc Signature không đúng RFC 9421",
    ),
    next=Text(
        "Correct the header as the detail says; an RFC 9421 library writes it for you.",
        "Sửa header theo phần chi tiết; nên dùng một thư viện RFC 9421 để tạo header.",
    ),
)
SIGNATURE_AMBIGUOUS = ErrorKind(
    code="client.signature_ambiguous",
    status=400,
    fault=Fault.CALLER,
    title=Text(
        "The request carries more than one signature of its caller",
        "Yêu cầu có nhiều hơn một chữ ký của bên gọi",
    ),
    next=Text(
        'Send exactly one signature with tag="motlan-request".',
        'Chỉ gửi đúng một chữ ký có tag="motlan-request".',
    ),
)
SIGNATURE_TAG_RESERVED = ErrorKind(
    code="client.signature_tag_reserved",
    status=400,
    fault=Fault.CALLER,
    title=Text(
        "The request carries a signature with a tag that only the gateway may use",
        "Yêu cầu có chữ ký mang tag chỉ dành cho cổng trao đổi",
    ),
    next=Text(
        'Remove signatures whose tag begins with "motlan-", except the one with tag="motlan-request".',
        'Bỏ các chữ ký có tag bắt đầu bằng "motlan-", trừ chữ ký có tag="motlan-request".',
    ),
)
SIGNATURE_PARAMETER = ErrorKind(
    code="client.signature_parameter",
    status=400,
    fault=Fault.CALLER,
    title=Text("A signature parameter is missing or wrong", "Tham số của chữ ký bị thiếu hoặc sai"),
    next=Text(
        "Send created, expires (at most 300 s later), nonce (16 to 256 characters), keyid, alg and tag, and no others.",
        "Gửi đủ created, expires (sau không quá 300 giây), nonce (16 đến 256 ký tự), keyid, alg và tag, "
        "không thêm tham số khác.",
    ),
)
SIGNATURE_COMPONENT_UNSUPPORTED = ErrorKind(
    code="client.signature_component_unsupported",
    status=400,
    fault=Fault.CALLER,
    title=Text(
        "The signature covers a component that the gateway does not support",
        "Chữ ký bao gồm một thành phần mà cổng không hỗ trợ",
    ),
    next=Text(
        "Cover only @method, @target-uri, @authority, @path, @query and whole header fields, once each, in lower case.",
        "Chỉ ký @method, @target-uri, @authority, @path, @query và nguyên header, mỗi thành phần một lần, chữ thường.",
    ),
)
SIGNATURE_COMPONENT_ABSENT = ErrorKind(
    code="client.signature_component_absent",
    status=400,
    fault=Fault.CALLER,
    title=Text(
        "The signature covers a header that the message does not have",
        "Chữ ký bao gồm một header không có trong thông điệp",
    ),
    next=Text(
        "Send the header, or leave it out of the signature; check whether a proxy on the way removes it.",
        "Gửi kèm header đó hoặc bỏ nó khỏi chữ ký; kiểm tra xem có proxy nào trên đường truyền xóa header không.",
    ),
)
SIGNATURE_COVER_INCOMPLETE = ErrorKind(
    code="client.signature_cover_incomplete",
    status=401,
    fault=Fault.CALLER,
    title=Text(
        "The signature does not cover everything that it must",
        "Chữ ký chưa bao gồm đủ các thành phần bắt buộc",
    ),
    next=Text(
        "Add the components that the detail names to the signature; Accept-Signature lists them all.",
        "Bổ sung vào chữ ký các thành phần nêu trong phần chi tiết; Accept-Signature liệt kê đầy đủ.",
    ),
)
SIGNATURE_EXPIRED = ErrorKind(
    code="client.signature_expired",
    status=401,
    fault=Fault.CALLER,
    title=Text("The signature has expired", "Chữ ký đã hết hạn"),
    next=Text(
        "Sign anew for each attempt, and set the clock of the signing computer by NTP.",
        "Ký lại cho mỗi lần gửi và đồng bộ đồng hồ máy ký bằng NTP.",
    ),
)
SIGNATURE_NOT_YET_VALID = ErrorKind(
    code="client.signature_not_yet_valid",
    status=401,
    fault=Fault.CALLER,
    title=Text("The signature was created in the future", "Thời điểm tạo chữ ký nằm trong tương lai"),
    next=Text(
        "Set the clock of the signing computer by NTP; the gateway allows 60 s of difference.",
        "Đồng bộ đồng hồ máy ký bằng NTP; cổng chấp nhận sai lệch 60 giây.",
    ),
)
SIGNATURE_ALGORITHM = ErrorKind(
    code="client.signature_algorithm",
    status=401,
    fault=Fault.CALLER,
    title=Text(
        "The signature's algorithm is not that of the registered key",
        "Thuật toán chữ ký không khớp với khóa đã đăng ký",
    ),
    next=Text(
        "Use the algorithm of your certificate's key: ecdsa-p256-sha256, ecdsa-p384-sha384, ed25519 or rsa-pss-sha512.",
        "Dùng thuật toán của khóa trong chứng thư: ecdsa-p256-sha256, ecdsa-p384-sha384, ed25519 hoặc rsa-pss-sha512.",
    ),
)
SIGNATURE_INVALID = ErrorKind(
    code="client.signature_invalid",
    status=401,
    fault=Fault.CALLER,
    title=Text("The signature does not verify", "Chữ ký không hợp lệ"),
    next=Text(
        "Compare your signature base with the vectors of docs/signing.md, the target's percent-encoding first; "
        "ECDSA signatures are raw r and s, not DER.",
        "So sánh chuỗi được ký với các ví dụ trong docs/signing.md, trước hết là mã hóa phần trăm của địa chỉ; "
        "chữ ký ECDSA là r và s nối liền, không phải DER.",
    ),
)
HEADER_UNSIGNABLE = ErrorKind(
    code="client.header_unsignable",
    status=400,
    fault=Fault.CALLER,
    title=Text(
        "A signed header, or the request target, holds characters that cannot be signed",
        "Header đã ký hoặc địa chỉ yêu cầu chứa ký tự không thể ký",
    ),
    next=Text(
        "Use printable ASCII only, without line folding; percent-encode anything else.",
        "Chỉ dùng ký tự ASCII in được, không ngắt dòng; mã hóa phần trăm các ký tự khác.",
    ),
)
DIGEST_MISSING = ErrorKind(
    code="client.digest_missing",
    status=400,
    fault=Fault.CALLER,
    title=Text("The body has no Content-Digest", "Phần thân không có Content-Digest"),
    next=Text(
        "Send Content-Digest with sha-256 or sha-512 of the body (RFC 9530) and cover it with the signature.",
        "Gửi Content-Digest với sha-256 hoặc sha-512 của phần thân (RFC 9530) và đưa vào chữ ký.",
    ),
)
DIGEST_MALFORMED = ErrorKind(
    code="client.digest_malformed",
    status=400,
    fault=Fault.CALLER,
    title=Text(
        "Content-Digest does not follow RFC 9530 or names no algorithm that is accepted",
        "Content-Digest không đúng RFC 9530 hoặc không có thuật toán được chấp nhận",
    ),
    next=Text(
        "Write it once, as sha-256=:base64: or sha-512=:base64:.",
        "Ghi đúng một lần theo dạng sha-256=:base64: hoặc sha-512=:base64:.",
    ),
)
DIGEST_MISMATCH = ErrorKind(
    code="client.digest_mismatch",
    status=400,
    fault=Fault.CALLER,
    title=Text("Content-Digest is not that of the body", "Content-Digest không khớp với phần thân"),
    next=Text(
        "Digest the exact bytes that are sent, after any compression; check whether a proxy changes the body.",
        "Tính trên đúng các byte được gửi, sau khi nén (nếu có); kiểm tra xem có proxy nào sửa phần thân không.",
    ),
)
ANSWER_UNSIGNED = ErrorKind(
    code="server.clientproxy.answer_unsigned",
    status=502,
    fault=Fault.GATEWAY,
    title=Text(
        "The answer carries no signature of the gateway that fits this request",
        "Câu trả lời không có chữ ký của cổng phù hợp với yêu cầu này",
    ),
    next=Text(
        "Do not use the answer. Check that you talk to the gateway directly and know its certificate.",
        "Không sử dụng câu trả lời. Kiểm tra rằng bạn kết nối trực tiếp tới cổng và có chứng thư của cổng.",
    ),
)
ANSWER_SIGNATURE_INVALID = ErrorKind(
    code="server.clientproxy.answer_signature_invalid",
    status=502,
    fault=Fault.GATEWAY,
    title=Text(
        "The gateway's signature on the answer does not verify",
        "Chữ ký của cổng trên câu trả lời không hợp lệ",
    ),
    next=Text(
        "Do not use the answer. Report the record id in Motlan-Receipt to the gateway's operator.",
        "Không sử dụng câu trả lời. Báo mã bản ghi trong Motlan-Receipt cho đơn vị vận hành cổng.",
    ),
)
ANSWER_UNSIGNABLE = ErrorKind(
    code="server.serverproxy.answer_unsignable",
    status=502,
    fault=Fault.PROVIDER,
    title=Text(
        "The provider's answer has a header that cannot be signed",
        "Câu trả lời của bên cung cấp có header không thể ký",
    ),
    next=Text(
        "The provider must send Content-Type and Content-Encoding at most once, in printable ASCII.",
        "Bên cung cấp phải gửi Content-Type và Content-Encoding tối đa một lần, bằng ký tự ASCII in được.",
    ),
)
