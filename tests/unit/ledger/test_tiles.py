import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.ledger.tiles import (
    ENTRIES,
    TileId,
    encode_entries,
    narrow,
    parse_path,
    split_entries,
    split_hashes,
    tile_width,
    tiles_of,
)
from gateway.model.errors import ExchangeError
from gateway.model.errors.ledger import LOG_MALFORMED
from tests.support.ledger import MemoryLog, noise


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (TileId(0, 0), "tile/0/000"),
        (TileId(0, 1234067), "tile/0/x001/x234/067"),  # the example of C2SP tlog-tiles
        (TileId(1, 999, 255), "tile/1/999.p/255"),
        (TileId(2, 1000, 1), "tile/2/x001/000.p/1"),
        (TileId(63, 0), "tile/63/000"),
        (TileId(ENTRIES, 1234, 7), "tile/entries/x001/234.p/7"),
        (TileId(ENTRIES, 5), "tile/entries/005"),
    ],
)
def test_paths(tile, path):
    assert tile.path == path
    assert parse_path(path) == tile


@given(st.integers(ENTRIES, 63), st.integers(0, 2**63 - 1), st.integers(1, 256))
def test_every_tile_has_one_path(level, index, width):
    tile = TileId(level, index, width)
    assert parse_path(tile.path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "", "checkpoint", "tile/", "tile/0", "tile/0/0", "tile/0/0000", "tile/0/x000/001", "tile/00/000", "tile/64/000",
        "tile/-1/000", "tile/0/001.p/0", "tile/0/001.p/256", "tile/0/001.p/01", "tile/0/001.p/", "tile/0/001.p",
        "tile/0/001/", "/tile/0/001", "tile/0/001\n", "tile/0/001/002", "tile/0/x001", "tile/entries/x1/234",
        "tile/0/x999/x999/x999/x999/x999/x999/x999/999", "tile/0/٠٠١", "tile/data/000", "tile/0/../000",
    ],
)  # fmt: skip
def test_any_other_path_is_refused(path):
    with pytest.raises(ExchangeError) as refused:
        parse_path(path)
    assert refused.value.kind is LOG_MALFORMED


@pytest.mark.parametrize("tile", [(-2, 0, 1), (64, 0, 1), (0, -1, 1), (0, 0, 0), (0, 0, 257), (0, 2**63, 1)])
def test_impossible_tiles_cannot_be_built(tile):
    with pytest.raises(ValueError, match="no such tile"):
        TileId(*tile)


def test_the_tiles_of_a_tree_of_70000_are_those_that_the_specification_lists():
    log = MemoryLog()
    log.append([b"\x01" + number.to_bytes(32, "big") for number in range(70_000)])
    hash_tiles = {parse_path(path) for path in log.files if path.startswith("tile/") and "entries" not in path}
    assert {tile for tile in hash_tiles if tile.level == 0} == {TileId(0, n) for n in range(273)} | {
        TileId(0, 273, 112)
    }
    assert {tile for tile in hash_tiles if tile.level == 1} == {TileId(1, 0), TileId(1, 1, 17)}
    assert {tile for tile in hash_tiles if tile.level == 2} == {TileId(2, 0, 1)}
    assert len(hash_tiles) == 277
    assert tiles_of(70_000) == [TileId(0, 273, 112), TileId(1, 1, 17), TileId(2, 0, 1)]
    assert tile_width(ENTRIES, 273, 70_000) == 112
    assert len(log.files["tile/entries/273.p/112"]) == 112 * 35


def test_the_tiles_of_a_tree_of_256_are_those_that_the_specification_lists():
    log = MemoryLog()
    log.append([bytes(33)] * 256)
    assert log.files.keys() - {"checkpoint"} == {"tile/0/000", "tile/1/000.p/1", "tile/entries/000"}
    assert tile_width(0, 1, 256) == tile_width(1, 1, 256) == 0


def test_each_partial_tile_is_written_at_each_published_size():
    log = MemoryLog()
    for number in range(5):
        log.append([noise(number, 33)])
    assert {f"tile/0/000.p/{width}" for width in range(1, 6)} <= log.files.keys()
    assert {f"tile/entries/000.p/{width}" for width in range(1, 6)} <= log.files.keys()


@given(st.lists(st.binary(max_size=80), min_size=1, max_size=256))
@settings(max_examples=60)
def test_entries_round_trip_and_narrow_to_every_prefix(entries):
    data = encode_entries(entries)
    assert split_entries(data, len(entries)) == entries
    width = len(entries) // 2 + 1
    assert split_entries(narrow(data, ENTRIES, width), width) == entries[:width]
    for wrong in (data + b"\x00", data[:-1]):
        with pytest.raises(ExchangeError):
            split_entries(wrong, len(entries))
    for width in (len(entries) - 1, len(entries) + 1):
        with pytest.raises(ExchangeError):
            split_entries(data, width)


@given(st.integers(1, 256), st.integers(0, 300))
@settings(max_examples=60)
def test_entries_of_one_length_round_trip(count, size):
    entries = [noise(number, size) for number in range(count)]
    assert split_entries(encode_entries(entries), count) == entries


def test_the_longest_entry():
    assert split_entries(encode_entries([bytes(65535)]), 1) == [bytes(65535)]
    with pytest.raises(ValueError, match="65535"):
        encode_entries([bytes(65536)])


def test_hashes_split_and_narrow():
    data = noise("hashes", 96)
    assert split_hashes(data, 3) == [data[:32], data[32:64], data[64:]]
    assert narrow(data, 0, 2) == data[:64]
    for wrong in (data + b"\x00", data[:-1], b""):
        with pytest.raises(ExchangeError):
            split_hashes(wrong, 3)
    with pytest.raises(ExchangeError):
        narrow(data, 0, 4)
    with pytest.raises(ExchangeError):
        narrow(b"\x00\x05ab", ENTRIES, 1)
