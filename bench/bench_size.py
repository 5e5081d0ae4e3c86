"""How many bytes an exchange takes on the disk: without payload, and with payloads of a size kept sealed.

Run: ``python -m bench.bench_size [--exchanges N]``. A real gateway, called over HTTP with a signed request that names a
person, an officer and a case; the pages of its database are counted by table, before and after, never vacuumed.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections import Counter
from pathlib import Path

import apsw
from rich.console import Console
from rich.table import Table

from gateway.client.call import Call
from gateway.model.ids import ServiceId, parse_service
from tests.support.exchanges import STATED, World, connect, grant, json_answer, office
from tests.support.gateways import PORTAL

PERSON = "031093271828"
SIZES = (("digest", 256, 1024), ("sealed", 256, 1024), ("sealed", 256, 16 * 1024), ("sealed", 4096, 64 * 1024))
"""What is kept of the payload; bytes of the request's body and of the answer's."""
_AT_ONCE = 16
_GROUPS = {
    "records": ("journal",),
    "search": ("pseudonym", "posting", "record_id", "ending", "minute", "epoch_span", "term", "open_request"),
    "tree": ("tile", "tree"),
    "payloads": ("vault", "vault_expiry"),
}
_WRITTEN = "of records, written"
"""What the two rows come to; the rest of their pages is room that no third row fits into."""
_PATIENCE = 30.0


def _service(kept: str) -> ServiceId:
    return parse_service(f"VN/GOV/G15/registry/{kept}")


def _services() -> str:
    about = 'asked = ["/identity_number"]\nreleased = ["/identity_number"]'
    return "".join(
        f'\n[[service]]\nid = "{_service(kept)}"\npath = "/{kept}"\npayload = "{kept}"\n{about}\n'
        for kept in ("digest", "sealed")
    )


def _body(size: int) -> dict[str, str]:
    bare = {"identity_number": PERSON, "note": ""}
    return bare | {"note": "x" * (size - len(json.dumps(bare)))}


def pages(database: Path) -> Counter[str]:
    """Bytes of the pages of each group; ``for a time``: nonces and the like, which are forgotten within a day."""
    connection = apsw.Connection(str(database), flags=apsw.SQLITE_OPEN_READONLY)
    found: Counter[str] = Counter()
    statement = "SELECT name, sum(pgsize), sum(payload) FROM dbstat GROUP BY name"
    for name, size, content in connection.execute(statement):
        group = next((group for group, tables in _GROUPS.items() if name in tables), "for a time")
        found[group] += size
        found[_WRITTEN] += content if name == "journal" else 0
    connection.close()
    return found


def _sequenced(database: Path) -> bool:
    connection = apsw.Connection(str(database), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        return bool(connection.execute("SELECT (SELECT max(seq) FROM journal) = (SELECT size FROM tree)").get)
    finally:
        connection.close()


async def _calls(world: World, service: ServiceId, size: int, count: int) -> None:
    room = asyncio.Semaphore(_AT_ONCE)
    async with connect(world.site, PORTAL) as client:

        async def one(number: int) -> None:
            async with room:
                asked = Call(
                    service=service, purpose=STATED, body=_body(size), officer="nv.an", case=f"H-{number // 4}"
                )
                answer = await client.send(asked)
                assert answer.status == 200, answer

        await asyncio.gather(*(one(number) for number in range(count)))


def per_exchange(world: World, kept: str, sizes: tuple[int, int], count: int) -> Counter[str]:
    """Bytes for one exchange, by group."""
    database = world.site.folder / "motlan.sqlite"
    world.provider.reply = json_answer(_body(sizes[1]))
    world.run(_calls(world, _service(kept), sizes[0], 50))
    _settled(database)
    before = pages(database)
    world.run(_calls(world, _service(kept), sizes[0], count))
    _settled(database)
    after = pages(database)
    return Counter({group: round((after[group] - before[group]) / count) for group in after})


def _settled(database: Path) -> None:
    end = time.monotonic() + _PATIENCE
    while not _sequenced(database):
        if time.monotonic() > end:
            raise RuntimeError("the records do not come into the tree")
        time.sleep(0.1)


def main() -> None:
    """Measure."""
    options = argparse.ArgumentParser(prog="python -m bench.bench_size", description=__doc__)
    options.add_argument("--exchanges", type=int, default=400)
    given = options.parse_args()
    groups = (*_GROUPS, "for a time", _WRITTEN)
    table = Table(title="Bytes on the disk for an exchange (two records)")
    for heading in ("kept", "request + answer", "for good", *groups):
        table.add_column(heading, justify="left" if heading == "kept" else "right")
    grants = "".join(grant(f"portal-{kept}", PORTAL, _service(kept)) for kept in ("digest", "sealed"))
    with tempfile.TemporaryDirectory() as name, office(Path(name), services=_services(), grants=grants) as world:
        for kept, asked, answered in SIZES:
            found = per_exchange(world, kept, (asked, answered), given.exchanges)
            lasting = sum(found[group] for group in _GROUPS)
            table.add_row(kept, f"{asked:,} + {answered:,}", f"{lasting:,}", *(f"{found[group]:,}" for group in groups))
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
