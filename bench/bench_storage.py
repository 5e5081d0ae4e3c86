"""Durable records: how many a second, at what price, and whether the price grows with the log.

Run: ``python -m bench.bench_storage [--large] [--directory DIR]``. A commit is a skeleton of 700 bytes, openings of 500
and one nonce, as a request's is. Rates depend on the disk and the neighbours; processor time per commit much less.
"""

import argparse
import asyncio
import gc
import json
import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rich.console import Console
from rich.table import Table

from gateway.exchange.sequencer import Pace, Sequencer
from gateway.ledger.note import VerifierKey
from gateway.ledger.skeleton import entry_of
from gateway.model.ids import RecordId
from gateway.model.instant import MICROSECONDS, Instant
from gateway.model.storage import Commit, Nonce, Row
from gateway.storage.sqlite.store import SqliteStore

START = Instant(1_795_315_862_000_000)
PACE = 2_000
"""Commits in a second of the simulated clock: what nonces expire and are purged by."""
CHUNK = 10_000
_OPENINGS = os.urandom(500)
_PERSON = "000000000000000000000000000000000"


def skeleton(number: int, kind: str) -> bytes:
    said = {"client": f"VN/GOV/H{number % 63:02}/portal", "kind": kind, "outcome": "FOUND", "purpose": "1.001193"}
    said |= {"service": f"VN/GOV/G01/population/s{number % 7}"}
    start = json.dumps(said, separators=(",", ":"))
    return (start[:-1] + ',"x":"' + "s" * (700 - len(start) - 7) + '"}').encode()


def moment(number: int) -> Instant:
    return Instant(START + number * MICROSECONDS // PACE)


def request(number: int) -> Commit:
    body = skeleton(number, "request")
    row = Row(
        id=record_id(number),
        entry=entry_of(body),
        skeleton=body,
        openings=_OPENINGS,
        epoch="20779-0011223344556677",
        pseudonyms=(
            ("person", os.urandom(16)),
            ("officer", (number % 5000).to_bytes(16, "big")),
            ("case", os.urandom(16)),
        ),
        opens=True,
    )
    key = f"WqJ3Zk0sXvT1cN8pYbR5uEoHgLfAiDmQy7tKx2wS4Vz:{number:022d}"
    return Commit(row=row, nonces=(Nonce(key=key, expires=Instant(moment(number) + 360 * MICROSECONDS)),))


def answer(number: int) -> Commit:
    body = skeleton(number, "answer")
    row = Row(
        id=record_id(number),
        entry=entry_of(body),
        skeleton=body,
        openings=_OPENINGS,
        epoch="20779-0011223344556677",
        pseudonyms=(("person", os.urandom(16)),),
        ends=record_id(number - 1),
    )
    return Commit(row=row)


def record_id(number: int) -> RecordId:
    millisecond = f"{moment(number) // 1000:012x}"
    return RecordId(f"{millisecond[:8]}-{millisecond[8:]}-7abc-8def-{number:012x}")


@dataclass(frozen=True, kw_only=True)
class Run:
    """One measurement. times in seconds; cpu: of the whole process, loop: of the event loop's thread."""

    commits: int
    wall: float
    cpu: float
    loop: float
    fsyncs: int
    latencies: list[float]

    @property
    def rate(self) -> float:
        return self.commits / self.wall

    def percentile(self, share: float) -> float:
        return self.latencies[min(int(len(self.latencies) * share), len(self.latencies) - 1)]

    def cells(self) -> list[str]:
        return [
            f"{self.rate:,.0f}",
            f"{self.fsyncs / self.wall:,.0f}",
            f"{self.commits / self.fsyncs:.1f}",
            f"{self.percentile(0.5) * 1e3:.2f}",
            f"{self.percentile(0.99) * 1e3:.2f}",
            f"{self.latencies[-1] * 1e3:.1f}",
            f"{self.cpu / self.commits * 1e6:.1f}",
            f"{self.loop / self.commits * 1e6:.1f}",
        ]


HEADINGS = ("", "commits/s", "fsyncs/s", "batch", "p50 ms", "p99 ms", "max ms", "CPU µs", "of it loop")


async def drive(store: SqliteStore, commits: list[Commit], callers: int, *, first: int = 0) -> Run:
    """Commit them all with so many callers in flight."""
    latencies: list[float] = []
    waiting = iter(enumerate(commits, start=first))

    async def caller() -> None:
        for number, commit in waiting:
            began = time.perf_counter()
            await store.journal.commit(commit, moment(number))
            latencies.append(time.perf_counter() - began)

    fsyncs = store.tally.transactions
    wall, cpu, loop = time.perf_counter(), time.process_time(), time.thread_time()
    await asyncio.gather(*[caller() for _ in range(callers)])
    wall, cpu, loop = time.perf_counter() - wall, time.process_time() - cpu, time.thread_time() - loop
    latencies.sort()
    fsyncs = store.tally.transactions - fsyncs
    return Run(commits=len(commits), wall=wall, cpu=cpu, loop=loop, fsyncs=fsyncs, latencies=latencies)


def median(runs: list[Run]) -> Run:
    return sorted(runs, key=lambda run: run.cpu / run.commits)[len(runs) // 2]


def exchanges(count: int) -> list[Commit]:
    return [make(2 * number + offset) for number in range(count) for offset, make in ((0, request), (1, answer))]


class _Clock:
    def now(self) -> Instant:
        return START

    def monotonic(self) -> float:
        return time.monotonic()


class _Observer:
    def alarm(self, code: str, detail: str) -> None:
        print("ALARM", code, detail, flush=True)

    def exchanged(self, **_: Any) -> None: ...

    def refused(self, **_: Any) -> None: ...


def sequencer(store: SqliteStore) -> Sequencer:
    private = Ed25519PrivateKey.generate()
    key = VerifierKey("bench.example/log", private.public_key().public_bytes_raw())
    return Sequencer(store.log, _Clock(), _Observer(), key=key, sign=private.sign, holder="bench", pace=Pace())


def on_new_file(directory: Path, commits: list[Commit], callers: int) -> Run:
    with tempfile.TemporaryDirectory(dir=directory) as folder:

        async def run() -> Run:
            store = SqliteStore(Path(folder) / "motlan.db")
            try:
                return await drive(store, commits, callers)
            finally:
                await store.close()

        return uvloop.run(run())


def with_sequencer(directory: Path, commits: list[Commit], callers: int) -> tuple[Run, float]:
    """The run, and how many seconds after it the last record was in the tree. The run's CPU is all of it."""
    with tempfile.TemporaryDirectory(dir=directory) as folder:

        async def run() -> tuple[Run, float]:
            store = SqliteStore(Path(folder) / "motlan.db")
            one = sequencer(store)
            task = asyncio.create_task(one.run())
            cpu = time.process_time()
            ran = await drive(store, commits, callers)
            end = time.perf_counter()
            while one.size < len(commits):  # noqa: ASYNC110 - it tells nobody when it published
                await asyncio.sleep(0.005)
            behind = time.perf_counter() - end
            cpu = time.process_time() - cpu
            task.cancel()
            await store.close()
            return Run(**{**ran.__dict__, "cpu": cpu}), behind

        return uvloop.run(run())


def _process(path: str, first: int, count: int, barrier: Any, results: Any) -> None:
    commits = [request(first + number) for number in range(count)]
    gc.freeze()

    async def run() -> None:
        store = SqliteStore(Path(path))
        await store.journal.commit(request(first - 1), moment(first))
        barrier.wait()
        ran = await drive(store, commits, 32, first=first)
        results.put((ran, time.perf_counter()))
        barrier.wait()
        await store.close()

    uvloop.run(run())


def processes(directory: Path, count: int, commits: int) -> float:
    """Commits/s of so many processes with 32 callers each on one file."""
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(count), context.Queue()
    with tempfile.TemporaryDirectory(dir=directory) as folder:
        path = str(Path(folder) / "motlan.db")
        started = [
            context.Process(target=_process, args=(path, 1 + 10_000_000 * number, commits, barrier, results))
            for number in range(count)
        ]
        for process in started:
            process.start()
        runs = [results.get(timeout=120) for _ in started]
        for process in started:
            process.join()
    wall = max(end for _, end in runs) - min(end - run.wall for run, end in runs)
    return sum(run.commits for run, _ in runs) / wall


def table(title: str, headings: tuple[str, ...] = HEADINGS) -> Table:
    shown = Table(title=title)
    for heading in headings:
        shown.add_column(heading, justify="right" if heading else "left")
    return shown


def usual(directory: Path, console: Console) -> None:
    shown = table("Durable records (skeleton 700 bytes, openings 500, one nonce)")
    for callers, count in ((1, 2_000), (8, 12_000), (32, 60_000), (64, 100_000)):
        commits = [request(number) for number in range(count)]
        gc.collect()
        gc.freeze()
        runs = [on_new_file(directory, commits, callers) for _ in range(3)]
        gc.unfreeze()
        shown.add_row(f"{callers} callers", *median(runs).cells())
    console.print(shown)
    commits = exchanges(40_000)
    gc.collect()
    gc.freeze()
    pair = median([on_new_file(directory, commits, 64) for _ in range(3)])
    console.print(f"an exchange's two commits, 64 callers: {2e6 * pair.cpu / pair.commits:.1f} µs of CPU")
    behind, late = with_sequencer(directory, commits, 64)
    gc.unfreeze()
    more = 1e6 * (behind.cpu - pair.cpu) / pair.commits
    console.print(
        f"with the sequencer behind it: {behind.rate:,.0f} commits/s, {more:.1f} µs of CPU more for each record"
        f" (tree, checkpoint, search indexes); the last record in the tree {late:.2f} s after the last commit"
    )
    one, two = ([processes(directory, count, 40_000) for _ in range(3)] for count in (1, 2))
    console.print(
        f"one process {statistics.median(one):,.0f} commits/s; two on one file {statistics.median(two):,.0f}"
        f" ({statistics.median(two) / statistics.median(one):.2f} ×), 32 callers each"
    )


@dataclass(frozen=True, kw_only=True)
class Turn:
    """Microseconds of processor time for a record: its commit, and the sequencer's work behind it."""

    run: Run
    append: float
    sequence: float


class Growing:
    """A log that grows as it would: sequenced and purged."""

    def __init__(self, path: Path) -> None:
        self.store = SqliteStore(path)
        self.size = 0
        self._sequencer = sequencer(self.store)

    async def grow(self, size: int, say: Callable[[int], None] = lambda _: None) -> None:
        """Append without measuring."""
        while self.size < size:
            await drive(self.store, self._requests(), 512, first=self.size)
            await self._follow()
            say(self.size)

    async def turn(self) -> Turn:
        """Append CHUNK records, 64 callers in flight."""
        commits = self._requests()
        gc.collect()
        gc.freeze()
        ran = await drive(self.store, commits, 64, first=self.size)
        gc.unfreeze()
        cpu = time.process_time()
        await self._follow()
        return Turn(run=ran, append=1e6 * ran.cpu / CHUNK, sequence=1e6 * (time.process_time() - cpu) / CHUNK)

    def _requests(self) -> list[Commit]:
        return [request(self.size + number) for number in range(CHUNK)]

    async def _follow(self) -> None:
        self.size += CHUNK
        while await self._sequencer.step():
            pass
        assert self._sequencer.size == self.size
        await self.store.journal.purge(moment(self.size))


async def beside_a_small_one(big: Growing, folder: Path) -> list[tuple[Turn, Turn]]:
    """Turns of a log that begins with CHUNK records and of the big one, A B A B."""
    with tempfile.TemporaryDirectory(dir=folder) as beside:
        small = Growing(Path(beside) / "small.db")
        await small.grow(CHUNK)
        turns = [(await small.turn(), await big.turn()) for _ in range(9)]
        await small.store.close()
    return turns


def large(directory: Path, console: Console, most: int) -> None:
    shown = table(
        "Appending to a log of many records, beside a small one (10,000 to 100,000) in turns",
        ("records", *HEADINGS[1:-1], "× small", "tree µs", "× small"),
    )

    def say(size: int) -> None:
        if size % 200_000 == 0:
            console.print(f"  {size:,} records")

    async def measure(folder: Path) -> None:
        big = Growing(folder / "big.db")
        for size in (most // 5, most):
            await big.grow(size, say)
            turns = await beside_a_small_one(big, folder)
            for name, of in (("small", 0), (f"{size:,}", 1)):
                append = statistics.median(turn[of].append / turn[0].append for turn in turns)
                sequence = statistics.median(turn[of].sequence / turn[0].sequence for turn in turns)
                behind = statistics.median(turn[of].sequence for turn in turns)
                run = median([turn[of].run for turn in turns])
                shown.add_row(name, *run.cells()[:-1], f"{append:.2f}", f"{behind:.1f}", f"{sequence:.2f}")
        await big.store.close()

    with tempfile.TemporaryDirectory(dir=directory) as folder:
        uvloop.run(measure(Path(folder)))
    console.print(shown)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--large", action="store_true", help="only: millions of records")
    options.add_argument("--records", type=int, default=5_000_000)
    options.add_argument("--directory", type=Path, default=Path("var"), help="on the disk to measure")
    given = options.parse_args()
    given.directory.mkdir(exist_ok=True)
    console = Console(width=120)
    if given.large:
        large(given.directory, console, given.records)
    else:
        usual(given.directory, console)


if __name__ == "__main__":
    main()
