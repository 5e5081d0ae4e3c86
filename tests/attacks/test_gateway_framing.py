"""Bytes that two HTTP parsers could read differently, on raw sockets.

What breaks the framing is answered 400 below the application, unsigned and without quoting anything, and the
connection is closed: one request never becomes two. Each attack is made of a rightly signed request, so that a lenient
parser would be seen by what reaches the provider.
"""

from collections.abc import Callable, Iterator

import pytest

from adapters.simulators.backend import Backend
from tests.support.attacks import World, world
from tests.support.rawhttp import CHUNKED, Message, head_of, send_all

MARKER = "012345678901"
BODY = b'{"a":1}'


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("site")) as made:
        yield made


def smuggled(gate: World) -> bytes:
    return gate.message(method="GET", path="/smuggled").encode()


def line(text: bytes) -> Callable[[World], bytes]:
    """A good request with this put behind its request line."""
    return lambda gate: gate.message().encode().replace(b" HTTP/1.1\r\n", b" HTTP/1.1\r\n" + text, 1)


def framed(*fields: tuple[str, str], body: bytes = BODY) -> Callable[[World], bytes]:
    """A good request framed in this way, and another one behind it."""
    return lambda gate: head_of(gate.message(), fields) + body + smuggled(gate)


def chunks(data: bytes) -> Callable[[World], bytes]:
    """A good request with this for a chunked body, and another one behind it."""
    return lambda gate: head_of(gate.message()) + data + smuggled(gate)


def request_line(text: str) -> Callable[[World], bytes]:
    return lambda gate: text.encode("latin-1") + gate.message().encode().partition(b"\r\n")[2]


SECRET = MARKER.encode()
BROKEN: dict[str, Callable[[World], bytes]] = {
    # lengths
    "two lengths that agree": framed(("Content-Length", "7"), ("Content-Length", "7")),
    "two lengths that differ": framed(("Content-Length", "7"), ("Content-Length", "0")),
    "a list of lengths": framed(("Content-Length", "7, 7")),
    "length with a sign": framed(("Content-Length", "+7")),
    "negative length": framed(("Content-Length", "-7")),
    "length in hexadecimal": framed(("Content-Length", "0x7")),
    "length with an underscore": framed(("Content-Length", "0_7")),
    "length in other digits": framed(("Content-Length", "\xb2")),
    "empty length": framed(("Content-Length", "")),
    "length beyond 64 bits": framed(("Content-Length", "18446744073709551623")),
    "length shorter than the body": framed(("Content-Length", "5")),
    "no length at all": framed(),
    "length with a space before the colon": framed(("Content-Length ", "7")),
    # transfer codings
    "length, then chunked": framed(("Content-Length", "7"), *CHUNKED, body=b"0\r\n\r\n"),
    "chunked, then length": framed(*CHUNKED, ("Content-Length", "5"), body=b"0\r\n\r\n"),
    "chunked twice": framed(*CHUNKED, *CHUNKED, body=b"0\r\n\r\n"),
    "chunked, chunked": framed(("Transfer-Encoding", "chunked, chunked"), body=b"0\r\n\r\n"),
    "chunked before another": framed(("Transfer-Encoding", "chunked, identity"), body=b"0\r\n\r\n"),
    "identity": framed(("Transfer-Encoding", "identity"), ("Content-Length", "7")),
    "almost chunked": framed(("Transfer-Encoding", "xchunked"), body=b"0\r\n\r\n"),
    "chunked behind a control": framed(("Transfer-Encoding", "\x0bchunked"), body=b"0\r\n\r\n"),
    "chunked with a space before the colon": framed(("Transfer-Encoding ", "chunked"), body=b"0\r\n\r\n"),
    # fields
    "folded line": line(b"X-A: 1\r\n " + SECRET + b"\r\n"),
    "folded line, tab": line(b"X-A: 1\r\n\t" + SECRET + b"\r\n"),
    "folded first line": line(b" X-A: " + SECRET + b"\r\n"),
    "NUL in a value": line(b"X-A: " + SECRET + b"\0\r\n"),
    "NUL in a name": line(b"X-\0A: " + SECRET + b"\r\n"),
    "NUL in a name that decides": line(b"X-Road-UserId\0: " + SECRET + b"\r\n"),
    "bare LF ends a line": line(b"X-A: " + SECRET + b"\nX-B: 1\r\n"),
    "bare LF everywhere": lambda gate: gate.message().encode().replace(b"\r\n", b"\n"),
    "CR in a value": line(b"X-A: " + SECRET + b"\rX-B: 1\r\n"),
    "CR CR LF": line(b"X-A: " + SECRET + b"\r\r\n"),
    "space before the colon": line(b"X-A : " + SECRET + b"\r\n"),
    "tab before the colon": line(b"X-A\t: " + SECRET + b"\r\n"),
    "no colon": line(SECRET + b"\r\n"),
    "no name": line(b": " + SECRET + b"\r\n"),
    "space in a name": line(b"X A: " + SECRET + b"\r\n"),
    "parenthesis in a name": line(b"X(A): " + SECRET + b"\r\n"),
    "name that is not ASCII": line(b"X\xc4\x91: " + SECRET + b"\r\n"),
    "control in a value": line(b"X-A: \x01" + SECRET + b"\r\n"),
    "DEL in a value": line(b"X-A: \x7f" + SECRET + b"\r\n"),
    "two Hosts": line(b"Host: evil.example\r\n"),
    "two content types": line(b"Content-Type: text/plain\r\n"),
    "no Host": lambda gate: gate.message(fields={"Host": None}).encode(),
    # request lines
    "version 1.2": request_line(f"GET /{MARKER} HTTP/1.2\r\n"),
    "version in lower case": request_line(f"GET /{MARKER} http/1.1\r\n"),
    "another protocol": request_line(f"GET /{MARKER} ICE/1.0\r\n"),
    "method with a control": request_line(f"G\x01T /{MARKER} HTTP/1.1\r\n"),
    "method in lower case": request_line(f"get /{MARKER} HTTP/1.1\r\n"),
    "tab for space": request_line(f"GET\t/{MARKER}\tHTTP/1.1\r\n"),
    "target with a space": request_line(f"GET /{MARKER} x HTTP/1.1\r\n"),
    "target without a slash": request_line(f"GET {MARKER} HTTP/1.1\r\n"),
    "HTTP/2 preface": lambda _: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": lambda _: bytes.fromhex("16030102000100") + SECRET * 20,
    "anything": lambda _: b"\xff\xfe" + SECRET + b"\r\n\r\n",
    "SMTP": lambda _: b"EHLO " + SECRET + b"\r\n",
    # sizes
    "a field of 1 MB": line(b"X-A: " + SECRET + b"a" * 1_000_000 + b"\r\n"),
    "a name of 1 MB": line(b"X-" + b"a" * 1_000_000 + b": " + SECRET + b"\r\n"),
    "10,000 fields": line((b"X-A: " + SECRET + b"\r\n") * 10_000),
    "a target of 1 MB": request_line(f"GET /{MARKER}{'a' * 1_000_000} HTTP/1.1\r\n"),
    # chunks
    "chunk size with a prefix": chunks(b'0x7\r\n{"a":1}\r\n0\r\n\r\n'),
    "chunk size with a sign": chunks(b'+7\r\n{"a":1}\r\n0\r\n\r\n'),
    "negative chunk size": chunks(b'-7\r\n{"a":1}\r\n0\r\n\r\n'),
    "space behind the chunk size": chunks(b'7 \r\n{"a":1}\r\n0\r\n\r\n'),
    "space before the chunk size": chunks(b' 7\r\n{"a":1}\r\n0\r\n\r\n'),
    "chunk size with an underscore": chunks(b'0_7\r\n{"a":1}\r\n0\r\n\r\n'),
    "chunk size beyond 64 bits": chunks(b'10000000000000007\r\n{"a":1}\r\n0\r\n\r\n'),
    "no chunk size": chunks(b'\r\n{"a":1}\r\n0\r\n\r\n'),
    "bare LF behind the chunk size": chunks(b'7\n{"a":1}\r\n0\r\n\r\n'),
    "bare LF at the end": chunks(b'7\r\n{"a":1}\r\n0\n\n'),
    "bare LF in a chunk extension": chunks(b'7;a\n{"a":1}\r\n0\r\n\r\n'),
    "CR in a chunk extension": chunks(b'7;a\rb\r\n{"a":1}\r\n0\r\n\r\n'),
    "open quote in a chunk extension": chunks(b'7;a="b\r\n{"a":1}\r\n0\r\n\r\n'),
    "nothing behind a chunk": chunks(b'7\r\n{"a":1}0\r\n\r\n'),
    "more than the chunk": chunks(b'7\r\n{"a":1}xx\r\n0\r\n\r\n'),
    "length among the trailers": chunks(b'7\r\n{"a":1}\r\n0\r\nContent-Length: 9\r\n\r\n'),
    "coding among the trailers": chunks(b'7\r\n{"a":1}\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n'),
    "folded trailer": chunks(b'7\r\n{"a":1}\r\n0\r\nX-A: 1\r\n 2\r\n\r\n'),
    "NUL in a trailer": chunks(b'7\r\n{"a":1}\r\n0\r\nX-A: \0\r\n\r\n'),
    "a trailer of 1 MB": chunks(b'7\r\n{"a":1}\r\n0\r\nX-A: ' + b"a" * 1_000_000 + b"\r\n\r\n"),
    "10,000 trailers": chunks(b'7\r\n{"a":1}\r\n0\r\n' + b"X-A: a\r\n" * 10_000 + b"\r\n"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_framing_is_answered_once_and_closes(gate: World, name: str) -> None:
    response = gate.turns_away(BROKEN[name](gate), "client.bad_header", 400)
    assert MARKER.encode() not in response.body
    assert all(MARKER not in value for _, value in response.head.fields)


WELL_FRAMED = {
    "in one chunk": b'7\r\n{"a":1}\r\n0\r\n\r\n',
    "in seven": b'1\r\n{\r\n1\r\n"\r\n1\r\na\r\n1\r\n"\r\n1\r\n:\r\n1\r\n1\r\n1\r\n}\r\n0\r\n\r\n',
    "size with zeros": b'0007\r\n{"a":1}\r\n000\r\n\r\n',
    "with a chunk extension": b'7;a=1\r\n{"a":1}\r\n0;b="c"\r\n\r\n',
    "with a trailer": b'7\r\n{"a":1}\r\n0\r\nX-Checksum: 1\r\n\r\n',
}


@pytest.mark.parametrize("name", WELL_FRAMED)
def test_chunked_body_is_one_request(gate: World, name: str) -> None:
    """The provider gets it with its length; a connection ends with a chunked request."""
    forwarded = gate.forwarded
    message = gate.message()
    with gate.connect() as wire:
        wire.send(head_of(message) + WELL_FRAMED[name])
        response = wire.answer()
        assert response.status == 200
        assert gate.proof_of(response, message).bound
        assert wire.rest() == b""
    assert gate.forwarded == forwarded + 1
    assert isinstance(gate.provider, Backend)
    assert gate.provider.last is not None
    assert gate.provider.last.body == BODY
    assert gate.provider.last.header("content-length") == "7"
    assert {"transfer-encoding", "x-checksum"}.isdisjoint(name.lower() for name, _ in gate.provider.last.headers)


@pytest.mark.parametrize("field", ["Accept-Language: en", "X-Road-UserId: another", "X-Road-Client: VN/GOV/H31/portal"])
@pytest.mark.parametrize("together", [True, False], ids=["in one packet", "one after the other"])
def test_trailer_never_becomes_a_field_of_the_next_request(gate: World, field: str, *, together: bool) -> None:
    """Behind a proxy the next request on the connection may be somebody else's."""
    forwarded, first, second = gate.forwarded, gate.message(), gate.message(method="GET", path="/second")
    data = head_of(first) + b'7\r\n{"a":1}\r\n0\r\n' + field.encode() + b"\r\n\r\n"
    with gate.connect() as wire:
        wire.send(data + (second.encode() if together else b""))
        assert wire.answer().status == 200
        if not together:
            send_all(wire, second.encode())
        assert wire.rest() == b""
    assert gate.forwarded == forwarded + 1


@pytest.mark.parametrize("version", ["", " HTTP/0.9", " HTTP/2.0"])
def test_other_version_is_refused(gate: World, version: str) -> None:
    data = gate.message(method="GET").encode().replace(b" HTTP/1.1", version.encode(), 1)
    gate.turns_away(data, "client.bad_header", 400)


UNSUPPORTED = {
    "gzip, chunked": ("gzip, chunked", b"HTTP/1.1"),
    "deflate, chunked": ("deflate, chunked", b"HTTP/1.1"),
    "chunked in HTTP/1.0": ("chunked", b"HTTP/1.0"),
}


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_other_transfer_coding_is_refused(gate: World, name: str) -> None:
    coding, version = UNSUPPORTED[name]
    message = gate.message(added=(("Connection", "keep-alive"),))
    data = head_of(message, (("Transfer-Encoding", coding),)).replace(b"HTTP/1.1", version, 1)
    gate.turns_away(data + b'7\r\n{"a":1}\r\n0\r\n\r\n', "client.bad_header", 400)


OVERSIZED: dict[str, tuple[Callable[[World], Message], str, int]] = {
    "101 fields": (
        lambda gate: gate.message(added=tuple((f"X-{number}", "a") for number in range(95))),
        "client.header_too_large",
        431,
    ),
    "fields of 33 KB": (
        lambda gate: gate.message(added=tuple((f"X-{number}", "a" * 8000) for number in range(5))),
        "client.header_too_large",
        431,
    ),
    "a field of 256 characters where 255 may be": (
        lambda gate: gate.message(fields={"X-Road-UserId": "a" * 256}),
        "client.bad_header",
        400,
    ),
}


@pytest.mark.parametrize("name", OVERSIZED)
def test_head_beyond_the_limits_is_refused(gate: World, name: str) -> None:
    make, code, status = OVERSIZED[name]
    gate.refuses(make(gate), code, status, recorded=False)


def test_pipelined_requests_are_answered_in_order_each_for_itself(gate: World) -> None:
    good, bad, last = gate.message(method="GET"), gate.message(keyid='"unknown"'), gate.message(method="GET", path="/x")
    with gate.connect() as wire:
        wire.send(good.encode() + bad.encode() + last.encode())
        answers = [wire.answer() for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 401, 200]
    for message, answer in zip((good, bad, last), answers, strict=True):
        gate.proof_of(answer, message)
