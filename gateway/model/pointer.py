"""JSON Pointers (RFC 6901) in which ``*`` stands for every item of an array: how grants and services name elements."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from msgspec import Struct

WILDCARD = "*"
"""The step that stands for every item of an array."""

_POINTER = re.compile(r"(?:/(?:[^~/]|~[01])*)*")


class Pointer(Struct, frozen=True):
    """A parsed pointer. steps: member names, unescaped, or ``*``; none for the whole document."""

    steps: tuple[str, ...]

    @property
    def text(self) -> str:
        """As it is written: ``/children/*/name``."""
        return "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in self.steps)

    @property
    def parent(self) -> "Pointer":
        """What holds the element: without its last step (the whole document is its own parent)."""
        return Pointer(self.steps[:-1])

    def values(self, document: Any) -> Iterator[Any]:
        """Every value it reaches in a parsed document; none where a step is missing."""
        return _walk(document, self.steps)

    def value(self, document: Any) -> Any:
        """The first value it reaches; None where there is none (as for a ``null``)."""
        return next(_walk(document, self.steps), None)

    def related(self, other: "Pointer") -> bool:
        """Whether one of the two contains the other (or they are the same)."""
        shared = min(len(self.steps), len(other.steps))
        return self.steps[:shared] == other.steps[:shared]


@lru_cache(maxsize=4096)
def parse_pointer(text: str) -> Pointer:
    """Parse ``""`` or ``/name/full``. Raises ValueError. Remembered, since configurations write the same ones again."""
    if not _POINTER.fullmatch(text):
        raise ValueError("a JSON Pointer is empty or begins with /, and escapes ~ as ~0 and / as ~1")
    return Pointer(tuple(step.replace("~1", "/").replace("~0", "~") for step in text.split("/")[1:]))


def _walk(value: Any, steps: tuple[str, ...]) -> Iterator[Any]:
    if not steps:
        yield value
        return
    step, rest = steps[0], steps[1:]
    if isinstance(value, dict):
        if step in value:
            yield from _walk(value[step], rest)
    elif isinstance(value, list) and step == WILDCARD:
        for item in value:
            yield from _walk(item, rest)
