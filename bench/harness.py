"""Measures servers side by side: same requests, same backend, same cores, turn by turn, medians of the turns.

Rates on a shared machine swing by a third; the processor time that a server spends per request does not. So the table
gives both, and ratios are taken within one turn (A B A B …) before the median over the turns.
"""

import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from bench.load import write_requests
from bench.processes import ROOT, cpu_seconds, pinned, running, split_cores

Requests = Callable[[int], Iterable[bytes]]
"""``make(n)``: n distinct raw HTTP/1.1 requests. Called anew for every turn, so that nonces and dates are fresh."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """Something to measure. workers: how many processes it runs (so many cores are its own, where there are enough).

    once: it refuses a request that it has seen, so a turn ends when the requests are used up. baseline: name of the
    server that its ratios are taken against, at the same number of connections. requests: its own ones; None: those
    that all others get.
    """

    name: str
    argv: Sequence[str]
    port: int
    workers: int = 1
    once: bool = False
    baseline: str | None = None
    requests: Requests | None = None


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One run of the generator against one server. rate: answers/s. times in seconds."""

    rate: float
    p50: float
    p99: float
    cpu: float
    counted: int
    failed: int


@dataclass(kw_only=True)
class Row:
    """A server at a number of connections, over all turns."""

    name: str
    workers: int
    connections: int
    baseline: str | None
    turns: list[Turn] = field(default_factory=list)

    def median(self, of: Callable[[Turn], float]) -> float:
        """The median over the turns."""
        return statistics.median(of(turn) for turn in self.turns)

    def ratio(self, other: "Row", of: Callable[[Turn], float]) -> float:
        """The median of this row's value over the other's in the same turn."""
        return statistics.median(of(mine) / of(theirs) for mine, theirs in zip(self.turns, other.turns, strict=True))


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How long and how often. requests_per_second: how many requests to have ready for each second of a turn."""

    connections: Sequence[int] = (32, 64)
    turns: int = 5
    seconds: float = 3.0
    warm_up: float = 0.5
    requests_per_second: int = 3000

    def fresh(self, server: Server) -> int:
        """How many requests to make for a turn; a few, used again and again, where the server does not mind."""
        return int(self.requests_per_second * (self.seconds + self.warm_up)) if server.once else 1000


def server_under_test(server: Server, process: psutil.Process, requests: Path, *, connections: int, plan: Plan) -> Turn:
    """Run the generator once against a server that is up."""
    argv = [sys.executable, "-m", "bench.load", "--port", str(server.port), "--requests", str(requests)]
    argv += ["--connections", str(connections), "--seconds", str(plan.seconds), "--warm-up", str(plan.warm_up)]
    argv += [] if server.once else ["--repeat"]
    before = cpu_seconds(process)
    ran = subprocess.run(pinned(argv, split_cores(server.workers)[1]), cwd=ROOT, check=True, capture_output=True)
    spent = cpu_seconds(process) - before
    result = json.loads(ran.stdout)
    good = sum(count for status, count in result["statuses"].items() if status.startswith("2"))
    if not result["counted"] or not good:
        raise RuntimeError(f"{server.name} answered nothing good: {result['statuses']}")
    return Turn(
        rate=result["rate"],
        p50=result["p50"],
        p99=result["p99"],
        cpu=spent / result["total"],
        counted=result["counted"],
        failed=result["total"] - good + result["lost"],
    )


def measure(
    servers: Sequence[Server],
    backends: Sequence[tuple[Sequence[str], int]],
    requests: Requests,
    plan: Plan,
    *,
    say: Callable[[str], None] = lambda _: None,
) -> list[Row]:
    """All servers at every number of connections. backends: (command, port) of what stands behind them."""
    rows: list[Row] = []
    with contextlib.ExitStack() as up, tempfile.TemporaryDirectory() as folder:
        for argv, port in backends:
            up.enter_context(running(argv, port, on=split_cores(1)[1]))
        processes = {
            server.name: up.enter_context(running(server.argv, server.port, on=split_cores(server.workers)[0]))
            for server in servers
        }
        for connections in plan.connections:
            found = {
                server.name: Row(
                    name=server.name, workers=server.workers, connections=connections, baseline=server.baseline
                )
                for server in servers
            }
            for turn in range(plan.turns):
                say(f"{connections} connections, turn {turn + 1} of {plan.turns}")
                for server in servers if turn % 2 == 0 else reversed(servers):
                    count = plan.fresh(server)
                    file = _written(Path(folder) / "requests", server.requests or requests, count)
                    ran = server_under_test(server, processes[server.name], file, connections=connections, plan=plan)
                    found[server.name].turns.append(ran)
            rows += found.values()
    return rows


def _written(path: Path, requests: Requests, count: int) -> Path:
    with path.open("wb") as file:
        write_requests(file, requests(count))
    return path


def table(title: str, rows: Sequence[Row]) -> Table:
    """The rows for people: absolute figures, and ratios to each row's baseline."""
    shown = Table(title=title)
    for heading in ("", "workers", "conn.", "req/s", "× base", "p50 ms", "p99 ms", "CPU µs/req", "× base", "failed"):
        shown.add_column(heading, justify="left" if not heading else "right")
    for row in rows:
        base = _baseline(row, rows)
        shown.add_row(
            row.name,
            str(row.workers),
            str(row.connections),
            f"{row.median(lambda turn: turn.rate):,.0f}",
            f"{row.ratio(base, lambda turn: turn.rate):.2f}" if base else "",
            f"{row.median(lambda turn: turn.p50) * 1e3:.1f}",
            f"{row.median(lambda turn: turn.p99) * 1e3:.1f}",
            f"{row.median(lambda turn: turn.cpu) * 1e6:.0f}",
            f"{row.ratio(base, lambda turn: turn.cpu):.2f}" if base else "",
            str(sum(turn.failed for turn in row.turns)),
        )
    return shown


def _baseline(row: Row, rows: Sequence[Row]) -> Row | None:
    return next((other for other in rows if (other.name, other.connections) == (row.baseline, row.connections)), None)


def as_json(rows: Sequence[Row]) -> list[dict[str, object]]:
    """The rows for programs: every turn, and the medians."""
    return [
        {
            **asdict(row),
            "rate": row.median(lambda turn: turn.rate),
            "cpu": row.median(lambda turn: turn.cpu),
            "rate_ratio": row.ratio(base, lambda turn: turn.rate) if (base := _baseline(row, rows)) else None,
            "cpu_ratio": row.ratio(base, lambda turn: turn.cpu) if base else None,
        }
        for row in rows
    ]


def show(title: str, rows: Sequence[Row]) -> None:
    """Print the table."""
    Console(width=120).print(table(title, rows))
