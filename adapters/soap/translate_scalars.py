"""Scalars: text of XML as JSON values and back, exactly. Numbers keep every digit, strings every character that XML
can carry.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from adapters.soap.translate_shapes import Kind, MisfitError
from gateway.model.jsontext import WrittenNumber

_LONGEST = 1000
"""Characters of a number, as of one in JSON."""
_EXPONENT = 400
"""No number of JSON that we read is farther from 1 (``gateway.validation.strict_json``)."""
_SPACE = " \t\r\n"
_PLAIN_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_DECIMAL = re.compile(r"([+-]?)([0-9]+(?:\.[0-9]*)?|\.[0-9]+)")  # XML Schema 2, §3.2.3.1
_INTEGER = re.compile(r"[+-]?[0-9]+")
_DOUBLE = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}

SPECIAL = re.compile("[&<>\r\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What text is not written as it is for."""
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # XML 1.0, §2.2
_ESCAPES = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord("\r"): "&#xD;"}  # as Canonical XML 1.0, §2.3
_IN_ATTRIBUTE = {ord("&"): "&amp;", ord("<"): "&lt;", ord('"'): "&quot;", 9: "&#x9;", 10: "&#xA;", 13: "&#xD;"}

Read = Callable[[str], Any]
Write = Callable[[Any], str]


def escaped(text: str) -> str:
    """Text as character data. Raises MisfitError for characters that XML cannot carry."""
    if SPECIAL.search(text) is None:
        return text
    if _FORBIDDEN.search(text):
        raise MisfitError("characters")
    return text.translate(_ESCAPES)


def in_attribute(text: str) -> str:
    """Text as the value of an attribute in double quotes. Raises MisfitError as ``escaped``."""
    if _FORBIDDEN.search(text):
        raise MisfitError("characters")
    return text.translate(_IN_ATTRIBUTE)


def _string(text: str) -> str:
    return text


def _token(text: str) -> str:
    return text.strip(_SPACE)


def _integer(text: str) -> int:
    text = text.strip(_SPACE)
    if len(text) > _LONGEST or not _INTEGER.fullmatch(text):
        raise MisfitError("type")
    return int(text)


def _decimal(text: str) -> Any:
    text = text.strip(_SPACE)
    if len(text) > _LONGEST:
        raise MisfitError("type")
    if not _PLAIN_NUMBER.fullmatch(text):
        found = _DECIMAL.fullmatch(text)
        if found is None:
            raise MisfitError("type")
        whole, _, fraction = found.group(2).partition(".")
        text = found.group(1).strip("+") + (whole.lstrip("0") or "0") + (f".{fraction}" if fraction else "")
    if "." not in text:
        return int(text) if text != "-0" else Decimal(text)
    number = Decimal(text)
    return number if str(number) == text else WrittenNumber(text)


def _float(text: str) -> Any:
    text = text.strip(_SPACE)
    if len(text) > _LONGEST or not _DOUBLE.fullmatch(text):
        raise MisfitError("type")
    mantissa, mark, exponent = text.replace("E", "e").partition("e")
    number = _decimal(mantissa)
    if not mark:
        return number
    if abs(int(exponent)) > _EXPONENT:
        raise MisfitError("range")
    lexeme = number.lexeme if isinstance(number, WrittenNumber) else str(number)
    return WrittenNumber(f"{lexeme}{text[len(mantissa)]}{exponent}")


def _boolean(text: str) -> bool:
    value = _BOOLEANS.get(text.strip(_SPACE))
    if value is None:
        raise MisfitError("type")
    return value


READ: dict[Kind, Read] = {
    Kind.STRING: _string,
    Kind.TOKEN: _token,
    Kind.INTEGER: _integer,
    Kind.DECIMAL: _decimal,
    Kind.FLOAT: _float,
    Kind.BOOLEAN: _boolean,
}
"""Text → value. Each raises MisfitError."""


def _write_string(value: Any) -> str:
    if type(value) is not str:
        raise MisfitError("type")
    return value


def _exact(value: Any) -> Any:
    """A binary fraction as the decimal that it is written as; JSON from outside never comes as one."""
    return Decimal(repr(value)) if type(value) is float else value


def _write_integer(value: Any) -> str:
    value = _exact(value)
    if isinstance(value, Decimal):
        if value.is_finite() and abs(value.adjusted()) <= _LONGEST and value == value.to_integral_value():
            return format(value.to_integral_value(), "f")  # JSON Schema: 1.0 is an integer
        raise MisfitError("type")
    if type(value) is not int:
        raise MisfitError("type")
    return _digits(value)


def _write_decimal(value: Any) -> str:
    if isinstance(value, WrittenNumber) and _PLAIN_NUMBER.fullmatch(value.lexeme):
        return value.lexeme
    value = _exact(value)
    if isinstance(value, Decimal) and value.is_finite() and abs(value.adjusted()) <= _LONGEST:
        return format(value, "f")
    if type(value) is not int:
        raise MisfitError("type")
    return _digits(value)


def _write_float(value: Any) -> str:
    if isinstance(value, WrittenNumber):
        return value.lexeme
    value = _exact(value)
    if isinstance(value, Decimal) and value.is_finite():
        return str(value)
    if type(value) is not int:
        raise MisfitError("type")
    return _digits(value)


def _digits(value: int) -> str:
    try:
        return str(value)
    except ValueError:  # more digits than Python prints
        raise MisfitError("range") from None


def _write_boolean(value: Any) -> str:
    if value is True:
        return "true"
    if value is False:
        return "false"
    raise MisfitError("type")


WRITE: dict[Kind, Write] = {
    Kind.STRING: _write_string,
    Kind.TOKEN: _write_string,
    Kind.INTEGER: _write_integer,
    Kind.DECIMAL: _write_decimal,
    Kind.FLOAT: _write_float,
    Kind.BOOLEAN: _write_boolean,
}
"""Value → text, unescaped. Each raises MisfitError."""
