"""Motlan-JWS through a real gateway: answered in kind, recorded, used once, and never beside another signature."""

import base64
import hashlib
import json
import secrets

import aiohttp
import pytest
import pytest_asyncio

from gateway.client import Call, Scheme
from gateway.client.session import now
from gateway.model.envelope import Purpose
from gateway.model.message import Body
from gateway.ports import Outbound
from gateway.signing.http_sig_sign import sign_request
from gateway.signing.message_jws_sign import sign_message_jws
from tests.support.exchanges import connect, exchange_of
from tests.support.gateways import BASIS, ECHO, OTHER, PORTAL, PURPOSE, make_site, running
from tests.support.provider_socket import ScriptedProvider, answer

pytestmark = pytest.mark.asyncio(loop_scope="module")

BODY = Body(b'{"a":1}')


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gate(tmp_path_factory):
    async with ScriptedProvider(answer(b'{"found":true}', fields=("Content-Type: application/json",))) as provider:
        site = make_site(tmp_path_factory.mktemp("jws"), provider.url)
        async with running(site):
            yield site, provider


def signed(site, *, client=PORTAL, service=ECHO, jti=None, digest=True, key=PORTAL, body=BODY, said=None, extra=()):
    """A request as a JOSE stack sends it: method, URL, headers, body."""
    fields = (
        ("X-Road-Client", str(said or client)),
        ("Motlan-Purpose", f'"{PURPOSE}";basis="{BASIS}"'),
        ("Content-Type", "application/json"),
        *extra,
    )
    plain = Outbound(method="POST", url=f"{site.url}/r1/{ECHO}", fields=fields, body=body)
    sent = sign_message_jws(
        plain, client=client, service=service, key=site.key(key), now=now(), jti=jti or secrets.token_urlsafe(24)
    )
    return [(name, value) for name, value in sent.head.fields if digest or name != "Content-Digest"]


async def post(site, fields, data=BODY.data):
    async with aiohttp.ClientSession() as http, http.post(f"{site.url}/r1/{ECHO}", headers=fields, data=data) as given:
        return given.status, given.headers, await given.read()


def stated(headers):
    header, payload, _ = headers["Motlan-JWS"].split(".")
    return [json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))) for part in (header, payload)]


async def test_client_with_jose_alone_gets_a_proved_answer_that_is_on_record(gate):
    site, _ = gate
    async with connect(site, PORTAL, scheme=Scheme.JWS) as client:
        given = await client.send(Call(service=ECHO, body={"a": 1}, purpose=Purpose(PURPOSE, BASIS)))
    assert (given.status, given.json(), given.proof.bound) == (200, {"found": True}, True)
    assert given.head.get("signature") is None
    asked, _ = exchange_of(site, given.receipt)
    assert asked["signed_by"] == "caller"
    values = [value for _, value in asked.private]
    assert given.sent.signed.members.signature in values


@pytest.mark.parametrize("digest", [True, False])
async def test_content_digest_may_be_left_to_the_claims(gate, digest):
    site, _ = gate
    fields = signed(site, digest=digest)
    status, headers, content = await post(site, fields)
    header, claims = stated(headers)
    compact = dict(fields)["Motlan-JWS"]
    assert (status, content) == (200, b'{"found":true}')
    assert header["typ"] == "motlan-response+jwt"
    bound = base64.urlsafe_b64encode(hashlib.sha256(compact.encode()).digest()).rstrip(b"=").decode()
    assert claims["request_sha256"] == bound
    assert "Signature" not in headers
    status, headers, _ = await post(site, signed(site, digest=digest), b'{"a":2}')
    assert (status, headers["X-Road-Error"]) == (400, "client.digest_mismatch")


async def test_same_jws_serves_once(gate):
    site, provider = gate
    fields, before = signed(site), len(provider.requests)
    assert (await post(site, fields))[0] == 200
    status, headers, _ = await post(site, fields)
    assert (status, headers["X-Road-Error"]) == (409, "client.replayed_nonce")
    assert stated(headers)[1]["signed"]["status"] == 409
    assert len(provider.requests) == before + 1


async def test_a_jti_is_no_nonce_of_the_other_scheme(gate):
    site, _ = gate
    shared = secrets.token_urlsafe(24)
    assert (await post(site, signed(site, jti=shared)))[0] == 200
    fields = tuple(pair for pair in signed(site, digest=False) if pair[0] != "Motlan-JWS")
    plain = Outbound(method="POST", url=f"{site.url}/r1/{ECHO}", fields=fields, body=BODY)
    sent = sign_request(plain, key=site.key(), now=now(), nonce=shared)
    assert (await post(site, list(sent.head.fields)))[0] == 200


REFUSED = {
    "two schemes": ({"extra": (("Signature", "sig1=:AAAA:"),)}, "client.bad_header"),
    "another's name in the header": ({"said": OTHER}, "client.key_of_another_subsystem"),
    "another's name in both": ({"client": OTHER}, "client.key_of_another_subsystem"),
    "another's key and name": ({"key": OTHER}, "client.key_of_another_subsystem"),
    "for another service": ({"service": type(ECHO)("VN", "GOV", "G15", "registry", "write")}, "client.jws_mismatch"),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_refused_with_nothing_forwarded(gate, case):
    site, provider = gate
    changed, code = REFUSED[case]
    before = len(provider.requests)
    status, headers, _ = await post(site, signed(site, **changed))
    assert headers["X-Road-Error"] == code
    assert status in {400, 401, 403}
    assert len(provider.requests) == before


async def test_refusal_of_what_cannot_be_read_is_signed_over_the_very_header(gate):
    site, _ = gate
    fields = [(n, "not.a.jws" if n == "Motlan-JWS" else v) for n, v in signed(site)]
    status, headers, _ = await post(site, fields)
    header, claims = stated(headers)
    assert (status, headers["X-Road-Error"]) == (400, "client.jws_malformed")
    assert header["typ"] == "motlan-response+jwt"
    assert "request_jti" not in claims
    bound = base64.urlsafe_b64encode(hashlib.sha256(b"not.a.jws").digest()).rstrip(b"=").decode()
    assert claims["request_sha256"] == bound


async def test_provider_is_not_told_the_callers_jws(gate):
    site, provider = gate
    assert (await post(site, signed(site)))[0] == 200
    sent = provider.requests[-1].lower()
    assert b"motlan-jws" not in sent
    assert b'tag="motlan-gateway"' in sent
    assert sent.count(b"content-digest:") == 1
