"""JSON Schemas of a folder: by file name and by ``$id``, and which elements they describe."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gateway.config.problems import Problem
from gateway.model.pointer import WILDCARD, Pointer
from gateway.validation.schema import SchemaSet

_DEEPEST = 8
"""How far elements are listed for a suggestion."""


class SchemaFolder:
    """The schemas of a folder. ``ids``: file name → ``$id``."""

    def __init__(self, documents: dict[str, Any], ids: dict[str, str]) -> None:
        self._documents = documents
        self.ids = ids

    @classmethod
    def read(cls, folder: Path, problems: list[Problem], more: Path | None = None) -> "SchemaFolder":
        """Read ``*.json`` of a folder; what is no JSON, or has no ``$id``, is a problem.

        more: a second folder, whose schemas stand in the place of the first one's by the same name.
        """
        documents: dict[str, Any] = {}
        ids: dict[str, str] = {}
        for file in [*sorted(folder.glob("*.json")), *(sorted(more.glob("*.json")) if more is not None else ())]:
            try:
                document = json.loads(file.read_text(encoding="utf-8"))
                schema_id = document["$id"]
            except (OSError, ValueError, TypeError, KeyError):
                problems.append(Problem(file=file, text="no JSON Schema with an $id"))
                continue
            documents[schema_id] = document
            ids[file.name] = schema_id
        return cls(documents, ids)

    def find(self, name: str) -> str | None:
        """The ``$id`` for a file name (with or without ``.json``) or an ``$id``."""
        if name in self._documents:
            return name
        return self.ids.get(name) or self.ids.get(f"{name}.json")

    def compile(self) -> SchemaSet:
        """All of them, ready to compile validators from. Raises ValueError."""
        return SchemaSet(self._documents)

    def describes(self, schema_id: str, pointer: Pointer) -> bool:
        """Whether a schema knows the element that a pointer names, through references and array items."""
        schemas = [(self._documents[schema_id], schema_id)]
        for step in pointer.steps:
            schemas = [found for schema, base in schemas for found in self._below(schema, base, step)]
        return bool(schemas)

    def choices(self, schema_id: str, pointer: Pointer) -> tuple[Any, ...]:
        """The only values that an element may have; empty where its schema does not list them."""
        schemas = [(self._documents[schema_id], schema_id)]
        for step in pointer.steps:
            schemas = [found for schema, base in schemas for found in self._below(schema, base, step)]
        return tuple(
            value
            for schema, base in schemas
            for one, _ in self._resolved(schema, base)
            for value in one.get("enum", ())
        )

    def elements(self, schema_id: str) -> list[str]:
        """Pointers of the elements that a schema describes."""
        return list(self._elements(self._documents[schema_id], schema_id, ()))

    def _elements(self, schema: Any, base: str, steps: tuple[str, ...]) -> Iterator[str]:
        if len(steps) > _DEEPEST:
            return
        for one, here in self._resolved(schema, base):
            for name in [*one.get("properties", {}), *([WILDCARD] if "items" in one else [])]:
                below = (*steps, name)
                yield Pointer(below).text
                for schema_below, base_below in self._below(one, here, name):
                    yield from self._elements(schema_below, base_below, below)

    def _below(self, schema: Any, base: str, step: str) -> Iterator[tuple[Any, str]]:
        for one, here in self._resolved(schema, base):
            if step in one.get("properties", {}):
                yield one["properties"][step], here
            elif step == WILDCARD and isinstance(one.get("items"), dict):
                yield one["items"], here

    def _resolved(self, schema: Any, base: str, depth: int = 0) -> Iterator[tuple[dict[str, Any], str]]:
        """The schema, what it refers to, and the branches of its ``allOf``, ``anyOf`` and ``oneOf``."""
        if not isinstance(schema, dict) or depth > _DEEPEST:
            return
        yield schema, base
        reference = schema.get("$ref")
        if isinstance(reference, str):
            target, here = self._refer(reference, base)
            yield from self._resolved(target, here, depth + 1)
        for word in ("allOf", "anyOf", "oneOf"):
            for branch in schema.get(word, ()):
                yield from self._resolved(branch, base, depth + 1)

    def _refer(self, reference: str, base: str) -> tuple[Any, str]:
        name, _, fragment = reference.partition("#")
        schema_id = base if not name else name if name in self._documents else base.rpartition("/")[0] + "/" + name
        target = self._documents.get(schema_id, {})
        for step in fragment.split("/")[1:]:
            target = target.get(step.replace("~1", "/").replace("~0", "~"), {}) if isinstance(target, dict) else {}
        return target, schema_id
