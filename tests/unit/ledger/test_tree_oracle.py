"""Our trees against RFC 6962 as pymerkle has it: roots, inclusion, receipts, and whole logs as others read their files."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymerkle import InvalidProof

from gateway.ledger import proofs
from gateway.ledger.merkle import verify_consistency
from gateway.ledger.tiles import TileId
from tests.support.ledger import MemoryLog, built, noise
from tests.support.rfc6962 import check_log, check_receipt, tree_of
from tests.support.tlog_proof import check, read_log

SIZE = 1200
ENTRIES = [b"\x01" + noise(("oracle", number), 32) for number in range(SIZE)]


def ours(size):
    made = MemoryLog()
    made.append(ENTRIES[:size])
    return made


TREE, LOG = tree_of(ENTRIES), ours(SIZE)


def read_tile(level, index, width):
    """A tile of any width: a prefix of the widest."""
    [widest] = [path for path in LOG.files if path.partition(".p")[0] == TileId(level, index).path]
    return LOG.files[widest][: 32 * width]


@pytest.mark.parametrize("size", [*range(35), 255, 256, 257, 511, 512, 513, 1023, 1024, 1025, SIZE])
def test_roots(size):
    assert ours(size).state.root == TREE.get_root(size)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, SIZE), st.data())
def test_inclusion_in_a_tree_of_any_size(size, data):
    index = data.draw(st.integers(0, size - 1))
    proved = TREE.prove_inclusion(index + 1, size)
    assert list(proofs.inclusion_proof(index, size, read_tile)) == proved.path[1:]


@settings(max_examples=60, deadline=None)
@given(st.integers(1, SIZE), st.data())
def test_consistency_leads_from_one_of_their_roots_to_another(size, data):
    older = data.draw(st.integers(1, size))
    proof = proofs.consistency_proof(older, size, read_tile)
    verify_consistency(older, size, TREE.get_root(older), TREE.get_root(size), proof)


@pytest.mark.parametrize("index", [0, 1, 255, 256, 511, 512, 599])
def test_receipts(index):
    log = MemoryLog()
    log.append([built(number).entry for number in range(600)])
    proof = check(log.receipt(index, built(index)), log.key.encode())
    check_receipt(proof)
    for changed in (
        {"path": [*proof.path[:-1], bytes(32)]},
        {"path": proof.path[:-1]},
        {"path": [*proof.path, bytes(32)]},
        {"index": proof.index + 2},
        {"size": proof.size + 1},
    ):
        with pytest.raises(InvalidProof):
            check_receipt(proof, **changed)


@pytest.mark.parametrize("size", [0, 1, 256, 257, 600, SIZE])
def test_a_whole_log_as_others_read_it(size):
    log = ours(size)
    check_log(read_log(log.fetch, log.key.encode()))


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("tile/entries/003", 20),
        ("tile/entries/004.p/176", 35 * 100 + 8),
        ("tile/0/001", 5),
        ("tile/1/000.p/4", 100),
    ],
)
def test_what_was_edited_is_told(path, place):
    good = LOG.files[path]
    bad = {**LOG.files, path: good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :]}
    with pytest.raises(AssertionError):
        check_log(read_log(bad.__getitem__, LOG.key.encode()))
