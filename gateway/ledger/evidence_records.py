"""What each record of a container proves, and what the records prove together."""

import hashlib
from typing import Final

from gateway.ledger.evidence import Material, Shown
from gateway.ledger.evidence_binding import check_answers, check_envelope, check_said, own_signature
from gateway.ledger.evidence_decision import grant_in
from gateway.ledger.evidence_findings import Findings
from gateway.ledger.evidence_messages import (
    ENVELOPE,
    FORWARDED,
    PROVIDER,
    SIGNATURE,
    MessageSignature,
    expected_signer,
)
from gateway.ledger.evidence_trust import Trusted, check_in_force
from gateway.ledger.record import RecordKind, SignedBy
from gateway.model.envelope import ProofScheme
from gateway.model.errors import ExchangeError
from gateway.model.errors.base import Text
from gateway.model.errors.evidence import EVIDENCE_INVALID
from gateway.signing.algorithms import PublicKey
from gateway.trust.document import ListedCertificate

EXCHANGE: Final = "exchange"

_KINDS: Final = {"request": RecordKind.REQUEST, "parent": RecordKind.REQUEST}
_CALLED: Final = frozenset({RecordKind.REQUEST, RecordKind.REFUSAL})

_SHOWN = Text("every private field of the record is shown", "mọi trường riêng tư của bản ghi được hiển thị")
_UNSIGNED = Text("a signature of the message", "chữ ký của thông điệp")
_BODY = Text("the kept body is the recorded one", "nội dung lưu giữ khớp với bản ghi")
_SAYS = Text("what was signed is what the record says", "nội dung được ký khớp với bản ghi")
_SIGNATURES = {
    SIGNATURE: Text("signed by the caller, its certificate valid then", "bên gọi đã ký, chứng thư còn hiệu lực khi đó"),
    FORWARDED: Text("the gateway signed what the provider got", "cổng đã ký nội dung gửi tới bên cung cấp"),
    ENVELOPE: Text("the gateway signed the envelope to the provider", "cổng đã ký phong bì gửi tới bên cung cấp"),
    PROVIDER: Text(
        "the provider signed its answer, its certificate valid then",
        "bên cung cấp đã ký trả lời, chứng thư còn hiệu lực",
    ),
}
_BY_GATEWAY = Text("signed by the gateway, its certificate valid then", "cổng đã ký, chứng thư còn hiệu lực khi đó")
_BY_HOSTED = Text(
    "signed by the gateway with a key hosted for the caller, on mutual-TLS evidence",
    "cổng ký bằng khóa giữ hộ bên gọi, theo chứng thư TLS hai chiều",
)
_TOGETHER = Text("request and end belong together", "yêu cầu và kết thúc thuộc cùng một giao dịch")
_BOUND = Text("the answer's signature is bound to the request's", "chữ ký của trả lời gắn với chữ ký của yêu cầu")
_NO_END = Text("an end of the request", "kết thúc của yêu cầu")
_POLICY = Text(
    "the policy in force then is in the container, and holds the grant",
    "chính sách có hiệu lực khi đó nằm trong gói và có quyền đã cấp",
)
_SERVICES = Text(
    "the services' settings in force then are in the container", "cấu hình dịch vụ có hiệu lực khi đó nằm trong gói"
)


def check_record(findings: Findings, each: Shown, body: bytes | None, believed: Trusted) -> None:
    """Judge one record, whose receipt is proved: its signatures, at its own time, and what they say."""
    _check_shown(findings, each)
    by_name = {signature.name: (signature, listed) for signature, listed in each.signatures}
    if SIGNATURE not in by_name:
        findings.absent(each.role, _UNSIGNED, _why_unsigned(each))
    for signature, listed in each.signatures:
        what = _what(each, signature)
        findings.check(each.role, what, _Made(each, signature, listed, believed), str)
        if signature.name == SIGNATURE and signature.scheme is not ProofScheme.WS_SECURITY:
            findings.check(each.role, _SAYS, lambda: check_said(each, signature), str)  # noqa: B023 - called at once
    if body is not None:
        findings.check(each.role, _BODY, lambda: _check_body(each, body, by_name.get(SIGNATURE)))


def check_exchange(findings: Findings, pieces: tuple[Shown, ...], material: Material) -> None:
    """Judge what the proved records say together: that they are of one exchange, and under which rules."""
    by_role = {each.role: each for each in pieces}
    first = by_role.get("request") or by_role.get("refusal") or next(iter(pieces), None)
    if first is None:
        return
    findings.check(EXCHANGE, _TOGETHER, lambda: _check_together(by_role))
    end = by_role.get("answer") or by_role.get("abandoned")
    request = by_role.get("request")
    if request is not None and end is None:
        findings.absent(EXCHANGE, _NO_END, "the request's end is not in the container")
    if request is not None and "answer" in by_role:
        _check_bound(findings, request, by_role["answer"])
    _check_rules(findings, first, material)


class _Made:
    """A check: the expected party's key, valid at the record's time, made the signature; who that was."""

    def __init__(
        self, each: Shown, signature: MessageSignature, listed: ListedCertificate | None, believed: Trusted
    ) -> None:
        self._each = each
        self._signature = signature
        self._listed = listed
        self._believed = believed

    def __call__(self) -> str:
        each, listed, at = self._each, self._listed, self._each.skeleton.instant
        store = self._believed.store(each.skeleton.digests.trust)
        check_in_force(store.document, at)
        if listed is None:
            raise ExchangeError(EVIDENCE_INVALID, "no certificate of the trust list in force then made it")
        if not expected_signer(each.skeleton, self._signature.name).fits(listed):
            raise ExchangeError(EVIDENCE_INVALID, f"it is by {listed.owner} ({listed.usage}), who may not sign this")
        key = store.key(listed.keyid)
        if key is None:
            raise ExchangeError(EVIDENCE_INVALID, "its certificate is not in the trust list")
        known = self._believed.check_key(key, store, at)
        self._signature.verify(PublicKey.from_certificate(listed.der))
        return f"{listed.owner}, {self._signature.scheme.value}, {each.skeleton.at}{known}"


def _what(each: Shown, signature: MessageSignature) -> Text:
    if signature.name == SIGNATURE and each.skeleton.kind not in _CALLED:
        return _BY_GATEWAY
    if signature.name == SIGNATURE and each.skeleton.signed_by == SignedBy.HOSTED_KEY:
        return _BY_HOSTED
    return _SIGNATURES[signature.name]


def _check_shown(findings: Findings, each: Shown) -> None:
    fields, opened = len(each.openings.fields), len(each.openings.shown)
    if fields == opened:
        findings.proved(each.role, _SHOWN, f"{opened}")
    else:
        why = "the others were withheld or erased; that they were committed to is proved, what they said is not"
        findings.absent(each.role, _SHOWN, f"{opened} of {fields}: {why}")


def _why_unsigned(each: Shown) -> str:
    skeleton = each.skeleton
    if skeleton.signed_by == SignedBy.PARENT:
        return "a call made inside, under the proof of the record that led to it"
    if skeleton.kind not in {*_CALLED, RecordKind.ANSWER}:
        return f"there is no message with a record of kind {skeleton.kind}"
    if len(each.openings.shown) < len(each.openings.fields):
        return "it is not shown: withheld or erased"
    return "the message was answered inside, or had none"


def _check_body(each: Shown, body: bytes, signed: tuple[MessageSignature, ListedCertificate | None] | None) -> None:
    """By its digest, and of a signed SOAP envelope by its signature. An answer's record has the digest of what the seal
    was put on, so of the sealed envelope the signature alone says that it is the one.
    """
    recorded = [opening.value for opening in each.openings.shown if opening.name == "body_sha256"]
    is_recorded, called = recorded == [hashlib.sha256(body).hexdigest()], each.skeleton.kind in _CALLED
    listed = None if signed is None or signed[0].scheme is not ProofScheme.WS_SECURITY else signed[1]
    is_envelope = listed is not None and body.lstrip().startswith(b"<")
    if not is_recorded and (called or not is_envelope):
        raise ExchangeError(EVIDENCE_INVALID, "its SHA-256 is not the one in the record, or that is not shown")
    if signed is not None and listed is not None and is_envelope and (called or not is_recorded):
        check_envelope(body, signed[0], listed.der)


def _check_together(by_role: dict[str, Shown]) -> None:
    """Every record is what its role says, and each but the first hangs from another."""
    for role, each in by_role.items():
        if each.skeleton.kind != _KINDS.get(role, role):
            raise ExchangeError(EVIDENCE_INVALID, f"the {role} is a record of kind {each.skeleton.kind}")
    first = by_role.get("request") or by_role.get("refusal")
    for role, each in by_role.items():
        if each is first or (first is None and len(by_role) == 1):
            continue
        if first is None:
            raise ExchangeError(EVIDENCE_INVALID, "an end stands beside another record without its request")
        below, above = (first, each) if role == "parent" else (each, first)
        if below.skeleton.parent != above.skeleton.id or below.index <= above.index:
            raise ExchangeError(EVIDENCE_INVALID, f"the {role} is of another exchange")
        if role != "parent" and _parties(below) != _parties(above):
            raise ExchangeError(EVIDENCE_INVALID, f"the {role} names other parties than the request")


def _parties(each: Shown) -> tuple[str | None, ...]:
    return each.skeleton.client, each.skeleton.service, each.skeleton.purpose


def _check_bound(findings: Findings, request: Shown, answer: Shown) -> None:
    asked, given = own_signature(request), own_signature(answer)
    if request.skeleton.signed_by != SignedBy.CALLER or asked is None or given is None:
        findings.absent(EXCHANGE, _BOUND, "not both signatures are the parties' own, and shown")
        return
    findings.check(EXCHANGE, _BOUND, lambda: check_answers(asked, given), str)


def _check_rules(findings: Findings, first: Shown, material: Material) -> None:
    documents = {hashlib.sha256(content).hexdigest(): content for _, content in material.documents}
    digests, grant = first.skeleton.digests, first.skeleton.grant
    policy = documents.get(digests.policy or "")
    if policy is None:
        findings.absent(EXCHANGE, _POLICY, "that policy is not in the container; its digest is")
    elif grant is not None and grant_in(policy, grant) is None:
        findings.failed(EXCHANGE, _POLICY, "there is no such grant in it")
    else:
        findings.proved(EXCHANGE, _POLICY, grant or "nothing was granted")
    if digests.mapping in documents:
        findings.proved(EXCHANGE, _SERVICES)
    else:
        findings.absent(EXCHANGE, _SERVICES, "their digest is in the record")
