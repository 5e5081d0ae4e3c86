"""Refusals by policy: nothing grants the call, or what grants it is spent, over or switched off."""

from gateway.model.errors.base import ErrorKind, Fault, Text

ACCESS_DENIED = ErrorKind(
    code="server.serverproxy.access_denied",
    status=403,
    fault=Fault.CALLER,
    title=Text("No grant allows this call", "Không có quyền truy cập nào cho phép lời gọi này"),
    next=Text(
        "Ask the provider to grant this subsystem the service, or call what is granted.",
        "Hãy đề nghị cơ quan cung cấp cấp quyền dịch vụ cho hệ thống con này, hoặc chỉ gọi những gì đã được cấp quyền.",
    ),
)
METHOD_NOT_GRANTED = ErrorKind(
    code="server.serverproxy.method_not_granted",
    status=403,
    fault=Fault.CALLER,
    title=Text("This method or path is not granted", "Phương thức hoặc đường dẫn này chưa được cấp quyền"),
    next=Text(
        "Call the service with a method and path that are granted, or ask the provider to grant this one.",
        "Hãy gọi dịch vụ bằng phương thức và đường dẫn đã được cấp quyền, hoặc đề nghị cơ quan cung cấp cấp thêm.",
    ),
)
PURPOSE_NOT_GRANTED = ErrorKind(
    code="server.serverproxy.purpose_not_granted",
    status=403,
    fault=Fault.CALLER,
    title=Text("The service is not granted for this purpose", "Dịch vụ không được cấp quyền cho mục đích này"),
    next=Text(
        "State the procedure you are working on; if it is this one, ask the provider to grant it.",
        "Hãy nêu đúng thủ tục đang giải quyết; nếu đúng là thủ tục này, đề nghị cơ quan cung cấp cấp quyền.",
    ),
)
BASIS_NOT_GRANTED = ErrorKind(
    code="server.serverproxy.basis_not_granted",
    status=403,
    fault=Fault.CALLER,
    title=Text(
        "The legal basis is missing or not the one granted",
        "Thiếu căn cứ pháp lý hoặc căn cứ không đúng với quyền đã cấp",
    ),
    next=Text(
        "State the legal basis that the grant names, as the parameter basis of Motlan-Purpose.",
        "Hãy nêu căn cứ pháp lý ghi trong quyền đã cấp, ở tham số basis của Motlan-Purpose.",
    ),
)
GRANT_EXPIRED = ErrorKind(
    code="server.serverproxy.grant_expired",
    status=403,
    fault=Fault.CALLER,
    title=Text("The grant is not in force today", "Quyền truy cập không còn hoặc chưa có hiệu lực"),
    next=Text(
        "Ask the provider to renew the grant.",
        "Hãy đề nghị cơ quan cung cấp gia hạn quyền truy cập.",
    ),
)
OFFICER_MISSING = ErrorKind(
    code="server.serverproxy.officer_missing",
    status=403,
    fault=Fault.CALLER,
    title=Text("The call must name the officer", "Lời gọi phải nêu cán bộ thực hiện"),
    next=Text(
        "Send the officer who asks in X-Road-UserId, covered by the signature.",
        "Hãy gửi mã cán bộ thực hiện trong X-Road-UserId và đưa trường này vào phạm vi chữ ký.",
    ),
)
CASE_MISSING = ErrorKind(
    code="server.serverproxy.case_missing",
    status=403,
    fault=Fault.CALLER,
    title=Text("The call must name the case", "Lời gọi phải nêu mã hồ sơ"),
    next=Text(
        "Send the dossier's code in X-Road-Issue, covered by the signature.",
        "Hãy gửi mã hồ sơ trong X-Road-Issue và đưa trường này vào phạm vi chữ ký.",
    ),
)
SERVICE_DISABLED = ErrorKind(
    code="server.serverproxy.service_disabled",
    status=503,
    fault=Fault.PROVIDER,
    retryable=True,
    title=Text("The service is switched off", "Dịch vụ đang tạm ngừng"),
    next=Text(
        "Try again later; the provider's notice says until when.",
        "Hãy thử lại sau; thời gian tạm ngừng theo thông báo của cơ quan cung cấp.",
    ),
)
QUOTA_SPENT = ErrorKind(
    code="server.serverproxy.quota_spent",
    status=429,
    fault=Fault.CALLER,
    title=Text("The day's quota is spent", "Đã dùng hết hạn mức trong ngày"),
    next=Text(
        "Continue tomorrow (Vietnamese time), or have the provider raise the quota if the work needs it.",
        "Hãy tiếp tục vào ngày mai (giờ Việt Nam), hoặc đề nghị cơ quan cung cấp nâng hạn mức nếu công việc cần.",
    ),
)
WHOLE_ANSWER_ONLY = ErrorKind(
    code="server.serverproxy.whole_answer_only",
    status=403,
    fault=Fault.GATEWAY,
    title=Text(
        "The answer cannot be reduced to the granted fields",
        "Không thể lọc câu trả lời theo các trường đã được cấp quyền",
    ),
    next=Text(
        "An answer this large or without JSON content can only be granted whole; ask the provider for such a grant.",
        "Câu trả lời quá lớn hoặc không phải JSON chỉ có thể được cấp quyền toàn bộ; hãy đề nghị cơ quan cung cấp.",
    ),
)
