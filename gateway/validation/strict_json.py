"""JSON text as RFC 8259 defines it, read strictly: what two parsers could read differently is refused.

Refused: repeated names in one object, NaN and Infinity, numbers beyond the range of binary64 (``1e400``) or of absurd
length, lone surrogates, invalid UTF-8, control characters in strings, anything after the value, nesting beyond the
limit. One byte-order mark at the start is ignored (RFC 8259 §8.1 lets a reader do so). Numbers stay exactly as they
were written: ``gateway.model.jsontext``.

Two readers do it. The quick one decodes and encodes again: the same bytes prove that no name was repeated and no number
altered, as is so for text without needless escapes, compact or with a space behind each colon and comma, as most
libraries write it. Everything else goes to the thorough one.
"""

import json
import re
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Any

import msgspec

from gateway.model.errors import ExchangeError
from gateway.model.errors import request as kinds
from gateway.model.jsontext import WrittenNumber, encode
from gateway.validation.limits import DEFAULT, Limits

_BOM = b"\xef\xbb\xbf"
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_BRACKETS = bytes.maketrans(b"{}", b"[]")
_NOT_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")
_DIGITS = bytes.maketrans(b"123456789", b"0" * 9)
_SMALL = 18
"""Digits that surely fit 64 bits."""


def parse_json(data: bytes, limits: Limits = DEFAULT) -> Any:
    """The value of a JSON text: dict, list, str, int, Decimal, bool or None.

    Raises ExchangeError (client.bad_json), which says where and what is wrong, never what stands there.
    """
    if data.startswith(_BOM):
        data = data[3:]
    if data.count(b"[") + data.count(b"{") > limits.nesting:
        _check_nesting(data, limits.nesting)
    escapes = b"\\" in data and b"\\u" in data  # one byte is found in a fraction of the time that two take
    if not escapes and b"\n" not in data and not _has_long_run(data, limits.number):
        try:
            value = _QUICK_DECODE(data)
            again = encode(value)
            if again == data or msgspec.json.format(again, indent=0) == data:
                return value
        except (msgspec.MsgspecError, ExchangeError, ValueError, RecursionError):
            pass  # the thorough reader says what is wrong, if anything is
    return _thorough(data, limits)


def _has_long_run(data: bytes, longest: int) -> bool:
    """Whether there may be an integer of more digits; the quick reader does not count them."""
    return len(data) > longest and b"0" * (longest + 1) in data.translate(_DIGITS)


def _thorough(data: bytes, limits: Limits) -> Any:
    try:
        value = _decoder(limits.number)(data.decode())
    except UnicodeDecodeError as error:
        raise ExchangeError(kinds.BAD_JSON, f"not UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise ExchangeError(kinds.BAD_JSON, f"{error.msg} at character {error.pos}") from None
    except RecursionError:
        raise ExchangeError(kinds.BAD_JSON, f"nested deeper than {limits.nesting}") from None
    if b"\\u" in data and _SURROGATE.search(data):
        _check_surrogates(value)
    return value


@lru_cache(maxsize=16)
def _decoder(longest: int) -> Callable[[str], Any]:
    def integer(lexeme: str) -> Any:
        if len(lexeme) > _SMALL and len(lexeme) > longest:
            raise ExchangeError(kinds.BAD_JSON, f"a number of more than {longest} characters")
        return int(lexeme) if lexeme != "-0" else Decimal(lexeme)

    def fraction(lexeme: str) -> Decimal:
        if len(lexeme) > longest:
            raise ExchangeError(kinds.BAD_JSON, f"a number of more than {longest} characters")
        return _fraction(lexeme)

    return json.JSONDecoder(
        object_pairs_hook=_unique_names, parse_int=integer, parse_float=fraction, parse_constant=_no_constant
    ).decode


def _fraction(lexeme: str) -> Decimal:
    number = Decimal(lexeme)
    if float(lexeme) in _EDGES and (number != 0 or abs(number.adjusted()) > _EXPONENT):
        raise ExchangeError(kinds.BAD_JSON, "a number out of range")
    return number if str(number) == lexeme else WrittenNumber(lexeme)


_EDGES = frozenset({0.0, float("inf"), float("-inf")})
_EXPONENT = 400
"""No zero needs a greater one; those who expand numbers (schema checks do) are spared it."""


def _quick_fraction(lexeme: str) -> Decimal:
    if len(lexeme) > _SMALL:
        raise ValueError("left to the thorough reader")
    return _fraction(lexeme)


_QUICK_DECODE = msgspec.json.Decoder(float_hook=_quick_fraction).decode


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ExchangeError(kinds.BAD_JSON, "an object repeats a name")
    return members


def _no_constant(name: str) -> Any:
    raise ExchangeError(kinds.BAD_JSON, f"{name} is not JSON")


def _check_nesting(data: bytes, limit: int) -> None:
    """Peel one level of brackets at a time, outside strings; whatever is left after ``limit`` peels is too deep.

    Text that is no JSON may be reported as too deep here; it is refused either way.
    """
    outside = b"".join(data.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')[::2])
    brackets = outside.translate(_BRACKETS, _NOT_BRACKETS)
    for _ in range(limit):
        brackets = brackets.replace(b"[]", b"")
        if not brackets:
            return
    raise ExchangeError(kinds.BAD_JSON, f"nested deeper than {limit}")


def _check_surrogates(value: Any) -> None:
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            stack.extend(item)
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)
        elif isinstance(item, str) and not item.isascii():
            try:
                item.encode()
            except UnicodeEncodeError:
                raise ExchangeError(kinds.BAD_JSON, "half of a surrogate pair") from None
