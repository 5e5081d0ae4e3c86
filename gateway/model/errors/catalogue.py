"""Every kind of error that the product has, gathered from the modules of this package."""

import pkgutil
from importlib import import_module
from itertools import chain
from types import ModuleType

from gateway.model import errors
from gateway.model.errors.base import ErrorKind

_NOT_AREAS = {"base", "catalogue"}


def _modules() -> list[ModuleType]:
    names = sorted(info.name for info in pkgutil.iter_modules(errors.__path__) if info.name not in _NOT_AREAS)
    return [import_module(f"{errors.__name__}.{name}") for name in names]


def _kinds(module: ModuleType) -> list[ErrorKind]:
    return [value for value in vars(module).values() if isinstance(value, ErrorKind)]


AREAS: dict[str, tuple[ErrorKind, ...]] = {
    module.__name__.rpartition(".")[2]: tuple(_kinds(module)) for module in _modules()
}
"""Name of an area's module → its kinds, in the order they are written."""

KINDS: tuple[ErrorKind, ...] = tuple(chain.from_iterable(AREAS.values()))
"""All kinds."""

BY_CODE: dict[str, ErrorKind] = {kind.code: kind for kind in KINDS}
"""Code → kind."""
