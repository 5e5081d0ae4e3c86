"""Refusals of WS-Security headers, and of XML and attachments that they cannot speak for (protocols.md §2, "SOAP")."""

from gateway.model.errors.base import ErrorKind, Fault, Text

XML_FORBIDDEN = ErrorKind(
    code="client.xml_forbidden",
    status=400,
    fault=Fault.CALLER,
    title=Text(
        "The message has XML that is never accepted", "Thông điệp có thành phần XML không bao giờ được chấp nhận"
    ),
    next=Text(
        "Send XML 1.0 in UTF-8 without DOCTYPE, processing instructions and XInclude.",
        "Hãy gửi XML 1.0 mã UTF-8, không có DOCTYPE, chỉ thị xử lý và XInclude.",
    ),
)
XML_TOO_COMPLEX = ErrorKind(
    code="client.xml_too_complex",
    status=400,
    fault=Fault.CALLER,
    title=Text(
        "The message has too many tags, attributes or namespaces",
        "Thông điệp có quá nhiều thẻ, thuộc tính hoặc không gian tên",
    ),
    next=Text(
        "Send large content as an attachment; declare each namespace once, on the root element.",
        "Hãy gửi nội dung lớn dưới dạng tệp đính kèm; khai báo mỗi không gian tên một lần ở phần tử gốc.",
    ),
)
SECURITY_MISSING = ErrorKind(
    code="client.security_missing",
    status=401,
    fault=Fault.CALLER,
    title=Text(
        "The envelope has no WS-Security header, or one without signature or timestamp",
        "Phong bì không có tiêu đề WS-Security, hoặc tiêu đề thiếu chữ ký hay Timestamp",
    ),
    next=Text(
        "Sign as docs/signing.md says: one wsse:Security with a Timestamp and one Signature over Body, Timestamp and"
        " headers.",
        "Hãy ký theo docs/signing.md: một wsse:Security gồm Timestamp và một Signature trên Body, Timestamp và các"
        " tiêu đề.",
    ),
)
SECURITY_AMBIGUOUS = ErrorKind(
    code="client.security_ambiguous",
    status=400,
    fault=Fault.CALLER,
    title=Text(
        "The envelope has more than one Security header, Signature or Timestamp",
        "Phong bì có nhiều hơn một tiêu đề Security, Signature hoặc Timestamp",
    ),
    next=Text(
        "Send exactly one wsse:Security, directly in Header, with exactly one Signature and one Timestamp.",
        "Chỉ gửi đúng một wsse:Security ngay trong Header, với đúng một Signature và một Timestamp.",
    ),
)
SECURITY_MALFORMED = ErrorKind(
    code="client.security_malformed",
    status=400,
    fault=Fault.CALLER,
    title=Text(
        "The Security header is not built as WS-Security and XML Signature say",
        "Tiêu đề Security không đúng cấu trúc của WS-Security và XML Signature",
    ),
    next=Text(
        "Correct what the detail names; no ds:Object, no encryption, no username token.",
        "Hãy sửa phần được nêu trong chi tiết; không dùng ds:Object, mã hóa hay username token.",
    ),
)
SECURITY_ALGORITHM = ErrorKind(
    code="client.security_algorithm",
    status=400,
    fault=Fault.CALLER,
    title=Text(
        "The signature uses an algorithm that is not accepted, or not that of its key",
        "Chữ ký dùng thuật toán không được chấp nhận hoặc không khớp với khóa",
    ),
    next=Text(
        "Use exclusive canonicalisation without comments, SHA-256 or SHA-512 digests, and RSA-SHA256, RSA-SHA512 or the"
        " ECDSA method of your key's curve; SHA-1 is refused.",
        "Hãy dùng exclusive c14n không chú thích, hàm băm SHA-256 hoặc SHA-512, và RSA-SHA256, RSA-SHA512 hoặc ECDSA"
        " theo đường cong của khóa; SHA-1 bị từ chối.",
    ),
)
SECURITY_TRANSFORM = ErrorKind(
    code="client.security_transform",
    status=400,
    fault=Fault.CALLER,
    title=Text(
        "The signature uses a transform that is not accepted",
        "Chữ ký dùng phép biến đổi (transform) không được chấp nhận",
    ),
    next=Text(
        "Give each reference exactly one transform: exclusive canonicalisation for elements,"
        " Attachment-Content-Signature-Transform for attachments.",
        "Mỗi tham chiếu chỉ có đúng một transform: exclusive c14n cho phần tử,"
        " Attachment-Content-Signature-Transform cho tệp đính kèm.",
    ),
)
SECURITY_REFERENCE = ErrorKind(
    code="client.security_reference",
    status=400,
    fault=Fault.CALLER,
    title=Text(
        "The signature refers to something that it may not refer to",
        "Chữ ký tham chiếu đến thành phần không được phép",
    ),
    next=Text(
        'Refer once each, as "#id", to Body, header blocks and the Timestamp where they stand, and as "cid:…" to'
        " attachments; nothing empty, external or elsewhere.",
        'Chỉ tham chiếu một lần, dạng "#id", tới Body, các khối tiêu đề và Timestamp đúng vị trí, và dạng "cid:…" tới'
        " tệp đính kèm; không để trống, không trỏ ra ngoài.",
    ),
)
SECURITY_ID_DUPLICATE = ErrorKind(
    code="client.security_id_duplicate",
    status=400,
    fault=Fault.CALLER,
    title=Text(
        "An id that the signature refers to stands in the message more than once",
        "Một định danh (Id) mà chữ ký tham chiếu xuất hiện nhiều lần trong thông điệp",
    ),
    next=Text(
        "Give every signed element an id of its own, which no other element of the message has.",
        "Hãy đặt cho mỗi phần tử được ký một Id riêng, không trùng với phần tử nào khác.",
    ),
)
SECURITY_COVER_INCOMPLETE = ErrorKind(
    code="client.security_cover_incomplete",
    status=401,
    fault=Fault.CALLER,
    title=Text(
        "The signature does not cover everything that it must",
        "Chữ ký WS-Security chưa bao gồm đủ các thành phần bắt buộc",
    ),
    next=Text(
        "Sign Body, the Timestamp and each header block of X-Road, Motlan and WS-Addressing; the detail names what is"
        " missing.",
        "Hãy ký Body, Timestamp và mọi khối tiêu đề X-Road, Motlan, WS-Addressing; phần chi tiết nêu thành phần còn"
        " thiếu.",
    ),
)
SECURITY_DIGEST_MISMATCH = ErrorKind(
    code="client.security_digest_mismatch",
    status=401,
    fault=Fault.CALLER,
    title=Text(
        "A signed element is not what was signed",
        "Một phần tử đã ký không còn nguyên vẹn như khi được ký",
    ),
    next=Text(
        "Sign last, and change nothing after it: no indenting, no added header, no other prefix in signed elements.",
        "Hãy ký ở bước cuối và không sửa gì sau đó: không thụt dòng, không thêm tiêu đề, không đổi tiền tố trong phần"
        " đã ký.",
    ),
)
SECURITY_TOKEN = ErrorKind(
    code="client.security_token",
    status=401,
    fault=Fault.CALLER,
    title=Text(
        "The signature does not say by which certificate it was made",
        "Chữ ký không cho biết được tạo bằng chứng thư nào",
    ),
    next=Text(
        "Refer in KeyInfo to a BinarySecurityToken (X509v3), an X509IssuerSerial or a ThumbprintSHA1 key identifier.",
        "Trong KeyInfo hãy tham chiếu BinarySecurityToken (X509v3), X509IssuerSerial hoặc định danh ThumbprintSHA1.",
    ),
)
SECURITY_TIMESTAMP = ErrorKind(
    code="client.security_timestamp",
    status=400,
    fault=Fault.CALLER,
    title=Text(
        "The Timestamp is missing a time or lasts too long", "Timestamp thiếu thời điểm hoặc có thời hạn quá dài"
    ),
    next=Text(
        "Send Created and Expires in UTC (ending in Z), Expires at most 300 s after Created.",
        "Hãy gửi Created và Expires theo giờ UTC (kết thúc bằng Z), Expires sau Created không quá 300 giây.",
    ),
)
SECURITY_CONFIRMATION = ErrorKind(
    code="server.clientproxy.answer_confirmation",
    status=502,
    fault=Fault.GATEWAY,
    title=Text(
        "The answer does not confirm the signature of this request",
        "Câu trả lời không xác nhận đúng chữ ký của yêu cầu này",
    ),
    next=Text(
        "Do not use the answer: it may be the answer to another request.",
        "Không sử dụng câu trả lời: đây có thể là câu trả lời cho yêu cầu khác.",
    ),
)
ATTACHMENT_UNCOVERED = ErrorKind(
    code="client.attachment_uncovered",
    status=401,
    fault=Fault.CALLER,
    title=Text("An attachment is not covered by the signature", "Có tệp đính kèm không nằm trong chữ ký"),
    next=Text(
        'Cover every attachment by a "cid:" reference to its Content-ID (WS-Security SwA profile), or send it as XOP'
        " content of the signed Body.",
        'Hãy ký mọi tệp đính kèm bằng tham chiếu "cid:" tới Content-ID (WS-Security SwA profile), hoặc gửi dạng nội'
        " dung XOP của Body đã ký.",
    ),
)
ATTACHMENT_MISSING = ErrorKind(
    code="client.attachment_missing",
    status=400,
    fault=Fault.CALLER,
    title=Text("A signed attachment did not arrive", "Thiếu tệp đính kèm đã được ký"),
    next=Text(
        "Send every attachment that is signed, under the Content-ID by which the signature refers to it.",
        "Hãy gửi đủ các tệp đính kèm đã ký, đúng Content-ID mà chữ ký tham chiếu.",
    ),
)
ATTACHMENT_MISMATCH = ErrorKind(
    code="client.attachment_mismatch",
    status=401,
    fault=Fault.CALLER,
    title=Text("An attachment is not the one that was signed", "Tệp đính kèm không đúng với tệp đã được ký"),
    next=Text(
        "Digest the attachment's exact bytes with SHA-256; text must be sent with the line ends that were digested.",
        "Hãy tính SHA-256 trên đúng các byte của tệp; nội dung văn bản phải giữ nguyên ký tự xuống dòng khi gửi.",
    ),
)
XOP_UNSIGNABLE = ErrorKind(
    code="client.xop_unsignable",
    status=400,
    fault=Fault.CALLER,
    title=Text(
        "XOP content cannot be put in its place to check the signature",
        "Không thể ghép nội dung XOP vào vị trí để kiểm tra chữ ký",
    ),
    next=Text(
        'Sign large content as an attachment, by a "cid:" reference; let each xop:Include stand alone in its element'
        " and name a part that is there.",
        'Hãy ký nội dung lớn như tệp đính kèm bằng tham chiếu "cid:"; mỗi xop:Include đứng một mình trong phần tử và'
        " trỏ tới một phần có thật.",
    ),
)
PROVIDER_UNSIGNED = ErrorKind(
    code="server.serverproxy.answer_security_missing",
    status=502,
    fault=Fault.PROVIDER,
    title=Text(
        "The provider's answer carries no WS-Security signature that fits this request",
        "Câu trả lời của hệ thống nguồn không có chữ ký WS-Security phù hợp với yêu cầu này",
    ),
    next=Text(
        "Nothing of the answer was used. The provider must sign Body and Timestamp with its listed key and confirm the"
        " request's signature.",
        "Không sử dụng nội dung nào của câu trả lời. Hệ thống nguồn phải ký Body và Timestamp bằng khóa đã đăng ký và"
        " xác nhận chữ ký của yêu cầu.",
    ),
)
PROVIDER_SIGNATURE_INVALID = ErrorKind(
    code="server.serverproxy.answer_security_invalid",
    status=502,
    fault=Fault.PROVIDER,
    title=Text(
        "The provider's WS-Security signature on its answer does not verify",
        "Chữ ký WS-Security của hệ thống nguồn trên câu trả lời không hợp lệ",
    ),
    next=Text(
        "Nothing of the answer was used. Report the record's id to the provider.",
        "Không sử dụng nội dung nào của câu trả lời. Hãy gửi mã bản ghi cho đơn vị cung cấp.",
    ),
)
