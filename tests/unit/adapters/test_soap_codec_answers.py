"""What the SOAP codec writes: answers, faults, attachments."""

import hashlib
import xml.etree.ElementTree as ET

import pytest

from adapters.soap.headers import ADDRESSING, MOTLAN
from adapters.soap.vocabulary import Vocabulary
from gateway.model.errors import ExchangeError
from gateway.model.errors.gateway import OVERLOADED, RECORD_FAILED
from gateway.model.errors.request import UNKNOWN_SERVICE
from gateway.model.message import Body, Head, Part
from gateway.model.outcomes import Outcome
from gateway.validation.mime import split
from tests.support.soap_codec import (
    ANSWER_ID,
    NS,
    OPAQUE,
    TEXT,
    answered,
    codec,
    head,
    minimised,
    recorded,
    request,
    streamed,
)
from tests.support.xroad_soap import SHA512, SOAP, XROAD, envelope, fields_of

SOAP12 = "http://www.w3.org/2003/05/soap-envelope"
JSON = (("Content-Type", "application/json"),)


def opened(data: bytes, soap: str = SOAP) -> tuple[ET.Element | None, ET.Element]:
    root = ET.fromstring(data)
    (payload,) = list(root.iterfind(f"{{{soap}}}Body/*"))
    return root.find(f"{{{soap}}}Header"), payload


def test_an_answer_repeats_the_request_and_names_its_hash() -> None:
    sent = request(more="<xrd:issue SOAP-ENV:mustUnderstand='0'>H-1</xrd:issue><x:other xmlns:x='urn:x'/>")
    answer = answered(codec(), head(), sent, fields=JSON, body=Body(b'{"name": "A"}'))
    header, payload = opened(answer.body.data or b"")
    asked, _ = opened(sent)
    assert header is not None
    assert asked is not None
    assert fields_of(header) == fields_of(asked)
    assert b"mustUnderstand" not in (answer.body.data or b"")
    found = header.find(f"{{{XROAD}}}requestHash")
    assert found is not None
    assert (found.text, found.get("algorithmId")) == ("aGFzaA==", SHA512)
    assert (payload.tag, payload.text) == (f"{{{NS}}}citizenResponse", "A")
    fields = dict(answer.head.fields)
    assert (fields["Motlan-Outcome"], fields["Motlan-Receipt"]) == ("FOUND", ANSWER_ID)
    assert (answer.head.status, fields["Content-Type"], answer.enveloped) == (200, "text/xml; charset=utf-8", True)


@pytest.mark.parametrize("namespace", ADDRESSING)
def test_ws_addressing_is_answered(namespace: str) -> None:
    more = (
        f'<w:Action xmlns:w="{namespace}" SOAP-ENV:mustUnderstand="1">urn:op</w:Action>'
        f'<w:MessageID xmlns:w="{namespace}">urn:uuid:1&amp;2</w:MessageID>'
    )
    answer = answered(codec(), head(), request(more=more), fields=TEXT, body=Body(b"<a/>"))
    header, _ = opened(answer.body.data or b"")
    assert header is not None
    assert header.findtext(f"{{{namespace}}}RelatesTo") == "urn:uuid:1&2"
    assert header.findtext(f"{{{namespace}}}Action") == "urn:opResponse"


def test_an_element_of_the_provider_passes_as_it_is() -> None:
    element = '<a:any xmlns:a="urn:a" a:b="1"><c xmlns="urn:c">Nguyễn</c></a:any>'.encode()
    answer = answered(codec(), head(), request(), fields=TEXT, body=Body(element))
    assert b"<S:Body>" + element + b"</S:Body>" in (answer.body.data or b"")


@pytest.mark.parametrize(
    "evil", [b"</S:Body>", b"<a/><b/>", b"<!DOCTYPE a><a/>", b"<?php x?><a/>", b"", b"<a>\xff</a>"]
)
def test_what_is_no_element_does_not_pass(evil: bytes) -> None:
    answer = answered(codec(), head(), request(), fields=TEXT, body=Body(evil or b" "))
    assert opened(answer.body.data or b"")[1].findtext("faultcode") == "server.serverproxy.service_failed.invalid_reply"


def test_soap_12_is_answered_in_soap_12() -> None:
    fields = (("Content-Type", "application/soap+xml"),)
    sent = request().replace(SOAP.encode(), SOAP12.encode())
    answer = answered(codec(), head(fields=fields), sent, fields=JSON, body=Body(b'{"name": "A"}'))
    assert opened(answer.body.data or b"", SOAP12)[1].tag == f"{{{NS}}}citizenResponse"
    assert dict(answer.head.fields)["Content-Type"].startswith("application/soap+xml")


def test_an_answer_without_content() -> None:
    answer = answered(codec(), head(), request("opaque", service=OPAQUE), outcome=Outcome.DONE, status=204)
    assert opened(answer.body.data or b"")[1].tag == f"{{{NS}}}opaqueResponse"


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        ({"outcome": Outcome.NOT_FOUND, "status": 404, "fields": JSON, "body": Body(b"{}")}, "record_not_found"),
        ({"outcome": Outcome.DENIED, "status": 403}, "service_failed.denied"),
        ({"outcome": Outcome.FOUND, "fields": JSON, "body": Body(b'{"other": 1}')}, "service_failed.invalid_reply"),
        ({"outcome": Outcome.FOUND, "fields": JSON, "body": Body(b"{")}, "service_failed.invalid_reply"),
    ],
)
def test_what_there_is_no_element_for_is_a_fault(reply: dict[str, object], code: str) -> None:
    def strict(data: bytes) -> object:
        if data == b"{":
            raise ExchangeError(UNKNOWN_SERVICE)
        return {}

    made = codec()
    made._parse_json = strict  # as the gateway's own parser raises
    answer = answered(made, head(), request(), **reply)
    fields = dict(answer.head.fields)
    assert opened(answer.body.data or b"")[1].findtext("faultcode", "").endswith(code)
    assert fields["Motlan-Receipt"] == ANSWER_ID
    assert fields["Motlan-Outcome"] == str(reply["outcome"])


def test_a_facades_answer_has_no_header_of_ours() -> None:
    body = f'<t:citizen xmlns:t="{NS}"><MaDVC>1</MaDVC><MaDonVi>000.00.57</MaDonVi></t:citizen>'
    answer = answered(codec(), head("/soap/G01/register/citizen"), envelope("", body), fields=TEXT, body=Body(b"<a/>"))
    header, payload = opened(answer.body.data or b"")
    assert payload.tag == "a"
    assert header is not None
    assert len(header) == 0
    assert not answer.enveloped


def attachments() -> Body:
    data = b"ignored-rootFIRSTxxSECOND"
    body = Body(data)
    root = Part(fields=(), offset=0, size=12, sha256=b"", data=b"")
    first = Part(fields=(("Content-ID", "<1>"),), offset=12, size=5, sha256=hashlib.sha256(b"FIRST").digest())
    second = Part(fields=(("Content-ID", "<2>"),), offset=19, size=6, sha256=hashlib.sha256(b"SECOND").digest())
    body.parts = (root, first, second)
    return body


def test_attachments_of_an_answer_are_read_where_they_lie() -> None:
    made = codec()
    reply = minimised(recorded(made, head(), Body(request())), fields=TEXT, body=Body(b"<a/>"), attached=attachments())
    answer = made.answer(reply, ANSWER_ID, "aGFzaA==")
    content_type = dict(answer.head.fields)["Content-Type"]
    sent = streamed(answer.body)
    assert len(sent) == answer.body.size
    parts = split(content_type, sent)
    assert [part.data for part in parts[1:]] == [b"FIRST", b"SECOND"]
    assert [(part.offset, part.size, part.sha256) for part in parts] == [
        (part.offset, part.size, part.sha256) for part in answer.body.parts
    ]
    sealed = made.with_root(answer, b"<sealed/>")
    parts = split(dict(sealed.head.fields)["Content-Type"], streamed(sealed.body))
    assert [part.data for part in parts] == [b"<sealed/>", b"FIRST", b"SECOND"]
    assert sealed.enveloped


def test_a_facades_attachments_are_in_memory_since_it_is_signed_as_a_whole() -> None:
    made = codec()
    body = f'<t:citizen xmlns:t="{NS}"><MaDVC>1</MaDVC><MaDonVi>000.00.57</MaDonVi></t:citizen>'
    asked = recorded(made, head("/soap/G01/register/citizen"), Body(envelope("", body)))
    answer = made.answer(minimised(asked, fields=TEXT, body=Body(b"<a/>"), attached=attachments()), ANSWER_ID, "")
    assert answer.body.data is not None
    parts = split(dict(answer.head.fields)["Content-Type"], answer.body.data)
    assert [part.data for part in parts[1:]] == [b"FIRST", b"SECOND"]
    large = attachments()
    large.data = None
    answer = made.answer(minimised(asked, fields=TEXT, body=Body(b"<a/>"), attached=large), ANSWER_ID, "")
    assert opened(answer.body.data or b"")[1].tag == f"{{{SOAP}}}Fault"


def test_a_fault_is_x_roads_with_more_beside() -> None:
    error = ExchangeError(RECORD_FAILED, "a <detail> & more", parts=("x<y",), retry_after=3)
    answer = codec(language="en").refuse(head(), None, error, ANSWER_ID)
    _, fault = opened(answer.body.data or b"")
    assert fault.tag == f"{{{SOAP}}}Fault"
    assert fault.findtext("faultcode") == "server.clientproxy.record_failed"
    assert fault.findtext("faultstring") == "The request could not be recorded (a <detail> & more)"
    assert fault.findtext("detail/faultDetail") == ANSWER_ID
    problem = fault.find(f"detail/{{{MOTLAN}}}problem")
    assert problem is not None
    assert [each.text for each in problem][:2] == ["gateway", "true"]
    assert problem[-1].text == "x<y"
    assert dict(answer.head.fields)["Retry-After"] == "3"


def test_a_fault_in_soap_12_legacy_codes_and_the_callers_language() -> None:
    fields = (("Content-Type", "application/soap+xml"), ("Accept-Language", "vi;q=0.9"))
    answer = codec(legacy=True, language="en").refuse(
        head(fields=fields), None, ExchangeError(UNKNOWN_SERVICE), ANSWER_ID
    )
    _, fault = opened(answer.body.data or b"", SOAP12)
    assert fault.findtext(f"{{{SOAP12}}}Code/{{{SOAP12}}}Value") == "S:Sender"
    assert (
        fault.findtext(f"{{{SOAP12}}}Code/{{{SOAP12}}}Subcode/{{{SOAP12}}}Value") == "Server.ServerProxy.UnknownService"
    )
    assert fault.findtext(f"{{{SOAP12}}}Reason/{{{SOAP12}}}Text") == "Không có dịch vụ này"


def test_a_fault_for_a_message_that_nobody_could_read() -> None:
    answer = codec().refuse(Head(method="GET", target="/soap", fields=()), None, ExchangeError(OVERLOADED), ANSWER_ID)
    assert answer.enveloped
    assert opened(answer.body.data or b"")[1].findtext("faultcode") == OVERLOADED.code


def test_names_of_strangers_are_not_remembered() -> None:
    words = Vocabulary(most=1500)
    words.learn([b"ours", b"urn:ours"])
    flood = words.look(b"".join(b"<x%d/>" % number for number in range(100)))
    assert len(flood.new) == 100
    assert words.look(flood.octets).new
    known = words.look(b'<p:known a="1"/>')
    words.remember(known)
    with pytest.raises(ExchangeError, match=OVERLOADED.code):
        words.remember(flood)
    assert not words.look(b'<known a="2"><p:known/></known>').new
    assert not words.look(b"<a:ours xmlns:p='urn:ours'/>".replace(b"xmlns:p", b"a:p")).new
    assert words.look(b"<another/>").new == {b"<another/"}


def test_strange_variants_of_known_names_take_no_room_from_new_ones() -> None:
    words = Vocabulary(most=4000)
    words.learn([b"n%d" % number for number in range(100)])
    for number in range(10_000):
        assert not words.look(b"<n%d:n%d/>" % (number % 100, number // 100)).new
    words.remember(words.look(b"<new/>"))
    assert not words.look(b"<new></new>").new


@pytest.mark.parametrize(
    "data", [b"<a\nb='1'\tc = \"2\" x:d='>'/>", b"<p:q xmlns:p='u' />", b"<\xc4\x91\xc6\xa1n/>", b"<a>          </a>"]
)
def test_every_name_counts(data: bytes) -> None:
    words = Vocabulary(most=100)
    with pytest.raises(ExchangeError, match=OVERLOADED.code):
        words.remember(words.look(data))
