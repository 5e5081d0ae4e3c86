"""What the records of an exchange say: facts and private fields, for requests, answers and refusals."""

from typing import Any

from msgspec import UNSET, Struct, UnsetType

from gateway.exchange.rules import Route, Rules
from gateway.ledger.record import Facts, InForce, PrivateField, RecordKind, Ruling, SignedBy
from gateway.model.envelope import Claim
from gateway.model.errors import ExchangeError
from gateway.model.errors.request import SCHEMA_MISMATCH
from gateway.model.ids import RecordId
from gateway.model.instant import Instant
from gateway.model.message import Body
from gateway.model.numbers import person_numbers_in
from gateway.model.outcomes import Outcome
from gateway.model.pointer import Pointer
from gateway.model.stages import Authorized, Delegated, Hosted, Sealed, Verified

LONGEST_MESSAGE_ID = 1024
"""Longer message ids of callers are in the record, and not searched by."""


class Event(Struct, frozen=True, kw_only=True):
    """Facts, what they are found by, and the request they open or end.

    persons: their numbers. officer: the client and the officer's code. case: the dossier's code. message: the
    caller's id of its message. An answer is found by officer, case or message through the request that it ends.
    """

    facts: Facts
    persons: tuple[str, ...] = ()
    officer: tuple[str, str] | None = None
    case: str | None = None
    message: str | None = None
    opens: bool = False
    ends: RecordId | None = None


def request_event(authorized: Authorized, route: Route) -> Event:
    """A request that is allowed and about to be forwarded."""
    verified, decision = authorized.verified, authorized.decision
    claim, document = authorized.envelope.claim, authorized.envelope.document
    persons = persons_at(document, route.asked)
    if route.person_in_url:
        persons = tuple(dict.fromkeys((*persons, *person_numbers_in(f"{claim.path}?{claim.query or ''}"))))
    facts = Facts(
        id=verified.claimed.received.id,
        at=verified.claimed.received.at,
        kind=RecordKind.REQUEST,
        in_force=route.in_force,
        parent=verified.proof.parent if isinstance(verified.proof, Delegated) else None,
        client=claim.client,
        service=claim.service,
        method=claim.method,
        purpose=decision.purpose.code,
        basis=decision.purpose.basis,
        grant=decision.grant,
        ruling=Ruling.ALLOWED,
        reasons=decision.reasons,
        signed_by=_signed_by(verified),
        private=(*_persons(persons), *_request_fields(verified)),
    )
    return Event(
        facts=facts,
        persons=persons,
        officer=_officer(claim),
        case=claim.case,
        message=_message(claim),
        opens=True,
    )


def answer_event(sealed: Sealed, route: Route) -> Event:
    """An answer that is sealed and about to be released."""
    minimised = sealed.minimised
    recorded = minimised.replied.recorded
    claim = recorded.claim
    reply = minimised.replied.reply
    private = (
        *_persons(minimised.persons),
        *_answer_fields(minimised.body, sealed.base, sealed.signature),
        *reply.evidence,
    )
    facts = Facts(
        id=sealed.record_id,
        at=minimised.replied.at,
        kind=RecordKind.ANSWER,
        in_force=route.in_force,
        parent=recorded.id,
        client=claim.client,
        service=claim.service,
        method=claim.method,
        purpose=recorded.authorized.decision.purpose.code,
        outcome=reply.outcome.value,
        released=minimised.released,
        signed_by=SignedBy.GATEWAY,
        private=private,
    )
    return Event(facts=facts, persons=minimised.persons, ends=recorded.id)


def refusal_event(verified: Verified, error: ExchangeError, rules: Rules) -> Event:
    """A proved caller was refused before anything was forwarded.

    Nobody has checked what it wrote, and what stands in a skeleton stands there for ever: so service and purpose are
    named openly only if they are ones that we know, and never the names of members of its body.
    """
    claim, stated = verified.parts.claim, verified.parts.claim.purpose
    known = claim.service in rules.routes
    told = stated is not None and rules.policy.knows_purpose(stated.code)
    withheld: list[PrivateField] = []
    if not known:
        withheld.append(("service", str(claim.service)))
    if stated is not None and not told:
        withheld.append(("purpose", stated.code))
    schema = error.kind is SCHEMA_MISMATCH
    if schema:
        withheld.append(("parts", list(error.parts)))
    facts = Facts(
        id=verified.claimed.received.id,
        at=verified.claimed.received.at,
        kind=RecordKind.REFUSAL,
        in_force=rules.in_force,
        parent=verified.proof.parent if isinstance(verified.proof, Delegated) else None,
        client=verified.client,
        service=claim.service if known else None,
        method=claim.method,
        purpose=stated.code if stated is not None and told else None,
        ruling=Ruling.DENIED,
        reasons=(error.kind.code, *(() if schema else error.parts[:16])),
        outcome=Outcome.DENIED.value,
        signed_by=_signed_by(verified),
        private=(*_request_fields(verified), *withheld),
    )
    return Event(facts=facts, officer=_officer(claim), case=claim.case, message=_message(claim))


class Ending(Struct, frozen=True, kw_only=True):
    """How an exchange ended that has no answer of a provider to release: the error that the caller gets instead."""

    id: RecordId
    at: Instant
    request: RecordId
    outcome: Outcome
    code: str
    body: Body
    base: bytes = b""
    signature: bytes = b""


def ending_event(authorized: Authorized, ending: Ending, *, in_force: InForce) -> Event:
    """A recorded request ends with an error of ours."""
    claim = authorized.envelope.claim
    facts = Facts(
        id=ending.id,
        at=ending.at,
        kind=RecordKind.ANSWER,
        in_force=in_force,
        parent=ending.request,
        client=claim.client,
        service=claim.service,
        method=claim.method,
        purpose=authorized.decision.purpose.code,
        outcome=ending.outcome.value,
        reasons=(ending.code,),
        signed_by=SignedBy.GATEWAY,
        private=_answer_fields(ending.body, ending.base, ending.signature),
    )
    return Event(facts=facts, ends=ending.request)


def persons_at(document: Any | UnsetType, places: tuple[Pointer, ...]) -> tuple[str, ...]:
    """The distinct persons' numbers at these places of a document, in order."""
    if document is UNSET or not places:
        return ()
    found = [value for place in places for value in place.values(document) if isinstance(value, str) and value]
    return tuple(dict.fromkeys(found))


def _signed_by(verified: Verified) -> SignedBy:
    match verified.proof:
        case Delegated():
            return SignedBy.PARENT
        case Hosted():
            return SignedBy.HOSTED_KEY
        case _:
            return SignedBy.CALLER


def _officer(claim: Claim) -> tuple[str, str] | None:
    return None if claim.officer is None else (str(claim.client), claim.officer)


def _message(claim: Claim) -> str | None:
    """What a call is found by; a name that is longer than anybody would type finds nothing."""
    named = claim.message_id
    return named if named and len(named) <= LONGEST_MESSAGE_ID else None


def _persons(numbers: tuple[str, ...]) -> tuple[PrivateField, ...]:
    return tuple([("person", number) for number in numbers])


def _request_fields(verified: Verified) -> tuple[PrivateField, ...]:
    claim, received = verified.parts.claim, verified.claimed.received
    said = (
        ("officer", claim.officer),
        ("case", claim.case),
        ("represented", claim.represented),
        ("message_id", claim.message_id),
        ("target", received.head.target),
        ("operation", claim.operation),
        ("address", received.peer.address or None),
        ("body_sha256", received.body.sha256.hex()),
    )
    fields = [(name, value) for name, value in said if value is not None]
    proof = verified.proof
    if isinstance(proof, Delegated):
        return tuple(fields)
    if isinstance(proof, Hosted):
        fields.append(("tls_certificate", proof.certificate))
    fields += [("signature_base", proof.base.decode("latin-1")), ("signature", proof.signature)]
    fields += [("attachment_sha256", part.sha256.hex()) for part in received.body.parts[1:]]
    return tuple(fields)


def _answer_fields(body: Body, base: bytes, signature: bytes) -> tuple[PrivateField, ...]:
    fields: list[PrivateField] = [("body_sha256", body.sha256.hex())]
    if base:
        fields += [("signature_base", base.decode("latin-1")), ("signature", signature.hex())]
    return tuple(fields)
