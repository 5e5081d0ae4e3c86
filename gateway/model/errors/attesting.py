"""Kinds of errors of those who attest the log from outside: witnesses, timestamp authorities, second copies."""

from gateway.model.errors.base import ErrorKind, Fault, Text

TIMESTAMP_INVALID = ErrorKind(
    code="server.clientproxy.timestamp_invalid",
    status=500,
    fault=Fault.GATEWAY,
    title=Text(
        "The timestamp does not prove the time of the log",
        "Dấu thời gian không chứng minh được thời điểm của nhật ký",
    ),
    next=Text(
        "Check that the authority's certificates are the right ones. If they are, do not rely on this timestamp.",
        "Hãy kiểm tra chứng thư của tổ chức cấp dấu thời gian. Nếu chứng thư đúng, đừng dựa vào dấu thời gian này.",
    ),
)
TIMESTAMPS_STALE = ErrorKind(
    code="server.clientproxy.timestamps_stale",
    status=503,
    fault=Fault.GATEWAY,
    retryable=True,
    title=Text(
        "The log has had no timestamp for too long",
        "Nhật ký đã quá lâu không được cấp dấu thời gian",
    ),
    next=Text(
        "Nothing was forwarded; try again later. The gateway takes calls again as soon as it gets a timestamp.",
        "Chưa có nội dung nào được chuyển tiếp; hãy thử lại sau. Cổng sẽ nhận yêu cầu ngay khi có dấu thời gian mới.",
    ),
)
ATTESTING_UNAVAILABLE = ErrorKind(
    code="server.clientproxy.attesting_unavailable",
    status=503,
    fault=Fault.GATEWAY,
    retryable=True,
    title=Text(
        "A witness or a timestamp authority did not answer as it should",
        "Bên chứng kiến hoặc tổ chức cấp dấu thời gian không trả lời đúng",
    ),
    next=Text(
        "It is asked again by itself. If it stays so, check its address and ask who runs it.",
        "Cổng sẽ tự hỏi lại. Nếu lỗi kéo dài, hãy kiểm tra địa chỉ và liên hệ đơn vị vận hành bên đó.",
    ),
)
LOG_FORKED = ErrorKind(
    code="server.clientproxy.log_forked",
    status=500,
    fault=Fault.GATEWAY,
    title=Text(
        "The log shows two histories that exclude each other",
        "Nhật ký đưa ra hai lịch sử mâu thuẫn nhau",
    ),
    next=Text(
        "Keep both checkpoints: together they prove it. Tell the auditors, and do not take up the newer copy.",
        "Hãy giữ cả hai điểm kiểm: chúng là bằng chứng. Hãy báo kiểm toán viên và không nhận bản sao mới hơn.",
    ),
)
WITNESS_REFUSED = ErrorKind(
    code="server.clientproxy.witness_refused",
    status=409,
    fault=Fault.GATEWAY,
    title=Text(
        "The witness does not cosign this checkpoint",
        "Bên chứng kiến không đồng ký điểm kiểm này",
    ),
    next=Text(
        "Check that the log's key is known to the witness, and compare the log with what the witness has seen.",
        "Hãy kiểm tra bên chứng kiến có khóa của nhật ký, rồi đối chiếu nhật ký với những gì bên đó đã thấy.",
    ),
)
WITNESS_POLICY_INVALID = ErrorKind(
    code="server.clientproxy.witness_policy_invalid",
    status=500,
    fault=Fault.GATEWAY,
    title=Text(
        "The witness policy is not one",
        "Tệp chính sách chứng kiến không hợp lệ",
    ),
    next=Text(
        "Correct the line that is named; docs/witnesses.md has an example.",
        "Hãy sửa dòng được nêu; docs/witnesses.md có ví dụ mẫu.",
    ),
)
WITNESS_STATE_UNUSABLE = ErrorKind(
    code="server.clientproxy.witness_state_unusable",
    status=500,
    fault=Fault.GATEWAY,
    title=Text(
        "The witness cannot use its state",
        "Không dùng được tệp trạng thái của bên chứng kiến",
    ),
    next=Text(
        "Restore the file. Never begin a new one for the same key: the witness would forget what it has promised.",
        "Hãy khôi phục tệp. Đừng tạo tệp mới cho cùng khóa: bên chứng kiến sẽ quên những gì đã cam kết.",
    ),
)
