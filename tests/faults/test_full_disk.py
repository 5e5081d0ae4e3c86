"""The disk is full, or fails to synchronise: commits are refused, nothing is half done, and it goes on by itself."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.model.storage import JournalUnavailableError, NonceUsedError
from gateway.storage.sqlite.store import SqliteStore
from tests.support.powercut import PowerCutVFS
from tests.support.storage import NOW, at, commit
from tests.support.worlds import CALLERS, Told, check, until_it_ends, work

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def disk(tmp_path: Path) -> AsyncIterator[PowerCutVFS]:
    (tmp_path / "after").mkdir()
    yield PowerCutVFS(f"full-{tmp_path.name}")


@pytest.mark.parametrize("room", [0, 5_000, 20_000, 60_000, 150_000, 400_000])
async def test_a_full_disk(disk: PowerCutVFS, tmp_path: Path, room: int) -> None:
    store, told = SqliteStore(tmp_path / "motlan.db", vfs=disk.name), Told()
    disk.room = room
    await until_it_ends(lambda: work(store, told))
    assert len(told.attempted) > len(told.acknowledged)
    with pytest.raises(JournalUnavailableError):
        await store.journal.commit(commit(700_000), NOW)
    disk.room = None
    first = 1000
    await until_it_ends(lambda: work(store, told, first=first, rounds=3))
    assert sum(1 for made in told.acknowledged.values() if int(made.row.id[-12:], 16) >= first) >= 6 * CALLERS
    await store.close()
    await check(tmp_path / "motlan.db", told)


@pytest.mark.parametrize("failures", [1, 2, 5])
async def test_a_disk_that_fails_to_synchronise(disk: PowerCutVFS, tmp_path: Path, failures: int) -> None:
    store, told = SqliteStore(tmp_path / "motlan.db", vfs=disk.name), Told()
    await until_it_ends(lambda: work(store, told, rounds=3))
    disk.failing_syncs = failures
    while disk.failing_syncs:
        await until_it_ends(lambda: work(store, told, first=len(told.attempted) + 1000, rounds=3))
    await until_it_ends(lambda: work(store, told, first=10_000, rounds=3))
    disk.cut()
    await store.close()
    await check(disk.restore(tmp_path / "after", failures, "some"), told)


async def test_every_caller_of_a_batch_that_failed_is_told(disk: PowerCutVFS, tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "motlan.db", vfs=disk.name)
    await store.journal.commit(commit(1, nonce="used"), NOW)
    disk.room = 100
    results = await asyncio.gather(
        *(store.journal.commit(commit(number, nonce=f"n{number}"), NOW) for number in range(2, 50)),
        return_exceptions=True,
    )
    assert {type(result) for result in results} == {JournalUnavailableError}
    disk.room = None
    for number in range(2, 50):
        await store.journal.commit(commit(number, nonce=f"n{number}"), NOW)
    with pytest.raises(NonceUsedError):
        await store.journal.commit(commit(60, nonce="used"), at(1))
    await store.close()
