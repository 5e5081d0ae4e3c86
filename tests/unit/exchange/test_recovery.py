import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.exchange.recovery import abandon_open_requests
from gateway.model.storage import Commit, StoredRecord
from tests.support.storage import ENGINES, NOW, Store, at, commit, numbers, open_store, record_id

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture(params=ENGINES)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    opened = open_store(request.param, tmp_path)
    yield opened
    await opened.close()


def abandoned(record: StoredRecord) -> Commit:
    return commit(int(record.row.id[-12:], 16) + 10_000, ends=record.row.id)


async def test_every_request_without_an_end_gets_one(store: Store) -> None:
    for number in range(1, 200):
        await store.journal.commit(commit(number, opens=True), NOW)
        if number % 2:
            await store.journal.commit(commit(1000 + number, ends=record_id(number)), NOW)
    assert await abandon_open_requests(store.journal, abandoned, at(1), at(1)) == 99
    assert await abandon_open_requests(store.journal, abandoned, at(1), at(1)) == 0
    ends = [record.row.ends for record in await store.log.unsequenced(1000) if record.row.ends]
    assert sorted(ends) == [record_id(number) for number in range(1, 200)]


async def test_of_two_that_recover_at_once_one_writes_the_end(store: Store) -> None:
    for number in range(1, 20):
        await store.journal.commit(commit(number, opens=True), NOW)
    counts = await asyncio.gather(*(abandon_open_requests(store.journal, abandoned, at(1), at(1)) for _ in range(3)))
    assert sum(counts) == 19
    assert len(numbers(await store.log.unsequenced(1000))) == 38


async def test_it_works_after_the_clock_was_set_back(store: Store) -> None:
    await store.journal.commit(commit(1, opens=True), NOW)
    await store.journal.purge(at(10 * 86_400))
    assert await abandon_open_requests(store.journal, abandoned, at(1), at(1)) == 1


async def test_an_end_of_another_request_is_refused(store: Store) -> None:
    await store.journal.commit(commit(1, opens=True), NOW)
    with pytest.raises(ValueError):
        await abandon_open_requests(store.journal, lambda _: commit(2, ends=record_id(7)), at(1), at(1))
