"""XML text of a tree, for XML that travels as text inside something else (civil status). No namespaces."""

import re
from decimal import Decimal
from typing import Any

_TEXT = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord("\r"): "&#13;"}
_ATTRIBUTE = {**_TEXT, ord('"'): "&quot;", ord("\t"): "&#9;", ord("\n"): "&#10;"}
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML 1.0 document can hold (§2.2)."""
_NAME = re.compile(r"[A-Za-z_\u00c0-\u1ef9][\w.\-]*")


def is_xml_name(text: str) -> bool:
    """Whether a text can name an element or an attribute here."""
    return _NAME.fullmatch(text) is not None


def xml_text(tree: Any) -> str:
    """The document of a tree with one member, its root. Raises ValueError for what XML cannot hold."""
    if not isinstance(tree, dict) or len(tree) != 1:
        raise ValueError("XML has one root")
    return "".join(_pieces(*next(iter(tree.items()))))


def _pieces(name: str, value: Any) -> list[str]:
    if not is_xml_name(name):
        raise ValueError("no name of an element")
    if isinstance(value, list):
        return [piece for item in value for piece in _pieces(name, item)]
    if not isinstance(value, dict):
        text = _plain(value, _TEXT)
        return [f"<{name}>{text}</{name}>" if text else f"<{name}/>"]
    attributes = "".join(
        f' {key[1:]}="{_plain(inner, _ATTRIBUTE)}"'
        for key, inner in value.items()
        if key[:1] == "@" and is_xml_name(key[1:])
    )
    inner = [_plain(value.get(""), _TEXT)]
    for key, below in value.items():
        if key and key[0] != "@":
            inner += _pieces(key, below)
    return [f"<{name}{attributes}>", *inner, f"</{name}>"]


def _plain(value: Any, escapes: dict[int, str]) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return str(value)
    if not isinstance(value, str) or _FORBIDDEN.search(value):
        raise ValueError("XML cannot hold it")
    return value.translate(escapes)
