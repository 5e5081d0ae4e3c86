"""A bit flips on the disk, in the database or in a copy of the log: the verifiers find it, and name where.

The database holds something in each table. One bit is flipped in each place of a sample that reaches every page, all
kinds of cells, headers and pointers; then everything that ``motlan log verify`` and the watch look at is looked at. What
changed nothing that can be read (free space in a page) needs no finding; everything else does.
"""

import asyncio
import random
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import apsw
import pytest

from gateway.ledger.checkpoint import open_checkpoint
from gateway.ledger.tiles import ENTRIES, WIDTH, TileId, encode_entries, tiles_of
from gateway.ledger.verify import LogWalk, run, verify_log
from gateway.model.decision import Charge
from gateway.model.errors import ExchangeError
from gateway.model.log import Document
from gateway.model.storage import Attestation, Commit, IdempotencyEnd, IdempotencyStart, Nonce
from gateway.storage.sqlite.checking import damaged_rows
from gateway.storage.sqlite.checking_sums import damaged_sums
from gateway.storage.sqlite.checking_tables import damaged_file, damaged_tables
from gateway.storage.sqlite.database import Database
from gateway.storage.sqlite.rows import entry_in
from gateway.storage.sqlite.store import SqliteStore
from tests.support.order import exchange, put
from tests.support.storage import LOG_KEY, NOW, at, blob, published

EXCHANGES = 160
PAGE = 8192


def with_everything(commit: Commit, number: int) -> Commit:
    if not commit.row.opens:
        end = IdempotencyEnd(key=f"{number:064x}", answer=f"blob {number}")
        return Commit(row=commit.row, idempotency=end, blobs=(blob(f"blob {number}", seconds=3600),))
    return Commit(
        row=commit.row,
        nonces=(Nonce(key=f"n {number}", expires=at(300)), Nonce(key=f"l {number}", expires=at(86_400))),
        charges=(Charge(key=f"officer {number % 7}", window=20_779, limit=10**6),),
        idempotency=IdempotencyStart(key=f"{number:064x}", fingerprint=bytes(32), expires=at(3600)),
    )


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with rows in every table."""
    path = tmp_path_factory.mktemp("sound") / "motlan.db"

    async def make() -> None:
        store = SqliteStore(path)
        commits = [
            with_everything(commit, number) for number in range(EXCHANGES) for commit in exchange(number, number)
        ]
        await put(store, [*commits, exchange(EXCHANGES, EXCHANGES)[0]])
        await store.journal.purge(at(0))
        for number in range(3):
            await store.log.save_epoch(f"epoch {number}", at(number), bytes(range(256)) * 3)
            content = f"[[grant]] {number}".encode() * 90
            await store.log.keep_document(Document(kind="policy", digest="ab" * 32, content=content, note="{}", at=NOW))
            await store.log.attest(Attestation(size=number, kind="timestamp", name="t", content=content, at=NOW))
        await store.journal.commit(exchange(EXCHANGES + 1, EXCHANGES + 1)[0], NOW)  # not in the tree
        await store.close()

    asyncio.run(make())
    return path


def findings(path: Path) -> list[str]:
    """All that is found wrong with a database, without any key but the log's."""
    try:
        connection: Any = Database(path).reader()
    except apsw.Error as error:
        return [f"database: {type(error).__name__}: {error}"]
    try:
        found: list[str] = []
        try:
            connection.execute("BEGIN")
            found += _tree(connection)
        except (apsw.Error, ValueError, TypeError) as error:
            found.append(f"database: its tree cannot be read: {type(error).__name__}: {error}")
        found += [*damaged_rows(connection, 0, 10**6), *damaged_tables(connection), *damaged_sums(connection)]
        return [*found, *damaged_file(connection)]
    except apsw.Error as error:
        return [f"database: {type(error).__name__}: {error}"]
    finally:
        with suppress(apsw.Error):
            connection.close(force=True)


def _tree(connection: Any) -> list[str]:
    def fetch(path: str) -> bytes:
        level, index, width = places[path]
        if level == ENTRIES:
            rows = connection.execute(
                "SELECT row FROM journal WHERE seq > ? ORDER BY seq LIMIT ?", (index * WIDTH, width)
            )
            entries = [entry_in(packed) for (packed,) in rows]
            if len(entries) < width:
                raise LookupError(path)
            return encode_entries(entries)
        data = connection.execute("SELECT hashes FROM tile WHERE id = ?", (level << 48 | index,)).get
        if isinstance(data, bytes):
            return data
        raise LookupError(path)

    note = connection.execute("SELECT checkpoint FROM tree").get
    if not isinstance(note, bytes):
        return ["table tree: it has no checkpoint"]
    try:
        head = open_checkpoint(note, LOG_KEY).checkpoint
    except ExchangeError as error:
        return [f"checkpoint: {error.detail}"]
    places = {
        TileId(level, index, width).path: (level, index, width)
        for tile in tiles_of(head.size)
        for index in range(tile.index + 1)
        for width in (tile.width, WIDTH)
        for level in ({tile.level, ENTRIES} if tile.level == 0 else {tile.level})
    }
    walk = LogWalk(head)
    run(walk.steps(), fetch)
    return list(walk.faults.names)


def content(path: Path) -> object:
    """Everything that can be read of a database, or what is said when it cannot."""
    try:
        connection: Any = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        rows = [(name, connection.execute(f"SELECT * FROM {name}").fetchall()) for name in tables]
        schema = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema").fetchall()
        settings = [connection.pragma(name) for name in ("user_version", "application_id", "journal_mode")]
        return rows, schema, settings, connection.pragma("integrity_check")
    except (apsw.Error, ValueError, TypeError) as error:
        return type(error)


def places(data: bytes, samples: int, of_each: int) -> Iterator[int]:
    """A sample of bytes: of each page the header, the pointers, and some of what is filled."""
    chance = random.Random(7)
    for start in range(0, len(data), PAGE):
        filled = [place for place in range(start, start + PAGE) if data[place]]
        yield from chance.sample(range(start, start + 12), of_each)
        yield from chance.sample(filled, min(len(filled), samples * PAGE // len(data)))


def test_a_sound_database_has_nothing_to_be_named(sound: Path) -> None:
    assert findings(sound) == []
    tables = dict(content(sound)[0])  # type: ignore[index]
    assert [name for name, rows in tables.items() if not rows] == []


@pytest.mark.parametrize(
    ("samples", "of_each"), [(180, 1), pytest.param(1500, 12, marks=pytest.mark.acceptance, id="many")]
)
def test_every_flipped_bit_of_the_database_that_changes_anything_is_found(
    samples: int, of_each: int, sound: Path, tmp_path: Path
) -> None:
    data, before = bytearray(sound.read_bytes()), content(sound)
    chance = random.Random(11)
    victim = tmp_path / "motlan.db"
    changed, missed, named = 0, [], set()
    for place in places(data, samples, of_each):
        bit = 1 << chance.randrange(8)
        data[place] ^= bit
        victim.write_bytes(data)
        data[place] ^= bit
        found = findings(victim)
        for beside in tmp_path.glob("motlan.db-*"):
            beside.unlink()
        named.update(fault.split(":")[0].split(" (")[0][:14] for fault in found)
        if not found and content(victim) != before:
            missed.append((place // PAGE, place % PAGE, bit))
        changed += bool(found)
    assert missed == []
    assert changed > (samples + of_each * len(data) // PAGE) // 3
    assert len(named) > 15  # records, entries, tiles, tables, pages: each by its name


TABLES = {
    "journal": "UPDATE journal SET row = CAST(? || substr(row, 2) AS BLOB) WHERE seq = 5",
    "tile": "UPDATE tile SET hashes = CAST(? || substr(hashes, 2) AS BLOB) WHERE id = 0",
    "epoch": "UPDATE epoch SET sealed = CAST(? || substr(sealed, 2) AS BLOB) WHERE id = 'epoch 1'",
    "document": "UPDATE document SET content = CAST(? || substr(content, 2) AS BLOB) WHERE id = 2",
    "attestation": "UPDATE attestation SET content = CAST(? || substr(content, 2) AS BLOB) WHERE size = 1",
    "vault": "UPDATE vault SET sealed = CAST(? || substr(sealed, 2) AS BLOB) WHERE id = 'blob 3'",
    "nonce_log": "UPDATE nonce_log SET keys = CAST(? || substr(keys, 2) AS BLOB) WHERE id = 3",
    "idempotency": "UPDATE idempotency SET fingerprint = CAST(? || substr(fingerprint, 2) AS BLOB) WHERE answer = 'blob 3'",
    "charge": "UPDATE charge SET used = used - length(?) WHERE key LIKE '%3'",
    "nonce_mark": "UPDATE nonce_mark SET watermark = watermark + length(?)",
    "tree": "UPDATE tree SET lease_until = lease_until + length(?)",
    "owner": "UPDATE owner SET number = number + 4 * length(?)",
    "open_request": "UPDATE open_request SET seq = seq - length(?)",
    "minute": "UPDATE minute SET first_seq = first_seq + length(?)",
    "term": "UPDATE term SET records = records + length(?) WHERE field = 'kind'",
    "posting": "UPDATE posting SET seq = seq + 4096 * length(?) WHERE seq = 5",
    "pseudonym": "UPDATE pseudonym SET seq = seq + 4096 * length(?) WHERE seq = 5",
    "record_id": "UPDATE record_id SET seq = seq + 4096 * length(?) WHERE seq = 5",
    "ending": "UPDATE ending SET seq = seq + 4096 * length(?) WHERE seq = 6",
    "epoch_span": "UPDATE epoch_span SET first_seq = first_seq + 4 * length(?)",
    "nonce_lasting": "UPDATE nonce_lasting SET expires = CAST(? || substr(expires, 2) AS BLOB)",
}


@pytest.mark.parametrize("table", TABLES)
def test_what_changed_is_named_by_its_table_or_record(table: str, sound: Path, tmp_path: Path) -> None:
    victim = tmp_path / "motlan.db"
    victim.write_bytes(sound.read_bytes())
    connection = apsw.Connection(str(victim))
    connection.execute(TABLES[table], (b"\x7f",))
    assert connection.changes() >= 1
    connection.close()
    wanted = {"journal": "entry 4", "tile": "tile/0/000", "ending": "table ending"}.get(table, f"table {table}")
    found = findings(victim)
    assert any(wanted in fault for fault in found), found


def test_a_flipped_bit_in_any_file_of_a_copy_is_found_and_named(sound: Path, tmp_path: Path) -> None:
    victim = tmp_path / "motlan.db"
    victim.write_bytes(sound.read_bytes())

    async def copied() -> dict[str, bytes]:
        store = SqliteStore(victim)
        try:
            return await published(store.log)
        finally:
            await store.close()

    files, chance = asyncio.run(copied()), random.Random(3)
    assert verify_log(files.__getitem__, LOG_KEY).checkpoint.checkpoint.size == 2 * EXCHANGES + 1
    for name, whole in files.items():
        for place in chance.sample(range(len(whole)), min(40, len(whole))):
            flipped = bytearray(whole)
            flipped[place] ^= 1 << chance.randrange(8)
            with pytest.raises(ExchangeError) as refused:
                verify_log({**files, name: bytes(flipped)}.__getitem__, LOG_KEY)
            assert name == "checkpoint" or any(name in fault for fault in refused.value.parts), refused.value.parts
