"""Systems that nobody can change, through the sidecar: plain SOAP in, a real gateway and a real SOAP provider behind."""

import base64
import gzip
import hashlib
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest
import zeep

from adapters.simulators.land_register import NAMESPACE, WSDL, LandRegister
from adapters.simulators.people import People
from adapters.simulators.population import PopulationSimulator
from gateway.keys.file import load_signing_key
from gateway.model.ids import parse_service
from tests.support.attacks import World, world
from tests.support.exchanges import Record, grant, make_office, records
from tests.support.gateways import BASIS, PORTAL, PROVIDER, PURPOSE
from tests.support.sidecar import sidecar
from tests.support.signed_server import Party
from tests.support.soap_office import native
from tests.support.source import ROOT
from tests.support.xroad_soap import SOAP, SoapAnswer, SoapConsumer, envelope, headers, opened, with_attachments

LAND = parse_service("VN/GOV/G15/registry/land")
DEPOSIT = parse_service("VN/GOV/G15/registry/deposit")
"""The same register without its WSDL: elements pass as they are."""
CITIZENS = parse_service("VN/GOV/G15/registry/citizens")
PATH = f"/soap/{LAND}"
SAID = {"purpose": PURPOSE, "basis": BASIS, "officer": "cb-9"}
OURS = (b"x-road.eu", b"urn:motlan", b"Security", b"Timestamp", b"wsu:", b"requestHash", b"Header")
MTOM = 'multipart/related; type="application/xop+xml"; start="<root>"; start-info="text/xml"; boundary="parts"'


def service(identifier: str, wsdl: object, more: str = "") -> str:
    return f"""
[[service]]
id = "{identifier}"
adapter = "soap"
wsdl = "{wsdl}"
{more}
"""


@pytest.fixture(scope="module")
def land(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    deposits = f'[[service]]\nid = "{DEPOSIT}"\nadapter = "soap"\nkind = "write"\n'
    site = {
        "services": service(LAND, WSDL, 'kind = "write"') + deposits,
        "grants": grant("portal-land", PORTAL, LAND) + grant("portal-deposit", PORTAL, DEPOSIT),
    }
    folder = tmp_path_factory.mktemp("land")
    with world(folder, provider=LandRegister(echo=True), make=make_office, tls=True, **site) as made:
        yield made


@pytest.fixture(scope="module")
def plain(land: World) -> Iterator[SoapConsumer]:
    with sidecar(land, **SAID, case_element="owner") as url:
        yield SoapConsumer(url, "a program that never heard of X-Road")


@pytest.fixture(scope="module")
def register(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The population database itself, with its own WSDL."""
    folder = tmp_path_factory.mktemp("register")
    contract = folder / "contract"
    contract.mkdir()
    for xsd in ("population-request.xsd", "population-answer.xsd"):
        shutil.copy(ROOT / "schemas/xsd" / xsd, contract)
    text = (ROOT / "schemas/wsdl/population.wsdl").read_text().replace("../xsd/", "")
    (contract / "population.wsdl").write_text(text)
    more = 'xroad_headers = false\nasked = ["/SoDinhDanh"]'
    services = service(CITIZENS, "../contract/population.wsdl", more)
    site = {"tls": True, "services": services, "grants": grant("portal-citizens", PORTAL, CITIZENS)}
    with world(folder, provider=PopulationSimulator(People(count=100)), make=make_office, **site) as made:
        yield made


def find(number: str, tag: str = "number") -> str:
    return f'<l:findParcel xmlns:l="{NAMESPACE}"><l:{tag}>{number}</l:{tag}></l:findParcel>'


def request_of(place: World, rows: int) -> Record:
    """The one request that was recorded since then."""
    (request,) = [each for each in records(place.site, rows) if each["kind"] == "request"]
    return request


def fault_of(answer: SoapAnswer) -> str:
    assert answer.fault is not None, answer.body
    assert answer.status == 500  # SOAP 1.1 §6.2: plain callers expect it
    return answer.fault[0]


def leaks(answer: SoapAnswer) -> list[bytes]:
    return [name for name in OURS if name in answer.body]


# -- look-ups --------------------------------------------------------------------------------------------------------


def test_a_plain_envelope_is_answered_as_its_provider_would(land: World, plain: SoapConsumer) -> None:
    rows = land.rows()
    answer = plain.post(envelope("", find("001099012345", "owner")), target=PATH, fields=[("SOAPAction", '"x"')])
    assert (answer.status, answer.fault, leaks(answer)) == (200, None, [])
    assert answer.fields["content-type"] == "text/xml; charset=utf-8"
    assert not {"signature", "motlan-receipt", "x-road-id"} & answer.fields.keys()
    assert answer.payload.tag == f"{{{NAMESPACE}}}findParcelResponse"
    assert answer.payload.findtext(f"{{{NAMESPACE}}}parcel/{{{NAMESPACE}}}number") == "12-345"
    assert [child.tag for child in answer.document] == [f"{{{SOAP}}}Body"]
    request = request_of(land, rows)
    assert (request["client"], request["purpose"], request["basis"]) == (str(PORTAL), PURPOSE, BASIS)
    assert request["signed_by"] == "caller"
    assert (request.shown("officer"), request.shown("case")) == ("cb-9", "001099012345")


def test_the_same_envelope_twice_is_two_calls(land: World, plain: SoapConsumer) -> None:
    rows = land.rows()
    data = envelope("", find("12-345"))
    assert [plain.post(data, target=PATH).fault for _ in range(2)] == [None, None]
    first, second = [each.shown("message_id") for each in records(land.site, rows) if each["kind"] == "request"]
    assert first != second


def test_an_unchanged_zeep_client_works(land: World, plain: SoapConsumer) -> None:
    client = zeep.Client(str(WSDL))
    binding = next(iter(client.wsdl.bindings))
    found = client.create_service(str(binding), plain.url + PATH).findParcel(number="12-345")
    assert found[0].person[0].name == "Nguyễn Văn An"
    with pytest.raises(zeep.exceptions.Fault, match="no operation"):
        client.create_service(str(binding), f"{plain.url}/soap/VN/GOV/G15/registry/write").findParcel(number="1")
    del land


def test_a_default_service_serves_those_who_only_know_an_address(land: World) -> None:
    with sidecar(land, service=LAND, **SAID) as url:
        program = SoapConsumer(url, "")
        for target in ("/", "/soap"):
            assert program.post(envelope("", find("12-345")), target=target).fault is None
        rows = land.rows()
        purpose = f'<m:purpose xmlns:m="urn:motlan:soap:v1" basis="{BASIS}">{PURPOSE}</m:purpose>'
        native_caller = SoapConsumer(url, str(PORTAL)).call(str(LAND), find("12-345"), more=purpose)
    assert native_caller.fault is None
    assert native_caller.header("id") == request_of(land, rows).shown("message_id")  # it sent them, it gets them back
    assert b"Security" not in native_caller.body


def test_the_population_databases_own_client(register: World) -> None:
    person = register.provider.people.story.plain
    with sidecar(register, service=CITIZENS, basis=BASIS, purpose_element="MaDVC", officer_element="MaCanBo") as url:
        program, rows = SoapConsumer(url, ""), register.rows()
        answer = program.post(envelope("", native(SoDinhDanh=person.identity_number)), target="/")
        assert (answer.status, answer.fault, leaks(answer)) == (200, None, [])
        assert answer.payload.tag == "{http://www.mic.gov.vn/dancu/1.0}CongdanCollection"
        assert answer.payload.findtext(".//{*}SoDinhDanh") == person.identity_number
        request = request_of(register, rows)
        assert (request["purpose"], request["basis"], request.shown("officer")) == (PURPOSE, BASIS, "cb-57")
        assert request.all("person") == [person.identity_number]
        asked = {"MaDVC": "9.999999", "SoDinhDanh": person.identity_number}
        assert fault_of(program.post(envelope("", native(**asked)), target="/")).endswith("purpose_not_granted")


# -- Faults ----------------------------------------------------------------------------------------------------------


def test_a_providers_fault_is_a_fault(land: World, plain: SoapConsumer) -> None:
    rows = land.rows()
    answer = plain.post(envelope("", find("fault:Server.Closed")), target=PATH)
    assert fault_of(answer) == "S:Server.Closed"
    assert answer.document.find(f"{{{SOAP}}}Body/{{{SOAP}}}Fault") is not None
    assert request_of(land, rows)["client"] == str(PORTAL)


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("/soap/VN/GOV/G15/registry/find", "server.serverproxy.unknown_service"),
        ("/soap/VN/GOV/G15/registry", "client.target_refused"),
        ("/soap/G15/registry/land", "client.target_refused"),
        (f"{PATH}/more", "client.target_refused"),
        ("/soap/", "client.target_refused"),
    ],
)
def test_addresses_of_nothing(land: World, plain: SoapConsumer, target: str, code: str) -> None:
    before = land.forwarded
    assert fault_of(plain.post(envelope("", find("12-345")), target=target)) == code
    assert land.forwarded == before


def test_no_address_and_no_header_blocks(plain: SoapConsumer) -> None:
    answer = plain.post(envelope("", find("12-345")), target="/soap")
    assert answer.fault is not None
    assert answer.fault[0] == "client.missing_header"


@pytest.mark.parametrize(
    "header",
    [
        headers(str(PORTAL), str(LAND), "1"),
        '<m:purpose xmlns:m="urn:motlan:soap:v1">x</m:purpose>',
        '<w:Security xmlns:w="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"/>',
    ],
)
def test_header_blocks_do_not_belong_in_a_plain_message(land: World, plain: SoapConsumer, header: str) -> None:
    before = land.forwarded
    assert fault_of(plain.post(envelope(header, find("12-345")), target=PATH)) == "client.inconsistent_headers"
    assert land.forwarded == before


def test_officer_and_case_are_read_from_one_element_or_none(land: World) -> None:
    double = f'<l:findParcel xmlns:l="{NAMESPACE}"><l:number>1</l:number><l:number>2</l:number></l:findParcel>'
    with sidecar(land, purpose=PURPOSE, basis=BASIS, officer_element="number") as url:
        program, before = SoapConsumer(url, ""), land.forwarded
        assert fault_of(program.post(envelope("", double), target=PATH)) == "client.duplicate_header_field"
        accented = envelope("", find("Ủy ban"))
        assert fault_of(program.post(accented, target=PATH)) == "client.invalid_header_field"
        assert land.forwarded == before


def test_an_answer_of_a_gateway_that_is_not_believed(land: World) -> None:
    before = land.forwarded
    with sidecar(land, believes=land.key(PROVIDER).certificate, **SAID) as url:
        answer = SoapConsumer(url, "").post(envelope("", find("12-345")), target=PATH)
    assert fault_of(answer) == "server.clientproxy.answer_unsigned"
    assert b"12-345" not in answer.body
    assert land.forwarded == before + 1  # it was answered, and by nobody that counts


def test_a_caller_that_the_gateway_does_not_know_is_told_so(land: World, tmp_path: Path) -> None:
    """Its signature is not confirmed, since it was not verified; the Fault is the gateway's all the same."""
    stranger = Party(tmp_path, "stranger")
    stranger.key_file.chmod(0o600)
    key = load_signing_key(stranger.key_file, stranger.certificate_file)
    with sidecar(land, key=key, **SAID) as url:
        answer = SoapConsumer(url, "").post(envelope("", find("12-345")), target=PATH)
    assert fault_of(answer) == "client.unknown_key"


# -- attachments -----------------------------------------------------------------------------------------------------


def deposit(inner: str = "") -> bytes:
    return envelope("", f'<l:deposit xmlns:l="{NAMESPACE}">{inner}</l:deposit>')


def told(answer: SoapAnswer) -> list[tuple[str | None, str | None]]:
    """What the register saw of attachments."""
    assert answer.fault is None, answer.body[:2000]
    return [(each.get("sha256"), each.get("size")) for each in answer.payload]


def seen(*contents: bytes) -> list[tuple[str, str]]:
    return [(hashlib.sha256(data).hexdigest(), str(len(data))) for data in contents]


@pytest.mark.parametrize("size", [0, 3, 3_000_000])
def test_attachments_go_both_ways(plain: SoapConsumer, size: int) -> None:
    data = bytes(range(256)) * (size // 256 + 1)
    content_type, body = with_attachments(deposit(), {"a": data[:size], "b@x": b"\r\n--MIME\r\n"})
    answer = plain.post(body, content_type, target=PATH)
    assert told(answer) == seen(data[:size], b"\r\n--MIME\r\n")
    assert answer.attachments == {"a": data[:size], "b@x": b"\r\n--MIME\r\n"}
    assert leaks(answer) == []


def test_attachments_of_mail_s_kind_are_made_fit_to_be_signed(plain: SoapConsumer) -> None:
    content = "Đơn".encode() * 99
    body = b"".join(
        [
            b"--b\r\nContent-Type: text/xml\r\n\r\n",
            deposit(),
            b"\r\n--b\r\nContent-Transfer-Encoding: base64\r\n\r\n",  # and no Content-ID
            base64.encodebytes(content).replace(b"\n", b"\r\n"),
            b"\r\n--b--",
        ]
    )
    assert told(plain.post(body, 'multipart/related; boundary=b; type="text/xml"', target=PATH)) == seen(content)


@pytest.mark.parametrize("size", [1000, 600_000])
def test_xop_content(land: World, plain: SoapConsumer, size: int) -> None:
    """A little stands in its place in the envelope; much goes along as it came."""
    data = b"\0\xff" * (size // 2)
    plan = '<l:plan><x:Include xmlns:x="http://www.w3.org/2004/08/xop/include" href="cid:plan"/></l:plan>'
    body = b"".join(
        [
            b'--parts\r\nContent-Type: application/xop+xml; charset=utf-8; type="text/xml"\r\nContent-ID: <root>\r\n\r\n',
            deposit(plan),
            b"\r\n--parts\r\nContent-Type: application/pdf\r\nContent-ID: <plan>\r\n\r\n",
            data,
            b"\r\n--parts--\r\n",
        ]
    )
    small = size < 512 * 1024
    assert told(plain.post(body, MTOM, target=f"/soap/{DEPOSIT}")) == ([] if small else seen(data))
    got = land.provider.seen[-1]
    assert (base64.b64encode(data) in got, b"Include" in got) == (small, not small)


def test_what_is_too_large_is_refused_by_the_sidecar(land: World) -> None:
    with sidecar(land, limit=100_000, **SAID) as url:
        program, before = SoapConsumer(url, ""), land.forwarded
        content_type, body = with_attachments(deposit(), {"a": bytes(100_000)})
        assert fault_of(program.post(body, content_type, target=PATH)) == "client.body_too_large"
        assert land.forwarded == before


BROKEN = {
    "no boundary": ("multipart/related", b"x"),
    "no parts": ("multipart/related; boundary=b", b"--b--"),
    "cut short": ("multipart/related; boundary=b", b"--b\r\nContent-Type: text/xml\r\n\r\n<a/>"),
    "other root": ("multipart/related; boundary=b", b"--b\r\nContent-Type: text/html\r\n\r\n<a/>\r\n--b--"),
    "no type": ("", b"<a/>"),
    "other charset": ("text/xml; charset=utf-16", envelope("", find("1"))),
    "no envelope": ("text/xml", b"<a/>"),
    "two elements": ("text/xml", envelope("", find("1") + find("2"))),
    "DOCTYPE": ("text/xml", b"<!DOCTYPE a><a/>"),
    "not base64": (
        "multipart/related; boundary=b",
        b"--b\r\nContent-Type: text/xml\r\n\r\n"
        + deposit()
        + b"\r\n--b\r\nContent-Transfer-Encoding: base64\r\nContent-ID: <a>\r\n\r\n!!!\r\n--b--",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_no_message_is_not_sent(land: World, plain: SoapConsumer, case: str) -> None:
    content_type, body = BROKEN[case]
    before, rows = land.forwarded, land.rows()
    assert fault_of(plain.post(body, content_type, target=PATH)).startswith("client.")
    assert (land.forwarded, land.rows()) == (before, rows)


def test_compressed_messages_are_not_taken(land: World, plain: SoapConsumer) -> None:
    before = land.forwarded
    data = gzip.compress(envelope("", find("12-345")))
    answer = plain.post(data, target=PATH, fields=[("Content-Encoding", "gzip")])
    assert (fault_of(answer), land.forwarded) == ("client.invalid_content_type", before)


def test_soap_1_2_gets_soap_1_2(plain: SoapConsumer) -> None:
    new = "http://www.w3.org/2003/05/soap-envelope"
    data = envelope("", find("12-345")).replace(SOAP.encode(), new.encode())
    answer = plain.post(data, "application/soap+xml; charset=utf-8", target=PATH)
    assert (answer.status, answer.fields["content-type"]) == (200, "application/soap+xml; charset=utf-8")
    assert ET.fromstring(answer.body).tag == f"{{{new}}}Envelope"
    refused = plain.post(b"<a/>", "application/soap+xml", target=PATH)
    assert ET.fromstring(refused.body).findtext(f".//{{{new}}}Subcode/{{{new}}}Value", "").startswith("client.")
    assert opened(refused.status, refused.fields, refused.body, b"").status == 500
