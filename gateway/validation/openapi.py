"""OpenAPI descriptions of services: a provider's own under our address, or one made from a service's JSON Schemas.

Pure: parsed documents in, parsed documents out. What is made is OpenAPI 3.1, whose schemas are JSON Schema 2020-12 as
ours are; references between files become references between the document's components.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

Json = dict[str, Any]

METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch")
"""The operations of a path item that r1 can carry (OpenAPI 3.1 §4.8.9)."""

_MAPS: Final = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
"""Keywords whose value is a table of schemas by names that are nobody's keywords."""
_DATA: Final = frozenset({"const", "enum", "default", "examples"})
"""Keywords whose value is data: a ``$ref`` in it refers to nothing."""
_UNNAMED: Final = re.compile(r"[^A-Za-z0-9._-]+")
_PARAMETER: Final = re.compile(r"\{([^/{}]*)\}")


class Sketch(Struct, frozen=True, kw_only=True):
    """What a description is made from. name: the service's code, which paths begin with. server: the URL before it.

    operations: method and path below the service. request, response: ``$id`` of their schemas.
    """

    name: str
    title: str
    server: str
    operations: tuple[tuple[str, str], ...]
    request: str | None = None
    response: str | None = None


def is_openapi(document: Any) -> bool:
    """Whether a parsed document is an OpenAPI 3 description with paths."""
    if not isinstance(document, dict) or not isinstance(document.get("paths"), dict):
        return False
    if not isinstance(document.get("components", {}), dict):
        return False
    version = document.get("openapi")
    return isinstance(version, str) and version.startswith("3.")


def operations_of(document: Json) -> tuple[tuple[str, str], ...]:
    """Method and path of each operation, parameters of paths written ``*`` as X-Road's endpoints are."""
    return tuple(
        (method.upper(), _PARAMETER.sub("*", path))
        for path, item in document["paths"].items()
        if isinstance(item, dict)
        for method in METHODS
        if method in item
    )


def with_server(document: Json, url: str) -> Json:
    """A provider's own description under our address. Its own addresses, of paths and operations too, and its ways of
    authentication are taken out: callers neither reach nor use them.
    """
    kept = {name: value for name, value in document.items() if name not in {"servers", "security"}}
    kept["servers"] = [{"url": url}]
    kept["paths"] = {path: _without_servers(item) for path, item in document["paths"].items()}
    components = {name: value for name, value in document.get("components", {}).items() if name != "securitySchemes"}
    if components:
        kept["components"] = components
    return kept


def _without_servers(item: Any) -> Any:
    if not isinstance(item, dict):
        return item
    return {
        name: {key: value for key, value in below.items() if key not in {"servers", "security"}}
        if name in METHODS and isinstance(below, dict)
        else below
        for name, below in item.items()
        if name != "servers"
    }


def describe(sketch: Sketch, schemas: Mapping[str, Any]) -> Json:
    """An OpenAPI 3.1 description of a service with JSON Schemas. schemas: all of them, by ``$id``.

    Raises KeyError for a schema that is not among them.
    """
    names = _names(sketch, schemas)
    paths: dict[str, Json] = {}
    for method, path in sketch.operations:
        item = paths.setdefault(f"/{sketch.name}{path}", {})
        item[method.lower()] = _operation(sketch, method, path, names)
    described: Json = {
        "openapi": "3.1.0",
        "info": {"title": sketch.title or sketch.name, "version": "1"},
        "servers": [{"url": sketch.server}],
        "paths": paths,
    }
    if names:
        components = {name: _bundled(schemas[schema_id], schema_id, names) for schema_id, name in names.items()}
        described["components"] = {"schemas": components}
    return described


def _operation(sketch: Sketch, method: str, path: str, names: Mapping[str, str]) -> Json:
    answer: Json = {"description": "The granted elements of the answer."}
    if sketch.response is not None:
        answer["content"] = _json(names[sketch.response])
    made: Json = {"operationId": sketch.name + _UNNAMED.sub("-", path.replace("/", "-"))}
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PARAMETER.findall(path)
    ]
    if parameters:
        made["parameters"] = parameters
    if sketch.request is not None and method not in {"GET", "HEAD", "DELETE"}:
        made["requestBody"] = {"required": True, "content": _json(names[sketch.request])}
    made["responses"] = {"200": answer, "default": {"description": "An error: see X-Road-Error."}}
    return made


def _json(name: str) -> Json:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}


def _names(sketch: Sketch, schemas: Mapping[str, Any]) -> dict[str, str]:
    """A component's name for each schema that is used, by ``$id``; told apart where two files have one name."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    waiting = [schema_id for schema_id in (sketch.request, sketch.response) if schema_id is not None]
    while waiting:
        schema_id = waiting.pop(0)
        if schema_id in names:
            continue
        name = _UNNAMED.sub("-", schema_id.rstrip("/").rpartition("/")[2].removesuffix(".json")) or "schema"
        while name in taken:
            name += "-"
        taken.add(name)
        names[schema_id] = name
        waiting += [refers_to(each, schema_id, schemas)[0] for each in _references(schemas[schema_id])]
    return names


def refers_to(reference: str, base: str, schemas: Mapping[str, Any]) -> tuple[str, str]:
    """The ``$id`` of the schema that a reference in ``base`` leads to, and the fragment in it."""
    name, _, fragment = reference.partition("#")
    if not name:
        return base, fragment
    return (name if name in schemas else base.rpartition("/")[0] + "/" + name), fragment


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, list):
        for each in schema:
            yield from _references(each)
    elif isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"]
        for keyword, value in schema.items():
            if keyword in _MAPS and isinstance(value, dict):
                yield from _references(list(value.values()))
            elif keyword not in _DATA:
                yield from _references(value)


def _bundled(schema: Any, base: str, names: Mapping[str, str]) -> Any:
    if isinstance(schema, list):
        return [_bundled(each, base, names) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made: Json = {}
    for keyword, value in schema.items():
        if keyword in {"$id", "$schema"}:
            continue
        if keyword == "$ref" and isinstance(value, str):
            found, fragment = refers_to(value, base, names)
            made[keyword] = f"#/components/schemas/{names[found]}{fragment}"
        elif keyword in _MAPS and isinstance(value, dict):
            made[keyword] = {name: _bundled(each, base, names) for name, each in value.items()}
        else:
            made[keyword] = value if keyword in _DATA else _bundled(value, base, names)
    return made
