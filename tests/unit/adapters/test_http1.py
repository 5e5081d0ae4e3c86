"""The lean HTTP/1.1 client against providers on real sockets that do exactly what a script says."""

import asyncio
import contextlib
import hashlib
import ssl
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.rest.connection import Connection, Limits
from adapters.rest.failures import (
    CallError,
    EndUnknownError,
    NotSentError,
    ReplyTooLargeError,
    TruncatedReplyError,
    UnreadableReplyError,
    UnsendableRequestError,
    UnstorableReplyError,
)
from adapters.rest.http1 import Client, ClientOptions, Origin, render_head, split_url
from gateway.model.message import EMPTY, Body
from tests.support.provider_socket import (
    CLOSE,
    HANG,
    RESET,
    MemorySink,
    MemorySpool,
    ScriptedProvider,
    answer,
    settles,
    until,
)

ORIGIN = Origin(scheme="http", host="provider.example", port=80)


async def call(provider, method="GET", *, options=None, body=EMPTY, seconds=5.0, client=None, repeatable=False, **more):
    own = client or Client(options or ClientOptions(), **more)
    origin, _ = split_url(provider.url)
    try:
        return await own.request(
            method,
            origin,
            "/x?y=1",
            (("X-Road-Id", "1"),),
            body,
            deadline=time.monotonic() + seconds,
            repeatable=repeatable,
        )
    finally:
        if client is None:
            await own.close()


@pytest.mark.asyncio
async def test_request_and_answer_pass_byte_for_byte():
    gzip_like = bytes(range(256)) * 4
    async with ScriptedProvider(
        answer(gzip_like, fields=("Content-Encoding: gzip", "X-Twice: a", "X-Twice:  b \t"))
    ) as p:
        got = await call(p, "POST", body=Body(b"\x00\xff body"))
    assert got.status == 200
    assert got.body.data == gzip_like
    assert got.fields[1:] == (("Content-Encoding", "gzip"), ("X-Twice", "a"), ("X-Twice", "b"))
    head = f"POST /x?y=1 HTTP/1.1\r\nHost: 127.0.0.1:{p.port}\r\nX-Road-Id: 1\r\nContent-Length: 7\r\n\r\n"
    assert p.requests == [head.encode() + b"\x00\xff body"]


@pytest.mark.parametrize(
    ("method", "size", "expected"), [("GET", 0, False), ("POST", 0, True), ("GET", 2, True), ("DELETE", 0, False)]
)
def test_content_length_stands_where_content_is_expected(method, size, expected):
    head = render_head(method, ORIGIN, "/", (), Body(b"x" * size))
    assert (b"Content-Length: %d\r\n" % size in head) is expected


@pytest.mark.asyncio
async def test_connections_are_kept_and_used_again():
    async with ScriptedProvider(answer()) as p:
        client = Client(ClientOptions())
        for _ in range(5):
            await call(p, client=client)
        await client.close()
        assert p.connections == 1
        assert len(p.requests) == 5


@pytest.mark.parametrize(
    "script",
    [
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"3;ext=1\r\nabc\r\n2\r\nde\r\n",
            b"0\r\nTrailer: x\r\n\r\n",
        ),
        (
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde",
        ),
        (b"HTTP/1.0 200 OK\r\n\r\nabcde", CLOSE),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nabcde", CLOSE),
        tuple(bytes([each]) for each in b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde"),
    ],
    ids=["chunked", "informational", "until-close", "close", "byte-by-byte"],
)
@pytest.mark.asyncio
async def test_framings_of_an_answer(script):
    async with ScriptedProvider(script) as p:
        got = await call(p)
    assert (got.status, got.body.data) == (200, b"abcde")
    assert not {"trailer", "link"} & {name.lower() for name, _ in got.fields}


@pytest.mark.parametrize("status", [204, 304])
@pytest.mark.asyncio
async def test_answers_without_body_leave_the_connection_usable(status):
    bare = (
        f"HTTP/1.1 {status} x\r\nContent-Length: 5\r\n\r\n" if status == 304 else f"HTTP/1.1 {status} x\r\n\r\n"
    ).encode()
    async with ScriptedProvider((bare,), answer(b"next")) as p:
        client = Client(ClientOptions())
        first, second = await call(p, client=client), await call(p, client=client)
        await client.close()
        assert (first.status, first.body.size, second.body.data, p.connections) == (status, 0, b"next", 1)


@pytest.mark.asyncio
async def test_answer_to_head_has_no_body_whatever_it_promises():
    async with ScriptedProvider((b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",), answer(b"next")) as p:
        client = Client(ClientOptions())
        first, second = await call(p, "HEAD", client=client), await call(p, client=client)
        await client.close()
    assert (first.body.size, second.body.data) == (0, b"next")


OK = b"HTTP/1.1 200 OK\r\n"
BAD = {
    "plain text": (b"Unauthorized", UnreadableReplyError),
    "two lengths": (OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", UnreadableReplyError),
    "length and chunks": (
        OK + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
        UnreadableReplyError,
    ),
    "other coding": (OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", UnreadableReplyError),
    "chunked not last": (OK + b"Transfer-Encoding: chunked, gzip\r\n\r\n1\r\na\r\n0\r\n\r\n", UnreadableReplyError),
    "negative length": (OK + b"Content-Length: -1\r\n\r\n", UnreadableReplyError),
    "folded field": (OK + b"X: a\r\n b\r\nContent-Length: 0\r\n\r\n", UnreadableReplyError),
    "NUL in a field": (OK + b"X: a\0b\r\nContent-Length: 0\r\n\r\n", UnreadableReplyError),
    "space before colon": (OK + b"X : a\r\nContent-Length: 0\r\n\r\n", UnreadableReplyError),
    "bare LF": (b"HTTP/1.1 200 OK\nContent-Length: 0\n\n", UnreadableReplyError),
    "switching": (b"HTTP/1.1 101 x\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n", UnreadableReplyError),
    "endless head": (OK + b"X: " + b"a" * 40_000, UnreadableReplyError),
    "endless 1xx": (b"HTTP/1.1 103 x\r\nLink: 12345678901234567890\r\n\r\n" * 1000, UnreadableReplyError),
    "promised too much": (OK + b"Content-Length: 99999999999\r\n\r\n", ReplyTooLargeError),
}


@pytest.mark.parametrize(("raw", "error"), BAD.values(), ids=BAD)
@pytest.mark.asyncio
async def test_unreadable_answers_are_refused_and_their_connection_is_not_used_again(raw, error):
    async with ScriptedProvider((raw, HANG), answer(b"next")) as p:
        client = Client(ClientOptions())
        with pytest.raises(error):
            await call(p, client=client)
        assert (await call(p, client=client)).body.data == b"next"
        await client.close()
        assert p.connections == 2


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ((OK + b"Content-Length: 10\r\n\r\nabc", CLOSE), TruncatedReplyError),
        ((OK + b"Content-Length: 10\r\n\r\nabc", RESET), TruncatedReplyError),
        ((OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab", CLOSE), TruncatedReplyError),
        ((OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", CLOSE), TruncatedReplyError),
        ((OK + b"X-Half", CLOSE), TruncatedReplyError),
        ((b"HT", RESET), TruncatedReplyError),
        ((CLOSE,), EndUnknownError),
        ((RESET,), EndUnknownError),
    ],
)
@pytest.mark.asyncio
async def test_answers_that_break_off_are_told_from_none_at_all(script, error):
    async with ScriptedProvider(script) as p:
        with pytest.raises(error) as caught:
            await call(p, "POST", body=Body(b"x"))
    assert not caught.value.timed_out


@pytest.mark.parametrize(
    ("script", "error"),
    [((HANG,), EndUnknownError), ((OK + b"Content-Length: 9\r\n\r\nabc", HANG), TruncatedReplyError)],
)
@pytest.mark.asyncio
async def test_deadline_holds_over_the_whole_answer(script, error):
    async with ScriptedProvider(script) as p:
        began = time.monotonic()
        with pytest.raises(error) as caught:
            await call(p, seconds=0.05)
        assert caught.value.timed_out
        assert time.monotonic() - began < 2


@pytest.mark.asyncio
async def test_nothing_listening_is_not_sent():
    async with ScriptedProvider(answer()) as p:
        pass
    with pytest.raises(NotSentError):
        await call(p)


@pytest.mark.asyncio
async def test_past_deadline_is_not_sent():
    async with ScriptedProvider(answer()) as p:
        with pytest.raises(NotSentError):
            await call(p, seconds=-1)
        assert p.requests == []


@pytest.mark.parametrize(("repeatable", "sent"), [(True, 3), (False, 2)])
@pytest.mark.asyncio
async def test_stale_connection_is_replaced_only_for_what_may_be_repeated(repeatable, sent):
    async with ScriptedProvider(answer(), (CLOSE,), answer(b"again")) as p:
        client = Client(ClientOptions())
        await call(p, client=client)
        if repeatable:
            assert (await call(p, "POST", client=client, repeatable=True)).body.data == b"again"
        else:
            with pytest.raises(EndUnknownError) as caught:
                await call(p, "POST", client=client)
            assert caught.value.stale
        await client.close()
        assert len(p.requests) == sent


@pytest.mark.asyncio
async def test_connection_closed_while_idle_is_noticed_before_anything_is_sent():
    async with ScriptedProvider((*answer(b"one"), CLOSE), answer(b"two")) as p:
        client = Client(ClientOptions(connections=1))
        await call(p, client=client)
        await until(lambda: not any(pool._idle for pool in client._pools.values()))
        got = await call(p, "POST", client=client)  # not repeatable: it must not go out on the closed one
        await client.close()
        assert (got.body.data, p.connections, len(p.requests)) == (b"two", 2, 2)


SURPLUS = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"


@pytest.mark.parametrize("surplus", [SURPLUS, SURPLUS[:20], SURPLUS[:-1], b"x"])
@pytest.mark.asyncio
async def test_unasked_bytes_never_become_the_next_answer(surplus):
    async with ScriptedProvider((answer(b"one")[0] + surplus,), answer(b"two")) as p:
        client = Client(ClientOptions())
        first, second = await call(p, client=client), await call(p, client=client)
        await client.close()
    assert (first.body.data, second.body.data, p.connections) == (b"one", b"two", 2)


@pytest.mark.asyncio
async def test_bytes_while_idle_close_the_connection():
    async with ScriptedProvider(answer(b"one"), answer(b"two")) as p:
        client = Client(ClientOptions(connections=1))
        await call(p, client=client)
        p.writers[0].write(SURPLUS)
        await until(lambda: not any(pool._idle for pool in client._pools.values()))
        second = await call(p, client=client)
        await client.close()
    assert (second.body.data, p.connections) == (b"two", 2)


@pytest.mark.asyncio
async def test_idle_connections_are_closed_after_their_time():
    async with ScriptedProvider(answer()) as p:
        client = Client(ClientOptions(idle_seconds=0.02))
        await call(p, client=client)
        await until(lambda: not any(pool._idle for pool in client._pools.values()))
        await call(p, client=client)
        await client.close()
        assert p.connections == 2


@pytest.mark.asyncio
async def test_pool_keeps_its_limit_and_serves_waiters_in_turn():
    async with ScriptedProvider(answer()) as p:
        client = Client(ClientOptions(connections=3))
        got = await asyncio.gather(*[call(p, client=client) for _ in range(40)])
        await client.close()
        assert p.connections == 3
        assert len(got) == len(p.requests) == 40


@pytest.mark.asyncio
async def test_full_queue_and_waiting_too_long_are_not_sent_and_lose_no_slot():
    async with ScriptedProvider((HANG,), answer(b"ok")) as p:
        client = Client(ClientOptions(connections=1, queue=1))
        stuck = asyncio.create_task(call(p, client=client))
        await until(lambda: p.requests)
        waiting = asyncio.create_task(call(p, client=client, seconds=0.05))
        await asyncio.sleep(0)
        with pytest.raises(NotSentError) as full:
            await call(p, client=client)
        with pytest.raises(NotSentError) as late:
            await waiting
        assert full.value.busy
        assert late.value.timed_out
        after = asyncio.create_task(call(p, client=client))
        await asyncio.sleep(0)
        stuck.cancel()
        assert (await after).body.data == b"ok"
        await client.close()


@pytest.mark.asyncio
async def test_cancelled_call_closes_its_connection():
    async with ScriptedProvider((HANG,), answer(b"ok")) as p:
        client = Client(ClientOptions(connections=1))
        task = asyncio.create_task(call(p, client=client))
        await until(lambda: p.requests)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await call(p, client=client)).body.data == b"ok"
        await client.close()


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
@pytest.mark.asyncio
async def test_large_answer_goes_to_the_sink_unchanged(framing):
    body = bytes(range(256)) * 4096
    script = {
        "length": answer(body),
        "chunked": (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n"),
        "close": (b"HTTP/1.0 200 OK\r\n\r\n" + body, CLOSE),
    }[framing]
    sink = MemorySink()
    async with ScriptedProvider(script) as p:
        got = await call(p, options=ClientOptions(spool_over=64 * 1024), open_sink=lambda: sink)
    assert got.body.data is None
    assert (got.body.size, got.body.sha256) == (len(body), hashlib.sha256(body).digest())
    assert b"".join([piece async for piece in got.body.spool.chunks()]) == body
    assert sink.finished
    assert len(sink.pieces) > 1


@pytest.mark.asyncio
async def test_slow_sink_holds_the_provider_back():
    total, gate = 24 * 1024 * 1024, asyncio.Event()
    sink = MemorySink(gate)
    async with ScriptedProvider((OK + b"Content-Length: %d\r\n\r\n" % total, *[b"z" * 65536] * (total // 65536))) as p:
        client = Client(ClientOptions(spool_over=1024), open_sink=lambda: sink)
        task = asyncio.create_task(call(p, client=client))
        await until(lambda: p.requests)
        await settles(lambda: p.written)
        assert p.written < total // 2
        gate.set()
        got = await task
        await client.close()
    assert got.body.size == total


class _Transport(asyncio.Transport):
    paused = False

    def write(self, data):
        """Nobody is at the other end."""

    def is_closing(self):
        return False

    def pause_reading(self):
        self.paused = True

    def resume_reading(self):
        self.paused = False


@pytest.mark.asyncio
async def test_connection_that_was_held_back_to_the_end_is_read_again():
    gate, transport = asyncio.Event(), _Transport()
    sink = MemorySink(gate)
    limits = Limits(head=4096, body=2**20, spool_over=1024, open_sink=lambda: sink)
    connection = Connection(asyncio.get_running_loop(), limits, lambda _: None)
    connection.connection_made(transport)
    task = asyncio.create_task(connection.exchange(b"GET / HTTP/1.1\r\n\r\n", EMPTY, without_body=False, seconds=5))
    await asyncio.sleep(0)
    connection.data_received(OK + b"Content-Length: 400000\r\n\r\n" + b"z" * 2000)
    for _ in range(3):
        await asyncio.sleep(0)
    connection.data_received(b"z" * 398_000)
    assert transport.paused
    gate.set()
    await task
    assert connection.reusable
    assert not transport.paused


@pytest.mark.parametrize(
    "script",
    [
        (OK + b"Content-Length: 900000\r\n\r\n" + b"z" * 500_000, CLOSE),
        (OK + b"Content-Length: 900000\r\n\r\n" + b"z" * 500_000, HANG),
    ],
)
@pytest.mark.asyncio
async def test_sink_is_given_up_when_the_answer_breaks_off(script):
    sink = MemorySink()
    async with ScriptedProvider(script) as p:
        with pytest.raises(TruncatedReplyError):
            await call(p, options=ClientOptions(spool_over=1024), open_sink=lambda: sink, seconds=0.3)
    assert sink.aborted
    assert not sink.finished


@pytest.mark.asyncio
async def test_sink_that_cannot_take_the_answer_is_our_own_trouble():
    sink = MemorySink(room=2**16)
    async with ScriptedProvider(answer(bytes(2**20)), answer(b"next")) as p:
        client = Client(ClientOptions(spool_over=1024), open_sink=lambda: sink)
        with pytest.raises(UnstorableReplyError):
            await call(p, client=client)
        assert sink.aborted
        assert (await call(p, client=client)).body.data == b"next"
        await client.close()


@pytest.mark.asyncio
async def test_body_limit_holds_without_length_too():
    script = (OK + b"Transfer-Encoding: chunked\r\n\r\n", *[b"1000\r\n" + b"z" * 4096 + b"\r\n"] * 64)
    async with ScriptedProvider(script) as p:
        with pytest.raises(ReplyTooLargeError):
            await call(p, options=ClientOptions(body_limit=100_000))


@pytest.mark.asyncio
async def test_spooled_request_is_streamed_whole():
    pieces = [bytes([number]) * 65536 for number in range(64)]
    body = Body.spooled(MemorySpool(pieces), size=64 * 65536, sha256=b"", sha512=b"")
    async with ScriptedProvider(answer()) as p:
        await call(p, "POST", body=body)
        assert p.requests[0].endswith(b"".join(pieces))


@pytest.mark.asyncio
async def test_early_answer_ends_a_large_request_and_its_connection():
    early = OK + b"Content-Length: 2\r\n\r\nno"

    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(early)
        await asyncio.sleep(0.2)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    origin, _ = split_url(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    body = Body.spooled(MemorySpool([b"z" * 65536] * 2000), size=2000 * 65536, sha256=b"", sha512=b"")
    client = Client(ClientOptions())
    got = await client.request("POST", origin, "/", (), body, deadline=time.monotonic() + 5)
    await client.close()
    server.close()
    assert got.body.data == b"no"


@pytest.mark.parametrize("bad", ["a\r\nX: b", "a\nb", "a\rb", "a\0b", "ă"])
def test_no_field_value_can_end_its_line(bad):
    with pytest.raises(UnsendableRequestError):
        render_head("GET", ORIGIN, "/", (("X-Road-Id", bad),), EMPTY)


@pytest.mark.parametrize(
    "name", ["", "a b", "a:b", "a\r\nb", "ă", "Host", "content-length", "Transfer-Encoding", "Connection"]
)
def test_no_field_name_can_be_two_or_frame_the_message(name):
    with pytest.raises(UnsendableRequestError):
        render_head("GET", ORIGIN, "/", ((name, "1"),), EMPTY)


@pytest.mark.parametrize(
    ("method", "target"),
    [("GET", ""), ("GET", "x"), ("GET", "/a b"), ("GET", "/a\r\nb"), ("GET", "/ă"), ("G T", "/"), ("", "/")],
)
def test_method_and_target_cannot_break_the_request_line(method, target):
    with pytest.raises(UnsendableRequestError):
        render_head(method, ORIGIN, target, (), EMPTY)


@given(
    st.lists(
        st.tuples(st.sampled_from(["X-A", "X-B"]), st.text("\r\n\0\t a:%\x0b\x7f\x85éăđ\u2028", max_size=20)),
        max_size=5,
    )
)
@settings(max_examples=100, deadline=None)
def test_a_head_that_is_written_has_exactly_its_lines(fields):
    try:
        head = render_head("GET", ORIGIN, "/t", tuple(fields), EMPTY)
    except UnsendableRequestError:
        return
    lines = head.split(b"\r\n")
    assert lines[:2] == [b"GET /t HTTP/1.1", b"Host: provider.example"]
    assert [line.decode("latin-1") for line in lines[2:-2]] == [f"{name}: {value}" for name, value in fields]


@pytest.mark.parametrize(
    "url", ["ftp://a/", "http://u:p@a/", "http://a/?q", "http://a/#f", "//a", "http:///x", "http://a b/"]
)
def test_base_urls_that_are_not(url):
    with pytest.raises(ValueError):
        split_url(url)


@pytest.mark.parametrize(
    ("url", "authority", "path"),
    [
        ("http://a.example", "a.example", ""),
        ("https://a.example:443/b", "a.example", "/b"),
        ("http://[::1]:8080/", "[::1]:8080", "/"),
    ],
)
def test_origins(url, authority, path):
    origin, got = split_url(url)
    assert (origin.authority, got) == (authority, path)


@pytest.mark.asyncio
async def test_https_needs_a_context_and_a_certificate_that_it_trusts(tmp_path):
    from tests.support.tls import self_signed  # noqa: PLC0415 - only here

    server_context, trusted = self_signed(tmp_path, "127.0.0.1")
    async with ScriptedProvider(answer(b"ok"), tls=server_context) as p:
        with pytest.raises(NotSentError):
            await call(p)
        with pytest.raises(NotSentError):
            await call(p, tls=ssl.create_default_context())
        assert (await call(p, tls=trusted)).body.data == b"ok"


@given(data=st.binary(max_size=300))
@settings(max_examples=60, deadline=None)
def test_any_bytes_end_in_an_answer_or_an_error_of_ours(data):
    async def once():
        async with ScriptedProvider((b"HTTP/1.1 200 OK\r\n" + data, CLOSE)) as p:
            with contextlib.suppress(CallError):
                await call(p, seconds=2)

    asyncio.run(once())
