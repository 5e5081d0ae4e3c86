"""Kinds of errors of the citizen's list of accesses."""

from gateway.model.errors.base import ErrorKind, Fault, Text

CITIZEN_TOKEN_NEEDED = ErrorKind(
    code="client.citizen_token_needed",
    status=403,
    fault=Fault.CALLER,
    title=Text(
        "The list of accesses is given to the citizen only, and no token of theirs was sent",
        "Danh sách truy cập chỉ cung cấp cho chính công dân, nhưng yêu cầu không có mã xác nhận của công dân",
    ),
    next=Text(
        "Let the citizen sign in, and send the token that their identity provider issues in Motlan-Citizen, covered by "
        "your signature.",
        "Hãy để công dân đăng nhập rồi gửi mã do nhà cung cấp định danh cấp trong Motlan-Citizen, được chữ ký của bạn "
        "bao phủ.",
    ),
)
CITIZEN_TOKEN_INVALID = ErrorKind(
    code="client.citizen_token_invalid",
    status=403,
    fault=Fault.CALLER,
    title=Text("The citizen's token is not one that counts here", "Mã xác nhận của công dân không hợp lệ tại đây"),
    next=Text(
        "See which of its members is named. A token is a JWT of type motlan-citizen+jwt by a pinned issuer, for this "
        "gateway, of at most 300 seconds; docs/accesses.md has an example.",
        "Hãy xem thành phần được nêu tên. Mã là JWT loại motlan-citizen+jwt của nhà cấp đã ghim, dành cho cổng này, có "
        "hạn tối đa 300 giây; ví dụ có trong docs/accesses.md.",
    ),
)
CITIZEN_TOKEN_USED = ErrorKind(
    code="client.citizen_token_used",
    status=409,
    fault=Fault.CALLER,
    title=Text("The citizen's token was used before", "Mã xác nhận của công dân đã được sử dụng"),
    next=Text(
        "A token is for one call. Have a new one issued, and sign the call anew, with a new nonce.",
        "Mỗi mã chỉ dùng cho một lần gọi. Hãy xin mã mới và ký lại yêu cầu với nonce mới.",
    ),
)
ACCESSES_QUESTION = ErrorKind(
    code="client.accesses_question",
    status=400,
    fault=Fault.CALLER,
    title=Text(
        "The question to the list of accesses is not one that can be answered",
        "Tham số hỏi danh sách truy cập không hợp lệ",
    ),
    next=Text(
        "Use since and until (days, YYYY-MM-DD), limit (1 to 100) and cursor as the page before gave it; each once. "
        "Never a number of a person.",
        "Chỉ dùng since và until (ngày, YYYY-MM-DD), limit (1 đến 100) và cursor như trang trước trả về; mỗi tham số "
        "một lần. Không bao giờ ghi số định danh.",
    ),
)
WITHHELD_LOST = ErrorKind(
    code="server.clientproxy.withheld_lost",
    status=503,
    fault=Fault.GATEWAY,
    title=Text(
        "The list of accesses cannot be told completely and rightly now",
        "Hiện chưa thể cung cấp danh sách truy cập một cách đúng và đủ",
    ),
    next=Text(
        "Tell the gateway's operator: the log records a document that is missing or altered in the database.",
        "Hãy báo đơn vị vận hành cổng: nhật ký ghi nhận một văn bản đã mất hoặc bị sửa trong cơ sở dữ liệu.",
    ),
)
WITHHOLDING_REFUSED = ErrorKind(
    code="client.withholding_refused",
    status=403,
    fault=Fault.CALLER,
    title=Text(
        "Entries cannot be withheld in this way",
        "Không thể tạm giữ các mục theo cách này",
    ),
    next=Text(
        "Only the data-protection officer withholds, for at most 366 days at a time; see  motlan log withhold --help.",
        "Chỉ cán bộ bảo vệ dữ liệu được tạm giữ, mỗi lần tối đa 366 ngày; xem  motlan log withhold --help.",
    ),
)
WITHHELD_UNKNOWN = ErrorKind(
    code="client.withheld_unknown",
    status=404,
    fault=Fault.CALLER,
    title=Text(
        "There is no such withholding in force",
        "Không có lệnh tạm giữ này đang có hiệu lực",
    ),
    next=Text(
        "List those in force with  motlan log withheld list.",
        "Hãy xem các lệnh đang có hiệu lực bằng  motlan log withheld list.",
    ),
)
