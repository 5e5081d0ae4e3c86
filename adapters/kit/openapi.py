"""An OpenAPI 3 or Swagger 2 document as a contract: its operations with JSON bodies. References stay inside it."""

from collections.abc import Iterator, Mapping
from typing import Any

from adapters.kit.contract import DEEPEST, MOST_FIELDS, Contract, ContractError, Field, Kind, Operation, Place
from adapters.kit.names import code

_METHODS = ("get", "post", "put", "patch", "delete")
_KINDS = {"integer": Kind.INTEGER, "number": Kind.NUMBER, "boolean": Kind.BOOLEAN, "string": Kind.TEXT}
_FORMATS = {"date": Kind.DATE, "date-time": Kind.MOMENT, "byte": Kind.BINARY, "binary": Kind.BINARY}
_JSON = "json"
_GOOD = ("200", "201", "202", "2XX", "default")
_NOT_FOUND = 404
_MOST_VALUES = 100

Tree = Mapping[str, Any]


def read_openapi(document: Any, name: str) -> Contract:
    """What a parsed document offers. name: of its file, for messages. Raises ContractError, with what to do."""
    return _Reader(document, name).contract()


class _Reader:
    def __init__(self, document: Any, name: str) -> None:
        if not isinstance(document, dict) or not isinstance(document.get("paths"), dict):
            raise ContractError(f"{name} is no OpenAPI document: it has no paths")
        if "openapi" not in document and "swagger" not in document:
            raise ContractError(f"{name} says neither openapi nor swagger")
        self._document: Tree = document
        self._name = name
        self._left = MOST_FIELDS

    def contract(self) -> Contract:
        """Every path and method."""
        made = [
            self._operation(path, method, item[method], item.get("parameters", []))
            for path, item in self._document["paths"].items()
            if isinstance(item, dict)
            for method in _METHODS
            if isinstance(item.get(method), dict)
        ]
        if not made:
            raise ContractError(f"{self._name} has no operation")
        title = self._document.get("info", {}).get("title", "")
        return Contract(title=str(title), operations=tuple(made), address=self._address())

    def _address(self) -> str:
        servers = self._document.get("servers")
        if isinstance(servers, list) and servers and isinstance(servers[0], dict):
            return str(servers[0].get("url", ""))
        host = self._document.get("host")
        scheme = next(iter(self._document.get("schemes", ())), "https")
        return f"{scheme}://{host}{self._document.get('basePath', '')}" if host else ""

    def _operation(self, path: str, method: str, said: Tree, shared: Any) -> Operation:
        self._left = MOST_FIELDS
        name = str(said.get("operationId") or code(f"{method} {path}"))
        base = Operation(name=name, title=str(said.get("summary") or ""), method=method.upper(), path=path)
        try:
            request, places = self._request(said, shared)
            answer, repeated = self._answer(said)
        except _UnusableError as error:
            return Operation(name=name, title=base.title, method=base.method, path=path, unusable=str(error))
        responses = said.get("responses", {})
        return Operation(
            name=name,
            title=base.title,
            method=base.method,
            path=path,
            request=request,
            places=places,
            answer=answer,
            answer_repeated=repeated,
            not_found=(_NOT_FOUND,) if str(_NOT_FOUND) in responses else (),
        )

    def _request(self, said: Tree, shared: Any) -> tuple[tuple[Field, ...], dict[str, Place]]:
        fields: dict[str, Field] = {}
        places: dict[str, Place] = {}
        for each in (*(shared or ()), *(said.get("parameters") or ())):
            parameter = self._resolved(each)
            where, name = parameter.get("in"), str(parameter.get("name", ""))
            if where == "body":
                for field in self._root(parameter.get("schema", {})):
                    fields[field.name], places[field.name] = field, Place.BODY
            elif where in {"path", "query", "header"} and name.lower() not in {"authorization", "content-type"}:
                required = bool(parameter.get("required")) or where == "path"
                fields[name] = self._field(name, parameter.get("schema", parameter), (), required=required)
                places[name] = Place(where)
        content = self._resolved(said.get("requestBody", {})).get("content", {})
        if content:
            for field in self._root(self._json(content, "its request body")):
                fields[field.name], places[field.name] = field, Place.BODY
        return tuple(fields.values()), places

    def _answer(self, said: Tree) -> tuple[tuple[Field, ...], bool]:
        responses = said.get("responses", {})
        chosen = next((self._resolved(responses[key]) for key in _GOOD if key in responses), {})
        if "schema" in chosen:
            schema = chosen["schema"]
        elif chosen.get("content"):
            schema = self._json(chosen["content"], "its answer")
        else:
            return (), False
        resolved = self._resolved(schema)
        if resolved.get("type") == "array":
            return tuple(self._root(resolved.get("items", {}))), True
        return tuple(self._root(schema)), False

    def _json(self, content: Tree, what: str) -> Any:
        for kind, media in content.items():
            if _JSON in kind:
                return media.get("schema", {})
        raise _UnusableError(f"{what} is {', '.join(content)}, not JSON")

    def _root(self, schema: Any) -> Iterator[Field]:
        made = self._field("", schema, ())
        if made.kind is not Kind.GROUP or made.repeated:
            raise _UnusableError("its body is not a JSON object")
        return iter(made.fields)

    # -- schemas -------------------------------------------------------------------------------------------------------

    def _field(self, name: str, schema: Any, above: tuple[int, ...], *, required: bool = False) -> Field:
        self._left -= 1
        if self._left < 0 or len(above) > DEEPEST:
            return Field(name=name, kind=Kind.TEXT, lost=f"deeper than {DEEPEST} levels, or too many fields")
        said = self._resolved(schema)
        if id(said) in above:
            return Field(name=name, kind=Kind.TEXT, lost="recursive: the schema contains itself")
        above = (*above, id(said))
        kind, nullable = _type(said)
        if kind == "array":
            inner = self._field(name, said.get("items", {}), above, required=required)
            lost = inner.lost or ("a list of lists" if inner.repeated else "")
            return _with(inner, repeated=True, lost=lost)
        properties = dict(self._properties(said, above))
        if properties:
            return Field(
                name=name,
                kind=Kind.GROUP,
                required=required,
                nillable=nullable,
                title=str(said.get("title") or said.get("description") or "")[:200],
                fields=tuple(properties.values()),
            )
        return _leaf(name, said, kind, required=required, nullable=nullable)

    def _properties(self, said: Tree, above: tuple[int, ...]) -> Iterator[tuple[str, Field]]:
        for word, certain in (("allOf", True), ("anyOf", False), ("oneOf", False)):
            for branch in said.get(word, ()):
                inner = self._resolved(branch)
                if id(inner) not in above:
                    for name, field in self._properties(inner, (*above, id(inner))):
                        yield name, field if certain else _with(field, required=False)
        wanted = said.get("required")
        for name, schema in (said.get("properties") or {}).items():
            yield name, self._field(name, schema, above, required=isinstance(wanted, list) and name in wanted)

    def _resolved(self, schema: Any) -> Tree:
        seen = 0
        while isinstance(schema, dict) and isinstance(reference := schema.get("$ref"), str):
            if not reference.startswith("#/"):
                raise ContractError(
                    f"{self._name} refers to {reference}: only references inside the document are followed, "
                    "so bundle it into one file first"
                )
            schema, seen = self._pointed(reference), seen + 1
            if seen > DEEPEST:
                raise ContractError(f"{self._name}: {reference} leads back to itself")
        return schema if isinstance(schema, dict) else {}

    def _pointed(self, reference: str) -> Any:
        found: Any = self._document
        for step in reference[2:].split("/"):
            key = step.replace("~1", "/").replace("~0", "~")
            if not isinstance(found, dict) or key not in found:
                raise ContractError(f"{self._name}: nothing stands at {reference}")
            found = found[key]
        return found


class _UnusableError(Exception):
    """An operation that cannot be called, and why."""


def _type(said: Tree) -> tuple[str, bool]:
    kind = said.get("type")
    if isinstance(kind, list):
        names = [each for each in kind if each != "null"]
        return (str(names[0]) if len(names) == 1 else ""), "null" in kind
    return str(kind or ""), bool(said.get("nullable"))


def _leaf(name: str, said: Tree, kind: str, *, required: bool, nullable: bool) -> Field:
    values = said.get("enum")
    lost = ""
    if kind in {"", "object"} and values is None:
        lost = "the schema does not say what stands here"
    text = isinstance(values, list) and 0 < len(values) <= _MOST_VALUES and all(isinstance(one, str) for one in values)
    longest = said.get("maxLength")
    return Field(
        name=name,
        kind=_FORMATS.get(str(said.get("format")), Kind.TEXT) if kind == "string" else _KINDS.get(kind, Kind.TEXT),
        required=required,
        nillable=nullable,
        values=tuple(values) if isinstance(values, list) and text else (),
        pattern=str(said.get("pattern") or ""),
        longest=longest if isinstance(longest, int) else None,
        title=str(said.get("title") or said.get("description") or "")[:200],
        lost=lost,
    )


def _with(field: Field, **changes: Any) -> Field:
    """The field with changes; a list of structures keeps its fields."""
    return Field(**{name: getattr(field, name) for name in field.__struct_fields__} | changes)
