"""Translation through a whole gateway: REST consumers of a SOAP service, SOAP consumers of REST services, signed or not."""

import functools
import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from decimal import Decimal

import pytest
import zeep
from zeep.transports import Transport

from adapters.simulators.land_register import NAMESPACE, WSDL, LandRegister
from adapters.simulators.land_register_wss import RegisterWss
from gateway.client.zeep_wsse import MotlanWsse, xroad_headers
from gateway.keys.file import load_certificates
from gateway.model.ids import parse_service
from gateway.signing.wsse_sign import sign_envelope
from tests.support.attacks import World, world
from tests.support.exchanges import Caller, Provider, exchange_of, grant, json_answer, make_office
from tests.support.gateways import BASIS, PORTAL, PROVIDER, PURPOSE
from tests.support.mtls import LEGACY, PARTIES
from tests.support.soap_office import caller
from tests.support.xroad_soap import envelope, headers, with_attachments

LAND = parse_service("VN/GOV/G15/registry/land")
PARCEL = parse_service("VN/GOV/G15/registry/findParcel")
DEPOSIT = parse_service("VN/GOV/G15/registry/deposit")
THING = parse_service("VN/GOV/G15/registry/thing")

_SOAP = "".join(
    f"""
[[service]]
id = "{service}"
adapter = "soap"
kind = "{kind}"
wsdl = "{WSDL}"
wss = "both"
default_purpose = "{PURPOSE};{BASIS}"
asked = {asked}
"""
    for service, kind, asked in (
        (LAND, "lookup", '["/owner"]'),
        (PARCEL, "lookup", '["/owner"]'),
        (DEPOSIT, "write", "[]"),
    )
)
_THING = f"""
[[service]]
id = "{THING}"
path = "/thing"
request_schema = "thing.request.json"
response_schema = "thing.response.json"
default_purpose = "{PURPOSE};{BASIS}"
asked = ["/owner"]
operations = {{ "" = "", one = "GET /one" }}
"""
_ID = "https://motlan.example/test"
_REQUEST = {
    "$id": f"{_ID}/thing.request.json",
    "type": "object",
    "properties": {"owner": {"type": "string", "pattern": "^[0-9]{12}$"}, "most": {"type": "integer"}},
    "additionalProperties": False,
}
_ANSWER = {
    "$id": f"{_ID}/thing.response.json",
    "type": "object",
    "properties": {
        "price": {"type": "number"},
        "owners": {"type": "array", "items": {"type": "string"}},
        "since": {"type": ["string", "null"], "format": "date"},
    },
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def land(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("land")
    grants = "".join(
        grant(f"{client.member_code}-{service.service_code}".lower(), client, service)
        for client in (PORTAL, LEGACY)
        for service in (LAND, PARCEL, DEPOSIT)
    )
    site = {"tls": True, "more_parties": PARTIES, "services": _SOAP, "grants": grants}
    with world(folder, provider=LandRegister(echo=True), make=make_office, **site) as made:
        (certificate,) = load_certificates(made.site.pki.gateway.certificate)
        sign = functools.partial(sign_envelope, key=made.key(PROVIDER))
        made.provider.wss = RegisterWss(certificate, sign, made.clock.now)
        yield made


@pytest.fixture(scope="module")
def things(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("things")

    def make(where, backend, **more):
        made = make_office(where, backend, **more)
        for schema in (_REQUEST, _ANSWER):
            (where / "schemas" / schema["$id"].rpartition("/")[2]).write_text(json.dumps(schema))
        return made

    grants = grant("h57-thing", LEGACY, THING) + grant("h24-thing", PORTAL, THING, '["/price"]')
    site = {"tls": True, "more_parties": PARTIES, "services": _THING, "grants": grants}
    with world(folder, provider=Provider(), make=make, **site) as made:
        yield made


def test_a_rest_consumer_reads_a_soap_providers_signed_answer_as_json(land: World) -> None:
    answer = Caller(land).post({"owner": "001099012345"}, service=LAND, path="/findParcel")
    assert answer.status == 200
    (parcel,) = answer.json()["parcel"]
    assert (parcel["@version"], parcel["area"]["@unit"], parcel["price"]) == (3, "m2", None)
    assert b'"#text":1200.50' in (answer.body.data or b"")
    request, ended = exchange_of(land.site, answer.receipt)
    assert request.all("person") == ["001099012345"]
    for name in ("forwarded_sha256", "envelope_signature", "provider_sha256", "provider_signature"):
        assert ended.shown(name), name
    assert b"<i:subsystemCode>portal</i:subsystemCode>" in land.provider.seen[-1]


def test_a_soap_consumer_reads_the_same_as_the_provider_wrote_it(land: World) -> None:
    element = f'<a:findParcel xmlns:a="{NAMESPACE}"><a:owner>001099012345</a:owner></a:findParcel>'
    answer = caller(land).call(str(PARCEL), element)
    assert answer.fault is None, answer
    assert answer.payload.tag == f"{{{NAMESPACE}}}findParcelResponse"
    assert answer.payload.find(f".//{{{NAMESPACE}}}area").attrib == {"unit": "m2"}
    answer.check_request_hash()
    request, _ = exchange_of(land.site, answer.fields["motlan-receipt"])
    assert request.all("person") == ["001099012345"]


@pytest.mark.parametrize(
    ("element", "code"),
    [
        ("<a:owner>12</a:owner>", "client.schema_mismatch"),
        ("<a:limit>many</a:limit>", "client.schema_mismatch"),
        ("<a:house/>", "client.schema_mismatch"),
    ],
)
def test_what_the_wsdl_does_not_allow_is_not_forwarded(land: World, element: str, code: str) -> None:
    before = len(land.provider.seen)
    answer = caller(land).call(str(PARCEL), f'<a:findParcel xmlns:a="{NAMESPACE}">{element}</a:findParcel>')
    assert answer.fault is not None
    assert answer.fault[0] == code
    assert len(land.provider.seen) == before


def test_a_provider_that_stops_signing_is_not_believed(land: World) -> None:
    wss, land.provider.wss = land.provider.wss, None
    try:
        answer = Caller(land).post({"owner": "001099012345"}, service=LAND, path="/findParcel")
    finally:
        land.provider.wss = wss
    assert answer.status == 502
    assert answer.error_code == "server.serverproxy.service_failed.invalid_reply"


def test_attachments_are_signed_on_both_sides_and_come_back(land: World) -> None:
    element = f'<a:deposit xmlns:a="{NAMESPACE}"/>'
    consumer = caller(land)
    data = bytes(range(256)) * 400
    root = envelope(headers(str(LEGACY), str(DEPOSIT), "deposit-1"), element)
    content_type, body = with_attachments(root, {"plan@one-stop": data})
    answer = consumer.post(body, content_type=content_type)
    assert answer.fault is None, answer
    (attachment,) = list(answer.payload)
    assert attachment.attrib["size"] == str(len(data))


def test_zeep_calls_a_rest_service_from_its_served_wsdl_alone(things: World) -> None:
    things.provider.reply = json_answer('{"price": 12345678901234567890.125, "owners": ["An", "Bình"], "since": null}')
    identity = things.site.pki.identities[PORTAL]
    wsse = MotlanWsse.open(
        key=identity.key, certificate=identity.certificate, gateway_certificates=[things.site.pki.gateway.certificate]
    )
    transport = Transport()
    transport.session.trust_env = False
    transport.session.verify = str(things.site.pki.bundle)
    client = zeep.Client(f"{things.site.url}/wsdl?service={THING}", wsse=wsse, plugins=[wsse], transport=transport)
    blocks = xroad_headers(client=str(PORTAL), service=str(THING), purpose=PURPOSE, basis=BASIS)
    answer = client.service.thing(owner="001099012345", most=3, _soapheaders=blocks)
    assert answer.body.price == Decimal("12345678901234567890.125")
    assert answer.body.owners == []  # not granted
    sent = things.provider.last
    assert (sent.method, sent.target, json.loads(sent.body)) == ("POST", "/thing", {"owner": "001099012345", "most": 3})
    assert sent.header("Content-Type") == "application/json"
    assert sent.header("X-Road-Client") == str(PORTAL)
    assert sent.header("SOAPAction") is None


def test_an_x_road_soap_consumer_calls_a_rest_service(things: World) -> None:
    things.provider.reply = json_answer({"price": 1.5, "owners": []})
    namespace = f"urn:motlan:service:{THING}"
    answer = caller(things).call(
        str(THING), f'<t:thing xmlns:t="{namespace}"><t:owner>001099012345</t:owner></t:thing>'
    )
    assert answer.fault is None, answer
    assert ET.tostring(answer.payload).count(b"nil") == 1
    request, _ = exchange_of(things.site, answer.fields["motlan-receipt"])
    assert request.all("person") == ["001099012345"]
    one = caller(things).call(str(THING), f'<t:thingOne xmlns:t="{namespace}"/>')
    assert one.fault is None, one
    assert (things.provider.last.method, things.provider.last.target, things.provider.last.body) == (
        "GET",
        "/thing/one",
        b"",
    )
