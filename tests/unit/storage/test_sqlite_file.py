"""What is particular to the SQLite engine: the file, several processes on it, batches, plans."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import apsw
import pytest
import pytest_asyncio

from gateway.model.decision import Charge
from gateway.model.log import LogQuery
from gateway.model.storage import JournalUnavailableError, Nonce, NonceUsedError, QuotaSpentError, Redaction
from gateway.storage.sqlite import checkpointer, database, pseudonyms, search, vault
from gateway.storage.sqlite.database import SCHEMA_VERSION, SchemaError, fresh_schema, migrations
from gateway.storage.sqlite.statements import SQL
from gateway.storage.sqlite.store import SqliteStore
from gateway.storage.sqlite.sums import register
from tests.support.storage import NOW, at, blob, commit, numbers, record_id, sequence, sequencer, verified

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "motlan.db")
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def other(store: SqliteStore, tmp_path: Path) -> AsyncIterator[SqliteStore]:
    """The same file, opened as another process would."""
    opened = SqliteStore(tmp_path / "motlan.db")
    yield opened
    await opened.close()


async def test_everything_is_there_after_closing_and_opening(tmp_path: Path) -> None:
    lasting = Nonce(key="id", expires=at(86_400))
    for number in range(1, 4):
        store = SqliteStore(tmp_path / "motlan.db")
        await store.journal.commit(commit(number, nonce=f"n{number}", message_id=lasting if number == 1 else None), NOW)
        await sequence(store.log)
        await store.close()
    store = SqliteStore(tmp_path / "motlan.db")
    assert numbers(await store.log.by_index(0, 10)) == [1, 2, 3]
    for number in range(1, 4):
        with pytest.raises(NonceUsedError):
            await store.journal.commit(commit(9, nonce=f"n{number}"), NOW)
    await store.close()


def shape(connection: apsw.Connection) -> set[tuple[Any, ...]]:
    rows = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema")
    return {(*row[:3], re.sub(r"\s+", " ", row[3] or "")) for row in rows}


async def test_the_migrated_schema_is_the_fresh_one() -> None:
    fresh, migrated = apsw.Connection(""), apsw.Connection("")
    register(migrated)
    register(fresh)
    fresh.execute(fresh_schema())
    scripts = migrations()
    assert len(scripts) == SCHEMA_VERSION
    for script in scripts:
        migrated.execute(script)
    assert shape(migrated) == shape(fresh)
    for table in ("tree", "nonce_mark"):
        rows = [connection.execute(f"SELECT * FROM {table}").fetchall() for connection in (fresh, migrated)]
        assert rows[0] == rows[1]


async def test_every_statement_fits_the_schema() -> None:
    connection = apsw.Connection("")
    register(connection)
    connection.execute(fresh_schema())
    for statement in SQL.values():
        wanted = max([int(number) for number in re.findall(r"\?(\d+)", statement)], default=statement.count("?"))
        connection.execute("EXPLAIN " + statement, [None] * wanted)


async def test_a_newer_file_and_another_program_s_are_refused(tmp_path: Path) -> None:
    newer, foreign = tmp_path / "newer.db", tmp_path / "foreign.db"
    await SqliteStore(newer).close()
    apsw.Connection(str(newer)).execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    with pytest.raises(SchemaError, match="newer"):
        SqliteStore(newer)
    apsw.Connection(str(foreign)).execute("CREATE TABLE t (x)")
    with pytest.raises(SchemaError):
        SqliteStore(foreign)
    (tmp_path / "text.db").write_text("not a database, however long this text may be " * 20)
    with pytest.raises(JournalUnavailableError):
        SqliteStore(tmp_path / "text.db")
    with pytest.raises(JournalUnavailableError):
        SqliteStore(tmp_path / "missing" / "motlan.db")


def modes(directory: Path) -> set[int]:
    return {file.stat().st_mode & 0o777 for file in directory.glob("motlan.db*")}


async def test_nobody_else_can_read_the_file(store: SqliteStore, tmp_path: Path) -> None:
    await store.journal.commit(commit(1), NOW)
    assert modes(tmp_path) == {0o600}


async def test_callers_share_transactions(store: SqliteStore) -> None:
    await asyncio.gather(*(store.journal.commit(commit(number), NOW) for number in range(300)))
    assert store.tally.commits == 300
    assert store.tally.transactions == 1


async def test_commits_join_the_next_transaction_while_one_is_written(store: SqliteStore) -> None:
    async def caller(first: int) -> None:
        for number in range(first, first + 20):
            await store.journal.commit(commit(number), NOW)

    await asyncio.gather(*(caller(100 * number) for number in range(16)))
    assert store.tally.commits == 320
    assert store.tally.transactions <= 80


async def test_a_caller_that_gives_up_disturbs_nobody(store: SqliteStore) -> None:
    tasks = [asyncio.create_task(store.journal.commit(commit(number), NOW)) for number in range(10)]
    await asyncio.sleep(0)
    tasks[3].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result).__name__ for result in results].count("NoneType") == 9
    assert len(await store.log.unsequenced(100)) in {9, 10}


async def test_two_processes_share_nonces_and_quotas(store: SqliteStore, other: SqliteStore) -> None:
    async def contend(number: int) -> list[object]:
        calls = [
            one.journal.commit(commit(10 * number + index, nonce=f"n{number}"), NOW)
            for index, one in enumerate((store, other))
        ]
        return await asyncio.gather(*calls, return_exceptions=True)

    for results in await asyncio.gather(*(contend(number) for number in range(40))):
        assert sorted(type(result).__name__ for result in results) == ["NonceUsedError", "NoneType"]
    charge = Charge(key="q", window=1, limit=30)
    calls = [
        one.journal.commit(commit(1000 + 2 * number + index, charges=(charge,)), NOW)
        for number in range(25)
        for index, one in enumerate((store, other))
    ]
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(result, QuotaSpentError) for result in results) == 20


async def test_purging_in_one_process_opens_no_hole_in_the_other(store: SqliteStore, other: SqliteStore) -> None:
    await store.journal.commit(commit(1, nonce="n"), NOW)
    await other.journal.purge(at(86_400))
    with pytest.raises(NonceUsedError):
        await store.journal.commit(commit(2, nonce="n"), at(1))
    fresh = Nonce(key="fresh", expires=at(86_400 + 360))
    await other.journal.commit(commit(3, nonces=(fresh,)), at(86_400))
    with pytest.raises(NonceUsedError):
        await store.journal.commit(commit(4, nonces=(fresh,)), at(86_400))


async def test_requests_of_another_living_process_are_its_own(store: SqliteStore, tmp_path: Path) -> None:
    other = SqliteStore(tmp_path / "motlan.db")
    await other.journal.commit(commit(1, opens=True), NOW)
    await store.journal.commit(commit(2, opens=True), NOW)
    assert numbers(await store.journal.open_requests(at(10))) == [2]
    assert numbers(await other.journal.open_requests(at(10))) == [1]
    await other.close()
    assert numbers(await store.journal.open_requests(at(10))) == [1, 2]
    # Its clock was ahead: it is gone all the same.
    assert numbers(await store.journal.open_requests(at(-10))) == [1]


async def test_a_process_that_ends_its_last_request_and_then_itself_leaves_none_open(
    store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both while another one looks for requests to abandon: after it has read them, before it asks who is alive."""
    other = SqliteStore(tmp_path / "motlan.db")
    for number in (1, 2):
        await other.journal.commit(commit(number, opens=True), NOW)
    theirs, loop = other._engine.owners.number, asyncio.get_running_loop()
    read = store._engine.read
    reads: list[float] = []

    async def reading(work: Any) -> Any:
        found = await read(work)
        if not reads:
            await other.journal.commit(commit(3, ends=record_id(1)), NOW)
            await other.close()
        reads.append(loop.time())
        return found

    monkeypatch.setattr(store._engine, "read", reading)
    assert numbers(await store.journal.open_requests(at(10))) == [2]
    assert not store._engine.owners.alive(theirs)


async def test_whether_a_process_lives_is_asked_once_for_all_of_its_requests(
    store: SqliteStore, other: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(20):
        await other.journal.commit(commit(number, opens=True), NOW)
    asked: list[int] = []
    alive = store._engine.owners.alive

    def asking(number: int) -> bool:
        asked.append(number)
        return alive(number)

    monkeypatch.setattr(store._engine.owners, "alive", asking)
    assert list(await store.journal.open_requests(at(10))) == []
    assert asked == [other._engine.owners.number]


async def test_what_is_destroyed_in_the_vault_holds_nobody_up(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vault, "_AT_ONCE", 3)
    blobs = tuple(blob(f"b{number}", subjects=(b"%d" % (number % 2),)) for number in range(20))
    await store.journal.commit(commit(1, blobs=blobs), NOW)
    before = store.tally.transactions
    assert await store.vault.destroy([f"b{number}" for number in range(1, 20, 2)]) == 10
    assert store.tally.transactions == before + 4  # ten in pieces of three
    left = [number for number in range(20) if await store.vault.get(f"b{number}", NOW) is not None]
    assert left == list(range(0, 20, 2))
    apsw.Connection(str(store._engine._database.path)).execute("UPDATE vault SET subjects = x'c1' WHERE id = 'b4'")
    with pytest.raises(ValueError, match="does not parse"):
        await store.vault.get("b4", NOW)


PLANTED = (
    "CREATE TRIGGER keeps BEFORE UPDATE ON journal BEGIN INSERT INTO kept VALUES (OLD.row); END",
    "CREATE TRIGGER keeps AFTER DELETE ON vault BEGIN INSERT INTO kept VALUES (OLD.sealed); END",
    "CREATE TRIGGER keeps BEFORE INSERT ON nonce_log BEGIN SELECT raise(IGNORE); END",
)


@pytest.mark.parametrize("planted", PLANTED)
async def test_a_trigger_that_somebody_put_into_the_file_does_nothing(tmp_path: Path, planted: str) -> None:
    await SqliteStore(tmp_path / "motlan.db").close()
    connection = apsw.Connection(str(tmp_path / "motlan.db"))
    connection.execute("CREATE TABLE kept (x)")
    connection.execute(planted)
    store = SqliteStore(tmp_path / "motlan.db")
    await store.journal.commit(commit(1, nonce="n", blobs=(blob("b"),)), NOW)
    await sequence(store.log)
    await store.log.redact([Redaction(id=record_id(1), openings=b"")])
    await store.vault.delete("b")
    await store.close()
    assert connection.execute("SELECT count(*) FROM kept").get == 0
    store = SqliteStore(tmp_path / "motlan.db")
    with pytest.raises(NonceUsedError):
        await store.journal.commit(commit(2, nonce="n"), NOW)
    assert any("description of keeps" in fault for fault in await store.log.damaged_tables())
    await store.close()


async def test_a_leader_that_is_gone_is_followed_at_once(store: SqliteStore, tmp_path: Path) -> None:
    other = SqliteStore(tmp_path / "motlan.db")
    assert await other.log.acquire("other", NOW, 3600) == 1
    assert await store.log.acquire("one", NOW, 3600) is None
    await other.close()
    assert await store.log.acquire("one", NOW, 3600) == 2


async def test_the_write_ahead_log_stays_bounded_under_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpointer, "COPY_PAGES", 100)
    store = SqliteStore(tmp_path / "motlan.db")

    async def caller(first: int) -> None:
        for number in range(first, first + 100):
            await store.journal.commit(commit(number, openings=bytes(4000)), NOW)

    await asyncio.gather(*(caller(1000 * number) for number in range(20)))
    size = (tmp_path / "motlan.db-wal").stat().st_size
    await store.close()
    assert size < 2000 * 8192 < 20 * 100 * 4000 * 4


PLANS = {
    "terms": search.BY_TERM.format(also=pseudonyms.ALSO * 2),
    "time": search.BY_TIME,
    "pseudonyms": pseudonyms._IN_SEGMENTS.format(also=pseudonyms.ALSO * 2),
}


@pytest.mark.parametrize("name", PLANS)
async def test_searches_use_their_indexes(name: str) -> None:
    connection = apsw.Connection("")
    register(connection)
    connection.execute(fresh_schema())
    bindings = [None] * PLANS[name].count("?")
    plan = [row[3] for row in connection.execute("EXPLAIN QUERY PLAN " + PLANS[name], bindings)]
    assert not [step for step in plan if step.startswith("SCAN") and "VIRTUAL TABLE" not in step]
    assert not [step for step in plan if "TEMP B-TREE" in step]


async def test_a_search_crosses_segments(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    from gateway.storage.sqlite import indexing  # noqa: PLC0415 - its constant is small here only

    monkeypatch.setattr(indexing, "SEGMENT_BITS", 2)
    monkeypatch.setattr(pseudonyms, "SEGMENT_BITS", 2)
    monkeypatch.setattr(pseudonyms, "_SEGMENTS", 3)
    for number in range(1, 31):
        person = (("person", bytes([number % 3]) * 16),)
        await store.journal.commit(commit(number, pseudonyms=person), NOW)
    await sequence(store.log)
    query = LogQuery(pseudonyms=(bytes([1]) * 16,), before_seq=20)
    assert numbers([record async for record in store.log.search(query)]) == [19, 16, 13, 10, 7, 4, 1]


async def test_a_commit_that_the_database_chokes_on_takes_no_other_with_it(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gateway.storage.sqlite import batch, writer  # noqa: PLC0415

    apply = batch.apply

    def choking(connection: Any, nonces: Any, batch: Any) -> Any:
        if any(b"poison" in prepared.packed for prepared in batch):
            raise apsw.ConstraintError("made up")
        return apply(connection, nonces, batch)

    monkeypatch.setattr(writer, "apply", choking)
    calls = [
        store.journal.commit(commit(number, openings=b"poison" if number == 5 else b""), NOW) for number in range(9)
    ]
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert [number for number, result in enumerate(results) if result is not None] == [5]
    assert isinstance(results[5], JournalUnavailableError)


async def test_a_real_log_survives_being_closed_in_the_middle(tmp_path: Path) -> None:
    older = None
    for run in range(4):
        store = SqliteStore(tmp_path / "motlan.db")
        for number in range(run * 150, run * 150 + 150):
            await store.journal.commit(commit(number), NOW)
        one = sequencer(store, holder=f"run {run}")  # type: ignore[arg-type]
        await one.step()
        assert await verified(store.log, older=older) == 100 * run + 100
        older = await store.log.checkpoint()
        await store.close()


@pytest.mark.parametrize("ends", ["ROLLBACK", "SELECT 1"])
async def test_a_reading_that_fails_is_told_why_and_the_next_one_has_a_new_connection(
    store: SqliteStore, ends: str
) -> None:
    used: list[Any] = []

    def failing(connection: Any) -> None:
        used.append(connection)
        connection.execute(ends)
        raise apsw.IOError("made up")

    for _ in range(5):
        with pytest.raises(JournalUnavailableError, match="made up"):
            await store._engine.read(failing)
    assert len({id(connection) for connection in used}) == 5
    assert await store.log.state() == (0, b"")
    assert len(store._engine._readers) <= 2


async def test_a_damaged_open_request_keeps_no_other_from_its_end(store: SqliteStore) -> None:
    for number in (1, 2, 3):
        await store.journal.commit(commit(number, opens=True), NOW)
    await sequence(store.log)
    await store.journal.commit(commit(4), NOW)
    connection = apsw.Connection(str(store._engine._database.path))
    connection.execute("UPDATE journal SET row = x'c1' WHERE seq = 2")
    assert numbers(await store.journal.open_requests(at(10))) == [1, 3]
    connection.execute("UPDATE journal SET row = x'c1' WHERE seq = 4")
    with pytest.raises(ValueError, match="does not parse"):
        await store.journal.open_requests(at(10))


async def test_nothing_is_read_after_closing(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "motlan.db")
    await store.close()
    with pytest.raises(JournalUnavailableError):
        await store.log.record(record_id(1))
    with pytest.raises(JournalUnavailableError):
        await store.vault.delete("b")
    await store.close()
    assert int(apsw.Connection(str(tmp_path / "motlan.db")).pragma("application_id")) == database.APPLICATION_ID
