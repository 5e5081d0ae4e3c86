"""Copies of rows in the gaps of pages, which SQLite leaves where it moves rows from page to page, and overwrites only
when it needs the room: ``secure_delete`` zeroes what is freed, not what was moved (SQLite file format §1.6).

Rows are moved when others come between them, go, or change their size; so a copy of one that is destroyed later may
lie in a page beside its own. SQL does not reach it. So the gaps of the pages around the place are zeroed in the file
itself: while no other connection writes or copies anything, and while all that was committed is in the file; a
transaction of our own then makes the others forget what they have read of it.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import apsw
from msgspec import Struct, field

from gateway.storage.sqlite.database import Database

_INDEX_INNER, _TABLE_INNER, _INDEX_LEAF, _TABLE_LEAF = 2, 5, 10, 13
_BESIDE = 4
"""How many pages on either side of a place are looked at: a row moves at most two pages when three are balanced."""
_WIDTHS = (0, 1, 2, 3, 4, 6, 8)
"""Bytes of an integer of a record, by its serial type."""
_BLOB = 12

_Key = Any
"""What a B-tree is ordered by: rowids of a table; of the index tuples of segment and pseudonym."""


class Touched(Struct):
    """What was destroyed: seqs of records; rowids of the vault; segments and pseudonyms; keys of any epoch."""

    rows: set[int] = field(default_factory=set)
    blobs: set[int] = field(default_factory=set)
    pseudonyms: set[tuple[int, bytes]] = field(default_factory=set)
    epochs: bool = False

    def __bool__(self) -> bool:
        return bool(self.rows or self.blobs or self.pseudonyms or self.epochs)


def zero_gaps(database: Database, connection: apsw.Connection, touched: Touched) -> bool:
    """Zero the gaps around what was destroyed; False: something was committed meanwhile, cut the log and try again.

    connection: a writing one, whose write-ahead log was just cut. Raises apsw.Error.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        if _log_bytes(database.path):
            return False
        file = database.file()
        try:
            _zero(file, connection, touched)
            # Writes the first page, whatever stands there: so the others see that something was committed.
            connection.pragma("user_version", connection.pragma("user_version"))
            connection.execute("COMMIT")
            file.xSync(apsw.SQLITE_SYNC_NORMAL)
        finally:
            file.xClose()
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    return True


def _zero(file: apsw.VFSFile, connection: apsw.Connection, touched: Touched) -> None:
    size = int(connection.pragma("page_size"))
    places: dict[str, Sequence[_Key] | None] = {
        "journal": sorted(touched.rows),
        "vault": sorted(touched.blobs),
        "pseudonym": sorted(touched.pseudonyms),
        "epoch": None if touched.epochs else (),  # a few for each day: all of it
    }
    for table, keys in places.items():
        root: Any = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)).get
        for number, gap in _dirty(lambda number: file.xRead(size, (number - 1) * size), root, keys):
            file.xWrite(bytes(gap.stop - gap.start), (number - 1) * size + gap.start)


def _log_bytes(path: Path) -> int:
    try:
        return path.with_name(path.name + "-wal").stat().st_size
    except FileNotFoundError:
        return 0


def _dirty(read: Callable[[int], bytes], root: int, keys: Sequence[_Key] | None) -> list[tuple[int, range]]:
    """Pages around the keys (None: all pages) with something in their gaps, and where in the page."""
    found: list[tuple[int, range]] = []
    seen: set[int] = set()
    waiting = [root] if keys is None or keys else []
    while waiting:
        number = waiting.pop()
        if number in seen:
            continue
        seen.add(number)
        page = read(number)
        cells = _cells(page)
        if cells is None:
            continue
        gap, pointers = cells
        if any(page[gap.start : gap.stop]):
            found.append((number, gap))
        if page[0] in {_INDEX_INNER, _TABLE_INNER}:
            with suppress(IndexError):  # a damaged page: who reads the whole file names it
                waiting += _children(page, pointers, keys)
    return found


def _cells(page: bytes) -> tuple[range, list[int]] | None:
    """A page's gap and where its cells are; None where it is no sound page of a B-tree."""
    if page[0] not in {_INDEX_INNER, _TABLE_INNER, _INDEX_LEAF, _TABLE_LEAF}:
        return None
    begin = 12 if page[0] in {_INDEX_INNER, _TABLE_INNER} else 8
    end = begin + 2 * int.from_bytes(page[3:5], "big")
    content = int.from_bytes(page[5:7], "big") or 1 << 16
    pointers = [int.from_bytes(page[place : place + 2], "big") for place in range(begin, min(end, len(page)), 2)]
    if not end <= content <= len(page) or any(not content <= each < len(page) for each in pointers):
        return None
    return range(end, content), pointers


def _children(page: bytes, pointers: list[int], keys: Sequence[_Key] | None) -> list[int]:
    """The pages below that hold the keys, and those beside them."""
    children = [int.from_bytes(page[each : each + 4], "big") for each in pointers]
    children.append(int.from_bytes(page[8:12], "big"))
    if keys is None:
        return children
    key_of = _rowid if page[0] == _TABLE_INNER else _entry
    bounds = [key_of(page, each + 4) for each in pointers]
    wanted: set[int] = set()
    for key in keys:
        place = bisect_left(bounds, key)
        wanted.update(range(max(0, place - _BESIDE), min(len(children), place + _BESIDE + 1)))
    return [children[place] for place in wanted]


def _rowid(page: bytes, place: int) -> int:
    return _varint(page, place)[0]


def _entry(page: bytes, place: int) -> tuple[int, bytes]:
    """Segment and pseudonym of an entry, which are small enough to stand in the page."""
    _, start = _varint(page, place)
    header, at = _varint(page, start)
    first, at = _varint(page, at)
    second, _ = _varint(page, at)
    at = start + header
    width = _WIDTHS[first] if first < len(_WIDTHS) else 0
    segment = int.from_bytes(page[at : at + width], "big", signed=True) if width else first - 8
    return segment, page[at + width :][: (second - _BLOB) // 2]


def _varint(page: bytes, place: int) -> tuple[int, int]:
    """A number of one to nine bytes, and where it ends."""
    value = 0
    for count in range(8):
        byte = page[place + count]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:  # noqa: PLR2004 - the last one has its highest bit clear
            return value, place + count + 1
    return value << 8 | page[place + 8], place + 9
