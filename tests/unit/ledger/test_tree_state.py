"""What a sequencer keeps: it survives being stored, and damage to it is noticed before anything is signed."""

import pytest

from gateway.ledger import tree
from gateway.ledger.tiles import ENTRIES
from gateway.model.errors import ExchangeError
from gateway.model.errors.ledger import LOG_MALFORMED
from tests.support.ledger import MemoryLog, noise

LEAVES = [noise(number, 33) for number in range(66_000)]


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 1000, 65_536, 66_000])
def test_a_stored_state_goes_on_where_it_stopped(size):
    state, _ = tree.append(tree.EMPTY, LEAVES[:size])
    again = tree.decode_state(tree.encode_state(state))
    assert again == state
    more = LEAVES[:300]
    assert tree.append(again, more) == tree.append(state, more)


def test_a_log_that_keeps_its_entries_elsewhere_writes_the_same_tiles():
    with_bundles, writes = tree.append(tree.EMPTY, LEAVES[:1000])
    without, tiles = tree.append(tree.EMPTY_WITHOUT_BUNDLES, LEAVES[:1000])
    assert tiles == tuple(write for write in writes if write.tile.level != ENTRIES)
    assert without.root == with_bundles.root
    log = MemoryLog()
    log.append(LEAVES[:1000])
    assert tree.restore(1000, log.read_tile, bundles=False) == without
    assert tree.decode_state(tree.encode_state(without)) == without


def damaged():
    state, _ = tree.append(tree.EMPTY, LEAVES[:600])
    parts = {"size": state.size, "peaks": state.peaks, "edge": state.edge, "bundle": state.bundle}
    other = bytes(32)
    yield {**parts, "peaks": (other, *state.peaks[1:])}
    yield {**parts, "edge": state.edge[:1]}
    yield {**parts, "edge": ()}
    yield {**parts, "edge": (state.edge[0][:-1], state.edge[1])}
    yield {**parts, "edge": (other + state.edge[0][32:], state.edge[1])}
    yield {**parts, "edge": (*state.edge, other)}
    yield {**parts, "bundle": state.bundle[:-1]}
    yield {**parts, "bundle": b""}
    yield {**parts, "size": 612, "peaks": state.peaks}


@pytest.mark.parametrize("parts", list(damaged()))
def test_a_damaged_state_is_refused(parts):
    with pytest.raises(ExchangeError) as refused:
        tree.decode_state(tree.encode_state(tree.TreeState(**parts)))
    assert refused.value.kind is LOG_MALFORMED


@pytest.mark.parametrize("data", [b"", b"\xc0", b"\x92\x02\xc0", tree.encode_state(tree.EMPTY)[:-1]])
def test_what_is_no_state_is_refused(data):
    with pytest.raises(ExchangeError) as refused:
        tree.decode_state(data)
    assert refused.value.kind is LOG_MALFORMED


def test_a_state_has_a_peak_for_each_bit_of_its_size():
    with pytest.raises(ValueError, match="peak"):
        tree.TreeState(3, (bytes(32),))


def test_nothing_appended_writes_nothing():
    state, _ = tree.append(tree.EMPTY, LEAVES[:5])
    assert tree.append(state, []) == (state, ())
