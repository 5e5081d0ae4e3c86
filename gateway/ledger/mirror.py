"""A second copy of a log: what is fetched is verified against a signed root before it is kept, from the left on.

The root vouches for the tiles at the tree's right edge, each of these for the full tiles below it, and a level-0 tile
for its entries. So every file is known to be right when it is written, and a copy that was broken off goes on where it
stopped, under a newer root too, as long as that root extends the one it was made under.
"""

from collections.abc import Callable

from msgspec import Struct

from gateway.ledger.checkpoint import Checkpoint
from gateway.ledger.merkle import NodeReader, fold, leaf_hash, peaks_of, root, verify_consistency
from gateway.ledger.proofs import TileNodes, TileReader, consistency_proof
from gateway.ledger.tiles import (
    ENTRIES,
    HEIGHT,
    WIDTH,
    TileId,
    narrow,
    split_entries,
    split_hashes,
    tiles_of,
)
from gateway.ledger.verify import Fetch
from gateway.model.errors import ExchangeError
from gateway.model.errors.attesting import LOG_FORKED
from gateway.model.errors.ledger import LOG_INVALID, LOG_PROOF_INVALID

Keep = Callable[[str, bytes], None]
"""(path, bytes) of a file that was verified. The bytes at a path never change."""
Progress = Callable[[int, int], None]
"""(entries verified so far, entries in all)."""


class Copied(Struct, frozen=True):
    """What a run did: files that were kept; paths of the partial tiles of this tree, which the next one replaces."""

    files: int
    partial: tuple[str, ...]


class Mirror:
    """Copies the tree of ``head``.

    fetch: the log's files. keep: takes verified ones. start: so many entries are kept already; they are not read again.
    """

    def __init__(self, head: Checkpoint, fetch: Fetch, keep: Keep, *, start: int = 0) -> None:
        self._head = head
        self._read = _reader(fetch)
        self._keep = keep
        self._start = start
        self._files = 0

    def run(self, progress: Progress | None = None) -> Copied:
        """Raises ExchangeError (LOG_INVALID), naming the file, for what the root does not vouch for or is not there."""
        edge = tiles_of(self._head.size)
        hashes = {tile: self._hashes(tile) for tile in edge}
        peaks = [peak for tile in reversed(edge) for peak in peaks_of(hashes[tile])]
        if fold(peaks) != self._head.root:
            names = ", ".join(tile.path for tile in edge)
            raise ExchangeError(LOG_INVALID, f"{names}: not what the checkpoint signed", parts=(names,))
        report = progress or _silent
        for tile in reversed(edge):
            self._below(tile, hashes[tile], report)
        partial = [tile.path for tile in edge]
        if self._head.size % WIDTH:
            partial.append(TileId(ENTRIES, edge[0].index, edge[0].width).path)
        report(self._head.size, self._head.size)
        return Copied(self._files, tuple(partial))

    def _below(self, tile: TileId, hashes: list[bytes], report: Progress) -> None:
        """Copy a tile whose hashes are vouched for, after what is below it."""
        if tile.level == 0:
            self._bundle(tile, lambda leaves: leaves == hashes)
            report(tile.index * WIDTH + tile.width, self._head.size)
        else:
            for place, vouched in enumerate(hashes):
                child = TileId(tile.level - 1, tile.index * WIDTH + place)
                # Where it ends just there, its own file may not have been written yet.
                if (child.index + 1) * WIDTH << (HEIGHT * child.level) >= self._start:
                    self._child(child, vouched, report)
        self._write(tile.path, b"".join(hashes))

    def _child(self, tile: TileId, vouched: bytes, report: Progress) -> None:
        """Copy a full tile that must have this root."""
        if tile.level == 0:
            leaves = self._bundle(tile, lambda leaves: root(leaves) == vouched)
            self._write(tile.path, b"".join(leaves))
            report((tile.index + 1) * WIDTH, self._head.size)
            return
        hashes = self._hashes(tile)
        if root(hashes) != vouched:
            raise self._wrong(tile)
        self._below(tile, hashes, report)

    def _bundle(self, tile: TileId, right: Callable[[list[bytes]], bool]) -> list[bytes]:
        """Copy the entries below a level-0 tile; their leaf hashes, which must be ``right``."""
        bundle = TileId(ENTRIES, tile.index, tile.width)
        data = self._there(bundle)
        leaves = [leaf_hash(entry) for entry in self._parsed(bundle, lambda: split_entries(data, tile.width))]
        if not right(leaves):
            raise self._wrong(bundle)
        self._write(bundle.path, data)
        return leaves

    def _hashes(self, tile: TileId) -> list[bytes]:
        data = self._there(tile)
        return self._parsed(tile, lambda: split_hashes(data, tile.width))

    def _there(self, tile: TileId) -> bytes:
        try:
            return self._read(tile.level, tile.index, tile.width)
        except (OSError, LookupError):
            raise ExchangeError(LOG_INVALID, f"{tile.path}: missing", parts=(tile.path,)) from None

    @staticmethod
    def _parsed(tile: TileId, parse: Callable[[], list[bytes]]) -> list[bytes]:
        try:
            return parse()
        except ExchangeError as error:
            raise ExchangeError(LOG_INVALID, f"{tile.path}: {error.detail}", parts=(tile.path,)) from None

    @staticmethod
    def _wrong(tile: TileId) -> ExchangeError:
        return ExchangeError(LOG_INVALID, f"{tile.path}: not what the checkpoint signed", parts=(tile.path,))

    def _write(self, path: str, data: bytes) -> None:
        self._keep(path, data)
        self._files += 1


def check_extends(older: Checkpoint, head: Checkpoint, fetch: Fetch) -> None:
    """That a log's tree extends the one that a copy of it was made under. fetch: the log's files.

    Raises ExchangeError: LOG_FORKED where it does not (or has shrunk), LOG_INVALID where the log's files do not even
    show its own tree.
    """
    if head.size < older.size:
        raise ExchangeError(LOG_FORKED, f"the log has {head.size} entries, and had {older.size}")
    try:
        proof = consistency_proof(older.size, head.size, _reader(fetch))
    except (OSError, LookupError):
        raise ExchangeError(LOG_INVALID, "a tile of the log is missing") from None
    try:
        verify_consistency(older.size, head.size, older.root, head.root, proof)
    except ExchangeError as error:
        if error.kind is not LOG_PROOF_INVALID:
            raise
        raise ExchangeError(LOG_FORKED, f"its first {older.size} entries have another root than they had") from None


def first_difference(size: int, ours: NodeReader, theirs: NodeReader) -> int | None:
    """The first of ``size`` entries in which two trees differ; None: in none. Reads a few nodes of each level."""
    start = 0
    for level in reversed(range(size.bit_length())):
        if not size >> level & 1:
            continue
        if ours(level, start >> level) != theirs(level, start >> level):
            return _descend(level, start >> level, ours, theirs)
        start += 1 << level
    return None


def _descend(level: int, index: int, ours: NodeReader, theirs: NodeReader) -> int:
    while level:
        level, index = level - 1, index * 2
        if ours(level, index) == theirs(level, index):
            index += 1
    return index


def nodes_of(size: int, fetch: Fetch) -> NodeReader:
    """The nodes of a tree of ``size`` as its files have them; nothing vouches for them."""
    return TileNodes(size, _reader(fetch))


def _reader(fetch: Fetch) -> TileReader:
    """Tiles by place and width; out of the full one, where the partial one is gone."""

    def read(level: int, index: int, width: int) -> bytes:
        tile = TileId(level, index, width)
        try:
            return fetch(tile.path)
        except (OSError, LookupError):
            if tile.is_full:
                raise
            return narrow(fetch(tile.full.path), level, width)

    return read


def _silent(_done: int, _total: int) -> None:
    return
