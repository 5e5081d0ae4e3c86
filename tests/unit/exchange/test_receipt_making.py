"""Receipts made out of stored tiles, on each engine: which checkpoint, which proof, and what never goes out."""

import base64

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from gateway.exchange.receipts import CHECKPOINT, COSIGNATURE, Receipts
from gateway.ledger import merkle
from gateway.ledger.merkle import leaf_hash, verify_inclusion
from gateway.ledger.note import KeyType, cosign
from gateway.ledger.openings import parse_openings
from gateway.ledger.receipt_tiles import prove, tiles_for
from gateway.ledger.tiles import WIDTH
from gateway.model.errors import ExchangeError
from gateway.model.errors.ledger import LOG_INVALID
from gateway.model.errors.receipt import RECEIPT_PENDING, RECEIPT_UNKNOWN
from gateway.model.storage import Attestation, Commit, Row
from tests.support import tlog_proof
from tests.support.ledger import MemoryLog, built, signing_key
from tests.support.storage import ENGINES, LOG_KEY, NOW, open_store, record_id, sequencer

VKEY = LOG_KEY.encode()
W1, SIGN1 = signing_key("w1", "witness.example/1", KeyType.COSIGNATURE)
W2, SIGN2 = signing_key("w2", "witness.example/2", KeyType.COSIGNATURE)
ROWS = 300
RECORDS = [built(number) for number in range(ROWS + 1)]


@pytest_asyncio.fixture(params=ENGINES)
async def store(request, tmp_path):
    opened = open_store(request.param, tmp_path)
    yield opened
    await opened.close()


async def put(store, first, last):
    """Commit records by number and put them into the tree; the checkpoint then."""
    for number in range(first, last):
        await store.journal.commit(Commit(row=row(number)), NOW)
    while await sequencer(store).step():
        pass
    return await store.log.checkpoint()


def row(number):
    record = RECORDS[number]
    return Row(id=record.id, entry=record.entry, skeleton=record.skeleton, openings=b"sealed", epoch="20779-aa")


async def attest(store, size, note, *signers):
    """Keep a checkpoint with the cosignatures of these witnesses on it."""
    await store.log.attest(Attestation(size=size, kind=CHECKPOINT, content=note, at=NOW))
    for key, sign in signers:
        line = cosign(note, key, sign, 1_795_315_862)[len(note) :]
        await store.log.attest(Attestation(size=size, kind=COSIGNATURE, name=key.name, content=line, at=NOW))


@pytest.mark.asyncio
async def test_every_record_of_a_tree_has_a_receipt_that_others_verify(store):
    await put(store, 0, ROWS)
    receipts = Receipts(store.log)
    for number in (0, 1, 127, 254, 255, 256, 257, ROWS - 1):
        shown = parse_openings(RECORDS[number].openings).only(lambda opening: opening.name == "case")
        proof = tlog_proof.check(await receipts.of(RECORDS[number].id, openings=shown), VKEY)
        assert (proof.index, proof.size, [name for name, _ in proof.opened]) == (number, ROWS, ["case"])
        assert tlog_proof.check(await receipts.of(RECORDS[number].id), VKEY).opened == []


@pytest.mark.asyncio
async def test_a_record_that_waits_or_is_not_there_has_none_yet(store):
    receipts = Receipts(store.log)
    await store.journal.commit(Commit(row=row(0)), NOW)
    with pytest.raises(ExchangeError) as caught:
        await receipts.of(RECORDS[0].id)
    assert (caught.value.kind, caught.value.retry_after) == (RECEIPT_PENDING, 1)
    with pytest.raises(ExchangeError) as caught:
        await receipts.of(record_id(9999))
    assert caught.value.kind is RECEIPT_UNKNOWN


@pytest.mark.asyncio
async def test_witnesses_cosignatures_come_with_the_checkpoint_that_most_of_them_saw(store):
    receipts = Receipts(store.log)
    await attest(store, 3, await put(store, 0, 3), (W1, SIGN1), (W2, SIGN2))
    await attest(store, 5, await put(store, 3, 5), (W1, SIGN1))
    await attest(store, 6, await put(store, 5, 6))
    await put(store, 6, 8)

    async def seen(number):
        proof = tlog_proof.check(await receipts.of(RECORDS[number].id), VKEY, witnesses=(W1.encode(), W2.encode()))
        return proof.size, sorted(proof.cosigned)

    assert await seen(0) == (3, [W1.name, W2.name])
    assert await seen(4) == (5, [W1.name])
    assert await seen(5) == (8, [])  # none of the cosigned trees has it: the newest, and its own signature alone


@pytest.mark.asyncio
async def test_a_kept_checkpoint_can_be_asked_for_by_its_size(store):
    receipts = Receipts(store.log)
    await attest(store, 3, await put(store, 0, 3))
    await put(store, 3, ROWS)
    assert tlog_proof.check(await receipts.of(RECORDS[2].id, size=3), VKEY).size == 3
    assert tlog_proof.check(await receipts.of(RECORDS[2].id, size=ROWS), VKEY).size == ROWS
    for number, size in ((2, 4), (3, 3), (0, 0)):
        with pytest.raises(ExchangeError) as caught:
            await receipts.of(RECORDS[number].id, size=size)
        assert caught.value.kind is RECEIPT_UNKNOWN


@pytest.mark.asyncio
async def test_what_would_not_verify_is_never_given_out(store, monkeypatch):
    await put(store, 0, 5)
    tile = store.log.tile

    async def altered(level, number):
        data = await tile(level, number)
        return bytes([data[0] ^ 1]) + data[1:]

    monkeypatch.setattr(store.log, "tile", altered)
    with pytest.raises(ExchangeError) as caught:
        await Receipts(store.log).of(RECORDS[3].id)
    assert caught.value.kind is LOG_INVALID

    async def missing(*_):
        return None

    monkeypatch.setattr(store.log, "tile", missing)
    with pytest.raises(ExchangeError, match="tile/0/000"):
        await Receipts(store.log).of(RECORDS[3].id)


@pytest.mark.asyncio
async def test_openings_are_the_records_own(store):
    await put(store, 0, 2)
    with pytest.raises(ValueError, match="another record"):
        await Receipts(store.log).of(RECORDS[0].id, openings=parse_openings(RECORDS[1].openings))


@given(st.data())
def test_tiles_read_beforehand_are_those_that_the_proof_takes(data):
    size = data.draw(st.integers(1, 3 * WIDTH))
    index = data.draw(st.integers(0, size - 1))
    later = data.draw(st.integers(size, 3 * WIDTH + 7))
    leaves = [leaf_hash(b"%d" % number) for number in range(later)]
    tiles = {}
    for tile in tiles_for(index, size):
        rows = leaves
        for _ in range(tile.level):
            rows = [merkle.root(rows[at : at + WIDTH]) for at in range(0, len(rows) - WIDTH + 1, WIDTH)]
        tiles[tile.level, tile.index] = b"".join(rows[tile.index * WIDTH : (tile.index + 1) * WIDTH])
    proof = prove(index, size, tiles)
    verify_inclusion(index, size, leaves[index], proof, merkle.root(leaves[:size]))


@pytest.mark.parametrize("size", [10_000_000, 10_000_001, 2**24 - 1, 2**40 + 12345])
def test_a_large_tree_takes_a_handful_of_tiles(size):
    assert max(len(tiles_for(index, size)) for index in (0, 1, size // 2, size - 257, size - 1)) <= 12


def test_a_log_in_files_gives_the_same_proofs():
    log = MemoryLog()
    log.append([record.entry for record in RECORDS[:9]])
    tiles = {(tile.level, tile.index): log.fetch(tile.path) for tile in tiles_for(5, 9)}
    lines = log.receipt(5, RECORDS[5]).split(b"\n\n")[0].split(b"\n")[3:]
    assert [base64.b64decode(line) for line in lines] == list(prove(5, 9, tiles))
