"""The tree and its proofs against RFC 6962 §2.1 written down as it stands: MTH, PATH and PROOF by recursion."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.ledger import merkle, proofs, tree
from gateway.model.errors import ExchangeError
from gateway.model.errors.ledger import LOG_PROOF_INVALID
from tests.support.ledger import MemoryLog, noise


def split(size):
    k = 1
    while k * 2 < size:
        k *= 2
    return k


def mth(entries):
    if not entries:
        return hashlib.sha256(b"").digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    k = split(len(entries))
    return hashlib.sha256(b"\x01" + mth(entries[:k]) + mth(entries[k:])).digest()


def path(m, entries):
    if len(entries) == 1:
        return []
    k = split(len(entries))
    if m < k:
        return [*path(m, entries[:k]), mth(entries[k:])]
    return [*path(m - k, entries[k:]), mth(entries[:k])]


def proof(m, entries):
    return subproof(m, entries, whole=True) if 0 < m < len(entries) else []


def subproof(m, entries, *, whole):
    n = len(entries)
    if m == n:
        return [] if whole else [mth(entries)]
    k = split(n)
    if m <= k:
        return [*subproof(m, entries[:k], whole=whole), mth(entries[k:])]
    return [*subproof(m - k, entries[k:], whole=False), mth(entries[:k])]


ENTRIES = [noise(number, number % 50) for number in range(700)]
sizes = st.one_of(st.integers(1, 40), st.sampled_from([63, 64, 65, 255, 256, 257, 511, 512, 513, 700]))


def log_of(size):
    log = MemoryLog()
    log.append(ENTRIES[:size])
    return log


@pytest.mark.parametrize("size", [*range(34), 255, 256, 257, 512, 700])
def test_the_root_is_that_of_the_definition(size):
    expected = mth(ENTRIES[:size])
    assert log_of(size).state.root == expected
    assert merkle.root([merkle.leaf_hash(entry) for entry in ENTRIES[:size]]) == expected


@given(st.data(), sizes)
@settings(max_examples=60, deadline=None)
def test_inclusion_proofs_are_those_of_the_definition(data, size):
    index = data.draw(st.integers(0, size - 1))
    log = log_of(size)
    made = proofs.inclusion_proof(index, size, log.read_tile)
    assert made == path(index, ENTRIES[:size])
    merkle.verify_inclusion(index, size, merkle.leaf_hash(ENTRIES[index]), made, log.state.root)


@given(st.data(), sizes)
@settings(max_examples=60, deadline=None)
def test_consistency_proofs_are_those_of_the_definition(data, size):
    old = data.draw(st.integers(0, size))
    log = log_of(size)
    made = proofs.consistency_proof(old, size, log.read_tile)
    assert made == proof(old, ENTRIES[:size])
    assert proofs.root_at(old, size, log.read_tile) == mth(ENTRIES[:old])
    merkle.verify_consistency(old, size, mth(ENTRIES[:old]), log.state.root, made)


def mutations(made):
    for place in range(len(made)):
        flipped = bytearray(made[place])
        flipped[place % 32] ^= 1 << place % 8
        yield [*made[:place], bytes(flipped), *made[place + 1 :]]
        yield [*made[:place], *made[place + 1 :]]
        yield [*made[:place], made[place], *made[place:]]
        yield [*made[:place], made[place][:31], *made[place + 1 :]]
    if len(made) > 1:
        yield made[::-1]
    yield [*made, bytes(32)]
    yield [bytes(32), *made]


@given(st.data(), st.integers(1, 70))
@settings(max_examples=50, deadline=None)
def test_every_mutated_inclusion_proof_fails(data, size):
    index = data.draw(st.integers(0, size - 1))
    entries = ENTRIES[100 : 100 + size]
    leaf, made, root = merkle.leaf_hash(entries[index]), path(index, entries), mth(entries)
    merkle.verify_inclusion(index, size, leaf, made, root)
    other = merkle.leaf_hash(b"another")
    wrong = [(index, size, leaf, mutated, root) for mutated in mutations(made) if mutated != made]
    wrong += [(index, size, other, made, root), (index, size, leaf, made, other), (-1, size, leaf, made, root)]
    wrong += [(place, size, leaf, made, root) for place in range(size + 2) if place != index]
    for arguments in wrong:
        with pytest.raises(ExchangeError) as refused:
            merkle.verify_inclusion(*arguments)
        assert refused.value.kind is LOG_PROOF_INVALID


@given(st.data(), st.integers(0, 70))
@settings(max_examples=50, deadline=None)
def test_every_mutated_consistency_proof_fails(data, size):
    old = data.draw(st.integers(0, size))
    entries = ENTRIES[:size]
    before, after, made = mth(entries[:old]), mth(entries), proof(old, entries)
    merkle.verify_consistency(old, size, before, after, made)
    other = merkle.leaf_hash(b"another")
    wrong = [(old, size, before, after, mutated) for mutated in mutations(made) if mutated != made]
    wrong += [(old, size, other, after, made), (size + 1, size, before, after, made), (-1, size, before, after, made)]
    if old:
        wrong += [(old, size, before, other, made)]
    wrong += [(place, size, before, after, made) for place in range(size) if place != old]
    for arguments in wrong:
        with pytest.raises(ExchangeError) as refused:
            merkle.verify_consistency(*arguments)
        assert refused.value.kind is LOG_PROOF_INVALID


@given(st.lists(st.integers(0, 300), max_size=6))
@settings(max_examples=40, deadline=None)
def test_appending_in_batches_gives_the_tree_of_appending_at_once(batches):
    log, start = MemoryLog(), 0
    for batch in batches:
        log.append(ENTRIES[start : start + batch])
        start = log.state.size
    at_once = log_of(start)
    assert log.state == at_once.state
    assert at_once.files.items() <= log.files.items()
    assert tree.restore(start, log.read_tile) == log.state
    tree.check_state(log.state)
