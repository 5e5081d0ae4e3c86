"""Ten million records: searching, proving, appending, exporting, checking, and whose data went to a client.

Run: ``python -m bench.bench_large [--records N] [--log DIR]``. The log is built first (bench.bulk; ten million records
take 30 GB and some ten minutes) and removed at the end, unless a folder for it is named by ``--log`` or the environment
variable MOTLAN_BENCH_LOG: then it is kept there, and used again the next time.
"""

import argparse
import asyncio
import os
import random
import resource
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import psutil
import uvloop
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from bench.audit_world import Clock, World, world
from bench.bulk import CITIZENS, Built, built
from bench.log_events import CLIENTS, SERVICES, START, exchange, officer
from gateway.exchange.audit import Audit
from gateway.exchange.audit_affected import AffectedPersons, Disclosed
from gateway.exchange.audit_question import Question
from gateway.exchange.exporting import Exporting, Wanted
from gateway.exchange.ids import EntropyPool
from gateway.exchange.receipts import Receipts
from gateway.ledger.checkpoint import open_checkpoint
from gateway.ledger.export import Trailer, csv_row, csv_trailer, json_line, json_trailer
from gateway.ledger.verify import LogWalk, run, verify_records
from gateway.model.instant import MICROSECONDS, Instant
from gateway.model.storage import Commit
from gateway.wiring.affected import in_processes
from gateway.wiring.tools import StoredLog

TEN_MILLION = 10_000_000
LOG = "MOTLAN_BENCH_LOG"
_ASKED = 40
_EXPORTED = 500_000
_CHECKED = 200_000
_TURNS, _CHUNK, _CALLERS = 9, 5_000, 64
_DAY = 86_400 * MICROSECONDS


class Spent(Struct):
    """Seconds: by the clock, of the processor in this process, and in those that it began."""

    wall: float
    cpu: float
    children: float

    def rate(self, count: int) -> str:
        """Of so many in this time."""
        used = self.cpu + self.children
        return f"{count / self.wall:,.0f}/s; {count / used:,.0f} per second of processor time"


@asynccontextmanager
async def spent() -> AsyncIterator[Spent]:
    """What is done within."""
    took = Spent(time.perf_counter(), time.process_time(), _children())
    yield took
    took.wall = time.perf_counter() - took.wall
    took.cpu = time.process_time() - took.cpu
    took.children = _children() - took.children


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Large:
    """The log, its reader, and the table of what was measured."""

    def __init__(self, log: Built, made: World, table: Table, random_: random.Random) -> None:
        self.log = log
        self.made = made
        self.table = table
        self.random = random_
        self.exchanges = log.records // 2

    def any(self) -> int:
        """One of the exchanges."""
        return self.random.randrange(self.exchanges)

    def row(self, *cells: str) -> None:
        """What was measured, the figure, what was wanted."""
        self.table.add_row(*cells)

    async def searches(self) -> None:
        """Each of its own persons, messages …: the first pages of the index come from the disk."""
        audit, admitted = Audit(self.made.desk), await self.made.desk.admit(self.made.reader)
        wanted = {"by person": "≤ 50 ms", "by message id": "≤ 50 ms"}
        for name, question in self._questions().items():
            took, cpu = [], time.process_time()
            for _ in range(_ASKED):
                start = time.perf_counter()
                await audit.matching(question(), admitted)
                took.append((time.perf_counter() - start) * 1e3)
            cpu = (time.process_time() - cpu) / _ASKED * 1e3
            figure = f"{statistics.median(took):.1f} ms, at worst {max(took):.0f}; {cpu:.1f} of processor"
            self.row(f"search {name}", figure, wanted.get(name, ""))

    def _questions(self) -> dict[str, Callable[[], Question]]:
        def person() -> str:
            return self.log.about(self.any())

        def of_officer(**more: Any) -> Question:
            number = self.any()
            return Question(officer=officer(number, self.log.client(number)), **more)

        def client() -> str:
            return str(self.random.choice(CLIENTS))

        def day() -> dict[str, Any]:
            since = self.log.at(self.any())
            return {"since": since, "until": Instant(since + _DAY)}

        def before() -> int:
            return self.random.randrange(1000, self.log.records)

        service = str(SERVICES[3])
        found = person()
        return {
            "by person": lambda: Question(person=person()),
            "by person, the same one again": lambda: Question(person=found),
            "by message id": lambda: Question(message=f"m-{self.any()}"),
            "by officer (newest 100)": of_officer,
            "by officer, in a day": lambda: of_officer(**day()),
            "by person, in a day": lambda: Question(person=person(), **day()),
            "by client (newest 100)": lambda: Question(client=client()),
            "by client and outcome, in a day": lambda: Question(client=client(), outcome="FOUND", **day()),
            "by client, a page from anywhere": lambda: Question(client=client(), before_seq=before()),
            "by service and kind, a page from anywhere": lambda: Question(
                service=service, kind="answer", before_seq=before()
            ),
            "of all, a page from anywhere": lambda: Question(before_seq=before()),
        }

    async def proofs(self) -> None:
        """Receipts of records all over the tree."""
        receipts, took = Receipts(self.made.store.log), []
        for _ in range(200):
            (stored,) = await self.made.store.log.by_index(self.random.randrange(self.log.records), 1)
            start = time.perf_counter()
            await receipts.of_stored(stored)
            took.append((time.perf_counter() - start) * 1e3)
        figure = f"{statistics.median(took):.1f} ms, at worst {max(took):.1f}"
        self.row("inclusion proof (a receipt without its private part)", figure, "≤ 5 ms")

    async def exports(self, folder: Path) -> None:
        """Rows of the middle of the log, private fields opened."""
        exporting, process = Exporting(self.made.desk, self.made.sequenced), psutil.Process()
        for kind, line, trailer in (("jsonl", json_line, json_trailer), ("csv", csv_row, csv_trailer)):
            most = min(_EXPORTED, self.log.records // 2)
            question = Question(before_seq=self.random.randrange(most, self.log.records), limit=most)
            held, rows = [], 0
            async with spent() as took:
                prepared = await exporting.prepare(Wanted(question=question), self.made.reader)
                with (folder / "export").open("wb", buffering=1 << 20) as out:
                    async for row in exporting.rows(prepared):
                        written: Any = trailer(row) if isinstance(row, Trailer) else line(row)
                        out.write(written.encode() if isinstance(written, str) else written)
                        rows += 1
                        if rows % (most // 10) == 0:
                            held.append(process.memory_info().rss / 1e6)
            self.row(f"export of {most:,} rows as {kind}, counted first", took.rate(most), "≥ 20,000 rows/s")
            self.row("  memory at each tenth of it", " ".join(f"{each:.0f}" for each in held) + " MB", "flat")
        (folder / "export").unlink()

    async def tree(self) -> None:
        """The whole tree, as ``motlan log verify`` derives it."""
        stored = StoredLog(self.made.store, asyncio.get_running_loop(), {})
        note = await self.made.store.log.checkpoint()
        assert note is not None
        walk = LogWalk(open_checkpoint(note, self.made.key).checkpoint)
        async with spent() as took:
            await asyncio.to_thread(run, walk.steps(), stored.fetch)
        assert not walk.faults.names
        self.row("tree re-derived out of the database", took.rate(walk.done), "≥ 300,000/s")

    async def records(self) -> None:
        """Records and their openings against what they commit to."""
        epochs = (await self.made.desk.admit(self.made.reader)).epochs
        stored = StoredLog(self.made.store, asyncio.get_running_loop(), epochs)
        count = min(_CHECKED, self.log.records // 2)
        start = self.random.randrange(0, self.log.records - count)
        coming = islice(stored.records(start), count)
        async with spent() as took:
            await asyncio.to_thread(verify_records, coming, stored.fetch, self.log.records)
        assert not stored.damaged
        self.row("records read, opened, checked; rows' checksums, indexes", took.rate(count), "")

    async def affected(self) -> None:
        """All that went to the client that has the most."""
        affected = in_processes(self.log.database)
        answers = persons = size = 0
        use = AffectedPersons(self.made.desk, self.made.clock, affected)
        end = Instant(self.made.clock.at)
        async with spent() as took:
            async for each in use.of(str(CLIENTS[0]), START, end, self.made.reader):
                if isinstance(each, Disclosed):
                    answers, persons = each.answers, each.persons
                else:
                    size += len(each)
        largest = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        used = took.cpu + took.children
        self.row(
            f"affected: {answers:,} answers, {persons:,} persons",
            f"{took.wall:.0f} s ({used:.0f} s of processor); {size / 1e6:,.0f} MB sealed; {largest / 1e3:.0f} MB held",
            "≤ 60 s",
        )

    async def appending(self, folder: Path) -> None:
        """Beside an empty log, in turns."""
        with tempfile.TemporaryDirectory(dir=folder) as beside:
            small = world(Path(beside) / "small.sqlite", self.log.keys, Clock(self.made.clock.at), citizens=CITIZENS)
            await small.epochs.renew()
            turns = [(await _appended(small, turn), await _appended(self.made, turn)) for turn in range(_TURNS)]
            await small.store.close()
        for place, name in enumerate(("commit", "tree and indexes")):
            few, many = (statistics.median(turn[which][place] for turn in turns) * 1e6 for which in (0, 1))
            ratio = statistics.median(turn[1][place] / turn[0][place] for turn in turns)
            figure = f"{many:.1f} µs of processor a record, {few:.1f} in an empty log: {ratio:.2f} ×"
            self.row(f"append, {_CALLERS} callers: {name}", figure, "≤ 1.2 ×")
        walls = [statistics.median(turn[which][2] for turn in turns) for which in (0, 1)]
        self.row("  records committed", f"{walls[1]:,.0f}/s, {walls[0]:,.0f}/s in an empty log", "")


async def _appended(made: World, turn: int) -> tuple[float, float, float]:
    """Processor seconds for a record: its commit, then tree and indexes; and records a second."""
    entropy, first = EntropyPool(os.urandom), 10**9 + turn * _CHUNK
    commits = [
        Commit(row=made.recorder.row(event))
        for number in range(first, first + _CHUNK)
        for event in exchange(
            number, made.clock.at, entropy, about=f"0{number % 10**11:011d}", client=CLIENTS[number % 63]
        )
    ]
    waiting = iter(commits)

    async def caller() -> None:
        for commit in waiting:
            await made.store.journal.commit(commit, made.clock.at)

    async with spent() as took:
        await asyncio.gather(*[caller() for _ in range(_CALLERS)])
    cpu = time.process_time()
    await made.sequenced()
    return took.cpu / len(commits), (time.process_time() - cpu) / len(commits), len(commits) / took.wall


async def measure(log: Built, folder: Path, only: list[str]) -> None:
    """All parts, or those that are named."""
    console = Console(width=150)
    size = log.database.stat().st_size
    each = f"{size / log.records:,.0f} bytes each in the database"
    table = Table(title=f"{log.records:,} records, {each}, built in {log.seconds:.0f} s")
    for heading in ("", "measured", "wanted"):
        table.add_column(heading)
    made = world(log.database, log.keys, Clock(Instant(log.at(log.records // 2) + _DAY)), citizens=CITIZENS)
    await made.epochs.renew()
    large = Large(log, made, table, random.Random())
    parts: dict[str, Callable[[], Awaitable[None]]] = {
        "searches": large.searches,
        "proofs": large.proofs,
        "exports": lambda: large.exports(folder),
        "records": large.records,
        "tree": large.tree,
        "affected": large.affected,
        "appending": lambda: large.appending(folder),
    }
    try:
        for name in only or parts:
            console.print(f"— {name} (load {os.getloadavg()[0]:.1f})", style="dim")
            await parts[name]()
    finally:
        await made.store.close()
        console.print(table)


def main() -> None:
    """Build the log, or take the one that is there, and measure."""
    options = argparse.ArgumentParser(prog="python -m bench.bench_large", description=__doc__)
    options.add_argument("--records", type=int, default=TEN_MILLION)
    options.add_argument("--directory", type=Path, default=Path("var"), help="on the disk to measure")
    options.add_argument(
        "--log",
        type=Path,
        default=os.environ.get(LOG) and Path(os.environ[LOG]),
        help=f"where the log is kept; else ${LOG}",
    )
    options.add_argument("parts", nargs="*", help="searches, proofs, exports, records, tree, affected, appending")
    given = options.parse_args()
    given.directory.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=given.directory) as name:
        folder = Path(name)
        log = built(given.log or folder / "log", given.records)
        uvloop.run(measure(log, folder, given.parts))


if __name__ == "__main__":
    main()
