"""REST providers as targets, on sockets: what is forwarded, what statuses mean, what is retried."""

import time

import pytest

from adapters.breaker import BreakerOptions
from adapters.credentials import Fixed, OAuth, TokenSource
from adapters.provider_auth import api_key
from adapters.rest.http1 import Client, ClientOptions, split_url
from adapters.rest.outbound import RestOptions, RestTarget, ServiceKind, classify
from gateway.model.message import Body
from gateway.model.outcomes import Outcome
from tests.support.adapters import RECORD, Countersigned, Known, provider, recorded
from tests.support.provider_socket import CLOSE, HANG, RESET, ScriptedProvider, answer

FIELDS = (
    ("Content-Type", "application/json"),
    ("X-Road-Client", "VN/GOV/H24/portal"),
    ("X-Road-Id", "m-1"),
    ("Motlan-Purpose", '"1.001193"'),
    ("X-Custom", "1"),
    ("X-Custom", "2"),
)
LOOKUP = RestOptions(kind=ServiceKind.LOOKUP, not_found=(404,))
WRITE = RestOptions(kind=ServiceKind.WRITE)


async def send(
    *scripts, options=LOOKUP, method="POST", seconds=5.0, sign=None, path="", query=None, more=None, **request
):
    """(reply, the scripted provider)."""
    async with ScriptedProvider(*scripts) as p:
        target = RestTarget(provider(p.url + "/api", **(more or {})), options)
        body = request.pop("body", Body(b'{"a":1}') if method == "POST" else Body(b""))
        made = recorded(
            {}, method=method, path=path, query=query, body=body, fields=request.pop("fields", FIELDS), **request
        )
        reply = await target.send(made, sign or Countersigned(), time.monotonic() + seconds)
        await target.close()
        return reply, p


@pytest.mark.asyncio
async def test_request_is_forwarded_as_received_with_our_fields_after_it():
    dropped = (
        ("Host", "evil"),
        ("User-Agent", "x"),
        ("Expect", "100-continue"),
        ("Connection", "X-Hop"),
        ("X-Hop", "1"),
        ("X-Road-Request-Id", "forged"),
        ("Motlan-Receipt", "forged"),
        ("Content-Length", "99"),
    )
    options = RestOptions(path="/svc", kind=ServiceKind.LOOKUP)
    _, p = await send(answer(), options=options, path="/p%2Fq", query="x=1&y", fields=(*FIELDS, *dropped))
    head, _, body = p.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /api/svc/p%2Fq?x=1&y HTTP/1.1"
    sent = [tuple(line.split(": ", 1)) for line in lines[1:]]
    assert sent == [
        ("Host", f"127.0.0.1:{p.port}"),
        *FIELDS,
        ("X-Road-Request-Id", RECORD),
        ("Motlan-Receipt", RECORD),
        ("Signature", "gw=:1:"),
        ("Content-Length", "7"),
    ]
    assert body == b'{"a":1}'


@pytest.mark.asyncio
async def test_message_id_is_ours_where_the_caller_sent_none():
    fields = tuple(each for each in FIELDS if each[0] != "X-Road-Id")
    _, p = await send(answer(), fields=fields, message_id=None)
    assert f"X-Road-Request-Id: {RECORD}\r\nX-Road-Id: {RECORD}\r\n".encode() in p.requests[0]


@pytest.mark.asyncio
async def test_answer_passes_as_it_is():
    body = b'{ "n": 1.10 }'
    reply, _ = await send(
        answer(
            body,
            fields=("Content-Type: application/vnd.x+json", "X-Road-Error: x", "Connection: keep-alive", "ETag: 1"),
        )
    )
    assert (reply.outcome, reply.status, reply.body.data) == (Outcome.FOUND, 200, body)
    assert reply.fields == (("Content-Type", "application/vnd.x+json"), ("ETag", "1"))


STATUSES = [
    # status, look-up, write
    (200, Outcome.FOUND, Outcome.DONE),
    (201, Outcome.FOUND, Outcome.DONE),
    (202, Outcome.FOUND, Outcome.ACCEPTED),
    (204, Outcome.FOUND, Outcome.DONE),
    (301, Outcome.INVALID_REPLY, Outcome.INVALID_REPLY),
    (302, Outcome.INVALID_REPLY, Outcome.INVALID_REPLY),
    (304, Outcome.FOUND, Outcome.INVALID_REPLY),
    (400, Outcome.REJECTED, Outcome.REJECTED),
    (401, Outcome.DENIED, Outcome.DENIED),
    (403, Outcome.DENIED, Outcome.DENIED),
    (404, Outcome.REJECTED, Outcome.REJECTED),
    (408, Outcome.UNAVAILABLE, Outcome.UNAVAILABLE),
    (409, Outcome.REJECTED, Outcome.REJECTED),
    (422, Outcome.REJECTED, Outcome.REJECTED),
    (429, Outcome.UNAVAILABLE, Outcome.UNAVAILABLE),
    (500, Outcome.UNAVAILABLE, Outcome.UNKNOWN),
    (501, Outcome.REJECTED, Outcome.REJECTED),
    (502, Outcome.UNAVAILABLE, Outcome.UNKNOWN),
    (503, Outcome.UNAVAILABLE, Outcome.UNAVAILABLE),
    (504, Outcome.UNAVAILABLE, Outcome.UNKNOWN),
    (999, Outcome.INVALID_REPLY, Outcome.INVALID_REPLY),
]


@pytest.mark.parametrize(("status", "lookup", "write"), STATUSES)
def test_what_a_status_means(status, lookup, write):
    assert classify(status, lookup=True) is lookup
    assert classify(status, lookup=False) is write


def test_not_found_is_only_what_the_service_declares():
    assert classify(404, lookup=True, not_found=(404, 410)) is Outcome.NOT_FOUND
    assert classify(410, lookup=True, not_found=(404,)) is Outcome.REJECTED
    assert classify(204, lookup=True, not_found=(204,)) is Outcome.NOT_FOUND


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.asyncio
async def test_redirects_are_neither_followed_nor_shown(status):
    reply, p = await send(answer(b"moved", status=status, fields=("Location: http://169.254.169.254/",)))
    assert (reply.outcome, reply.status, reply.fields, reply.body.size) == (Outcome.INVALID_REPLY, 0, (), 0)
    assert len(p.requests) == 1


@pytest.mark.asyncio
async def test_providers_own_error_passes_through():
    reply, _ = await send(answer(b'{"error":"x"}', status=422), options=WRITE)
    assert (reply.outcome, reply.status, reply.body.data) == (Outcome.REJECTED, 422, b'{"error":"x"}')


@pytest.mark.parametrize(
    ("script", "lookup", "write", "attempts"),
    [
        ((RESET,), Outcome.UNAVAILABLE, Outcome.UNKNOWN, 3),
        ((CLOSE,), Outcome.UNAVAILABLE, Outcome.UNKNOWN, 3),
        ((b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", CLOSE), Outcome.INVALID_REPLY, Outcome.UNKNOWN, 3),
        ((b"Unauthorized", CLOSE), Outcome.INVALID_REPLY, Outcome.UNKNOWN, 1),
        ((HANG,), Outcome.UNAVAILABLE, Outcome.UNKNOWN, 1),
        (answer(b"x", status=503), Outcome.UNAVAILABLE, Outcome.UNAVAILABLE, 3),
        (answer(b"x", status=502), Outcome.UNAVAILABLE, Outcome.UNKNOWN, 3),
        (answer(b"x", status=500), Outcome.UNAVAILABLE, Outcome.UNKNOWN, 1),
    ],
    ids=["reset", "close", "truncated", "text", "hang", "503", "502", "500"],
)
@pytest.mark.asyncio
async def test_a_write_is_sent_once_and_its_unknown_end_is_said(script, lookup, write, attempts):
    seconds = 0.1 if script == (HANG,) else 5.0
    sign = Countersigned()
    reply, p = await send(script, seconds=seconds, sign=sign)
    assert (reply.outcome, len(p.requests), len(sign.outbound)) == (lookup, attempts, attempts)
    reply, p = await send(script, options=WRITE, seconds=seconds)
    assert (reply.outcome, len(p.requests)) == (write, 1)
    idempotent = RestOptions(kind=ServiceKind.WRITE, idempotent=True)
    reply, p = await send(script, options=idempotent, seconds=seconds)
    assert (reply.outcome, len(p.requests)) == (write, attempts)


@pytest.mark.asyncio
async def test_a_write_that_could_not_be_sent_is_unavailable():
    async with ScriptedProvider(answer()) as p:
        pass
    target = RestTarget(provider(p.url), WRITE)
    reply = await target.send(recorded({}, body=Body(b"x")), Countersigned(), time.monotonic() + 5)
    assert reply.outcome is Outcome.UNAVAILABLE


@pytest.mark.asyncio
async def test_get_of_a_write_service_is_a_lookup():
    reply, p = await send((RESET,), answer(b"ok"), options=WRITE, method="GET")
    assert (reply.outcome, len(p.requests)) == (Outcome.FOUND, 2)


@pytest.mark.asyncio
async def test_retry_after_of_the_provider_is_kept_and_honoured_within_the_deadline():
    late = answer(b"", status=503, fields=("Retry-After: 30",))
    reply, p = await send(late, seconds=1)
    assert (reply.outcome, reply.retry_after, len(p.requests)) == (Outcome.UNAVAILABLE, 30, 1)
    now = answer(b"", status=503, fields=("Retry-After: 0",))
    reply, p = await send(now, answer(b"ok"))
    assert (reply.outcome, len(p.requests)) == (Outcome.FOUND, 2)


@pytest.mark.asyncio
async def test_time_out_says_so():
    reply, _ = await send((HANG,), seconds=0.05)
    assert (reply.outcome, reply.provider_code) == (Outcome.UNAVAILABLE, "timeout")


@pytest.mark.asyncio
async def test_own_time_out_holds_below_the_exchanges_deadline():
    began = time.monotonic()
    await send((HANG,), seconds=30, more={"timeout_seconds": 0.05})
    assert time.monotonic() - began < 5


@pytest.mark.asyncio
async def test_stale_connection_is_replaced_under_a_new_signature():
    sign = Countersigned()
    async with ScriptedProvider(answer(b"1"), (CLOSE,), answer(b"2")) as p:
        target = RestTarget(provider(p.url, attempts=1), LOOKUP)
        request = recorded({}, body=Body(b"x"), fields=FIELDS)
        await target.send(request, sign, time.monotonic() + 5)
        reply = await target.send(request, sign, time.monotonic() + 5)
        await target.close()
    assert (reply.body.data, len(sign.outbound)) == (b"2", 3)


@pytest.mark.asyncio
async def test_a_write_on_a_stale_connection_is_not_repeated():
    async with ScriptedProvider(answer(b"1"), (CLOSE,), answer(b"2")) as p:
        target = RestTarget(provider(p.url), WRITE)
        request = recorded({}, body=Body(b"x"), fields=FIELDS)
        await target.send(request, Countersigned(), time.monotonic() + 5)
        reply = await target.send(request, Countersigned(), time.monotonic() + 5)
        await target.close()
    assert (reply.outcome, len(p.requests)) == (Outcome.UNKNOWN, 2)


@pytest.mark.asyncio
async def test_credentials_replace_what_the_caller_sent_under_that_name():
    credentials = Fixed(lambda: api_key("ApiKey", Known("ours")))
    _, p = await send(answer(), fields=(*FIELDS, ("apikey", "theirs")), more={"credentials": credentials})
    assert b"theirs" not in p.requests[0]
    assert b"ApiKey: ours\r\n" in p.requests[0]


@pytest.mark.parametrize("path", ["/../admin", "/%2e%2e/admin", "//x", "/a\\b", "/a b"])
@pytest.mark.asyncio
async def test_no_path_leaves_the_base(path):
    reply, p = await send(answer(), path=path)
    assert (reply.outcome, p.requests) == (Outcome.REJECTED, [])


@pytest.mark.asyncio
async def test_header_injection_sends_nothing():
    reply, p = await send(answer(), fields=(("X-A", "1\r\nX-B: 2"),))
    assert (reply.outcome, p.requests) == (Outcome.REJECTED, [])


@pytest.mark.asyncio
async def test_breaker_is_shared_by_the_services_of_a_provider():
    async with ScriptedProvider((RESET,)) as p:
        shared = provider(p.url, attempts=1, breaker=BreakerOptions(minimum_calls=3))
        one, other = RestTarget(shared, LOOKUP), RestTarget(shared, WRITE)
        request = recorded({}, body=Body(b"x"))
        for _ in range(3):
            await one.send(request, Countersigned(), time.monotonic() + 5)
        reply = await other.send(request, Countersigned(), time.monotonic() + 5)
        await one.close()
        assert (reply.outcome, reply.retry_after, len(p.requests)) == (Outcome.UNAVAILABLE, 5, 3)


@pytest.mark.asyncio
async def test_our_own_full_queue_does_not_open_the_breaker():
    async with ScriptedProvider(answer()) as p:
        shared = provider(p.url, queue=0, connections=1, attempts=1, breaker=BreakerOptions(minimum_calls=1))
        target = RestTarget(shared, LOOKUP)
        pool = shared._client._pool(shared._origin)
        pool._open = 1  # as if the one connection were in use
        reply = await target.send(recorded({}, body=Body(b"x")), Countersigned(), time.monotonic() + 5)
        assert (reply.outcome, shared.state) == (Outcome.UNAVAILABLE, "closed")
        await target.close()


@pytest.mark.asyncio
async def test_wrong_credentials_are_denied_each_time_and_do_not_open_the_breaker():
    async with ScriptedProvider(answer(b'{"error":"invalid_client"}', status=401)) as p:
        origin, _ = split_url(p.url)
        fetching = Client(ClientOptions())
        credentials = OAuth(TokenSource(origin=origin, path="/token", client_id="m"), Known("x"), fetching)
        shared = provider(p.url, credentials=credentials, breaker=BreakerOptions(minimum_calls=1))
        target = RestTarget(shared, WRITE)
        for _ in range(3):
            reply = await target.send(recorded({}, body=Body(b"x")), Countersigned(), time.monotonic() + 5)
            assert (reply.outcome, shared.state) == (Outcome.DENIED, "closed")
        await fetching.close()
        await target.close()
        assert len(p.requests) == 3


@pytest.mark.asyncio
async def test_head_and_empty_answers():
    reply, p = await send((b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n",), method="HEAD")
    assert (reply.outcome, reply.body.size) == (Outcome.FOUND, 0)
    assert b"Content-Length" not in p.requests[0]
