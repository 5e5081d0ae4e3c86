"""The writes of log and store, each as one operation that can be struck by a fault, and what must hold after it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw

from gateway.exchange.recovery import abandon_open_requests
from gateway.exchange.sequencer import Sequencer
from gateway.exchange.watching import Progress, Watch, WatchPace
from gateway.ledger.record import RecordKind
from gateway.ledger.verify import verify_log
from gateway.model.ids import RecordId
from gateway.model.instant import Instant
from gateway.model.log import Document
from gateway.model.storage import (
    Attestation,
    Commit,
    JournalUnavailableError,
    Nonce,
    NonceUsedError,
    Redaction,
    StoredRecord,
)
from gateway.storage.sqlite.checking_tables import damaged_file
from gateway.storage.sqlite.database import Database
from gateway.storage.sqlite.store import SqliteStore
from tests.support.ledger import record_id
from tests.support.order import EPOCH, exchange, record
from tests.support.storage import LOG_KEY, LOG_SIGN, NOW, QUICK, Alarms, TestClock, at, blob, published

BEFORE = 6
"""Exchanges that are in the tree before anything fails."""
LOST = 40
"""The number of the exchange whose write the fault strikes."""


@dataclass
class World:
    """A store, a sequencer on it, and what the world outside was told."""

    store: SqliteStore
    clock: TestClock = field(default_factory=TestClock)
    holder: str = "one"
    acknowledged: dict[RecordId, Commit] = field(default_factory=dict)
    attempted: dict[RecordId, Commit] = field(default_factory=dict)
    refused: set[RecordId] = field(default_factory=set)
    notes: list[bytes] = field(default_factory=list)
    redacted: set[RecordId] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.sequencer = Sequencer(
            self.store.log, self.clock, Alarms(), key=LOG_KEY, sign=LOG_SIGN, holder=self.holder, pace=QUICK
        )

    async def commit(self, commit: Commit) -> None:
        self.attempted[commit.row.id] = commit
        try:
            await self.store.journal.commit(commit, self.clock.now())
        except JournalUnavailableError as error:
            if not error.uncertain:
                self.refused.add(commit.row.id)
            raise
        self.refused.discard(commit.row.id)
        self.acknowledged[commit.row.id] = commit

    async def exchange(self, number: int) -> None:
        for commit in exchange(number):
            await self.commit(with_all(commit, number))

    async def sequence(self) -> None:
        """Until all is in the tree; what was published is remembered."""
        while await self.sequencer.step():
            pass
        await self.look()

    async def look(self) -> None:
        """What anybody sees at the log's address now."""
        note = await self.store.log.checkpoint()
        if note is not None and note not in self.notes:
            self.notes.append(note)

    def copied_to(self, store: SqliteStore) -> "World":
        """Another world that was told the same, before a store that holds the same."""
        clock = TestClock()
        clock.pass_(60)
        kept = (dict(self.acknowledged), dict(self.attempted), set(self.refused), list(self.notes), set(self.redacted))
        return World(store, clock, "one", *kept)

    def told_to(self, store: SqliteStore, holder: str) -> "World":
        """The same world outside, with another process before it."""
        return World(
            store,
            self.clock,
            holder,
            self.acknowledged,
            self.attempted,
            self.refused,
            self.notes,
            self.redacted,
        )


def with_all(commit: Commit, number: int) -> Commit:
    """With a nonce of its own and a blob, as a commit may have."""
    nonce = Nonce(key=f"nonce {commit.row.id}", expires=at(7200))
    blobs = (blob(f"blob {number}", seconds=86_400, subjects=(number.to_bytes(16, "big"),)),)
    return Commit(row=commit.row, nonces=(nonce,), blobs=blobs if commit.row.opens else ())


Do = Callable[[World], Awaitable[object]]
"""A write; its success is an acknowledgement."""


def _document(world: World) -> Document:
    return Document(kind="policy", digest="ab" * 32, content=b"[[grant]]" * 300, note="{}", at=world.clock.now())


def _attestation(world: World) -> Attestation:
    return Attestation(size=2 * BEFORE, kind="timestamp", name="tsa", content=b"token" * 500, at=world.clock.now())


async def _commit(world: World) -> None:
    await world.exchange(LOST)


async def _vault_put(world: World) -> None:
    big = blob("big", seconds=86_400, sealed=bytes(range(256)) * 120)
    made = record(990, RecordKind.AUDIT)
    await world.commit(Commit(row=made.row, blobs=(big,)))


async def _vault_destroy(world: World) -> None:
    await world.store.vault.destroy(["blob 2"])


async def _sequence(world: World) -> None:
    await world.sequencer.step()


async def _epoch(world: World) -> None:
    await world.store.log.save_epoch(f"epoch {world.holder}", world.clock.now(), b"jwe" * 400)


async def _keep_document(world: World) -> None:
    await world.store.log.keep_document(_document(world))


async def _attest(world: World) -> None:
    await world.store.log.attest(_attestation(world))


async def _redact(world: World) -> None:
    target = record_id(4)
    world.redacted.add(target)
    await world.store.log.redact([Redaction(id=target, openings=b"", pseudonyms=())])


WRITES: dict[str, tuple[Do, str]] = {
    "journal commit": (_commit, "-wal"),
    "sequencer write": (_sequence, "-wal"),
    "epoch save": (_epoch, "-wal"),
    "document keep": (_keep_document, "-wal"),
    "attest": (_attest, "-wal"),
    "redact": (_redact, "-wal"),
    "redact, wiping": (_redact, ".db"),
    "vault put": (_vault_put, "-wal"),
    "vault destroy": (_vault_destroy, "-wal"),
}
"""Each write of log and store, and which file the fault strikes: the write-ahead log, or the database under it."""


async def before(path: Path, vfs: str | None) -> World:
    """A gateway's store with a few exchanges in the tree, and one that is not in it yet."""
    world = World(SqliteStore(path, vfs=vfs))
    for number in range(BEFORE):
        await world.exchange(number)
    await world.sequence()
    await world.exchange(BEFORE)
    return world


async def works(world: World, number: int) -> None:
    """An exchange is recorded, and comes into the tree."""
    await world.exchange(number)
    await world.sequence()


async def holds(path: Path, world: World) -> None:
    """Open what is there, and hold the program to its word."""
    store = SqliteStore(path)
    try:
        last = world.told_to(store, "after")
        last.clock.pass_(QUICK.lease + 1)
        there = await _records(store)
        _nothing_lost_or_doubled(there, world)
        await _no_replays(store, there, world)
        await _recovered(store, there)
        await last.sequence()
        await _extends(store, last)
        assert await _watched(store) == []
    finally:
        await store.close()
    assert _damaged(path) == []


async def _records(store: SqliteStore) -> dict[RecordId, StoredRecord]:
    rows = [*await store.log.by_index(0, 10**6), *await store.log.unsequenced(10**6)]
    assert [row.seq for row in rows] == list(range(1, len(rows) + 1)), "the rows have gaps"
    assert len({row.row.id for row in rows}) == len(rows), "a record stands twice"
    return {row.row.id: row for row in rows}


def _nothing_lost_or_doubled(there: dict[RecordId, StoredRecord], world: World) -> None:
    assert world.acknowledged.keys() <= there.keys(), "an acknowledged record is lost"
    assert there.keys() <= world.attempted.keys()
    assert not there.keys() & world.refused, "a record stands of which it was said that it does not"
    for name, found in there.items():
        if name not in world.redacted:
            assert found.row == world.attempted[name].row


async def _no_replays(store: SqliteStore, there: dict[RecordId, StoredRecord], world: World) -> None:
    for count, name in enumerate(there):
        for nonce in world.attempted[name].nonces:
            again = Commit(row=record(3000 + count, RecordKind.AUDIT).row, nonces=(nonce,))
            try:
                await store.journal.commit(again, NOW)
            except NonceUsedError:
                continue
            raise AssertionError("a nonce can be used twice")


def _abandoned(found: StoredRecord) -> Commit:
    number = int(found.row.id[-12:], 16)
    return record(5000 + number, RecordKind.ABANDONED, number)


async def _recovered(store: SqliteStore, there: dict[RecordId, StoredRecord]) -> None:
    """Every request without an end gets one, and only those."""
    ended = {found.row.ends for found in there.values()}
    open_now = {name for name, found in there.items() if found.row.opens and name not in ended}
    far = Instant(NOW + 10**12)
    assert {found.row.id for found in await store.journal.open_requests(far)} == open_now
    assert await abandon_open_requests(store.journal, _abandoned, far, NOW) == len(open_now)


async def _extends(store: SqliteStore, world: World) -> None:
    files = await published(store.log)
    for older in world.notes:
        verify_log(files.__getitem__, LOG_KEY, older=older)


async def _watched(store: SqliteStore) -> list[tuple[str, str]]:
    """What the consistency watch has to say of the whole log."""
    told: list[Progress] = []
    alarms = Alarms()
    watch = Watch(
        store.log,
        TestClock(),
        alarms,
        key=LOG_KEY,
        leads=lambda: True,
        tell=told.append,
        epoch=lambda name: EPOCH if name == EPOCH.id else None,
        pace=WatchPace(per_second=10**6, pause=0, busy=10),
    )
    while not told or not told[-1].rounds:
        await watch.step()
    return alarms.raised


def _damaged(path: Path) -> list[str]:
    connection: Any = Database(path).reader()
    try:
        connection.execute("BEGIN")
        return damaged_file(connection)
    finally:
        connection.close()


ERRORS: dict[str, type[apsw.Error]] = {
    "disk full": apsw.FullError,
    "read-only disk": apsw.ReadOnlyError,
}
"""What the disk says; in all other circumstances that it failed."""
