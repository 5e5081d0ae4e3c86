"""The code lists of ``codes.toml``, loaded once."""

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType

UNLISTED = "unlisted"
"""A source's code that is not in its own list (Q16)."""


def _load() -> dict[str, Mapping[str, str]]:
    document = tomllib.loads(files("adapters.canonical").joinpath("codes.toml").read_text("utf-8"))
    return {table["name"]: MappingProxyType(table["codes"]) for table in document["table"]}


_TABLES = _load()


def table(name: str) -> Mapping[str, str]:
    """A source's code list in force: its codes → canonical values. Raises KeyError for an unknown name."""
    return _TABLES[name]
