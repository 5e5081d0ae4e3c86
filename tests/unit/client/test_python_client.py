"""The Python client against a gateway that lies: what it sends, and that it believes nothing that is not proved."""

import aiohttp
import pytest
import pytest_asyncio

from gateway import client as motlan
from gateway.client import Call, CallFailedError
from gateway.model.envelope import Purpose
from gateway.model.errors import ExchangeError
from gateway.model.ids import parse_service
from tests.support.signed_server import CONTENT, LIES, SignedServer

pytestmark = pytest.mark.asyncio(loop_scope="module")

PORTAL = "VN/GOV/H31/portal"
CITIZEN = "VN/GOV/G01/population/citizen"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    made = SignedServer(tmp_path_factory.mktemp("client"))
    for party in (made.caller, made.other):
        party.key_file.chmod(0o600)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _honest(server):
    server.lie = ""
    server.refused.clear()
    server.seen.clear()


def opened(server, **changed):
    options = {
        "subsystem": PORTAL,
        "key": server.caller.key_file,
        "certificate": server.caller.certificate_file,
        "gateway_certificates": [server.gateway.certificate_file],
        "authorities": server.ca.certificate_file,
        "seconds": 5.0,
        **changed,
    }
    return motlan.open(server.url.origin, **options)


@pytest_asyncio.fixture(loop_scope="module")
async def client(server):
    async with opened(server) as made:
        yield made


async def test_call_signs_what_it_says_and_proves_what_it_hears(server, client):
    answer = await client.call(
        CITIZEN, {"a": "đ"}, purpose="1.001193", basis="ND-63/2024", officer="cb 7", case="000.00.01"
    )
    assert (answer.status, answer.body.data, answer.error_code) == (200, CONTENT, None)
    assert answer.json()["full_name"] == "Nguyễn Văn An"
    assert answer.proof.bound
    assert answer.receipt == "0199a5f0-0000-7000-8000-000000000002"
    assert server.refused == []
    [(head, content)] = server.seen
    assert (head.method, head.target) == ("POST", f"/r1/{CITIZEN}")
    assert content == '{"a":"đ"}'.encode()
    sent = {name: head.get(name) for name in ("x-road-client", "x-road-userid", "x-road-issue", "motlan-purpose")}
    assert sent == {
        "x-road-client": PORTAL,
        "x-road-userid": "cb 7",
        "x-road-issue": "000.00.01",
        "motlan-purpose": '"1.001193";basis="ND-63/2024"',
    }


@pytest.mark.parametrize("lie", LIES)
async def test_answer_that_is_not_the_gateways_word_is_refused(server, client, lie):
    server.lie = lie
    with pytest.raises(ExchangeError, match=r"server\.clientproxy\.answer_"):
        await client.call(CITIZEN, {"a": 1})


async def test_answer_to_an_earlier_request_is_refused(server, client, monkeypatch):
    kept = []
    honest = server.answer
    monkeypatch.setattr(server, "answer", lambda head, body: kept.append(honest(head, body)) or kept[0])
    assert (await client.call(CITIZEN, {"a": 1})).status == 200
    with pytest.raises(ExchangeError, match=r"server\.clientproxy\.answer_signature_invalid"):
        await client.call(CITIZEN, {"a": 1})


async def test_answers_are_believed_from_known_gateways_only(server):
    async with opened(server, gateway_certificates=[server.other.certificate_file]) as client:
        with pytest.raises(ExchangeError, match=r"server\.clientproxy\.answer_unsigned"):
            await client.call(CITIZEN, {"a": 1})
    both = [server.other.certificate_file, server.gateway.certificate_file]  # as while its key is changed
    async with opened(server, gateway_certificates=both) as client:
        assert (await client.call(CITIZEN, {"a": 1})).status == 200


async def test_server_of_an_unknown_authority_is_not_spoken_to(server):
    async with opened(server, authorities=None) as client:
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await client.call(CITIZEN, {"a": 1})
    assert server.seen == []


async def test_error_of_the_gateway_is_raised_with_what_it_says(server, client):
    server.lie = "error"
    with pytest.raises(CallFailedError) as caught:
        await client.call(CITIZEN, {"a": 1})
    assert caught.value.code == "server.serverproxy.access_denied"
    assert caught.value.answer.status == 403
    assert caught.value.answer.proof.bound
    answer = await client.send(Call(service=parse_service(CITIZEN)))  # the longer form returns it
    assert answer.error_code == "server.serverproxy.access_denied"


async def test_gateway_that_could_not_read_the_signature_is_still_proved(server):
    stranger = {"key": server.other.key_file, "certificate": server.other.certificate_file}
    async with opened(server, **stranger) as client:
        answer = await client.send(Call(service=parse_service(CITIZEN), body={}))
    assert (answer.status, answer.error_code) == (401, "client.signature_invalid")


@pytest.mark.parametrize(
    ("path", "query", "target"),
    [
        ("", None, ""),
        ("/a%2Fb/%C4%91", "q=%C4%91&x=1", "/a%2Fb/%C4%91?q=%C4%91&x=1"),
        ("/a;v=1", "a=b?c/d", "/a;v=1?a=b?c/d"),
        ("/%7e~", "a=%2520+b", "/%7e~?a=%2520+b"),
        ("/x", "", "/x"),
        ("/a:b@c", "[]={}|", "/a:b@c?[]={}|"),
    ],
)
async def test_target_goes_on_the_wire_as_it_was_signed(server, client, path, query, target):
    call = Call(service=parse_service(CITIZEN), method="GET", path=path, query=query)
    answer = await client.send(call)
    assert (answer.status, server.refused) == (200, [])
    [(head, content)] = server.seen
    assert (head.target, content) == (f"/r1/{CITIZEN}{target}", b"")


async def test_call_without_a_body_sends_none(server, client):
    await client.call(CITIZEN)
    [(head, content)] = server.seen
    assert content == b""
    assert head.get("content-type") is None


async def test_bytes_go_as_they_are_under_their_type(server, client):
    await client.send(Call(service=parse_service(CITIZEN), body=b"\x00\xff", content_type="application/pdf"))
    [(head, content)] = server.seen
    assert (head.get("content-type"), content) == ("application/pdf", b"\x00\xff")


async def test_every_attempt_is_signed_anew(server, client):
    call = Call(service=parse_service(CITIZEN), body={}, idempotency_key="k-1")
    await client.send(call)
    await client.send(call)
    inputs = [head.get("signature-input") for head, _ in server.seen]
    assert inputs[0] != inputs[1]
    assert {head.get("idempotency-key") for head, _ in server.seen} == {"k-1"}


async def test_nothing_is_sent_that_was_not_asked_for(server, client):
    await client.call(CITIZEN, {"a": 1})
    [(head, _)] = server.seen
    assert not {"user-agent", "accept-encoding", "cookie", "authorization"} & head.index.keys()


async def test_purposes_that_have_no_item_are_not_sent(server, client):
    with pytest.raises(ValueError, match=r"ASCII|string"):
        await client.send(Call(service=parse_service(CITIZEN), purpose=Purpose("thủ tục")))
    assert server.seen == []


@pytest.mark.parametrize(
    "wrong",
    [{}, {"service": parse_service(CITIZEN), "own_path": "/v1/x"}, {"own_path": "/v1/x", "path": "y"}],
    ids=str,
)
async def test_call_names_one_place(wrong):
    with pytest.raises(ValueError, match=r"call|path"):
        Call(**wrong)


async def test_quotes_in_a_purpose_are_escaped(server, client):
    await client.send(Call(service=parse_service(CITIZEN), purpose=Purpose('a"b\\c', "d")))
    [(head, _)] = server.seen
    assert head.get("motlan-purpose") == '"a\\"b\\\\c";basis="d"'
