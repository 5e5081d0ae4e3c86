"""Shapes as JSON Schema (draft 2020-12): what REST consumers, grants and records know of a WSDL's elements."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from adapters.soap.translate_read import ANY, TEXT
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
    needed: dict[str, None] = {}
    root = _nullable(_schema(shape, needed), nillable=nillable)
    definitions: dict[str, Any] = {}
    done: set[str] = set()
    while set(needed) - done:
        for name in [each for each in needed if each not in done]:
            done.add(name)
            definitions[_definition(name)] = _schema(shapes[name], needed)
    made = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": schema_id, **root}
    return {**made, "$defs": definitions} if definitions else made


def _definition(name: str) -> str:
    """A definition's key: without what a JSON Pointer in a URI would have to escape."""
    return "".join(each if each.isalnum() and each.isascii() else "-" for each in name)


def _schema(shape: Shape, needed: dict[str, None]) -> dict[str, Any]:
    match shape:
        case Named():
            needed[shape.name] = None
            return {"$ref": f"#/$defs/{_definition(shape.name)}"}
        case Scalar():
            return _scalar(shape)
        case JsonText():
            return {}
        case Markup():
            return {"type": "string", "contentMediaType": "application/xml"}
        case Items():
            return {"type": "array", "items": _item(shape.item, needed)}
        case Record():
            return _record(shape, needed)


def _record(shape: Record, needed: dict[str, None]) -> dict[str, Any]:
    properties: dict[str, Any] = {each.name: _scalar(each.scalar) for each in shape.attributes}
    properties |= {each.name: _member(each, needed) for each in shape.members}
    required = [each.name for each in shape.attributes if each.required]
    required += [each.name for each in shape.members if each.required and (each.least or not each.many)]
    if shape.text is not None:
        properties[TEXT] = _scalar(shape.text)
        required.append(TEXT)
    if shape.any_at is not None:
        properties[ANY] = {"type": "array", "items": {"type": "string", "contentMediaType": "application/xml"}}
    made: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**made, "required": required} if required else made


def _member(member: Member, needed: dict[str, None]) -> dict[str, Any]:
    if not member.many:
        return _item(member, needed)
    made: dict[str, Any] = {"type": "array", "items": _item(member, needed)}
    if member.required and member.least:
        made["minItems"] = member.least
    if member.most is not None:
        made["maxItems"] = member.most
    return made


def _item(member: Member, needed: dict[str, None]) -> dict[str, Any]:
    return _nullable(_schema(member.shape, needed), nillable=member.nillable)


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
