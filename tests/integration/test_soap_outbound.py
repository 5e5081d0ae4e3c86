"""SOAP providers as targets: what is sent, what comes back, and what every kind of failure is called."""

import hashlib
import time
from decimal import Decimal

import pytest
from lxml import etree
from msgspec import UNSET, structs

from adapters.simulators.charsets import windows_1258
from adapters.simulators.land_register import NAMESPACE, WSDL, LandRegister
from adapters.soap.inferring_files import Documents
from adapters.soap.interface_wsdl import WsdlInterface, WsdlService
from adapters.soap.outbound import SoapOptions, SoapTarget
from gateway.model.envelope import MessageProtocol
from gateway.model.errors import ExchangeError
from gateway.model.errors.signature import SIGNATURE_INVALID
from gateway.model.ids import ServiceId
from gateway.model.jsontext import encode
from gateway.model.message import Body
from gateway.model.outcomes import Outcome
from gateway.validation.mime import split
from tests.support.adapters import RECORD, Countersigned, provider, recorded
from tests.support.provider_socket import CLOSE, RESET, ScriptedProvider
from tests.support.provider_socket import answer as scripted_answer

SERVICE = ServiceId("VN", "GOV", "G16", "land", "parcel")
FIND = f"{{{NAMESPACE}}}findParcel"
DEPOSIT = f"{{{NAMESPACE}}}deposit"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
XML = (("Content-Type", "text/xml; charset=utf-8"),)
LOOKUP = SoapOptions(lookup=True, not_found_faults=("NoSuchParcel",))
WRITE = SoapOptions()


def answer(status: int, body: bytes, *fields: tuple[str, str]):
    return scripted_answer(body, status=status, fields=tuple(f"{name}: {value}" for name, value in fields))


def elements() -> WsdlInterface:
    return WsdlInterface(WsdlService(service=SERVICE, documents=Documents(WSDL)))


class Signing(Countersigned):
    """Signs envelopes with a mark; opens answers that have it."""

    def __init__(self) -> None:
        super().__init__()
        self.covered: list[tuple[str, ...]] = []

    def envelope(self, envelope, attachments=()) -> bytes:
        self.covered.append(tuple(part.sha256.hex() for part in attachments))
        whole = envelope if isinstance(envelope, bytes) else envelope.whole()
        return whole.replace(b"<S:Header>", b"<S:Header><signed/>", 1)

    def opened(self, answer: bytes, attachments=()) -> bytes:
        self.covered.append(tuple(part.sha256.hex() for part in attachments))
        if b"<signed/>" not in answer:
            raise ExchangeError(SIGNATURE_INVALID)
        return answer


def soap(element: bytes | str, *, operation: str = FIND, attached: Body | None = None, fields=("*",)):
    """A SOAP caller's request, as the pipeline hands it to a target."""
    made = recorded({}, body=Body(element.encode() if isinstance(element, str) else element))
    claim = structs.replace(
        made.claim, protocol=MessageProtocol.SOAP, operation=operation, path="/findParcel", case="H26"
    )
    envelope = structs.replace(made.authorized.envelope, claim=claim, attached=attached)
    decision = structs.replace(made.authorized.decision, fields=fields)
    return structs.replace(made, authorized=structs.replace(made.authorized, envelope=envelope, decision=decision))


def rest(document, path="/findParcel", **more):
    return recorded(document, path=path, **more)


def find(number: str = "12-345") -> str:
    return f'<a:findParcel xmlns:a="{NAMESPACE}"><a:number>{number}</a:number></a:findParcel>'


async def call(url, request, options=LOOKUP, *, spoken=None, sign=None, opaque=False, **more):
    target = SoapTarget(provider(url, **more), options, None if opaque else spoken or elements())
    try:
        return await target.send(request, sign or Countersigned(), time.monotonic() + 5)
    finally:
        await target.close()


async def scripted(reply, request=None, options=LOOKUP, **more):
    async with ScriptedProvider(reply) as p:
        return await call(p.url, request or rest({"number": "1"}), options, attempts=1, **more)


def enveloped(content: str, header: str = "") -> bytes:
    return f'<S:Envelope xmlns:S="{SOAP}"><S:Header>{header}</S:Header><S:Body>{content}</S:Body></S:Envelope>'.encode()


def fault(code: str) -> bytes:
    return enveloped(
        f"<S:Fault><faultcode>{code}</faultcode><faultstring>secret of 001099012345</faultstring></S:Fault>"
    )


@pytest.mark.asyncio
async def test_a_soap_caller_gets_the_element_as_the_provider_wrote_it():
    async with LandRegister() as land:
        reply = await call(land.url, soap(find()))
    assert (reply.outcome, reply.fields) == (Outcome.FOUND, XML)
    element = etree.fromstring(reply.body.data)
    assert element.tag == f"{{{NAMESPACE}}}findParcelResponse"
    assert element.find(".//{urn:example:maps}sheet").text == "7"
    assert reply.document["parcel"][0]["area"] == {"@unit": "m2", "#text": Decimal("1200.50")}
    assert [name for name, _ in reply.evidence] == ["provider_sha256"]


@pytest.mark.asyncio
async def test_the_element_goes_through_byte_by_byte_under_header_blocks_of_ours():
    payload = find().replace("<a:number>", "<a:number>\n  ")
    async with LandRegister() as land:
        watched = []
        land.watch = watched.append
        await call(land.url, soap(payload))
    assert payload.encode() in land.seen[0]
    header = etree.fromstring(land.seen[0]).find(f"{{{SOAP}}}Header")
    texts = {each.tag.rpartition("}")[2]: each for each in header}
    assert [(each.tag.rpartition("}")[2], each.text) for each in texts["client"]] == [
        ("xRoadInstance", "VN"),
        ("memberClass", "GOV"),
        ("memberCode", "H24"),
        ("subsystemCode", "portal"),
    ]
    assert texts["service"][-1].text == "citizen"
    plain = {name: texts[name].text for name in ("id", "userId", "issue", "protocolVersion", "purpose")}
    assert plain == {"id": "m-1", "userId": "cb-7", "issue": "H26", "protocolVersion": "4.0", "purpose": "1.001193"}
    assert watched[0].header("SOAPAction") == '"urn:example:land#findParcel"'
    assert watched[0].header("Motlan-Receipt") == RECORD
    assert watched[0].header("X-Road-Client") is None


@pytest.mark.asyncio
async def test_a_provider_that_wants_no_header_blocks_gets_none():
    async with LandRegister() as land:
        await call(land.url, soap(find()), structs.replace(LOOKUP, xroad_headers=False))
    assert b"Header" not in land.seen[0]


@pytest.mark.asyncio
async def test_a_rest_caller_gets_json():
    async with LandRegister() as land:
        reply = await call(land.url, rest({"number": "12-345", "limit": 1}))
    assert reply.fields == (("Content-Type", "application/json"),)
    assert reply.body.data == encode(reply.document)
    assert reply.document["parcel"][0]["person"][0]["name"] == "Nguyễn Văn An"
    assert land.answers["fault"] == 0


@pytest.mark.asyncio
async def test_a_soap_caller_who_is_granted_a_part_gets_json_to_be_minimised():
    async with LandRegister() as land:
        reply = await call(land.url, soap(find(), fields=("/parcel/*/number",)))
    assert reply.fields == (("Content-Type", "application/json"),)


@pytest.mark.parametrize(
    ("request_", "places"),
    [
        (rest({"number": 7}), ("/number type",)),
        (rest({"house": "7"}), ("/house unknown",)),
        (rest({}, path="/elsewhere"), ("path",)),
        (rest({}, method="GET"), ("method",)),
    ],
)
@pytest.mark.asyncio
async def test_a_document_that_is_no_element_is_never_sent(request_, places):
    async with LandRegister() as land:
        reply = await call(land.url, request_)
    assert (reply.outcome, reply.differing) == (Outcome.REJECTED, places)
    assert not land.requests


@pytest.mark.asyncio
async def test_without_a_wsdl_xml_passes_and_json_does_not():
    async with LandRegister() as land:
        reply = await call(land.url, soap(find()), opaque=True)
        assert (reply.outcome, reply.document) == (Outcome.FOUND, UNSET)
        refused = await call(land.url, rest({"number": "1"}), opaque=True)
        assert refused.outcome is Outcome.REJECTED


@pytest.mark.parametrize(
    ("code", "lookup", "write"),
    [
        ("S:Client", Outcome.REJECTED, Outcome.REJECTED),
        ("S:Client.Schema", Outcome.REJECTED, Outcome.REJECTED),
        ("S:VersionMismatch", Outcome.REJECTED, Outcome.REJECTED),
        ("S:Server", Outcome.UNAVAILABLE, Outcome.UNKNOWN),
        ("S:Server.Database", Outcome.UNAVAILABLE, Outcome.UNKNOWN),
        ("005", Outcome.UNAVAILABLE, Outcome.UNKNOWN),
        ("Server.ServerProxy.AccessDenied", Outcome.DENIED, Outcome.DENIED),
        ("server.serverproxy.access_denied", Outcome.DENIED, Outcome.DENIED),
        ("wsse:FailedAuthentication", Outcome.DENIED, Outcome.DENIED),
        ("l:NoSuchParcel", Outcome.NOT_FOUND, Outcome.UNKNOWN),
        ("", Outcome.UNAVAILABLE, Outcome.UNKNOWN),
    ],
)
@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.asyncio
async def test_faults(code, lookup, write, status):
    reply = answer(status, fault(code), *XML)
    found = await scripted(reply)
    assert found.outcome is lookup
    assert (found.status, found.body.size) == (0, 0)
    assert found.provider_code == code.rpartition(":")[2]
    assert (await scripted(reply, options=WRITE)).outcome is write


@pytest.mark.asyncio
async def test_a_soap_caller_granted_everything_reads_the_fault_itself():
    found = await scripted(answer(500, fault("S:Client"), *XML), soap(find()))
    assert found.outcome is Outcome.REJECTED
    assert etree.fromstring(found.body.data).tag == f"{{{SOAP}}}Fault"
    part = await scripted(answer(500, fault("S:Client"), *XML), soap(find(), fields=("/parcel",)))
    assert part.body.size == 0


GOOD = enveloped(f'<l:findParcelResponse xmlns:l="{NAMESPACE}"/>')


@pytest.mark.parametrize(
    ("reply", "lookup", "write"),
    [
        (answer(200, b"Unauthorized", *XML), Outcome.DENIED, Outcome.DENIED),
        (answer(401, b"", *XML), Outcome.DENIED, Outcome.DENIED),
        (answer(403, GOOD, *XML), Outcome.DENIED, Outcome.DENIED),
        (answer(404, b"<html/>", ("Content-Type", "text/html")), Outcome.REJECTED, Outcome.REJECTED),
        (answer(502, b"<html/>", ("Content-Type", "text/html")), Outcome.UNAVAILABLE, Outcome.UNKNOWN),
        (answer(503, b"later", ("Content-Type", "text/plain")), Outcome.UNAVAILABLE, Outcome.UNAVAILABLE),
        (answer(200, b"<html/>", ("Content-Type", "text/html")), Outcome.INVALID_REPLY, Outcome.UNKNOWN),
        (answer(200, b"<html/>", *XML), Outcome.INVALID_REPLY, Outcome.UNKNOWN),
        (answer(200, b"{}", ("Content-Type", "application/json")), Outcome.INVALID_REPLY, Outcome.UNKNOWN),
        (answer(200, b'<!DOCTYPE a [<!ENTITY b "c">]>' + GOOD, *XML), Outcome.INVALID_REPLY, Outcome.UNKNOWN),
        (answer(200, enveloped("<a/><b/>"), *XML), Outcome.INVALID_REPLY, Outcome.UNKNOWN),
        (answer(200, enveloped("<else/>"), *XML), Outcome.INVALID_REPLY, Outcome.UNKNOWN),
        (answer(200, enveloped(""), *XML), Outcome.INVALID_REPLY, Outcome.DONE),
        (answer(200, b"", *XML), Outcome.INVALID_REPLY, Outcome.DONE),
        (answer(202, b"", *XML), Outcome.INVALID_REPLY, Outcome.ACCEPTED),
        (answer(302, b"", ("Location", "http://127.0.0.1/")), Outcome.INVALID_REPLY, Outcome.INVALID_REPLY),
        (answer(200, GOOD, ("Content-Type", "multipart/related")), Outcome.INVALID_REPLY, Outcome.UNKNOWN),
        (answer(200, b"<" * 3_000_000, *XML), Outcome.INVALID_REPLY, Outcome.UNKNOWN),
        ((CLOSE,), Outcome.UNAVAILABLE, Outcome.UNKNOWN),
        ((RESET,), Outcome.UNAVAILABLE, Outcome.UNKNOWN),
    ],
)
@pytest.mark.asyncio
async def test_what_is_no_answer_is_told_apart(reply, lookup, write):
    assert (await scripted(reply)).outcome is lookup
    assert (await scripted(reply, options=WRITE)).outcome is write


@pytest.mark.asyncio
async def test_an_answer_in_an_old_charset_is_read_as_the_service_declares():
    text = GOOD.decode().replace("/></S:Body>", "></l:findParcelResponse></S:Body>")
    noted = text.replace(
        "></l:find",
        "><l:parcel version='1'><l:number>Đường số 1</l:number><l:area>1</l:area><l:mortgaged>1</l:mortgaged></l:parcel></l:find",
    )
    reply = answer(200, windows_1258(noted), *XML)
    assert (await scripted(reply)).outcome is Outcome.INVALID_REPLY
    read = await scripted(reply, options=structs.replace(LOOKUP, charsets=("windows-1258",)))
    assert read.document["parcel"][0]["number"] == "Đường số 1"


@pytest.mark.asyncio
async def test_where_schemas_lie_is_not_passed_on():
    located = (
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="urn:x http://evil.example/x.xsd"'
    )
    text = GOOD.decode().replace("/></S:Body>", f" {located}/></S:Body>")
    found = await scripted(answer(200, text.encode(), *XML), soap(find()))
    assert found.outcome is Outcome.FOUND
    assert b"evil" not in found.body.data


@pytest.mark.asyncio
async def test_where_the_provider_signs_nothing_else_is_believed():
    options = structs.replace(LOOKUP, sign=True, signed=True)
    sign = Signing()
    good = enveloped(f'<l:findParcelResponse xmlns:l="{NAMESPACE}"/>', "<signed/>")
    assert (await scripted(answer(200, good, *XML), options=options, sign=sign)).outcome is Outcome.FOUND
    for unsigned in (GOOD, fault("l:NoSuchParcel")):
        reply = await scripted(answer(200, unsigned, *XML), options=options, sign=Signing())
        assert reply.outcome is Outcome.INVALID_REPLY
    with pytest.raises(ValueError):
        SoapOptions(signed=True)


def multipart(*parts: bytes) -> Body:
    """A caller's message: an envelope that the target does not look at, and attachments."""
    mark = b"--outer-mark\r\n"
    pieces = [mark + b"Content-Type: text/xml\r\nContent-ID: <root>\r\n\r\n<envelope/>\r\n"]
    for number, data in enumerate(parts):
        pieces.append(mark + f"Content-Type: image/png\r\nContent-ID: <part{number}>\r\n\r\n".encode() + data + b"\r\n")
    whole = b"".join(pieces) + b"--outer-mark--\r\n"
    body = Body(whole)
    body.parts = split('multipart/related; type="text/xml"; boundary="outer-mark"', whole)
    return body


@pytest.mark.asyncio
async def test_attachments_pass_to_the_provider_and_back_unchanged():
    parts = (b"\r\n\x00\xff" * 1000, b"", b"--outer-mar")
    sign = Signing()
    payload = f'<a:deposit xmlns:a="{NAMESPACE}"/>'
    async with LandRegister(echo=True) as land:
        request = soap(payload, operation=DEPOSIT, attached=multipart(*parts))
        reply = await call(land.url, request, structs.replace(WRITE, sign=True), sign=sign)
    assert reply.outcome is Outcome.DONE
    digests = [hashlib.sha256(part).hexdigest() for part in parts]
    assert [each["@sha256"] for each in reply.document["attachment"]] == digests
    assert [part.sha256.hex() for part in reply.attached.parts[1:]] == digests
    assert sign.covered[0] == tuple(digests)
    outbound = sign.outbound[0]
    assert (
        outbound.body.sha256
        == hashlib.sha256(b"".join([piece async for piece in outbound.body.spool.chunks()])).digest()
    )
    assert b"<signed/>" in land.seen[0]


@pytest.mark.asyncio
async def test_a_rest_caller_is_not_shown_attachments():
    async with LandRegister(echo=True) as land:
        reply = await call(land.url, rest({}, path="/deposit"), WRITE)
    assert (reply.outcome, reply.document, reply.attached) == (Outcome.DONE, {"attachment": []}, None)


@pytest.mark.asyncio
async def test_only_what_may_be_repeated_is():
    async with ScriptedProvider(answer(503, b"", *XML), answer(200, GOOD, *XML)) as p:
        assert (await call(p.url, rest({"number": "1"}), attempts=2)).outcome is Outcome.FOUND
    async with ScriptedProvider((CLOSE,), answer(200, GOOD, *XML)) as p:
        assert (await call(p.url, rest({"number": "1"}), WRITE, attempts=2)).outcome is Outcome.UNKNOWN
        assert len(p.requests) == 1
