"""Stores to test, and commits to put into them."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

from gateway.exchange.sequencer import Pace, Sequencer
from gateway.ledger.skeleton import entry_of
from gateway.ledger.tiles import ENTRIES, HEIGHT, WIDTH, TileId, encode_entries
from gateway.ledger.verify import verify_log
from gateway.model.ids import RecordId
from gateway.model.instant import MICROSECONDS, Instant
from gateway.model.log import TreeWrite
from gateway.model.storage import Blob, Commit, Nonce, Row, StoredRecord
from gateway.ports import Journal, LogStore, Vault
from gateway.storage.memory import MemoryStore
from gateway.storage.sqlite.store import SqliteStore
from tests.support.ledger import ORIGIN, signing_key

NOW = Instant(1_795_315_862_123_456)
ENGINES = ("sqlite", "memory")
LOG_KEY, LOG_SIGN = signing_key("log", ORIGIN)
QUICK = Pace(gather=0.001, poll=0.005, lease=10, rows=100, retry=0.001)


class Store(Protocol):
    journal: Journal
    vault: Vault
    log: LogStore

    async def close(self) -> None: ...


def open_store(engine: str, directory: Path) -> Store:
    return MemoryStore() if engine == "memory" else SqliteStore(directory / "motlan.db")


def at(seconds: float) -> Instant:
    """So many seconds after NOW."""
    return Instant(NOW + int(seconds * MICROSECONDS))


def record_id(number: int) -> RecordId:
    return RecordId(f"01932d3e-8f1c-7abc-8def-{number:012x}")


def row(number: int, **changes: Any) -> Row:
    said = {"kind": "request", "client": "VN/GOV/H31/portal", "number": number} | changes.pop("skeleton", {})
    skeleton = json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
    usual: dict[str, Any] = {
        "id": record_id(number),
        "entry": entry_of(skeleton),
        "skeleton": skeleton,
        "openings": b"sealed %d" % number,
        "epoch": "20779-aa",
    }
    return Row(**{**usual, **changes})


def commit(number: int, *, nonce: str | None = None, **changes: Any) -> Commit:
    """The commit of a numbered record. Fields of the row and of the commit, as asked; ``nonce`` lives 360 s."""
    of_commit = {name: changes.pop(name) for name in list(changes) if name in Commit.__struct_fields__}
    if nonce is not None:
        of_commit["nonces"] = (Nonce(key=nonce, expires=at(360)),)
    return Commit(row=row(number, **changes), **of_commit)


def blob(
    name: str, *, seconds: float = 60, sealed: bytes = b"ciphertext", subjects: tuple[bytes, ...] = (b"s" * 16,)
) -> Blob:
    return Blob(
        id=name,
        owner="VN/GOV/H31/portal",
        subjects=subjects,
        purpose="1.001193",
        expires=at(seconds),
        sealed=sealed,
    )


def numbers(records: Any) -> list[int]:
    """The numbers of stored records, in their order."""
    return [int(record.row.id[-12:], 16) for record in records]


async def sequence(log: LogStore, *, count: int = 1000, checkpoint: bytes = b"note") -> None:
    """Put what is not in the tree into it, with tiles that are only counted, for tests that need no real tree."""
    fence = await log.acquire("test", NOW, 60)
    assert fence is not None
    rows = await log.unsequenced(count)
    size, _ = await log.state()
    await log.write(step(size, rows, checkpoint=checkpoint), fence, NOW)


def step(size: int, stored: "list[StoredRecord] | Any", **changes: Any) -> TreeWrite:
    usual: dict[str, Any] = {
        "old_size": size,
        "new_size": size + len(stored),
        "frontier": b"frontier",
        "tiles": (),
        "checkpoint": b"note",
        "rows": tuple(record.seq for record in stored),
    }
    return TreeWrite(**{**usual, **changes})


async def published(log: LogStore) -> dict[str, bytes]:
    """The files of the log as a web server would give them, by path below its prefix."""
    note = await log.checkpoint()
    assert note is not None
    size, _ = await log.state()
    files = {"checkpoint": note}
    level = 0
    while size >> (HEIGHT * level):
        for index in range(-(-(size >> (HEIGHT * level)) // WIDTH)):
            data = await log.tile(level, index)
            assert data is not None
            files[TileId(level, index, len(data) // 32).path] = data
        level += 1
    for index in range(-(-size // WIDTH)):
        entries = list(await log.entries(index * WIDTH, WIDTH))
        files[TileId(ENTRIES, index, len(entries)).path] = encode_entries(entries)
    return files


async def verified(log: LogStore, *, older: bytes | None = None) -> int:
    """Verify the whole log from its files, as an outsider would; its size."""
    files = await published(log)
    return verify_log(files.__getitem__, LOG_KEY, older=older).checkpoint.checkpoint.size


class TestClock:
    """A clock that stands still until it is moved."""

    __test__ = False

    def __init__(self) -> None:
        self.wall = NOW
        self.steady = 1000.0

    def now(self) -> Instant:
        return self.wall

    def monotonic(self) -> float:
        return self.steady

    def pass_(self, seconds: float) -> None:
        self.wall = Instant(self.wall + int(seconds * MICROSECONDS))
        self.steady += seconds


class Alarms:
    """An observer that keeps the alarms."""

    def __init__(self) -> None:
        self.raised: list[tuple[str, str]] = []

    def alarm(self, code: str, detail: str) -> None:
        self.raised.append((code, detail))

    def exchanged(self, **_: Any) -> None: ...

    def refused(self, **_: Any) -> None: ...


def sequencer(store: Store, *, clock: Any = None, alarms: Alarms | None = None, holder: str = "one") -> Sequencer:
    return Sequencer(
        store.log, clock or TestClock(), alarms or Alarms(), key=LOG_KEY, sign=LOG_SIGN, holder=holder, pace=QUICK
    )


def copied(database: Path, copy: Path) -> Path:
    """A copy of an SQLite file, write-ahead log and all, that a test may do with as it likes."""
    with closing(sqlite3.connect(database)) as old, closing(sqlite3.connect(copy)) as new:
        old.backup(new)
    return copy
