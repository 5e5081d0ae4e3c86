"""Which tiles a receipt is made from: known beforehand, so that they are read at once and the proof is made apart."""

from collections.abc import Mapping

from gateway.ledger import merkle, proofs
from gateway.ledger.tiles import HEIGHT, WIDTH, TileId, narrow, tile_width

_NOTHING = bytes(merkle.HASH_BYTES)


def tiles_for(index: int, size: int) -> list[TileId]:
    """The tiles that the proof of leaf ``index`` in the tree of ``size`` is made from: some two for each level of
    tiles, so six at ten million. Raises ValueError unless 0 ≤ index < size.
    """
    needed: dict[tuple[int, int], None] = {}

    def node(level: int, number: int) -> bytes:
        tile, above = divmod(level, HEIGHT)
        needed[tile, (number << above) // WIDTH] = None
        return _NOTHING

    merkle.inclusion_proof(index, size, node)
    return [TileId(level, number, tile_width(level, number, size)) for level, number in needed]


def prove(index: int, size: int, tiles: Mapping[tuple[int, int], bytes]) -> tuple[bytes, ...]:
    """The proof of leaf ``index``. tiles: the bytes of those of ``tiles_for`` by level and index, as wide as they are
    now, which may be wider than the tree of ``size`` had them.

    Raises ExchangeError (LOG_MALFORMED) for one that is too narrow, KeyError for one that is missing.
    """

    def read(level: int, number: int, width: int) -> bytes:
        return narrow(tiles[level, number], level, width)

    return tuple(proofs.inclusion_proof(index, size, read))
