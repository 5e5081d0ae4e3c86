"""Growing the tree: what a sequencer keeps between batches, and the tiles that each batch writes.

The state holds the tree's right edge: the peaks that its root is folded from, and the bytes of the tiles and the
bundle that are still partial. So appending reads nothing, and costs per entry the same at any size.
"""

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from gateway.ledger.merkle import HASH_BYTES, fold, leaf_hash, node_hash, peaks_of
from gateway.ledger.proofs import TileReader
from gateway.ledger.tiles import ENTRIES, HEIGHT, WIDTH, TileId, encode_entries, split_entries, split_hashes, tiles_of
from gateway.model.errors import ExchangeError
from gateway.model.errors.ledger import LOG_MALFORMED

_FORMAT = 1


class TreeState(Struct, frozen=True):
    """The right edge of a tree.

    size: leaves. peaks: the roots of its perfect subtrees, the largest (oldest) first. edge: for each tile level, the
    bytes of its partial tile, empty where it has none. bundle: the bytes of the partial entry bundle; None where the
    entries are kept elsewhere, so that no bundles are to be written.
    """

    size: int = 0
    peaks: tuple[bytes, ...] = ()
    edge: tuple[bytes, ...] = ()
    bundle: bytes | None = b""

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.peaks) != self.size.bit_count():
            raise ValueError("a tree has one peak for each bit of its size")

    @property
    def root(self) -> bytes:
        """The root hash of the tree."""
        return fold(self.peaks)


class TileWrite(Struct, frozen=True):
    """A tile or bundle to be stored before the checkpoint of the new size. ``data`` extends what stands there."""

    tile: TileId
    data: bytes


EMPTY = TreeState()
"""The tree without entries."""
EMPTY_WITHOUT_BUNDLES = TreeState(bundle=None)
"""The same, of a log that makes its entry bundles from elsewhere when they are asked for."""


def append(state: TreeState, entries: Sequence[bytes]) -> tuple[TreeState, tuple[TileWrite, ...]]:
    """The tree with ``entries`` appended in order, and every tile and bundle that this changes, each once.

    The partial tiles of the new size are among them; those that did not change were written before. Raises ValueError
    for an entry over 65535 bytes.
    """
    if not entries:
        return state, ()
    writes: list[TileWrite] = []
    bundle = None if state.bundle is None else _append_entries(state.size, state.bundle, entries, writes)
    peaks = list(state.peaks)
    edge = [[data] for data in state.edge]
    size = state.size
    for entry in entries:
        size = _append_leaf(size, leaf_hash(entry), peaks, edge)
    joined = [b"".join(level) for level in edge]
    for level, data in enumerate(joined):
        joined[level] = _write_tiles(level, state.size, data, writes)
    return TreeState(size, tuple(peaks), tuple(joined), bundle), tuple(writes)


def restore(size: int, read_tile: TileReader, *, bundles: bool = True) -> TreeState:
    """The state of a tree of ``size`` from its partial tiles (and, with ``bundles``, its bundle), as after a restart.

    Nothing is proved by it: compare its ``root`` with the last checkpoint's. Raises what ``read_tile`` raises, and
    ExchangeError (LOG_MALFORMED) for a tile of another length.
    """
    edge: list[bytes] = []
    peaks: list[bytes] = []
    for tile in tiles_of(size):
        edge += [b""] * (tile.level - len(edge))
        data = read_tile(tile.level, tile.index, tile.width)
        edge.append(data)
        peaks = peaks_of(split_hashes(data, tile.width)) + peaks
    bundle: bytes | None = None
    if bundles:
        bundle = read_tile(ENTRIES, size // WIDTH, size % WIDTH) if size % WIDTH else b""
    return TreeState(size, tuple(peaks), tuple(edge), bundle)


def _append_leaf(size: int, node: bytes, peaks: list[bytes], edge: list[list[bytes]]) -> int:
    level = 0
    while True:
        if level % HEIGHT == 0:
            if level // HEIGHT == len(edge):
                edge.append([])
            edge[level // HEIGHT].append(node)
        if not size >> level & 1:
            break
        node = node_hash(peaks.pop(), node)
        level += 1
    peaks.append(node)
    return size + 1


def _append_entries(size: int, data: bytes, entries: Sequence[bytes], writes: list[TileWrite]) -> bytes:
    """Write the bundles, of which ``data`` begins with what was partial; give back the partial one."""
    index, width = divmod(size, WIDTH)
    start = 0
    while start < len(entries):
        taken = list(entries[start : start + WIDTH - width])
        start += len(taken)
        width += len(taken)
        data += encode_entries(taken)
        writes.append(TileWrite(TileId(ENTRIES, index, width), data))
        if width == WIDTH:
            index, width, data = index + 1, 0, b""
    return data


def _write_tiles(level: int, old_size: int, data: bytes, writes: list[TileWrite]) -> bytes:
    """Write one level's tiles, of which ``data`` begins with what was partial; give back what is partial now."""
    index, had = divmod(old_size >> (HEIGHT * level), WIDTH)
    full = WIDTH * HASH_BYTES
    start, unwritten = 0, had * HASH_BYTES
    while start + unwritten < len(data):
        part = data[start : start + full]
        writes.append(TileWrite(TileId(level, index, len(part) // HASH_BYTES), part))
        if len(part) < full:
            break
        start, unwritten, index = start + full, 0, index + 1
    return data[start:]


def encode_state(state: TreeState) -> bytes:
    """The state as bytes, to be kept between batches."""
    return msgspec.msgpack.encode((_FORMAT, state))


def decode_state(data: bytes) -> TreeState:
    """What ``encode_state`` wrote, checked against itself. Raises ExchangeError (LOG_MALFORMED)."""
    try:
        version, state = msgspec.msgpack.decode(data, type=tuple[int, TreeState])
    except msgspec.MsgspecError:
        raise ExchangeError(LOG_MALFORMED, "the tree's state does not parse") from None
    if version != _FORMAT:
        raise ExchangeError(LOG_MALFORMED, "the tree's state is of an unknown version")
    check_state(state)
    return state


def check_state(state: TreeState) -> None:
    """Check a state against itself. Raises ExchangeError (LOG_MALFORMED) where its parts disagree."""
    partial = {tile.level: tile.width for tile in tiles_of(state.size)}
    if partial and len(state.edge) <= max(partial):
        raise ExchangeError(LOG_MALFORMED, "the tree lacks one of its partial tiles")
    peaks: list[bytes] = []
    for level, data in enumerate(state.edge):
        peaks = peaks_of(split_hashes(data, partial.get(level, 0))) + peaks
    if tuple(peaks) != state.peaks:
        raise ExchangeError(LOG_MALFORMED, "the tree's peaks are not those of its partial tiles")
    if state.bundle is not None:
        split_entries(state.bundle, state.size % WIDTH)
