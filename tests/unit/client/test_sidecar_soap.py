"""The sidecar's SOAP half: an unsigned envelope goes out signed, and only the proved part of an answer comes back."""

import base64
import contextlib

import pytest
import pytest_asyncio
from aiohttp import web
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.client.believed import KnownGateways
from gateway.client.session import now, transport
from gateway.client.sidecar import Settings
from gateway.client.sidecar_soap import SoapSidecar
from gateway.keys.file import load_signing_key
from gateway.model.errors import ExchangeError
from gateway.model.ids import parse_subsystem
from gateway.model.instant import Instant
from gateway.model.message import Body, Head
from gateway.signing.wsse import parse_security, verify_envelope
from gateway.signing.wsse_sign import sign_envelope
from tests.support.signed_server import Party

pytestmark = pytest.mark.asyncio(loop_scope="module")

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
ASKED = (
    f'<s:Envelope xmlns:s="{SOAP}"><s:Header><x:id xmlns:x="http://x-road.eu/xsd/xroad.xsd">7</x:id></s:Header>'
    '<s:Body><c:citizen xmlns:c="urn:c"><c:name>Nguyễn Văn An</c:name></c:citizen></s:Body></s:Envelope>'
).encode()
GIVEN = (
    f'<s:Envelope xmlns:s="{SOAP}"><s:Header/><s:Body><c:citizenResponse xmlns:c="urn:c">FOUND</c:citizenResponse>'
    "</s:Body></s:Envelope>"
).encode()
HEAD = Head(method="POST", target="/soap", fields=(("Content-Type", "text/xml; charset=utf-8"), ("SOAPAction", '""')))


class Gateway:
    """Proves what comes, signs what goes; lies on request."""

    def __init__(self, folder) -> None:
        self.ca = Party(folder, "ca")
        self.caller, self.key, self.other = (Party(folder, name, self.ca) for name in ("caller", "gateway", "other"))
        self.caller.key_file.chmod(0o600)
        self.lie, self.seen, self.actions = "", [], []

    def signer(self, party):
        party.key_file.chmod(0o600)
        return load_signing_key(party.key_file, party.certificate_file)

    async def answer(self, request):
        sent = await request.read()
        security = parse_security(sent)
        self.seen.append(verify_envelope(security, self.caller.public, now=now()).envelope)
        self.actions.append(request.headers.get("SOAPAction"))
        confirms = base64.b64encode(security.signature).decode()
        at = now() if self.lie != "old" else Instant(now() - 3_600_000_000)
        made = sign_envelope(
            GIVEN, key=self.signer(self.other if self.lie == "other key" else self.key), now=at, nonce=b"x" * 16,
            confirms={"unbound": None, "other request": base64.b64encode(b"x" * 64).decode()}.get(self.lie, confirms),
        ).envelope  # fmt: skip
        body = {"unsigned": GIVEN, "changed": made.replace(b"FOUND", b"fOUND"), "garbage": b"<a"}.get(self.lie, made)
        added = b"<a:b xmlns:a='urn:a'>not signed</a:b></s:Header>"
        body = body.replace(b"</s:Header>", added) if self.lie == "block added" else body
        kind = "text/html" if self.lie == "html" else "text/xml"
        return web.Response(body=body, headers={"Content-Type": kind})


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    return Gateway(tmp_path_factory.mktemp("soap"))


@contextlib.asynccontextmanager
async def _served(gateway):
    runner = web.ServerRunner(web.Server(gateway.answer, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest_asyncio.fixture(loop_scope="module")
async def soap(gateway):
    gateway.lie = ""
    gateway.seen.clear()
    gateway.actions.clear()
    der = gateway.key.certificate.public_bytes(Encoding.DER)
    async with _served(gateway) as url, transport(None, seconds=5.0) as http:
        settings = Settings(gateway=url, subsystem=parse_subsystem("VN/GOV/H31/portal"), language="en", limit=50_000)
        yield SoapSidecar(http, settings, gateway.signer(gateway.caller), KnownGateways((der,)))


async def test_envelope_goes_out_signed_and_the_proved_answer_comes_back(gateway, soap):
    answer = await soap(HEAD, Body(ASKED))
    assert (answer.status, answer.content_type) == (200, "text/xml")
    assert b"FOUND</c:citizenResponse>" in answer.body
    assert b"Security" not in answer.body
    [proved] = gateway.seen
    assert "Nguyễn Văn An".encode() in proved
    assert gateway.actions == ['""']


async def test_the_same_envelope_is_signed_anew_each_time(gateway, soap):
    assert [(await soap(HEAD, Body(ASKED))).status for _ in range(3)] == [200] * 3
    assert len(gateway.seen) == 3


@pytest.mark.parametrize(
    "lie", ["unsigned", "changed", "other key", "other request", "unbound", "old", "garbage", "html"]
)
async def test_answer_that_is_not_proved_becomes_a_fault(gateway, soap, lie):
    gateway.lie = lie
    answer = await soap(HEAD, Body(ASKED))
    assert answer.status == 502
    assert answer.status >= 400
    assert b"<faultcode>" in answer.body
    assert b"citizenResponse" not in answer.body


async def test_block_that_nobody_signed_does_not_come_back(gateway, soap):
    gateway.lie = "block added"
    answer = await soap(HEAD, Body(ASKED))
    assert b"not signed" not in answer.body


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/related", ASKED),
        (None, ASKED),
        ("text/xml", b"<a"),
        ("text/xml", b"<!DOCTYPE a><a/>"),
        ("text/xml", b""),
    ],
)
async def test_what_is_no_envelope_is_not_sent(gateway, soap, kind, body):
    fields = () if kind is None else (("Content-Type", kind),)
    answer = await soap(Head(method="POST", target="/soap", fields=fields), Body(body))
    assert answer.status >= 400
    assert b"<faultcode>client." in answer.body
    assert gateway.seen == []


async def test_certificates_of_strangers_are_not_believed(gateway):
    known = KnownGateways((gateway.other.certificate.public_bytes(Encoding.DER),))
    made = sign_envelope(GIVEN, key=gateway.signer(gateway.key), now=now(), nonce=b"x" * 16).envelope
    with pytest.raises(ExchangeError):
        known.envelope(made, now=now(), confirms=None)
