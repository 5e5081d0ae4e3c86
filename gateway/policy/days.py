"""Spans of Vietnamese calendar days, as the day numbers that instants are compared by."""

from datetime import date

from msgspec import Struct

_EPOCH = date(1970, 1, 1).toordinal()
_BEFORE_ALL, _AFTER_ALL = -(1 << 31), 1 << 31


def day_number(day: date) -> int:
    """The number that ``instant.vietnam_day`` gives for instants of that day."""
    return day.toordinal() - _EPOCH


class Days(Struct, frozen=True):
    """A span. first, last: day numbers, both within. text: for people."""

    first: int
    last: int
    text: str

    @classmethod
    def between(cls, first: date | None, last: date | None) -> "Days":
        """The span between two days, either of which may be open."""
        return cls(
            _BEFORE_ALL if first is None else day_number(first),
            _AFTER_ALL if last is None else day_number(last),
            f"{first or '…'} to {last or '…'}",
        )
