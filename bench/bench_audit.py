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
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from gateway.exchange.audit import Audit
from gateway.exchange.audit_affected import AffectedPersons, Disclosed
from gateway.exchange.audit_desk import Desk, Quota, Reader
from gateway.exchange.audit_question import Question
from gateway.exchange.epochs import Epochs
from gateway.exchange.events import Event
from gateway.exchange.exporting import Exporting, Wanted
from gateway.exchange.ids import EntropyPool, new_record_id
from gateway.exchange.recording import Recorder
from gateway.exchange.retrying import Retries
from gateway.exchange.sequencer import Pace, Sequencer
from gateway.ledger.epoch import Recipient
from gateway.ledger.export import Trailer, csv_header, csv_row, csv_trailer, json_line, json_trailer
from gateway.ledger.export_verify import verify_export
from gateway.ledger.note import VerifierKey
from gateway.ledger.record import Facts, InForce, RecordKind, Ruling, SignedBy
from gateway.model.ids import SubsystemId, parse_service, parse_subsystem
from gateway.model.instant import MICROSECONDS, Instant
from gateway.model.storage import Commit
from gateway.model.usage import RoleName
from gateway.storage.sqlite.store import SqliteStore
from gateway.trust.document import Role, Signers, TrustList

CLIENTS = [parse_subsystem(f"VN/GOV/H{number:02}/portal") for number in range(63)]
SERVICES = [parse_service(f"VN/GOV/G01/population/s{number}") for number in range(7)]
START = Instant(1_795_315_862_000_000)
PER_DAY = 30_000
"""Records in a simulated day: ten million make eleven months, with an epoch for each day."""
CHUNK = 5_000
IN_FORCE = InForce(policy=bytes(32), trust=bytes([1]) * 32, mapping=bytes([2]) * 32, build="motlan bench")
SIGNATURE_BASE = '"@method": POST\n"@target-uri": https://gateway.example/r1/VN/GOV/G01/population/s1\n' * 5


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> Instant:
        return self.at

    def monotonic(self) -> float:
        return time.monotonic()


class Quiet:
    """An observer of nothing."""

    def alarm(self, code: str, detail: str) -> None:
        raise RuntimeError(f"{code}: {detail}")


class World(Struct):
    """A log being filled, and its auditor."""

    store: SqliteStore
    clock: Any
    recorder: Recorder
    epochs: Epochs
    sequencer: Sequencer
    reader: Reader
    desk: Desk
    key: VerifierKey

    async def sequenced(self, _: Any = None) -> None:
        while await self.sequencer.step():
            pass


def world(directory: Path) -> World:
    clock, entropy = Clock(), EntropyPool(os.urandom)
    store = SqliteStore(directory / "audit.sqlite")
    auditor, officer = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    log_key = Ed25519PrivateKey.generate()
    epochs = Epochs(store.log, clock, entropy, (Recipient("auditor", auditor.public_key()),))
    recorder = Recorder(
        journal=store.journal,
        epochs=epochs,
        retries=Retries(store.vault, bytes(32), entropy, seconds=60),
        clock=clock,
        entropy=entropy,
        committed=lambda: None,
    )
    key = VerifierKey("bench.example/log", log_key.public_key().public_bytes_raw())
    sequencer = Sequencer(
        store.log, clock, Quiet(), key=key, sign=log_key.sign, holder="bench", pace=Pace(rows=4096)  # type: ignore[arg-type]
    )  # fmt: skip
    roles = tuple(
        Role(
            role=role,
            name=role.value,
            key=private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        )
        for role, private in ((RoleName.AUDITOR, auditor), (RoleName.DATA_PROTECTION_OFFICER, officer))
    )
    trust = TrustList(
        serial=1,
        issued=Instant(0),
        valid_until=Instant(2**60),
        signers=Signers(required=1, keys=(b"k",)),
        roles=roles,
    )
    quota = Quota(reads=10**6, persons=10**9, second=10**9)
    desk = Desk(store.log, recorder, clock=clock, entropy=entropy, in_force=IN_FORCE, trust=trust, quota=quota)
    reader = Reader(name="bench", case="B-1", reason="measure", key=auditor)
    return World(store, clock, recorder, epochs, sequencer, reader, desk, key)


def client_of(number: int) -> SubsystemId:
    """One client has a quarter of all, the others share the rest."""
    return CLIENTS[0] if number % 4 == 0 else CLIENTS[number % 63]


def person(number: int) -> str:
    return f"0{number * 7919 % 10**11:011d}"


def events(number: int, now: Instant, entropy: Any, people: int) -> list[Event]:
    """The request and answer of one exchange."""
    chosen, client, service = person(random.randrange(people)), client_of(number), SERVICES[number % 7]
    said: dict[str, Any] = {
        "client": client, "service": service, "method": "POST", "purpose": "1.001193", "in_force": IN_FORCE
    }  # fmt: skip
    private = [("person", chosen), ("officer", f"nv.{number % 5000}"), ("case", f"H-{number // 4}")]
    private += [("message_id", f"m-{number}"), ("body_sha256", "0" * 64)]
    private += [("signature_base", SIGNATURE_BASE), ("signature", "A" * 88)]
    asked = Facts(
        id=new_record_id(now, entropy),
        at=now,
        kind=RecordKind.REQUEST,
        ruling=Ruling.ALLOWED,
        reasons=("grant bench",),
        grant="bench",
        signed_by=SignedBy.CALLER,
        private=tuple(private),
        **said,
    )
    released = ("citizen.full_name", "citizen.birth_date", "citizen.residence")
    answered = Facts(
        id=new_record_id(now, entropy),
        at=now,
        kind=RecordKind.ANSWER,
        parent=asked.id,
        outcome="FOUND",
        released=released,
        signed_by=SignedBy.GATEWAY,
        private=(("person", chosen), ("body_sha256", "1" * 64), ("signature", "B" * 88)),
        **said,
    )
    officer = (str(client), f"nv.{number % 5000}")
    request = Event(
        facts=asked, persons=(chosen,), officer=officer, case=f"H-{number // 4}", message=f"m-{number}", opens=True
    )
    return [request, Event(facts=answered, persons=(chosen,), ends=asked.id)]


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
            for event in events(number, made.clock.at, entropy, people)
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


async def affected(made: World, records: int, table: Table) -> None:
    start, answers, size = time.perf_counter(), 0, 0
    everything = AffectedPersons(made.desk, made.clock)
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
    made = world(directory)
    people = max(1000, records // 8)
    try:
        await fill(made, records, people, lambda text: console.print(text, style="dim"))
        size = (directory / "audit.sqlite").stat().st_size
        table = Table(title=f"{records:,} records, {size / records:,.0f} bytes each in the database")
        for heading in ("", "median", "worst, or more"):
            table.add_column(heading)
        await searches(made, records, people, table)
        await exports(made, directory, min(records, 200_000), table)
        await affected(made, records, table)
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
