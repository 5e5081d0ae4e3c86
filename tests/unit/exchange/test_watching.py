"""The consistency watch: what is altered behind the gateway's back becomes an alarm that names it, once."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import apsw
import pytest
import pytest_asyncio
from msgspec.structs import replace

from gateway.exchange.watching import CLOCK, DAMAGED, Progress, Watch, WatchPace
from gateway.ledger.record import RecordKind
from gateway.ledger.skeleton import entry_of
from gateway.ledger.verify_order import Rhythm
from gateway.model.storage import JournalUnavailableError
from gateway.storage.memory import MemoryStore
from gateway.storage.sqlite.rows import _ROOM, PackedRow, _encode, _summed, unpack
from gateway.storage.sqlite.store import SqliteStore
from tests.support.ledger import record_id
from tests.support.order import EPOCH, exchange, filled, put, record
from tests.support.storage import LOG_KEY, Alarms, Store, TestClock

pytestmark = pytest.mark.asyncio

SIZE = 600
NO_PAUSE = WatchPace(per_second=10**6, pause=0, busy=10, between=60)


class Watching:
    def __init__(self, store: Store, pace: WatchPace = NO_PAUSE, **options: Any) -> None:
        self.clock, self.alarms = TestClock(), Alarms()
        self.told: list[Progress] = []
        self.watch = Watch(
            store.log,
            self.clock,
            self.alarms,
            **{
                "key": LOG_KEY,
                "leads": lambda: True,
                "tell": self.told.append,
                "epoch": lambda name: EPOCH if name == EPOCH.id else None,
                "pace": pace,
                **options,
            },
        )

    async def round(self) -> list[str]:
        """Step until a round is over; what was alarmed of in it."""
        before, alarms = (self.told[-1].rounds if self.told else 0), len(self.alarms.raised)
        self.clock.pass_(61)
        for _ in range(10_000):
            await self.watch.step()
            if self.told and self.told[-1].rounds > before:
                return [detail for _, detail in self.alarms.raised[alarms:]]
        raise AssertionError("the round does not end")


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "motlan.db")
    await filled(opened, SIZE // 2)
    yield opened
    await opened.close()


def edit(path: Path, statement: str, *values: Any) -> None:
    connection = apsw.Connection(str(path / "motlan.db"))
    connection.execute(statement, values)
    connection.close()


def edit_row(path: Path, index: int, change: Callable[[PackedRow], PackedRow], *, sum_too: bool = True) -> None:
    """Change a row as someone who knows the format would: with its checksum."""
    connection = apsw.Connection(str(path / "motlan.db"))
    packed = connection.execute("SELECT row FROM journal WHERE seq = ?", (index + 1,)).get
    row = change(unpack(packed))
    packed = _summed(_encode(replace(row, sum=_ROOM))) if sum_too else _encode(row)
    connection.execute("UPDATE journal SET row = ? WHERE seq = ?", (packed, index + 1))
    connection.close()


async def test_a_sound_log_is_verified_round_after_round(store: SqliteStore) -> None:
    watching = Watching(store)
    assert await watching.round() == []
    assert watching.told[-1] == Progress(size=SIZE, faults=0, rounds=1)
    sizes = [each.size for each in watching.told]
    assert sizes == sorted(sizes)
    await put(store, exchange(1000, SIZE))
    assert await watching.round() == []
    assert watching.told[-1] == Progress(size=SIZE + 2, faults=0, rounds=2)


async def test_it_goes_no_faster_than_it_may(store: SqliteStore) -> None:
    watching = Watching(store, WatchPace(per_second=64, pause=0, busy=10))
    for _ in range(5):
        before = watching.told[-1].size if watching.told else 0
        await watching.watch.step()
        assert watching.told[-1].size - before <= 64
    assert watching.told[-1].rounds == 0
    resting = Watching(store, WatchPace(per_second=0))
    await resting.watch.step()
    assert resting.told == []


async def test_only_the_process_that_leads_does_it(store: SqliteStore) -> None:
    watching = Watching(store, leads=lambda: False)
    await watching.watch.step()
    assert watching.told == []


async def test_it_yields_when_the_process_is_busy(store: SqliteStore) -> None:
    watching = Watching(store, WatchPace(per_second=10**6, pause=0, busy=1))
    sleep = asyncio.sleep

    async def late(seconds: float) -> None:
        watching.clock.pass_(2)
        await sleep(seconds)

    asyncio_sleep = pytest.MonkeyPatch()
    asyncio_sleep.setattr("gateway.exchange.watching.asyncio.sleep", late)
    try:
        await watching.watch.step()
    finally:
        asyncio_sleep.undo()
    assert watching.told[-1].size <= 32


ALTERED: list[tuple[str, Callable[[PackedRow], PackedRow], str]] = [
    (
        "a skeleton",
        lambda row: replace(row, skeleton=row.skeleton.replace(b"portal", b"porter")),
        "record {id}: its skeleton is not that of entry 301",
    ),
    (
        "a skeleton and its entry",
        lambda row: replace(
            row,
            skeleton=row.skeleton.replace(b"portal", b"porter"),
            entry=entry_of(row.skeleton.replace(b"portal", b"porter")),
        ),
        "tile/entries/001: entry 301 is not the one logged",
    ),
    (
        "openings",
        lambda row: replace(row, openings=row.openings[:-1] + bytes([row.openings[-1] ^ 1])),
        "record {id}: the openings were altered, or are another record's",
    ),
    (
        "what it ends",
        lambda row: replace(row, ends=record_id(7)),
        "record {id}: the store has other marks for it than its skeleton (opens, ends)",
    ),
    (
        "a pseudonym",
        lambda row: replace(row, pseudonyms=(("person", b"x" * 16), row.pseudonyms[1])),
        "record {id}: table pseudonym does not lead to it by its person (entry 301)",
    ),
]


@pytest.mark.parametrize(("change", "fault"), [each[1:] for each in ALTERED], ids=[each[0] for each in ALTERED])
async def test_a_row_that_was_altered_with_care_is_named(
    store: SqliteStore, tmp_path: Path, change: Callable[[PackedRow], PackedRow], fault: str
) -> None:
    watching = Watching(store)
    assert await watching.round() == []
    edit_row(tmp_path, 301, change)
    found = await watching.round()
    assert fault.format(id=record_id(301)) in found
    assert watching.told[-1].faults >= 1
    assert {code for code, _ in watching.alarms.raised} == {DAMAGED}
    assert await watching.round() == []  # told once, and still counted
    assert watching.told[-1].faults >= 1


async def test_without_the_epochs_key_a_flipped_bit_of_openings_is_found_by_its_checksum(
    store: SqliteStore, tmp_path: Path
) -> None:
    edit_row(tmp_path, 5, lambda row: replace(row, openings=b"x" + row.openings[1:]), sum_too=False)
    [found] = await Watching(store, epoch=lambda _: None).round()
    assert found == f"record {record_id(5)}: its row (entry 5) is not what was written: its checksum is another"


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("DELETE FROM journal WHERE seq = 7", "entry 6: its record is missing"),
        ("UPDATE journal SET row = x'c1' WHERE seq = 7", "entry 6: its row does not parse"),
        ("UPDATE tile SET hashes = zeroblob(8192) WHERE id = 0", "tile/0/000: hash 3 is not that of what is below it"),
        ("DELETE FROM tile WHERE id = 1", "tile/0/001: missing"),
        ("UPDATE record_id SET seq = 9 WHERE seq = 8", f"record {record_id(7)}: table record_id does not lead to it"),
        ("DELETE FROM ending WHERE seq = 8", "table ending does not lead to it"),
        ("UPDATE epoch_span SET last_seq = 3", "the span of 20779-aa does not cover"),
        ("DELETE FROM posting WHERE seq = 9", "tables term and posting do not lead to it by its"),
        ("UPDATE tree SET fence = fence + 64", "table tree: its row 1 is not what was written"),
        ("UPDATE tree SET checkpoint = x'00'", "checkpoint: "),
    ],
)
async def test_what_somebody_changes_in_the_database_is_named(
    store: SqliteStore, tmp_path: Path, statement: str, fault: str
) -> None:
    edit(tmp_path, statement)
    watching = Watching(store)
    if "checkpoint" in fault:
        await watching.watch.step()
    else:
        await watching.round()
    assert any(fault in detail for _, detail in watching.alarms.raised), watching.alarms.raised


async def test_what_was_never_written_is_named_too() -> None:
    store = MemoryStore()
    asked, end = exchange(1)
    orphan = record(9, RecordKind.ANSWER, 8)
    late = record(10, RecordKind.AUDIT, seconds=7200)
    await put(store, [orphan, asked, late])
    watching = Watching(store)
    found = await watching.round()
    assert found == [
        f"record {orphan.row.id}: an end (entry 0) of {record_id(8)}, but its request is not in the log before it",
        f"record {asked.row.id}: the request (entry 1) never got an end",
    ]
    await put(store, [end])
    await watching.round()
    assert watching.told[-1].faults == 1


async def test_a_clock_that_jumps_is_an_alarm_of_its_own_and_no_fault() -> None:
    store = MemoryStore()
    await put(store, [record(1, RecordKind.AUDIT), record(2, RecordKind.AUDIT, seconds=-3600)])
    watching = Watching(store, rhythm=Rhythm(back=60))
    await watching.round()
    assert watching.alarms.raised == [(CLOCK, "entry 1: the clock went back by 1.0 h")]
    assert watching.told[-1].faults == 0


async def test_a_log_that_was_rewritten_between_two_rounds_is_named(tmp_path: Path) -> None:
    first, second = MemoryStore(), MemoryStore()
    await put(first, exchange(1) + exchange(2))
    await put(second, exchange(3) + exchange(2) + exchange(1))
    watching = Watching(first)
    await watching.round()
    watching.watch._log = second.log
    [found] = await watching.round()
    assert "was rewritten" in found


async def test_what_cannot_be_read_is_tried_again_then_named_and_passed_by(store: SqliteStore) -> None:
    watching = Watching(store)
    read = store.log.by_index

    async def broken(start: int, count: int) -> Any:
        if start <= 40 < start + count:
            raise JournalUnavailableError("CorruptError: database disk image is malformed")
        return await read(start, count)

    store.log.by_index = broken  # type: ignore[method-assign]
    failures, found = 0, []
    while not found and failures < 10:
        try:
            found = await watching.round()
        except JournalUnavailableError:
            failures += 1
    assert failures == 2
    assert any("CorruptError" in each and each.startswith("entries 32 to 63") for each in found)


async def test_a_log_without_a_checkpoint_is_waited_for() -> None:
    watching = Watching(MemoryStore())
    await watching.watch.step()
    assert (watching.told, watching.alarms.raised) == ([], [])
