"""Canonical data elements from a source's texts: names, dates that are known in part, addresses, codes, numbers."""

import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import lru_cache

from gateway.model.dates import PartialDate
from gateway.model.text import has_control, nfc

Document = dict[str, object]

UNLISTED = "unlisted"
"""A source's code that is not in its own list (Q16)."""

_CODE = re.compile(r"[0-9A-Z]{1,10}")
_COUNTRY_LETTERS = 2
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,30})")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,30})(?:\.[0-9]{1,30})?")
_PLACES = (("province", 2), ("district", 3), ("commune", 5))
"""Parts of an address that are codes, and how many digits they have."""
_LONGEST_NAME = 256
_LIST_WITH_DISTRICTS = "2004-07-08"
"""Code list of an address that has a district: there are none in the list since 2025-07-01 (domain notes)."""


class AnswerError(ValueError):
    """A source's answer contradicts its contract. Names elements, never values."""


def text(value: object) -> str | None:
    """A source's text in NFC, without surrounding white space; None where it is empty. Raises AnswerError."""
    if value.__class__ is not str:
        if value is None:
            return None
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            return str(value)
        if not isinstance(value, str):
            raise AnswerError("a structure stands where text belongs")
    stripped: str = value.strip()
    return (stripped or None) if stripped.isascii() else nfc(stripped)


def name(family: object, middle: object, given: object) -> Document | None:
    """A name given in parts. Where only one is filled it holds the whole name (Q02), and there are no parts then.

    The same as ``gateway.model.person.PersonName.from_parts``, without making one.
    """
    first, between, last = text(family), text(middle), text(given)
    full = " ".join([part for part in (first, between, last) if part])
    if not full:
        return None
    if len(full) > _LONGEST_NAME or has_control(full):
        raise AnswerError("a name is too long, or holds control characters")
    document: Document = {"full": full}
    if first and last:
        document["family"] = first
        if between:
            document["middle"] = between
        document["given"] = last
    return document


def whole_name(value: object) -> Document | None:
    """A name given whole."""
    full = text(value)
    return {"full": full} if full else None


def date_document(date: PartialDate) -> Document:
    """A date in the form of ``partial-date.json``."""
    return {"date": str(date), "precision": date.precision.value}


def moment_text(read: Callable[[str], datetime], written: str) -> str:
    """A moment in RFC 3339. Raises AnswerError."""
    try:
        return read(written).isoformat()
    except ValueError:
        raise AnswerError("a moment is not one") from None


def address(codes: tuple[object, object, object], detail: object, country: object) -> Document | None:
    """An address. codes: province, district, commune; the district may be gone (Q14)."""
    made: Document = {}
    district = text(codes[1])
    for (key, digits), place in zip(_PLACES, codes, strict=True):
        code = text(place)
        if code and len(code) == digits and code.isdigit() and code.isascii():
            made[key] = {"code": code, "code_list": _LIST_WITH_DISTRICTS} if district else {"code": code}
    if written := text(detail):
        made["detail"] = written
    if (state := text(country)) and _is_country(state):
        made["country"] = state
    return made or None


def coded(value: object) -> Document | None:
    """A code of a national list, such as the ethnic group."""
    code = text(value)
    return {"code": code} if code and _is_code(code) else None


def nationality(value: object) -> Document | None:
    """An ISO 3166-1 alpha-2 code."""
    code = text(value)
    return {"code": code} if code and _is_country(code) else None


def _is_country(code: str) -> bool:
    return len(code) == _COUNTRY_LETTERS and code.isascii() and code.isalpha() and code.isupper()


@lru_cache(maxsize=1024)
def _is_code(code: str) -> bool:
    return _CODE.fullmatch(code) is not None


def integer(value: object) -> int | None:
    """A whole number, as a number or as text. Raises AnswerError."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    written = text(value)
    if written is None:
        return None
    if not _INTEGER.fullmatch(written):
        raise AnswerError("a whole number is not one")
    return int(written)


def number(value: object) -> int | Decimal | None:
    """A number, exactly as it is written. Raises AnswerError."""
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return value
    written = text(value)
    if written is None:
        return None
    if not _NUMBER.fullmatch(written):
        raise AnswerError("a number is not one")
    return Decimal(written) if "." in written else int(written)
