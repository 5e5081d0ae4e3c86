"""Elements read as JSON values, by readers that are compiled once from a shape.

Strict: an element, attribute or text that the shape has no place for is an error, never dropped. What the shape leaves
to a schema (required members, lengths, patterns) is left to it.
"""

import re
from collections.abc import Callable
from typing import Any

from lxml import etree

from adapters.soap.translate_names import member_name
from adapters.soap.translate_scalars import READ, escaped
from adapters.soap.translate_shapes import (
    NIL,
    TYPE,
    XSI,
    Attribute,
    Items,
    JsonText,
    Kind,
    Markup,
    Member,
    MisfitError,
    Named,
    Record,
    Scalar,
    Shape,
    Shapes,
)
from adapters.soap.xml import Element, local_name
from gateway.model.errors import ExchangeError
from gateway.validation.strict_json import parse_json

Reader = Callable[[Element], Any]
"""An element's value. Raises MisfitError."""

_SPACE = " \t\r\n"
_XSI = f"{{{XSI}}}"
_XML = "{http://www.w3.org/XML/1998/namespace}"
_NUMBER_LIKE = re.compile(r"\d{6,}")
_TRUE = frozenset({"true", "1"})
_READ_STRING = READ[Kind.STRING]
ANY = "#any"
TEXT = "#text"
AS = "@xsi:type"
"""The type that an element is of, ``{namespace}name``, where that is not its own."""
EXTRA_NAME = "name"
"""The attribute that an ``additional`` element has its member's name in."""


class ReaderCompiler:
    """Makes readers. shapes: what ``Named`` refers to."""

    def __init__(self, shapes: Shapes) -> None:
        self._shapes = shapes
        self._named: dict[str, Reader] = {}

    def compile(self, shape: Shape, *, nillable: bool = False) -> Reader:
        """A reader for a whole element, its attributes too."""
        inner = self._content(shape)
        allowed = _allowed(shape, self._shapes)

        def read(element: Element) -> Any:
            if element.keys() and _is_nil(element, allowed, nillable=nillable):
                return None
            return inner(element)

        return read

    def _content(self, shape: Shape) -> Reader:
        match shape:
            case Named():
                return self._by_name(shape.name)
            case Scalar():
                return _scalar(shape)
            case JsonText():
                return _json_text
            case Markup():
                return _markup
            case Items():
                return self._items(shape)
            case Record():
                return self._record(shape)

    def _by_name(self, name: str) -> Reader:
        made = self._named.get(name)
        if made is None:
            cell: list[Reader] = []
            made = self._named[name] = lambda element: cell[0](element)  # noqa: PLW0108 - the cell is filled later
            shape = self._shapes[name]
            content = self._content(shape)
            cell.append(self._typed(shape, content) if isinstance(shape, Record) and shape.derived else content)
            self._named[name] = cell[0]
        return made

    def _typed(self, shape: Record, content: Reader) -> Reader:
        """Reads elements that may say which type they are of (XML Schema 1, §2.6.1)."""
        others = {tag: self._by_name(key) for tag, key in shape.derived}

        def read(element: Element) -> Any:
            said = element.get(TYPE)
            if said is None:
                return content(element)
            prefix, _, local = said.strip(_SPACE).rpartition(":")
            namespace = element.nsmap.get(prefix or None)
            tag = f"{{{namespace}}}{local}" if namespace else local
            if tag == shape.own:
                return content(element)
            if tag not in others:
                raise MisfitError("type", AS)
            return {AS: tag, **_unwrapped(others[tag], element)}

        return read

    def _items(self, shape: Items) -> Reader:
        tag = shape.item.tag
        inner = self.compile(shape.item.shape, nillable=shape.item.nillable)

        def read(element: Element) -> list[Any]:
            _no_text(element)
            values: list[Any] = []
            for child in element:
                if child.tag != tag:
                    raise MisfitError("unknown", shown(child))
                try:
                    values.append(inner(child))
                except MisfitError as error:
                    error.path.append(str(len(values)))
                    raise
            return values

        return read

    def _record(self, shape: Record) -> Reader:
        if shape.text is not None:
            return _texts(shape, shape.text)
        table = {member.tag: self._entry(member) for member in shape.members}
        texts = {member.tag: member.name for member in shape.members if _is_text(member)}
        filled = tuple(member.name for member in shape.members if member.filled)
        attributes = _attributes(shape.attributes)
        other = self._others(shape)

        def read(element: Element) -> dict[str, Any]:
            values: dict[str, Any] = attributes(element) if attributes else {}
            text = element.text
            if text and text.strip(_SPACE):
                raise MisfitError("text")
            for child in element:
                text = child.tail
                if text and text.strip(_SPACE):
                    raise MisfitError("text")
                tag = child.tag
                name = texts.get(tag)
                if name is not None and name not in values and not len(child) and not child.keys():
                    values[name] = child.text or ""  # what most elements are, without a call
                    continue
                entry = table.get(tag)
                if entry is None:
                    other(child, values)
                else:
                    entry(child, values)
            for name in filled:
                if name not in values:
                    values[name] = []
            return values

        return read

    def _entry(self, member: Member) -> Callable[[Element, dict[str, Any]], None]:
        return self._many(member) if member.many else self._one(member)

    def _one(self, member: Member) -> Callable[[Element, dict[str, Any]], None]:
        name, nillable = member.name, member.nillable
        inner, allowed = self._content(member.shape), _allowed(member.shape, self._shapes)

        def entry(child: Element, values: dict[str, Any]) -> None:
            if name in values:
                raise MisfitError("repeated", name)
            try:
                if child.keys() and _is_nil(child, allowed, nillable=nillable):
                    values[name] = None
                else:
                    values[name] = inner(child)
            except MisfitError as error:
                error.path.append(name)
                raise

        return entry

    def _many(self, member: Member) -> Callable[[Element, dict[str, Any]], None]:
        name, marked = member.name, member.marked
        inner, allowed = self._content(member.shape), _allowed(member.shape, self._shapes)

        def entry(child: Element, values: dict[str, Any]) -> None:
            found = values.setdefault(name, [])
            try:
                if child.keys() and _is_nil(child, allowed, nillable=member.nillable or marked):
                    if marked:
                        values[name] = _emptied(found)
                    else:
                        found.append(None)
                else:
                    found.append(inner(child))
            except MisfitError as error:
                error.path += [str(len(found)), name]
                raise

        return entry

    def _others(self, shape: Record) -> Callable[[Element, dict[str, Any]], None]:
        """What becomes of an element that no member has."""
        extra = shape.extra
        if extra is None:
            return _unknown if shape.any_at is None else _opaque
        inner = self._content(extra.shape)
        allowed = _allowed(extra.shape, self._shapes) | {EXTRA_NAME}
        known = {member.name for member in shape.members}

        def read(child: Element, values: dict[str, Any]) -> None:
            name = child.get(EXTRA_NAME)
            if child.tag != extra.tag or name is None:
                raise MisfitError("unknown", shown(child))
            if name in values or name in known:
                raise MisfitError("repeated", shown(child))
            try:
                nil = _is_nil(child, allowed, nillable=extra.nillable)
                values[name] = None if nil else inner(child)
            except MisfitError as error:
                error.path.append(shown(child))
                raise

        return read


def _is_text(member: Member) -> bool:
    return not member.many and isinstance(member.shape, Scalar) and member.shape.kind is Kind.STRING


def _unwrapped(reader: Reader, element: Element) -> dict[str, Any]:
    """The members of an element by the reader of its very type."""
    members: dict[str, Any] = reader(element)
    members.pop(AS, None)
    return members


class _Empty(list[Any]):
    """An empty array that stays empty: the element that says so is the only one."""

    def append(self, _: Any) -> None:
        raise MisfitError("nil")


def _emptied(found: list[Any]) -> list[Any]:
    if found or isinstance(found, _Empty):
        raise MisfitError("nil")
    return _Empty()


def shown(element: Element) -> str:
    """An element's name for an error; one that holds a long number is hidden."""
    return hidden(member_name(local_name(element)))


def hidden(name: str) -> str:
    """A name that somebody sent, for an error; one that holds a long number is hidden."""
    return "…" if _NUMBER_LIKE.search(name) else name


def _is_nil(element: Element, allowed: frozenset[str], *, nillable: bool) -> bool:
    """Whether it is null. Raises MisfitError for attributes that it may not have."""
    nil = False
    for name in map(str, element.keys()):
        if name == NIL:
            nil = (element.get(name) or "").strip(_SPACE) in _TRUE
        elif name not in allowed and not name.startswith((_XSI, _XML)):
            raise MisfitError("attribute", f"@{hidden(name.rpartition('}')[2])}")
    if nil and not nillable:
        raise MisfitError("nil")
    if nil and (len(element) or (element.text or "").strip(_SPACE)):
        raise MisfitError("nil")  # XML Schema 1, §3.3.4: a nilled element has no content
    return nil


def _allowed(shape: Shape, shapes: Shapes) -> frozenset[str]:
    while isinstance(shape, Named):
        shape = shapes[shape.name]
    if isinstance(shape, Markup) or (isinstance(shape, Record) and shape.any_attribute):
        return _Everything()
    if isinstance(shape, Record):
        own = frozenset(attribute.tag for attribute in shape.attributes)
        return own.union(*(_allowed(shapes[key], shapes) for _, key in shape.derived))
    return frozenset()


class _Everything(frozenset[str]):
    """Names of attributes that nobody lists."""

    def __contains__(self, _: object) -> bool:
        return True


def _scalar(shape: Scalar) -> Reader:
    convert = READ[shape.kind]
    if convert is _READ_STRING:
        return _text_of

    def read(element: Element) -> Any:
        return convert(_text_of(element))

    return read


def _text_of(element: Element) -> str:
    if len(element):
        raise MisfitError("elements")
    return element.text or ""


def _json_text(element: Element) -> Any:
    try:
        return parse_json(_text_of(element).encode())
    except ExchangeError:
        raise MisfitError("json") from None


def _markup(element: Element) -> str:
    """What is inside an element, each child canonical and with the namespaces that it needs."""
    pieces = [escaped(element.text or "")]
    for child in element:
        pieces.append(etree.tostring(child, method="c14n", exclusive=True, with_tail=False).decode())
        pieces.append(escaped(child.tail or ""))
    return "".join(pieces)


def _no_text(element: Element) -> None:
    texts = [element.text, *(child.tail for child in element)]
    if any(text and text.strip(_SPACE) for text in texts):
        raise MisfitError("text")


def _attributes(attributes: tuple[Attribute, ...]) -> Callable[[Element], dict[str, Any]] | None:
    if not attributes:
        return None
    table = tuple((each.name, each.tag, READ[each.scalar.kind]) for each in attributes)

    def read(element: Element) -> dict[str, Any]:
        values = {}
        for name, tag, convert in table:
            text = element.get(tag)
            if text is not None:
                try:
                    values[name] = convert(text)
                except MisfitError as error:
                    error.path.append(name)
                    raise
        return values

    return read


def _texts(shape: Record, scalar: Scalar) -> Reader:
    attributes = _attributes(shape.attributes)
    content = _scalar(scalar)

    def read(element: Element) -> dict[str, Any]:
        values = attributes(element) if attributes else {}
        values[TEXT] = content(element)
        return values

    return read


def _opaque(child: Element, values: dict[str, Any]) -> None:
    """XML that no schema describes: canonical, with the namespaces that it needs."""
    text = etree.tostring(child, method="c14n", exclusive=True, with_tail=False).decode()
    values.setdefault(ANY, []).append(text)


def _unknown(child: Element, _: dict[str, Any]) -> None:
    raise MisfitError("unknown", shown(child))
