"""Shapes out of XSD: elements, complex types and their content, for JSON that carries all of it.

What cannot be carried is in ``lost``: the order of elements where the schema leaves it open, text between elements,
attributes that no schema names.
"""

from msgspec import Struct, structs

from adapters.soap.translate_shapes import (
    XSD,
    Attribute,
    Kind,
    Markup,
    Member,
    Named,
    Record,
    Scalar,
    Shape,
)
from adapters.soap.wsdl_index import Name, SchemaError, SchemaIndex, tag_of
from adapters.soap.wsdl_simple import SimpleTypes
from adapters.soap.xml import Element

_XS = f"{{{XSD}}}"
_GROUPS = frozenset({f"{_XS}sequence", f"{_XS}choice", f"{_XS}all"})
_ENCODING = "http://schemas.xmlsoap.org/soap/encoding/"
_DEEPEST = 64
_TEXT = Scalar(kind=Kind.STRING)


class Around(Struct, frozen=True):
    """What the groups around a particle say. many: they repeat. optional: they, or their branch, may be absent."""

    many: bool = False
    optional: bool = False


class _Content(Struct):
    """What a type is made of, while it is collected."""

    members: dict[str, Member]
    attributes: dict[str, Attribute]
    text: Scalar | None = None
    any_at: int | None = None
    any_attribute: bool = False
    mixed: bool = False


class XsdShapes:
    """Compiles elements. ``shapes``: types that have names; ``lost``: what JSON cannot carry, one line each."""

    def __init__(self, index: SchemaIndex) -> None:
        self._index = index
        self._simple = SimpleTypes(index)
        self.shapes: dict[str, Shape] = {}
        self.lost: dict[str, None] = {}

    def element(self, name: Name) -> tuple[Shape, bool]:
        """A global element's shape, and whether it may be nil. Raises SchemaError."""
        node = self._index.get("element", name)
        if node is None:
            raise SchemaError(f"nothing defines the element {name[1]}")
        nillable = node.get("nillable") in {"true", "1"}
        if node.get("type") is not None or node.find(f"{_XS}simpleType") is not None:
            return self._of_element(node), nillable
        key = f"element {tag_of(name)}"
        if key not in self.shapes:
            self.shapes[key] = Markup()  # holds its place while what it contains is compiled
            self.shapes[key] = self._of_element(node)
        return (Named(name=key) if isinstance(self.shapes[key], Record) else self.shapes[key]), nillable

    def type_shape(self, name: Name) -> Shape:
        """A type's shape, by its name. Raises SchemaError."""
        node = self._index.get("complexType", name)
        if node is None:
            return Markup() if name == (XSD, "anyType") else self._simple.named(name)
        key = f"type {tag_of(name)}"
        if key not in self.shapes:
            self.shapes[key] = Record()
            shape = self.shapes[key] = self._complex(node, 0)
            derived = [each for each in self._index.derived(name) if isinstance(self.type_shape(each), Named)]
            if derived and isinstance(shape, Record):
                others = tuple((tag_of(each), f"type {tag_of(each)}") for each in derived)
                self.shapes[key] = structs.replace(shape, own=tag_of(name), derived=others)
        return Named(name=key)

    def part(self, name: str, type_name: Name) -> Member:
        """A part of an rpc message: an element without namespace (WS-I Basic Profile 1.1, R2735)."""
        return Member(name=name, tag=name, shape=self.type_shape(type_name), required=True)

    def _of_element(self, node: Element) -> Shape:
        type_name = node.get("type")
        if type_name is not None:
            return self.type_shape(self._index.name_of(node, type_name))
        simple, inner = node.find(f"{_XS}simpleType"), node.find(f"{_XS}complexType")
        if simple is not None:
            return self._simple.inline(simple)
        if inner is not None:
            return self._complex(inner, 0)
        head = node.get("substitutionGroup")
        return Markup() if head is None else self.element(self._index.name_of(node, head))[0]

    def _complex(self, node: Element, depth: int) -> Shape:
        content = self._content(node, depth)
        if content.mixed and (content.members or content.any_at is not None):
            self.lost["mixed text and elements are kept as XML"] = None
            return Markup()
        if content.mixed and content.text is None:
            content.text = _TEXT
        if content.text is not None and content.members:
            raise SchemaError("a type has text of a type and elements")
        return Record(
            members=tuple(content.members.values()),
            attributes=tuple(content.attributes.values()),
            text=content.text,
            any_at=content.any_at,
            any_attribute=content.any_attribute,
        )

    def _content(self, node: Element, depth: int) -> _Content:
        if depth > _DEEPEST:
            raise SchemaError("types extend one another in a circle")
        content = _Content(members={}, attributes={}, mixed=node.get("mixed") in {"true", "1"})
        for kind in ("simpleContent", "complexContent"):
            derived = node.find(f"{_XS}{kind}")
            if derived is not None:
                content.mixed |= derived.get("mixed") in {"true", "1"}
                self._derived(derived, content, depth, simple=kind == "simpleContent")
                return content
        self._particles(node, content, Around(), depth)
        self._attributes(node, content, depth)
        return content

    def _derived(self, node: Element, content: _Content, depth: int, *, simple: bool) -> None:
        """An extension adds to its base, a restriction says all of its elements anew (XML Schema 1, §3.4)."""
        change = next((each for each in node if each.tag in {f"{_XS}extension", f"{_XS}restriction"}), None)
        if change is None:
            raise SchemaError("a derived type neither extends nor restricts")
        base = self._index.name_of(change, change.get("base", ""))
        extends = change.tag == f"{_XS}extension"
        parent = self._index.get("complexType", base)
        if parent is not None:
            inherited = self._content(parent, depth + 1)
            content.attributes.update(inherited.attributes)
            content.any_attribute |= inherited.any_attribute
            content.text, content.mixed = inherited.text, content.mixed or inherited.mixed
            if extends:
                content.members.update(inherited.members)
                content.any_at = inherited.any_at
        elif simple:
            content.text = self._simple.named(base)
        elif base[0] == _ENCODING:
            content.any_at, content.any_attribute = 0, True
        if simple and not extends and content.text is not None:
            content.text = self._simple.restricted(change, content.text)
        self._particles(change, content, Around(), depth)
        self._attributes(change, content, depth)

    # -- elements ------------------------------------------------------------------------------------------------------

    def _particles(self, node: Element, content: _Content, around: Around, depth: int) -> None:
        """The elements in a type or group, in order."""
        if depth > _DEEPEST:
            raise SchemaError("groups contain one another in a circle")
        for child in node:
            if child.get("maxOccurs") == "0":
                continue
            many = around.many or child.get("maxOccurs", "1") != "1"
            optional = around.optional or child.get("minOccurs") == "0"
            here = Around(many, optional)
            if child.tag in _GROUPS:
                if many and len(child) > 1:
                    self.lost["the order of elements in a repeated group"] = None
                choice = child.tag == f"{_XS}choice"
                self._particles(child, content, Around(many, optional or choice), depth + 1)
            elif child.tag == f"{_XS}group":
                self._group(child, content, here, depth)
            elif child.tag == f"{_XS}any":
                self._any(content)
            elif child.tag == f"{_XS}element":
                self._element(child, content, here)

    def _any(self, content: _Content) -> None:
        if content.any_at is None:
            content.any_at = len(content.members)
        else:
            self.lost["the place of elements that the schema leaves open in several places"] = None

    def _group(self, node: Element, content: _Content, around: Around, depth: int) -> None:
        target = self._index.get("group", self._index.name_of(node, node.get("ref", "")))
        if target is None:
            raise SchemaError("a group refers to nothing")
        self._particles(target, content, around, depth + 1)

    def _element(self, node: Element, content: _Content, around: Around) -> None:
        reference = node.get("ref")
        if reference is None:
            tag, shape = self._index.tag(node, "element"), self._of_element(node)
            nillable = node.get("nillable") in {"true", "1"}
            self._member(content, self._made(node, tag, shape, around, nillable=nillable))
            return
        name = self._index.name_of(node, reference)
        substitutes = list(self._index.substitutes(name))
        inside = Around(around.many, around.optional or bool(substitutes))
        for each in [name, *substitutes]:
            target = self._index.get("element", each)
            if target is None:
                raise SchemaError(f"nothing defines the element {each[1]}")
            if target.get("abstract") not in {"true", "1"}:
                shape, nillable = self.element(each)
                self._member(content, self._made(node, tag_of(each), shape, inside, nillable=nillable))

    def _made(self, node: Element, tag: str, shape: Shape, around: Around, *, nillable: bool) -> Member:
        most = node.get("maxOccurs", "1")
        return Member(
            name=tag.rpartition("}")[2],
            tag=tag,
            shape=shape,
            required=not around.optional,
            many=around.many,
            nillable=nillable,
            filled=around.many,
            least=int(node.get("minOccurs", "1")) if around.many and not around.optional else 0,
            most=int(most) if most.isdigit() and int(most) > 1 else None,
        )

    def _member(self, content: _Content, member: Member) -> None:
        """Add a member; one that is there already may stand in several places, so it repeats."""
        there = content.members.get(member.tag)
        if there is not None:
            self.lost[f"the place of {member.name}, which stands in several"] = None
            content.members[member.tag] = structs.replace(
                there, many=True, filled=True, required=False, least=0, most=None
            )
            return
        names = {each.name for each in content.members.values()}
        name, number = member.name, 1
        while name in names:
            number += 1
            name = f"{member.name}_{number}"
        content.members[member.tag] = structs.replace(member, name=name)

    # -- attributes ----------------------------------------------------------------------------------------------------

    def _attributes(self, node: Element, content: _Content, depth: int) -> None:
        if depth > _DEEPEST:
            raise SchemaError("attribute groups contain one another in a circle")
        for child in node:
            if child.tag == f"{_XS}attribute":
                self._attribute(child, content)
            elif child.tag == f"{_XS}attributeGroup":
                target = self._index.get("attributeGroup", self._index.name_of(child, child.get("ref", "")))
                if target is None:
                    raise SchemaError("an attribute group refers to nothing")
                self._attributes(target, content, depth + 1)
            elif child.tag == f"{_XS}anyAttribute":
                content.any_attribute = True
                self.lost["attributes that the schema leaves open"] = None

    def _attribute(self, node: Element, content: _Content) -> None:
        reference = node.get("ref")
        tag, target = self._index.tag(node, "attribute"), node
        if reference is not None:
            name = self._index.name_of(node, reference)
            tag = tag_of(name)
            found = self._index.get("attribute", name)
            target = node if found is None else found  # xml:lang needs no schema
        if node.get("use") == "prohibited":
            content.attributes.pop(tag, None)
            return
        type_name, inner = target.get("type"), target.find(f"{_XS}simpleType")
        scalar = _TEXT if inner is None else self._simple.inline(inner)
        if type_name is not None:
            scalar = self._simple.named(self._index.name_of(target, type_name))
        local = tag.rpartition("}")[2]
        content.attributes[tag] = Attribute(
            name=f"@{local}", tag=tag, scalar=scalar, required=node.get("use") == "required"
        )
