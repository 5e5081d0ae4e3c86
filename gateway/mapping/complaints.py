"""What is wrong with a mapping file: where, what, and the nearest valid name."""

import difflib
from collections.abc import Iterable
from typing import Any, Protocol

from msgspec import Struct

from gateway.mapping.context import FACTS, KEPT, LOGIN_FACTS, SETTING, is_source
from gateway.mapping.document import MappingDocument
from gateway.model.pointer import Pointer, parse_pointer

Key = tuple[str | int, ...]
"""Keys, and indexes in arrays, from the top of the file."""


class Schemas(Protocol):
    """The canonical schemas (``gateway.config.schemas.SchemaFolder``)."""

    ids: dict[str, str]
    """File name → ``$id``."""

    def find(self, name: str) -> str | None:
        """The ``$id`` for a file name or an ``$id``."""

    def describes(self, schema_id: str, pointer: Pointer) -> bool:
        """Whether a schema knows an element."""

    def choices(self, schema_id: str, pointer: Pointer) -> tuple[Any, ...]:
        """The only values that an element may have; empty where its schema does not list them."""

    def elements(self, schema_id: str) -> list[str]:
        """Pointers of the elements that a schema describes."""


class Complaint(Struct, frozen=True):
    """One thing that is wrong. path: where, as keys from the top of the file."""

    path: Key
    text: str

    def __str__(self) -> str:
        return f"{'.'.join(str(each) for each in self.path)}: {self.text}"


class Complaints:
    """Collects them. document, schemas: what is checked."""

    def __init__(self, document: MappingDocument, schemas: Schemas) -> None:
        self.document = document
        self.schemas = schemas
        self.all: list[Complaint] = []

    def add(self, path: Key, text: str) -> None:
        """Note one, unless it is noted: what several calls share is wrong once."""
        complaint = Complaint(path, text)
        if complaint not in self.all:
            self.all.append(complaint)

    def known(self, path: Key, name: str, names: Iterable[str], what: str) -> bool:
        """Whether a name is one of those that there are."""
        listed = sorted(names)
        if name in listed:
            return True
        self.add(path, f"there is no {what} {name}{nearest(name, listed)}")
        return False

    def schema(self, path: Key, name: str | None) -> str | None:
        """The ``$id`` of a schema, if it is named and there."""
        if name is None:
            return None
        found = self.schemas.find(name)
        if found is None:
            self.known(path, name, self.schemas.ids, "schema")
        return found

    def element(self, path: Key, text: str, schema_id: str | None) -> None:
        """A pointer is one, and the schema (if there is one) describes it."""
        try:
            pointer = parse_pointer(text)
        except ValueError as error:
            self.add(path, str(error))
            return
        if schema_id is not None and not self.schemas.describes(schema_id, pointer):
            hint = nearest(text, self.schemas.elements(schema_id))
            self.add(path, f"{text} is no element of {schema_id.rpartition('/')[2]}{hint}")

    def source(self, path: Key, text: str, *, pointer: bool = False, login: bool = False) -> None:
        """A text names a source. pointer: only a pointer does here."""
        if text.startswith("/"):
            self.element(path, text, None)
        elif pointer:
            self.add(path, "must be a pointer, such as /identity_number")
        elif not is_source(text, login=login):
            names = (*FACTS, *(LOGIN_FACTS if login else ()), KEPT + "NAME", SETTING + "NAME")
            self.add(path, f"there is no source {text}{nearest(text, names)}; pointers begin with /")


def nearest(name: str, known: Iterable[Any]) -> str:
    """``"; did you mean X?"`` for the closest known name, or nothing."""
    found = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.6)
    return f"; did you mean {found[0]}?" if found else ""
