"""A REST service by its OpenAPI 3 description, spoken over SOAP: operations as elements, parameters as their members.

An operation's request element is named after service and ``operationId``. What it takes in path and query are members
by the parameters' names, what it takes as a body is the member ``body``; an operation without parameters is its body.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from msgspec import UNSET, Struct, UnsetType

from adapters.soap.interface import operation_element
from adapters.soap.interface_made import MadeElements, Spoken, misfit, namespace_of, read
from adapters.soap.schema_shapes import SchemaShapes
from adapters.soap.translate_names import element_name
from adapters.soap.translate_scalars import WRITE
from adapters.soap.translate_shapes import JsonText, Kind, Member, MisfitError, Record, Scalar, Shape
from gateway.model.ids import ServiceId

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
_BASE = "urn:motlan:openapi"
_BODY = "body"
_JSON = re.compile(r"application/(?:[^;]+\+)?json\b")
_PARAMETER = re.compile(r"\{([^/{}]*)\}")
_STRING = Scalar(kind=Kind.STRING)
_NOTHING = Record()


class OpenApiService(Struct, frozen=True, kw_only=True):
    """A service and its description, parsed."""

    service: ServiceId
    openapi: Mapping[str, Any]


class _Parameter(Struct, frozen=True, kw_only=True):
    name: str
    in_path: bool
    required: bool
    kind: Kind
    many: bool


class _Operation(Struct, frozen=True, kw_only=True):
    """parameters: None where the element is the body itself. has_body: whether it takes one."""

    method: str
    path: str
    parameters: tuple[_Parameter, ...]
    has_body: bool


class OpenApiInterface:
    """``gateway.ports.Interface`` of such a service. Raises ValueError for descriptions that cannot be used."""

    def __init__(self, chosen: OpenApiService) -> None:
        self._openapi = chosen.openapi
        self._namespace = namespace_of(chosen.service)
        base = element_name(chosen.service.service_code)
        shapes: dict[str, Shape] = {}
        documents = {_BASE: chosen.openapi}
        self._requests = SchemaShapes(documents, self._namespace, shapes, answers=False)
        self._answers = SchemaShapes(documents, self._namespace, shapes, answers=True)
        self._operations: dict[str, _Operation] = {}
        spoken: dict[str, Spoken] = {}
        for path, item in chosen.openapi.get("paths", {}).items():
            for method in _METHODS:
                if isinstance(item, dict) and isinstance(item.get(method), dict):
                    said = item[method]
                    name = operation_element(base, said.get("operationId") or _words(method, path))
                    if name in spoken:
                        raise ValueError(f"two operations are named {name}")
                    spoken[name], operation = self._operation(name, method, path, item, said)
                    self._operations[f"{{{self._namespace}}}{name}"] = operation
        self._elements = MadeElements(self._namespace, base, list(spoken.values()), shapes)

    def called(self, element: str, payload: Callable[[], bytes]) -> tuple[str, str, str | None] | None:
        """Method, path and query of an operation, with the parameters' values; None: there is no such one.

        Raises ExchangeError(SCHEMA_MISMATCH) for parameters that cannot stand there.
        """
        operation = self._operations.get(element)
        if operation is None:
            return None
        if not operation.parameters:
            return operation.method, operation.path, None
        document = self._read(payload())
        try:
            return operation.method, _path(operation, document), _query(operation, document)
        except MisfitError as error:
            raise misfit(error) from None

    def document(self, payload: bytes) -> Any | UnsetType:
        """The body of a request; UNSET for an operation without one. Raises ExchangeError(SCHEMA_MISMATCH)."""
        element, _ = self._elements.opened(payload)
        operation = self._operations[element.tag]
        document = self._read(payload)
        if not operation.has_body:
            return UNSET
        return document.get(_BODY, UNSET) if operation.parameters else document

    def payload(self, element: str, document: Any) -> bytes:
        """The answer element to a request element. Raises ValueError."""
        return self._elements.payload(element, document)

    def wsdl(self, address: str) -> bytes:
        """Its WSDL, made of its description."""
        return self._elements.wsdl(address)

    def _read(self, payload: bytes) -> Any:
        element, reader = self._elements.opened(payload)
        return read(reader, element)

    def _operation(
        self, name: str, method: str, path: str, item: Mapping[str, Any], said: Mapping[str, Any]
    ) -> tuple[Spoken, _Operation]:
        members, parameters = self._parameters(path, [*item.get("parameters", ()), *said.get("parameters", ())])
        schema = _json_schema(self._followed(said.get("requestBody", {})))
        asked: tuple[Shape, bool] = (_NOTHING, False)
        if schema is not None:
            asked = self._requests.compile(schema, _BASE)
        if parameters:
            shape, nullable = asked
            body = (Member(name=_BODY, tag=self._tag(_BODY), shape=shape, nillable=nullable),) if schema else ()
            asked = Record(members=(*members, *body)), False
        answer = self._answer(said.get("responses", {}))
        given = (JsonText(), False) if answer is None else self._answers.compile(answer, _BASE)
        spoken = Spoken(element=name, asked=asked[0], asked_nil=asked[1], given=given[0], given_nil=given[1])
        operation = _Operation(
            method=method.upper(), path=path, parameters=tuple(parameters), has_body=schema is not None
        )
        return spoken, operation

    def _parameters(self, path: str, said: list[Any]) -> tuple[list[Member], list[_Parameter]]:
        """The parameters of path and query; those of an operation replace its path's of the same name and place."""
        found: dict[tuple[str, str], Mapping[str, Any]] = {}
        for each in map(self._followed, said):
            if each.get("in") in {"path", "query"}:
                found[str(each["in"]), str(each.get("name"))] = each
        for name in _PARAMETER.findall(path):
            found.setdefault(("path", name), {"required": True})
        members, parameters = [], []
        names = {_BODY}
        for (place, name), each in found.items():
            if name in names:
                raise ValueError(f"two parameters are named {name}, or one is named {_BODY}")
            names.add(name)
            kind, many = self._kind(each.get("schema", {}), list_allowed=place == "query")
            required = place == "path" or bool(each.get("required"))
            shape = Scalar(kind=kind, base=_BASES[kind])
            members.append(
                Member(name=name, tag=self._tag(name), shape=shape, required=required, many=many, marked=many)
            )
            parameters.append(_Parameter(name=name, in_path=place == "path", required=required, kind=kind, many=many))
        return members, parameters

    def _kind(self, schema: Any, *, list_allowed: bool) -> tuple[Kind, bool]:
        shape, _ = self._requests.compile(schema, _BASE)
        if isinstance(shape, Scalar):
            return shape.kind, False
        inner = getattr(getattr(shape, "item", None), "shape", None)
        if list_allowed and isinstance(inner, Scalar):
            return inner.kind, True
        return Kind.STRING, False  # of no simple type: as the caller writes it

    def _answer(self, responses: Mapping[str, Any]) -> Any:
        """The schema of the first successful answer with JSON; None where there is none."""
        chosen = [self._followed(each) for status, each in sorted(responses.items()) if str(status).startswith("2")]
        return next((schema for each in chosen if (schema := _json_schema(each)) is not None), None)

    def _followed(self, said: Any) -> Mapping[str, Any]:
        """A parameter, body or response, behind its reference."""
        for _ in range(8):
            if not isinstance(said, Mapping) or "$ref" not in said:
                break
            target: Any = self._openapi
            for step in str(said["$ref"]).partition("#")[2].split("/")[1:]:
                key = step.replace("~1", "/").replace("~0", "~")
                target = target.get(key) if isinstance(target, Mapping) else None
            said = target
        if not isinstance(said, Mapping):
            raise ValueError("a reference leads to nothing in the description")  # noqa: TRY004 - its content is wrong
        return said

    def _tag(self, name: str) -> str:
        return f"{{{self._namespace}}}{element_name(name)}"


_BASES = {
    Kind.STRING: "string",
    Kind.TOKEN: "string",
    Kind.INTEGER: "integer",
    Kind.DECIMAL: "decimal",
    Kind.FLOAT: "double",
    Kind.BOOLEAN: "boolean",
}


def _json_schema(said: Mapping[str, Any]) -> Any:
    content = said.get("content", {})
    found = next((each for media, each in content.items() if _JSON.match(media)), None)
    return None if found is None else found.get("schema", True)


def _words(method: str, path: str) -> str:
    """A name for an operation that has none: its method and the words of its path."""
    words = re.findall(r"[^/{}\W]+", path)
    return method + "".join(word[0].upper() + word[1:] for word in words)


def _path(operation: _Operation, document: Mapping[str, Any]) -> str:
    path = operation.path
    for each in operation.parameters:
        if each.in_path:
            value = _text(each, document.get(each.name))
            if value in {"", ".", ".."}:
                raise MisfitError("path", each.name)
            path = path.replace(f"{{{each.name}}}", quote(value, safe=""))
    return path


def _query(operation: _Operation, document: Mapping[str, Any]) -> str | None:
    pairs = []
    for each in operation.parameters:
        value = document.get(each.name)
        if each.in_path or (value is None and not each.required):
            continue
        values = value if each.many and isinstance(value, list) else [value]
        pairs += [f"{quote(each.name, safe='')}={quote(_text(each, one), safe='')}" for one in values]
    return "&".join(pairs) if pairs else None


def _text(parameter: _Parameter, value: Any) -> str:
    if value is None:
        raise MisfitError("required", parameter.name)
    try:
        return WRITE[parameter.kind](value)
    except MisfitError as error:
        error.path.append(parameter.name)
        raise
