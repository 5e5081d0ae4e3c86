"""A log's files out of a database, read ahead: each is the one that is there now, whoever wrote to it meanwhile."""

import asyncio
from contextlib import asynccontextmanager

import apsw
import pytest

from gateway.ledger.checkpoint import open_checkpoint
from gateway.ledger.verify import LogWalk, run, verify_log
from gateway.model.errors import ExchangeError
from gateway.storage.sqlite.store import SqliteStore
from gateway.wiring import stored_files
from gateway.wiring.stored_files import StoredFiles
from tests.support.storage import LOG_KEY, NOW, commit, published, sequencer

pytestmark = pytest.mark.asyncio

SIZE = 3000


@asynccontextmanager
async def files(folder, size=SIZE):
    store = SqliteStore(folder / "motlan.db")
    await grow(store, 0, size)
    yield store, StoredFiles(store.log, asyncio.get_running_loop())
    await store.close()


async def grow(store, first, count):
    await asyncio.gather(*(store.journal.commit(commit(number), NOW) for number in range(first, first + count)))
    one = sequencer(store)
    while await one.step():
        pass


def outside(work, *arguments):
    """As verifiers call it: from another thread than the loop's."""
    return asyncio.to_thread(work, *arguments)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(stored_files, "_BUNDLES", 2)
    monkeypatch.setattr(stored_files, "_TILES", 3)


async def test_every_file_in_any_order(tmp_path):
    async with files(tmp_path) as (store, stored):
        wanted = await published(store.log)
        names = sorted(wanted)
        for order in (names, names[::-1], names[::2] + names[1::2]):
            for name in order:
                assert await outside(stored.fetch, name) == wanted[name], name
        with pytest.raises(LookupError):
            await outside(stored.fetch, "tile/entries/012")
        with pytest.raises(LookupError):
            await outside(stored.fetch, "tile/0/099")


async def test_a_log_that_grew_since(tmp_path):
    async with files(tmp_path) as (store, stored):
        assert (await outside(verify_log, stored.fetch, LOG_KEY)).checkpoint.checkpoint.size == SIZE
        await grow(store, SIZE, 777)
        assert (await outside(verify_log, stored.fetch, LOG_KEY)).checkpoint.checkpoint.size == SIZE + 777


async def test_one_that_grows_meanwhile(tmp_path):
    async with files(tmp_path) as (store, stored):
        note = await outside(stored.fetch, "checkpoint")
        await outside(stored.fetch, "tile/entries/010")
        await grow(store, SIZE, 777)
        walk = LogWalk(open_checkpoint(note, LOG_KEY).checkpoint)
        await outside(run, walk.steps(), stored.fetch)
        assert not walk.faults.names


async def test_a_row_that_does_not_parse_is_named_and_its_neighbours_are_not(tmp_path):
    async with files(tmp_path) as (_, stored):
        change(tmp_path, "UPDATE journal SET row = x'00' WHERE seq = 1001")
        with pytest.raises(ExchangeError) as refused:
            await outside(verify_log, stored.fetch, LOG_KEY)
        assert len(refused.value.parts) == 1
        assert "tile/entries/003" in refused.value.parts[0]


async def test_an_entry_that_was_edited_is_named(tmp_path):
    async with files(tmp_path) as (_, stored):
        change(
            tmp_path,
            "UPDATE journal SET row = (SELECT other.row FROM journal AS other WHERE other.seq = 7) WHERE seq = 2000",
        )
        with pytest.raises(ExchangeError) as refused:
            await outside(verify_log, stored.fetch, LOG_KEY)
        assert refused.value.parts == ("tile/entries/007: entry 1999 is not the one logged",)


async def test_a_row_that_is_gone_is_missed(tmp_path):
    async with files(tmp_path) as (_, stored):
        change(tmp_path, "DELETE FROM journal WHERE seq = 2000")
        with pytest.raises(ExchangeError):
            await outside(verify_log, stored.fetch, LOG_KEY)


def change(folder, statement):
    database = apsw.Connection(str(folder / "motlan.db"))
    database.execute(statement)
    database.close()
