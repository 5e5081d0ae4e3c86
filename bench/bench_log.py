"""What the log costs an exchange: the same gateway, with one part of the log left out (``without.py``), turn by turn.

Run: ``python -m bench.bench_log [--turns N] [--seconds S]``. Processor time per exchange is compared within each turn.
"""

import argparse
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.exchange import plain_requests, python, request_body
from bench.gateways import rest_gateway
from bench.harness import Plan, Row, Server, Turn, measure
from bench.processes import free_port
from bench.without import PARTS

_CONNECTIONS = 32
_WHOLE = "the whole gateway"
_SAID = {
    "pseudonyms": "search pseudonyms of officer, case and message",
    "checksums": "checksums of rows",
    "sealing": "sealing of what is private",
    "watch": "the consistency watch",
    "indexes": "search indexes (and the watch)",
    "tree": "tree, checkpoints, indexes: all that a receipt needs",
    "records": "the same, and building the records",
    "log": "the log, its disk too",
}


def servers(folder: Path, backend: int) -> list[Server]:
    """The whole gateway, and one without each part."""
    made = []
    for name in ("", *PARTS):
        server, _ = rest_gateway(folder / (name or "whole"), backend, body=request_body())
        start = server.argv.index("serve")
        argv = server.argv if not name else python("bench.without", name, *server.argv[start:])
        made.append(replace(server, name=_SAID.get(name, _WHOLE), argv=argv, baseline=_WHOLE))
    return made


def price(whole: Row, without: Row) -> float:
    """Seconds of processor time that a part costs an exchange: the median of the turns' differences."""
    pairs = zip(whole.turns, without.turns, strict=True)
    return statistics.median(one.cpu - other.cpu for one, other in pairs)


def table(rows: Sequence[Row]) -> Table:
    """For people."""
    shown = Table(title="What the log costs an exchange (REST → REST)")
    for heading in ("without", "CPU µs/exchange", "so it costs µs", "of the exchange"):
        shown.add_column(heading, justify="left" if heading == "without" else "right")

    def cpu(turn: Turn) -> float:
        return turn.cpu

    whole = rows[0]
    shown.add_row("—", f"{whole.median(cpu) * 1e6:.0f}", "", "")
    for row in rows[1:]:
        cost = price(whole, row)
        share = cost / whole.median(cpu)
        shown.add_row(row.name, f"{row.median(cpu) * 1e6:.0f}", f"{cost * 1e6:.0f}", f"{share:.0%}")
    return shown


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--turns", type=int, default=3)
    options.add_argument("--seconds", type=float, default=1.0)
    given = options.parse_args()
    plan = Plan(connections=(_CONNECTIONS,), turns=given.turns, seconds=given.seconds)
    port = free_port()
    backend = (python("bench.backend", "--port", port), port)
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(servers(Path(folder), port), [backend], plain_requests, plan)
    Console(width=120).print(table(rows))


if __name__ == "__main__":
    main()
