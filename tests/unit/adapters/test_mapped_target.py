"""The target that follows a mapping: sessions, calls one after the other, signed envelopes, what it never does."""

import asyncio
import time

import pytest
from msgspec.structs import replace

from adapters.mapped import MappedOptions, MappedTarget
from adapters.mapped_answer import PARSERS
from adapters.mapped_session import Sessions
from adapters.provider import Failed, ProviderOptions
from adapters.rest.failures import CredentialsRefusedError, NotSentError
from adapters.rest.http1 import Response
from gateway.mapping.compile import Mapping
from gateway.model.errors import ExchangeError
from gateway.model.errors.provider import INVALID_REPLY
from gateway.model.jsontext import encode
from gateway.model.message import Body
from gateway.model.outcomes import Outcome
from tests.support.adapters import NOON, RECORD, Countersigned, Known, contract, mapping_file, recorded
from tests.support.mappings import SMALL, compiled

PORTAL = """\
[contract]
protocol = "rest"

[request.login]
fields = [{ to = "username", from = "user" }, { to = "password", from = "secret" }]

[request.dossier]
fields = [{ to = "session", from = "session" }, { to = "MaHoSo", from = "/code", required = true }]

[[outcome]]
field = "error_code"
values = { "0" = "FINE", "-2" = "STALE_SESSION", "-1" = "DENIED" }

[login]
path = "/login"
request = ["login"]
session = "session"
error = "error_code"
lifetime_seconds = 60

[[operation]]
kind = "write"

[[operation.call]]
path = "/mapi/g"
request = ["dossier"]
"""
OK = {"error_code": "0"}
STALE = {"error_code": "-2"}
DOSSIER = {"code": "H24-1"}


def response(document, status=200):
    return Response(status=status, fields=(), body=Body(encode(document)))


class Desk:
    """A provider, and the client behind its login. answers: to calls, in order."""

    def __init__(self, *answers, logins=()):
        self.answers = list(answers)
        self.logins = list(logins)
        self.sent, self.opened = [], []
        self.credentials = None
        self.options = ProviderOptions(base_url="http://desk.example")
        self.closed = False

    async def call(self, request, countersign, deadline):
        self.sent.append(request)
        answer = self.answers.pop(0)
        return answer if isinstance(answer, Failed | Response) else response(answer)

    async def request(self, method, origin, target, fields, body, *, deadline, repeatable):
        await asyncio.sleep(0)
        self.opened.append((target, body.data))
        answer = self.logins.pop(0) if self.logins else {"error_code": "0", "session": f"s{len(self.opened)}"}
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, Response) else response(answer)

    async def close(self):
        self.closed = True


class Time:
    now = 1000.0

    def __call__(self):
        return self.now


def portal(folder, *answers, logins=()):
    desk, clock = Desk(*answers, logins=logins), Time()
    desk.credentials = Sessions("motlan", Known("pässwörd"), desk, "https://p.example/api", monotonic=clock)
    return MappedTarget(desk, compiled(folder, PORTAL), now=lambda: NOON), desk, clock


async def send(target, document=DOSSIER, **more):
    return await target.send(recorded(document, **more), Countersigned(), time.monotonic() + 5)


def sessions(desk):
    return [request.body.data.partition(b'"session":"')[2][:2] for request in desk.sent]


@pytest.mark.asyncio
async def test_one_session_serves_many_calls_until_it_is_too_old(tmp_path):
    target, desk, clock = portal(tmp_path, *[OK] * 6)
    replies = await asyncio.gather(*[send(target) for _ in range(4)])
    assert {reply.outcome for reply in replies} == {Outcome.DONE}
    assert desk.opened == [("/api/login", '{"username":"motlan","password":"pässwörd"}'.encode())]
    clock.now += 59
    await send(target)
    assert len(desk.opened) == 1
    clock.now += 2
    await send(target)
    assert sessions(desk) == [b"s1"] * 5 + [b"s2"]


@pytest.mark.asyncio
async def test_a_stale_session_is_opened_again_and_the_call_repeated_once(tmp_path):
    target, desk, _ = portal(tmp_path, STALE, OK, OK)
    assert (await send(target)).outcome is Outcome.DONE
    assert (await send(target)).outcome is Outcome.DONE
    assert sessions(desk) == [b"s1", b"s2", b"s2"]


@pytest.mark.asyncio
async def test_a_session_that_is_stale_again_is_denied_and_nothing_loops(tmp_path):
    target, desk, _ = portal(tmp_path, *[STALE] * 5)
    assert (await send(target)).outcome is Outcome.DENIED
    assert sessions(desk) == [b"s1", b"s2"]


@pytest.mark.asyncio
async def test_one_callers_stale_session_does_not_throw_away_a_newer_one(tmp_path):
    _, desk, _ = portal(tmp_path)
    login, held = compiled(tmp_path, PORTAL).login, desk.credentials
    first = await held.session(login, 5.0)
    held.forget(first)
    second = await held.session(login, 5.0)
    held.forget(first)
    assert (first, second, await held.session(login, 5.0)) == ("s1", "s2", "s2")


@pytest.mark.parametrize(
    ("login", "outcome"),
    [
        ({"error_code": "7", "session": "s"}, Outcome.DENIED),
        ({"error_code": "0"}, Outcome.DENIED),
        ({"error_code": "0", "session": "a\r\nb"}, Outcome.DENIED),
        (response({}, 401), Outcome.DENIED),
        (response({}, 500), Outcome.UNAVAILABLE),
        (Response(status=200, fields=(), body=Body(b"<html>")), Outcome.UNAVAILABLE),
        (CredentialsRefusedError("no"), Outcome.DENIED),
        (NotSentError("down"), Outcome.UNAVAILABLE),
    ],
)
@pytest.mark.asyncio
async def test_a_login_that_fails_sends_nothing_and_is_tried_again(tmp_path, login, outcome):
    target, desk, _ = portal(tmp_path, OK, logins=[login])
    assert (await send(target)).outcome is outcome
    assert desk.sent == []
    assert (await send(target)).outcome is Outcome.DONE


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (Failed(sent=True), Outcome.UNKNOWN),
        (Failed(sent=True, timed_out=True), Outcome.UNKNOWN),
        (Failed(sent=False), Outcome.UNAVAILABLE),
        (Failed(sent=True, broken=True), Outcome.UNKNOWN),
        (response({}, 500), Outcome.UNKNOWN),
        (Response(status=200, fields=(), body=Body(b"oops")), Outcome.UNKNOWN),
        ({"error_code": "-1"}, Outcome.DENIED),
        ({"error_code": "9"}, Outcome.REJECTED),
    ],
)
@pytest.mark.asyncio
async def test_the_end_of_a_write_is_never_guessed_and_a_write_never_repeated(tmp_path, answer, outcome):
    target, desk, _ = portal(tmp_path, answer)
    assert (await send(target)).outcome is outcome
    assert [request.repeatable for request in desk.sent] == [False]


@pytest.mark.asyncio
async def test_a_write_answers_with_an_empty_object(tmp_path):
    target, _, _ = portal(tmp_path, OK)
    reply = await send(target)
    assert (reply.status, reply.body.data, reply.document) == (200, b"{}", {})


@pytest.mark.parametrize("more", [{"path": "/x"}, {"method": "GET"}, {"document": {}}, {"document": ["x"]}])
@pytest.mark.asyncio
async def test_what_is_no_operation_or_no_request_is_rejected_here(tmp_path, more):
    target, desk, _ = portal(tmp_path)
    assert (await send(target, more.pop("document", DOSSIER), **more)).outcome is Outcome.REJECTED
    assert desk.sent == []


def population(*answers, **changes):
    desk = Desk(*answers)
    document = mapping_file("population.toml").document
    changed = Mapping(replace(document, contract=replace(document.contract, **changes)), PARSERS)
    return MappedTarget(desk, changed, contract=contract(), options=MappedOptions(), now=lambda: NOON), desk


class Signing(Countersigned):
    """Signs envelopes by a mark, and opens answers that have one."""

    def envelope(self, envelope, attachments=()):
        return envelope + b"<!--signed-->"

    def opened(self, answer, attachments=()):
        if not answer.endswith(b"<!--theirs-->"):
            raise ExchangeError(INVALID_REPLY, "unsigned")
        return answer.removesuffix(b"<!--theirs-->")


NOBODY = (
    b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
    b'<CongdanCollection xmlns="http://www.mic.gov.vn/dancu/1.0"/></s:Body></s:Envelope>'
)


@pytest.mark.parametrize(
    ("answer", "outcome"), [(NOBODY + b"<!--theirs-->", Outcome.NOT_FOUND), (NOBODY, Outcome.INVALID_REPLY)]
)
@pytest.mark.asyncio
async def test_a_signed_contract_signs_requests_and_takes_no_unsigned_answer(answer, outcome):
    target, desk = population(Response(status=200, fields=(), body=Body(answer)), signed=True)
    request = recorded({"identity_number": "001190000001"})
    reply = await target.send(request, Signing(), time.monotonic() + 5)
    assert reply.outcome is outcome
    assert desk.sent[0].body.data.endswith(b"<!--signed-->")


@pytest.mark.asyncio
async def test_an_answer_that_its_schema_does_not_allow_is_invalid():
    more = NOBODY.replace(b"/></s:Body>", b"><Extra>1</Extra></CongdanCollection></s:Body>")
    target, _ = population(Response(status=200, fields=(), body=Body(more)))
    assert (await send(target, {"identity_number": "001190000001"})).outcome is Outcome.INVALID_REPLY


@pytest.mark.asyncio
async def test_calls_follow_only_good_ones_and_hand_values_on(tmp_path):
    text = SMALL.replace(
        "[[operation.call]]",
        '[[operation.call]]\npath = "/so"\nrequest = ["owner"]\nkeep = [{ name = "so", from = "kq/so" }]\n\n[[operation.call]]',
    ).replace('{ to = "canBo"', '{ to = "so", from = "kept.so" },\n  { to = "canBo"')
    # the part is shared by both calls: before anything is kept, its field is left out
    text = text.replace('path = "/so"\nrequest = ["owner"]', 'path = "/so"\nrequest = ["first"]').replace(
        "[shape.card]", '[request.first]\nfields = [{ to = "id", from = "record" }]\n\n[shape.card]'
    )
    found = {"duLieu": {"soThe": "X", "soDinhDanh": "001190000001"}}
    desk = Desk({"kq": {"so": "77"}}, found, {"kq": {}}, {"maLoi": "401"})
    target = MappedTarget(desk, compiled(tmp_path, text), now=lambda: NOON)
    number = {"identity_number": "001190000001"}
    assert [(await send(target, number)).outcome for _ in range(3)] == [
        Outcome.FOUND,
        Outcome.NOT_FOUND,
        Outcome.DENIED,
    ]
    assert [request.path for request in desk.sent] == ["/so", "/the", "/so", "/so"]
    assert desk.sent[0].body.data == encode({"id": RECORD})
    assert b'"so":"77"' in desk.sent[1].body.data
