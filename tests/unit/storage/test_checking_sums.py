"""Checksums of the tables beside the journal, looked at in pieces."""

import asyncio
from pathlib import Path
from typing import Any

import apsw
import pytest

from gateway.model.decision import Charge
from gateway.model.storage import Attestation, IdempotencyStart, Nonce
from gateway.storage.sqlite import checking_sums
from gateway.storage.sqlite.checking_sums import TableWalk, damaged_sums
from gateway.storage.sqlite.database import Database
from gateway.storage.sqlite.store import SqliteStore
from gateway.storage.sqlite.sums import SUMMED
from tests.support.storage import NOW, at, blob, commit

ROWS = 7


async def _fill(path: Path) -> None:
    store = SqliteStore(path)
    for number in range(ROWS):
        await store.journal.commit(
            commit(
                number,
                nonces=(Nonce(key=f"n{number}", expires=at(60)), Nonce(key=f"l{number}", expires=at(86_400))),
                charges=tuple(Charge(key=f"q{each}", window=number, limit=9) for each in range(2)),
                idempotency=IdempotencyStart(key=f"k{number}", fingerprint=b"f", expires=at(60)),
                blobs=(blob(f"b{number}"),),
            ),
            NOW,
        )
        for name in ("a", "b"):
            await store.log.attest(Attestation(size=number, kind="timestamp", name=name, content=b"c", at=NOW))
    await store.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    asyncio.run(_fill(tmp_path / "motlan.db"))
    return tmp_path / "motlan.db"


@pytest.mark.parametrize("at_once", [1, 2, 3, ROWS, ROWS + 1, 100])
def test_every_row_of_every_table_is_looked_at_once(file: Path, at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking_sums, "_AT_ONCE", at_once)
    connection = Database(file).writer()
    assert damaged_sums(connection) == []
    for table in SUMMED:
        rows = int(connection.execute(f"SELECT count(*) FROM {table}").get)
        connection.execute(f"UPDATE {table} SET sum = sum + 1")
        found = [fault for fault in damaged_sums(connection) if fault.startswith(f"table {table}: its row ")]
        assert len(found) == rows
    connection.close()


async def _tables(path: Path, reads: list[Any], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    store = SqliteStore(path)
    read = store._engine.read

    async def counted(work: Any) -> Any:
        reads.append(work)
        await store.log.redact(())  # what is erased can be wiped between any two pieces
        return await read(work)

    monkeypatch.setattr(store._engine, "read", counted)
    found = list(await store.log.damaged_tables())
    await store.close()
    return found


def test_each_piece_is_a_reading_of_its_own(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking_sums, "_AT_ONCE", 2)
    apsw.Connection(str(file)).execute("UPDATE vault SET sealed = x'00' WHERE id = 'b5'")
    reads: list[Any] = []
    found = asyncio.run(_tables(file, reads, monkeypatch))
    assert found == ["table vault: its row b5 is not what was written: its checksum is another"]
    assert len(reads) > 4 * ROWS // 2


def test_pieces_are_found_by_the_table_s_order() -> None:
    connection = Database(Path(":memory:"))._open()
    connection.execute((Path(checking_sums.__file__).with_name("schema.sql")).read_text(encoding="utf-8")).fetchall()
    for table, keys in checking_sums._KEYS.items():
        statement = checking_sums._statement(table, checking_sums._beyond(table))
        plan = [row[3] for row in connection.execute("EXPLAIN QUERY PLAN " + statement, [None] * len(keys))]
        assert [step.split(" ")[0] for step in plan] == ["SEARCH"], (table, plan)


class _Damaged:
    """A table of which a damaged page leads back to itself."""

    def execute(self, *_: Any) -> "_Damaged":
        return self

    def fetchall(self) -> list[tuple[Any, ...]]:
        return [(number, 0, number) for number in range(250)]


def test_a_table_that_goes_round_in_circles_is_named_and_left(monkeypatch: pytest.MonkeyPatch) -> None:
    walk, found, table = TableWalk("vault"), [], _Damaged()
    for _ in range(3):
        found += walk.piece(table)  # type: ignore[arg-type]
        if walk.done:
            break
    assert found == ["table vault: cannot be read: ValueError: its rows are out of order"]
    assert walk.done
