"""Bodies too large for memory: they arrive intact, signed and recorded, and memory stays flat."""

import gc
import hashlib
import os
import socket
import threading
from pathlib import Path

import psutil
import pytest

from adapters.simulators.wire import Answer
from tests.support.exchanges import HOLDING, check_log, exchange_of, fields_of, json_answer, office, records, sha256
from tests.support.gateways import ECHO
from tests.support.served import outside, serving

MEBIBYTE = 2**20
PIECE = bytes(range(256)) * 256  # 64 KiB
DISK = "[limits]\nbody = 6000000\nanswer = 9000000\n"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with office(tmp_path_factory.mktemp("large"), extra=DISK) as made:
        yield made


def content(size):
    return (PIECE * (size // len(PIECE) + 1))[:size]


def streamed(size, *, announced=True, **more):
    pieces = (PIECE[: min(len(PIECE), size - start)] for start in range(0, size, len(PIECE)))
    return Answer(content_type="application/octet-stream", pieces=pieces, length=size if announced else None, **more)


@pytest.mark.parametrize("size", [MEBIBYTE - 1, MEBIBYTE, MEBIBYTE + 1, 5_999_999])
def test_large_request_arrives_intact_with_its_digests(place, size):
    place.provider.reply = json_answer({"ok": True})
    body = content(size)
    message = place.message(body=body, fields={"Content-Type": "application/octet-stream"})
    got = place.accepts(message)
    received = place.provider.last
    assert received.body == body
    assert received.header("Content-Digest") == message.head.get("content-digest")
    request, _ = exchange_of(place.site, got.head.get("motlan-receipt"))
    assert request.shown("body_sha256") == sha256(body)


def test_large_request_in_chunks_arrives_intact(place):
    place.provider.reply = json_answer({"ok": True})
    body = content(3 * MEBIBYTE)
    message = place.message(body=body, fields={"Content-Type": "application/octet-stream"})
    head = message.encode(framing=(("Transfer-Encoding", "chunked"),)).partition(b"\r\n\r\n")[0]
    with place.connect() as wire:
        wire.send(head + b"\r\n\r\n")
        for start in range(0, len(body), 100_000):
            piece = body[start : start + 100_000]
            wire.send(b"%x\r\n%b\r\n" % (len(piece), piece))
        wire.send(b"0\r\n\r\n")
        assert wire.answer().status == 200
    assert place.provider.last.body == body


def test_altered_large_request_is_refused_before_anything_is_forwarded(place):
    body = bytearray(content(2 * MEBIBYTE))
    message = place.message(body=bytes(body), fields={"Content-Type": "application/octet-stream"})
    body[-1] ^= 1
    place.refuses(message.having(body=bytes(body)), "client.digest_mismatch", 400, recorded=True)


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize("size", [MEBIBYTE, MEBIBYTE + 1, 8_999_999])
def test_large_answer_arrives_intact_signed_and_recorded(place, size, announced):
    place.provider.reply = lambda _: streamed(size, announced=announced)
    message = place.message(method="GET")
    got = place.send(message)
    assert (got.status, got.body) == (200, content(size))
    assert fields_of(got)["content-length"] == str(size)
    assert place.proof_of(got, message).bound
    _, answer = exchange_of(place.site, got.head.get("motlan-receipt"))
    assert answer.shown("body_sha256") == sha256(got.body)
    assert answer["outcome"] == "FOUND"


def test_connection_to_a_provider_serves_on_after_large_answers(place):
    place.provider.reply = lambda _: streamed(3 * MEBIBYTE)
    place.accepts(place.message(method="GET"))
    connections = place.provider.server.connections
    for _ in range(10):
        place.accepts(place.message(method="GET"))
    assert place.provider.server.connections == connections


def test_record_comes_before_the_first_byte_of_a_large_answer(place):
    place.provider.reply = lambda _: streamed(4 * MEBIBYTE)
    with place.connect() as wire:
        wire.send(place.message(method="GET").encode())
        first = wire._socket.recv(1)
        assert first == b"H"
        assert records(place.site)[-1]["kind"] == "answer"


def test_request_over_the_limit_is_refused_whether_it_says_so_or_not(place):
    before = place.forwarded
    announced = place.message(body=b"x", fields={"Content-Type": "text/plain"})
    with place.connect() as wire:
        wire.send(announced.encode(framing=(("Content-Length", "6000001"),)))
        got = wire.answer()
        assert (got.status, got.code) == (413, "client.body_too_large")
    with place.connect() as wire:
        head = announced.encode(framing=(("Transfer-Encoding", "chunked"),)).partition(b"\r\n\r\n")[0]
        wire.send(head + b"\r\n\r\n")
        try:
            for _ in range(70):
                wire.send(b"%x\r\n%b\r\n" % (100_000, bytes(100_000)))
        except ConnectionError:
            pass  # it answered and closed before all was sent
        got = wire.answer()
        assert (got.status, got.code) == (413, "client.body_too_large")
    assert place.forwarded == before


@pytest.mark.parametrize("announced", [True, False])
def test_answer_over_the_limit_is_invalid(place, announced):
    place.provider.reply = lambda _: streamed(9_000_001, announced=announced)
    message = place.message(method="GET")
    got = place.send(message)
    assert (got.status, got.code) == (502, "server.serverproxy.service_failed.invalid_reply")
    assert place.proof_of(got, message).bound


def test_answer_too_large_for_memory_can_only_be_granted_whole(place):
    document = b'{"owner":{"full_name":"%b"}}' % (b"x" * 2 * MEBIBYTE)
    place.provider.reply = Answer(body=document)
    message = place.message(service=HOLDING)
    got = place.send(message)
    assert (got.status, got.code) == (502, "server.serverproxy.service_failed.invalid_reply")
    assert b"xxx" not in got.body
    _, answer = exchange_of(place.site, got.head.get("motlan-receipt"))
    assert (answer["outcome"], answer["released"]) == ("INVALID_REPLY", [])


def test_half_a_large_answer_is_no_answer(place):
    place.provider.reply = Answer(body=content(3 * MEBIBYTE), cut=2 * MEBIBYTE)
    got = place.send(place.message(method="GET"))
    assert (got.status, got.code) == (502, "server.serverproxy.service_failed.invalid_reply")


def test_large_answer_is_not_kept_for_retries_and_its_key_stays_taken(place):
    place.provider.reply = lambda _: streamed(2 * MEBIBYTE)
    key = {"Idempotency-Key": "large-1"}
    first = place.send(place.message(fields=key))
    assert (first.status, len(first.body)) == (200, 2 * MEBIBYTE)
    place.refuses(place.message(fields=key), "client.idempotency_running", 409, recorded=True)


def test_spooled_bodies_leave_nothing_open(place):
    gc.collect()
    before = deleted_files()
    gc.disable()  # nothing may wait for a collection
    for reply, service in (
        (lambda _: streamed(2 * MEBIBYTE), ECHO),
        (lambda _: json_answer({"owner": {"full_name": "x" * 2 * MEBIBYTE}}), HOLDING),
        (lambda _: json_answer({"e": "x" * 2 * MEBIBYTE}, status=422), HOLDING),
        (lambda _: Answer(status=302, body=content(2 * MEBIBYTE)), ECHO),
        (lambda _: Answer(body=content(2 * MEBIBYTE), headers=(("Content-Type", "a/b"),)), ECHO),
        (lambda _: Answer(body=content(2 * MEBIBYTE), cut=2**20), ECHO),
    ):
        place.provider.reply = reply
        body, media = content(2 * MEBIBYTE), "application/octet-stream"
        if service == HOLDING:
            body, media = b"{}", "application/json"
        got = place.send(place.message(service=service, body=body, fields={"Content-Type": media}))
        assert got.status in {200, 422, 502}
    try:
        assert deleted_files() == before
    finally:
        gc.enable()


def deleted_files():
    """How many files without a name this process holds open."""
    links = [os.readlink(link) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]  # noqa: PTH115 - text
    return sum("(deleted)" in link for link in links)


def test_two_hundred_megabytes_stream_through_in_flat_memory(tmp_path):
    size = 200 * 10**6
    expected = hashlib.sha256()
    for start in range(0, size, len(PIECE)):
        expected.update(PIECE[: min(len(PIECE), size - start)])
    with outside(tmp_path, provider_seconds=30.0) as place, serving(place.site) as process:
        place.provider.reply = lambda _: streamed(4 * MEBIBYTE)
        assert place.send(place.message(method="GET")).status == 200  # everything is loaded
        watched = psutil.Process(process.pid)
        before, peak, done = watched.memory_info().rss, 0, threading.Event()

        def watch():
            nonlocal peak
            while not done.wait(0.01):
                peak = max(peak, watched.memory_info().rss)

        watcher = threading.Thread(target=watch)
        watcher.start()
        place.provider.reply = lambda _: streamed(size)
        try:
            got, length = received(place, place.message(method="GET"))
        finally:
            done.set()
            watcher.join()
        assert (length, got) == (size, expected.digest())
        assert peak - before < 64 * MEBIBYTE
        answer = records(place.site)[-1]
        assert answer.shown("body_sha256") == expected.hexdigest()
        check_log(place.site)


def received(place, message):
    """SHA-256 and size of an answer's body, without keeping it."""
    digest, size = hashlib.sha256(), 0
    with place.connect(60) as wire:
        wire.send(message.encode())
        data = b""
        while b"\r\n\r\n" not in data:
            data += wire._socket.recv(65536)
        head, _, data = data.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        while True:
            digest.update(data)
            size += len(data)
            if size >= length:
                return digest.digest(), size
            data = wire._socket.recv(2**20)
            assert data


def test_caller_that_stops_reading_a_large_answer_is_dropped(place, monkeypatch):
    monkeypatch.setattr("gateway.server.bodies.STALLED_SECONDS", 0.2)
    place.provider.reply = lambda _: streamed(8_900_000)
    with place.connect() as wire:
        wire._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        wire.send(place.message(method="GET").encode())
        place.until(lambda: place.gateway.edge.in_flight == 1)
        assert len(_other_ends(wire)) == 1
        place.until(lambda: place.gateway.edge.in_flight == 0)
        assert _other_ends(wire) == []  # reading on until the end that the kernel still holds would take minutes


def _other_ends(wire):
    """The gateway's sockets that lead to this connection."""
    port = wire._socket.getsockname()[1]
    return [each for each in psutil.Process().net_connections("tcp") if each.raddr and each.raddr.port == port]
