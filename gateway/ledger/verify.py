"""Verifying a whole log from its public files, and stored records against it. No database, network or server needed.

``verify_log`` re-derives the tree from the entries, and compares every tile with it on the way. What is wrong is
named: the hashes above a tile, as far as they hang from the signed root, tell whether the tile or what is below it was
altered. ``LogWalk`` is the same for whoever reads the files otherwise (asynchronously, slowly) or stops half-way.
"""

import hashlib
from collections.abc import Callable, Generator, Iterable, Sequence
from typing import TypeVar, cast

from msgspec import Struct

from gateway.ledger.checkpoint import Checkpoint, LogKeys, SignedCheckpoint, open_checkpoint
from gateway.ledger.merkle import fold, peaks_of, root
from gateway.ledger.proofs import root_at
from gateway.ledger.tiles import (
    ENTRIES,
    HEIGHT,
    WIDTH,
    TileId,
    narrow,
    split_entries,
    split_hashes,
    tile_width,
    tiles_of,
)
from gateway.ledger.verify_order import Faults as _Names
from gateway.ledger.verify_order import Order
from gateway.ledger.verify_record import StoredRecord, check_record
from gateway.model.errors import ExchangeError
from gateway.model.errors.ledger import LOG_INVALID

Fetch = Callable[[str], bytes]
"""Path below the log's prefix → the file. Raises OSError or LookupError where there is none."""
Progress = Callable[[int, int], None]
"""(entries verified so far, entries in all)."""

T = TypeVar("T")
Steps = Generator[str, bytes, T]
"""Work that asks for one file after the other: it yields a path and is sent the file, or thrown why there is none."""

_Hashes = list[bytes | None] | None

_PROGRESS_EVERY = 64
_LEAF = b"\x00"
_sha256 = hashlib.sha256


class VerifiedLog(Struct, frozen=True):
    """A log that was verified from its first entry to its last. tiles: how many hash tiles were compared."""

    checkpoint: SignedCheckpoint
    tiles: int


def verify_log(
    fetch: Fetch,
    key: LogKeys,
    *,
    origin: str | None = None,
    older: bytes | None = None,
    progress: Progress | None = None,
) -> VerifiedLog:
    """Verify every entry and tile of a log against its checkpoint, and against an older checkpoint that you kept.

    key: several, of a log that changed its key: each checkpoint is signed by one of them. Raises ExchangeError:
    LOG_SIGNATURE_INVALID or LOG_MALFORMED for either checkpoint; LOG_INVALID, whose ``parts`` name every tile and entry
    that is wrong or missing (the first 1,000 of them); and what ``fetch`` raises for the checkpoint.
    """
    signed = open_checkpoint(fetch("checkpoint"), key, origin=origin)
    before = () if older is None else (open_checkpoint(older, key, origin=origin).checkpoint,)
    walk = LogWalk(signed.checkpoint, before=before, progress=progress)
    run(walk.steps(), fetch)
    walk.faults.raise_any()
    return VerifiedLog(signed, walk.tiles)


def run(steps: Steps[T], fetch: Fetch) -> T:
    """Do the work with files as ``fetch`` gives them. Raises what ``fetch`` raises beyond "there is none"."""
    try:
        path = next(steps)
        while True:
            try:
                data = fetch(path)
            except (OSError, LookupError) as error:
                path = steps.throw(error)
            else:
                path = steps.send(data)
    except StopIteration as end:
        return cast("T", end.value)


class LogWalk:
    """One verification: down from the root, depth first, with one tile of each level in memory.

    A tile is *trusted* once its hash is the one that the signed root demands; then what differs from it is below it. A
    tile that is not trusted is compared with what is derived from below instead. None stands for hashes that cannot be
    known, since a file is missing.

    head: what the log signed. before: older checkpoints of it, which it must extend. start: the entries before it
    were verified by an earlier walk, and what the tiles above vouch for of them is not read again. faults: so far.
    tiles: how many were compared. done: how many entries.
    """

    def __init__(
        self,
        head: Checkpoint,
        *,
        before: Sequence[Checkpoint] = (),
        start: int = 0,
        progress: Progress | None = None,
    ) -> None:
        self.faults = Faults()
        self.tiles = 0
        self.done = start
        self._head = head
        self._before = before
        self._start = start
        self._progress = progress

    def steps(self) -> Steps[None]:
        """Verify all tiles and entries."""
        edge: list[tuple[TileId, _Hashes]] = []
        for tile in reversed(tiles_of(self._head.size)):
            stored = yield from self._stored(tile)
            edge.append((tile, stored))
        trusted = _root_over([stored for _, stored in edge]) == self._head.root
        below: list[_Hashes] = []
        for tile, stored in edge:
            below.append((yield from self._compare(tile, stored, trusted=trusted)))
        if not trusted and _root_over(below) != self._head.root:
            self.faults.add("checkpoint: its root is not that of these entries")
        self._reach(self._head.size)
        for before in self._before:
            yield from self._extends(before)

    def _reach(self, done: int) -> None:
        self.done = max(self.done, done)
        if self._progress is not None:
            self._progress(self.done, self._head.size)

    def _extends(self, before: Checkpoint) -> Steps[None]:
        """Verify that the log extends an older checkpoint of its own. Only once its tiles are known to be right."""
        name = f"checkpoint of size {before.size}"
        if before.size > self._head.size:
            self.faults.add(f"{name}: the log has shrunk to {self._head.size} entries since")
        elif not self.faults.names and (yield from self._root_at(before.size)) != before.root:
            self.faults.add(f"{name}: the log was rewritten since; its first entries have another root now")

    def _root_at(self, size: int) -> Steps[bytes]:
        read: dict[tuple[int, int, int], bytes] = {}

        def given(level: int, index: int, width: int) -> bytes:
            if (level, index, width) not in read:
                raise _WantedError(TileId(level, index, width))
            return read[level, index, width]

        while True:
            try:
                return root_at(size, self._head.size, given)
            except _WantedError as wanted:
                tile = wanted.tile
                read[tile.level, tile.index, tile.width] = yield from _read(tile)

    def _compare(self, tile: TileId, stored: _Hashes, *, trusted: bool) -> Steps[_Hashes]:
        """Verify all below a tile; give back its hashes: as stored if ``trusted``, else as derived from below."""
        self.tiles += 1
        known: _Hashes = stored if trusted else None
        derived: _Hashes
        if tile.level == 0:
            derived = yield from self._leaves(tile, known)
        else:
            first = tile.index * WIDTH
            children = (TileId(tile.level - 1, first + place) for place in range(tile.width))
            expected = known or [None] * tile.width
            derived = []
            for child, wanted in zip(children, expected, strict=True):
                derived.append((yield from self._subtree(child, wanted)))
        if known is not None:
            return known
        for place, (hashed, below) in enumerate(zip(stored or (), derived or (), strict=False)):
            if below is not None and hashed != below:
                self.faults.add(f"{tile.path}: hash {place} is not that of what is below it")
        return derived or stored

    def _subtree(self, tile: TileId, expected: bytes | None) -> Steps[bytes | None]:
        """Verify a full tile and all below it; give back its hash as far as it can be known."""
        if expected is not None and (tile.index + 1) << (HEIGHT * (tile.level + 1)) <= self._start:
            return expected
        stored = yield from self._stored(tile)
        trusted = expected is not None and _root_of(stored) == expected
        hashes = yield from self._compare(tile, stored, trusted=trusted)
        if trusted:
            return expected
        below = _root_of(hashes)
        if expected is not None and below is not None and below != expected:
            self.faults.add(f"{tile.path}: neither it nor what is below it has the hash that the tile above demands")
        return below

    def _leaves(self, tile: TileId, known: _Hashes) -> Steps[_Hashes]:
        """The leaf hashes of a bundle, compared with ``known`` ones."""
        bundle = TileId(ENTRIES, tile.index, tile.width)
        if tile.index % _PROGRESS_EVERY == 0:
            self._reach(tile.index * WIDTH)
        with self.faults.of(bundle.path):
            entries = split_entries((yield from _read(bundle)), tile.width)
            leaves: _Hashes = [_sha256(_LEAF + entry).digest() for entry in entries]
            if known is not None and leaves != known:
                for place, (leaf, logged) in enumerate(zip(leaves or (), known, strict=True)):
                    if leaf != logged:
                        self.faults.add(f"{bundle.path}: entry {tile.index * WIDTH + place} is not the one logged")
            return leaves
        return None

    def _stored(self, tile: TileId) -> Steps[_Hashes]:
        with self.faults.of(tile.path):
            return [*split_hashes((yield from _read(tile)), tile.width)]
        return None


class _WantedError(Exception):
    """A tile that was not read yet."""

    def __init__(self, tile: TileId) -> None:
        super().__init__(tile.path)
        self.tile = tile


def _read(tile: TileId) -> Steps[bytes]:
    """A tile or bundle. The full one stands in for a partial one that is gone."""
    try:
        return (yield tile.path)
    except (OSError, LookupError):
        if tile.is_full:
            raise
    return narrow((yield tile.full.path), tile.level, tile.width)


def _root_of(hashes: _Hashes) -> bytes | None:
    whole = _whole(hashes)
    return None if whole is None else root(whole)


def _root_over(edge: list[_Hashes]) -> bytes | None:
    """The root of the tree with these partial tiles, the highest level first."""
    peaks: list[bytes] = []
    for hashes in edge:
        whole = _whole(hashes)
        if whole is None:
            return None
        peaks += peaks_of(whole)
    return fold(peaks)


def _whole(hashes: _Hashes) -> list[bytes] | None:
    return None if hashes is None or None in hashes else cast("list[bytes]", hashes)


class VerifiedRecords(Struct, frozen=True):
    """How many records were verified against the log, and of how many the openings too."""

    records: int
    opened: int


def verify_records(
    records: Iterable[StoredRecord], fetch: Fetch, size: int, *, complete: bool = False, order: Order | None = None
) -> VerifiedRecords:
    """Verify stored records against the entries of a log of ``size``, and their openings against their commitments.

    The log itself is what ``verify_log`` verifies. complete: every entry must have a record here. order: is told of
    every record; they must come in the log's order then, and from where it stands. Fastest in that order. Raises
    ExchangeError (LOG_INVALID), whose ``parts`` name each record that was altered, each index that two claim, and, if
    ``complete``, each entry without its record (the first 1,000 faults).
    """
    faults = Faults()
    bundles = _Bundles(fetch, size)
    seen = bytearray(size)
    start = 0 if order is None else order.state.next
    count = opened = 0
    for record in records:
        count += 1
        with faults.of(f"record {record.id}"):
            if not 0 <= record.index < size or seen[record.index]:
                raise ExchangeError(LOG_INVALID, f"index {record.index} is beyond the log, or another record's")
            seen[record.index] = 1
            skeleton = check_record(record, bundles.entry(record.index))
            opened += record.openings is not None
            if order is not None:
                order.add(record, skeleton)
            continue
        if order is not None and start <= record.index < size:
            order.skip(record.index)
    if complete:
        for index in range(start, size):
            if not seen[index]:
                faults.add(f"entry {index}: its record is missing")
    faults.raise_any()
    return VerifiedRecords(count, opened)


class _Bundles:
    """Entries by index; remembers the last bundle."""

    def __init__(self, fetch: Fetch, size: int) -> None:
        self._fetch = fetch
        self._size = size
        self._last = -1
        self._entries: list[bytes] = []

    def entry(self, index: int) -> bytes:
        bundle, place = divmod(index, WIDTH)
        if bundle != self._last:
            width = tile_width(ENTRIES, bundle, self._size)
            self._entries = split_entries(run(_read(TileId(ENTRIES, bundle, width)), self._fetch), width)
            self._last = bundle
        return self._entries[place]


class Faults(_Names):
    """What was found wrong, by name, each once; beyond the first 1,000 they are dropped."""

    def of(self, name: str) -> "_Naming":
        """A context that turns what goes wrong in it into a fault of ``name``."""
        return _Naming(self, name)

    def raise_any(self) -> None:
        """Raise ExchangeError (LOG_INVALID) with all of them, if there are any."""
        if self.names:
            raise ExchangeError(LOG_INVALID, "; ".join(list(self.names)[:3]), parts=tuple(self.names))


class _Naming:
    def __init__(self, faults: Faults, name: str) -> None:
        self._faults = faults
        self._name = name

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        if isinstance(error, OSError | LookupError):
            self._faults.add(f"{self._name}: missing")
        elif isinstance(error, ExchangeError):
            self._faults.add(f"{self._name}: {error.detail}")
        else:
            return False
        return True
