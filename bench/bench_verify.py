"""How fast a log is verified: the tree from its entries, records against what they commit to, a whole database, and
what the consistency watch costs.

Run: ``python -m bench.bench_verify [--records N] [--directory DIR]``. A record is a request with nine private fields.
Rates are per second of processor time of one process, which other work on the machine disturbs least.
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from gateway.exchange.watching import Progress, Watch, WatchPace
from gateway.ledger.checkpoint import open_checkpoint
from gateway.ledger.openings import SEAL_RANDOM, open_bytes, seal
from gateway.ledger.record import BuiltRecord, Facts, InForce, RecordKind, Ruling, SignedBy, build, random_needed
from gateway.ledger.verify import LogWalk, run, verify_log, verify_records
from gateway.ledger.verify_order import Order
from gateway.ledger.verify_record import StoredRecord
from gateway.model.ids import RecordId, parse_service, parse_subsystem
from gateway.model.instant import Instant
from gateway.model.storage import Commit, Row
from gateway.ports import Observer
from gateway.storage.sqlite.store import SqliteStore
from gateway.wiring.core import SystemClock
from gateway.wiring.tools import StoredLog
from tests.support.ledger import MemoryLog
from tests.support.order import EPOCH
from tests.support.storage import LOG_KEY, Alarms, sequencer

WANTED_TREE, WANTED_RECORDS = 300_000, 40_000
START = 1_795_315_862_000_000
IN_FORCE = InForce(policy=bytes(32), trust=bytes(32), mapping=bytes(32), schema=bytes(32), build="motlan 0.1.0")
BASE = '"@method": POST\n"@target-uri": https://gateway.example/r1/VN/GOV/G01/population/citizen\n' + "x" * 600


def record(number: int) -> BuiltRecord:
    """A request, and at odd numbers its answer."""
    asks = number % 2 == 0
    millisecond = f"{START // 1000 + number // 100:012x}"
    name = f"{millisecond[:8]}-{millisecond[8:]}-7abc-8def-{{:012x}}"
    facts = Facts(
        id=RecordId(name.format(number)),
        at=Instant(START + number * 10_000),
        kind=RecordKind.REQUEST if asks else RecordKind.ANSWER,
        in_force=IN_FORCE,
        parent=None if asks else RecordId(name.format(number - 1)),
        client=parse_subsystem("VN/GOV/H31/portal"),
        service=parse_service("VN/GOV/G01/population/citizen"),
        method="POST",
        purpose="1.001193",
        basis="ND-63/2024",
        ruling=Ruling.ALLOWED,
        reasons=("grant portal-birth",),
        signed_by=SignedBy.CALLER,
        private=(
            ("person", f"{number:012d}"),
            ("officer", "nv.an"),
            ("case", "000.00.01.H26-210101-0001"),
            ("message_id", f"{number:032x}"),
            ("target", "/r1/VN/GOV/G01/population/citizen"),
            ("address", "10.0.0.7"),
            ("body_sha256", f"{number:064x}"),
            ("signature_base", BASE),
            ("signature", f"{number:0128x}"),
        ),
    )
    return build(facts, os.urandom(random_needed(len(facts.private))))


def cpu(work: Callable[[], Any]) -> float:
    """Processor time of some work."""
    start = time.process_time()
    work()
    return time.process_time() - start


def tree(entries: int) -> float:
    """Entries a second, from files in memory."""
    log = MemoryLog()
    log.append([b"\x01" + os.urandom(32) for _ in range(entries)])
    return entries / cpu(lambda: verify_log(log.fetch, log.key))


def records(count: int) -> tuple[float, float]:
    """Records a second against their commitments: openings in clear, and sealed."""
    built = [record(number) for number in range(count)]
    sealed = [seal(each, EPOCH, os.urandom(SEAL_RANDOM)) for each in built]
    log = MemoryLog()
    log.append([each.entry for each in built])

    def clear() -> Iterator[StoredRecord]:
        for index, each in enumerate(built):
            yield StoredRecord(each.id, index, each.skeleton, each.openings)

    def opened() -> Iterator[StoredRecord]:
        for index, each in enumerate(built):
            yield StoredRecord(each.id, index, each.skeleton, open_bytes(sealed[index], EPOCH, each.id, each.entry))

    rates = [
        count / cpu(lambda coming=coming: verify_records(coming(), log.fetch, count, complete=True, order=Order()))  # type: ignore[misc]
        for coming in (clear, opened)
    ]
    return rates[0], rates[1]


async def filled(path: Path, count: int) -> SqliteStore:
    """A database of so many records, in the tree."""
    store = SqliteStore(path)
    rows = []
    for number in range(count):
        made = record(number)
        asks = number % 2 == 0
        row = Row(
            id=made.id,
            entry=made.entry,
            skeleton=made.skeleton,
            openings=seal(made, EPOCH, os.urandom(SEAL_RANDOM)),
            epoch=EPOCH.id,
            pseudonyms=(("person", os.urandom(16)), ("officer", b"o" * 16)),
            opens=asks,
            ends=None if asks else rows[-1].id,
        )
        rows.append(row)
    for start in range(0, count, 2000):
        await asyncio.gather(
            *(store.journal.commit(Commit(row=row), Instant(START)) for row in rows[start : start + 2000])
        )
    one = sequencer(store)
    while await one.step():
        pass
    return store


async def database(path: Path, count: int) -> tuple[float, float]:
    """Of a database: entries a second of the tree, records a second of a round of the watch."""
    store = await filled(path, count)
    stored = StoredLog(store, asyncio.get_running_loop(), {})
    note = await store.log.checkpoint()
    assert note is not None
    walk = LogWalk(open_checkpoint(note, LOG_KEY).checkpoint)
    start = time.process_time()
    await asyncio.to_thread(run, walk.steps(), stored.fetch)
    derived = count / (time.process_time() - start)
    assert not walk.faults.names
    watched = await _watched(store, count)
    await store.close()
    return derived, watched


async def _watched(store: SqliteStore, count: int) -> float:
    told: list[Progress] = []
    alarms: Observer = Alarms()
    pace = WatchPace(per_second=10**9, pause=0, busy=10)
    watch = Watch(
        store.log,
        SystemClock(),
        alarms,
        key=LOG_KEY,
        leads=lambda: True,
        tell=told.append,
        epoch=lambda _: EPOCH,
        pace=pace,
    )
    start = time.process_time()
    while not told or not told[-1].rounds:
        await watch.step()
    assert told[-1].faults == 0
    return count / (time.process_time() - start)


def verdict(rate: float, wanted: int) -> str:
    return f"≥ {wanted:,}/s: {'met' if rate >= wanted else 'missed'}"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--records", type=int, default=20_000)
    options.add_argument("--directory", type=Path, default=Path("var"), help="on the disk to measure")
    given = options.parse_args()
    given.directory.mkdir(exist_ok=True)
    shown = Table(title="Verifying a log (per second of processor time, one process)")
    for heading in ("", "rate", "wanted"):
        shown.add_column(heading, justify="right" if heading == "rate" else "left")
    derived = max(tree(300_000) for _ in range(3))
    shown.add_row("tree from entries, files in memory", f"{derived:,.0f} entries/s", verdict(derived, WANTED_TREE))
    clear, opened = (max(rates) for rates in zip(*(records(given.records) for _ in range(3)), strict=True))
    shown.add_row("records, nine private fields in clear", f"{clear:,.0f}/s", verdict(clear, WANTED_RECORDS))
    shown.add_row("the same, sealed: opened first", f"{opened:,.0f}/s", "")
    with tempfile.TemporaryDirectory(dir=given.directory) as folder:
        stored, watched = asyncio.run(database(Path(folder) / "verify.db", 3 * given.records))
    shown.add_row("tree from entries, out of a database", f"{stored:,.0f} entries/s", verdict(stored, WANTED_TREE))
    shown.add_row("the watch, a whole round (tree, records, indexes)", f"{watched:,.0f} records/s", "")
    console = Console(width=120)
    console.print(shown)
    console.print(f"at 1,000 records a second the watch takes {1e5 / watched:.1f} % of a core")


if __name__ == "__main__":
    main()
