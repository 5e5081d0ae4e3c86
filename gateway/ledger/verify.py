"""Verifying a whole log from its public files, and stored records against it. No database, network or server needed.

``verify_log`` re-derives the tree from the entries, and compares every tile with it on the way. What is wrong is
named: the hashes above a tile, as far as they hang from the signed root, tell whether the tile or what is below it was
altered.
"""

import hashlib
from collections.abc import Callable, Iterable
from typing import cast

from msgspec import Struct

from gateway.ledger.checkpoint import Checkpoint, LogKeys, SignedCheckpoint, open_checkpoint
from gateway.ledger.merkle import fold, peaks_of, root
from gateway.ledger.openings import check_openings, parse_openings
from gateway.ledger.proofs import root_at
from gateway.ledger.skeleton import entry_of, read_skeleton
from gateway.ledger.tiles import ENTRIES, WIDTH, TileId, narrow, split_entries, split_hashes, tile_width, tiles_of
from gateway.model.errors import ExchangeError
from gateway.model.errors.ledger import LOG_INVALID
from gateway.model.ids import RecordId

Fetch = Callable[[str], bytes]
"""Path below the log's prefix → the file. Raises OSError or LookupError where there is none."""
Progress = Callable[[int, int], None]
"""(entries verified so far, entries in all)."""

_Hashes = list[bytes | None] | None

_MOST_FAULTS = 1000
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
    before = open_checkpoint(older, key, origin=origin).checkpoint if older is not None else None
    walk = _Walk(fetch, signed.checkpoint, progress)
    walk.run()
    if before is not None:
        walk.compare_with(before)
    walk.faults.raise_any()
    return VerifiedLog(signed, walk.tiles)


class TileFetcher:
    """Tiles of a log of ``size``, by (level, index, width). Takes the full tile where a partial one is gone."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch

    def __call__(self, level: int, index: int, width: int) -> bytes:
        """The tile's bytes. Raises what ``fetch`` raises."""
        tile = TileId(level, index, width)
        try:
            return self._fetch(tile.path)
        except (OSError, LookupError):
            if tile.is_full:
                raise
            return narrow(self._fetch(tile.full.path), level, width)


class _Walk:
    """One verification: down from the root, depth first, with one tile of each level in memory.

    A tile is *trusted* once its hash is the one that the signed root demands; then what differs from it is below it. A
    tile that is not trusted is compared with what is derived from below instead. None stands for hashes that cannot be
    known, since a file is missing.
    """

    def __init__(self, fetch: Fetch, head: Checkpoint, progress: Progress | None) -> None:
        self.faults = Faults()
        self.tiles = 0
        self._read = TileFetcher(fetch)
        self._head = head
        self._progress = progress

    def run(self) -> None:
        """Verify all tiles and entries."""
        edge = [(tile, self._stored(tile)) for tile in reversed(tiles_of(self._head.size))]
        trusted = _root_over([stored for _, stored in edge]) == self._head.root
        below = [self._compare(tile, stored, trusted=trusted) for tile, stored in edge]
        if not trusted and _root_over(below) != self._head.root:
            self.faults.add("checkpoint: its root is not that of these entries")
        if self._progress is not None:
            self._progress(self._head.size, self._head.size)

    def compare_with(self, before: Checkpoint) -> None:
        """Verify that the log extends an older checkpoint of its own. Only once its tiles are known to be right."""
        name = f"checkpoint of size {before.size}"
        if before.size > self._head.size:
            self.faults.add(f"{name}: the log has shrunk to {self._head.size} entries since")
        elif not self.faults.names and root_at(before.size, self._head.size, self._read) != before.root:
            self.faults.add(f"{name}: the log was rewritten since; its first entries have another root now")

    def _compare(self, tile: TileId, stored: _Hashes, *, trusted: bool) -> _Hashes:
        """Verify all below a tile; give back its hashes: as stored if ``trusted``, else as derived from below."""
        self.tiles += 1
        known: _Hashes = stored if trusted else None
        if tile.level == 0:
            derived = self._leaves(tile, known)
        else:
            first = tile.index * WIDTH
            children = (TileId(tile.level - 1, first + place) for place in range(tile.width))
            expected = known or [None] * tile.width
            derived = [self._subtree(child, wanted) for child, wanted in zip(children, expected, strict=True)]
        if known is not None:
            return known
        for place, (hashed, below) in enumerate(zip(stored or (), derived or (), strict=False)):
            if below is not None and hashed != below:
                self.faults.add(f"{tile.path}: hash {place} is not that of what is below it")
        return derived or stored

    def _subtree(self, tile: TileId, expected: bytes | None) -> bytes | None:
        """Verify a full tile and all below it; give back its hash as far as it can be known."""
        stored = self._stored(tile)
        trusted = expected is not None and _root_of(stored) == expected
        below = _root_of(self._compare(tile, stored, trusted=trusted))
        if expected is not None and below is not None and below != expected:
            self.faults.add(f"{tile.path}: neither it nor what is below it has the hash that the tile above demands")
        return below

    def _leaves(self, tile: TileId, known: _Hashes) -> _Hashes:
        """The leaf hashes of a bundle, compared with ``known`` ones."""
        bundle = TileId(ENTRIES, tile.index, tile.width)
        if self._progress is not None and tile.index % _PROGRESS_EVERY == 0:
            self._progress(tile.index * WIDTH, self._head.size)
        with self.faults.of(bundle.path):
            entries = split_entries(self._read(ENTRIES, tile.index, tile.width), tile.width)
            leaves: _Hashes = [_sha256(_LEAF + entry).digest() for entry in entries]
            if known is not None and leaves != known:
                for place, (leaf, logged) in enumerate(zip(leaves or (), known, strict=True)):
                    if leaf != logged:
                        self.faults.add(f"{bundle.path}: entry {tile.index * WIDTH + place} is not the one logged")
            return leaves
        return None

    def _stored(self, tile: TileId) -> _Hashes:
        with self.faults.of(tile.path):
            return [*split_hashes(self._read(tile.level, tile.index, tile.width), tile.width)]
        return None


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


class StoredRecord(Struct, frozen=True):
    """A record as a gateway stores it. index: its place in the log. openings: in clear, where they can be had."""

    id: RecordId
    index: int
    skeleton: bytes
    openings: bytes | None = None


class VerifiedRecords(Struct, frozen=True):
    """How many records were verified against the log, and of how many the openings too."""

    records: int
    opened: int


def verify_records(
    records: Iterable[StoredRecord], fetch: Fetch, size: int, *, complete: bool = False
) -> VerifiedRecords:
    """Verify stored records against the entries of a log of ``size``, and their openings against their commitments.

    The log itself is what ``verify_log`` verifies. complete: every entry must have a record here. Fastest in the order
    of the log. Raises ExchangeError (LOG_INVALID), whose ``parts`` name each record that was altered, each index that
    two claim, and, if ``complete``, each entry without its record (the first 1,000 faults).
    """
    faults = Faults()
    bundles = _Bundles(fetch, size)
    seen = bytearray(size)
    count = opened = 0
    for record in records:
        count += 1
        with faults.of(f"record {record.id}"):
            if not 0 <= record.index < size or seen[record.index]:
                raise ExchangeError(LOG_INVALID, f"index {record.index} is beyond the log, or another record's")
            seen[record.index] = 1
            _check_record(record, bundles.entry(record.index))
            opened += record.openings is not None
    if complete:
        for index in range(size):
            if not seen[index]:
                faults.add(f"entry {index}: its record is missing")
    faults.raise_any()
    return VerifiedRecords(count, opened)


def _check_record(record: StoredRecord, entry: bytes) -> None:
    if entry_of(record.skeleton) != entry:
        raise ExchangeError(LOG_INVALID, f"its skeleton is not that of entry {record.index}")
    skeleton = read_skeleton(record.skeleton)
    if skeleton.id != record.id:
        raise ExchangeError(LOG_INVALID, "it is stored under another record's id")
    if record.openings is not None:
        check_openings(skeleton, parse_openings(record.openings))


class _Bundles:
    """Entries by index; remembers the last bundle."""

    def __init__(self, fetch: Fetch, size: int) -> None:
        self._read = TileFetcher(fetch)
        self._size = size
        self._last = -1
        self._entries: list[bytes] = []

    def entry(self, index: int) -> bytes:
        bundle, place = divmod(index, WIDTH)
        if bundle != self._last:
            width = tile_width(ENTRIES, bundle, self._size)
            self._entries = split_entries(self._read(ENTRIES, bundle, width), width)
            self._last = bundle
        return self._entries[place]


class Faults:
    """What was found wrong, by name, each once."""

    def __init__(self) -> None:
        self.names: dict[str, None] = {}

    def add(self, fault: str) -> None:
        """Note a fault; beyond the first 1,000 they are dropped."""
        if len(self.names) < _MOST_FAULTS:
            self.names[fault] = None

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
