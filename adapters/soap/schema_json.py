"""Shapes as JSON Schema (draft 2020-12): what REST consumers, grants and records know of a WSDL's elements."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from adapters.soap.translate_read import ANY, AS, TEXT
from adapters.soap.translate_shapes import (
    Facets,
    Items,
    JsonText,
    Kind,
    Markup,
    Member,
    Named,
    Record,
    Scalar,
    Shape,
    Shapes,
)

_TYPES = {
    Kind.STRING: "string",
    Kind.TOKEN: "string",
    Kind.INTEGER: "integer",
    Kind.DECIMAL: "number",
    Kind.FLOAT: "number",
    Kind.BOOLEAN: "boolean",
}
_BOUNDS = (
    ("minimum", "minimum"),
    ("maximum", "maximum"),
    ("exclusive_minimum", "exclusiveMinimum"),
    ("exclusive_maximum", "exclusiveMaximum"),
)


def json_schema(schema_id: str, shape: Shape, shapes: Shapes, *, nillable: bool = False) -> dict[str, Any]:
    """The schema of a shape's documents, with the types that it needs under ``$defs``."""
    writer = _SchemaWriter(shapes)
    root = _nullable(writer.schema(shape), nillable=nillable)
    definitions = writer.definitions()
    made = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": schema_id, **root}
    return {**made, "$defs": definitions} if definitions else made


class _SchemaWriter:
    def __init__(self, shapes: Shapes) -> None:
        self._shapes = shapes
        self._needed: dict[tuple[str, str], None] = {}

    def definitions(self) -> dict[str, Any]:
        """Every type that was referred to, and what these refer to."""
        made: dict[str, Any] = {}
        while len(made) < len(self._needed):
            for key, said in list(self._needed):
                name = _definition(key, said)
                if name not in made:
                    made[name] = self._defined(key, said)
        return made

    def _defined(self, key: str, said: str) -> dict[str, Any]:
        shape = self._shapes[key]
        if not isinstance(shape, Record):
            return self.schema(shape)
        made = self._record(shape)
        if said:
            made["properties"] = {AS: {"const": said}, **made["properties"]}
            made["required"] = [AS, *made.get("required", ())]
        elif shape.own:
            made["properties"] = {AS: {"const": shape.own}, **made["properties"]}
        return made

    def schema(self, shape: Shape) -> dict[str, Any]:
        """A value's schema."""
        match shape:
            case Named():
                return self._named(shape.name)
            case Scalar():
                return _scalar(shape)
            case JsonText():
                return {}
            case Markup():
                return {"type": "string", "contentMediaType": "application/xml"}
            case Items():
                return {"type": "array", "items": self._item(shape.item)}
            case Record():
                return self._record(shape)

    def _named(self, key: str) -> dict[str, Any]:
        target = self._shapes[key]
        derived = target.derived if isinstance(target, Record) else ()
        references = [self._reference(key, ""), *(self._reference(other, tag) for tag, other in derived)]
        return references[0] if len(references) == 1 else {"anyOf": references}

    def _reference(self, key: str, said: str) -> dict[str, Any]:
        self._needed[key, said] = None
        return {"$ref": f"#/$defs/{_definition(key, said)}"}

    def _record(self, shape: Record) -> dict[str, Any]:
        properties: dict[str, Any] = {each.name: _scalar(each.scalar) for each in shape.attributes}
        properties |= {each.name: self._member(each) for each in shape.members}
        required = [each.name for each in shape.attributes if each.required]
        required += [each.name for each in shape.members if each.required and (each.least or not each.many)]
        if shape.text is not None:
            properties[TEXT] = _scalar(shape.text)
            required.append(TEXT)
        if shape.any_at is not None:
            properties[ANY] = {"type": "array", "items": {"type": "string", "contentMediaType": "application/xml"}}
        made: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
        return {**made, "required": required} if required else made

    def _member(self, member: Member) -> dict[str, Any]:
        if not member.many:
            return self._item(member)
        made: dict[str, Any] = {"type": "array", "items": self._item(member)}
        if member.required and member.least:
            made["minItems"] = member.least
        if member.most is not None:
            made["maxItems"] = member.most
        return made

    def _item(self, member: Member) -> dict[str, Any]:
        return _nullable(self.schema(member.shape), nillable=member.nillable)


def _definition(key: str, said: str) -> str:
    """A definition's key: without what a JSON Pointer in a URI would have to escape."""
    name = "".join(each if each.isalnum() and each.isascii() else "-" for each in key)
    return f"{name}-named" if said else name


def _nullable(schema: Mapping[str, Any], *, nillable: bool) -> dict[str, Any]:
    return {"anyOf": [dict(schema), {"type": "null"}]} if nillable else dict(schema)


def _scalar(shape: Scalar) -> dict[str, Any]:
    made: dict[str, Any] = {"type": _TYPES[shape.kind]}
    facets: Facets = shape.facets
    if facets.enumeration:
        made["enum"] = list(facets.enumeration)
    said = (("pattern", facets.pattern), ("minLength", facets.min_length), ("maxLength", facets.max_length))
    made |= {name: value for name, value in said if value is not None}
    for key, word in _BOUNDS:
        bound = _number(getattr(facets, key))
        if bound is not None:
            made[word] = bound
    return made


def _number(text: str | None) -> int | float | None:
    if text is None:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    if not number.is_finite():
        return None
    return int(number) if number == number.to_integral_value() else float(number)
