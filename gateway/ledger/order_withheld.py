"""Withholdings: entries that a citizen's list of accesses does not show while somebody is investigated.

A JWS in general JSON serialisation with ``typ`` ``motlan-withheld+jwt``, signed by the data-protection officer. It
names exchanges by their records' ids, and persons by marks under the gateway's key for citizens' lists and the
withholding's own id: so the gateway recognises a person who asks, and no other document tells of the same one. It ends
by itself; nobody can make it last for ever. The end of one before its time is a document of its own, ``typ``
``motlan-withheld-lift+jwt``, signed by a data-protection officer too.
"""

from collections.abc import Collection

from msgspec import Struct

from gateway.ledger.order_jws import Endorsed, holding, verify
from gateway.ledger.order_payload import HEX_ID, UUID7, encode_payload, parse_payload
from gateway.model.errors import ExchangeError
from gateway.model.errors.citizen import WITHHOLDING_REFUSED
from gateway.model.ids import RecordId
from gateway.model.instant import Instant, plus
from gateway.model.usage import RoleName
from gateway.trust.document import Role

WITHHELD_TYP = "motlan-withheld+jwt"
"""The ``typ`` of each signature on a withholding."""

LIFTING_TYP = "motlan-withheld-lift+jwt"
"""The ``typ`` of each signature on the lifting of one."""

MOST_DAYS = 366
"""So long at most; then it is given again, or over."""

_DAY = 86_400.0
_SKEW = 60.0
_MOST = 10_000


class Withheld(Struct, frozen=True, kw_only=True):
    """A withholding.

    id: 16 random bytes, hex. log: the log's origin. until: when it ends. records: ids of records whose exchanges are
    withheld. persons: marks, hex, of those whose lists it is about. clients: of a person's entries, those of these
    subsystems only; none: all of them. why: case and reason, a JWE to the readers. Raises ValueError for one that
    withholds nothing, or for too long.
    """

    id: str
    log: str
    issued: Instant
    until: Instant
    records: tuple[RecordId, ...] = ()
    persons: tuple[str, ...] = ()
    clients: tuple[str, ...] = ()
    why: str

    def __post_init__(self) -> None:
        if not HEX_ID.fullmatch(self.id) or not self.log:
            raise ValueError("a withholding has an id of 16 bytes in hex, and names its log")
        if not self.issued < self.until <= plus(self.issued, MOST_DAYS * _DAY):
            raise ValueError(f"a withholding ends, and at most {MOST_DAYS} days after it is given")
        if not 0 < len(self.records) + len(self.persons) <= _MOST:
            raise ValueError(f"a withholding names records or persons, and at most {_MOST}")
        if not all(UUID7.fullmatch(each) for each in self.records):
            raise ValueError("a record's id is a UUIDv7 in lower case")
        if not all(HEX_ID.fullmatch(each) for each in self.persons) or (self.clients and not self.persons):
            raise ValueError("a person is named by a mark of 16 bytes in hex; subsystems narrow what is about persons")

    @property
    def scope(self) -> str:
        """What its persons' marks are made for."""
        return scope_of(self.id)

    def encode(self) -> bytes:
        """Its one canonical form: the payload that is signed."""
        return encode_payload(self)

    def covers(self, records: Collection[str], client: str | None, mark: bytes) -> bool:
        """Whether an exchange is withheld from a person's list. records: its ids. mark: the person's, for ``scope``."""
        if any(each in self.records for each in records):
            return True
        return mark.hex() in self.persons and (not self.clients or client in self.clients)


class Lifting(Struct, frozen=True, kw_only=True):
    """The end of a withholding before its time. id: 16 random bytes, hex. lifts: the withholding's. why: case and
    reason, a JWE to the readers. Raises ValueError for one that is none.
    """

    id: str
    log: str
    issued: Instant
    lifts: str
    why: str

    def __post_init__(self) -> None:
        if not HEX_ID.fullmatch(self.id) or not HEX_ID.fullmatch(self.lifts) or not self.log:
            raise ValueError("a lifting has an id of 16 bytes in hex, names its log, and what it lifts")

    def encode(self) -> bytes:
        """Its one canonical form: the payload that is signed."""
        return encode_payload(self)


def scope_of(withheld: str) -> str:
    """What a withholding's marks of persons are made for."""
    return f"withheld {withheld}"


def parse_withheld(payload: bytes) -> Withheld:
    """Read a payload. Raises ExchangeError(ORDER_MALFORMED), quoting nothing of it."""
    return parse_payload(payload, Withheld, "a withholding")


def parse_lifting(payload: bytes) -> Lifting:
    """Read a payload. Raises ExchangeError(ORDER_MALFORMED), quoting nothing of it."""
    return parse_payload(payload, Lifting, "the lifting of a withholding")


def authorise_withheld(data: bytes, roles: tuple[Role, ...], *, log: str, now: Instant) -> tuple[Withheld, Endorsed]:
    """Check a withholding: its form, that a data-protection officer signed it who held the role then, log and time.

    Raises ExchangeError: ORDER_MALFORMED, ORDER_SIGNATURES, WITHHOLDING_REFUSED.
    """
    endorsed = verify(WITHHELD_TYP, data, roles)
    withheld = parse_withheld(endorsed.payload)
    _check(withheld, endorsed, log, now)
    return withheld, endorsed


def authorise_lifting(data: bytes, roles: tuple[Role, ...], *, log: str, now: Instant) -> tuple[Lifting, Endorsed]:
    """As ``authorise_withheld``, the end of one before its time."""
    endorsed = verify(LIFTING_TYP, data, roles)
    lifting = parse_lifting(endorsed.payload)
    _check(lifting, endorsed, log, now)
    return lifting, endorsed


def _check(given: Withheld | Lifting, endorsed: Endorsed, log: str, now: Instant) -> None:
    officers = [role for role in endorsed.signers if role.role is RoleName.DATA_PROTECTION_OFFICER]
    if not holding(officers, given.issued):
        raise ExchangeError(WITHHOLDING_REFUSED, "not signed by a data-protection officer of its time")
    if given.log != log or given.issued > plus(now, _SKEW):
        raise ExchangeError(WITHHOLDING_REFUSED, "for another log, or of the future")
