"""Refusals about certificates and the trust list."""

from gateway.model.errors.base import ErrorKind, Fault, Text

UNKNOWN_KEY = ErrorKind(
    code="client.unknown_key",
    status=401,
    fault=Fault.CALLER,
    title=Text("The key is not in the trust list", "Khóa không có trong danh sách tin cậy"),
    next=Text(
        "Sign with the key of a certificate that the trust list holds; a new certificate must be registered first.",
        "Hãy ký bằng khóa của chứng thư đã có trong danh sách tin cậy; chứng thư mới phải được đăng ký trước.",
    ),
)
CERTIFICATE_NOT_YET_VALID = ErrorKind(
    code="client.certificate_not_yet_valid",
    status=401,
    fault=Fault.CALLER,
    retryable=True,
    title=Text("The certificate is not valid yet", "Chứng thư chưa đến thời gian có hiệu lực"),
    next=Text(
        "Use the certificate that is valid now, or wait until this one is; check your clock.",
        "Hãy dùng chứng thư đang có hiệu lực hoặc chờ đến khi chứng thư này có hiệu lực; kiểm tra đồng hồ hệ thống.",
    ),
)
CERTIFICATE_EXPIRED = ErrorKind(
    code="client.certificate_expired",
    status=401,
    fault=Fault.CALLER,
    title=Text("The certificate has expired", "Chứng thư đã hết hạn"),
    next=Text(
        "Request a new certificate, have it registered in the trust list, and sign with its key.",
        "Hãy xin cấp chứng thư mới, đăng ký vào danh sách tin cậy rồi ký bằng khóa của chứng thư đó.",
    ),
)
CERTIFICATE_REVOKED = ErrorKind(
    code="client.certificate_revoked",
    status=401,
    fault=Fault.CALLER,
    title=Text("The certificate has been revoked", "Chứng thư đã bị thu hồi"),
    next=Text(
        "Stop using this key; request a new certificate for a new key.",
        "Hãy ngừng dùng khóa này và xin cấp chứng thư mới cho một khóa mới.",
    ),
)
CERTIFICATE_UNTRUSTED = ErrorKind(
    code="client.certificate_untrusted",
    status=401,
    fault=Fault.CALLER,
    title=Text(
        "The certificate was not issued by a trusted authority",
        "Chứng thư không do cơ quan chứng thực được tin cậy cấp",
    ),
    next=Text(
        "Use a certificate issued by one of the authorities in the trust list.",
        "Hãy dùng chứng thư do một cơ quan chứng thực có trong danh sách tin cậy cấp.",
    ),
)
CERTIFICATE_WRONG_USAGE = ErrorKind(
    code="client.certificate_wrong_usage",
    status=401,
    fault=Fault.CALLER,
    title=Text("The certificate may not be used for this", "Chứng thư không được phép dùng cho mục đích này"),
    next=Text(
        "Sign with a certificate whose key usage is digitalSignature; connect with one that allows clientAuth.",
        "Hãy ký bằng chứng thư có keyUsage là digitalSignature; kết nối bằng chứng thư cho phép clientAuth.",
    ),
)
CERTIFICATE_WEAK = ErrorKind(
    code="client.certificate_weak",
    status=401,
    fault=Fault.CALLER,
    title=Text("The certificate uses a weak algorithm or key", "Chứng thư dùng thuật toán hoặc khóa không đủ an toàn"),
    next=Text(
        "Request a certificate signed with SHA-256 or better, with a P-256, P-384, Ed25519 or RSA (2048 bits) key.",
        "Hãy xin cấp chứng thư ký bằng SHA-256 trở lên, với khóa P-256, P-384, Ed25519 hoặc RSA từ 2048 bit.",
    ),
)
KEY_OF_ANOTHER = ErrorKind(
    code="client.key_of_another_subsystem",
    status=403,
    fault=Fault.CALLER,
    title=Text(
        "The key does not belong to the subsystem that claims to call",
        "Khóa không thuộc về hệ thống được khai trong yêu cầu",
    ),
    next=Text(
        "Name your own subsystem in X-Road-Client, and sign with the key registered for it.",
        "Hãy ghi đúng hệ thống của mình trong X-Road-Client và ký bằng khóa đã đăng ký cho hệ thống đó.",
    ),
)
CRL_MISSING = ErrorKind(
    code="server.clientproxy.crl_missing",
    status=503,
    fault=Fault.GATEWAY,
    retryable=True,
    title=Text(
        "There is no revocation list for the certificate's authority",
        "Không có danh sách thu hồi của cơ quan cấp chứng thư",
    ),
    next=Text(
        "The gateway's operator must load the authority's revocation list.",
        "Đơn vị vận hành trục liên thông cần nạp danh sách chứng thư bị thu hồi của cơ quan chứng thực.",
    ),
)
CRL_STALE = ErrorKind(
    code="server.clientproxy.crl_stale",
    status=503,
    fault=Fault.GATEWAY,
    retryable=True,
    title=Text("The revocation list is out of date", "Danh sách chứng thư bị thu hồi đã quá hạn cập nhật"),
    next=Text(
        "Try again later; the gateway's operator must load the authority's current revocation list.",
        "Hãy thử lại sau; đơn vị vận hành trục liên thông cần nạp danh sách thu hồi mới nhất.",
    ),
)
TRUST_LIST_INVALID = ErrorKind(
    code="server.clientproxy.trust_list_invalid",
    status=503,
    fault=Fault.GATEWAY,
    title=Text("The trust list is not acceptable", "Danh sách tin cậy không hợp lệ"),
    next=Text(
        "The gateway's operator must load a trust list that is whole and rightly formed.",
        "Đơn vị vận hành cần nạp danh sách tin cậy đầy đủ và đúng định dạng.",
    ),
)
TRUST_LIST_SIGNERS = ErrorKind(
    code="server.clientproxy.trust_list_signers",
    status=503,
    fault=Fault.GATEWAY,
    title=Text("The trust list is not signed by those who must", "Danh sách tin cậy không có đủ chữ ký bắt buộc"),
    next=Text(
        "Have the list signed by as many of the pinned signers as the configuration asks for.",
        "Danh sách phải được ký bởi đủ số người ký đã chỉ định trong cấu hình.",
    ),
)
TRUST_LIST_REPLAYED = ErrorKind(
    code="server.clientproxy.trust_list_replayed",
    status=503,
    fault=Fault.GATEWAY,
    title=Text("The trust list is older than the one in force", "Danh sách tin cậy cũ hơn danh sách đang có hiệu lực"),
    next=Text(
        "Load the newest list; if this one is new, it must be signed again with a higher serial.",
        "Hãy nạp danh sách mới nhất; nếu đây là bản mới thì phải ký lại với số hiệu cao hơn.",
    ),
)
TRUST_LIST_FORKED = ErrorKind(
    code="server.clientproxy.trust_list_forked",
    status=503,
    fault=Fault.GATEWAY,
    title=Text(
        "Two different trust lists carry the same serial", "Có hai danh sách tin cậy khác nhau mang cùng một số hiệu"
    ),
    next=Text(
        "Find out why the signers signed two lists with one serial, then sign a new one with a higher serial.",
        "Cần làm rõ vì sao có hai danh sách cùng số hiệu, sau đó ký danh sách mới với số hiệu cao hơn.",
    ),
)
TRUST_LIST_EXPIRED = ErrorKind(
    code="server.clientproxy.trust_list_expired",
    status=503,
    fault=Fault.GATEWAY,
    retryable=True,
    title=Text("The trust list has expired", "Danh sách tin cậy đã hết hiệu lực"),
    next=Text(
        "Try again later; the signers must publish a new list.",
        "Hãy thử lại sau; đơn vị có thẩm quyền cần công bố danh sách tin cậy mới.",
    ),
)
KEY_FILE_UNUSABLE = ErrorKind(
    code="server.clientproxy.key_file_unusable",
    status=500,
    fault=Fault.GATEWAY,
    title=Text("A key or certificate file cannot be used", "Không dùng được tệp khóa hoặc chứng thư"),
    next=Text(
        "Check that the file exists, is PEM, matches its certificate, and that only its owner can read it (mode 0600).",
        "Hãy kiểm tra tệp tồn tại, đúng định dạng PEM, khớp với chứng thư và chỉ chủ sở hữu đọc được (quyền 0600).",
    ),
)
