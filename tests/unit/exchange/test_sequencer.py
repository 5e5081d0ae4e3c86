import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from msgspec.structs import replace

from gateway.exchange.sequencer import BEHIND, HALTED, UNAVAILABLE, LogHaltedError
from gateway.ledger.checkpoint import open_checkpoint
from gateway.model.storage import JournalUnavailableError
from gateway.ports import StaleSequencerError
from tests.support.storage import (
    ENGINES,
    LOG_KEY,
    NOW,
    Alarms,
    Store,
    TestClock,
    commit,
    numbers,
    open_store,
    published,
    sequencer,
    verified,
)

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture(params=ENGINES)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    opened = open_store(request.param, tmp_path)
    yield opened
    await opened.close()


async def put(store: Store, first: int, last: int) -> None:
    await asyncio.gather(*(store.journal.commit(commit(number), NOW) for number in range(first, last + 1)))


async def size_of(store: Store) -> int:
    note = await store.log.checkpoint()
    assert note is not None
    return open_checkpoint(note, LOG_KEY).checkpoint.size


async def test_records_enter_the_tree_in_commit_order_and_every_checkpoint_extends_the_last(store: Store) -> None:
    one = sequencer(store)
    await one.step()
    assert await size_of(store) == 0
    notes = []
    last = 0
    for last in (1, 2, 99, 100, 256, 257, 520):
        await put(store, last if last < 3 else await size_of(store) + 1, last)
        while await one.step():
            pass
        notes.append(await store.log.checkpoint())
    for note in notes:
        assert await verified(store.log, older=note) == last
    records = await store.log.by_index(0, 1000)
    assert [record.index for record in records] == list(range(last))
    assert sorted(numbers(records)) == list(range(1, last + 1))


async def test_a_running_sequencer_is_woken_by_a_commit(store: Store) -> None:
    one = sequencer(store)
    task = asyncio.create_task(one.run())
    try:
        async with asyncio.timeout(10):
            for number in range(1, 5):
                await put(store, number, number)
                one.wake()
                while one.size < number:  # noqa: ASYNC110 - it tells nobody when it published
                    await asyncio.sleep(0.001)
    finally:
        task.cancel()
    assert await verified(store.log) == 4


async def test_a_step_that_was_cancelled_may_be_done_and_the_next_one_goes_on_from_there(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = sequencer(store)
    await one.step()
    await put(store, 1, 3)
    write, written = store.log.write, asyncio.Event()

    async def write_and_wait(*args: Any) -> None:
        await write(*args)
        written.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(store.log, "write", write_and_wait)
    task = asyncio.create_task(one.step())
    await asyncio.wait_for(written.wait(), 10)
    task.cancel()
    await asyncio.wait([task])
    monkeypatch.setattr(store.log, "write", write)
    await put(store, 4, 4)
    await one.step()
    assert await verified(store.log) == 4


async def test_another_takes_over_where_the_first_stopped(store: Store) -> None:
    clock = TestClock()
    await put(store, 1, 300)
    first, second = sequencer(store, clock=clock), sequencer(store, clock=clock, holder="two")
    await first.step()
    older = await store.log.checkpoint()
    await second.step()
    assert await size_of(store) == 100
    clock.pass_(11)
    while await second.step():
        pass
    await put(store, 301, 310)
    with pytest.raises(StaleSequencerError):
        await first._advance()
    await first.step()
    assert await size_of(store) == 300
    await second.step()
    assert await verified(store.log, older=older) == 310


class Failing:
    """A log store that fails before or after a write, as often as told."""

    def __init__(self, log: Any, *, before: int = 0, after: int = 0) -> None:
        self._log = log
        self.before = before
        self.after = after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    async def write(self, *asked: Any) -> None:
        if self.before:
            self.before -= 1
            raise JournalUnavailableError("disk full")
        await self._log.write(*asked)
        if self.after:
            self.after -= 1
            raise JournalUnavailableError("fsync", uncertain=True)


@pytest.mark.parametrize("failure", [{"before": 1}, {"after": 1}, {"before": 3}, {"after": 3}])
async def test_a_write_that_failed_or_perhaps_did_not_is_no_fork(store: Store, failure: dict[str, int]) -> None:
    await put(store, 1, 250)
    one = sequencer(store)
    await one.step()
    older = await store.log.checkpoint()
    one._store = Failing(store.log, **failure)
    for _ in range(10):
        try:
            await one.step()
        except JournalUnavailableError:
            await put(store, 1000 + one._store.before, 1000 + one._store.before)
    assert (await store.log.state())[0] > 250
    assert await verified(store.log, older=older) == (await store.log.state())[0]


async def test_it_goes_on_through_a_failing_store_and_says_so(store: Store) -> None:
    alarms = Alarms()
    one = sequencer(store, alarms=alarms)
    one._store = Failing(store.log, before=3)
    await put(store, 1, 3)
    task = asyncio.create_task(one.run())
    async with asyncio.timeout(10):
        while one.size < 3:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.001)
    task.cancel()
    assert [code for code, _ in alarms.raised] == [UNAVAILABLE]


async def test_rows_that_stay_out_of_the_tree_raise_an_alarm(store: Store) -> None:
    clock, alarms = TestClock(), Alarms()
    await store.log.acquire("a leader that does nothing", clock.now(), 10)
    await put(store, 1, 1)
    follower = sequencer(store, clock=clock, alarms=alarms)
    for _ in range(4):
        await follower.step()
        clock.pass_(3)
        await store.log.acquire("a leader that does nothing", clock.now(), 10)
    assert alarms.raised == []
    for _ in range(3):
        clock.pass_(3)
        await store.log.acquire("a leader that does nothing", clock.now(), 10)
        await follower.step()
    assert [code for code, _ in alarms.raised] == [BEHIND]


class Altered:
    """A log store in which something is not as it was stored."""

    def __init__(self, log: Any, **answers: Any) -> None:
        self._log = log
        self._answers = answers

    def __getattr__(self, name: str) -> Any:
        if name not in self._answers:
            return getattr(self._log, name)

        async def answer(*asked: Any) -> Any:
            return self._answers[name](await getattr(self._log, name)(*asked))

        return answer


def swapped(data: bytes) -> bytes:
    return data[32:64] + data[:32] + data[64:]


@pytest.mark.parametrize(
    "altered",
    [
        {"state": lambda state: (state[0] - 1, state[1])},
        {"state": lambda state: (0, state[1])},
        {"state": lambda state: (state[0], b"\xc1")},
        {"state": lambda state: (state[0], state[1][:-1] + b"\x00")},
        {"checkpoint": lambda _: None},
        {"checkpoint": lambda note: note.replace(b"150", b"151")},
        {"checkpoint": lambda note: note[:-10] + b"AAAAAAAAA\n"},
        {"tile": lambda _: None},
        {"tile": swapped},
        {"tile": lambda data: data[:-32]},
        {"entries": lambda entries: entries[1:]},
        {"entries": lambda entries: [*entries[:-1], entries[0]]},
        {"unsequenced": lambda rows: rows[::-1]},
        {"unsequenced": lambda rows: rows[1:]},
        {"unsequenced": lambda rows: [replace(rows[0], row=replace(rows[0].row, entry=b"short"))]},
    ],
)
async def test_an_impossible_state_stops_it(store: Store, altered: dict[str, Any]) -> None:
    await put(store, 1, 150)
    one = sequencer(store)
    while await one.step():
        pass
    before = await published(store.log)
    await put(store, 151, 160)
    alarms = Alarms()
    successor = sequencer(store, alarms=alarms)
    successor._store = Altered(store.log, **altered)
    with pytest.raises(LogHaltedError):
        await successor.run()
    assert [code for code, _ in alarms.raised] == [HALTED]
    assert await published(store.log) == before


async def test_a_tree_that_shrank_under_a_running_sequencer_stops_it(store: Store, tmp_path: Path) -> None:
    await put(store, 1, 50)
    one = sequencer(store)
    await one.step()
    backup = open_store("memory", tmp_path)
    await put(backup, 1, 10)
    await sequencer(backup, holder="one").step()
    one._store = backup.log
    one._tree, one._renew_at = None, 0.0
    with pytest.raises(LogHaltedError, match="10 records, and had 50"):
        await one.step()
