"""A search whose next page is read while one is in use: nothing is lost, doubled or left behind."""

import asyncio
import gc

import apsw
import pytest
import pytest_asyncio

from gateway.model.log import LogQuery
from gateway.storage.sqlite import search
from gateway.storage.sqlite.store import SqliteStore
from tests.support.storage import NOW, commit, numbers, sequence

pytestmark = pytest.mark.asyncio

SIZE = 47


@pytest_asyncio.fixture
async def store(tmp_path, monkeypatch):
    monkeypatch.setattr(search, "_PAGE", 10)
    made = SqliteStore(tmp_path / "motlan.db")
    await asyncio.gather(*(made.journal.commit(commit(number), NOW) for number in range(SIZE)))
    await sequence(made.log)
    yield made
    await made.close()


async def seqs(found):
    return [record.seq async for record in found]


@pytest.mark.parametrize("limit", [1, 9, 10, 11, 20, 46, 47, 48, 2**62])
@pytest.mark.parametrize("conditions", [{}, {"client": "VN/GOV/H31/portal", "kind": "request"}])
async def test_each_record_once_and_newest_first(store, limit, conditions):
    found = await seqs(store.log.search(LogQuery(limit=limit, **conditions)))
    assert found == list(range(SIZE, 0, -1))[:limit]


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
