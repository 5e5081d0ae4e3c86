"""Only granted elements leave: a grant's pointers, compiled to a filter over JSON text or over a parsed document.

An element is kept with all that is in it if a pointer names it; whatever no pointer reaches is dropped. ``*`` stands
for every item of an array. An object or array that nothing is left in is dropped with its name, and an item that
nothing is left in is dropped from its array, so that not even their presence shows. Over text, kept elements are
copied byte by byte: numbers and strings stay exactly as the provider wrote them.
"""

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Raw, Struct

from gateway.model.decision import EVERYTHING
from gateway.model.errors import ExchangeError
from gateway.model.errors import policy as kinds
from gateway.model.jsontext import encode
from gateway.model.pointer import WILDCARD, Pointer, parse_pointer

_MEMBERS = msgspec.json.Decoder(dict[str, Raw]).decode
_ITEMS = msgspec.json.Decoder(list[Raw]).decode
_BOM = b"\xef\xbb\xbf"
_NOTHING = {b"{": b"{}", b"[": b"[]"}
_DROPPED = object()


class Filtered(Struct, frozen=True):
    """What is left. value: JSON text or a document, as was put in. released: the grant's pointers that are in it."""

    value: Any
    released: tuple[str, ...]


class _Node(Struct, frozen=True):
    """A step of the pointers. leaf: index of the pointer that ends here, and so keeps all below; else -1.

    members: by name, each with the JSON text of its name and colon. items: what of each item, if it is an array.
    """

    leaf: int
    members: dict[str, tuple[bytes, "_Node"]]
    items: "_Node | None"


class Filter:
    """A compiled list of pointers. Immutable."""

    __slots__ = ("_pointers", "_root", "whole")

    def __init__(self, pointers: tuple[str, ...], root: _Node) -> None:
        self._pointers = pointers
        self._root = root
        self.whole = pointers == EVERYTHING
        """Whether everything passes."""

    def text(self, data: bytes) -> Filtered:
        """Minimise JSON text that was checked before (its duplicates and numbers). value: bytes.

        Raises ExchangeError (whole_answer_only) for what is no JSON.
        """
        if self.whole:
            return Filtered(data, EVERYTHING)
        hits: set[int] = set()
        plain = data[3:] if data.startswith(_BOM) else data
        try:
            kept = _keep_text(plain, self._root, hits)
        except (msgspec.MsgspecError, ValueError):
            raise ExchangeError(kinds.WHOLE_ANSWER_ONLY, "the answer is not JSON") from None
        return Filtered(_NOTHING.get(plain.lstrip()[:1], b"null") if kept is None else kept, self._released(hits))

    def document(self, document: Any) -> Filtered:
        """Minimise a parsed document; what is kept is shared with it, not copied. value: the document."""
        if self.whole:
            return Filtered(document, EVERYTHING)
        hits: set[int] = set()
        kept = _keep(document, self._root, hits)
        if kept is _DROPPED:
            kept = {} if isinstance(document, dict) else [] if isinstance(document, list) else None
        return Filtered(kept, self._released(hits))

    def _released(self, hits: set[int]) -> tuple[str, ...]:
        return tuple([self._pointers[index] for index in sorted(hits)])

    def touching(self, persons: Iterable[Pointer]) -> tuple[Pointer, ...]:
        """Of the places where persons' numbers stand, those of persons whose data passes.

        That is: anything of the object that holds the number is granted, be the number itself withheld.
        """
        granted = [] if self.whole else [parse_pointer(text) for text in self._pointers]
        return tuple(
            place for place in persons if self.whole or any(pointer.related(place.parent) for pointer in granted)
        )


def compile_filter(pointers: Iterable[str]) -> Filter:
    """Compile a grant's fields: pointers, or EVERYTHING. Raises ValueError for a text that is no pointer."""
    listed = tuple(pointers)
    steps = [] if listed == EVERYTHING else [(parse_pointer(text).steps, index) for index, text in enumerate(listed)]
    return Filter(listed, _node(steps))


def _node(pointers: list[tuple[tuple[str, ...], int]]) -> _Node:
    leaf = next((index for steps, index in pointers if not steps), -1)
    below: dict[str, list[tuple[tuple[str, ...], int]]] = {}
    for steps, index in pointers:
        if steps:
            below.setdefault(steps[0], []).append((steps[1:], index))
    nodes = {name: _node(rest) for name, rest in below.items()}
    return _Node(leaf, {name: (encode(name) + b":", node) for name, node in nodes.items()}, nodes.get(WILDCARD))


def _keep_text(raw: bytes | Raw, node: _Node, hits: set[int]) -> bytes | None:
    """What of a JSON value is kept; None for nothing."""
    if node.items is not None:
        try:
            return _keep_items(_ITEMS(raw), node.items, hits)
        except msgspec.ValidationError:  # no array
            pass
    try:
        members = _MEMBERS(raw)
    except msgspec.ValidationError:  # no object either
        return None
    kept: list[bytes] = []
    wanted = node.members
    for name, value in members.items():
        found = wanted.get(name)
        if found is None:
            continue
        prefix, child = found
        if child.leaf >= 0:
            hits.add(child.leaf)
            kept.append(prefix + bytes(value))
        else:
            part = _keep_text(value, child, hits)
            if part is not None:
                kept.append(prefix + part)
    return b"{" + b",".join(kept) + b"}" if kept else None


def _keep_items(items: list[Raw], node: _Node, hits: set[int]) -> bytes | None:
    if node.leaf >= 0:
        hits.add(node.leaf)
        return b"[" + b",".join([bytes(item) for item in items]) + b"]"
    kept = [part for item in items if (part := _keep_text(item, node, hits)) is not None]
    return b"[" + b",".join(kept) + b"]" if kept else None


def _keep(value: Any, node: _Node, hits: set[int]) -> Any:
    """As ``_keep_text``, of a parsed value; ``_DROPPED`` for nothing."""
    if node.leaf >= 0:
        hits.add(node.leaf)
        return value
    if isinstance(value, dict):
        members = {
            name: part
            for name, member in value.items()
            if name in node.members and (part := _keep(member, node.members[name][1], hits)) is not _DROPPED
        }
        return members or _DROPPED
    if isinstance(value, list) and node.items is not None:
        if node.items.leaf >= 0:
            hits.add(node.items.leaf)
            return value
        items = [part for item in value if (part := _keep(item, node.items, hits)) is not _DROPPED]
        return items or _DROPPED
    return _DROPPED
