"""Tiles and entry bundles of C2SP tlog-tiles: their paths, and their bytes.

A tile is up to 256 hashes of one tree level in eight (level 0: leaf hashes); a bundle is the entries under a level-0
tile. The bytes of a partial one are a prefix of every wider one at its place, so a store may keep only the widest.
"""

import re

from msgspec import Struct

from gateway.ledger.merkle import HASH_BYTES
from gateway.model.errors import ExchangeError
from gateway.model.errors.ledger import LOG_MALFORMED

WIDTH = 256
"""Hashes in a full tile, entries in a full bundle."""
HEIGHT = 8
"""Tree levels in a tile."""
ENTRIES = -1
"""The ``level`` of entry bundles."""

_TOP_LEVEL = 63
_LARGEST_INDEX = 2**63
_LONGEST_ENTRY = 0xFFFF
_PATH = re.compile(
    r"tile/(?P<level>0|[1-9][0-9]?|entries)/(?P<index>(?:x[0-9]{3}/)*[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


class TileId(Struct, frozen=True, order=True):
    """Which tile: its level (``ENTRIES`` for a bundle), its index in that level, and its width, 1 to 256.

    Raises ValueError for what cannot be.
    """

    level: int
    index: int
    width: int = WIDTH

    def __post_init__(self) -> None:
        in_range = ENTRIES <= self.level <= _TOP_LEVEL and 0 <= self.index < _LARGEST_INDEX
        if not in_range or not 1 <= self.width <= WIDTH:
            raise ValueError("there is no such tile")

    @property
    def path(self) -> str:
        """Its path below the log's prefix: ``tile/0/x001/234.p/5``, ``tile/entries/000``."""
        level = "entries" if self.level == ENTRIES else str(self.level)
        partial = f".p/{self.width}" if self.width < WIDTH else ""
        return f"tile/{level}/{_index_path(self.index)}{partial}"

    @property
    def is_full(self) -> bool:
        """Whether it can grow no more, so that its bytes never change."""
        return self.width == WIDTH

    @property
    def full(self) -> "TileId":
        """The full tile at the same place."""
        return TileId(self.level, self.index)


def parse_path(path: str) -> TileId:
    """The tile of a path below the log's prefix. Raises ExchangeError (LOG_MALFORMED) for any other text."""
    found = _PATH.fullmatch(path)
    if found is None:
        raise ExchangeError(LOG_MALFORMED, "this is not the path of a tile")
    level, index, width = found.group("level", "index", "width")
    number = int(index.replace("x", "").replace("/", ""))
    try:
        tile = TileId(ENTRIES if level == "entries" else int(level), number, WIDTH if width is None else int(width))
    except ValueError:
        raise ExchangeError(LOG_MALFORMED, "there is no such tile") from None
    if tile.path != path:
        raise ExchangeError(LOG_MALFORMED, "this is not the one path of the tile")
    return tile


def tile_width(level: int, index: int, size: int) -> int:
    """The width that a tile (or bundle) has in a tree of ``size``; 0 if it is not there."""
    hashes = size >> (HEIGHT * max(level, 0))
    return max(0, min(WIDTH, hashes - index * WIDTH))


def tiles_of(size: int) -> list[TileId]:
    """The partial hash tiles of a tree of ``size``, lowest level first: what its root is folded from."""
    partial: list[TileId] = []
    level = 0
    while size >> (HEIGHT * level):
        width = (size >> (HEIGHT * level)) % WIDTH
        if width:
            partial.append(TileId(level, size >> (HEIGHT * (level + 1)), width))
        level += 1
    return partial


def split_hashes(data: bytes, width: int) -> list[bytes]:
    """The hashes of a tile. Raises ExchangeError (LOG_MALFORMED) unless there are exactly ``width``."""
    if len(data) != width * HASH_BYTES:
        raise ExchangeError(LOG_MALFORMED, "a tile does not hold the hashes of its width")
    return [data[start : start + HASH_BYTES] for start in range(0, len(data), HASH_BYTES)]


def encode_entries(entries: list[bytes]) -> bytes:
    """The bytes of a bundle: each entry after its length, a big-endian uint16. Raises ValueError beyond 65535."""
    lengths = set(map(len, entries))
    if lengths and max(lengths) > _LONGEST_ENTRY:
        raise ValueError("an entry is at most 65535 bytes")
    if len(lengths) == 1:  # as those of our own log are
        length = lengths.pop().to_bytes(2, "big")
        return length + length.join(entries)
    return b"".join([len(entry).to_bytes(2, "big") + entry for entry in entries])


def split_entries(data: bytes, width: int) -> list[bytes]:
    """The entries of a bundle. Raises ExchangeError (LOG_MALFORMED) unless there are exactly ``width``."""
    stride = 2 + int.from_bytes(data[:2], "big")
    if len(data) == width * stride and data[::stride] + data[1::stride] == data[:1] * width + data[1:2] * width:
        return [data[start + 2 : start + stride] for start in range(0, len(data), stride)]  # all of one length
    entries, end = _entries_until(data, width)
    if end != len(data):
        raise ExchangeError(LOG_MALFORMED, "a bundle does not hold the entries of its width")
    return entries


def narrow(data: bytes, level: int, width: int) -> bytes:
    """The bytes of the tile or bundle of ``width`` at the same place as a wider one with bytes ``data``.

    Raises ExchangeError (LOG_MALFORMED) if there are not so many.
    """
    end = _entries_until(data, width)[1] if level == ENTRIES else width * HASH_BYTES
    if end > len(data):
        raise ExchangeError(LOG_MALFORMED, "the tile is narrower than that")
    return data[:end]


def _entries_until(data: bytes, width: int) -> tuple[list[bytes], int]:
    """The first ``width`` entries, and where they end: beyond the data, if there are fewer."""
    entries: list[bytes] = []
    start = 0
    for _ in range(width):
        end = start + 2 + int.from_bytes(data[start : start + 2], "big")
        entries.append(data[start + 2 : end])
        start = end
    return entries, start


def _index_path(index: int) -> str:
    digits = str(index)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[start : start + 3] for start in range(0, len(digits), 3)]
    return "".join([f"x{group}/" for group in groups[:-1]]) + groups[-1]
