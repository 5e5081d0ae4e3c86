"""What may be erased, when, and what of a record stays. Pure rules: legal hold > statutory minimum > erasure request >
retention due.
"""

from collections.abc import Collection
from datetime import timedelta, timezone
from enum import StrEnum

from msgspec import Struct

from gateway.ledger.openings import Opening, Openings
from gateway.ledger.record import RecordKind
from gateway.model.instant import Instant, from_datetime, to_datetime
from gateway.model.storage import Row

PERSON = "person"

Mark = tuple[str, bytes]
"""What a pseudonym stands for, and the pseudonym."""

_VIETNAM = timezone(timedelta(hours=7))
_DECEMBER = 12
_OF_OTHERS = frozenset({PERSON, "officer", "case", "address", "tls_certificate", "payload"})
"""What a record about several persons keeps when one of them is erased. Targets, digests and signature bases go: who
has them could guess the number that they were made of.
"""
_OF_AUDITS = frozenset(
    {
        "auditor",
        "audit_case",
        "role",
        "listed_as",
        "key",
        "found",
        "persons",
        "quota",
        "second_auditor",
        "second_key",
    }
)
"""Who looked, and how much, stays when the person whom they looked for is erased; what they asked goes."""
_CITIZEN = "citizen"
_FIELD = {"message": "message_id", _CITIZEN: PERSON}
_LAST_DAYS = {2: 28, 4: 30, 6: 30, 9: 30, 11: 30}


class Verdict(StrEnum):
    """What becomes of a record's private part."""

    ERASE = "erase"
    HELD = "held"
    """A legal hold."""
    MINIMUM = "minimum"
    """The law wants it kept for longer yet."""
    KEPT = "kept"
    """Nobody asks, and its time is not over."""


class Retention(Struct, frozen=True, kw_only=True):
    """How long private parts are kept, in months. minimum: by law. months: until they are destroyed unasked."""

    minimum: int = 12
    months: int = 12

    def __post_init__(self) -> None:
        if not 1 <= self.minimum <= self.months:
            raise ValueError("what the law wants kept is kept: the retention is not below the statutory minimum")

    def minimum_ends(self, at: Instant) -> Instant:
        """Until when a record of this time may not be erased, whoever asks."""
        return months_after(at, self.minimum)

    def due(self, at: Instant) -> Instant:
        """When a record of this time is erased though nobody asks."""
        return months_after(at, self.months)


def verdict(at: Instant, now: Instant, retention: Retention, *, held: bool, ordered: bool) -> Verdict:
    """What becomes of a record of the time ``at``. held: by a hold in force. ordered: by an order to erase."""
    if held:
        return Verdict.HELD
    if now < retention.minimum_ends(at):
        return Verdict.MINIMUM
    if ordered or now >= retention.due(at):
        return Verdict.ERASE
    return Verdict.KEPT


def months_after(at: Instant, months: int) -> Instant:
    """The same time of the Vietnamese day, so many months on; the month's last day where it has no such day."""
    local = to_datetime(at).astimezone(_VIETNAM)
    year, month = divmod(local.year * _DECEMBER + local.month - 1 + months, _DECEMBER)
    last = _LAST_DAYS.get(month + 1, 31)
    if month + 1 == 2 and year % 4 == 0 and (year % 100 or year % 400 == 0):  # noqa: PLR2004 - Gregorian leap years
        last = 29
    return from_datetime(local.replace(year=year, month=month + 1, day=min(local.day, last)))


def left_of(kind: str, openings: Openings, *, numbers: Collection[str], fields: Collection[str]) -> Openings:
    """What stays of a record's openings.

    kind: the record's. numbers: of the persons who are erased; none: the record itself was named. fields: the names
    that are erased; none: everything private, except, where other persons stand in the record too, what is theirs, and
    in an audit record who looked.
    """
    if fields:
        return openings.only(lambda field: field.name not in fields or _is_another(field, numbers))
    if not numbers:
        return openings.only(lambda _: False)
    if kind == RecordKind.AUDIT:
        return openings.only(lambda field: field.name in _OF_AUDITS)
    if not any(_is_another(field, numbers) for field in openings.shown):
        return openings.only(lambda _: False)
    return openings.only(lambda field: field.name in _OF_OTHERS and not _is_erased(field, numbers))


def marks_left(row: Row, before: Openings, left: Openings, *, erased: Collection[bytes]) -> tuple[Mark, ...]:
    """The pseudonyms that a record may still be found by: none of the persons who are erased, and none of a field that
    is gone. erased: those persons' pseudonyms.
    """
    if not left.shown:
        return ()
    gone = {field.name for field in before.shown} - {field.name for field in left.shown}
    also = _citizens_of(row.pseudonyms, erased)
    return tuple(
        mark
        for mark in row.pseudonyms
        if mark[1] not in erased and mark[1] not in also and _FIELD.get(mark[0], mark[0]) not in gone
    )


def _citizens_of(marks: Collection[Mark], erased: Collection[bytes]) -> frozenset[bytes]:
    """The marks for their own lists of those persons: they stand in the order of the persons' pseudonyms. All of them,
    where there are not as many.
    """
    persons = [value for kind, value in marks if kind == PERSON]
    citizens = [value for kind, value in marks if kind == _CITIZEN]
    if len(persons) != len(citizens):
        return frozenset(citizens)
    return frozenset(own for person, own in zip(persons, citizens, strict=True) if person in erased)


def _is_another(field: Opening, numbers: Collection[str]) -> bool:
    """A person who is not one of these."""
    return field.name == PERSON and bool(numbers) and field.value not in numbers


def _is_erased(field: Opening, numbers: Collection[str]) -> bool:
    return field.name == PERSON and field.value in numbers
