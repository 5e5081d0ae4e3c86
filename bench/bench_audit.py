"""What auditors wait for: searches by person and message, exports, and whose data went to a client.

Run: ``python -m bench.bench_audit [--records N] [--directory DIR]``. The log is filled with records as exchanges make
them (sealed openings, a new epoch every simulated day), half requests and half answers, by 63 clients.
"""

import argparse
import asyncio
import os
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import psutil
import uvloop
from rich.console import Console
from rich.table import Table

from bench.audit_world import Clock, World, fresh_keys, world
from bench.log_events import CLIENTS, PER_DAY, START, exchange, person
from gateway.exchange.audit import Audit
from gateway.exchange.audit_affected import AffectedPersons, Disclosed
from gateway.exchange.audit_question import Question
from gateway.exchange.exporting import Exporting, Wanted
from gateway.exchange.ids import EntropyPool
from gateway.ledger.export import Trailer, csv_header, csv_row, csv_trailer, json_line, json_trailer
from gateway.ledger.export_verify import verify_export
from gateway.ledger.note import VerifierKey
from gateway.model.ids import SubsystemId
from gateway.model.instant import MICROSECONDS, Instant
from gateway.model.storage import Commit
from gateway.wiring.affected import in_processes

CHUNK = 5_000


def client_of(number: int) -> SubsystemId:
    """One client has a quarter of all, the others share the rest."""
    return CLIENTS[0] if number % 4 == 0 else CLIENTS[number % 63]


async def fill(made: World, records: int, people: int, say: Callable[[str], None]) -> None:
    entropy = EntropyPool(os.urandom)
    started, day = time.perf_counter(), -1
    for first in range(0, records // 2, CHUNK):
        made.clock.at = Instant(START + first * 2 * 86_400 * MICROSECONDS // PER_DAY)
        if first * 2 // PER_DAY != day:
            day = first * 2 // PER_DAY
            await made.epochs.renew()
        commits = [
            Commit(row=made.recorder.row(event))
            for number in range(first, min(first + CHUNK, records // 2))
            for event in exchange(
                number, made.clock.at, entropy, about=person(random.randrange(people)), client=client_of(number)
            )
        ]
        await asyncio.gather(*(made.store.journal.commit(commit, made.clock.at) for commit in commits))
        await made.sequenced()
        done = first + CHUNK
        if done % 50_000 == 0:
            say(f"{done * 2:,} records, {done * 2 / (time.perf_counter() - started):,.0f}/s")


async def median(times: int, work: Callable[[int], Awaitable[Any]]) -> tuple[float, float]:
    """Median and worst, in milliseconds."""
    took = []
    for number in range(times):
        start = time.perf_counter()
        await work(number)
        took.append((time.perf_counter() - start) * 1e3)
    return statistics.median(took), max(took)


async def searches(made: World, records: int, people: int, table: Table) -> None:
    audit = Audit(made.desk)
    start = time.perf_counter()
    admitted = await made.desk.admit(made.reader)
    opened = time.perf_counter() - start
    table.add_row(f"opening {len(admitted.epochs)} epochs (once for each command)", f"{opened * 1e3:.0f} ms", "")
    chosen = [random.randrange(people) for _ in range(100)]
    asked: dict[str, Callable[[int], Question]] = {
        "by person": lambda number: Question(person=person(chosen[number])),
        "by message id": lambda number: Question(message=f"m-{chosen[number] * records // 2 // people}"),
        "by officer (newest 100)": lambda number: Question(officer=(str(client_of(number)), f"nv.{number}")),
        "by case": lambda number: Question(case=f"H-{chosen[number] * records // 8 // people}"),
        "by client and outcome (newest 100)": lambda number: Question(client=str(CLIENTS[number]), outcome="FOUND"),
        "by an hour (newest 100)": lambda number: Question(
            since=Instant(START + number * 3600 * MICROSECONDS),
            until=Instant(START + (number + 1) * 3600 * MICROSECONDS),
        ),
    }
    for name, question in asked.items():
        usual, worst = await median(50, lambda number, make=question: audit.matching(make(number), admitted))
        table.add_row(f"search {name}", f"{usual:.1f} ms", f"{worst:.1f} ms")
    usual, worst = await median(20, lambda number: audit.search(Question(person=person(chosen[number])), made.reader))
    table.add_row("the same, by person, with its own record", f"{usual:.1f} ms", f"{worst:.1f} ms")


async def exports(made: World, directory: Path, most: int, table: Table) -> None:
    exporting = Exporting(made.desk, made.sequenced)
    process = psutil.Process()
    for kind in ("jsonl", "csv"):
        start = time.perf_counter()
        prepared = await exporting.prepare(Wanted(question=Question(limit=most)), made.reader)
        counted = time.perf_counter() - start
        before, largest = process.memory_info().rss, 0
        file, rows = directory / f"export.{kind}", 0
        start = time.perf_counter()
        with file.open("wb") as out:
            out.write(csv_header("vi").encode() if kind == "csv" else b"")
            async for row in exporting.rows(prepared):
                if isinstance(row, Trailer):
                    out.write(csv_trailer(row).encode() if kind == "csv" else json_trailer(row))
                else:
                    out.write(csv_row(row).encode() if kind == "csv" else json_line(row))
                rows += 1
                if rows % 10_000 == 0:
                    largest = max(largest, process.memory_info().rss)
        took = time.perf_counter() - start
        grown = (largest - before) / 1e6
        table.add_row(
            f"export {rows - 1:,} rows as {kind}",
            f"{rows / (took + counted):,.0f} rows/s",
            f"counting {rows / counted:,.0f}/s, writing {rows / took:,.0f}/s, memory +{grown:.0f} MB",
        )
        key = VerifierKey(made.key.name, made.key.public)
        start = time.perf_counter()
        with file.open(encoding="utf-8", newline="") as lines:
            verified = await asyncio.to_thread(verify_export, lines, (key,))
        table.add_row(f"verify it ({kind})", f"{verified.rows / (time.perf_counter() - start):,.0f} rows/s", "")
        file.unlink()


async def affected(made: World, database: Path, records: int, table: Table) -> None:
    start, answers, size = time.perf_counter(), 0, 0
    everything = AffectedPersons(made.desk, made.clock, in_processes(database))
    end = Instant(made.clock.at + 86_400 * MICROSECONDS)
    async for each in everything.of(str(CLIENTS[0]), START, end, made.reader):
        if isinstance(each, Disclosed):
            answers = each.answers
        else:
            size += len(each)
    took = time.perf_counter() - start
    share = answers / records
    table.add_row(
        f"affected: a client with {share:.1%} of the records, all the time",
        f"{answers / took:,.0f} answers/s",
        f"{took:.1f} s, {size / 1e6:.0f} MB sealed; at 10,000,000 records {1e7 * share / (answers / took):.0f} s"
        f" for such a client, 60 s reach {60 * answers / took:,.0f} answers",
    )


async def measure(records: int, directory: Path) -> None:
    console = Console(width=140)
    made = world(directory / "audit.sqlite", fresh_keys(), Clock())
    people = max(1000, records // 8)
    try:
        await fill(made, records, people, lambda text: console.print(text, style="dim"))
        size = (directory / "audit.sqlite").stat().st_size
        table = Table(title=f"{records:,} records, {size / records:,.0f} bytes each in the database")
        for heading in ("", "median", "worst, or more"):
            table.add_column(heading)
        await searches(made, records, people, table)
        await exports(made, directory, min(records, 200_000), table)
        await affected(made, directory / "audit.sqlite", records, table)
        console.print(table)
    finally:
        await made.store.close()


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m bench.bench_audit", description=__doc__)
    options.add_argument("--records", type=int, default=100_000)
    options.add_argument("--directory", type=Path, help="where the log is made; a temporary folder, if none is given")
    given = options.parse_args()
    with tempfile.TemporaryDirectory(dir=given.directory) as folder:
        uvloop.run(measure(given.records, Path(folder)))


if __name__ == "__main__":
    main()
