"""XML Schema as fields: what elements and attributes a message may have, and what of it cannot be carried.

zeep builds messages, but forgets enumerations, patterns and what a schema leaves open; so the schema is read here.
"""

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from adapters.kit.contract import DEEPEST, MOST_FIELDS, ContractError, Field, Kind
from adapters.soap.xml import Element, local_name

XSD = "http://www.w3.org/2001/XMLSchema"
ENCODING = "http://schemas.xmlsoap.org/soap/encoding/"
TEXT = "#text"
"""Name of the field that is the text of an element with attributes."""
ANY = "*"
"""Name of the field for elements that the schema leaves open."""

_KINDS = {
    "boolean": Kind.BOOLEAN,
    "date": Kind.DATE,
    "dateTime": Kind.MOMENT,
    "base64Binary": Kind.BINARY,
    "hexBinary": Kind.BINARY,
    **dict.fromkeys(("decimal", "float", "double"), Kind.NUMBER),
    **dict.fromkeys(
        (
            *("integer", "int", "long", "short", "byte", "nonNegativeInteger", "positiveInteger"),
            *("nonPositiveInteger", "negativeInteger", "unsignedInt", "unsignedLong", "unsignedShort", "unsignedByte"),
        ),
        Kind.INTEGER,
    ),
}
_OPEN = frozenset({"anyType", "anySimpleType"})
_GROUPS = frozenset({"sequence", "choice", "all", "group"})
_MOST_VALUES = 100


class Shape(Struct, frozen=True, kw_only=True):
    """What a type says of a field that has it."""

    kind: Kind = Kind.TEXT
    fields: tuple[Field, ...] = ()
    values: tuple[str, ...] = ()
    pattern: str = ""
    longest: int | None = None
    lost: str = ""


class Name(Struct, frozen=True):
    """A qualified name."""

    namespace: str
    local: str


class Types:
    """The schemas of one contract. add: one at a time; element: a global element as a field."""

    def __init__(self) -> None:
        self._global: dict[tuple[str, Name], Element] = {}
        self._schema: dict[Element, tuple[str, bool, bool]] = {}
        self._left = MOST_FIELDS

    def add(self, schema: Element, namespace: str | None = None) -> None:
        """Know a schema. namespace: of the schema that includes it, where it has none of its own."""
        target = schema.get("targetNamespace") or namespace or ""
        qualified = schema.get("elementFormDefault") == "qualified"
        attributes = schema.get("attributeFormDefault") == "qualified"
        self._schema[schema] = (target, qualified, attributes)
        for child in schema:
            if _is_element(child) and (name := child.get("name")):
                self._global.setdefault((local_name(child), Name(target, name)), child)

    def element(self, name: Name) -> Field:
        """A global element. Raises ContractError where there is none. The budget of fields begins anew."""
        self._left = MOST_FIELDS
        node = self._global.get(("element", name))
        if node is None:
            raise ContractError(f"no schema declares the element {name.local} of {name.namespace or 'no namespace'}")
        return self._element(node, ())

    def part(self, name: str, type_name: Name, node: Element) -> Field:
        """A field of a type, as RPC messages have them."""
        shape = self._named(type_name, (), node)
        return _made(Field(name=name, kind=shape.kind, required=True), shape)

    # -- elements ------------------------------------------------------------------------------------------------------

    def _element(self, node: Element, above: tuple[Element, ...], *, optional: bool = False) -> Field:
        target, qualified, _ = self._schema_of(node)
        reference = node.get("ref")
        declared = node
        if reference is not None:
            declared = self._find("element", qname(node, reference))
            target, qualified = self._schema_of(declared)[0], True
        form = declared.get("form")
        is_global = declared.getparent() in self._schema
        in_namespace = is_global or form == "qualified" or (form is None and qualified)
        shape = self._spend() or self._shape(declared, above)
        if declared.get("abstract") == "true":
            shape = Shape(lost="abstract element: what stands in its place is not said")
        field = Field(
            name=declared.get("name", ""),
            namespace=target if in_namespace else "",
            kind=shape.kind,
            required=not optional and node.get("minOccurs", "1") != "0",
            repeated=_many(node),
            nillable=declared.get("nillable") == "true",
            title=_documentation(declared),
        )
        return _made(field, shape)

    def _spend(self) -> Shape | None:
        self._left -= 1
        return Shape(lost=f"the message has more than {MOST_FIELDS} fields") if self._left < 0 else None

    def _shape(self, declared: Element, above: tuple[Element, ...]) -> Shape:
        if (type_name := declared.get("type")) is not None:
            return self._named(qname(declared, type_name), above, declared)
        for child in declared:
            if child.tag == f"{{{XSD}}}complexType":
                return self._complex(child, above)
            if child.tag == f"{{{XSD}}}simpleType":
                return self._simple(child, above)
        return Shape(lost="no type: the schema does not say what stands here")

    def _named(self, name: Name, above: tuple[Element, ...], node: Element) -> Shape:
        if name.namespace == XSD:
            if name.local in _OPEN:
                return Shape(lost=f"xs:{name.local}: the schema does not say what stands here")
            return Shape(kind=_KINDS.get(name.local, Kind.TEXT))
        if name.namespace == ENCODING:
            return Shape(kind=_KINDS.get(name.local, Kind.TEXT))
        if (found := self._global.get(("complexType", name))) is not None:
            return self._complex(found, above)
        if (found := self._global.get(("simpleType", name))) is not None:
            return self._simple(found, above)
        raise ContractError(f"line {node.sourceline}: no schema defines the type {name.local} of {name.namespace}")

    # -- types ---------------------------------------------------------------------------------------------------------

    def _complex(self, node: Element, above: tuple[Element, ...]) -> Shape:
        if node in above:
            return Shape(lost="recursive: the type contains itself")
        if len(above) >= DEEPEST:
            return Shape(lost=f"deeper than {DEEPEST} levels")
        if node.get("abstract") == "true" and node not in above:
            return Shape(lost="abstract type: which one comes is said by xsi:type")
        return self._content(node, (*above, node))

    def _content(self, node: Element, above: tuple[Element, ...]) -> Shape:
        """What a complexType, extension or restriction holds."""
        for child in _children(node, "simpleContent"):
            for derived in _children(child, "extension", "restriction"):
                return self._with_text(derived, above)
        fields: list[Field] = []
        for child in _children(node, "complexContent"):
            for derived in _children(child, "extension", "restriction"):
                base = qname(derived, derived.get("base", "xs:anyType"))
                if base.namespace == ENCODING:
                    return Shape(lost="SOAP-encoded array")
                fields += self._inherited(derived, base, above)
                fields += self._members(derived, above)
        fields += self._members(node, above)
        if node.get("mixed") == "true":
            fields.append(Field(name=TEXT, kind=Kind.TEXT, lost="text between elements (mixed content)"))
        return Shape(kind=Kind.GROUP, fields=tuple(_distinct(fields)))

    def _inherited(self, derived: Element, base: Name, above: tuple[Element, ...]) -> list[Field]:
        found = self._global.get(("complexType", base))
        if found is None or found in above:
            return []
        inherited = self._content(found, (*above, found)).fields
        extension = local_name(derived) == "extension"
        return [each for each in inherited if extension or each.attribute]

    def _with_text(self, derived: Element, above: tuple[Element, ...]) -> Shape:
        """The text of an element with attributes; without any, plain text."""
        base = self._named(qname(derived, derived.get("base", "xs:string")), above, derived)
        attributes = list(self._attributes(derived, above))
        if base.kind is Kind.GROUP:  # derived from another simpleContent
            return replace(base, fields=(*base.fields, *attributes))
        if not attributes:
            return base
        text = _made(Field(name=TEXT, kind=base.kind), base)
        return Shape(kind=Kind.GROUP, fields=(text, *attributes))

    def _members(self, node: Element, above: tuple[Element, ...]) -> list[Field]:
        found: list[Field] = []
        for child in node:
            if _is_element(child) and local_name(child) in _GROUPS:
                found += self._group(child, above, optional=False)
        return found + list(self._attributes(node, above))

    def _group(self, node: Element, above: tuple[Element, ...], *, optional: bool) -> list[Field]:
        if local_name(node) == "group" and (reference := node.get("ref")) is not None:
            inner = self._find("group", qname(node, reference))
            if inner in above:
                return [Field(name=inner.get("name", ""), kind=Kind.TEXT, lost="recursive: the group contains itself")]
            above = (*above, inner)
            found = [each for child in inner for each in self._particle(child, above, optional=optional)]
        else:
            optional = optional or local_name(node) == "choice" or node.get("minOccurs") == "0"
            found = [each for child in node for each in self._particle(child, above, optional=optional)]
        if local_name(node) == "choice":
            found = [replace(each, alternative=True) for each in found]
        if _many(node):
            lost = "a repeated group of several elements" if len(found) > 1 and local_name(node) != "choice" else ""
            found = [replace(each, repeated=True, required=False, lost=each.lost or lost) for each in found]
        return found

    def _particle(self, node: Element, above: tuple[Element, ...], *, optional: bool) -> Iterator[Field]:
        what = local_name(node) if _is_element(node) else ""
        if what == "element":
            if node.get("maxOccurs") != "0":
                yield self._element(node, above, optional=optional)
        elif what in _GROUPS:
            yield from self._group(node, above, optional=optional)
        elif what == "any":
            yield Field(name=ANY, kind=Kind.TEXT, lost="xs:any: the schema does not say what stands here")

    def _attributes(self, node: Element, above: tuple[Element, ...]) -> Iterator[Field]:
        for child in _children(node, "attribute", "attributeGroup"):
            if local_name(child) == "attributeGroup" and (reference := child.get("ref")) is not None:
                yield from self._attributes(self._find("attributeGroup", qname(child, reference)), above)
            elif local_name(child) == "attribute" and child.get("use") != "prohibited":
                yield self._attribute(child, above)

    def _attribute(self, node: Element, above: tuple[Element, ...]) -> Field:
        declared, reference = node, node.get("ref")
        namespace = ""
        if reference is not None:
            name = qname(node, reference)
            found = self._global.get(("attribute", name))
            if found is None:  # xml:lang and its like, whose schema is rarely there
                return Field(name=name.local, namespace=name.namespace, kind=Kind.TEXT, attribute=True)
            declared, namespace = found, name.namespace
        else:
            target, _, qualified = self._schema_of(node)
            form = node.get("form")
            namespace = target if form == "qualified" or (form is None and qualified) else ""
        untyped = declared.get("type") is None and not _children(declared, "simpleType")
        shape = Shape() if untyped else self._shape(declared, above)
        required = node.get("use") == "required"
        field = Field(
            name=declared.get("name", ""), namespace=namespace, kind=shape.kind, attribute=True, required=required
        )
        return _made(field, shape)

    def _simple(self, node: Element, above: tuple[Element, ...]) -> Shape:
        if node in above:
            return Shape(lost="recursive: the type is defined by itself")
        for restriction in _children(node, "restriction"):
            return self._restricted(restriction, (*above, node))
        return Shape()  # a list or a union: its text

    def _restricted(self, node: Element, above: tuple[Element, ...]) -> Shape:
        base = Shape()
        if (name := node.get("base")) is not None:
            base = self._named(qname(node, name), above, node)
        for child in _children(node, "simpleType"):
            base = self._simple(child, above)
        values = tuple(each.get("value", "") for each in _children(node, "enumeration"))
        patterns = [each.get("value", "") for each in _children(node, "pattern")]
        longest = [each.get("value", "") for each in _children(node, "maxLength", "length")]
        return replace(
            base,
            values=values if 0 < len(values) <= _MOST_VALUES else base.values,
            pattern=patterns[0] if len(patterns) == 1 else base.pattern,
            longest=int(longest[-1]) if longest and longest[-1].isdigit() else base.longest,
        )

    # -- names ---------------------------------------------------------------------------------------------------------

    def _find(self, what: str, name: Name) -> Element:
        found = self._global.get((what, name))
        if found is None:
            raise ContractError(f"no schema has the {what} {name.local} of {name.namespace or 'no namespace'}")
        return found

    def _schema_of(self, node: Element) -> tuple[str, bool, bool]:
        for each in (node, *node.iterancestors()):
            if each in self._schema:
                return self._schema[each]
        raise ContractError("an element outside every schema")


def qname(node: Element, text: str) -> Name:
    """The name that a QName in an attribute means, by the prefixes in force there."""
    prefix, colon, local = text.strip().rpartition(":")
    found = node.nsmap.get(prefix if colon else None)
    if colon and found is None:
        raise ContractError(f"line {node.sourceline}: the prefix {prefix} of {text} is declared nowhere")
    return Name(found or "", local)


def _made(field: Field, shape: Shape) -> Field:
    return replace(
        field,
        kind=shape.kind,
        fields=shape.fields,
        values=shape.values,
        pattern=shape.pattern,
        longest=shape.longest,
        lost=field.lost or shape.lost,
    )


def _is_element(node: Element) -> bool:
    """Comments and processing instructions have no name."""
    return str(node.tag).startswith("{")


def _many(node: Element) -> bool:
    most = node.get("maxOccurs", "1")
    return most == "unbounded" or (most.isdigit() and int(most) > 1)


def _children(node: Element, *names: str) -> list[Element]:
    wanted = {f"{{{XSD}}}{name}" for name in names}
    return [child for child in node if child.tag in wanted]


def _distinct(fields: list[Field]) -> Iterator[Field]:
    """Each field once: alternatives of a choice may name the same one."""
    seen: dict[tuple[str, str, bool], int] = {}
    found: list[Field] = []
    for field in fields:
        key = (field.namespace, field.name, field.attribute)
        if key in seen:
            first = found[seen[key]]
            found[seen[key]] = replace(first, repeated=first.repeated or not field.attribute)
            continue
        seen[key] = len(found)
        found.append(field)
    yield from found


def _documentation(node: Element) -> str:
    for note in _children(node, "annotation"):
        for text in _children(note, "documentation"):
            return " ".join("".join(str(each) for each in text.itertext()).split())[:200]
    return ""
