"""SOAP at a real gateway: one protocol taken for another, what strangers cost, and what answers may be twisted into."""

import encodings
import secrets
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from adapters.soap import codec as soap_codec
from adapters.soap import reading
from gateway.signing.wsse_names import SOAP12, WSSE
from gateway.signing.wsse_sign import sign_envelope
from tests.support.attacks import World
from tests.support.exchanges import json_answer, records
from tests.support.gateways import PORTAL
from tests.support.mtls import LEGACY, SHELF
from tests.support.soap_attacks import (
    ASKED,
    NOTHING,
    NUMBER,
    WRAPPER,
    accepted,
    blocks,
    crafted,
    document,
    into_header,
    message_id,
    refused,
    resident,
    send,
    to_nowhere,
    value_of,
    whole,
)
from tests.support.soap_office import ARCHIVE, FACADE, NS, archive, native, proved, soap_office, told
from tests.support.xroad_soap import SOAP, XROAD, envelope, headers


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with soap_office(tmp_path_factory.mktemp("site"), extra="[capacity]\nrefusals_per_minute = 100000\n") as made:
        yield made


@pytest.fixture(autouse=True)
def _usual(place: World) -> None:
    place.provider.reply = told(f'<a:archiveResponse xmlns:a="{NS}">ok</a:archiveResponse>')


# -- one protocol taken for another --------------------------------------------------------------------------------


def test_one_ones_envelope_in_another_ones_connection(place: World) -> None:
    refused(place, crafted(place), "client.key_of_another_subsystem", subsystem=LEGACY)
    text = crafted(place)
    accepted(place, text, confirms=value_of(text), subsystem=PORTAL)


def test_a_certificate_does_not_prove_what_says_that_it_is_another_ones(place: World) -> None:
    root = envelope(headers(str(PORTAL), str(ARCHIVE), message_id()), archive())
    refused(place, root, "client.key_of_another_subsystem", subsystem=LEGACY)
    refused(place, root, "client.proof_scheme_not_allowed", subsystem=PORTAL)


def test_a_signature_that_is_hidden_is_none(place: World) -> None:
    """A certificate of one who must sign does not stand in for a signature that was moved out of the way."""
    right = crafted(place)
    moved = right.replace(whole(right), WRAPPER.format(whole(right)))
    refused(place, moved, "client.proof_scheme_not_allowed", subsystem=PORTAL)


def test_a_signed_envelope_is_no_request_of_a_facade(place: World) -> None:
    text = crafted(place, document(native()))
    for subsystem in (None, LEGACY):
        forwarded = place.forwarded
        answer = send(place, text, target=FACADE, subsystem=subsystem)
        assert answer.fault is not None
        assert answer.fault[0] == "client.inconsistent_headers"
        assert "signature" in answer.fields
        assert place.forwarded == forwarded


@pytest.mark.parametrize(
    "more",
    [
        f'<wsse:Security xmlns:wsse="{WSSE}"/>',
        f'<x:userId xmlns:x="{XROAD}">boss</x:userId>',
        '<m:purpose xmlns:m="urn:motlan:soap:v1">9</m:purpose>',
    ],
)
def test_a_facade_takes_no_header_that_means_something_elsewhere(place: World, more: str) -> None:
    forwarded = place.forwarded
    answer = send(place, envelope(more, native()), target=FACADE, subsystem=LEGACY)
    assert answer.fault is not None
    assert answer.fault[0] == "client.inconsistent_headers"
    assert place.forwarded == forwarded


def test_an_envelope_is_no_rest_call(place: World) -> None:
    forwarded = place.forwarded
    path = "/r1/" + str(ARCHIVE)
    answer = send(place, crafted(place), target=path)
    assert answer.fields["x-road-error"] == "client.missing_header"
    signed_twice = send(place, crafted(place), target=path, fields=[("X-Road-Client", str(PORTAL))])
    assert signed_twice.fields["x-road-error"] == "client.signature_missing"
    assert place.forwarded == forwarded


HTTP_FIELDS = (
    ("X-Road-Client", str(PORTAL)),
    ("X-Road-UserId", "boss"),
    ("X-Road-Issue", "another"),
    ("X-Road-Represented-Party", "COM/1"),
    ("Motlan-Purpose", '"9.999"'),
    ("Motlan-Receipt", "mine"),
    ("Motlan-JWS", "a.b.c"),
    ("Signature-Input", 'a=("@method");tag="motlan-request"'),
    ("Signature", "a=:AAAA:"),
    ("Authorization", "Basic bWU6bWU="),
)


@pytest.mark.parametrize("by_certificate", [True, False])
@pytest.mark.parametrize("service", [ARCHIVE, SHELF])
def test_header_fields_of_http_say_nothing_over_soap(place: World, service: str, *, by_certificate: bool) -> None:
    """Neither to us nor, passed on, to the provider: it would be told of another officer than the record names."""
    if service is ARCHIVE:
        asked = archive()
    else:
        place.provider.reply = json_answer({"ok": 1})
        asked = f'<s:shelfBooks xmlns:s="urn:motlan:service:{SHELF}"/>'
    forwarded = place.forwarded
    if by_certificate:
        root = envelope(headers(str(LEGACY), str(service), message_id()), asked)
        send(place, root, subsystem=LEGACY, fields=HTTP_FIELDS)
    else:
        send(place, crafted(place, document(asked, blocks(service=service))), fields=HTTP_FIELDS)
    if place.forwarded == forwarded:
        assert service is SHELF  # an operation that only its own description knows
        return
    told_on = {value for _, value in place.provider.last.headers}
    assert not told_on & {value for _, value in HTTP_FIELDS} - {str(PORTAL)}
    if by_certificate:
        assert str(PORTAL) not in told_on


@pytest.mark.parametrize("target", ["/soap", FACADE])
def test_what_header_fields_of_http_say_is_not_signed_in_the_callers_name(place: World, target: str) -> None:
    rows = place.rows()
    if target == FACADE:
        send(place, envelope("", native(MaYeuCau=message_id())), target=target, subsystem=LEGACY, fields=HTTP_FIELDS)
    else:
        root = envelope(headers(str(LEGACY), str(ARCHIVE), message_id()), archive())
        send(place, root, target=target, subsystem=LEGACY, fields=HTTP_FIELDS)
    base = records(place.site, rows)[0].shown("signature_base")
    assert f'"@target-uri": {place.site.url}{target}' in base
    assert not [value for _, value in HTTP_FIELDS if value in base]


def test_other_signatures_prove_no_envelope(place: World) -> None:
    """An RFC 9421 signature and a JWS over the same HTTP request, both right for a REST call, are none over SOAP."""
    unsigned_root = envelope(headers(str(PORTAL), str(ARCHIVE), message_id()), archive())
    message = place.message(service=ARCHIVE, body=unsigned_root, fields={"Content-Type": "text/xml"})
    fields = [pair for pair in message.head.fields if pair[0] not in {"Host", "Content-Type"}]
    refused(place, unsigned_root, "client.signature_missing", fields=fields)


def test_the_next_actor_may_be_told_what_we_need_not_understand(place: World) -> None:
    other = '<t:tx xmlns:t="urn:t" s:mustUnderstand="1" s:actor="urn:another"/>'
    text = into_header(crafted(place), other)
    accepted(place, text, confirms=value_of(text))
    ours = into_header(crafted(place), other.replace(' s:actor="urn:another"', ""))
    refused(place, ours, "client.must_understand")


# -- what it costs -------------------------------------------------------------------------------------------------


def _blanks() -> str:
    """White space that nobody sent before, as libxml2 remembers it: up to 59 characters."""
    text = secrets.token_bytes(58 * 7000).translate(bytes(b" \t\n"[byte % 3] for byte in range(256))).decode()
    return "".join(f"<b>{text[start : start + 58]}</b>" for start in range(0, len(text), 58))


FLOODS: dict[str, Callable[[], str]] = {
    "names": lambda: "".join(f"<n{secrets.token_hex(50)}/>" for _ in range(4000)),
    "white space": _blanks,
}


@pytest.mark.parametrize("name", FLOODS)
@pytest.mark.parametrize("where", ["in the element", "in a signed envelope's header"])
def test_strangers_leave_nothing_in_memory(place: World, name: str, where: str) -> None:
    """libxml2 remembers every name for as long as its thread lives. Whom nobody has proved may not fill it."""
    resident_before, left = 0, []
    for number in range(70):
        if where == "in the element":
            data = envelope(headers(str(PORTAL), str(ARCHIVE), message_id()), archive(FLOODS[name]()))
        else:
            data = into_header(crafted(place), WRAPPER.format(FLOODS[name]())).replace(NUMBER, "1").encode()
        assert send(place, data).fault is not None
        if number == 9:
            resident_before = resident()
        if number >= 65:
            left.append(resident())  # what the allocator holds comes and goes, what is remembered stays
    assert min(left) - resident_before < 14 * 1024 * 1024
    prefix = f"p{secrets.token_hex(8)}"
    asked = f'<{prefix}:archive xmlns:{prefix}="{NS}"/>'
    root = envelope(headers(str(LEGACY), str(ARCHIVE), message_id()), asked)
    accepted(place, root, subsystem=LEGACY)


def test_large_envelopes_of_strangers_are_not_parsed(place: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A megabyte of tags takes a quarter of a second; that nobody signed it is seen in its first few kilobytes."""
    looked: list[int] = []
    real = reading.look

    def look(data: bytes, *more: Any) -> Any:
        looked.append(len(data))
        return real(data, *more)

    monkeypatch.setattr(soap_codec, "look", look)
    inner = archive("<b/>" * 50_000)
    unsigned = envelope(headers(str(PORTAL), str(ARCHIVE), message_id()), inner)
    refused(place, unsigned, "client.signature_missing")
    text = crafted(place, document(inner))
    value = value_of(text) or ""
    refused(place, text.replace(value, "A" * len(value)), "client.signature_invalid")
    buried = unsigned.replace(b"Header>", b"Header><a:b xmlns:a='urn:a'>" + b"x" * 70_000 + b"</a:b>", 1)
    refused(place, buried, "client.envelope_too_large")
    assert not looked
    large = archive(f"<b>{'x' * 300_000}</b>")
    signed = crafted(place, document(large))
    accepted(place, signed, confirms=value_of(signed))
    accepted(place, envelope(headers(str(LEGACY), str(ARCHIVE), message_id()), large), subsystem=LEGACY)
    assert looked


def test_charsets_that_nobody_knows_are_not_remembered(place: World) -> None:
    """Python keeps every name of a codec that it was ever asked for, and looks for a module of that name."""
    before = len(encodings._cache)  # type: ignore[attr-defined]
    for number in range(20):
        said = f"text/xml; charset={secrets.token_hex(1000)}{number}"
        refused(place, crafted(place), "client.invalid_xml", content_type=said)
        declared = f'<?xml version="1.0" encoding="x{secrets.token_hex(50)}"?>{crafted(place)}'
        refused(place, declared, "client.invalid_xml", content_type="text/xml")
    assert len(encodings._cache) == before  # type: ignore[attr-defined]


def test_a_text_of_fifty_megabytes(place: World) -> None:
    rows, before = place.rows(), resident()
    text = crafted(place)
    huge = text.replace(NUMBER, "1" * 50_000_000).encode()
    try:
        answer = send(place, huge)
    except (ConnectionError, OSError):  # told before all is sent
        pass
    else:
        assert answer.fault is not None
        assert answer.fault[0] == "client.body_too_large"
    del huge
    assert resident() - before < 80 * 1024 * 1024  # the message itself is made in this process
    assert place.rows() == rows


def test_a_provider_with_many_prefixes_holds_nobody_up(place: World) -> None:
    inner = "".join(f'<p{number}:x xmlns:p{number}="urn:p">v</p{number}:x>' for number in range(8000))
    fill = "<b/>" * 90_000 + "y'" * 10_000
    place.provider.reply = told(f'<a:archiveResponse xmlns:a="{NS}">{inner}{fill}</a:archiveResponse>')
    text = crafted(place)
    started = time.monotonic()
    accepted(place, text, confirms=value_of(text))
    assert time.monotonic() - started < 3


# -- answers -------------------------------------------------------------------------------------------------------


def test_an_answer_confirms_its_own_request_and_no_other(place: World) -> None:
    first, second = crafted(place), crafted(place)
    answers = [accepted(place, each, confirms=value_of(each)) for each in (first, second)]
    for answer, other in zip(answers, (second, first), strict=True):
        with pytest.raises(Exception, match="confirm"):
            proved(place, answer, value_of(other))
    faulty = crafted(place, to_nowhere())
    fault = refused(place, faulty, "server.serverproxy.unknown_service", recorded=True, confirms=value_of(faulty))
    with pytest.raises(Exception, match="confirm"):
        proved(place, fault, value_of(first))


def test_an_answer_cannot_be_changed(place: World) -> None:
    text = crafted(place)
    answer = accepted(place, text, confirms=value_of(text))
    for old, new in ((b">ok<", b">no<"), (str(PORTAL.member_code).encode(), b"H99")):
        assert old in answer.body
        twisted = type(answer)(**{**answer.__dict__, "body": answer.body.replace(old, new, 1)})
        with pytest.raises(Exception, match=r"signature|digest|unsigned|intact|server"):
            proved(place, twisted, value_of(text))


@pytest.mark.parametrize(
    "inside", ["", f'<q:Security xmlns:q="{WSSE}"/>', f'<Security xmlns="{WSSE}"/>', f"<q:Security xmlns:q='{WSSE}'/>"]
)
def test_a_provider_cannot_bring_a_security_header_into_an_answer(place: World, inside: str) -> None:
    """Consumers whose libraries look for it anywhere would take the provider's for ours."""
    text, rows = crafted(place), place.rows()
    place.provider.reply = told(f'<a:archiveResponse xmlns:a="{NS}">{inside or whole(text)}</a:archiveResponse>')
    answer = send(place, text)
    assert answer.fault is not None
    assert answer.fault[0] == "server.serverproxy.service_failed.invalid_reply"
    proved(place, answer, value_of(text))
    assert [(each["kind"], each.get("outcome")) for each in place.records(rows)][-1] == ("answer", "INVALID_REPLY")


@pytest.mark.parametrize("name", ["Id", "xml:id", "ID"])
def test_ids_of_a_provider_are_never_those_of_our_signature(place: World, name: str) -> None:
    text = crafted(place)
    first = accepted(place, text, confirms=value_of(text))
    ours = first.body.decode().partition('wsu:Id="')[2].partition('"')[0]
    place.provider.reply = told(f'<a:archiveResponse xmlns:a="{NS}" {name}="{ours}">ok</a:archiveResponse>')
    text = crafted(place)
    second = accepted(place, text, confirms=value_of(text))
    assert second.body.decode().count(f'"{ours}"') == 1


def test_faults_say_nothing_of_persons(place: World) -> None:
    other = "079085000123"
    inner = f'<a:archive xmlns:a="{NS}"><number>{other}</number></a:archive>'
    for text in (
        crafted(place, document(inner)).replace(other, other[::-1]),
        crafted(place, document(inner, blocks(service=NOTHING))),
        crafted(place, document(f"<n{other}/>")),
        into_header(crafted(place), f'<x:issue xmlns:x="{XROAD}">{other}</x:issue>'),
        into_header(crafted(place), f'<x:userId xmlns:x="{XROAD}">{other}Đ</x:userId>'),
    ):
        answer = send(place, text)
        assert answer.fault is not None
        assert other not in answer.fault[1]


def test_the_seal_of_a_refusal_is_made_of_our_own_key(place: World) -> None:
    """Whoever sends a signed message in our name gets no signature of ours over what it chose."""
    root = envelope(headers("VN/GOV/G22/motlan", str(ARCHIVE), message_id()), ASKED)
    key = place.gateway.pipeline._parts.sealer._key
    signed = sign_envelope(root, key=key, now=place.clock.now())
    refused(place, signed.envelope, "client.unknown_key")


def test_soap_1_2_is_answered_in_soap_1_2(place: World) -> None:
    text = crafted(place).replace(SOAP, SOAP12)
    answer = send(place, text, content_type="application/soap+xml; charset=utf-8")
    assert b"client.security_digest_mismatch" in answer.body
    assert answer.fields["content-type"].startswith("application/soap+xml")
    proved(place, answer, None)
