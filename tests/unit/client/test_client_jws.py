"""The Python client with ``Motlan-JWS``: what it sends is proved, and it believes nothing that is not."""

import datetime as dt

import aiohttp
import pytest

from gateway import client as motlan
from gateway.client import Call, Scheme
from gateway.client.session import Client
from gateway.model.errors import ExchangeError
from gateway.model.ids import parse_service, parse_subsystem
from gateway.model.instant import from_datetime
from gateway.model.message import AnswerHead, Body
from gateway.signing.digest import content_digest, verify_content_digest
from gateway.signing.message_jws import digested, parse_message_jws, verify_message_jws
from gateway.signing.message_jws_sign import sign_message_jws_response
from tests.support.signed_server import CONTENT, SignedServer

pytestmark = pytest.mark.asyncio(loop_scope="module")

PORTAL = "VN/GOV/H31/portal"
CITIZEN = "VN/GOV/G01/population/citizen"
PREFILL = "VN/GOV/G22/motlan/prefill"


class JwsServer(SignedServer):
    """Verifies and answers as the gateway does, in JWS only."""

    def answer(self, head, content):
        now = from_datetime(dt.datetime.now(dt.UTC))
        self.seen.append((head, content))
        service = parse_service(PREFILL if head.target.startswith("/v1/") else CITIZEN)
        proof = verify_message_jws(
            head, parse_message_jws(head), self.caller.public, client=parse_subsystem(PORTAL), service=service,
            public_url=self.url, has_body=bool(content), now=now,
        )  # fmt: skip
        verify_content_digest(digested(head, proof), Body(content))
        fields = (("Content-Type", "application/json"), ("Motlan-Receipt", "0199a5f0-0000-7000-8000-000000000002"))
        answer = AnswerHead(status=200, fields=(*fields, ("Content-Digest", content_digest(Body(CONTENT)))))
        key = (self.other if self.lie == "other key" else self.gateway).private
        request = proof if self.lie != "other request" else proof.signature + "x"
        made = sign_message_jws_response(answer, Body(CONTENT), request=request, key=key, now=now)
        jws = () if self.lie == "unsigned" else (("Motlan-JWS", made.value),)
        body = CONTENT.replace(b"FOUND", b"fOUND") if self.lie == "body" else CONTENT
        return AnswerHead(status=201 if self.lie == "status" else 200, fields=(*answer.fields, *jws)), body


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    made = JwsServer(tmp_path_factory.mktemp("jws"))
    made.caller.key_file.chmod(0o600)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _honest(server):
    server.lie = ""
    server.seen.clear()


def opened(server, **changed):
    options = {
        "subsystem": PORTAL,
        "key": server.caller.key_file,
        "certificate": server.caller.certificate_file,
        "gateway_certificates": [server.gateway.certificate_file],
        "authorities": server.ca.certificate_file,
        "seconds": 5.0,
        "scheme": Scheme.JWS,
        **changed,
    }
    return motlan.open(server.url.origin, **options)


async def test_call_is_signed_with_a_jws_and_its_answer_proved(server):
    async with opened(server) as client:
        answer = await client.call(CITIZEN, {"a": "đ"}, purpose="1.001193", officer="cb 7")
    assert (answer.status, answer.json()["outcome"], answer.proof.bound) == (200, "FOUND", True)
    [(head, _)] = server.seen
    assert head.get("signature") is None
    assert head.get("content-digest") is not None


async def test_own_path_needs_the_service_behind_it(server):
    async with opened(server) as client:
        with pytest.raises(ValueError, match=r"names the service"):
            await client.send(Call(own_path="/v1/prefill", body={}))
        call = Call(own_path="/v1/prefill", audience=parse_service(PREFILL), body={})
        assert (await client.send(call)).status == 200


@pytest.mark.parametrize("lie", ["other key", "other request", "unsigned", "body", "status"])
async def test_answer_that_is_not_the_gateways_word_is_refused(server, lie):
    server.lie = lie
    async with opened(server) as client:
        with pytest.raises(ExchangeError, match=r"server\.clientproxy\.answer_"):
            await client.call(CITIZEN, {"a": 1})


async def test_answer_beyond_the_limit_is_not_read(server):
    async with opened(server) as client:
        small = Client(
            client._http, gateway=server.url.origin, subsystem=parse_subsystem(PORTAL), key=client._key,
            keys=client._keys, language="en", scheme=Scheme.JWS, limit=10,
        )  # fmt: skip
        with pytest.raises(aiohttp.ClientPayloadError, match=r"more than 10 bytes"):
            await small.call(CITIZEN, {"a": 1})
