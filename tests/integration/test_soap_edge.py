"""SOAP through a whole gateway: to a SOAP provider and back, signed, by the façade, and with attachments."""

import base64
import hashlib
import xml.etree.ElementTree as ET
from collections.abc import Iterator

import pytest

from adapters.simulators.wire import Answer, Received
from gateway.model.message import Part
from gateway.validation.mime import split
from tests.support.attacks import World
from tests.support.exchanges import exchange_of, records
from tests.support.gateways import OTHER, PROVIDER, PURPOSE
from tests.support.soap_office import (
    ARCHIVE,
    FACADE,
    NATIVE,
    NS,
    archive,
    body_of,
    caller,
    native,
    proved,
    signed,
    soap_office,
    told,
)
from tests.support.xroad_soap import SOAP, SoapAnswer, envelope, with_attachments

COLLECTION = (
    '<m:CongdanCollection xmlns:m="http://www.mic.gov.vn/dancu/1.0"><m:CongDan><m:SoDinhDanh>001090000001'
    "</m:SoDinhDanh></m:CongDan></m:CongdanCollection>"
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with soap_office(tmp_path_factory.mktemp("site")) as made:
        yield made


@pytest.fixture(autouse=True)
def _usual(place: World) -> None:
    place.provider.reply = told(f'<a:archiveResponse xmlns:a="{NS}">Nguyễn</a:archiveResponse>')


def fault_of(answer: SoapAnswer) -> str:
    assert answer.fault is not None, answer.body
    return answer.fault[0]


def test_an_element_goes_to_the_provider_and_its_answer_back(place: World) -> None:
    answer = caller(place).call(str(ARCHIVE), archive("<x>1</x>"), more="<xrd:userId>cb-1</xrd:userId>")
    assert answer.fault is None, answer
    assert (answer.payload.tag, answer.payload.text) == (f"{{{NS}}}archiveResponse", "Nguyễn")
    answer.check_request_hash()
    proved(place, answer, None)
    sent = ET.fromstring(body_of(place.provider.last))
    assert sent.findtext(f"{{{SOAP}}}Body/{{{NS}}}archive/x") == "1"
    request, ended = exchange_of(place.site, answer.fields["motlan-receipt"])
    assert (request["client"], request.shown("officer")) == ("VN/GOV/H57/one-stop", "cb-1")
    assert ended["outcome"] == "FOUND"


def test_a_signed_call_is_proved_recorded_and_confirmed(place: World) -> None:
    message = signed(place, "signed-1")
    answer = caller(place, OTHER, shows=False).post(message.envelope, target="/soap")
    assert answer.fault is None, answer
    answer.check_request_hash()
    proved(place, answer, base64.b64encode(message.signature).decode())
    request, _ = exchange_of(place.site, answer.fields["motlan-receipt"])
    assert (request["client"], request["signed_by"]) == ("VN/GOV/H24/portal", "caller")
    assert request.shown("signature") == base64.b64encode(message.signature).decode()
    assert request.shown("signature_base") == message.base.decode()


def test_a_signed_call_is_taken_once(place: World) -> None:
    message = signed(place, "signed-2")
    sender = caller(place, shows=False)
    assert sender.post(message.envelope).fault is None
    before = place.forwarded
    assert fault_of(sender.post(message.envelope)) == "client.replayed_nonce"
    assert fault_of(sender.post(signed(place, "signed-2").envelope)) == "client.message_id_reused"
    assert place.forwarded == before


def test_another_ones_key_does_not_sign_for_the_portal(place: World) -> None:
    before = place.forwarded
    message = signed(place, "signed-3", key=PROVIDER)
    assert fault_of(caller(place, shows=False).post(message.envelope)).startswith("client.")
    assert place.forwarded == before


def test_without_certificate_and_signature_nobody_is_believed(place: World) -> None:
    before = place.forwarded
    assert fault_of(caller(place, shows=False).call(str(ARCHIVE), archive())) == "client.signature_missing"
    assert place.forwarded == before


# -- the façade ------------------------------------------------------------------------------------------------------


def test_an_unchanged_caller_of_the_population_database(place: World) -> None:
    place.provider.reply = told(COLLECTION)
    data = envelope("", native())
    answer = caller(place).post(data, target=FACADE)
    assert answer.fault is None, answer
    assert answer.payload.findtext(".//{*}SoDinhDanh") == "001090000001"
    assert "signature" in answer.fields
    assert "content-digest" in answer.fields
    assert b"requestHash" not in answer.body
    assert b"Security" not in answer.body
    sent = ET.fromstring(body_of(place.provider.last))
    (asked,) = list(sent.iterfind(f"{{{SOAP}}}Body/*"))
    assert asked.tag == f"{{{NATIVE}}}TraCuuThongTinCongDan"
    request, _ = exchange_of(place.site, answer.fields["motlan-receipt"])
    assert request["client"] == "VN/GOV/H57/one-stop"
    assert request["purpose"] == PURPOSE
    assert request.shown("officer") == "cb-57"
    assert "001090000001" in request.all("person")


def test_a_facade_believes_the_certificate_and_not_the_message(place: World) -> None:
    before, rows = place.forwarded, place.rows()
    answer = caller(place).post(envelope("", native(MaDonVi="000.00.01.H01")), target=FACADE)
    assert fault_of(answer) == "client.inconsistent_headers"
    assert place.forwarded == before
    assert records(place.site, rows)[0]["client"] == "VN/GOV/H57/one-stop"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"MaDVC": "9.999999"}, "server.serverproxy.access_denied"),
        ({"MaTichHop": "abc"}, "client.schema_mismatch"),
    ],
)
def test_a_facade_is_decided_like_any_call(place: World, changed: dict[str, str], code: str) -> None:
    before = place.forwarded
    got = fault_of(caller(place).post(envelope("", native(**changed)), target=FACADE))
    assert got.startswith(code.rpartition(".")[0])
    assert place.forwarded == before


def test_a_facade_is_for_callers_with_a_certificate(place: World) -> None:
    before = place.forwarded
    answer = caller(place, shows=False).post(envelope("", native()), target=FACADE)
    assert fault_of(answer) == "client.certificate_missing"
    assert place.forwarded == before


# -- attachments -----------------------------------------------------------------------------------------------------


def with_attachment(received: Received) -> Answer:
    """Sends the request's attachment back, in an answer of its own."""
    content_type = received.header("Content-Type") or ""
    parts = split(content_type, received.body)
    element = f'<a:archiveResponse xmlns:a="{NS}"><file href="cid:back"/></a:archiveResponse>'
    answer_type, data = with_attachments(envelope("", element), {"back": parts[1].data or b""})
    return Answer(body=data, content_type=answer_type)


def attachment(data: bytes) -> tuple[Part, ...]:
    fields = (("Content-Type", "application/octet-stream"), ("Content-ID", "<file>"))
    return (Part(fields=fields, offset=0, size=len(data), sha256=hashlib.sha256(data).digest(), data=data),)


@pytest.mark.parametrize("size", [3, 3_000_000])
def test_attachments_go_both_ways(place: World, size: int) -> None:
    """Small ones in memory, large ones over the disk."""
    place.provider.reply = with_attachment
    data = bytes(range(256)) * (size // 256 + 1)
    answer = caller(place).call(str(ARCHIVE), archive('<file href="cid:file"/>'), attachments={"file": data})
    assert answer.fault is None, answer.body[:2000]
    assert answer.attachments == {"back": data}
    answer.check_request_hash()
    assert proved(place, answer, None, answer.raw) == ("back",)


@pytest.mark.parametrize("size", [3, 3_000_000])
def test_attachments_under_a_signature(place: World, size: int) -> None:
    place.provider.reply = with_attachment
    data = b"\0" * size
    message = signed(place, f"attached-{size}", archive('<file href="cid:file"/>'), attachments=attachment(data))
    content_type, body = with_attachments(message.envelope, {"file": data})
    answer = caller(place, shows=False).post(body, content_type, sent=message.envelope)
    assert answer.fault is None, answer.body[:2000]
    assert answer.attachments == {"back": data}


@pytest.mark.parametrize(
    ("covered", "sent"), [(b"right", {"file": b"wrong"}), (None, {"file": b"right"}), (b"right", {"other": b"right"})]
)
def test_attachments_that_the_signature_does_not_cover(
    place: World, covered: bytes | None, sent: dict[str, bytes]
) -> None:
    before = place.forwarded
    name = f"uncovered-{covered!r}-{'-'.join(sent)}"
    message = signed(place, name, attachments=() if covered is None else attachment(covered))
    content_type, body = with_attachments(message.envelope, sent)
    answer = caller(place, shows=False).post(body, content_type)
    assert fault_of(answer).startswith("client.")
    assert place.forwarded == before
