"""A search whose next page is read while one is in use: nothing is lost, doubled or left behind."""

import asyncio
import gc

import apsw
import pytest
import pytest_asyncio

from gateway.model.log import LogQuery
from gateway.model.storage import Redaction
from gateway.storage.sqlite import search
from gateway.storage.sqlite.store import SqliteStore
from tests.support.storage import NOW, commit, numbers, record_id, sequence

pytestmark = pytest.mark.asyncio

SIZE = 47


@pytest_asyncio.fixture(params=[False, True], ids=["read", "mapped"])
async def store(tmp_path, monkeypatch, request):
    monkeypatch.setattr(search, "_PAGE", 10)
    made = SqliteStore(tmp_path / "motlan.db", mapped=request.param)
    await asyncio.gather(*(made.journal.commit(named(number), NOW) for number in range(SIZE)))
    await sequence(made.log)
    yield made
    await made.close()


def named(number):
    """A record of somebody of its own."""
    return commit(number, pseudonyms=(("person", number.to_bytes(16, "big")),))


def about(number):
    """What is recorded of them."""
    return LogQuery(pseudonyms=(number.to_bytes(16, "big"),))


async def seqs(found):
    return [record.seq async for record in found]


@pytest.mark.parametrize("limit", [1, 9, 10, 11, 20, 46, 47, 48, 2**62])
@pytest.mark.parametrize("conditions", [{}, {"client": "VN/GOV/H31/portal", "kind": "request"}])
async def test_each_record_once_and_newest_first(store, limit, conditions):
    found = await seqs(store.log.search(LogQuery(limit=limit, **conditions)))
    assert found == list(range(SIZE, 0, -1))[:limit]


async def test_what_another_process_adds_and_erases_is_seen(store, tmp_path):
    assert await seqs(store.log.search(about(7))) == [8]
    other = SqliteStore(tmp_path / "motlan.db")
    await asyncio.gather(*(other.journal.commit(named(number), NOW) for number in range(SIZE, SIZE + 300)))
    await sequence(other.log)
    assert await seqs(store.log.search(about(SIZE + 200))) == [SIZE + 201]
    await other.log.redact([Redaction(id=record_id(7), openings=b"")])
    assert await seqs(store.log.search(about(7))) == []
    assert await seqs(store.log.search(about(8))) == [9]
    await other.close()


async def test_only_a_search_for_somebody_maps_the_file(store):
    def size(connection):
        return connection.pragma("mmap_size")

    await seqs(store.log.search(about(7)))
    assert (await store._engine.read(size) > 0) is store._engine.mapped
    for _ in range(4):  # whichever of the readers it is
        await seqs(store.log.search(LogQuery(limit=3)))
    assert await store._engine.read(size) == 0


async def test_who_leaves_in_the_middle_leaves_nothing_behind(store, caplog):
    for taken in (1, 9, 10, 11):
        found = store.log.search(LogQuery(limit=2**62))
        first = [(await anext(found)).seq for _ in range(taken)]
        await found.aclose()
        assert first == list(range(SIZE, SIZE - taken, -1))
    await store.close()
    gc.collect()
    await asyncio.sleep(0)
    assert not caplog.records


async def test_a_page_that_cannot_be_read_is_an_error_after_those_before_it(store, tmp_path, caplog):
    database = apsw.Connection(str(tmp_path / "motlan.db"))
    database.execute("UPDATE journal SET row = x'00' WHERE seq = 20")
    database.close()
    got = []

    async def through():
        async for record in store.log.search(LogQuery(limit=2**62)):
            got.append(record)  # noqa: PERF401 - what came before the error counts

    with pytest.raises(ValueError, match="does not parse"):
        await through()
    assert len(numbers(got)) == 20
    # And where nobody waits for it, it is no news.
    found = store.log.search(LogQuery(limit=2**62, before_seq=31))
    await anext(found)
    await asyncio.sleep(0.05)
    await found.aclose()
    gc.collect()
    assert not caplog.records
