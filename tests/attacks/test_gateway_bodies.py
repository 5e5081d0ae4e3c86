"""Bodies too large, cut off or too slow, and heads that never end: refused in bounded time and memory."""

from collections.abc import Callable, Iterator

import pytest

from gateway.model.message import Fields
from tests.support.attacks import World, world
from tests.support.rawhttp import CHUNKED, drip, head_of

HEAD_SECONDS = 0.5
BODY_SECONDS = 0.5
LINGERING = 0.5
LIMIT = 200_000
BODY = b'{"a":1}'

_SETTINGS = f"""
[timeouts]
head = {HEAD_SECONDS}
body = {BODY_SECONDS}
[limits]
body = {LIMIT}
memory = 100000
"""


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("site"), extra=_SETTINGS) as made:
        yield made


def smuggled(gate: World) -> bytes:
    return gate.message(method="GET", path="/smuggled").encode()


def test_body_at_the_limit_passes(gate: World) -> None:
    gate.accepts(gate.message(body=b"x" * LIMIT, fields={"Content-Type": "application/octet-stream"}))


def test_body_declared_over_the_limit_is_refused_unread(gate: World) -> None:
    message = gate.message(body=b"x" * (LIMIT + 1))
    gate.turns_away(head_of(message, (("Content-Length", str(LIMIT + 1)),)), "client.body_too_large", 413)


def test_body_over_the_limit_in_chunks_is_refused(gate: World) -> None:
    message = gate.message(body=b"x" * (LIMIT + 1))
    chunk = b"2710\r\n" + b"x" * 10_000 + b"\r\n"
    data = head_of(message) + chunk * (LIMIT // 10_000) + b"1\r\nx\r\n0\r\n\r\n"
    gate.turns_away(data, "client.body_too_large", 413)


def test_what_follows_a_body_that_was_refused_is_no_request(gate: World) -> None:
    message = gate.message(body=b"x" * (LIMIT + 1))
    data = head_of(message, (("Content-Length", str(LIMIT + 1)),)) + smuggled(gate)
    gate.turns_away(data, "client.body_too_large", 413)


CUT = {
    "with a length": ((("Content-Length", "7"),), b'{"a"'),
    "between chunks": (CHUNKED, b'3\r\n{"a\r\n'),
    "inside a chunk": (CHUNKED, b'7\r\n{"a'),
    "before the last line": (CHUNKED, b'7\r\n{"a":1}\r\n0\r\n'),
}


@pytest.mark.parametrize("name", CUT)
def test_truncated_body_is_counted_and_goes_nowhere(gate: World, name: str) -> None:
    framing, body = CUT[name]
    forwarded, rows, counted = gate.forwarded, gate.rows(), gate.counted("client.body_truncated")
    with gate.connect() as wire:
        wire.send(head_of(gate.message(), framing) + body)
        wire.half_close()
        assert wire.rest() == b""
    gate.until(lambda: gate.counted("client.body_truncated") == counted + 1)
    assert (gate.forwarded, gate.rows()) == (forwarded, rows)


def test_expect_continue_is_answered_before_the_body(gate: World) -> None:
    message = gate.message(added=(("Expect", "100-continue"),))
    with gate.connect() as wire:
        wire.send(head_of(message, (("Content-Length", "7"),)))
        assert wire.answer().status == 100
        wire.send(BODY)
        response = wire.answer()
        assert response.status == 200
        gate.proof_of(response, message)


def test_too_large_body_is_refused_instead_of_continued(gate: World) -> None:
    message = gate.message(body=b"x" * (LIMIT + 1), added=(("Expect", "100-continue"),))
    gate.turns_away(head_of(message, (("Content-Length", str(LIMIT + 1)),)), "client.body_too_large", 413)


def test_other_expectations_are_ignored(gate: World) -> None:
    gate.accepts(gate.message(added=(("Expect", "the-spanish-inquisition"),)))


# -- slowness ----------------------------------------------------------------------------------------------------------


HEADS: dict[str, tuple[Callable[[World], bytes], bytes]] = {
    "nothing": (lambda _: b"", b""),
    "empty lines": (lambda _: b"", b"\r\n"),
    "a request line": (lambda _: b"GET /", b"a"),
    "a field's value": (lambda gate: gate.message().encode()[:150], b"a"),
    "fields": (lambda _: b"GET / HTTP/1.1\r\n", b"X-A: b\r\n"),
}


@pytest.mark.parametrize("name", HEADS)
def test_head_that_comes_too_slowly_is_cut_off(gate: World, name: str) -> None:
    begin, piece = HEADS[name]
    with gate.connect() as wire:
        wire.send(begin(gate))
        seconds, said = drip(wire, piece)
    assert seconds < HEAD_SECONDS + 1.5
    assert said == b""


BODIES: dict[str, tuple[Fields, bytes, bytes]] = {
    "with a length": ((("Content-Length", "1000"),), b"", b"x"),
    "in chunks": (CHUNKED, b"", b"1\r\nx\r\n"),
    "a chunk extension": (CHUNKED, b"1;a=", b"x"),
    "trailers": (CHUNKED, b"0\r\n", b"X-A: b\r\n"),
}


@pytest.mark.parametrize("name", BODIES)
def test_body_that_comes_too_slowly_is_refused(gate: World, name: str) -> None:
    framing, begin, piece = BODIES[name]
    forwarded, rows, counted = gate.forwarded, gate.rows(), gate.counted("client.timeout")
    with gate.connect() as wire:
        wire.send(head_of(gate.message(body=b"x" * 1000), framing) + begin)
        seconds, said = drip(wire, piece)
    assert seconds < BODY_SECONDS + LINGERING + 1.5
    assert said.startswith(b"HTTP/1.1 408 ")
    assert b"X-Road-Error: client.timeout\r\n" in said
    assert (gate.forwarded, gate.rows(), gate.counted("client.timeout")) == (forwarded, rows, counted + 1)


def test_many_slow_callers_do_not_keep_others_waiting(gate: World) -> None:
    slow = [gate.connect() for _ in range(300)]
    try:
        for wire in slow:
            wire.send(b"POST /r1/VN HTTP/1.1\r\nX-A: ")
        gate.accepts(gate.message())
    finally:
        for wire in slow:
            wire.__exit__()
