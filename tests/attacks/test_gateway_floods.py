"""Floods: junk costs nothing durable and no memory, a proved client's refusals are recorded up to a rate."""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from adapters.simulators.wire import Answer
from tests.support.attacks import World, world
from tests.support.exchanges import Provider, records
from tests.support.gateways import OTHER, STRANGER, WRITE
from tests.support.rawhttp import send_all

SIZE = 100_000
"""Junk requests in all; nothing below depends on the number but the time it takes."""
BATCH = 50
WARM = 4_000
GROWTH = 20 * 2**20
RATE = 60
"""Refusals per minute and proved client that are recorded, here."""


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path, extra=f"[capacity]\nrefusals_per_minute = {RATE}\n") as made:
        yield made


def junk(gate: World) -> Iterator[bytes]:
    """Requests of every kind that proves nothing, each with its own claims."""
    host = f"Host: 127.0.0.1:{gate.site.port}\r\n".encode()
    signed = gate.message().encode()
    for number in itertools.count():
        client = b"X-Road-Client: VN/GOV/J%d/portal\r\n" % number
        yield b"GET /r1/VN/GOV/G15/registry/echo/%d HTTP/1.1\r\n" % number + host + client + b"\r\n"
        yield b"GET /%d HTTP/1.1\r\n" % number + host + b"\r\n"
        yield b"GET /r1/%2e%2e/" + b"%d HTTP/1.1\r\n" % number + host + client + b"\r\n"
        yield signed.replace(b"created=1", b"created=2%d" % number, 1)
        yield signed.replace(b"Signature: sig1=:", b"Signature: sig1=:AA%dAA" % number, 1)
        yield signed.replace(b'keyid="', b'keyid="%d' % number, 1)
        yield b"POST /soap HTTP/1.1\r\n" + host + client + b"Content-Length: 3\r\n\r\n<a>"
        yield b"TRACE /r1/VN/GOV/G15/registry/%d HTTP/1.1\r\n" % number + host + client + b"\r\n"


def flood(gate: World, requests: Iterator[bytes], size: int) -> Counter[str]:
    """Send so many, pipelined, each batch ended by bytes that are not HTTP at all; how many got which code."""
    codes: Counter[str] = Counter()
    for _ in range(size // BATCH):
        with gate.connect() as wire:
            wire.send(b"".join(itertools.islice(requests, BATCH - 1)))
            codes.update(wire.answer().code or "" for _ in range(BATCH - 1))
            send_all(wire, b"\0junk\r\n\r\n")
            codes[wire.answer().code or ""] += 1
            assert wire.rest() == b""
    return codes


def test_junk_leaves_nothing_but_one_record_a_minute_and_takes_no_memory(gate: World) -> None:
    requests, process = junk(gate), psutil.Process()
    rows, start = gate.rows(), time.monotonic()
    codes = flood(gate, requests, WARM)
    before = process.memory_info().rss
    codes += flood(gate, requests, SIZE - WARM)
    grown = process.memory_info().rss - before
    assert grown < GROWTH, f"{grown / 2**20:.1f} MiB"
    assert codes.total() == SIZE
    assert "" not in codes
    assert gate.forwarded == 0
    minutes = int((time.monotonic() - start) / 60) + 1
    assert len(gate.gateway.tally._counts) <= 501
    gate.run(gate.gateway.chores.flush_tally())
    assert 1 <= gate.rows() - rows <= minutes
    assert counts_of(gate, rows).total() == SIZE
    gate.accepts(gate.message())


def counts_of(gate: World, rows: int) -> Counter[str]:
    """What an auditor reads behind so many rows: refusals that were only counted, by code."""
    counts: Counter[str] = Counter()
    for record in records(gate.site, rows):
        assert record["kind"] == "refusals"
        told = record.shown("refusals")
        assert len(told) <= 501
        assert all(each["network"] in {"127.0.0.0/24", ""} for each in told)
        for each in told:
            counts[each["code"]] += each["count"]
    return counts


def test_proved_client_is_recorded_up_to_its_rate_and_then_counted(gate: World) -> None:
    code, size = "server.serverproxy.access_denied", 2_000
    rows, key = gate.rows(), gate.key(OTHER)
    start = time.monotonic()
    with gate.connect() as wire:
        for _ in range(size // BATCH):
            batch = [gate.message(client=OTHER, service=WRITE, key=key) for _ in range(BATCH)]
            wire.send(b"".join(message.encode() for message in batch))
            for message in batch:
                response = wire.answer()
                assert (response.status, response.code) == (403, code)
                assert gate.proof_of(response, message).bound
    seconds = time.monotonic() - start
    recorded = len(gate.records(rows))
    assert RATE <= recorded <= RATE + RATE / 60 * seconds + 1
    assert gate.counted(code) == size - recorded
    gate.refuses(gate.message(client=STRANGER), code, 403, recorded=True)  # others have a rate of their own
    rows = gate.rows()
    gate.run(gate.gateway.chores.flush_tally())
    assert counts_of(gate, rows) == {code: size - recorded}


def test_client_that_is_refused_too_often_still_gets_what_it_may(gate: World) -> None:
    for _ in range(RATE + 5):
        gate.send(gate.message(body=b"{"))
    gate.accepts(gate.message())


def test_refusal_that_was_only_counted_is_still_no_way_in(gate: World) -> None:
    """Its nonce is not used up: whoever repeats it is refused again, for the same reason."""
    for _ in range(RATE + 5):
        gate.send(gate.message(body=b"{"))
    message = gate.message().having(body=b'{"a":2}')
    forwarded = gate.forwarded
    for _ in range(3):
        assert gate.send(message).code == "client.digest_mismatch"
    assert gate.forwarded == forwarded


def test_more_at_once_than_the_gateway_takes_on_is_turned_away(tmp_path: Path) -> None:
    """Unsigned and at once, so that what is under way can end."""
    provider, released = Provider(), asyncio.Event()

    async def hold() -> Answer:
        await released.wait()
        return Answer(body=b"{}")

    async def release() -> None:
        released.set()

    provider.reply = lambda _: hold()
    code = "server.clientproxy.overloaded"
    with world(tmp_path, provider=provider, extra="[capacity]\nin_flight = 5\n") as gate:
        wires = [gate.connect() for _ in range(40)]
        for wire in wires:
            wire.send(gate.message().encode())
        gate.until(lambda: gate.counted(code) == 35)
        gate.run(release())
        responses = [wire.answer() for wire in wires]
        assert Counter((each.status, each.code) for each in responses) == {(200, None): 5, (503, code): 35}
        turned_away = [response for response in responses if response.code == code]
        assert {response.head.get("signature") for response in turned_away} == {None}
        assert {response.head.get("retry-after") for response in turned_away} == {"1"}
        assert gate.forwarded == 5
        assert Counter(each["kind"] for each in gate.records()) == {"request": 5, "answer": 5}
        gate.accepts(gate.message())
        for wire in wires:
            wire.__exit__()
