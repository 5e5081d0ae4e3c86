"""Holding receipts against the messages that they are of: what a client sent and got must be what the log has.

A receipt that verifies proves only that some record is in the log. That it is the record of *this* exchange, nobody but
its parties can tell; so every part that a client knows is compared, and what the receipt does not show is named.
"""

import base64
import hashlib
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from gateway.ledger.receipt import ProvedReceipt
from gateway.ledger.record import RecordKind
from gateway.model.envelope import Purpose
from gateway.model.errors import ExchangeError
from gateway.model.errors.receipt import RECEIPT_DIFFERS
from gateway.model.ids import parse_service, parse_subsystem
from gateway.model.message import AnswerHead, Body, Head
from gateway.signing.http_sig_check import AnswerProof
from gateway.signing.http_sig_sign import SentRequest
from gateway.signing.sf import SfError, parse_byte_sequences, purpose_item

PATH = "/v1/receipts/"
"""Where the gateway gives receipts; the record's id follows."""

_SERVICES = "/r1/"
_SERVICE_PARTS = 5
_OPEN = "open:"
"""How the grant of services is named that are open to everybody; their purpose is not the caller's."""
_SAID = (
    ("x-road-userid", "officer"),
    ("x-road-issue", "case"),
    ("x-road-represented-party", "represented"),
    ("x-road-id", "message_id"),
)


class Exchanged(Struct, frozen=True, kw_only=True):
    """An exchange as its consumer knows it: what it sent, and the verified answer."""

    sent: SentRequest
    head: AnswerHead
    body: Body
    proof: AnswerProof


class ProvedExchange(Struct, frozen=True, kw_only=True):
    """What receipts proved of an exchange, each compared with the messages themselves.

    answer: the record that ``Motlan-Receipt`` names; of a call refused at once the only one. request: that of the
    request. files: their ``.tlog-proof`` files, in this order. compared: what was found to be the same. unopened: what
    the receipts do not show, so that it could not be compared.
    """

    answer: ProvedReceipt
    request: ProvedReceipt | None
    files: tuple[bytes, ...]
    compared: tuple[str, ...]
    unopened: tuple[str, ...]


class _Found(Struct, frozen=True):
    """One comparison. same: None where the receipt does not show it."""

    what: str
    same: bool | None


def compare(
    exchanged: Exchanged, answer: ProvedReceipt, request: ProvedReceipt | None, files: tuple[bytes, ...]
) -> ProvedExchange:
    """Hold verified receipts against the exchange. request: None where ``answer`` is of a refusal.

    Raises ExchangeError(RECEIPT_DIFFERS), naming what differs.
    """
    found = [*_request(exchanged.sent, request or answer), *_ending(exchanged, answer, request)]
    differing = tuple(each.what for each in found if each.same is False)
    if differing:
        raise ExchangeError(RECEIPT_DIFFERS, f"not the same: {', '.join(differing)}", parts=differing)
    return ProvedExchange(
        answer=answer,
        request=request,
        files=files,
        compared=tuple(each.what for each in found if each.same),
        unopened=tuple(each.what for each in found if each.same is None),
    )


def parent_of(receipt: ProvedReceipt) -> str | None:
    """The request's record, of a receipt of its answer; None if it is of a refusal, which has no other record."""
    return None if receipt.skeleton.kind == RecordKind.REFUSAL else receipt.skeleton.parent


def _request(sent: SentRequest, receipt: ProvedReceipt) -> Iterator[_Found]:
    head, said, shown = sent.head, receipt.skeleton, _Shown(receipt)
    yield _Found("request.kind", said.kind in {RecordKind.REQUEST, RecordKind.REFUSAL})
    yield _Found("request.client", said.client == str(parse_subsystem(head.get("x-road-client") or "")))
    yield _Found("request.method", said.method == head.method)
    service = _service(head)
    if service is not None:
        yield _Found("request.service", said.service == service if said.service else shown.same("service", service))
    purpose = head.get("motlan-purpose")
    if purpose is not None and not (said.grant or "").startswith(_OPEN):
        yield _Found("request.purpose", _is_purpose(purpose, receipt, shown))
    yield _Found("request.target", shown.same("target", head.target))
    for field, name in _SAID:
        value = head.get(field)
        if value is not None:
            yield _Found(f"request.{name}", shown.same(name, value))
    digest = _sha256(head)
    if digest is not None:
        yield _Found("request.body", shown.same("body_sha256", digest.hex()))
    yield _Found("request.signature_base", shown.same("signature_base", sent.signed.base.decode("latin-1")))
    yield _Found("request.signature", shown.same("signature", sent.signed.members.signature))


def _ending(exchanged: Exchanged, receipt: ProvedReceipt, request: ProvedReceipt | None) -> Iterator[_Found]:
    head, said, shown = exchanged.head, receipt.skeleton, _Shown(receipt)
    yield _Found("answer.id", said.id == head.get("motlan-receipt"))
    outcome, error = head.get("motlan-outcome"), head.get("x-road-error")
    if outcome is not None:
        yield _Found("answer.outcome", said.outcome == outcome)
    if error is not None and error == error.lower():  # not in the spelling of old X-Road
        yield _Found("answer.error", said.decision is not None and said.decision.reasons[:1] == (error,))
    if request is None:
        return
    asked = request.skeleton
    yield _Found("answer.kind", said.kind == RecordKind.ANSWER)
    yield _Found("answer.parent", said.parent == asked.id and head.get("x-road-request-id") in {None, asked.id})
    for name in ("client", "service", "method", "purpose"):
        yield _Found(f"answer.{name}", getattr(said, name) == getattr(asked, name))
    proof = exchanged.proof.proof
    yield _Found("answer.body", shown.same("body_sha256", exchanged.body.sha256.hex()))
    yield _Found("answer.signature_base", shown.same("signature_base", proof.base.decode("latin-1")))
    yield _Found("answer.signature", shown.same("signature", _raw(proof.members.signature).hex()))


class _Shown:
    """The private fields that a receipt opens."""

    def __init__(self, receipt: ProvedReceipt) -> None:
        self._fields = [(opening.name, opening.value) for opening in receipt.openings.shown]

    def same(self, name: str, value: Any) -> bool | None:
        """Whether the only field of this name has this value; None if none is shown."""
        found = [each for named, each in self._fields if named == name]
        return found == [value] if found else None

    def only(self, name: str) -> str | None:
        """The text of the field of this name; None if none is shown."""
        return next((each for named, each in self._fields if named == name and isinstance(each, str)), None)


def _service(head: Head) -> str | None:
    """The service that a target names; None for one of the gateway's own paths."""
    if not head.path.startswith(_SERVICES):
        return None
    segments = head.path.removeprefix(_SERVICES).split("/", _SERVICE_PARTS)
    return str(parse_service("/".join(segments[:_SERVICE_PARTS])))


def _is_purpose(stated: str, receipt: ProvedReceipt, shown: _Shown) -> bool | None:
    """Whether the record's purpose is the stated one; its basis may have been filled in."""
    code, basis = receipt.skeleton.purpose, receipt.skeleton.basis
    if code is None:  # one that nobody knows does not stand in public
        code = shown.only("purpose")
        if code is None:
            return None
    try:
        item, whole = purpose_item(Purpose(code)), purpose_item(Purpose(code, basis))
    except ValueError:
        return False  # nobody could have stated it
    if receipt.skeleton.kind == RecordKind.REFUSAL:  # it has no basis: nobody had looked at the caller's
        return stated == item or stated.startswith(f"{item};")
    return stated in {item, whole}


def _sha256(head: Head) -> bytes | None:
    """The SHA-256 of the body that was sent with this head; None if it only states another digest."""
    value = head.get("content-digest")
    if value is None:
        return hashlib.sha256(b"").digest()
    try:
        found = parse_byte_sequences(value).get("sha-256")
    except SfError:
        return None
    return None if found is None else found[0]


def _raw(signature: str) -> bytes:
    """The bytes of a signature: an RFC 9421 member (``:base64:``), or the end of a compact JWS."""
    if signature.startswith(":"):
        return base64.b64decode(signature.strip(":"))
    text = signature.rpartition(".")[2]
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
