"""Structured Fields (RFC 9651), as much as signatures need, read strictly.

Stricter than RFC 9651 §4.2 where it lets two readers disagree: a repeated key is refused instead of overwritten,
base64 must be canonical, and there are no decimals, dates or display strings. What is accepted means the same to
every conforming parser (the property tests hold http-sf against it), and serialises as RFC 9651 §4.1 says.
"""

import binascii
import re
from functools import lru_cache
from typing import Final

from msgspec import Struct

from gateway.model.envelope import Purpose

MAX_MEMBERS: Final = 16
"""Members of one dictionary and parameters of one item: more are refused."""
_MAX_ITEMS: Final = 64


class SfError(ValueError):
    """The text is not the structured field that it should be. The message holds no value from it."""


class Token(str):
    """An RFC 9651 token, told apart from a string."""

    __slots__ = ()


Value = str | Token | int | bool | bytes
Params = dict[str, Value]


class Item(Struct, frozen=True):
    """One item of an inner list: a string with parameters. text: its canonical serialisation."""

    value: str
    params: Params
    text: str


class Member(Struct, frozen=True):
    """One member of ``Signature-Input``: an inner list with parameters.

    inner: the list as received. params: its parameters. params_text: the parameters in canonical serialisation.
    """

    inner: str
    params: Params
    params_text: str


_KEY = r"[a-z*][a-z0-9_.*-]*+"
_STRING = r'"([ !#-\[\]-~]*+(?:\\["\\][ !#-\[\]-~]*+)*+)"'
_TOKEN = r"([A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]*+)"  # noqa: S105 - the grammar of a word
_BASE64 = r":([A-Za-z0-9+/]*+={0,2}+):"
_PARAM: Final = re.compile(rf";[ ]*+({_KEY})(?:=(?:{_STRING}|(-?[0-9]{{1,15}}+)|{_TOKEN}|{_BASE64}|\?([01])))?+")
# Parentheses cannot occur inside an inner list but in strings.
LIST_MEMBER: Final = rf'({_KEY})=(\([^()"]*+(?:"[^"\\]*+(?:\\.[^"\\]*+)*+"[^()"]*+)*+\))'
"""The pattern of a label and its inner list; its two groups are these."""
_LIST_MEMBER: Final = re.compile(LIST_MEMBER)
_BYTES_MEMBER: Final = re.compile(rf"({_KEY})={_BASE64}")
_STRING_ITEM: Final = re.compile(_STRING)
_COMMA: Final = re.compile(r"[ \t]*+,[ \t]*+")
_NEXT_ITEM: Final = re.compile(r"[ ]*+")
_ESCAPED: Final = re.compile(r'\\(["\\])')
_UNSAFE: Final = re.compile(r'(["\\])')


def _unescape(text: str) -> str:
    return _ESCAPED.sub(r"\1", text) if "\\" in text else text


def base64_text(data: bytes) -> str:
    """Canonical base64 with padding (RFC 4648 §4)."""
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def octets(text: str) -> bytes:
    """The bytes of canonical base64. Raises SfError for any other text."""
    try:
        data = binascii.a2b_base64(text, strict_mode=True)
    except binascii.Error:
        raise SfError("a byte sequence is not base64") from None
    if base64_text(data) != text:  # bits left over in the last character
        raise SfError("a byte sequence is not canonical base64")
    return data


def _value(match: re.Match[str]) -> Value:
    """The value of a parameter; the groups of _PARAM are key, string, integer, token, bytes, boolean."""
    text = match[match.lastindex or 1]
    match match.lastindex:
        case 2:
            return _unescape(text)
        case 3:
            return int(text)
        case 4:
            return Token(text)
        case 5:
            return octets(text)
        case 6:
            return text == "1"
    return True


def _params(text: str, start: int) -> tuple[Params, int]:
    params: Params = {}
    position = start
    while match := _PARAM.match(text, position):
        key, value = match.group(1, 2)
        if key in params:
            raise SfError("a parameter is given twice")
        params[key] = _value(match) if value is None or "\\" in value else value
        position = match.end()
    if len(params) > MAX_MEMBERS:
        raise SfError("too many parameters")
    return params, position


def _canonical(received: str, params: Params) -> str:
    """The serialisation of parameters that were received as ``received``.

    Nearly always the same text. These signs of a difference (a space, a leading zero, -0, ?1) may also stand in a
    string, which costs only time.
    """
    if "; " in received or "=0" in received or "=-" in received or "=?1" in received:
        return params_text(params)
    return received


def string(text: str) -> str:
    """Serialise an sf-string (RFC 9651 §4.1.6). Raises SfError for anything but printable ASCII."""
    if not (text.isascii() and text.isprintable()):
        raise SfError("an sf-string holds printable ASCII only")
    if '"' in text or "\\" in text:
        text = _UNSAFE.sub(r"\\\1", text)
    return f'"{text}"'


def _serialize(value: Value) -> str:
    if isinstance(value, Token):
        return str(value)
    if isinstance(value, str):
        return string(value)
    if isinstance(value, bytes):
        return f":{base64_text(value)}:"
    return f"?{value:d}" if isinstance(value, bool) else str(value)


def params_text(params: Params) -> str:
    """Serialise parameters (RFC 9651 §4.1.1.2)."""
    return "".join(f";{key}" if value is True else f";{key}={_serialize(value)}" for key, value in params.items())


def _next_member(text: str, position: int, end: int) -> int:
    """Where the next member begins after one that ended at ``position``; ``end`` if it was the last."""
    if position == end:
        return end
    comma = _COMMA.match(text, position)
    if comma is None or comma.end() == end:
        raise SfError("something stands between or after the members")
    return comma.end()


def parse_signature_input(text: str) -> dict[str, Member]:
    """Parse a dictionary of inner lists, as ``Signature-Input`` is (RFC 9421 §4.1). Raises SfError.

    The lists themselves are read by ``inner_list``, later and only where needed.
    """
    text = text.strip(" ")
    members: dict[str, Member] = {}
    position, end = 0, len(text)
    while position < end:
        match = _LIST_MEMBER.match(text, position)
        if match is None:
            raise SfError("a member is not a label with an inner list")
        label, inner = match.groups()
        if label in members or len(members) == MAX_MEMBERS:
            raise SfError("a label is given twice, or there are too many")
        start = match.end()
        params, position = _params(text, start)
        members[label] = Member(inner, params, _canonical(text[start:position], params))
        position = _next_member(text, position, end)
    if not members:
        raise SfError("it is empty")
    return members


def parse_byte_sequences(text: str) -> dict[str, tuple[bytes, str]]:
    """Parse a dictionary of byte sequences without parameters: ``Signature``, ``Content-Digest``. Raises SfError.

    For each label the bytes, and their canonical serialisation ``:…:``.
    """
    text = text.strip(" ")
    members: dict[str, tuple[bytes, str]] = {}
    position, end = 0, len(text)
    while position < end:
        match = _BYTES_MEMBER.match(text, position)
        if match is None:
            raise SfError("a member is not a label with a byte sequence")
        label, encoded = match.groups()
        if label in members or len(members) == MAX_MEMBERS:
            raise SfError("a label is given twice, or there are too many")
        members[label] = octets(encoded), f":{encoded}:"
        position = _next_member(text, match.end(), end)
    if not members:
        raise SfError("it is empty")
    return members


@lru_cache(maxsize=512)
def inner_list(text: str) -> tuple[Item, ...]:
    """Parse an inner list of strings with parameters, from ``(`` to ``)``. Raises SfError.

    Remembered, since each client signs the same components every time.
    """
    items: list[Item] = []
    position = _skip(text, 1)
    while text[position] != ")":
        match = _STRING_ITEM.match(text, position)
        if match is None:
            raise SfError("an inner list holds something other than strings")
        params, position = _params(text, match.end())
        value = _unescape(match[1])
        items.append(Item(value, params, string(value) + params_text(params)))
        if len(items) > _MAX_ITEMS:
            raise SfError("an inner list is too long")
        after = _skip(text, position)
        if after == position and text[position] != ")":
            raise SfError("items of an inner list are not separated by spaces")
        position = after
    return tuple(items)


def _skip(text: str, position: int) -> int:
    match = _NEXT_ITEM.match(text, position)
    assert match is not None  # the pattern matches the empty string
    return match.end()


def parse_string(text: str) -> str:
    """Parse an item that is a string without parameters. Raises SfError."""
    match = _STRING_ITEM.fullmatch(text.strip(" "))
    if match is None:
        raise SfError("not a string in quotes")
    return _unescape(match[1])


def purpose_item(purpose: Purpose) -> str:
    """Serialise a purpose for ``Motlan-Purpose``. Raises SfError if it is not printable ASCII."""
    code = string(purpose.code)
    return code if purpose.basis is None else f"{code};basis={string(purpose.basis)}"
