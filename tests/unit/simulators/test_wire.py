"""The simulators' small HTTP server, on raw sockets and with a stock client."""

import asyncio

import aiohttp
import pytest

from adapters.simulators.backend import Backend
from adapters.simulators.wire import Answer, Received, Server
from tests.support.tls import self_signed

pytestmark = pytest.mark.asyncio


def _echo(received: Received) -> Answer:
    line = f"{received.method} {received.target} {received.header('x-test')} {len(received.body)}"
    return Answer(content_type="text/plain", body=line.encode())


async def _raw(handler, data: bytes, *pieces: bytes) -> bytes:
    """What a server with this handler sends back until it closes or is silent."""
    server = Server(handler)
    port = await server.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for piece in (data, *pieces):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        writer.write_eof()
        return await asyncio.wait_for(reader.read(), 5)
    finally:
        writer.close()
        await server.stop()


async def test_pipelined_requests_are_answered_in_order_even_when_the_first_is_slow():
    async def later(received: Received) -> Answer:
        await asyncio.sleep(0.02)
        return _echo(received)

    def handler(received):
        return later(received) if received.target == "/slow" else _echo(received)

    get = b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n"
    last = b"GET /c HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    server = Server(handler)
    port = await server.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(get % b"/slow" + get % b"/b" + last)
    got = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    await server.stop()
    assert got.index(b"GET /slow") < got.index(b"GET /b") < got.index(b"GET /c")
    assert got.count(b"HTTP/1.1 200 OK") == 3


async def test_a_chunked_request_fed_byte_by_byte_is_read_whole():
    request = b"POST /p?q=1 HTTP/1.1\r\nX-Test: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    server = Server(_echo)
    port = await server.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for byte in request:
        writer.write(bytes([byte]))
        await writer.drain()
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    body = await reader.readexactly(len(b"POST /p?q=1 a 5"))
    writer.close()
    await server.stop()
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert body == b"POST /p?q=1 a 5"


async def test_what_is_no_http_gets_a_400_and_the_door():
    assert (await _raw(_echo, b"\x16\x03\x01hello\r\n\r\n")).startswith(b"HTTP/1.1 400 ")


async def test_head_has_the_length_and_no_body():
    got = await _raw(_echo, b"HEAD /a HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert got.endswith(b"\r\n\r\n")
    assert b"Content-Length: 14\r\n" in got


async def test_expect_continue_is_answered_before_the_body():
    request = b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n"
    got = await _raw(_echo, request, b"ab")
    assert got.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")


async def test_connections_are_kept_and_counted():
    server = Server(_echo)
    port = await server.start()
    async with aiohttp.ClientSession() as session:
        for _ in range(5):
            async with session.get(f"http://127.0.0.1:{port}/a") as got:
                assert got.status == 200
    await server.stop()
    assert server.connections == 1


@pytest.mark.parametrize("length", [None, 300_000])
async def test_pieces_stream_with_and_without_a_length(length):
    answer = Answer(pieces=(b"x" * 100_000 for _ in range(3)), length=length)
    server = Server(lambda _: answer)
    port = await server.start()
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/") as got:
        assert got.content_length == length
        assert len(await got.read()) == 300_000
    await server.stop()


async def test_a_slow_reader_holds_the_stream_back():
    sent = 0

    def pieces():
        nonlocal sent
        for _ in range(1_000):
            sent += 1
            yield b"x" * 100_000

    server = Server(lambda _: Answer(pieces=pieces(), length=100_000_000))
    port = await server.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1_000)
    writer.write(b"GET / HTTP/1.1\r\n\r\n")
    await reader.readexactly(10)
    for _ in range(1_000):
        await asyncio.sleep(0)
    assert sent < 500
    writer.close()
    await server.stop()


async def test_a_stopped_server_ends_frozen_answers():
    frozen = asyncio.Event()

    async def forever(_: Received) -> Answer:
        frozen.set()
        await asyncio.Event().wait()
        raise AssertionError

    server = Server(forever)
    port = await server.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\n\r\n")
    await frozen.wait()
    await asyncio.wait_for(server.stop(), 5)
    assert await reader.read() == b""
    writer.close()


async def test_over_tls_answers_and_drops_alike(tmp_path):
    theirs, ours = self_signed(tmp_path, "127.0.0.1")
    async with Backend(size=200_000) as plain:
        await plain.stop()
        await plain.start(tls=theirs)
        assert plain.url.startswith("https://")
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=ours)) as session:
            async with session.post(plain.url + "/a", data=b"x" * 100_000) as got:
                assert len(await got.read()) == 200_000
            async with session.post(plain.url + "/blob?size=1000000", data=b"x") as got:
                assert len(await got.read()) == 1_000_000
            plain.misbehave("drop")
            with pytest.raises(aiohttp.ClientError):
                await session.post(plain.url + "/a", data=b"x")
