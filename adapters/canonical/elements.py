"""Canonical data elements from a source's texts: names, dates that are known in part, addresses."""

import re

from gateway.model.dates import parse_date
from gateway.model.person import PersonName
from gateway.model.text import nfc

Document = dict[str, object]

_CODE = re.compile(r"[0-9A-Z]{1,10}")
_COUNTRY = re.compile(r"[A-Z]{2}")
_PLACES = (
    ("province", re.compile(r"[0-9]{2}")),
    ("district", re.compile(r"[0-9]{3}")),
    ("commune", re.compile(r"[0-9]{5}")),
)
_LIST_WITH_DISTRICTS = "2004-07-08"
"""Code list of an address that has a district: there are none in the list since 2025-07-01 (domain notes)."""


class AnswerError(ValueError):
    """A source's answer contradicts its contract. Names elements, never values."""


def text(value: object) -> str | None:
    """A source's text in NFC, without surrounding white space; None where it is empty. Raises AnswerError."""
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise AnswerError("a structure stands where text belongs")
    stripped = value.strip()
    if stripped.isascii():
        return stripped or None
    return nfc(stripped)


def name(family: object, middle: object, given: object) -> Document | None:
    """A name given in parts. Where only one is filled it holds the whole name (Q02): no parts then."""
    parts = (text(family), text(middle), text(given))
    if not any(parts):
        return None
    try:
        made = PersonName.from_parts(family=parts[0], middle=parts[1], given=parts[2])
    except ValueError as error:
        raise AnswerError(str(error)) from None
    document: Document = {"full": made.full}
    for key, part in (("family", made.family), ("middle", made.middle), ("given", made.given)):
        if part is not None:
            document[key] = part
    return document


def whole_name(value: object) -> Document | None:
    """A name given whole."""
    full = text(value)
    return {"full": full} if full else None


def date(value: str) -> Document:
    """A date written yyyyMMdd, yyyy-MM-dd, yyyyMM, yyyy-MM or yyyy (Q05, Q06); 00 stands for an unknown part.

    Raises AnswerError for what is no date.
    """
    try:
        made = parse_date(value)
    except ValueError as error:
        raise AnswerError(str(error)) from None
    return {"date": str(made), "precision": made.precision.value}


def address(codes: tuple[object, object, object], detail: object, country: object) -> Document | None:
    """An address. codes: province, district, commune; the district may be gone (Q14)."""
    made: Document = {}
    texts = [text(code) for code in codes]
    dated = texts[1] is not None
    for (key, form), code in zip(_PLACES, texts, strict=True):
        if code and form.fullmatch(code):
            made[key] = {"code": code, "code_list": _LIST_WITH_DISTRICTS} if dated else {"code": code}
    if written := text(detail):
        made["detail"] = written
    if (state := text(country)) and _COUNTRY.fullmatch(state):
        made["country"] = state
    return made or None


def coded(value: object) -> Document | None:
    """A code of a national list, such as the ethnic group."""
    code = text(value)
    return {"code": code} if code and _CODE.fullmatch(code) else None


def nationality(value: object) -> Document | None:
    """An ISO 3166-1 alpha-2 code."""
    code = text(value)
    return {"code": code} if code and _COUNTRY.fullmatch(code) else None
