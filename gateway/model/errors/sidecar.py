"""Kinds of errors of the sidecar, which stands between an unchanged system and the gateway, on the agency's machine."""

from gateway.model.errors.base import ErrorKind, Fault, Text

SIDECAR_LOCAL_ONLY = ErrorKind(
    code="client.sidecar_local_only",
    status=403,
    fault=Fault.CALLER,
    title=Text(
        "The sidecar serves programs on its own machine only", "Sidecar chỉ phục vụ phần mềm trên chính máy này"
    ),
    next=Text(
        "Call it by its loopback address, from a program and not from a web page.",
        "Hãy gọi qua địa chỉ loopback, từ phần mềm chứ không phải từ trang web.",
    ),
)
ANSWER_TOO_LARGE = ErrorKind(
    code="server.clientproxy.answer_too_large",
    status=502,
    fault=Fault.CALLER,
    title=Text("The answer is larger than this sidecar takes", "Câu trả lời lớn hơn mức sidecar này cho phép"),
    next=Text(
        "The call was carried out. Raise the sidecar's --max-body, or ask for less.",
        "Lời gọi đã được thực hiện. Hãy tăng --max-body của sidecar, hoặc yêu cầu ít dữ liệu hơn.",
    ),
)
GATEWAY_UNREACHABLE = ErrorKind(
    code="server.clientproxy.gateway_unreachable",
    status=502,
    fault=Fault.GATEWAY,
    title=Text("There is no answer from the gateway", "Không nhận được câu trả lời từ cổng"),
    next=Text(
        "Whether the call was carried out is not known. Check the network and the gateway's URL; repeat a write only "
        "with its Idempotency-Key.",
        "Chưa rõ lời gọi đã được thực hiện hay chưa. Hãy kiểm tra mạng và URL của cổng; chỉ gửi lại thao tác ghi kèm "
        "Idempotency-Key cũ.",
    ),
)
