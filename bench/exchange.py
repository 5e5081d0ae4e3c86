"""The exchange beside the yardsticks: one process and two, REST and SOAP, against the bare proxy of the same run."""

import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from bench import nginx
from bench.gateways import plain_answer, rest_gateway, soap_answer, soap_gateway, wsse_gateway
from bench.harness import Plan, Row, Server, Turn, measure
from bench.processes import free_port
from gateway.keys.issue import KeyKind

BODY = b'{"criteria": {"name": "' + "Nguyễn Thị Ánh Tuyết".encode() + b'", "birth_date": "1990-02-28"}, "note": "'
Say = Callable[[str], None]
PATH = "/r1/VN/GOV/G24/social-insurance/insurance-lookup/cards"


def plain_requests(count: int) -> Iterable[bytes]:
    """Requests of the exchange's shape, 1 KB of JSON, for servers that check nothing."""
    body = request_body()
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


def request_body() -> bytes:
    """1 KB of JSON, as an agency sends it."""
    return BODY + b"x" * (1024 - len(BODY) - 2) + b'"}'


def single(folder: Path, plan: Plan, say: Say) -> list[Row]:
    """One process each, at every number of connections: the exchange over REST and over SOAP beside the yardsticks."""
    port, soap_port = free_port(), free_port()
    answer = folder / "citizen.xml"
    answer.write_bytes(soap_answer())
    soap = python("bench.backend", "--port", soap_port, "--body", answer, "--content-type", "text/xml; charset=utf-8")
    proxy = bare_proxy(port)
    servers = [proxy]
    nginx_port = free_port()
    if command := nginx.command(folder, port=nginx_port, backend=port):
        servers.append(Server(name="nginx proxy_pass, 1", argv=command, port=nginx_port, baseline=proxy.name))
    servers.append(rest_gateway(folder / "rest", port, body=request_body(), baseline=proxy.name)[0])
    servers.append(soap_gateway(folder / "soap", soap_port, baseline=proxy.name))
    record, record_port = folder / "record.xml", free_port()
    record.write_bytes(plain_answer())
    records = python(
        "bench.backend", "--port", record_port, "--body", record, "--content-type", "text/xml; charset=utf-8"
    )
    servers.append(wsse_gateway(folder / "wsse", record_port, baseline=proxy.name))
    servers.append(wsse_gateway(folder / "wsse-rsa", record_port, kind=KeyKind.RSA3072, baseline=proxy.name))
    backends = [(python("bench.backend", "--port", port), port), (soap, soap_port), (records, record_port)]
    return measure(servers, backends, plain_requests, plan, say=say)


def double(folder: Path, plan: Plan, say: Say) -> list[Row]:
    """What a second process gains: the bare proxy, and two workers of the gateway on one SQLite file."""
    port = free_port()
    one, two = bare_proxy(port), replace(bare_proxy(port, 2), baseline=bare_proxy(port).name)
    single_worker, _ = rest_gateway(folder / "one", port, body=request_body())
    workers, _ = rest_gateway(folder / "two", port, body=request_body(), workers=2, baseline=single_worker.name)
    backend = (python("bench.backend", "--port", port), port)
    return measure([one, two, single_worker, workers], [backend], plain_requests, plan, say=say)


def ceiling(plan: Plan, say: Say) -> list[Row]:
    """The generator straight at the backend: what neither can be the bottleneck below."""
    port, port_unused = free_port(), free_port()
    target = Server(name="generator → backend", argv=python("bench.backend", "--port", port), port=port)
    spare = (python("bench.backend", "--port", port_unused), port_unused)
    return measure([target], [spare], plain_requests, plan, say=say)


def gain(rows: Sequence[Row]) -> float:
    """What the second worker gains, as a part of what the bare proxy gains by one; of ``double``'s rows."""
    one, two, single_worker, workers = rows

    def rate(turn: Turn) -> float:
        return turn.rate

    return workers.ratio(single_worker, rate) / two.ratio(one, rate)


def run(plan: Plan, say: Say) -> dict[str, list[Row]]:
    """Everything of the exchange, by the title of its table."""
    tables = {}
    with tempfile.TemporaryDirectory() as folder:
        tables["One process"] = single(Path(folder), plan, say)
    with tempfile.TemporaryDirectory() as folder:
        tables["Two processes"] = double(Path(folder), replace(plan, connections=plan.connections[-1:]), say)
    tables["Ceiling"] = ceiling(replace(plan, turns=1, seconds=1.0), say)
    return tables
