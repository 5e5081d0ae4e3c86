"""XML as trees of dicts for mappings: local names, texts without white space around, repeated elements as lists."""

from typing import Any

from adapters.soap.heard import Heard
from adapters.soap.xml import Decode, Element, UnreadableXmlError, local_name, parse
from gateway.model.errors import ExchangeError

_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
_MOST_NAMES = 4096
_TEXTS = Heard()
_names: dict[str, str] = {}
"""Qualified name → local name; no more of them than contracts have, whatever strangers send."""


def tree(element: Element, *, attributes: bool = True) -> dict[str, Any]:
    """What is in an element: local name → tree, list of trees, text, or None for an empty one.

    Attributes are ``@name``, an element's text beside attributes is ``""``. Those of XML Schema instances say nothing
    here; an ``xsi:nil`` element is empty anyway. attributes: also those of elements inside (reading them is dear).
    """
    made = _content(element, attributes=attributes)
    if element.attrib:
        _attributes(element, made)
    return made


def _content(element: Element, *, attributes: bool) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for child in element:
        tag = child.tag
        name = _names.get(tag) or _name(child)
        value: Any
        if len(child):
            value = _content(child, attributes=attributes)
            if attributes and child.attrib:
                _attributes(child, value)
        else:
            text = child.text
            value = (text.strip() or None) if text else None
            if attributes and child.attrib:
                value = _with_attributes(child, value)
        if name in made:
            before = made[name]
            if isinstance(before, list):
                before.append(value)
            else:
                made[name] = [before, value]
        else:
            made[name] = value
    return made


def document_tree(data: bytes, decoders: tuple[Decode, ...] = ()) -> dict[str, Any]:
    """The tree of a whole document: ``{root: …}``. Raises UnreadableXmlError."""
    root = parse(data, decoders)
    if len(root):
        return {local_name(root): tree(root)}
    text = (root.text or "").strip() or None
    return {local_name(root): _with_attributes(root, text) if root.attrib else text}


def text_tree(text: str) -> dict[str, Any]:
    """The same of a text inside something else. Raises UnreadableXmlError."""
    try:
        data = text.encode()
    except UnicodeEncodeError:
        raise UnreadableXmlError("the text has half of a surrogate pair") from None
    try:
        return _TEXTS.reading(data, lambda: document_tree(data))
    except ExchangeError:
        raise UnreadableXmlError("there is too much to do") from None


def _name(element: Element) -> str:
    name = local_name(element)
    if len(_names) < _MOST_NAMES:
        _names[element.tag] = name
    return name


def _with_attributes(element: Element, value: str | None) -> Any:
    made: dict[str, Any] = {}
    _attributes(element, made)
    if not made:
        return value
    made[""] = value
    return made


def _attributes(element: Element, made: dict[str, Any]) -> None:
    for name, value in element.attrib.items():
        key = str(name)
        if not key.startswith(_XSI):
            made[f"@{key.rpartition('}')[2]}"] = str(value).strip() or None
