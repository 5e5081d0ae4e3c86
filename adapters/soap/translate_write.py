"""JSON values written as elements, by writers that are compiled once from a shape; strictly in the schema's order."""

from collections.abc import Callable, Mapping
from typing import Any

from lxml import etree

from adapters.soap.heard import Heard
from adapters.soap.translate_read import ANY, AS, EXTRA_NAME, TEXT, hidden
from adapters.soap.translate_scalars import SPECIAL, WRITE, escaped, in_attribute
from adapters.soap.translate_shapes import (
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
from adapters.soap.xml import UnreadableXmlError, parse
from gateway.model.errors import ExchangeError
from gateway.model.jsontext import encode

Writer = Callable[[Any, list[str]], None]
"""Appends a value's element to the pieces. Raises MisfitError."""

_NIL = f' xmlns:xsi="{XSI}" xsi:nil="true"/>'
_special = SPECIAL.search
_WRITTEN = Heard()
"""Whoever writes XML within JSON."""
_MISSING = object()


class WriterCompiler:
    """Makes writers. prefixes: namespace → prefix, ``""`` for the default one; the root declares them."""

    def __init__(self, shapes: Shapes, prefixes: Mapping[str, str]) -> None:
        self._shapes = shapes
        self._prefixes = dict(prefixes)
        self._named: dict[tuple[str, str], Writer] = {}

    def root(self, tag: str, shape: Shape, *, nillable: bool = False) -> Callable[[Any], bytes]:
        """A writer of a whole element of a message, with its namespaces."""
        used = self._prefixes.items()
        declared = "".join([f' xmlns{":" + prefix if prefix else ""}="{in_attribute(uri)}"' for uri, prefix in used])
        write = self._element(tag, shape, nillable=nillable, declared=declared)

        def whole(value: Any) -> bytes:
            pieces: list[str] = []
            write(value, pieces)
            return "".join(pieces).encode()

        return whole

    def _name(self, tag: str) -> str:
        uri, found, local = tag[1:].rpartition("}") if tag[0] == "{" else ("", "", tag)
        prefix = self._prefixes[uri] if found else ""
        return f"{prefix}:{local}" if prefix else local

    def _element(self, tag: str, shape: Shape, *, nillable: bool, declared: str = "") -> Writer:
        name = self._name(tag)
        write = self._content(name, shape, declared)
        if not nillable:
            return write
        nil = f"<{name}{declared}{_NIL}"

        def nullable(value: Any, out: list[str]) -> None:
            if value is None:
                out.append(nil)
            else:
                write(value, out)

        return nullable

    def _content(self, name: str, shape: Shape, declared: str) -> Writer:  # noqa: PLR0911 - one for each shape
        match shape:
            case Named():
                return self._by_name(name, shape.name, declared)
            case Scalar():
                return _scalar(name, shape, declared)
            case JsonText():
                return _json_text(name, declared)
            case Markup():
                return _markup(name, declared)
            case Items():
                return self._items(name, shape, declared)
            case Record(text=None):
                return self._record(name, shape, declared)
            case Record():
                return _texts(name, shape, declared)

    def _by_name(self, name: str, type_name: str, declared: str) -> Writer:
        key = (name + declared, type_name)
        made = self._named.get(key)
        if made is None:
            cell: list[Writer] = []
            self._named[key] = lambda value, out: cell[0](value, out)  # noqa: PLW0108 - it is filled later
            shape = self._shapes[type_name]
            made = self._content(name, shape, declared)
            if isinstance(shape, Record) and shape.derived:
                made = self._typed(name, shape, made, declared)
            cell.append(made)
            self._named[key] = made
        return made

    def _typed(self, name: str, shape: Record, content: Writer, declared: str) -> Writer:
        """Writes elements that may be of another type than their own, which they then say."""
        others = {tag: self._content(name, self._shapes[key], declared + _said(tag)) for tag, key in shape.derived}

        def write(value: Any, out: list[str]) -> None:
            said = value.get(AS) if isinstance(value, dict) else None
            if said is None:
                content(value, out)
                return
            writer = content if said == shape.own else others.get(said) if isinstance(said, str) else None
            if writer is None:
                raise MisfitError("type", AS)
            writer({member: each for member, each in value.items() if member != AS}, out)

        return write

    def _items(self, name: str, shape: Items, declared: str) -> Writer:
        item = self._element(shape.item.tag, shape.item.shape, nillable=shape.item.nillable)
        opened, closed = f"<{name}{declared}>", f"</{name}>"

        def write(value: Any, out: list[str]) -> None:
            if not isinstance(value, list):
                raise MisfitError("type")
            out.append(opened)
            _each(item, value, out)
            out.append(closed)

        return write

    def _record(self, name: str, shape: Record, declared: str) -> Writer:
        members = [(member.name, self._member(member)) for member in shape.members]
        if shape.any_at is not None:
            members.insert(shape.any_at, (ANY, _any))
        attributes = _attributes(shape.attributes)
        others = self._others(shape)
        opened, closed = f"<{name}{declared}", f"</{name}>"

        def write(value: Any, out: list[str]) -> None:
            if not isinstance(value, dict):
                raise MisfitError("type")
            written = 0
            if attributes is None:
                out.append(opened + ">")
            else:
                text, written = attributes(value)
                out.append(f"{opened}{text}>")
            for member, write_member in members:
                found = value.get(member, _MISSING)
                if found is _MISSING:
                    continue
                written += 1
                try:
                    write_member(found, out)
                except MisfitError as error:
                    error.path.append(member)
                    raise
            if written != len(value):
                others(value, out)
            out.append(closed)

        return write

    def _member(self, member: Member) -> Writer:
        if not member.many:
            return self._element(member.tag, member.shape, nillable=member.nillable)
        item = self._element(member.tag, member.shape, nillable=member.nillable)
        empty = f"<{self._name(member.tag)}{_NIL}" if member.marked else ""

        def write(value: Any, out: list[str]) -> None:
            if not isinstance(value, list):
                raise MisfitError("type")
            if value:
                _each(item, value, out)
            else:
                out.append(empty)

        return write

    def _others(self, shape: Record) -> Callable[[dict[str, Any], list[str]], None]:
        """Writes the members of an object that are no members of the shape."""
        known = {member.name for member in shape.members} | {each.name for each in shape.attributes}
        known |= set() if shape.any_at is None else {ANY}
        if shape.extra is not None:
            return self._extra(shape.extra, known)

        def unknown(value: dict[str, Any], _: list[str]) -> None:
            raise MisfitError("unknown", hidden(next(name for name in value if name not in known)))

        return unknown

    def _extra(self, extra: Member, known: set[str]) -> Callable[[dict[str, Any], list[str]], None]:
        tag = self._name(extra.tag)
        inner = self._element(extra.tag, extra.shape, nillable=extra.nillable)

        def write(value: dict[str, Any], out: list[str]) -> None:
            for name, found in value.items():
                if name in known:
                    continue
                pieces: list[str] = []
                try:
                    inner(found, pieces)
                    opened = f'<{tag} {EXTRA_NAME}="{in_attribute(name)}"'
                except MisfitError as error:
                    error.path.append(hidden(name))
                    raise
                pieces[0] = opened + pieces[0][len(tag) + 1 :]
                out += pieces

        return write


def _said(tag: str) -> str:
    uri, _, local = tag[1:].rpartition("}") if tag[0] == "{" else ("", "", tag)
    declared = f' xmlns:xsi="{XSI}"'
    if not uri:
        return f'{declared} xsi:type="{local}"'
    return f'{declared} xmlns:t="{in_attribute(uri)}" xsi:type="t:{local}"'


def _each(item: Writer, values: list[Any], out: list[str]) -> None:
    for index, each in enumerate(values):
        try:
            item(each, out)
        except MisfitError as error:
            error.path.append(str(index))
            raise


def _scalar(name: str, shape: Scalar, declared: str) -> Writer:
    opened, closed = f"<{name}{declared}>", f"</{name}>"
    convert = WRITE[shape.kind]

    def string(value: Any, out: list[str]) -> None:
        if type(value) is not str:
            raise MisfitError("type")
        out.append(f"{opened}{value if _special(value) is None else escaped(value)}{closed}")

    def other(value: Any, out: list[str]) -> None:
        out.append(f"{opened}{convert(value)}{closed}")

    return string if shape.kind in {Kind.STRING, Kind.TOKEN} else other


def _json_text(name: str, declared: str) -> Writer:
    opened, closed = f"<{name}{declared}>", f"</{name}>"

    def write(value: Any, out: list[str]) -> None:
        try:
            text = encode(value).decode()
        except (TypeError, ValueError):
            raise MisfitError("type") from None
        out.append(f"{opened}{escaped(text)}{closed}")

    return write


def _markup(name: str, declared: str) -> Writer:
    """Writes XML of the caller's inside an element, read and written again. For names with a prefix or none."""

    def write(value: Any, out: list[str]) -> None:
        if type(value) is not str:
            raise MisfitError("type")
        out.append(f"<{name}{declared}>{_again(f'<x>{value}</x>')[3:-4]}</{name}>")

    return write


def _texts(name: str, shape: Record, declared: str) -> Writer:
    assert shape.text is not None
    convert = WRITE[shape.text.kind]
    attributes = _attributes(shape.attributes)
    known = {TEXT, *(each.name for each in shape.attributes)}

    def write(value: Any, out: list[str]) -> None:
        if not isinstance(value, dict):
            value = {TEXT: value}  # an element without its attributes may be given as its text alone
        unknown = next((each for each in value if each not in known), None)
        if unknown is not None:
            raise MisfitError("unknown", hidden(unknown))
        text = attributes(value)[0] if attributes else ""
        try:
            content = escaped(convert(value.get(TEXT, "")))
        except MisfitError as error:
            error.path.append(TEXT)
            raise
        out.append(f"<{name}{declared}{text}>{content}</{name}>")

    return write


def _attributes(attributes: tuple[Attribute, ...]) -> Callable[[dict[str, Any]], tuple[str, int]] | None:
    """Makes the attributes of an object's element, and counts them."""
    if not attributes:
        return None
    table = tuple(
        (each.name, _attribute_name(each.tag, index), WRITE[each.scalar.kind]) for index, each in enumerate(attributes)
    )

    def write(value: dict[str, Any]) -> tuple[str, int]:
        made = []
        for name, written, convert in table:
            found = value.get(name, _MISSING)
            if found is not _MISSING:
                try:
                    made.append(f' {written[0]}="{in_attribute(convert(found))}"{written[1]}')
                except MisfitError as error:
                    error.path.append(name)
                    raise
        return "".join(made), len(made)

    return write


def _attribute_name(tag: str, index: int) -> tuple[str, str]:
    """Its name in a start tag, and the declaration that the name needs."""
    if tag[0] != "{":
        return tag, ""
    uri, _, local = tag[1:].rpartition("}")
    if uri == "http://www.w3.org/XML/1998/namespace":
        return f"xml:{local}", ""
    return f"a{index}:{local}", f' xmlns:a{index}="{in_attribute(uri)}"'


def _any(value: Any, out: list[str]) -> None:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise MisfitError("type")
    out.extend(_again(text) for text in value)


def _again(text: str) -> str:
    """XML of somebody's, read and written again: what is sent is one element and nothing else."""
    data = text.encode("utf-8", "surrogatepass")

    def work() -> str:
        return etree.tostring(parse(data), method="c14n", exclusive=True, with_tail=False).decode()

    try:
        return _WRITTEN.reading(data, work)
    except (UnreadableXmlError, ExchangeError):
        raise MisfitError("xml") from None
