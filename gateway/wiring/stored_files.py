"""A log's public files out of a gateway's database, for verifiers: not asynchronous, and asked for one after the other,
so the next ones are read while they work on these.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

from gateway.ledger.tiles import ENTRIES, WIDTH, encode_entries, narrow, parse_path
from gateway.storage.sqlite.logstore import SqliteLogStore

T = TypeVar("T")
U = TypeVar("U")

_BUNDLES = 32
"""Bundles that are read at once."""
_TILES = 64
"""Tiles that are read at once."""


class StoredFiles:
    """The files of a log. loop: runs in another thread than who asks."""

    def __init__(self, log: SqliteLogStore, loop: asyncio.AbstractEventLoop) -> None:
        self._log = log
        self._loop = loop
        self._bundles: _Ahead[list[bytes] | None] = _Ahead(self._ask, self._entries_of)
        self._tiles: dict[int, _Ahead[dict[int, bytes]]] = {}

    def fetch(self, path: str) -> bytes:
        """A file of the log by its path. Raises LookupError; JournalUnavailableError."""
        if path == "checkpoint":
            # From now on as much is asked for as this covers, which may be more than what was read before.
            self._bundles.forget()
            self._tiles.clear()
            return _there(self._ask(self._log.checkpoint()).result(), path)
        tile = parse_path(path)
        if tile.level == ENTRIES:
            entries = self._entries(tile.index, tile.width)
            if len(entries) != tile.width:
                raise LookupError(path)
            return encode_entries(entries)
        return narrow(_there(self._tile(tile.level, tile.index), path), tile.level, tile.width)

    def _tile(self, level: int, index: int) -> bytes | None:
        if level not in self._tiles:

            def tiles(block: int) -> Coroutine[Any, Any, dict[int, bytes]]:
                return self._log.tiles(level, block * _TILES, _TILES)

            self._tiles[level] = _Ahead(self._ask, tiles)
        found = self._tiles[level].of(index // _TILES)
        return found.get(index)

    def _entries(self, index: int, width: int) -> list[bytes]:
        """The entries of a bundle. Fewer where a row does not parse."""
        block, place = divmod(index, _BUNDLES)
        found = self._bundles.of(block)
        if found is None:
            return list(self._parsing(index * WIDTH, width))
        return found[place * WIDTH : place * WIDTH + width]

    async def _entries_of(self, block: int) -> list[bytes] | None:
        """The entries of a block of bundles; None where a row does not parse."""
        try:
            return list(await self._log.entries(block * _BUNDLES * WIDTH, _BUNDLES * WIDTH))
        except ValueError:
            return None

    async def _one(self, index: int) -> list[bytes]:
        return list(await self._log.entries(index, 1))

    def _parsing(self, start: int, count: int) -> Iterator[bytes]:
        for index in range(start, start + count):
            try:
                yield from self._ask(self._one(index)).result()
            except ValueError:  # a row that does not parse any more
                return

    def _ask(self, asked: Coroutine[Any, Any, U]) -> "Future[U]":
        return asyncio.run_coroutine_threadsafe(asked, self._loop)


class _Ahead(Generic[T]):
    """Blocks that are asked for one after the other: while one is in use, the next is being read."""

    def __init__(
        self, ask: Callable[[Coroutine[Any, Any, T]], Future[T]], read: Callable[[int], Coroutine[Any, Any, T]]
    ) -> None:
        self._ask = ask
        self._read = read
        self._held: tuple[int, T] | None = None
        self._coming: tuple[int, Future[T]] | None = None

    def of(self, block: int) -> T:
        """A block. Raises what reading it raises."""
        if self._held is None or self._held[0] != block:
            coming, self._coming = self._coming, None
            future = coming[1] if coming is not None and coming[0] == block else self._ask(self._read(block))
            self._coming = (block + 1, self._ask(self._read(block + 1)))
            self._held = (block, future.result())
        return self._held[1]

    def forget(self) -> None:
        """Read anew what is asked for from now on."""
        self._held = self._coming = None


def _there(data: bytes | None, path: str) -> bytes:
    if data is None:
        raise LookupError(path)
    return data
