"""JSON Schemas, compiled once. A document that does not fit is described by where and which rule, never by value."""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import jsonschema_rs

from gateway.model.errors import ExchangeError
from gateway.model.errors import request as kinds
from gateway.model.errors.base import ErrorKind
from gateway.model.jsontext import WrittenNumber

_MOST = 20
"""How many places an error names."""

_NUMBER_LIKE = re.compile(r"\d{6,}")


class Schema:
    """A compiled schema. Safe to share; ``check`` does not change it."""

    __slots__ = ("_validator",)

    def __init__(self, validator: Any) -> None:
        self._validator = validator

    def check(self, document: Any, kind: ErrorKind = kinds.SCHEMA_MISMATCH) -> None:
        """Raise ExchangeError of ``kind`` if a parsed document does not fit.

        parts: for each place ``pointer keyword``, such as ``/birth_date pattern``.
        """
        try:
            parts = self._misfits(document)
        except ValueError:  # a WrittenNumber: the library knows plain Decimals only
            parts = self._misfits(_plain(document))
        if parts:
            raise ExchangeError(kind, "; ".join(parts), parts=parts)

    def _misfits(self, document: Any) -> tuple[str, ...]:
        if self._validator.is_valid(document):
            return ()
        return tuple(_places(self._validator.iter_errors(document)))


class SchemaSet:
    """Schemas that refer to one another by their ``$id``. No reference is ever fetched.

    schemas: ``$id`` → parsed schema. Raises ValueError for a schema that is itself wrong, or refers to none of these.
    """

    def __init__(self, schemas: Mapping[str, Any]) -> None:
        self._schemas = dict(schemas)
        try:
            self._registry = jsonschema_rs.Registry(list(self._schemas.items()), retriever=_never)
        except (ValueError, jsonschema_rs.ReferencingError) as error:
            raise ValueError(f"no usable JSON Schemas: {error.args[0]}") from error

    def __contains__(self, schema_id: object) -> bool:
        return schema_id in self._schemas

    def __iter__(self) -> Any:
        return iter(self._schemas)

    def document(self, schema_id: str) -> Any:
        """The parsed schema. Raises KeyError."""
        return self._schemas[schema_id]

    def compile(self, schema_id: str) -> Schema:
        """The schema, ready to check documents. Raises KeyError for an unknown one, ValueError for a wrong one."""
        schema = self._schemas[schema_id]
        try:
            validator = jsonschema_rs.validator_for(
                schema, registry=self._registry, retriever=_never, validate_formats=True
            )
        except (ValueError, jsonschema_rs.ReferencingError) as error:
            raise ValueError(f"{schema_id} is no usable JSON Schema: {error.args[0]}") from error
        return Schema(validator)


def _never(uri: str) -> Any:
    raise ValueError(f"no schema {uri} here, and none is fetched")


def _places(errors: Iterable[Any]) -> Iterable[str]:
    seen: dict[str, None] = {}
    for error in errors:
        pointer = "".join(f"/{_step(step)}" for step in error.instance_path)
        seen[f"{pointer or '/'} {error.kind.name}"] = None
        if len(seen) == _MOST:
            break
    return seen


def _step(step: str | int) -> str:
    """One step of a pointer. A member's name may itself be a person's number: such a one is hidden."""
    if isinstance(step, int):
        return str(step)
    return "…" if _NUMBER_LIKE.search(step) else step.replace("~", "~0").replace("/", "~1")


def _plain(value: Any) -> Any:
    if isinstance(value, WrittenNumber):
        return Decimal(value)
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
