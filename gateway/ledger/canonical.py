"""Canonical JSON (RFC 8785, JCS), with the two rules that records add: text is NFC, and large integers are strings.

A number that is written as digits alone and is outside ±(2^53 - 1), which JSON readers may silently round, is written
as a string of these digits. So any JCS library, given the parsed result, makes the same bytes again.
"""

import unicodedata
from collections.abc import Mapping
from json.encoder import encode_basestring
from typing import Any

import rfc8785

_SAFE = 2**53 - 1
_LARGEST = 2**64 - 1
_SMALLEST = -(2**63)
_LITERALS = {None: "null", True: "true", False: "false"}


def canonical(value: Any) -> bytes:
    """The canonical form, in UTF-8, of a JSON value (None, bool, int, float, str, list, tuple, dict).

    Raises ValueError, never quoting the value, for what JSON or RFC 8785 cannot carry: other types, keys that are not
    text or that are equal in NFC, lone surrogates, NaN, infinities, integers beyond 64 bits, absurd nesting.
    """
    return utf8(canonical_text(value))


def canonical_text(value: Any) -> str:
    """Like ``canonical``, as text, which may still hold lone surrogates until ``utf8`` encodes it."""
    if type(value) is str:
        return quoted(value)
    try:
        return _text(value)
    except RecursionError:
        raise ValueError("the value is nested too deeply") from None


def quoted(text: str) -> str:
    """A JSON string (RFC 8785 §3.2.2.2) of the text in NFC."""
    return encode_basestring(text if text.isascii() else unicodedata.normalize("NFC", text))


def utf8(text: str) -> bytes:
    """The text in UTF-8. Raises ValueError for lone surrogates, without quoting the text."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise ValueError("the text holds a lone surrogate") from None


def is_nfc(json: bytes) -> bool:
    """Whether every text in this UTF-8 JSON is in NFC. May deny it wrongly, where a mark follows an escape."""
    return json.isascii() or unicodedata.is_normalized("NFC", json.decode())


def _text(value: Any) -> str:
    kind = type(value)
    if kind is str:
        return quoted(value)
    if kind is dict:
        return _object(value)
    if kind is list or kind is tuple:
        return "[" + ",".join([_text(item) for item in value]) + "]"
    if kind is int:
        return _integer(value)
    return _rare(value)


def _integer(value: int) -> str:
    if -_SAFE <= value <= _SAFE:
        return str(value)
    if _SMALLEST <= value <= _LARGEST:
        return f'"{value}"'
    raise ValueError("an integer is beyond 64 bits")


def _object(value: Mapping[str, Any]) -> str:
    parts: list[str] = []
    try:
        for key in sorted(value):
            if not key.isascii():
                return _object_beyond_ascii(value)
            parts.append(f"{encode_basestring(key)}:{_text(value[key])}")
    except (TypeError, AttributeError):
        raise ValueError("an object's keys must be text") from None
    return "{" + ",".join(parts) + "}"


def _object_beyond_ascii(value: Mapping[str, Any]) -> str:
    normal = {unicodedata.normalize("NFC", key): item for key, item in value.items()}
    if len(normal) != len(value):
        raise ValueError("two keys of an object are the same text in NFC")
    # RFC 8785 §3.2.3: keys are ordered by their UTF-16 code units.
    items = sorted(normal.items(), key=lambda item: item[0].encode("utf-16-be", "surrogatepass"))
    return "{" + ",".join([f"{encode_basestring(key)}:{_text(item)}" for key, item in items]) + "}"


def _rare(value: Any) -> str:
    """What is seldom met: literals, floats, and subclasses such as a StrEnum."""
    if value is None or isinstance(value, bool):
        return _LITERALS[value]
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, str):
        return quoted(str.__str__(value))
    if isinstance(value, int):
        return _integer(int(value))
    return _container(value)


def _float(value: float) -> str:
    text = rfc8785.dumps(value).decode()
    # Readers take digits alone for an integer, so these follow the rule for integers.
    return f'"{text}"' if abs(value) > _SAFE and text.lstrip("-").isdigit() else text


def _container(value: Any) -> str:
    if isinstance(value, list | tuple):
        return _text(list(value))
    if isinstance(value, Mapping):
        return _object(value)
    raise ValueError("only JSON values have a canonical form")
