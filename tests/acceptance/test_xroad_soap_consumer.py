"""An X-Road consumer of SOAP services works unchanged: mutual TLS, X-Road's own headers, hash and faults."""

import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator

import pytest
import requests
import zeep
from zeep.transports import Transport

from tests.support.attacks import World
from tests.support.exchanges import exchange_of, json_answer
from tests.support.mtls import CLOSED, LEGACY, PERMIT, SHELF, mtls_office
from tests.support.xroad_rest import tls_context
from tests.support.xroad_soap import (
    IDENTIFIERS,
    REPRESENTATION,
    SOAP,
    XROAD,
    SoapConsumer,
    envelope,
    fields_of,
    headers,
)

PROVIDER = "VN/GOV/G15/registry"
HOLDING = {"owner": {"full_name": "Nguyễn Văn A", "identity_number": "001090000001"}, "area": 12.5, "price": 9}
NAMES = ("xRoadInstance", "memberClass", "memberCode", "subsystemCode", "serviceCode")
NS = f"urn:motlan:service:{PERMIT}"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with mtls_office(tmp_path_factory.mktemp("site")) as made:
        yield made


@pytest.fixture
def legacy(place: World) -> SoapConsumer:
    place.provider.reply = json_answer(HOLDING)
    identity = place.site.pki.identities[LEGACY]
    tls = tls_context(str(place.site.pki.bundle), str(identity.tls_certificate), str(identity.tls_key))
    return SoapConsumer(place.site.url, str(LEGACY), tls)


def permit(inner: str = "") -> str:
    return f'<ns1:permit xmlns:ns1="{NS}">{inner}</ns1:permit>'


def test_a_service_is_called_and_answers_in_its_elements(place: World, legacy: SoapConsumer) -> None:
    more = "<xrd:userId>VN001090000009</xrd:userId><xrd:issue>000.00.01.H57-260101-0001</xrd:issue>"
    answer = legacy.call(str(PERMIT), permit(), more=more, message_id="m-1")
    assert answer.fault is None, answer
    assert (answer.status, answer.fields["content-type"]) == (200, "text/xml; charset=utf-8")
    assert answer.payload.tag == f"{{{NS}}}permitResponse"
    texts = {each.tag.rpartition("}")[2]: each.text for each in answer.payload.iter() if (each.text or "").strip()}
    assert texts == {"full_name": "Nguyễn Văn A", "area": "12.5"}  # as granted: neither number nor price
    answer.check_request_hash()
    assert place.provider.last.header("X-Road-UserId") == "VN001090000009"


def test_the_answer_repeats_the_header_fields_in_their_order(place: World, legacy: SoapConsumer) -> None:
    del place
    header = (
        "<xrd:protocolVersion>4.0</xrd:protocolVersion><xrd:issue> 12 </xrd:issue>"
        f'<rp:representedParty xmlns:rp="{REPRESENTATION}"><rp:partyClass>COM</rp:partyClass>'
        "<rp:partyCode>0100100100</rp:partyCode></rp:representedParty>"
        + headers(legacy.client, str(PERMIT), "m-2").replace("<xrd:protocolVersion>4.0</xrd:protocolVersion>", "")
    )
    root = envelope(header, permit())
    answer = legacy.post(root)
    assert answer.fault is None, answer
    sent = ET.fromstring(root).find(f"{{{SOAP}}}Header")
    assert sent is not None
    assert answer.header_fields() == fields_of(sent)
    answer.check_request_hash()


@pytest.mark.parametrize("target", ["/", "/soap"])
def test_both_addresses_and_a_byte_order_mark(legacy: SoapConsumer, target: str) -> None:
    root = b"\xef\xbb\xbf" + envelope(headers(legacy.client, str(PERMIT), "m-bom"), permit())
    answer = legacy.post(root, "text/xml", target=target)
    assert answer.fault is None, answer
    answer.check_request_hash()


def test_a_target_in_absolute_form(place: World, legacy: SoapConsumer) -> None:
    """Clients that take the address out of X-Road's WSDLs send the request as if to a proxy (RFC 9112 §3.2.2)."""
    answer = legacy.call(str(PERMIT), permit(), target=f"{place.site.url}/xroad-endpoint")
    assert answer.fault is None, answer


def test_soapaction_decides_nothing(legacy: SoapConsumer) -> None:
    answer = legacy.call(str(PERMIT), permit(), fields=[("SOAPAction", '"urn:another#thing"')])
    assert answer.fault is None, answer


def test_the_record_is_found_by_the_answers_receipt(place: World, legacy: SoapConsumer) -> None:
    answer = legacy.call(str(PERMIT), permit(), more="<xrd:userId>cb-7</xrd:userId>")
    request, ended = exchange_of(place.site, answer.fields["motlan-receipt"])
    assert request["signed_by"] == "gateway, on mTLS evidence"
    assert request.shown("officer") == "cb-7"
    assert ended["outcome"] == "FOUND"


@pytest.mark.parametrize(
    ("service", "body", "code"),
    [
        (f"{PROVIDER}/unknown", '<u:unknown xmlns:u="urn:u"/>', "server.serverproxy.unknown_service"),
        (str(CLOSED), f'<c:closed xmlns:c="urn:motlan:service:{CLOSED}"/>', "server.serverproxy.service_disabled"),
        (str(PERMIT), f'<p:other xmlns:p="{NS}"/>', "client.unknown_operation"),
    ],
)
def test_faults_are_x_roads(legacy: SoapConsumer, service: str, body: str, code: str) -> None:
    answer = legacy.call(service, body)
    assert answer.status == 200
    assert answer.fault is not None
    got, text, detail = answer.fault
    assert got == code
    assert text
    assert len(detail) == 36


def test_what_the_provider_does_not_find_is_a_fault_not_an_empty_answer(place: World, legacy: SoapConsumer) -> None:
    place.provider.reply = json_answer({"error": "none"}, status=404)
    answer = legacy.call(str(PERMIT), permit())
    assert answer.fault is not None, answer.body
    assert answer.fields["motlan-outcome"] != "FOUND"


def test_methods_are_listed(legacy: SoapConsumer) -> None:
    listed = {}
    for code in ("listMethods", "allowedMethods"):
        answer = legacy.call(f"{PROVIDER}/{code}", f"<xrd:{code}/>")
        assert answer.fault is None, answer
        assert answer.payload.tag == f"{{{XROAD}}}{code}Response"
        answer.check_request_hash()
        services = answer.payload.findall(f"{{{XROAD}}}service")
        assert all(each.get(f"{{{IDENTIFIERS}}}objectType") == "SERVICE" for each in services)
        listed[code] = {"/".join(part.text or "" for part in each) for each in services}
    assert {str(PERMIT), str(SHELF)} <= listed["allowedMethods"] < listed["listMethods"]


def test_a_wsdl_is_got_as_an_attachment(legacy: SoapConsumer) -> None:
    body = "<xrd:getWsdl><xrd:serviceCode>permit</xrd:serviceCode></xrd:getWsdl>"
    answer = legacy.call(f"{PROVIDER}/getWsdl", body)
    assert answer.fault is None, answer
    answer.check_request_hash()
    assert answer.payload.findtext(f"{{{XROAD}}}serviceCode") == "permit"
    (wsdl,) = answer.attachments.values()
    assert ET.fromstring(wsdl).tag == "{http://schemas.xmlsoap.org/wsdl/}definitions"


def test_a_service_is_known_by_its_wsdl(place: World) -> None:
    ca = str(place.site.pki.bundle)
    short = requests.get(f"{place.site.url}/wsdl", params={"service": str(PERMIT)}, timeout=5, verify=ca)
    parts = dict(zip(NAMES, str(PERMIT).split("/"), strict=True))
    long = requests.get(f"{place.site.url}/wsdl", params={**parts, "version": "v1"}, timeout=5, verify=ca)
    assert short.status_code == long.status_code == 200
    assert short.content == long.content
    assert f"{place.site.url}/soap".encode() in short.content
    for query, status in {"service=a": 400, "": 400, "service=a/b/c/d/e": 404, "service=a&service=b": 400}.items():
        assert requests.get(f"{place.site.url}/wsdl?{query}", timeout=5, verify=ca).status_code == status


def test_json_is_what_the_provider_gets(place: World, legacy: SoapConsumer) -> None:
    answer = legacy.call(str(PERMIT), permit('{"title": "Truyện Kiều"}'))
    assert answer.fault is None, answer
    assert json.loads(place.provider.last.body) == {"title": "Truyện Kiều"}


def test_zeep_calls_with_the_served_wsdl_and_x_road_headers(place: World, legacy: SoapConsumer) -> None:
    """Stock zeep, which sends no header of ours; X-Road's blocks are of the WSDL's own types."""
    del legacy
    identity = place.site.pki.identities[LEGACY]
    session = requests.Session()
    session.trust_env = False
    session.verify, session.cert = str(place.site.pki.bundle), (str(identity.tls_certificate), str(identity.tls_key))
    client = zeep.Client(f"{place.site.url}/wsdl?service={PERMIT}", transport=Transport(session=session))
    parts = dict(zip(NAMES, str(LEGACY).split("/"), strict=False))
    service = dict(zip(NAMES, str(PERMIT).split("/"), strict=True))
    answer = client.service.permit(
        "",
        _soapheaders={
            "client": {**parts, "objectType": "SUBSYSTEM"},
            "service": {**service, "objectType": "SERVICE"},
            "id": "z-1",
            "protocolVersion": "4.0",
        },
    )
    assert answer.body.owner.full_name == "Nguyễn Văn A"
    assert answer.header.id == "z-1"
    with pytest.raises(zeep.exceptions.Fault) as caught:
        client.service.permit("", _soapheaders={"client": {**parts, "objectType": "SUBSYSTEM"}, "id": "z-2"})
    assert caught.value.code == "client.missing_header_field"
