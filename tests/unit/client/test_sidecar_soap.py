"""The sidecar's SOAP half: an unsigned envelope goes out signed, and only the proved part of an answer comes back."""

import base64
import contextlib
import hashlib
import uuid
import xml.etree.ElementTree as ET

import pytest
import pytest_asyncio
from aiohttp import web
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.client.believed import KnownGateways
from gateway.client.session import now, transport
from gateway.client.sidecar_settings import Plain, Settings
from gateway.client.sidecar_soap import SoapSidecar
from gateway.keys.file import load_signing_key
from gateway.model.errors import ExchangeError
from gateway.model.ids import parse_service, parse_subsystem
from gateway.model.instant import Instant
from gateway.model.message import Body, Head, Part
from gateway.signing.wsse import check_attachments, parse_security, verify_envelope
from gateway.signing.wsse_sign import sign_envelope
from gateway.validation.mime import split
from tests.support.signed_server import Party
from tests.support.xroad_soap import opened, with_attachments

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
FAULT = (
    f'<s:Envelope xmlns:s="{SOAP}"><s:Body><s:Fault><faultcode>client.unknown_key</faultcode><faultstring>no</faultstring>'
    "</s:Fault></s:Body></s:Envelope>"
).encode()
PLAIN_ASKED = ASKED.replace(b'<x:id xmlns:x="http://x-road.eu/xsd/xroad.xsd">7</x:id>', b"")
INCLUDE = '<x:Include xmlns:x="http://www.w3.org/2004/08/xop/include" href="cid:{}"/>'
NAMED = "/soap/VN/GOV/G01/population/citizen"
HEAD = Head(method="POST", target="/soap", fields=(("Content-Type", "text/xml; charset=utf-8"), ("SOAPAction", '""')))


class Gateway:
    """Proves what comes, signs what goes; lies on request."""

    def __init__(self, folder) -> None:
        self.ca = Party(folder, "ca")
        self.caller, self.key, self.other = (Party(folder, name, self.ca) for name in ("caller", "gateway", "other"))
        self.caller.key_file.chmod(0o600)
        self.lie, self.seen, self.actions = "", [], []
        self.given, self.parts = GIVEN, {}

    def signer(self, party):
        party.key_file.chmod(0o600)
        return load_signing_key(party.key_file, party.certificate_file)

    async def answer(self, request):
        body = await request.read()
        parts = split(request.headers["Content-Type"], body) if body.startswith(b"--") else ()
        sent = parts[0].data if parts else body
        security = parse_security(sent)
        proof = verify_envelope(security, self.caller.public, now=now())
        check_attachments(proof.direct, parts)
        self.seen.append(proof.envelope)
        self.actions.append(request.headers.get("SOAPAction"))
        confirms = base64.b64encode(security.signature).decode()
        at = now() if self.lie != "old" else Instant(now() - 3_600_000_000)
        made = sign_envelope(
            self.given, key=self.signer(self.other if self.lie == "other key" else self.key), now=at, nonce=b"x" * 16,
            confirms={"unbound": None, "other request": base64.b64encode(b"x" * 64).decode()}.get(self.lie, confirms),
            attachments=tuple(part(name, data) for name, data in self.parts.items()),
        ).envelope  # fmt: skip
        body = {"unsigned": GIVEN, "changed": made.replace(b"FOUND", b"fOUND"), "garbage": b"<a"}.get(self.lie, made)
        added = b"<a:b xmlns:a='urn:a'>not signed</a:b></s:Header>"
        body = body.replace(b"</s:Header>", added) if self.lie == "block added" else body
        kind = "text/html" if self.lie == "html" else "text/xml"
        if self.parts:
            kind, body = with_attachments(body, LIES_OF_PARTS.get(self.lie, dict)(self.parts))
        return web.Response(body=body, headers={"Content-Type": kind})


LIES_OF_PARTS = {
    "part changed": lambda parts: {name: data[:-1] + b"?" for name, data in parts.items()},
    "part added": lambda parts: parts | {"more": b"1"},
    "part dropped": lambda parts: dict(list(parts.items())[1:]),
    "parts swapped": lambda parts: dict(zip(parts, reversed(parts.values()), strict=True)),
}


def part(name, data):
    fields = (("Content-ID", f"<{name}>"),)
    return Part(fields=fields, offset=0, size=len(data), sha256=hashlib.sha256(data).digest(), data=data)


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
    gateway.lie, gateway.given, gateway.parts = "", GIVEN, {}
    gateway.seen.clear()
    gateway.actions.clear()
    der = gateway.key.certificate.public_bytes(Encoding.DER)
    async with _served(gateway) as url, transport(None, seconds=5.0) as http:
        plain = Plain(purpose="1.001193", officer_element="name/code", case_element="case")
        settings = Settings(
            gateway=url, subsystem=parse_subsystem("VN/GOV/H31/portal"), language="en", limit=50_000, plain=plain
        )
        yield SoapSidecar(http, settings, gateway.signer(gateway.caller), KnownGateways((der,)), split)


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


# -- callers of plain SOAP ---------------------------------------------------------------------------------------------


def plain_head(kind="text/xml", target=NAMED):
    return Head(method="POST", target=target, fields=(("Content-Type", kind),))


def given(answer):
    """What a plain program makes of an answer."""
    return opened(answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.body, b"")


async def test_plain_envelope_gets_its_header_blocks(gateway, soap):
    asked = PLAIN_ASKED.replace(b"</c:name>", b"<code>cb-1</code></c:name><case> H31-7 </case>")
    answer = await soap(plain_head(), Body(asked))
    assert answer.status == 200
    [proved] = gateway.seen
    header = {block.tag.rpartition("}")[2]: block for block in given_document(proved)[0]}
    assert set(header) == {"client", "service", "userId", "id", "issue", "protocolVersion", "purpose"}
    said = {name: header[name].text for name in ("userId", "issue", "protocolVersion", "purpose")}
    assert said == {"userId": "cb-1", "issue": "H31-7", "protocolVersion": "4.0", "purpose": "1.001193"}
    assert [part.text for part in header["service"]] == parse_service(NAMED[6:]).__str__().split("/")
    uuid.UUID(header["id"].text)


def given_document(envelope):
    return ET.fromstring(envelope)


async def test_prefixes_that_only_values_use_survive(gateway, soap):
    gateway.given = GIVEN.replace(
        b"<c:citizenResponse xmlns:c",
        b'<c:citizenResponse xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xs="http://www.w3.org/2001/'
        b'XMLSchema" xsi:type="xs:string" xmlns:c',
    )
    answer = await soap(plain_head(), Body(PLAIN_ASKED))
    assert b'xmlns:xs="http://www.w3.org/2001/XMLSchema"' in answer.body
    assert b"Security" not in answer.body
    assert b"wsu" not in answer.body


@pytest.mark.parametrize(
    "lie", ["unsigned", "changed", "other key", "other request", "unbound", "old", "garbage", "html"]
)
@pytest.mark.parametrize("envelope", [GIVEN, FAULT], ids=["answer", "fault"])
async def test_unproved_answer_to_a_plain_caller_is_a_fault_of_the_sidecar(gateway, soap, lie, envelope):
    gateway.lie, gateway.given = lie, envelope
    answer = given(await soap(plain_head(), Body(PLAIN_ASKED)))
    if (lie, envelope) in {("unbound", FAULT), ("changed", FAULT)}:  # it does not hold what is changed
        assert answer.fault[:2] == ("client.unknown_key", "no")
    else:
        assert answer.fault[0].startswith("server.clientproxy.answer_")
    assert answer.status == 500
    assert b"citizenResponse" not in answer.body


async def test_gateway_that_is_not_there_is_a_fault(gateway):
    nowhere = Settings(gateway="http://127.0.0.1:1", subsystem=parse_subsystem("VN/GOV/H31/portal"), language="en")
    async with transport(None, seconds=5.0) as http:
        soap = SoapSidecar(http, nowhere, gateway.signer(gateway.caller), KnownGateways(()), split)
        answer = given(await soap(plain_head(), Body(PLAIN_ASKED)))
    assert (answer.status, answer.fault[0]) == (500, "server.clientproxy.gateway_unreachable")


# -- attachments of answers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", [NAMED, "/soap"])
async def test_attachments_of_an_answer_are_proved(gateway, soap, target):
    gateway.parts = {"a": b"first", "b": b"second"}
    answer = given(await soap(plain_head(target=target), Body(PLAIN_ASKED if target == NAMED else ASKED)))
    assert answer.fault is None
    assert answer.attachments == gateway.parts


@pytest.mark.parametrize("lie", LIES_OF_PARTS)
async def test_attachments_that_are_not_proved_become_a_fault(gateway, soap, lie):
    gateway.lie, gateway.parts = lie, {"a": b"first", "b": b"second"}
    answer = given(await soap(plain_head(), Body(PLAIN_ASKED)))
    assert (answer.status, answer.attachments) == (500, {})
    assert answer.fault[0].startswith("server.clientproxy.answer_")
    assert b"first" not in answer.body
    assert b"citizenResponse" not in answer.body


async def test_xop_content_is_put_in_place_for_those_who_sent_none(gateway, soap):
    gateway.given = GIVEN.replace(b"FOUND", INCLUDE.format("a").encode())
    gateway.parts = {"a": b"%PDF"}
    answer = given(await soap(plain_head(), Body(PLAIN_ASKED)))
    assert (answer.payload.text, answer.attachments) == (base64.b64encode(b"%PDF").decode(), {})


async def test_xop_content_stays_for_those_who_send_it(gateway, soap):
    gateway.given = GIVEN.replace(b"FOUND", INCLUDE.format("a").encode())
    gateway.parts = {"a": b"%PDF"}
    kind, body = with_attachments(PLAIN_ASKED, {"x": b"1"})
    kind = kind.replace('type="text/xml"', 'type="application/xop+xml"')
    body = body.replace(b"text/xml", b'application/xop+xml; type="text/xml"', 1)
    answer = given(await soap(plain_head(kind), Body(body)))
    assert answer.fault is None
    assert answer.attachments == {"a": b"%PDF"}
    assert 'type="application/xop+xml"' in answer.fields["content-type"]
    assert b'Content-Type: application/xop+xml; charset=utf-8; type="text/xml"' in answer.raw


async def test_answer_beyond_the_limit_is_not_read(gateway, soap):
    gateway.parts = {"a": bytes(60_000)}
    answer = given(await soap(plain_head(), Body(PLAIN_ASKED)))
    assert (answer.status, answer.attachments) == (500, {})
    assert answer.fault[0] == "server.clientproxy.answer_too_large"
