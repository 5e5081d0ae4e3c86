"""Receipts: making one, on a tree of ten million; fetching them from a gateway; and what an exchange pays for them.

Run: ``python -m bench.bench_receipts``. The tree of ten million is consistent and costs nothing to make, since all its
entries are the same: every perfect node of a level then has one hash. Its tiles lie in a real database.
"""

import asyncio
import json
import secrets
import statistics
import tempfile
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import apsw
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from bench.exchange import python
from bench.gateways import rest_gateway
from bench.processes import cpu_seconds, free_port, running
from gateway.client.call import Call
from gateway.client.session import Client
from gateway.client.session import open as open_client
from gateway.exchange.receipts import Receipts
from gateway.ledger import merkle
from gateway.ledger.checkpoint import Checkpoint, sign_checkpoint
from gateway.ledger.merkle import leaf_hash, node_hash
from gateway.ledger.note import VerifierKey
from gateway.ledger.receipt import verify_receipt
from gateway.ledger.receipt_tiles import tiles_for
from gateway.ledger.record import Facts, InForce, RecordKind, build, random_needed
from gateway.ledger.tiles import tile_width
from gateway.model.envelope import Purpose
from gateway.model.ids import RecordId, parse_service, parse_subsystem
from gateway.model.instant import Instant
from gateway.model.storage import Row, StoredRecord
from gateway.storage.sqlite.store import SqliteStore
from tests.support.gateways import BASIS, ECHO, PORTAL, PURPOSE, Site

SIZE = 10_000_000
SAMPLES = 400
CALLS, AT_ONCE, TURNS = 300, 16, 3


class Uniform:
    """A log of ``size`` equal entries. The database has the tiles of its sampled proofs, the rest is this class."""

    def __init__(self, store: SqliteStore, size: int) -> None:
        private = Ed25519PrivateKey.generate()
        self.key = VerifierKey("bench.example/log", private.public_key().public_bytes_raw())
        facts = Facts(
            id=RecordId("01932d3e-8f1c-7abc-8def-000000000001"),
            at=Instant(time.time_ns() // 1000),
            kind=RecordKind.REQUEST,
            in_force=InForce(policy=bytes(32), trust=bytes(32), build="motlan bench"),
            client=parse_subsystem("VN/GOV/H24/portal"),
            service=parse_service("VN/GOV/G01/population/citizen"),
            private=(("body_sha256", "00" * 32), ("signature_base", "x" * 900), ("signature", "y" * 90)),
        )
        self.record = build(facts, secrets.token_bytes(random_needed(3)))
        self._levels = [leaf_hash(self.record.entry)]
        while len(self._levels) < size.bit_length() + 1:
            self._levels.append(node_hash(self._levels[-1], self._levels[-1]))
        root = merkle.tree_root(size, lambda level, _: self._levels[level])
        self._note = sign_checkpoint(Checkpoint(self.key.name, size, root), self.key, private.sign)
        self._size = size
        self._log = store.log
        self.attestations = store.log.attestations
        self.tile = store.log.tile

    def fill(self, file: Path, indexes: list[int]) -> None:
        """Write the tiles that the proofs of these take."""
        database = apsw.Connection(str(file))
        wanted = {(tile.level, tile.index) for index in indexes for tile in tiles_for(index, self._size)}
        rows = [
            (level << 48 | number, self._levels[8 * level] * self._width(level, number)) for level, number in wanted
        ]
        with database:
            database.executemany("INSERT OR REPLACE INTO tile VALUES (?, ?)", rows)
        database.close()

    def _width(self, level: int, number: int) -> int:
        return tile_width(level, number, self._size)

    async def checkpoint(self) -> bytes:
        """The only one there is."""
        return self._note

    def stored(self, index: int) -> StoredRecord:
        """The record at an index."""
        made = self.record
        row = Row(id=made.id, entry=made.entry, skeleton=made.skeleton, openings=b"", epoch="bench")
        return StoredRecord(row=row, seq=index + 1, index=index)


class Proofs(Struct, frozen=True):
    """Seconds for one receipt, and for its verification. size: bytes of the file."""

    median: float
    worst: float
    verified: float
    size: int


async def proofs(folder: Path, size: int = SIZE, samples: int = SAMPLES) -> Proofs:
    """Make and verify receipts of records all over a tree."""
    file = folder / "proofs.sqlite"
    store = SqliteStore(file)
    log = Uniform(store, size)
    indexes = [secrets.randbelow(size) for _ in range(samples)]
    log.fill(file, indexes)
    receipts: Receipts = Receipts(log)  # type: ignore[arg-type]  # what of a store receipts use
    taken, checked, data = [], [], b""
    try:
        for index in indexes:
            began = time.perf_counter()
            data = await receipts.of_stored(log.stored(index))
            taken.append(time.perf_counter() - began)
            began = time.perf_counter()
            verify_receipt(data, log.key)
            checked.append(time.perf_counter() - began)
    finally:
        await store.close()
    return Proofs(statistics.median(taken), sorted(taken)[int(samples * 0.99)], statistics.median(checked), len(data))


class Fetched(Struct, frozen=True):
    """Processor seconds of the gateway for an exchange, and for the receipt of one. rate: receipts in a second.
    soonest: seconds from an answer to its verified receipts, at the median.
    """

    exchange: float
    receipt: float
    rate: float
    soonest: float


async def fetched(site: Site, cpu: Callable[[], float]) -> Fetched:
    """Calls, then their receipts, turn by turn, ``AT_ONCE`` of them at once."""
    identity = site.pki.identities[PORTAL]
    options: dict[str, Any] = {
        "subsystem": str(PORTAL),
        "key": identity.key,
        "certificate": identity.certificate,
        "gateway_certificates": [site.pki.gateway.certificate],
        "logs": [site.pki.log_vkey],
    }
    exchanges, receipts, rates, waits = [], [], [], []
    async with open_client(site.url, **options) as client:
        call = Call(service=ECHO, path="/cards", purpose=Purpose(PURPOSE, BASIS), body={"a": 1})
        await _all([client.send(call) for _ in range(AT_ONCE)])
        for _ in range(TURNS):
            began = cpu()
            answers = await _all([client.send(call) for _ in range(CALLS)])
            exchanges.append((cpu() - began) / CALLS)
            await client.receipt(answers[-1])
            ids = [str(answer.receipt) for answer in answers]
            started, began = time.perf_counter(), cpu()
            await _all([client.fetch_receipt(record_id) for record_id in ids])
            rates.append(CALLS / (time.perf_counter() - started))
            receipts.append((cpu() - began) / CALLS)
            waits += [await _waited(client, call) for _ in range(10)]
    return Fetched(*map(statistics.median, (exchanges, receipts, rates, waits)))


async def _waited(client: Client, call: Call) -> float:
    answer = await client.send(call)
    began = time.perf_counter()
    await client.receipt(answer)
    return time.perf_counter() - began


async def _all(work: list[Coroutine[Any, Any, Any]]) -> list[Any]:
    """Results in order, so many at once."""
    room = asyncio.Semaphore(AT_ONCE)

    async def one(each: Coroutine[Any, Any, Any]) -> Any:
        async with room:
            return await each

    return list(await asyncio.gather(*map(one, work)))


def from_gateway(folder: Path) -> Fetched:
    """A gateway of one process, with a provider behind it."""
    port, body = free_port(), folder / "answer.json"
    body.write_bytes(json.dumps({"ok": True}).encode())
    backend = python("bench.backend", "--port", port, "--body", body, "--content-type", "application/json")
    server, site = rest_gateway(folder / "gateway", port, body=b"{}")
    with running(backend, port), running(server.argv, server.port) as process:
        return asyncio.run(fetched(site, lambda: cpu_seconds(process)))


def main() -> None:
    """All of it, as a table."""
    with tempfile.TemporaryDirectory() as name:
        made = asyncio.run(proofs(Path(name)))
        got = from_gateway(Path(name))
    table = Table(title="Receipts", title_justify="left")
    for heading in ("what", "measured", "wanted"):
        table.add_column(heading)
    rows = (
        (f"a receipt in a tree of {SIZE:,}, made", f"{made.median * 1e3:.2f} ms, p99 {made.worst * 1e3:.2f}", "≤ 5 ms"),
        ("… verified by its holder", f"{made.verified * 1e3:.2f} ms; {made.size:,} bytes", ""),
        (
            "an exchange, CPU of the gateway",
            f"{got.exchange * 1e6:,.0f} µs; of it for receipts 0",
            "≤ 10 % for receipts",
        ),
        ("fetching a receipt, CPU of the gateway", f"{got.receipt * 1e6:,.0f} µs", ""),
        (f"receipts fetched by one client, {AT_ONCE} at once", f"{got.rate:,.0f}/s", ""),
        ("from an answer to both its receipts, verified", f"{got.soonest * 1e3:.0f} ms", "≤ 1 s"),
    )
    for row in rows:
        table.add_row(*row)
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
