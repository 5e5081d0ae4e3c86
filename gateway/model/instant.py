"""Points in time: whole microseconds since 1970-01-01T00:00:00Z, always UTC.

An integer, since it is compared, stored and subtracted on the hot path far oftener than it is shown.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NewType

Instant = NewType("Instant", int)
"""Microseconds since the Unix epoch, UTC."""

MICROSECONDS = 1_000_000
"""Microseconds in a second."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = 86_400 * MICROSECONDS
_VIETNAM_OFFSET = 7 * 3600 * MICROSECONDS  # Asia/Ho_Chi_Minh: UTC+7, no summer time since 1975


def from_seconds(seconds: float) -> Instant:
    """The instant ``seconds`` after the Unix epoch."""
    return Instant(int(seconds * MICROSECONDS))


def from_datetime(moment: datetime) -> Instant:
    """The instant of an aware datetime. Raises ValueError for a naive one."""
    if moment.tzinfo is None:
        raise ValueError("a datetime without time zone is not an instant")
    return Instant((moment - _EPOCH) // timedelta(microseconds=1))


def to_datetime(instant: Instant) -> datetime:
    """The aware UTC datetime of an instant."""
    return _EPOCH + timedelta(microseconds=instant)


def to_seconds(instant: Instant) -> int:
    """Whole seconds since the epoch, rounded down."""
    return instant // MICROSECONDS


def rfc3339(instant: Instant) -> str:
    """RFC 3339 with milliseconds and Z, the form that records carry: ``2026-11-22T02:51:00.123Z``."""
    return f"{_second(instant // MICROSECONDS)}.{instant // 1000 % 1000:03d}Z"


@lru_cache(maxsize=1024)  # what happens now happens within the same few seconds
def _second(seconds: int) -> str:
    return to_datetime(Instant(seconds * MICROSECONDS)).isoformat(timespec="seconds")[: -len("+00:00")]


def vietnam_day(instant: Instant) -> int:
    """The number of the Vietnamese calendar day (days since 1970-01-01 in UTC+7): quotas are counted by it."""
    return (instant + _VIETNAM_OFFSET) // _DAY


def plus(instant: Instant, seconds: float) -> Instant:
    """The instant ``seconds`` later (earlier, if negative)."""
    return Instant(instant + int(seconds * MICROSECONDS))
