"""TOML tables → frozen structs, by the structs' own annotations; every problem is noted, none stops the reading.

A field's name is its key (or what the struct's ``rename`` makes of it; with ``-`` for ``_`` allowed nowhere: one
spelling), its annotation the form, its ``Meta`` the bounds and the description that ``docs/configuration.md`` shows. A
field without default must be given.
"""

import types
from collections.abc import Callable
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import NODEFAULT, Meta, Struct

from gateway.config.positions import Path as KeyPath
from gateway.config.problems import Document, nearest
from gateway.model.envelope import Purpose
from gateway.model.ids import ServiceId, SubsystemId, parse_service, parse_subsystem

T = TypeVar("T", bound=Struct)

_MISSING = object()


def read(document: Document, shape: type[T], table: dict[str, Any], path: KeyPath = ()) -> T | None:
    """Build ``shape`` from a table. None if anything is wrong with it; what, the document has been told."""
    return _Reader(document).struct(shape, table, path) if document.usable else None


class _Reader:
    def __init__(self, document: Document) -> None:
        self.document = document

    def struct(self, shape: type[T], table: Any, path: KeyPath) -> T | None:
        if not isinstance(table, dict):
            self.document.complain(path, "must be a table")
            return None
        before = len(self.document.problems)
        hints = get_type_hints(shape, include_extras=True)
        fields = {field.encode_name: field for field in msgspec.structs.fields(shape)}
        for key in table.keys() - fields.keys():
            self.document.complain((*path, key), f"is no setting here{nearest(key, fields)}")
        values: dict[str, Any] = {}
        for name, field in fields.items():
            if name in table:
                value = self.value(hints[field.name], table[name], (*path, name))
                if value is not _MISSING:
                    values[field.name] = value
            elif field.default is NODEFAULT and field.default_factory is NODEFAULT:
                self.missing(shape, name, path)
        if len(self.document.problems) > before:
            return None
        try:
            return shape(**values)
        except ValueError as error:
            self.document.complain(path, str(error))
            return None

    def missing(self, shape: type[Struct], name: str, path: KeyPath) -> None:
        absent = getattr(shape, "__required_clauses__", {}).get(name)
        if absent is not None:
            self.document.complain((*path, name), absent, absent=True)
        else:
            self.document.complain((*path, name), "is missing")

    def value(self, form: Any, given: Any, path: KeyPath) -> Any:
        """``given`` in the form of an annotation, or _MISSING after a complaint."""
        meta: Meta | None = None
        if get_origin(form) is Annotated:
            form, *notes = get_args(form)
            meta = next((note for note in notes if isinstance(note, Meta)), None)
        if get_origin(form) in {Union, types.UnionType}:
            form = next(part for part in get_args(form) if part is not type(None))
            return self.value(Annotated[form, meta] if meta else form, given, path)
        value = self.plain(form, given, path)
        if value is not _MISSING and meta is not None:
            wrong = _out_of_bounds(meta, value)
            if wrong:
                self.document.complain(path, wrong)
                return _MISSING
        return value

    def plain(self, form: Any, given: Any, path: KeyPath) -> Any:
        origin = get_origin(form)
        if origin is tuple:
            return self.items(get_args(form)[0], given, path)
        if origin is dict:
            return self.members(get_args(form)[1], given, path)
        if origin is Literal:
            return self.one_of(get_args(form), given, path)
        if isinstance(form, type) and issubclass(form, Struct) and form not in _TEXTS:
            read_one = self.struct(form, given, path)
            return _MISSING if read_one is None else read_one
        if isinstance(form, type) and issubclass(form, Enum):
            chosen = self.one_of(tuple(member.value for member in form), given, path)
            return chosen if chosen is _MISSING else form(chosen)
        return self.scalar(form, given, path)

    def items(self, form: Any, given: Any, path: KeyPath) -> Any:
        if not isinstance(given, list):
            self.document.complain(path, "must be an array")
            return _MISSING
        values = [self.value(form, item, (*path, index)) for index, item in enumerate(given)]
        return _MISSING if _MISSING in values else tuple(values)

    def members(self, form: Any, given: Any, path: KeyPath) -> Any:
        if not isinstance(given, dict):
            self.document.complain(path, "must be a table")
            return _MISSING
        values = {name: self.value(form, member, (*path, name)) for name, member in given.items()}
        return _MISSING if _MISSING in values.values() else values

    def one_of(self, choices: tuple[Any, ...], given: Any, path: KeyPath) -> Any:
        if given in choices:
            return given
        names = ", ".join(str(choice) for choice in choices)
        hint = nearest(str(given), [str(choice) for choice in choices])
        self.document.complain(path, f"must be one of {names}{hint}")
        return _MISSING

    def scalar(self, form: Any, given: Any, path: KeyPath) -> Any:
        wanted, words = _SCALARS.get(form, (str, "a string"))
        if not isinstance(given, wanted) or (isinstance(given, bool) and form is not bool):
            self.document.complain(path, f"must be {words}")
            return _MISSING
        if form is Path:
            return (self.document.file.parent / given).resolve() if given else self.empty(path)
        if form is float:
            return float(given)
        make = _TEXTS.get(form)
        if make is None:
            return given
        try:
            return make(given)
        except ValueError as error:
            self.document.complain(path, str(error))
            return _MISSING

    def empty(self, path: KeyPath) -> Any:
        self.document.complain(path, "must name a file")
        return _MISSING


_SCALARS: dict[Any, tuple[Any, str]] = {
    str: (str, "a string"),
    int: (int, "a whole number"),
    float: ((int, float), "a number"),
    bool: (bool, "true or false"),
    date: (date, "a date, such as 2026-11-22 (without quotes)"),
    Path: (str, "a string that names a file"),
}


def parse_purpose(text: str) -> Purpose:
    """``code`` or ``code;basis``. Raises ValueError."""
    code, mark, basis = text.partition(";")
    return Purpose(code.strip(), basis.strip() if mark else None)


_TEXTS: dict[Any, Callable[[str], Any]] = {
    ServiceId: parse_service,
    SubsystemId: parse_subsystem,
    Purpose: parse_purpose,
}


def _out_of_bounds(meta: Meta, value: Any) -> str | None:
    checks = (
        (meta.ge is not None and value < meta.ge, f"must be at least {meta.ge}"),
        (meta.gt is not None and value <= meta.gt, f"must be more than {meta.gt}"),
        (meta.le is not None and value > meta.le, f"must be at most {meta.le}"),
        (meta.min_length is not None and len(value) < meta.min_length, f"needs at least {meta.min_length} of them"),
    )
    return next((text for wrong, text in checks if wrong), None)
