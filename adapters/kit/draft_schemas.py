"""JSON Schemas of a drafted operation's request and answer."""

import re
from typing import Any

from adapters.kit.contract import Field, Kind
from adapters.kit.drafting import Drafted, lost_here
from adapters.kit.naming import Named

BASE = "https://motlan.example/schemas/json/"
"""What file names are resolved against, the product's own schemas too."""
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_SIMPLE_PATTERN = re.compile(
    r"(?:[A-Za-z0-9 _.,:/-]|\\[dws.\-/]|\[[A-Za-z0-9 _.,:/-]+\]|\{[0-9]+(?:,[0-9]*)?\}|[?*+|()])+"
)
"""A pattern that XML Schema and JSON Schema read alike."""
_TYPES = {Kind.INTEGER: "integer", Kind.NUMBER: "number", Kind.BOOLEAN: "boolean"}


def schemas_of(drafted: Drafted, service: str) -> dict[str, Any]:
    """File name → schema: of the request, and of the answer if it has one."""
    stem = f"{service}-{drafted.code}"
    title = drafted.operation.title or drafted.operation.name
    request = _object(drafted.request, asked=True)
    made = {f"{stem}.request.json": _document(f"{stem}.request.json", title, request)}
    answer = _object(drafted.answer, asked=False)
    if answer["properties"]:
        made[f"{stem}.response.json"] = _document(f"{stem}.response.json", title, answer)
    return made


def joined(names: list[str], name: str, title: str) -> dict[str, Any]:
    """One schema for a service with several operations: what any of them takes or gives."""
    return _document(name, title, {"anyOf": [{"$ref": each} for each in names]})


def simple_pattern(pattern: str) -> str:
    """The pattern as JSON Schema wants it, anchored; ``""`` where the dialects might differ."""
    return f"^(?:{pattern})$" if pattern and _SIMPLE_PATTERN.fullmatch(pattern) else ""


def _document(name: str, title: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"$schema": _DIALECT, "$id": BASE + name, "title": title, **schema}


def _object(named: tuple[Named, ...], *, asked: bool) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    required = []
    for each in named:
        if each.field.lost or lost_here(each) or not each.element:
            continue
        schema = _value(each, asked=asked)
        if schema is None:
            continue
        properties[each.element[0]] = schema
        if asked and each.field.required:
            required.append(each.element[0])
    made: dict[str, Any] = {"type": "object", "additionalProperties": False, "properties": properties}
    return made | ({"required": required} if required else {})


def _value(each: Named, *, asked: bool) -> dict[str, Any] | None:
    if each.form == "shape":
        one: dict[str, Any] = _object(each.fields, asked=asked)
        if not one["properties"]:
            return None
    elif each.reference:
        one = {"$ref": each.reference}
    else:
        one = _leaf(each.field, asked=asked)
    if each.field.repeated:
        return {"type": "array", "items": one}
    return {"title": each.field.title, **one} if each.field.title and "$ref" not in one else one


def _leaf(field: Field, *, asked: bool) -> dict[str, Any]:
    if field.kind in _TYPES:
        return {"type": _TYPES[field.kind]}
    made: dict[str, Any] = {"type": "string"}
    if not asked:  # registers give what is outside their own contract (Q16)
        return made
    if field.values:
        return made | {"enum": list(field.values)}
    if pattern := simple_pattern(field.pattern):
        made["pattern"] = pattern
    if field.longest is not None:
        made["maxLength"] = field.longest
    if field.kind is Kind.DATE:
        made["format"] = "date"
    return made
