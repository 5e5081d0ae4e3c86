"""Withholdings: entries that a citizen's list of accesses does not show while somebody is investigated.

A JWS in general JSON serialisation with ``typ`` ``motlan-withheld+jwt``, signed by the data-protection officer. It
names exchanges by their records' ids, and persons by marks under the gateway's key for citizens' lists and the
withholding's own id: so the gateway recognises a person who asks, and no other document tells of the same one. It ends
by itself; nobody can make it last for ever. The end of one before its time is a document of its own, ``typ``
``motlan-withheld-lift+jwt``, signed by a data-protection officer too.
"""

import re
from collections.abc import Collection
from datetime import datetime

import msgspec
from msgspec import Struct

from gateway.ledger.canonical import canonical
from gateway.ledger.order_jws import Endorsed, holding, verify
from gateway.model.errors import ExchangeError
from gateway.model.errors.citizen import WITHHOLDING_REFUSED
from gateway.model.errors.erasure import ORDER_MALFORMED
from gateway.model.ids import RecordId
from gateway.model.instant import Instant, from_datetime, plus, rfc3339
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
_VERSION = 1
_ID = re.compile(r"[0-9a-f]{32}")
_UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
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
        if not _ID.fullmatch(self.id) or not self.log:
            raise ValueError("a withholding has an id of 16 bytes in hex, and names its log")
        if not self.issued < self.until <= plus(self.issued, MOST_DAYS * _DAY):
            raise ValueError(f"a withholding ends, and at most {MOST_DAYS} days after it is given")
        if not 0 < len(self.records) + len(self.persons) <= _MOST:
            raise ValueError(f"a withholding names records or persons, and at most {_MOST}")
        if not all(_UUID7.fullmatch(each) for each in self.records):
            raise ValueError("a record's id is a UUIDv7 in lower case")
        if not all(_ID.fullmatch(each) for each in self.persons) or (self.clients and not self.persons):
            raise ValueError("a person is named by a mark of 16 bytes in hex; subsystems narrow what is about persons")

    @property
    def scope(self) -> str:
        """What its persons' marks are made for."""
        return scope_of(self.id)

    def encode(self) -> bytes:
        """Its one canonical form: the payload that is signed."""
        written = {name: getattr(self, name) for name in self.__struct_fields__}
        return canonical({**written, "issued": rfc3339(self.issued), "until": rfc3339(self.until), "version": _VERSION})

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
        if not _ID.fullmatch(self.id) or not _ID.fullmatch(self.lifts) or not self.log:
            raise ValueError("a lifting has an id of 16 bytes in hex, names its log, and what it lifts")

    def encode(self) -> bytes:
        """Its one canonical form: the payload that is signed."""
        written = {name: getattr(self, name) for name in self.__struct_fields__}
        return canonical({**written, "issued": rfc3339(self.issued), "version": _VERSION})


def scope_of(withheld: str) -> str:
    """What a withholding's marks of persons are made for."""
    return f"withheld {withheld}"


class _Written(Struct, frozen=True, forbid_unknown_fields=True):
    clients: tuple[str, ...]
    id: str
    issued: str
    log: str
    persons: tuple[str, ...]
    records: tuple[RecordId, ...]
    until: str
    version: int
    why: str


def parse_withheld(payload: bytes) -> Withheld:
    """Read a payload. Raises ExchangeError(ORDER_MALFORMED), quoting nothing of it."""
    try:
        written = msgspec.json.decode(payload, type=_Written)
        values = {name: getattr(written, name) for name in Withheld.__struct_fields__}
        times = {name: from_datetime(datetime.fromisoformat(values[name])) for name in ("issued", "until")}
        withheld = Withheld(**{**values, **times})
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise ExchangeError(ORDER_MALFORMED, "the payload is not a withholding") from None
    if written.version != _VERSION or withheld.encode() != payload:
        raise ExchangeError(ORDER_MALFORMED, "the withholding is of another version, or not in its canonical form")
    return withheld


class _WrittenLifting(Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    issued: str
    lifts: str
    log: str
    version: int
    why: str


def parse_lifting(payload: bytes) -> Lifting:
    """Read a payload. Raises ExchangeError(ORDER_MALFORMED), quoting nothing of it."""
    try:
        written = msgspec.json.decode(payload, type=_WrittenLifting)
        values = {name: getattr(written, name) for name in Lifting.__struct_fields__}
        lifting = Lifting(**{**values, "issued": from_datetime(datetime.fromisoformat(values["issued"]))})
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise ExchangeError(ORDER_MALFORMED, "the payload is not the lifting of a withholding") from None
    if written.version != _VERSION or lifting.encode() != payload:
        raise ExchangeError(ORDER_MALFORMED, "the lifting is of another version, or not in its canonical form")
    return lifting


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
