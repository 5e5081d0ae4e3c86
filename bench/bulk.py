"""A log of millions of records, as a gateway would have written it, made fast: rows, pseudonyms, openings, tree and
search indexes come from the gateway's own code; only the waiting for the disk after each batch is left out.

Run: ``python -m bench.bulk DIR [--records N]``. What is in DIR is used again, if it is of that size. Ten million
records take some 20 GB.
"""

import argparse
import multiprocessing
import os
import random
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import Any

import apsw
import msgspec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from msgspec import Struct

from bench.audit_world import Keys, fresh_keys
from bench.log_events import CLIENTS, PER_DAY, START, exchange, person
from gateway.exchange.ids import EntropyPool
from gateway.exchange.recording import Recorder
from gateway.exchange.sequencer import Frontier
from gateway.ledger.checkpoint import Checkpoint, sign_checkpoint
from gateway.ledger.epoch import KEY_BYTES, Epoch, seal_epoch
from gateway.ledger.tiles import ENTRIES
from gateway.ledger.tree import EMPTY_WITHOUT_BUNDLES, append
from gateway.model.ids import SubsystemId
from gateway.model.instant import MICROSECONDS, Instant, vietnam_day
from gateway.storage.sqlite.database import Database
from gateway.storage.sqlite.indexing import Additions, gather, write
from gateway.storage.sqlite.rows import pack, unpack
from gateway.storage.sqlite.statements import SQL

FORMAT = 1
EXCHANGES = 5_000
"""Exchanges that are made, and written, at a time: a third of a day."""
CITIZENS = bytes(range(32))
_CACHE_KIB = 512 * 1024


class Built(Struct, frozen=True, kw_only=True):
    """What was built, and the keys to it. folder: has ``audit.sqlite``. share: of how many exchanges in ten the first
    client is. seconds: it took. auditor, officer, log: private keys, PEM.
    """

    version: int = FORMAT
    folder: str
    records: int
    people: int
    share: int
    seconds: float
    auditor: str
    officer: str
    log: str

    @property
    def database(self) -> Path:
        """The file."""
        return Path(self.folder) / "audit.sqlite"

    @property
    def keys(self) -> Keys:
        """The keys."""
        keys: Any = [load_pem_private_key(pem.encode(), None) for pem in (self.auditor, self.officer, self.log)]
        return Keys(auditor=keys[0], officer=keys[1], log=keys[2])

    def about(self, number: int) -> str:
        """Whom an exchange was about."""
        return person(_about(number, self.people))

    def client(self, number: int) -> SubsystemId:
        """Whose an exchange was."""
        return _client(number, self.share)

    def at(self, number: int) -> Instant:
        """When it was."""
        return moment(number)


def moment(number: int) -> Instant:
    """When an exchange was."""
    return Instant(START + number * 2 * 86_400 * MICROSECONDS // PER_DAY)


def _about(number: int, people: int) -> int:
    return random.Random(number).randrange(people)


def _client(number: int, share: int) -> SubsystemId:
    return CLIENTS[0] if number % 10 < share else CLIENTS[1 + number // 10 % 62]


def built(folder: Path, records: int, *, share: int = 9, say: Callable[[str], None] = print) -> Built:
    """The log of that many records in a folder: the one that is there, or a new one."""
    file = folder / "built.json"
    if file.exists():
        found = msgspec.json.decode(file.read_bytes(), type=Built)
        if (found.version, found.records, found.share) == (FORMAT, records, share):
            return found
        raise SystemExit(f"{folder} has another log, of {found.records:,} records: remove it")
    folder.mkdir(parents=True, exist_ok=True)
    made = _build(folder, records, share, say)
    file.touch(mode=0o600)
    file.write_bytes(msgspec.json.encode(made))
    return made


def _build(folder: Path, records: int, share: int, say: Callable[[str], None]) -> Built:
    started = time.perf_counter()
    keys, people = fresh_keys(), max(1000, records // 8)
    database = Database(folder / "audit.sqlite")
    database.prepare()
    connection = database.writer()
    connection.pragma("journal_mode", "OFF")
    connection.pragma("synchronous", "OFF")
    connection.pragma("cache_size", -_CACHE_KIB)
    writing = _Writing(connection, records, share, people, keys)
    for done in writing.all():
        if done * 2 % 250_000 == 0:
            say(f"{done * 2:,} records, {done * 2 / (time.perf_counter() - started):,.0f}/s")
    writing.finish()
    connection.pragma("journal_mode", "WAL")
    connection.close()
    return Built(
        folder=str(folder),
        records=records,
        people=people,
        share=share,
        seconds=time.perf_counter() - started,
        auditor=_pem(keys.auditor),
        officer=_pem(keys.officer),
        log=_pem(keys.log),
    )


def _pem(key: Any) -> str:
    pem: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem.decode()


class _Job(Struct, frozen=True):
    """Some exchanges to be made, under an epoch."""

    first: int
    count: int
    share: int
    people: int
    epoch: tuple[str, bytes, bytes, Instant]


class _Made(Struct, frozen=True):
    """Rows as they are stored, their entries, and what they add to the indexes."""

    packed: list[bytes]
    entries: list[bytes]
    additions: Additions


class _Current:
    """An epoch in use, as far as the recorder looks."""

    def __init__(self, epoch: Epoch) -> None:
        self.current = epoch


def _made(job: _Job) -> _Made:
    """The work of one of the processes."""
    name, key, pseudonym_key, starts = job.epoch
    epoch = Epoch(id=name, key=key, pseudonym_key=pseudonym_key, starts=starts)
    entropy = EntropyPool(os.urandom)
    recorder = Recorder(
        journal=None,  # type: ignore[arg-type]  # rows are only made
        epochs=_Current(epoch),  # type: ignore[arg-type]
        retries=None,  # type: ignore[arg-type]
        clock=None,  # type: ignore[arg-type]
        entropy=entropy,
        committed=lambda: None,
        citizens=CITIZENS,
    )
    packed, rows = [], []
    for number in range(job.first, job.first + job.count):
        at, about = moment(number), person(_about(number, job.people))
        events = exchange(number, at, entropy, about=about, client=_client(number, job.share))
        for seq, event in enumerate(events, start=2 * number + 1):
            data = pack(recorder.row(event), at, 1)
            packed.append(data)
            rows.append((seq, unpack(data)))
    return _Made(packed, [row.entry for _, row in rows], gather(rows))


class _Writing:
    """Writes what the processes made."""

    def __init__(self, connection: apsw.Connection, records: int, share: int, people: int, keys: Keys) -> None:
        self._connection = connection
        self._exchanges = records // 2
        self._share = share
        self._people = people
        self._keys = keys
        self._tree = EMPTY_WITHOUT_BUNDLES

    def all(self) -> Iterator[int]:
        """Write all of it; how many exchanges there are so far."""
        context, cores = multiprocessing.get_context("spawn"), os.cpu_count() or 1
        with ProcessPoolExecutor(cores, mp_context=context) as pool:
            coming: deque[Future[_Made]] = deque()
            for job in self._jobs():
                coming.append(pool.submit(_made, job))
                if len(coming) > cores + 1:
                    yield self._written(coming.popleft().result())
            for each in coming:
                yield self._written(each.result())

    def _jobs(self) -> Iterator[_Job]:
        day = -1
        for first in range(0, self._exchanges, EXCHANGES):
            at = moment(first)
            if first * 2 // PER_DAY != day:
                day = first * 2 // PER_DAY
                epoch = self._epoch(at)
            count = min(EXCHANGES, self._exchanges - first)
            yield _Job(first, count, self._share, self._people, (epoch.id, epoch.key, epoch.pseudonym_key, at))

    def _epoch(self, at: Instant) -> Epoch:
        name = f"{vietnam_day(at)}-{os.urandom(8).hex()}"
        epoch = Epoch(id=name, key=os.urandom(KEY_BYTES), pseudonym_key=os.urandom(KEY_BYTES), starts=at)
        self._connection.execute(SQL["epoch_put"], (name, at, seal_epoch(epoch, self._keys.recipients)))
        return epoch

    def _written(self, made: _Made) -> int:
        connection = self._connection
        self._tree, writes = append(self._tree, made.entries)
        with connection:
            connection.execute(SQL["rows_append"], (apsw.carray(tuple(made.packed)),))
            write(connection, made.additions)
            tiles = [
                (each.tile.level << 48 | each.tile.index, each.data) for each in writes if each.tile.level != ENTRIES
            ]
            connection.executemany(SQL["tile_put"], tiles)
        return self._tree.size // 2

    def finish(self) -> None:
        """Sign the tree."""
        tree = self._tree
        key = self._keys.key
        note = sign_checkpoint(Checkpoint(key.name, tree.size, tree.root), key, self._keys.log.sign)
        frontier = msgspec.msgpack.encode(Frontier(tree.size, tree.peaks))
        self._connection.execute(SQL["tree_move"], (tree.size, frontier, note, 0, 0))


def main() -> None:
    """Build one."""
    options = argparse.ArgumentParser(prog="python -m bench.bulk", description=__doc__)
    options.add_argument("folder", type=Path)
    options.add_argument("--records", type=int, default=10_000_000)
    options.add_argument("--share", type=int, default=9, help="of ten exchanges, how many the first client makes")
    given = options.parse_args()
    found = built(given.folder, given.records, share=given.share)
    size = found.database.stat().st_size
    print(
        f"{found.records:,} records, {size / 1e9:.1f} GB, {size / found.records:,.0f} bytes each, {found.seconds:.0f} s"
    )


if __name__ == "__main__":
    main()
