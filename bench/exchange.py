"""The exchange beside the yardsticks: one process and two, REST and SOAP, against the bare proxy of the same run."""

import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from bench import nginx
from bench.harness import Plan, Row, Server, measure
from bench.processes import free_port

BODY = b'{"criteria": {"name": "' + "Nguyễn Thị Ánh Tuyết".encode() + b'", "birth_date": "1990-02-28"}, "note": "'
PATH = "/r1/VN/GOV/G24/social-insurance/insurance-lookup/cards"


def plain_requests(count: int) -> Iterable[bytes]:
    """Requests of the exchange's shape, 1 KB of JSON, for servers that check nothing."""
    body = BODY + b"x" * (1024 - len(BODY) - 2) + b'"}'
    for number in range(count):
        head = (
            f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nX-Road-Client: VN/GOV/H31/portal\r\nX-Road-Id: {number:032x}\r\n\r\n"
        )
        yield head.encode("ascii") + body


def python(module: str, *arguments: object) -> list[str]:
    """The command that runs one of the bench's programs."""
    return [sys.executable, "-m", module, *map(str, arguments)]


def bare_proxy(backend: int, workers: int = 1) -> Server:
    """The yardstick."""
    port = free_port()
    argv = python("bench.bare_proxy", "--port", port, "--backend", f"http://127.0.0.1:{backend}", "--workers", workers)
    return Server(name=f"bare aiohttp proxy, {workers}", argv=argv, port=port, workers=workers)


def yardsticks(folder: Path, backend: int) -> list[Server]:
    """The bare proxy with one and two workers, nginx where it is installed."""
    one, two = bare_proxy(backend), bare_proxy(backend, 2)
    servers = [one, Server(name=two.name, argv=two.argv, port=two.port, workers=2, baseline=one.name)]
    port = free_port()
    if command := nginx.command(folder, port=port, backend=backend):
        servers.append(Server(name="nginx proxy_pass", argv=command, port=port, baseline=one.name))
    return servers


def ceiling(plan: Plan, say: Callable[[str], None]) -> list[Row]:
    """The generator straight at the backend: what neither can be the bottleneck below."""
    port, port_unused = free_port(), free_port()
    target = Server(name="generator → backend", argv=python("bench.backend", "--port", port), port=port)
    spare = (python("bench.backend", "--port", port_unused), port_unused)
    return measure([target], [spare], plain_requests, plan, say=say)


def run(plan: Plan, say: Callable[[str], None]) -> list[Row]:
    """Everything of the exchange, side by side."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        backend = (python("bench.backend", "--port", port), port)
        rows = measure(yardsticks(Path(folder), port), [backend], plain_requests, plan, say=say)
    return rows + ceiling(Plan(connections=plan.connections, turns=1, seconds=1.0), say)
