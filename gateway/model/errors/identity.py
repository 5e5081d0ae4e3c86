"""Refusals about who shows a TLS certificate, and from where (protocols.md §2, "X-Road style")."""

from gateway.model.errors.base import ErrorKind, Fault, Text

CERTIFICATE_MISSING = ErrorKind(
    code="client.certificate_missing",
    status=401,
    fault=Fault.CALLER,
    title=Text("The caller shows no TLS client certificate", "Bên gọi không xuất trình chứng thư TLS"),
    next=Text(
        "Connect with the subsystem's TLS certificate, or sign the request.",
        "Hãy kết nối bằng chứng thư TLS của hệ thống con, hoặc ký yêu cầu.",
    ),
)
CLIENT_CERT_REFUSED = ErrorKind(
    code="client.client_cert_refused",
    status=400,
    fault=Fault.CALLER,
    title=Text(
        "Client-Cert is believed from the gateway's own proxies only",
        "Chỉ chấp nhận Client-Cert từ proxy của chính cổng trao đổi",
    ),
    next=Text(
        "Leave Client-Cert and Client-Cert-Chain out, and show the certificate in the TLS handshake.",
        "Hãy bỏ Client-Cert và Client-Cert-Chain, và xuất trình chứng thư khi bắt tay TLS.",
    ),
)
CLIENT_CERT_MALFORMED = ErrorKind(
    code="server.clientproxy.client_cert_malformed",
    status=500,
    fault=Fault.GATEWAY,
    title=Text("Client-Cert does not follow RFC 9440", "Client-Cert không đúng RFC 9440"),
    next=Text(
        "The proxy before the gateway must send one certificate in DER as :base64:, and remove what callers send.",
        "Proxy phía trước cổng phải gửi đúng một chứng thư DER dạng :base64: và xóa trường do bên gọi gửi.",
    ),
)
NETWORK_NOT_LISTED = ErrorKind(
    code="client.network_not_listed",
    status=403,
    fault=Fault.CALLER,
    title=Text(
        "The subsystem may not call from this network address",
        "Hệ thống con không được phép gọi từ địa chỉ mạng này",
    ),
    next=Text(
        "Call from a network that the subsystem's trust-list entry names, or have the entry changed.",
        "Hãy gọi từ mạng có trong mục đăng ký của hệ thống trong danh sách tin cậy, hoặc đề nghị thay đổi mục đó.",
    ),
)
HOSTED_KEY_MISSING = ErrorKind(
    code="server.clientproxy.hosted_key_missing",
    status=503,
    fault=Fault.GATEWAY,
    title=Text(
        "The gateway has no valid key to sign with for this subsystem",
        "Cổng trao đổi không có khóa hợp lệ để ký thay cho hệ thống con này",
    ),
    next=Text(
        "Sign the request yourself, or have the gateway's operator configure a hosted key and register it.",
        "Hãy tự ký yêu cầu, hoặc đề nghị đơn vị vận hành cổng cấu hình khóa ký thay và đăng ký khóa đó.",
    ),
)
