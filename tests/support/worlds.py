"""A small gateway's worth of work on a store, and what must hold after its end, whatever ended it."""

import asyncio
import itertools
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import apsw
import pytest

from gateway.exchange.recovery import abandon_open_requests
from gateway.exchange.sequencer import Sequencer
from gateway.ledger.verify import verify_log
from gateway.model.decision import Charge
from gateway.model.ids import RecordId
from gateway.model.storage import Commit, JournalUnavailableError, NonceUsedError, QuotaSpentError, StoredRecord
from gateway.ports import StaleSequencerError
from gateway.storage.sqlite.store import SqliteStore
from tests.support.storage import LOG_KEY, NOW, at, blob, commit, published, record_id, sequencer

CALLERS = 8
UNLIMITED = 10**9
_FAR = at(10**6)


class Told:
    """What the outside world was told: commits that were acknowledged, checkpoints that were published."""

    def __init__(self) -> None:
        self.acknowledged: dict[RecordId, Commit] = {}
        self.attempted: dict[RecordId, Commit] = {}
        self.refused: set[RecordId] = set()
        """Commits that failed for certain."""
        self.notes: list[bytes] = []
        self.is_over = lambda: False
        """Whether the world has ended: what is said after that, nobody hears."""


class Publishing:
    """A log store that remembers what was published through it."""

    def __init__(self, log: Any, told: Told) -> None:
        self._log = log
        self._told = told

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    async def write(self, step: Any, *asked: Any) -> None:
        await self._log.write(step, *asked)
        if not self._told.is_over():
            self._told.notes.append(step.checkpoint)


def request(number: int) -> Commit:
    """A request with everything that a commit can carry."""
    charge = Charge(key="officer", window=20_779, limit=UNLIMITED)
    return commit(
        number,
        nonce=f"nonce {number}",
        charges=(charge,),
        opens=True,
        blobs=(blob(f"blob {number}", sealed=b"b" * 300),),
        pseudonyms=(("person", number.to_bytes(16, "big")), ("officer", b"o" * 16)),
        openings=bytes(500),
    )


def answer(number: int) -> Commit:
    return commit(number + 1_000_000, ends=record_id(number), openings=bytes(500))


def abandoned(record: StoredRecord) -> Commit:
    return commit(int(record.row.id[-12:], 16) + 2_000_000, ends=record.row.id)


async def work(store: SqliteStore, told: Told, *, first: int = 1, rounds: int = 10**6) -> None:
    """Exchanges of several callers, and a sequencer behind them, until something ends it."""
    one = sequencer(store, holder=f"{os.getpid()}-{first}")  # type: ignore[arg-type]
    one._store = Publishing(store.log, told)
    counter = itertools.count(first)
    callers = [_exchange(store, told, counter, rounds) for _ in range(CALLERS)]
    async with asyncio.TaskGroup() as group:
        running = group.create_task(_sequence(one))
        await asyncio.gather(*callers)
        running.cancel()


async def _sequence(one: Sequencer) -> None:
    while True:
        try:
            await one.step()
        except StaleSequencerError:
            continue
        await asyncio.sleep(0.001)


async def _exchange(store: SqliteStore, told: Told, counter: "itertools.count[int]", rounds: int) -> None:
    for _ in range(rounds):
        number = next(counter)
        for make in (request, answer):
            made = make(number)
            told.attempted[made.row.id] = made
            try:
                await store.journal.commit(made, NOW)
            except JournalUnavailableError as error:
                if not error.uncertain:
                    told.refused.add(made.row.id)
                raise
            if not told.is_over():
                told.acknowledged[made.row.id] = made


async def until_it_ends(world: Callable[[], Awaitable[None]]) -> None:
    """Run until a failure of the world shows itself; any other failure is the test's."""
    try:
        async with asyncio.timeout(30):
            await world()
    except* JournalUnavailableError:
        pass


async def check(path: Path, told: Told) -> None:
    """Open what is left, and hold the program to its word."""
    connection = apsw.Connection(str(path))
    assert connection.execute("PRAGMA integrity_check").get == "ok"
    connection.close()
    store = SqliteStore(path)
    try:
        there = await _records(store)
        _check_records(there, told)
        await _check_nonces_and_quota(store, there, told)
        await _check_log(store, told)
        await _check_recovery(store, there)
    finally:
        await store.close()


async def _records(store: SqliteStore) -> dict[RecordId, StoredRecord]:
    rows = [*await store.log.by_index(0, 10**6), *await store.log.unsequenced(10**6)]
    assert len({record.row.id for record in rows}) == len(rows), "a record stands twice"
    return {record.row.id: record for record in rows}


def _check_records(there: dict[RecordId, StoredRecord], told: Told) -> None:
    assert told.acknowledged.keys() <= there.keys(), "an acknowledged record is lost"
    assert there.keys() <= told.attempted.keys()
    assert not there.keys() & told.refused, "a record stands of which it was said that it does not"
    for name, record in there.items():
        assert record.row == told.attempted[name].row


async def _check_nonces_and_quota(store: SqliteStore, there: dict[RecordId, StoredRecord], told: Told) -> None:
    numbers = itertools.count(5_000_000)
    for name in there:
        for nonce in told.attempted[name].nonces:
            with pytest.raises(NonceUsedError):
                await store.journal.commit(commit(next(numbers), nonces=(nonce,)), at(1))
    used = sum(1 for name in there if told.attempted[name].charges)
    full = Charge(key="officer", window=20_779, limit=used)
    with pytest.raises(QuotaSpentError):
        await store.journal.commit(commit(next(numbers), charges=(full,)), at(1))
    for name, record in there.items():
        for kept in told.attempted[name].blobs:
            assert await store.vault.get(kept.id, NOW) == kept, record.row.id


async def _check_log(store: SqliteStore, told: Told) -> None:
    one = sequencer(store, holder="after")  # type: ignore[arg-type]
    while await one.step():
        pass
    files = await published(store.log)
    for older in told.notes[-3:]:
        verify_log(files.__getitem__, LOG_KEY, older=older)
    verify_log(files.__getitem__, LOG_KEY)


async def _check_recovery(store: SqliteStore, there: dict[RecordId, StoredRecord]) -> None:
    ended = {record.row.ends for record in there.values()}
    expected = {name for name, record in there.items() if record.row.opens and name not in ended}
    # The world before is gone, so its requests are open, whatever the clock says now.
    before = at(-10)
    assert {record.row.id for record in await store.journal.open_requests(before)} == expected
    assert await abandon_open_requests(store.journal, abandoned, before, NOW) == len(expected)
    assert list(await store.journal.open_requests(_FAR)) == []
