"""An order to erase: what is to be destroyed, why, and who answers for it.

A JWS in general JSON serialisation with ``typ`` ``motlan-erasure+jwt``, signed by the data-protection officer and by
another person of another role. It is kept for as long as the log, so a person stands in its payload as a commitment
only (as in a record, docs/log.md); the number and its salt lie beside the signed part, and are not kept.
"""

from typing import Any

from msgspec import Struct

from gateway.ledger.order_jws import Endorsed, holding, same_person, verify
from gateway.ledger.order_payload import HEX_ID, UUID7, encode_payload, parse_payload
from gateway.ledger.skeleton import SALT_BYTES, commitment
from gateway.model.errors import ExchangeError
from gateway.model.errors.erasure import ORDER_ELSEWHERE, ORDER_MALFORMED, ORDER_SIGNATURES
from gateway.model.ids import RecordId
from gateway.model.instant import Instant, plus
from gateway.model.usage import RoleName
from gateway.trust.document import Role

ORDER_TYP = "motlan-erasure+jwt"
"""The ``typ`` of each signature on an order; no other use of JWS in the product has it."""

CLOCK_SKEW = 60.0
"""Seconds by which ``issued`` may lie ahead of our clock."""

ID_BYTES = 16

_MOST = 10_000
_PERSON = "person"


class Order(Struct, frozen=True, kw_only=True):
    """What is ordered.

    id: 16 random bytes, hex: without it nobody guesses an order from its digest. log: the log's origin. issued: when;
    of a person, only what was recorded before it is meant, so that an order never reaches what came after it. records:
    their ids. persons: commitments, hex. fields: names of private fields; empty: everything private. reason,
    legal_basis, case: in words. Raises ValueError for an order that names nothing, too much, or no reason.
    """

    id: str
    log: str
    issued: Instant
    records: tuple[RecordId, ...] = ()
    persons: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    reason: str
    legal_basis: str
    case: str

    def __post_init__(self) -> None:
        if not HEX_ID.fullmatch(self.id) or not self.log:
            raise ValueError("an order has an id of 16 bytes in hex, and names its log")
        if not (self.reason.strip() and self.legal_basis.strip() and self.case.strip()):
            raise ValueError("an order states a reason, a legal basis and a case")
        if bool(self.records) == bool(self.persons) or len(self.records) + len(self.persons) > _MOST:
            raise ValueError(f"an order names records or persons, and at most {_MOST}")
        if not all(UUID7.fullmatch(each) for each in self.records):
            raise ValueError("a record's id is a UUIDv7 in lower case")
        for each in (self.records, self.persons, self.fields):
            if len(set(each)) != len(each) or not all(each):
                raise ValueError("something is named twice, or has no name")

    def encode(self) -> bytes:
        """Its one canonical form: the payload that is signed."""
        return encode_payload(self)


class Authorised(Struct, frozen=True, kw_only=True):
    """An order whose signers may give it; only ``authorise`` makes it.

    digest: SHA-256 of the payload, hex. numbers: of the persons, each proved to be the one committed to. officer: who
    signed as data-protection officer. other: who signed in another role.
    """

    order: Order
    digest: str
    numbers: tuple[str, ...]
    officer: Role
    other: Role


def committed(number: str, salt: bytes) -> str:
    """How an order's payload names a person. salt: 16 fresh bytes."""
    return commitment(_PERSON, number, salt).hex()


def beside(numbers: tuple[str, ...], salts: tuple[bytes, ...]) -> tuple[dict[str, str], ...]:
    """What lies beside the payload, so that whoever carries the order out knows whom it means."""
    return tuple({"person": number, "salt": salt.hex()} for number, salt in zip(numbers, salts, strict=True))


def parse_order(payload: bytes) -> Order:
    """Read a payload. Raises ExchangeError(ORDER_MALFORMED), quoting nothing of it."""
    return parse_payload(payload, Order, "an order to erase")


def authorise(data: bytes, roles: tuple[Role, ...], *, log: str, now: Instant) -> Authorised:
    """Check an order: its form, its signatures, that it is for this log and not of the future.

    roles: those of the trust list in force. Raises ExchangeError: ORDER_MALFORMED, ORDER_SIGNATURES, ORDER_ELSEWHERE.
    """
    endorsed = verify(ORDER_TYP, data, holding(roles, now))
    officer, other = _signers(endorsed.signers)
    order = parse_order(endorsed.payload)
    if order.log != log:
        raise ExchangeError(ORDER_ELSEWHERE, f"it is for the log {order.log}")
    if order.issued > plus(now, CLOCK_SKEW):
        raise ExchangeError(ORDER_ELSEWHERE, "issued in the future")
    return Authorised(
        order=order, digest=endorsed.digest, numbers=_numbers(order, endorsed), officer=officer, other=other
    )


def _signers(signers: tuple[Role, ...]) -> tuple[Role, Role]:
    """The officer and someone else of another role."""
    officers = [role for role in signers if role.role is RoleName.DATA_PROTECTION_OFFICER]
    others = [role for role in signers if role.role is not RoleName.DATA_PROTECTION_OFFICER]
    for officer in officers:
        for other in others:
            if not same_person(officer, other):
                return officer, other
    if officers and others:
        raise ExchangeError(ORDER_SIGNATURES, "the two signatures are one person's")
    missing = "another role" if officers else "the data-protection officer"
    raise ExchangeError(ORDER_SIGNATURES, f"the signature of {missing} is missing")


def _numbers(order: Order, endorsed: Endorsed) -> tuple[str, ...]:
    found = {}
    for each in endorsed.beside:
        number, salt = _opened(each)
        found[committed(number, salt)] = number
    if found.keys() != set(order.persons) or len(found) != len(endorsed.beside):
        raise ExchangeError(ORDER_MALFORMED, "the persons beside the order are not those that it commits to")
    return tuple(found[each] for each in order.persons)


def _opened(beside: Any) -> tuple[str, bytes]:
    try:
        number, salt = beside["person"], bytes.fromhex(beside["salt"])
        if beside.keys() == {"person", "salt"} and isinstance(number, str) and len(salt) == SALT_BYTES:
            return number, salt
    except (TypeError, KeyError, ValueError, AttributeError):
        pass
    raise ExchangeError(ORDER_MALFORMED, "what lies beside the order is not persons with their salts")
