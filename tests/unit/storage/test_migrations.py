"""A database of the first schema, with rows in it, is brought up to date: nothing lost, nothing misread, and it goes on."""

import asyncio
from hashlib import shake_256
from pathlib import Path
from typing import Any

import apsw
import msgspec
import pytest

from gateway.ledger.tiles import WIDTH
from gateway.model.log import Document, LogQuery
from gateway.model.storage import JournalUnavailableError
from gateway.storage.sqlite import database, sums
from gateway.storage.sqlite.database import APPLICATION_ID, SCHEMA_VERSION, migrations
from gateway.storage.sqlite.store import SqliteStore
from tests.support.powercut import PowerCutVFS
from tests.support.storage import NOW, at, commit, copied, numbers, record_id, sequencer, verified
from tests.support.worlds import CALLERS, Told, answer, check, request, work

pytestmark = pytest.mark.asyncio

EXCHANGES = 40
EPOCH = "20779-aa"


async def worked(path: Path) -> Told:
    """A gateway's worth of work, all of it in the tree but for the last request, which has no end yet."""
    told = Told()
    store = SqliteStore(path)
    await store.log.save_epoch(EPOCH, NOW, b"sealed to the readers")
    await store.log.keep_document(Document(kind="policy", digest="d", content=b"", at=NOW))
    await work(store, told, rounds=EXCHANGES // CALLERS)
    await store.close()
    store = SqliteStore(path)  # the lease of a process that is gone holds nobody up
    assert await sequenced(store) == 2 * EXCHANGES
    last = request(9_000)
    told.attempted[last.row.id] = told.acknowledged[last.row.id] = last
    await store.journal.commit(last, NOW)
    await store.close()
    return told


async def sequenced(store: SqliteStore) -> int:
    """Put all that is there into the tree; its size."""
    one = sequencer(store, holder="last")  # type: ignore[arg-type]
    while await one.step():
        pass
    size, _ = await store.log.state()
    return size


def of_first_schema(new: Path, old: Path) -> Path:
    """What the first version would have left of the same work: its tables, its columns, rows without a checksum."""
    connection = apsw.Connection(str(old))
    connection.execute(
        f"PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA application_id = {APPLICATION_ID}"
    ).fetchall()
    connection.execute(migrations()[0] + "; PRAGMA user_version = 1")
    connection.execute("ATTACH ? AS new", (str(new),))
    tables = connection.execute("SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
    for (table,) in tables.fetchall():
        columns = ", ".join(name for _, name, *_ in connection.execute(f"PRAGMA main.table_info({table})"))
        connection.execute(f"DELETE FROM main.{table}")
        connection.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM new.{table}")
    rows: list[Any] = connection.execute("SELECT seq, row FROM main.journal").fetchall()
    for seq, packed in rows:
        fields: list[Any] = msgspec.msgpack.decode(packed)
        connection.execute("UPDATE main.journal SET row = ? WHERE seq = ?", (msgspec.msgpack.encode(fields[:10]), seq))
    connection.close()
    return old


async def undamaged(store: SqliteStore) -> None:
    size, _ = await store.log.state()
    found = [*await store.log.damaged_rows(0, size), *await store.log.damaged_tables(), *await store.log.damaged_file()]
    assert found == []


async def found_by_person(store: SqliteStore, number: int) -> list[int]:
    query = LogQuery(pseudonyms=(number.to_bytes(16, "big"),), epochs=(EPOCH,))
    return numbers([record async for record in store.log.search(query)])


@pytest.fixture(scope="module")
def work_done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Told]:
    path = tmp_path_factory.mktemp("worked") / "motlan.db"
    return path, asyncio.run(worked(path))


@pytest.fixture
def told(work_done: tuple[Path, Told]) -> Told:
    return work_done[1]


@pytest.fixture
def new(work_done: tuple[Path, Told], tmp_path: Path) -> Path:
    """A database of today's schema."""
    return copied(work_done[0], tmp_path / "new.db")


@pytest.fixture
def old(new: Path, tmp_path: Path) -> Path:
    """One of the first schema."""
    return of_first_schema(new, tmp_path / "motlan.db")


async def test_nothing_is_lost_and_nothing_looks_damaged(old: Path, told: Told) -> None:
    store = SqliteStore(old)
    assert apsw.Connection(str(old)).pragma("user_version") == SCHEMA_VERSION
    await undamaged(store)
    assert await verified(store.log, older=told.notes[0]) == 2 * EXCHANGES
    ends = await store.log.endings([record_id(number) for number in range(1, EXCHANGES + 1)])
    assert sorted(numbers(ends)) == [number + 1_000_000 for number in range(1, EXCHANGES + 1)]
    assert await found_by_person(store, 7) == [7]
    assert [kept.digest for kept in await store.log.documents("policy")] == ["d"]
    await store.close()
    await check(old, told)  # records, nonces, quotas, payloads, the log, and what has no end is abandoned


async def test_keys_of_an_epoch_that_older_records_need_are_kept(old: Path) -> None:
    store = SqliteStore(old)
    assert await store.log.destroy_epochs(2 * EXCHANGES - 1, at(10**6)) == []
    [(name, _, sealed)] = await store.log.epochs()
    assert (name, sealed) == (EPOCH, b"sealed to the readers")
    await store.close()


async def test_exchange_goes_on_across_a_tile_s_border(old: Path, told: Told) -> None:
    store = SqliteStore(old)
    await store.journal.commit(answer(9_000), NOW)
    for number in range(20_000, 20_000 + WIDTH):
        await store.journal.commit(commit(number), NOW)
    size = 2 * EXCHANGES + 2 + WIDTH
    assert await sequenced(store) == size
    assert await verified(store.log, older=told.notes[-1]) == size
    assert numbers(await store.log.endings([record_id(9_000)])) == [1_009_000]
    assert await found_by_person(store, 9_000) == [9_000]
    await undamaged(store)
    await store.close()


BROKEN = ("x'c1'", "'text'", "7", "x'9a'", "x''")


@pytest.mark.parametrize("packed", BROKEN)
async def test_a_damaged_old_row_does_not_keep_the_gateway_from_starting(old: Path, packed: str) -> None:
    apsw.Connection(str(old)).execute(f"UPDATE journal SET row = {packed} WHERE seq IN (1, 30)")
    store = SqliteStore(old)
    faults = await store.log.damaged_rows(0, 2 * EXCHANGES)
    for index in (0, 29):
        assert any(fault == f"entry {index}: its row does not parse" for fault in faults)
    [(epoch, first, last)] = apsw.Connection(str(old)).execute("SELECT * FROM epoch_span")
    assert (epoch, first, last) == (EPOCH, 2, 2 * EXCHANGES)
    await store.close()


def derived(path: Path) -> list[list[Any]]:
    connection = apsw.Connection(str(path))
    return [connection.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall() for table in ("ending", "epoch_span")]


@pytest.mark.parametrize("version", [3, 4])
@pytest.mark.parametrize("known_from", [1, 31, 80])
async def test_rows_from_before_and_after_there_were_spans(new: Path, version: int, known_from: int) -> None:
    wanted = derived(new)
    connection = apsw.Connection(str(new))
    if version == 3:
        for (table,) in connection.execute("SELECT name FROM sqlite_schema WHERE sql LIKE '%sum INTEGER%'").fetchall():
            connection.execute(f"ALTER TABLE {table} DROP COLUMN sum")
    connection.execute("DELETE FROM ending WHERE seq < ?", (known_from,))
    connection.execute("UPDATE epoch_span SET first_seq = ?", (known_from,))
    connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
    store = SqliteStore(new)
    assert derived(new) == wanted
    await undamaged(store)
    await store.close()


async def test_newer_rows_are_not_read_again(new: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    apsw.Connection(str(new)).execute("PRAGMA user_version = 4")

    def unpack(_: bytes) -> None:
        raise AssertionError

    monkeypatch.setattr(sums, "unpack", unpack)
    await SqliteStore(new).close()


def everything(path: Path) -> list[str]:
    return list(apsw.Connection(str(path)).execute("SELECT quote(row) FROM journal")) + list(
        apsw.Connection(str(path)).execute("SELECT name || sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
    )


@pytest.mark.parametrize("after", range(2, SCHEMA_VERSION + 1))
async def test_an_upgrade_that_fails_half_way_changed_nothing(
    old: Path, told: Told, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    before = everything(old)
    failing = [*migrations()[:after], "SELECT no_such_function()", *migrations()[after:]]
    with monkeypatch.context() as patched:
        patched.setattr(database, "migrations", lambda: failing)
        with pytest.raises(JournalUnavailableError):
            SqliteStore(old)
    assert everything(old) == before
    assert apsw.Connection(str(old)).pragma("user_version") == 1
    await check(old, told)


async def test_a_disk_that_fills_up_meanwhile_changed_nothing(old: Path, told: Told) -> None:
    before = everything(old)
    vfs = PowerCutVFS("filling")
    try:
        vfs.room = 10_000
        with pytest.raises(JournalUnavailableError):
            SqliteStore(old, vfs="filling")
    finally:
        vfs.unregister()
    assert everything(old) == before
    await check(old, told)


def bytes_of(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.glob("motlan.db*"))


async def test_what_the_upgrade_moved_is_erased_like_anything_else(tmp_path: Path, old: Path) -> None:
    connection = apsw.Connection(str(old))
    secrets = [shake_256(b"%d" % number).digest(950 + number % 60) for number in range(240)]
    for number, secret in enumerate(secrets):
        connection.execute("INSERT INTO vault VALUES (?, 'o', x'90', 'p', 2, ?)", (f"kept {number}", secret))
    connection.close()
    store = SqliteStore(old)
    assert await store.vault.destroy([f"kept {number}" for number in range(240)]) == 240
    left = bytes_of(tmp_path)
    assert [number for number, secret in enumerate(secrets) if secret[-16:] in left or secret[:16] in left] == []
    await store.close()
