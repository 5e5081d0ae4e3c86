"""Proofs read from tiles: each takes a handful of tiles, whatever the size of the tree."""

from collections.abc import Callable

from gateway.ledger import merkle
from gateway.ledger.tiles import HEIGHT, WIDTH, split_hashes, tile_width

TileReader = Callable[[int, int, int], bytes]
"""(level, index, width) → the bytes of that tile; of an entry bundle with level ``tiles.ENTRIES``."""


class TileNodes:
    """The perfect nodes of a tree of ``size``, read from its tiles; each tile is read once, then remembered.

    Made for one proof and then dropped. Raises what ``read_tile`` raises.
    """

    def __init__(self, size: int, read_tile: TileReader) -> None:
        self._size = size
        self._read = read_tile
        self._tiles: dict[tuple[int, int], list[bytes]] = {}

    def __call__(self, level: int, index: int) -> bytes:
        """The hash of node (level, index). Raises ValueError if not all of its leaves are in the tree."""
        if (index + 1) << level > self._size:
            raise ValueError("the node is not in the tree")
        tile_level, above = divmod(level, HEIGHT)
        tile, start = divmod(index << above, WIDTH)
        return merkle.root(self._hashes(tile_level, tile)[start : start + (1 << above)])

    def _hashes(self, level: int, index: int) -> list[bytes]:
        hashes = self._tiles.get((level, index))
        if hashes is None:
            width = tile_width(level, index, self._size)
            hashes = self._tiles[level, index] = split_hashes(self._read(level, index, width), width)
        return hashes


def inclusion_proof(index: int, size: int, read_tile: TileReader) -> list[bytes]:
    """As ``merkle.inclusion_proof``, from tiles of a tree of ``size``."""
    return merkle.inclusion_proof(index, size, TileNodes(size, read_tile))


def consistency_proof(old: int, new: int, read_tile: TileReader) -> list[bytes]:
    """As ``merkle.consistency_proof``, from tiles of a tree of size ``new``."""
    return merkle.consistency_proof(old, new, TileNodes(new, read_tile))


def root_at(old: int, size: int, read_tile: TileReader) -> bytes:
    """The root that the tree had when it was of size ``old``, from tiles of a tree of ``size``."""
    return merkle.tree_root(old, TileNodes(size, read_tile))
