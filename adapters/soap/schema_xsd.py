"""Shapes as an XML Schema: what a WSDL made from JSON Schemas says of the service's elements."""

from collections.abc import Iterable

from lxml import etree
from msgspec import Struct

from adapters.soap.schema_patterns import to_xsd
from adapters.soap.translate_read import EXTRA_NAME
from adapters.soap.translate_scalars import escaped, in_attribute
from adapters.soap.translate_shapes import (
    NO_FACETS,
    XSD,
    Facets,
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

_NAME = f'<xs:attribute name="{EXTRA_NAME}" type="xs:string" use="required"/>'
_BOUNDS = (
    ("min_length", "minLength"),
    ("max_length", "maxLength"),
    ("minimum", "minInclusive"),
    ("maximum", "maxInclusive"),
    ("exclusive_minimum", "minExclusive"),
    ("exclusive_maximum", "maxExclusive"),
)
_TEXT = Scalar(kind=Kind.STRING)


class Root(Struct, frozen=True, kw_only=True):
    """A global element. name: its local name."""

    name: str
    shape: Shape
    nillable: bool = False


def schema_of(namespace: str, roots: Iterable[Root], shapes: Shapes) -> str:
    """The XML Schema (version 1.0) of elements and named types in one namespace: an ``xs:schema`` element as text."""
    writer = _SchemaWriter(shapes)
    types = [writer.named_type(key) for key in shapes]
    elements = [writer.element(root.name, root.shape, nillable=root.nillable) for root in roots]
    return (
        f'<xs:schema xmlns:xs="{XSD}" xmlns:tns="{in_attribute(namespace)}" elementFormDefault="qualified" '
        f'targetNamespace="{in_attribute(namespace)}">{"".join(types + elements)}</xs:schema>'
    )


class _SchemaWriter:
    def __init__(self, shapes: Shapes) -> None:
        self._shapes = shapes

    def named_type(self, key: str) -> str:
        """A global type; nothing for a name that stands for a simple one."""
        shape = self._shapes[key]
        if not isinstance(shape, Record | Items):
            return ""
        inside = _documentation(shape.title) + self._inside(shape)
        return f'<xs:complexType name="{self._type_name(key)}">{inside}</xs:complexType>'

    def element(self, name: str, shape: Shape, *, nillable: bool = False, occurs: str = "") -> str:
        """An element of a shape."""
        head = f'<xs:element name="{name}"{occurs}' + (' nillable="true"' if nillable else "")
        match shape:
            case Named():
                return f'{head} type="tns:{self._type_name(shape.name)}"/>'
            case Scalar(facets=facets) if facets == NO_FACETS and not shape.title:
                return f'{head} type="xs:{shape.base}"/>'
            case Scalar():
                return f"{head}>{_documentation(shape.title)}{_simple(shape)}</xs:element>"
            case JsonText():
                note = _documentation(f"{shape.title} (JSON)" if shape.title else "JSON")
                return f"{head}>{note}{_simple(_TEXT)}</xs:element>"
            case Markup():
                raise ValueError("what has no schema has none to be written")
            case _:
                inside = f"<xs:complexType>{self._inside(shape)}</xs:complexType>"
                return f"{head}>{_documentation(shape.title)}{inside}</xs:element>"

    def _type_name(self, key: str) -> str:
        shape = self._shapes[key]
        if isinstance(shape, Record) and shape.type_name:
            return shape.type_name
        return f"Type{sorted(self._shapes).index(key)}"

    def _inside(self, shape: Record | Items, attributes: str = "") -> str:
        if isinstance(shape, Items):
            return f"<xs:sequence>{self._repeated(shape.item)}</xs:sequence>{attributes}"
        members = "".join(self._member(member) for member in shape.members)
        extra = self._extra(shape.extra) if shape.extra is not None else ""
        return f"<xs:sequence>{members}{extra}</xs:sequence>{attributes}"

    def _member(self, member: Member) -> str:
        name = member.tag.rpartition("}")[2]
        if member.many:
            return self._repeated(member)
        occurs = "" if member.required else ' minOccurs="0"'
        return self.element(name, member.shape, nillable=member.nillable, occurs=occurs)

    def _repeated(self, member: Member) -> str:
        name = member.tag.rpartition("}")[2]
        least = member.least if member.required or not member.many else 0
        most = "unbounded" if member.most is None else str(max(member.most, 1))
        occurs = f' minOccurs="{least}" maxOccurs="{most}"'
        empty = member.marked and member.least == 0
        return self.element(name, member.shape, nillable=member.nillable or empty, occurs=occurs)

    def _extra(self, extra: Member) -> str:
        """The element for members that no property names: its shape, and the attribute with the name."""
        name = extra.tag.rpartition("}")[2]
        nillable = ' nillable="true"' if extra.nillable else ""
        head = f'<xs:element name="{name}" minOccurs="0" maxOccurs="unbounded"{nillable}><xs:complexType>'
        match extra.shape:
            case Named():
                kind, base, inside = "complexContent", f"tns:{self._type_name(extra.shape.name)}", _NAME
            case Markup():
                raise ValueError("what has no schema has none to be written")
            case Scalar() | JsonText():
                base = extra.shape.base if isinstance(extra.shape, Scalar) else "string"
                kind, base, inside = "simpleContent", f"xs:{base}", _NAME
            case _:
                return f"{head}{self._inside(extra.shape, _NAME)}</xs:complexType></xs:element>"
        extended = f'<xs:extension base="{base}">{inside}</xs:extension>'
        return f"{head}<xs:{kind}>{extended}</xs:{kind}></xs:complexType></xs:element>"


def _simple(shape: Scalar) -> str:
    facets = _facets(shape.facets)
    return f'<xs:simpleType><xs:restriction base="xs:{shape.base}">{facets}</xs:restriction></xs:simpleType>'


def _facets(facets: Facets) -> str:
    made = [f'<xs:{name} value="{value}"/>' for key, name in _BOUNDS if (value := getattr(facets, key)) is not None]
    if facets.pattern is not None:
        made += _pattern(facets.pattern)
    try:
        made += [f'<xs:enumeration value="{in_attribute(value)}"/>' for value in dict.fromkeys(facets.enumeration)]
    except MisfitError:
        return ""  # a value that XML cannot carry: none can be listed, or that one would seem forbidden
    return "".join(made)


def _pattern(pattern: str) -> list[str]:
    """The facet, if libxml2 compiles it and the pattern says the same in XSD."""
    made = to_xsd(pattern)
    if made is None:
        return []
    try:
        facet = f'<xs:pattern value="{in_attribute(made)}"/>'
    except MisfitError:
        return []
    probe = (
        f'<xs:schema xmlns:xs="{XSD}"><xs:simpleType name="t"><xs:restriction base="xs:string">{facet}'
        "</xs:restriction></xs:simpleType></xs:schema>"
    )
    try:
        etree.XMLSchema(etree.fromstring(probe))
    except etree.LxmlError:
        return []
    return [facet]


def _documentation(title: str) -> str:
    if not title:
        return ""
    try:
        return f"<xs:annotation><xs:documentation>{escaped(title)}</xs:documentation></xs:annotation>"
    except MisfitError:
        return ""
