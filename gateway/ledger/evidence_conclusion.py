"""What a container that holds proves, and what it leaves open, in sentences for people who read no findings."""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from gateway.ledger.evidence import Shown
from gateway.ledger.evidence_binding import own_signature
from gateway.ledger.evidence_findings import Verdict
from gateway.ledger.evidence_stamps import NOT_REVOKED
from gateway.ledger.evidence_verify import LOG_AT, SIGNED_AT, Verified
from gateway.ledger.evidence_witnesses import COSIGNED
from gateway.ledger.record import RecordKind, SignedBy
from gateway.model.errors.base import Text

_MESSAGES: Final = frozenset({RecordKind.REQUEST, RecordKind.ANSWER, RecordKind.REFUSAL})
_LONGEST: Final = 300
_HAPPENED: Final = {
    RecordKind.REQUEST: Text(
        "at {at} the gateway let {client} ask {service} for the purpose {purpose}, under the grant {grant}",
        "lúc {at} cổng đã cho {client} hỏi {service} với mục đích {purpose}, theo quyền {grant}",
    ),
    RecordKind.ANSWER: Text(
        "at {at} {client} was answered for {service}: {outcome}; elements released: {released}",
        "lúc {at} {client} đã được trả lời về {service}: {outcome}; cung cấp {released} trường dữ liệu",
    ),
    RecordKind.REFUSAL: Text(
        "at {at} {client} was refused {service}: {reasons}",
        "lúc {at} {client} bị từ chối đối với {service}: {reasons}",
    ),
    RecordKind.REFUSALS: Text(
        "until {at} the gateway refused calls whose senders proved nothing: {reasons}",
        "đến {at} cổng đã từ chối các lời gọi mà bên gửi không chứng minh được mình là ai: {reasons}",
    ),
    RecordKind.ABANDONED: Text(
        "at {at} the gateway found the request of {client} to {service} without an end, and ended it: {outcome}",
        "lúc {at} cổng thấy yêu cầu của {client} tới {service} chưa có kết thúc và đã kết thúc nó: {outcome}",
    ),
}
_OTHER: Final = Text("at {at} a record of kind {kind} was made", "lúc {at} một bản ghi loại {kind} đã được tạo")
_UNCHANGED: Final = Text(
    "It stands in the log as entry {index}, and has not been changed since.",
    "Bản ghi là mục {index} của nhật ký và từ đó không bị sửa.",
)
_HIDDEN: Final = Text(
    "{role}: what {hidden} of {fields} private fields said (person, officer, case, digests of bodies …). They were "
    "withheld or erased; what the record commits to stays, so nobody can put other values in their place, and whoever "
    "kept an own receipt can still prove them.",
    "{role}: nội dung của {hidden}/{fields} trường riêng tư (người, cán bộ, hồ sơ, mã băm nội dung …). Chúng đã được "
    "giữ lại hoặc đã xóa; cam kết của bản ghi vẫn còn nên không ai có thể thay bằng giá trị khác, và ai còn giữ biên "
    "nhận của mình vẫn chứng minh được.",
)
_UNSIGNED: Final = Text(
    "{role}: that {who} signed the message itself; the signature is among what is not shown. The record says so: {by}.",
    "{role}: rằng chính {who} đã ký thông điệp; chữ ký nằm trong phần không hiển thị. Bản ghi nêu: {by}.",
)
_GATEWAY: Final = Text("the gateway", "cổng")
_ENDLESS: Final = Text(
    "Whether the request was answered: its end is not in the container.",
    "Yêu cầu đã được trả lời hay chưa: phần kết thúc không nằm trong gói.",
)
_UNDONE: Final = Text(
    "Whether the provider did what was asked: nothing that it answered was recorded.",
    "Bên cung cấp đã thực hiện yêu cầu hay chưa: không có trả lời nào được ghi lại.",
)
_UNPROVED: Final = Text(
    "Who sent the calls that were refused before proof: the names in them are claims.",
    "Ai đã gửi các lời gọi bị từ chối trước khi chứng thực: tên nêu trong đó chỉ là tự khai.",
)
_UNTIMED: Final = Text(
    "When it was, other than by the gateway's own word: no authority has stamped the log since.",
    "Thời điểm, ngoài lời khai của chính cổng: chưa có tổ chức nào cấp dấu thời gian cho nhật ký từ đó.",
)
_UNDATED: Final = Text(
    "When the container was signed, other than by its own word: whoever has the gateway's key can write any date.",
    "Thời điểm ký gói, ngoài lời khai của chính gói: ai có khóa của cổng đều ghi được ngày bất kỳ.",
)
_UNWITNESSED: Final = Text(
    "That the log shows everybody the same history: no witness that you know has cosigned it.",
    "Rằng nhật ký cho mọi người thấy cùng một lịch sử: chưa có nhân chứng nào bạn biết đồng ký.",
)
_UNKNOWN: Final = Text(
    "That the timestamp authority's certificate was not revoked: no revocation list at hand says.",
    "Rằng chứng thư của tổ chức cấp dấu thời gian không bị thu hồi: không có danh sách thu hồi nào cho biết.",
)


class Conclusion(Struct, frozen=True):
    """proved: sentences. left_open: what a reader might think to be proved, and is not."""

    proved: tuple[Text, ...]
    left_open: tuple[Text, ...]


def conclude(verified: Verified) -> Conclusion:
    """Sum up. Of a container that does not hold nothing is concluded."""
    if not verified.holds:
        return Conclusion((), ())
    left_open = [text for each in verified.proved for text in _not_shown(each)]
    left_open += _missing(verified)
    return Conclusion(tuple(map(_happened, verified.proved)), tuple(left_open))


def _happened(each: Shown) -> Text:
    said = each.skeleton
    reasons = ", ".join(said.decision.reasons if said.decision is not None else ())
    values = {
        "at": said.at,
        "client": _plain(said.client),
        "service": _plain(said.service),
        "purpose": _plain(said.purpose),
        "grant": _plain(said.grant),
        "outcome": _plain(said.outcome),
        "released": len(said.released),
        "reasons": _plain(reasons),
        "kind": _plain(said.kind),
        "index": each.index,
    }
    what = next((text for kind, text in _HAPPENED.items() if kind == said.kind), _OTHER)
    return Text(
        f"{each.role}: {what.en.format(**values)}. {_UNCHANGED.en.format(**values)}",
        f"{each.role}: {what.vi.format(**values)}. {_UNCHANGED.vi.format(**values)}",
    )


def _not_shown(each: Shown) -> Iterator[Text]:
    fields, hidden = len(each.openings.fields), len(each.openings.fields) - len(each.openings.shown)
    if not hidden:
        return
    yield _filled(_HIDDEN, role=each.role, hidden=hidden, fields=fields)
    said = each.skeleton
    signed = said.signed_by not in {None, SignedBy.PARENT}
    if said.kind in _MESSAGES and signed and own_signature(each) is None:
        who = Text(_plain(said.client), _plain(said.client)) if said.signed_by == SignedBy.CALLER else _GATEWAY
        yield Text(
            _UNSIGNED.en.format(role=each.role, who=who.en, by=_plain(said.signed_by)),
            _UNSIGNED.vi.format(role=each.role, who=who.vi, by=_plain(said.signed_by)),
        )


def _missing(verified: Verified) -> Iterator[Text]:
    kinds = {each.skeleton.kind for each in verified.proved}
    if RecordKind.REQUEST in kinds and not kinds & {RecordKind.ANSWER, RecordKind.ABANDONED}:
        yield _ENDLESS
    if RecordKind.ABANDONED in kinds:
        yield _UNDONE
    if RecordKind.REFUSALS in kinds:
        yield _UNPROVED
    absent = {each.what for each in verified.findings if each.verdict is Verdict.ABSENT}
    for what, text in ((SIGNED_AT, _UNDATED), (LOG_AT, _UNTIMED), (COSIGNED, _UNWITNESSED), (NOT_REVOKED, _UNKNOWN)):
        if what in absent:
            yield text


def _plain(text: str | None) -> str:
    """A record's words as a part of a sentence: whoever made the record does not begin lines of ours."""
    if not text:
        return "–"
    shown = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text[:_LONGEST])
    return shown if len(text) <= _LONGEST else f"{shown}…"


def _filled(text: Text, **values: object) -> Text:
    return Text(text.en.format(**values), text.vi.format(**values))
