"""Dates and moments as providers write them: formats of ``yyyy MM dd HH mm ss`` and whatever stands between."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from functools import cache

from gateway.model.dates import PartialDate, parse_date
from gateway.model.instant import Instant, to_datetime

VIETNAM = timezone(timedelta(hours=7))
"""Asia/Ho_Chi_Minh, which has had no other offset since 1975: the zone of a provider's time without zone."""
COMPACT_MOMENT = "yyyyMMddHHmmss"

_TOKEN = re.compile("yyyy|MM|dd|HH|mm|ss")
_GROUPS = {"yyyy": r"(?P<year>\d{4})"} | {
    token: rf"(?P<{name}>\d{{2}})"
    for token, name in (("MM", "month"), ("dd", "day"), ("HH", "hour"), ("mm", "minute"), ("ss", "second"))
}
_NAMES = {"yyyy": "year", "MM": "month", "dd": "day", "HH": "hour", "mm": "minute", "ss": "second"}


def is_format(text: str, *, of: str) -> bool:
    """Whether a text is a format. of: ``date`` (a year, no time) or ``moment`` (year to day at least)."""
    tokens = _TOKEN.findall(text)
    rest = _TOKEN.sub("", text)
    if len(set(tokens)) != len(tokens) or re.search(r"[A-Za-z0-9]", rest.replace("T", "").replace("Z", "")):
        return False
    if of == "date":
        return "yyyy" in tokens and not {"HH", "mm", "ss"} & set(tokens) and not ("dd" in tokens and "MM" not in tokens)
    return {"yyyy", "MM", "dd"} <= set(tokens)


@cache
def _pattern(form: str) -> re.Pattern[str]:
    text = ""
    for piece in re.split(f"({_TOKEN.pattern})", form):
        text += _GROUPS.get(piece) or re.escape(piece)
    return re.compile(text, re.ASCII)


def date_reader(form: str | None) -> Callable[[str], PartialDate]:
    """Reads dates of a format, or of any usual one. It raises ValueError.

    Zeros stand for what is not known, or it is left out with what stands beside it: ``MM/yyyy`` of ``dd/MM/yyyy``.
    """
    if form is None:
        return parse_date
    patterns = [_pattern(each) for each in (form, _without(form, ("dd",)), _without(form, ("dd", "MM")))]

    def read(text: str) -> PartialDate:
        found = next((found for pattern in patterns if (found := pattern.fullmatch(text)) is not None), None)
        if found is None:
            raise ValueError("a date is not written as the mapping says")
        given = found.groupdict()
        return PartialDate(int(given["year"]), int(given.get("month") or 0) or None, int(given.get("day") or 0) or None)

    return read


def _without(form: str, gone: tuple[str, ...]) -> str:
    """The format of a date of which something is not known."""
    made, between = "", ""
    for piece in re.split(f"({_TOKEN.pattern})", form):
        if piece not in _NAMES:
            between = piece
        elif piece not in gone:
            made += (between if made else "") + piece
            between = ""
    return made


def date_writer(form: str | None, filler: str | None) -> Callable[[PartialDate], str]:
    """Writes dates. filler: ``MM-dd`` for what is not known, which is else left out with what stands before it."""
    if form is None and filler is None:
        return str
    pieces = re.split(f"({_TOKEN.pattern})", form or "yyyy-MM-dd")
    month, day = filler.split("-") if filler else (None, None)

    def write(date: PartialDate) -> str:
        known = {
            "yyyy": f"{date.year:04}",
            "MM": month if date.month is None else f"{date.month:02}",
            "dd": day if date.day is None else f"{date.day:02}",
        }
        made, between = "", ""
        for piece in pieces:
            if piece not in _NAMES:
                between = piece
            elif text := known[piece]:
                made += (between if made else "") + text
        return made

    return write


def moment_writer(form: str | None) -> Callable[[Instant], str]:
    """Writes an instant in Vietnamese time."""
    pieces = re.split(f"({_TOKEN.pattern})", form or COMPACT_MOMENT)

    def write(instant: Instant) -> str:
        at = to_datetime(instant).astimezone(VIETNAM)
        return "".join(f"{getattr(at, _NAMES[piece]):0{len(piece)}}" if piece in _NAMES else piece for piece in pieces)

    return write


def moment_reader(form: str | None) -> Callable[[str], datetime]:
    """Reads moments of a format, or ``yyyyMMddHHmmss`` and RFC 3339; without zone they are Vietnamese. ValueError."""
    compact = _pattern(form or COMPACT_MOMENT)

    def read(text: str) -> datetime:
        found = compact.fullmatch(text)
        if found is not None:
            return datetime(**{name: int(value) for name, value in found.groupdict().items()}, tzinfo=VIETNAM)
        if form is not None:
            raise ValueError("a moment is not written as the mapping says")
        at = datetime.fromisoformat(text)
        return at if at.tzinfo is not None else at.replace(tzinfo=VIETNAM)

    return read
