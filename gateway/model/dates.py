"""Dates that may be known to the year or the month only, as birth dates in registers are. Always Gregorian."""

import calendar
import re
from collections.abc import Collection
from datetime import date
from enum import StrEnum

from msgspec import Struct

_WRITTEN = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?|(\d{2})(\d{2})?)?", re.ASCII)
_FIRST_YEAR, _LAST_YEAR = 1800, 2200


class Precision(StrEnum):
    """How much of a date is known."""

    YEAR = "year"
    MONTH = "month"
    DAY = "day"


class DateMatch(StrEnum):
    """How two dates relate."""

    SAME = "same"
    CONSISTENT = "consistent"
    """One is less precise, and the other lies within it: no contradiction, no proof."""
    DIFFERENT = "different"


class PartialDate(Struct, frozen=True):
    """A date of which the day, or day and month, may be unknown.

    Not ordered: ``1990`` is neither before nor after ``1990-05``; use ``earliest`` and ``latest``. Raises ValueError
    for days that do not exist and years outside 1800 to 2200.
    """

    year: int
    month: int | None = None
    day: int | None = None

    def __post_init__(self) -> None:
        if not _FIRST_YEAR <= self.year <= _LAST_YEAR:
            raise ValueError(f"a year lies between {_FIRST_YEAR} and {_LAST_YEAR}")
        if self.month is None and self.day is not None:
            raise ValueError("a day without its month is no date")
        try:
            date(self.year, 1 if self.month is None else self.month, 1 if self.day is None else self.day)
        except ValueError:
            raise ValueError("there is no such day") from None

    @property
    def precision(self) -> Precision:
        """How much is known."""
        if self.month is None:
            return Precision.YEAR
        return Precision.MONTH if self.day is None else Precision.DAY

    @property
    def earliest(self) -> date:
        """The first day that it may be."""
        return date(self.year, self.month or 1, self.day or 1)

    @property
    def latest(self) -> date:
        """The last day that it may be."""
        month = self.month or 12
        return date(self.year, month, self.day or calendar.monthrange(self.year, month)[1])

    def compare(self, other: "PartialDate") -> DateMatch:
        """Whether the two may be the same day, as far as both are known."""
        mine, theirs = (self.year, self.month, self.day), (other.year, other.month, other.day)
        if mine == theirs:
            return DateMatch.SAME
        known = zip(mine, theirs, strict=True)
        if any(a is not None and b is not None and a != b for a, b in known):
            return DateMatch.DIFFERENT
        return DateMatch.CONSISTENT

    def without_filler(self, fillers: Collection[tuple[int, int]]) -> "PartialDate":
        """The year alone, if month and day are one of a source's fillers for "unknown" (declared by its mapping)."""
        if self.month is not None and self.day is not None and (self.month, self.day) in fillers:
            return PartialDate(self.year)
        return self

    def compact(self) -> str:
        """``yyyyMMdd``, ``yyyyMM`` or ``yyyy``."""
        return str(self).replace("-", "")

    def __str__(self) -> str:
        parts = [f"{self.year:04}"]
        parts += [f"{part:02}" for part in (self.month, self.day) if part is not None]
        return "-".join(parts)


def parse_date(text: str) -> PartialDate:
    """Parse ``yyyy-MM-dd``, ``yyyy-MM``, ``yyyy``, ``yyyyMMdd`` or ``yyyyMM``; zeros for month and day mean unknown.

    Raises ValueError, which does not repeat the text.
    """
    found = _WRITTEN.fullmatch(text)
    if found is None:
        raise ValueError("a date is written yyyy-MM-dd, yyyyMMdd, yyyy-MM, yyyyMM or yyyy")
    year, month, day = (int(part or 0) for part in (found[1], found[2] or found[4], found[3] or found[5]))
    return PartialDate(year, month or None, day or None)
