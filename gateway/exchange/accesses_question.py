"""What is asked of a citizen's list: a period, a page. It stands in a URL, so no person's number is in it."""

import re
from datetime import date, timedelta
from urllib.parse import parse_qsl

from msgspec import Struct

from gateway.ledger.erasure import months_after
from gateway.model.errors import ExchangeError
from gateway.model.errors.citizen import ACCESSES_QUESTION
from gateway.model.instant import Instant, plus

MOST = 100
"""Entries of one page."""

_NAMES = frozenset({"since", "until", "limit", "cursor"})
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LIMIT = re.compile(r"[1-9][0-9]{0,2}")
_CURSOR = re.compile(r"[a-p]{32}")
_LETTERS = str.maketrans("0123456789abcdef", "abcdefghijklmnop")
_DIGITS = str.maketrans("abcdefghijklmnop", "0123456789abcdef")
_SEQ_BYTES = 8
_VIETNAM_SECONDS = 7 * 3600
_SECONDS = 86_400
_EPOCH = date(1970, 1, 1)


class Cursor(Struct, frozen=True):
    """Where a page begins: below a record (seq), in the log as it was at the first page (top: its last seq)."""

    before: int
    top: int

    def __str__(self) -> str:
        """Letters only: what digits stand in a URL might be taken for a person's number."""
        raw = self.before.to_bytes(_SEQ_BYTES) + self.top.to_bytes(_SEQ_BYTES)
        return raw.hex().translate(_LETTERS)

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """As ``str`` wrote it. Raises ValueError."""
        if not _CURSOR.fullmatch(text):
            raise ValueError("not a cursor")
        raw = bytes.fromhex(text.translate(_DIGITS))
        found = cls(int.from_bytes(raw[:_SEQ_BYTES]), int.from_bytes(raw[_SEQ_BYTES:]))
        if not 0 < found.before <= found.top + 1 < 1 << 62:
            raise ValueError("not a cursor")
        return found


class AccessQuestion(Struct, frozen=True, kw_only=True):
    """since, until: the period, the end not in it. cursor: None for the first page."""

    since: Instant
    until: Instant
    limit: int = MOST
    cursor: Cursor | None = None


def parse_question(query: str | None, now: Instant, months: int) -> AccessQuestion:
    """Read a query: Vietnamese days, both within. months: the period that is meant where no beginning is named.

    Raises ExchangeError(ACCESSES_QUESTION) with the name of what is wrong, never its value.
    """
    try:
        pairs = parse_qsl(query or "", keep_blank_values=True, strict_parsing=bool(query), max_num_fields=8)
    except ValueError:
        raise ExchangeError(ACCESSES_QUESTION, "not a query") from None
    given = dict(pairs)
    if len(given) != len(pairs) or given.keys() - _NAMES:
        raise ExchangeError(ACCESSES_QUESTION, "a parameter is unknown or given twice")
    since = months_after(now, -months) if "since" not in given else _day(given["since"], "since", days=0)
    until = plus(now, 1) if "until" not in given else _day(given["until"], "until", days=1)
    limit = given.get("limit", str(MOST))
    if not _LIMIT.fullmatch(limit) or int(limit) > MOST:
        raise ExchangeError(ACCESSES_QUESTION, "limit", parts=("limit",))
    if since >= until:
        raise ExchangeError(ACCESSES_QUESTION, "until is before since", parts=("until",))
    try:
        cursor = Cursor.parse(given["cursor"]) if "cursor" in given else None
    except ValueError:
        raise ExchangeError(ACCESSES_QUESTION, "cursor", parts=("cursor",)) from None
    return AccessQuestion(since=since, until=until, limit=int(limit), cursor=cursor)


def _day(text: str, name: str, *, days: int) -> Instant:
    try:
        day = date.fromisoformat(text if _DAY.fullmatch(text) else "") + timedelta(days=days)
    except (ValueError, OverflowError):
        raise ExchangeError(ACCESSES_QUESTION, name, parts=(name,)) from None
    return plus(Instant(0), (day - _EPOCH).days * _SECONDS - _VIETNAM_SECONDS)
