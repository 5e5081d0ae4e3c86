"""Copies that SQLite leaves of rows that it moves: overwritten where rows beside them are destroyed, and nothing else."""

import asyncio
import hashlib
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import apsw
import pytest

from gateway.model.storage import JournalUnavailableError, Redaction
from gateway.storage.sqlite import gaps, redacting
from gateway.storage.sqlite.database import Database
from gateway.storage.sqlite.gaps import Touched, zero_gaps
from gateway.storage.sqlite.store import SqliteStore
from tests.support.storage import NOW, at, blob, commit, record_id, sequence

ROUNDS, EACH = 12, 110


def noise(name: str, size: int) -> bytes:
    return hashlib.shake_256(name.encode()).digest(size)


def marks(number: int) -> tuple[tuple[str, bytes], ...]:
    return tuple((kind, noise(f"{kind} {number}", 16)) for kind in ("person", "officer", "case"))


def payload(number: int) -> bytes:
    return noise(f"payload {number}", 300 + number * 7 % 1_200)


async def come_and_go(path: Path) -> tuple[list[int], list[int]]:
    """Records come, and at random some of all are erased; which are gone, and which are there."""
    chance = random.Random(2)
    store = SqliteStore(path)
    there: list[int] = []
    gone: list[int] = []
    for first in range(1, ROUNDS * EACH, EACH):
        new = range(first, first + EACH)
        made = [commit(each, pseudonyms=marks(each), blobs=(blob(f"b{each}", sealed=payload(each)),)) for each in new]
        await asyncio.gather(*(store.journal.commit(each, NOW) for each in made))
        await sequence(store.log)
        there += new
        chance.shuffle(there)
        some, there = there[: len(there) // 2], there[len(there) // 2 :]
        await store.log.redact([Redaction(id=record_id(each), openings=b"") for each in some])
        await store.vault.destroy([f"b{each}" for each in some])
        gone += some
    for each in there:
        kept = await store.vault.get(f"b{each}", NOW)
        assert kept is not None
        assert kept.sealed == payload(each)
    await store.close()
    return gone, there


def still_there(path: Path, numbers: list[int]) -> list[int]:
    """Of which of these records a piece of a payload or pseudonym stands in the file."""
    data = path.read_bytes()
    pieces = {data[start : start + 8] for start in range(len(data) - 7)}
    wanted = {
        each: [mark[:8] for _, mark in marks(each)] + [payload(each)[:8], payload(each)[80:88]] for each in numbers
    }
    return [each for each, secrets in wanted.items() if not pieces.isdisjoint(secrets)]


def sound(path: Path) -> None:
    connection = apsw.Connection(str(path))
    assert connection.pragma("integrity_check") == "ok"
    connection.close()


def test_nothing_of_what_was_destroyed_is_left_and_everything_else_is(tmp_path: Path) -> None:
    path = tmp_path / "motlan.db"
    gone, there = asyncio.run(come_and_go(path))
    assert still_there(path, gone) == []
    assert len(still_there(path, there)) == len(there)
    sound(path)


async def keys_come_and_go(path: Path) -> None:
    """Of two processes by turns, as their days begin; then all but the last is over."""
    store = SqliteStore(path)
    for day in range(60):
        for process in ("bb", "aa"):
            sealed = noise(f"{day}-{process}", 900 + 37 * day % 900)
            await store.log.save_epoch(f"{20_000 + day}-{process}", at(day), sealed)
    gone: list[str] = []
    for day in range(0, 60, 7):
        gone += await store.log.destroy_epochs(0, at(day))
    assert len(gone) == 2 * 56
    await store.close()


@pytest.mark.parametrize("alone", [False, True], ids=["as it is", "SQLite alone"])
def test_sealed_keys_of_epochs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, alone: bool) -> None:
    if alone:
        monkeypatch.setattr(redacting, "zero_gaps", lambda *_: True)
    asyncio.run(keys_come_and_go(tmp_path / "motlan.db"))
    data = (tmp_path / "motlan.db").read_bytes()
    secrets = [noise(f"{day}-{process}", 900) for day in range(56) for process in ("aa", "bb")]
    left = [secret for secret in secrets if any(secret[start:][:8] in data for start in range(0, 900, 50))]
    assert bool(left) is alone
    assert noise("59-aa", 900) in data
    sound(tmp_path / "motlan.db")


def test_sqlite_alone_leaves_some(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails, SQLite has learned to do it, and gaps.py can go."""
    monkeypatch.setattr(redacting, "zero_gaps", lambda *_: True)
    gone, _ = asyncio.run(come_and_go(tmp_path / "motlan.db"))
    assert still_there(tmp_path / "motlan.db", gone)


@pytest.fixture
def filled(tmp_path: Path) -> Database:
    """Trees of three levels: 60,000 pseudonyms of 30 segments, and 3,000 payloads."""
    database = Database(tmp_path / "motlan.db")
    database.prepare()
    connection = database.writer()
    with connection:
        rows = [(number % 30, noise(f"{number}", 16), number) for number in range(60_000)]
        connection.executemany("INSERT INTO pseudonym VALUES (?, ?, ?)", rows)
        connection.executemany(
            "INSERT INTO vault (id, owner, subjects, purpose, expires, sealed) VALUES (?, '', x'90', '', 0, ?)",
            [(str(number), noise(f"{number}", 4_000)) for number in range(3_000)],
        )
    connection.close()
    return database


def pages(connection: apsw.Connection, table: str) -> set[int]:
    rows: list[Any] = connection.execute(
        "SELECT pageno FROM dbstat WHERE name = ? AND pagetype IN ('leaf', 'internal')", (table,)
    ).fetchall()
    return {number for (number,) in rows}


@pytest.mark.parametrize("table", ["vault", "pseudonym"])
def test_the_page_of_each_key_is_looked_at(filled: Database, table: str) -> None:
    """All keys together lead to all pages; and one to few, among them the one on which it stands."""
    connection = filled.writer()
    root = int(connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)).get)
    keys: list[Any] = connection.execute(
        "SELECT rowid, sealed FROM vault" if table == "vault" else "SELECT segment, pseudonym FROM pseudonym"
    ).fetchall()
    data = filled.path.read_bytes()
    read: set[int] = set()

    def page(number: int) -> bytes:
        read.add(number)
        return data[(number - 1) * 8192 : number * 8192]

    assert (page(root)[0], len(pages(connection, table)) > 100) == (5 if table == "vault" else 2, True)
    gaps._dirty(page, root, sorted({row[0] if table == "vault" else row for row in keys}))
    assert read == pages(connection, table)
    for row in random.Random(1).sample(keys, 40):
        read.clear()
        gaps._dirty(page, root, [row[0] if table == "vault" else row])
        assert len(read) < 40
        assert any(row[1] in page(number) for number in read)
    connection.close()


def test_gaps_are_zeroed_and_no_cell_is_touched(filled: Database) -> None:
    connection = filled.writer()
    everything = Touched(
        blobs={number for (number,) in connection.execute("SELECT rowid FROM vault")},
        pseudonyms=set(connection.execute("SELECT segment, pseudonym FROM pseudonym")),
    )
    before = [connection.execute(f"SELECT * FROM {table}").fetchall() for table in ("vault", "pseudonym")]
    connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    numbers = pages(connection, "vault") | pages(connection, "pseudonym")
    assert zero_gaps(filled, connection, everything)
    connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    connection.close()
    data = filled.path.read_bytes()
    for number in numbers:
        page = data[(number - 1) * 8192 : number * 8192]
        cells = gaps._cells(page)
        assert cells is not None
        assert not any(page[cells[0].start : cells[0].stop])
    sound(filled.path)
    again = apsw.Connection(str(filled.path))
    assert [again.execute(f"SELECT * FROM {table}").fetchall() for table in ("vault", "pseudonym")] == before


def test_nothing_is_written_beside_a_log_that_is_not_empty(filled: Database) -> None:
    connection, other = filled.writer(), filled.writer()
    connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    other.execute("UPDATE tree SET fence = fence + 1")
    before = filled.path.read_bytes()
    assert not zero_gaps(filled, connection, Touched(blobs={1}))
    assert filled.path.read_bytes() == before
    assert not connection.in_transaction
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(apsw.BusyError):
        zero_gaps(filled, connection, Touched(blobs={1}))
    other.close()
    connection.close()


def test_damaged_pages_end_the_way_and_nothing_worse(filled: Database) -> None:
    connection = filled.writer()
    root = int(connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'pseudonym'").get)
    connection.close()
    data, chance = filled.path.read_bytes(), random.Random(9)

    def page(number: int) -> bytes:
        found = bytearray(data[(number - 1) * 8192 : number * 8192])
        for _ in range(3):
            found[chance.choice([*range(12), chance.randrange(8192)])] = chance.randrange(256)
        return bytes(found)

    for _ in range(100):
        for number, gap in gaps._dirty(lambda number: page(number % (len(data) // 8192)), root, [(3, noise("3", 16))]):
            assert number
            assert 8 <= gap.start <= gap.stop <= 8192


def test_others_forget_what_they_have_read(filled: Database) -> None:
    """Else they would write a page's old gap again, with the next row that comes into it."""
    connection, other = filled.writer(), filled.writer()
    kept = noise("7", 16)
    last = int(connection.execute("SELECT max(rowid) FROM vault").get)
    connection.execute("UPDATE vault SET sealed = ? WHERE rowid = ?", (kept * 8, last))
    connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    file = filled.file()
    number = max(pages(connection, "vault"))
    page = file.xRead(8192, (number - 1) * 8192)
    gap, _ = gaps._cells(page) or (range(0), [])
    file.xWrite(b"left behind", (number - 1) * 8192 + gap.start + 20)
    file.xClose()
    connection.close()
    other.execute("SELECT sum(length(sealed)) FROM vault").fetchall()
    connection = filled.writer()
    assert zero_gaps(filled, connection, Touched(blobs={last}))
    other.execute("UPDATE vault SET expires = 1 WHERE rowid = ?", (last,))
    other.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    other.close()
    connection.close()
    assert b"left behind" not in filled.path.read_bytes()
    sound(filled.path)


LOCKED = """
import fcntl, sys
with open(sys.argv[1], "r+b") as file:
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 510, 0x40000002)
    except BlockingIOError:
        print("held")
"""
"""Where SQLite's shared lock lies (os_unix.c)."""


def test_the_file_s_locks_are_still_held_afterwards(filled: Database) -> None:
    """POSIX lets go of all locks of a file when a process closes any descriptor of it."""
    connection = filled.writer()
    connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    assert zero_gaps(filled, connection, Touched(blobs={1}))
    filled.prepare()
    asked = subprocess.run(
        [sys.executable, "-c", LOCKED, str(filled.path)], capture_output=True, text=True, check=True, timeout=30
    )
    assert asked.stdout == "held\n"
    connection.close()


def test_a_disk_that_fails_meanwhile_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: Any) -> bool:
        raise apsw.IOError("made up")

    async def erase() -> None:
        store = SqliteStore(tmp_path / "motlan.db")
        await store.journal.commit(commit(1, pseudonyms=marks(1)), NOW)
        await sequence(store.log)
        monkeypatch.setattr(gaps, "_dirty", failing)
        with pytest.raises(JournalUnavailableError) as failed:
            await store.log.redact([Redaction(id=record_id(1), openings=b"")])
        assert failed.value.uncertain
        monkeypatch.undo()
        await store.journal.commit(commit(2), NOW)
        await store.close()

    asyncio.run(erase())
    sound(tmp_path / "motlan.db")
