"""SOAP messages that mean harm, or are broken: each gets a Fault with its code, and nothing is forwarded."""

import gzip
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.attacks import World
from tests.support.exchanges import json_answer
from tests.support.mtls import LEGACY, PERMIT, mtls_office
from tests.support.xroad_rest import tls_context
from tests.support.xroad_soap import (
    REPRESENTATION,
    SOAP,
    SoapAnswer,
    SoapConsumer,
    envelope,
    headers,
    with_attachments,
)

NS = f"urn:motlan:service:{PERMIT}"
BODY = f'<s:permit xmlns:s="{NS}">{{"a": 1}}</s:permit>'
HEADERS = headers(str(LEGACY), str(PERMIT), "m-1")
GOOD = envelope(HEADERS, BODY)
CLIENT_OTHER = HEADERS.replace('objectType="SUBSYSTEM"', 'objectType="MEMBER"')
TEXT = "text/xml; charset=UTF-8"
ANOTHER_SOAP = "http://www.w3.org/2003/05/soap-envelope"
ENTITIES = (
    '<?xml version="1.0"?><!DOCTYPE e [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    + "]>"
)
PI = '<?xml version="1.0"?><?xml-stylesheet href="http://127.0.0.1:1/"?>'
INCLUDE = '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/hostname" parse="text"/>'
LOCATED = BODY.replace(
    "<s:permit",
    '<s:permit xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:schemaLocation="urn:a http://127.0.0.1:1/"',
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with mtls_office(tmp_path_factory.mktemp("site"), extra="[limits]\nmemory = 262144\nbody = 4194304\n") as made:
        made.provider.reply = json_answer({"owner": {"full_name": "A"}, "area": 1})
        yield made


@pytest.fixture(scope="module")
def caller(place: World) -> SoapConsumer:
    identity = place.site.pki.identities[LEGACY]
    tls = tls_context(str(place.site.pki.bundle), str(identity.tls_certificate), str(identity.tls_key))
    return SoapConsumer(place.site.url, str(LEGACY), tls)


def refused(place: World, answer: SoapAnswer, code: str, before: int) -> None:
    assert answer.fault is not None, answer.body[:500]
    assert answer.fault[0] == code, answer.fault
    assert answer.status == 200
    assert answer.fields["content-type"].startswith(("text/xml", "application/soap+xml"))
    assert len(answer.fault[2]) == 36
    assert place.forwarded == before


def dropped(name: str) -> str:
    start = HEADERS.index(f"<xrd:{name}")
    end = HEADERS.index(f"</xrd:{name}>") + len(f"</xrd:{name}>")
    return HEADERS[:start] + HEADERS[end:]


def doubled(name: str) -> str:
    start = HEADERS.index(f"<xrd:{name}")
    end = HEADERS.index(f"</xrd:{name}>") + len(f"</xrd:{name}>")
    return HEADERS + HEADERS[start:end]


FIELDS = {
    **{
        f"no {name}": (dropped(name), "client.missing_header_field")
        for name in ("client", "service", "id", "protocolVersion")
    },
    **{
        f"two {name}": (doubled(name), "client.duplicate_header_field")
        for name in ("client", "service", "id", "protocolVersion")
    },
    "two purposes": (
        HEADERS + '<m:purpose xmlns:m="urn:motlan:soap:v1">1</m:purpose>' * 2,
        "client.duplicate_header_field",
    ),
    "two memberCodes": (
        HEADERS.replace("<id:subsystemCode>", "<id:memberCode>X</id:memberCode><id:subsystemCode>", 1),
        "client.duplicate_header_field",
    ),
    "an element that is none": (
        HEADERS.replace("<id:subsystemCode>", "<id:groupCode>X</id:groupCode><id:subsystemCode>", 1),
        "client.invalid_header_field",
    ),
    "a member with a subsystem": (CLIENT_OTHER, "client.inconsistent_headers"),
    "a service that is a subsystem": (HEADERS.replace('"SERVICE"', '"SUBSYSTEM"'), "client.inconsistent_headers"),
    "no objectType": (HEADERS.replace(' id:objectType="SERVICE"', ""), "client.invalid_header_field"),
    "version 3": (HEADERS.replace(">4.0<", ">3.1<"), "client.invalid_protocol_version"),
    "version 40": (HEADERS.replace(">4.0<", ">40<"), "client.invalid_protocol_version"),
    "no version": (HEADERS.replace(">4.0<", "><"), "client.missing_header_field"),
    "an empty id": (HEADERS.replace(">m-1<", "> <"), "client.missing_header_field"),
    "markup in id": (HEADERS.replace(">m-1<", "><b/>m-1<"), "client.invalid_header_field"),
    "a line break in id": (HEADERS.replace(">m-1<", ">m&#10;X-Road-UserId: boss<"), "client.invalid_header_field"),
    "a long id": (HEADERS.replace(">m-1<", f">{'m' * 300}<"), "client.invalid_header_field"),
    "a client that stops after its class": (
        re.sub("(?s)<id:memberCode>.*?</id:subsystemCode>", "", HEADERS, count=1).replace('"SUBSYSTEM"', '"MEMBER"'),
        "client.invalid_header_field",
    ),
    "a slash in a code": (HEADERS.replace(">H57<", ">H57/x<"), "client.invalid_header_field"),
    "a central service": (
        HEADERS + '<xrd:centralService id:objectType="CENTRALSERVICE"/>',
        "client.invalid_header_field",
    ),
    "a party without code": (
        HEADERS + f'<r:representedParty xmlns:r="{REPRESENTATION}"/>',
        "client.invalid_header_field",
    ),
    "must understand": (HEADERS + '<x:tx xmlns:x="urn:x" SOAP-ENV:mustUnderstand="1"/>', "client.must_understand"),
    "answers elsewhere": (
        HEADERS
        + '<w:ReplyTo xmlns:w="http://www.w3.org/2005/08/addressing"><w:Address>http://evil/</w:Address></w:ReplyTo>',
        "client.must_understand",
    ),
}


@pytest.mark.parametrize("name", FIELDS)
def test_header_fields(place: World, caller: SoapConsumer, name: str) -> None:
    header, code = FIELDS[name]
    before = place.forwarded
    refused(place, caller.post(envelope(header, BODY)), code, before)


def outside(change: Callable[[bytes], bytes]) -> bytes:
    changed = change(GOOD)
    assert changed != GOOD
    return changed


DOCUMENTS = {
    "nothing": (b"", TEXT, "client.invalid_xml"),
    "json": (b"{}", TEXT, "client.invalid_xml"),
    "another document": (b"<a/>", TEXT, "client.invalid_soap"),
    "no header": (
        envelope("", BODY).replace(b"<SOAP-ENV:Header></SOAP-ENV:Header>", b""),
        TEXT,
        "client.missing_header",
    ),
    "two headers": (
        outside(lambda m: m.replace(b"<SOAP-ENV:Body>", b"<SOAP-ENV:Header/><SOAP-ENV:Body>")),
        TEXT,
        "client.invalid_soap",
    ),
    "header last": (
        envelope("", BODY).replace(b"</SOAP-ENV:Envelope>", b"<SOAP-ENV:Header/></SOAP-ENV:Envelope>"),
        TEXT,
        "client.invalid_soap",
    ),
    "two bodies": (
        outside(lambda m: m.replace(b"</SOAP-ENV:Envelope>", b"<SOAP-ENV:Body/></SOAP-ENV:Envelope>")),
        TEXT,
        "client.invalid_soap",
    ),
    "an empty body": (envelope(HEADERS, ""), TEXT, "client.invalid_soap"),
    "two body children": (envelope(HEADERS, BODY + BODY), TEXT, "client.invalid_soap"),
    "text in body": (envelope(HEADERS, "x" + BODY), TEXT, "client.invalid_soap"),
    "a name that is not the service's": (
        envelope(HEADERS, f'<s:write xmlns:s="{NS}"/>'),
        TEXT,
        "client.unknown_operation",
    ),
    "another namespace": (envelope(HEADERS, '<s:permit xmlns:s="urn:other"/>'), TEXT, "client.unknown_operation"),
    "doctype": (envelope(HEADERS, BODY, '<?xml version="1.0"?><!DOCTYPE e>'), TEXT, "client.invalid_xml"),
    "entities": (envelope(HEADERS, f'<s:permit xmlns:s="{NS}">&j;</s:permit>', ENTITIES), TEXT, "client.invalid_xml"),
    "an outside entity": (
        envelope(
            HEADERS,
            f'<s:permit xmlns:s="{NS}">&x;</s:permit>',
            '<!DOCTYPE e [<!ENTITY x SYSTEM "file:///etc/hostname">]>',
        ),
        TEXT,
        "client.invalid_xml",
    ),
    "an undeclared entity": (envelope(HEADERS, f'<s:permit xmlns:s="{NS}">&x;</s:permit>'), TEXT, "client.invalid_xml"),
    "doctype in utf-16": (
        envelope(HEADERS, BODY, "<!DOCTYPE e>").decode().encode("utf-16"),
        "text/xml",
        "client.invalid_xml",
    ),
    "a processing instruction before": (envelope(HEADERS, BODY, PI), TEXT, "client.invalid_xml"),
    "a processing instruction inside": (
        envelope(HEADERS, BODY.replace(">{", "><?php x?>{")),
        TEXT,
        "client.invalid_xml",
    ),
    "a processing instruction after": (GOOD + b"<?php x?>", TEXT, "client.invalid_xml"),
    "xinclude": (envelope(HEADERS, f'<s:permit xmlns:s="{NS}">{INCLUDE}</s:permit>'), TEXT, "client.invalid_xml"),
    "xinclude, spelled": (
        envelope(HEADERS, f'<s:permit xmlns:s="{NS}">{INCLUDE.replace("XInclude", "XInclud&#101;")}</s:permit>'),
        TEXT,
        "client.invalid_xml",
    ),
    "schemaLocation": (envelope(HEADERS, LOCATED), TEXT, "client.invalid_xml"),
    "not closed": (GOOD[:-3], TEXT, "client.invalid_xml"),
    "two documents": (GOOD + GOOD, TEXT, "client.invalid_xml"),
    "deep": (
        envelope(HEADERS, f'<s:permit xmlns:s="{NS}">{"<a>" * 300}{"</a>" * 300}</s:permit>'),
        TEXT,
        "client.invalid_xml",
    ),
    "nul": (GOOD.replace(b"{", b"\0"), TEXT, "client.invalid_xml"),
    "not utf-8": (GOOD.replace(b"{", b"\xff"), TEXT, "client.invalid_xml"),
    "xml 1.1": (GOOD.replace(b'version="1.0"', b'version="1.1"'), TEXT, "client.invalid_xml"),
    "another charset than declared": (GOOD, "text/xml; charset=utf-16", "client.invalid_xml"),
    "a charset that only the head names": (GOOD, "text/xml; charset=windows-1258", "client.invalid_xml"),
    "an unknown charset": (GOOD.replace(b"UTF-8", b"UTF-7"), "text/xml", "client.invalid_xml"),
    "a codec of python's": (GOOD.replace(b"UTF-8", b"rot13"), "text/xml", "client.invalid_xml"),
    "utf-8 that says utf-16": (GOOD.replace(b"UTF-8", b"UTF-16"), "text/xml", "client.invalid_xml"),
    "soap 1.2 as text/xml": (GOOD.replace(SOAP.encode(), ANOTHER_SOAP.encode()), TEXT, "client.invalid_soap"),
    "soap 1.1 as 1.2": (GOOD, "application/soap+xml", None),
    "a form": (GOOD, "application/x-www-form-urlencoded", "client.invalid_content_type"),
    "a media type that is none": (GOOD, "text", "client.invalid_content_type"),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents(place: World, caller: SoapConsumer, name: str) -> None:
    data, content_type, code = DOCUMENTS[name]
    before = place.forwarded
    answer = caller.post(data, content_type)
    if code is None:
        assert b"client.invalid_soap" in answer.body
        assert place.forwarded == before
    else:
        refused(place, answer, code, before)


FLOODS = {
    "attributes": "<a " + " ".join(f"a{n}='1'" for n in range(4000)) + "/>",
    "attributes of one name each": "<a>" + "<a " + " ".join(f"a{n}=''" for n in range(200)) + "/></a>",
    "namespaces": "<a " + " ".join(f"xmlns:a{n}='urn:{n}'" for n in range(3000)) + ">" + "<b/>" * 9000 + "</a>",
    "names": "<a>" + "".join(f"<a{n}/>" for n in range(9000)) + "</a>",
    "a long name": f"<{'a' * 20000}/>",
}


@pytest.mark.parametrize("name", FLOODS)
def test_floods_cost_little(place: World, caller: SoapConsumer, name: str) -> None:
    before, started = place.forwarded, time.monotonic()
    answer = caller.post(envelope(HEADERS, f'<s:permit xmlns:s="{NS}">{FLOODS[name]}</s:permit>'))
    refused(place, answer, "client.invalid_xml", before)
    assert time.monotonic() - started < 2


def memory() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def test_one_huge_text_node(place: World, caller: SoapConsumer) -> None:
    """Content that large goes into an attachment; what was sent of it is neither kept nor parsed."""
    before, resident = place.forwarded, memory()
    huge = envelope(HEADERS, f'<s:permit xmlns:s="{NS}">"{"x" * 3_000_000}"</s:permit>')
    try:
        answer = caller.post(huge)
    except (ConnectionError, OSError):  # it is told before all is sent, and the connection ends
        assert place.forwarded == before
    else:
        refused(place, answer, "client.body_too_large", before)
    assert memory() - resident < 32 * 1024 * 1024


def test_compressed_envelopes(place: World, caller: SoapConsumer) -> None:
    packed = gzip.compress(GOOD)
    for data in (packed, packed[:-10]):
        before = place.forwarded
        answer = caller.post(data, fields=[("Content-Encoding", "gzip")])
        refused(place, answer, "client.invalid_content_type", before)


def mime(change: Callable[[bytes], bytes]) -> tuple[str, bytes]:
    content_type, data = with_attachments(GOOD, {"data.bin": b"\0\1"})
    changed = change(data)
    assert changed != data
    return content_type, changed


WHOLE = with_attachments(GOOD, {"data.bin": b"\0\1"})
PARTS = {
    "no boundary": (WHOLE[0].replace('boundary="MIME_boundary"', ""), WHOLE[1]),
    "another boundary": (WHOLE[0].replace("MIME_", "other_"), WHOLE[1]),
    "not closed": mime(lambda m: m.removesuffix(b"--\r\n")),
    "root not first": mime(lambda m: m.replace(b"<rootpart>", b"<x>").replace(b"<data.bin>", b"<rootpart>")),
    "no root": (WHOLE[0], b"--MIME_boundary--\r\n"),
    "wrong content id": mime(lambda m: m.replace(b"<rootpart>", b"<another>")),
    "one id twice": mime(lambda m: m.replace(b"<data.bin>", b"<rootpart>")),
    "nested": mime(lambda m: m.replace(b"application/octet-stream", b"multipart/mixed; boundary=n")),
    "line feeds": mime(lambda m: m.replace(b"\r\n", b"\n")),
    "encoded root": mime(lambda m: m.replace(b"8bit", b"base64")),
}


@pytest.mark.parametrize("name", PARTS)
def test_broken_mime(place: World, caller: SoapConsumer, name: str) -> None:
    content_type, data = PARTS[name]
    before = place.forwarded
    refused(place, caller.post(data, content_type), "client.mime_parsing_failed", before)


def test_an_attachment_over_the_limit(place: World, caller: SoapConsumer) -> None:
    content_type, data = with_attachments(GOOD, {"data.bin": b"\0" * 5_000_000})
    before = place.forwarded
    try:
        answer = caller.post(data, content_type)
    except (ConnectionError, OSError):
        assert place.forwarded == before
    else:
        refused(place, answer, "client.body_too_large", before)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_other_methods(place: World, caller: SoapConsumer, method: str) -> None:
    import http.client  # noqa: PLC0415 - only here

    connection = http.client.HTTPSConnection("127.0.0.1", place.site.port, timeout=5, context=caller.tls)
    connection.request(method, "/soap")
    response = connection.getresponse()
    assert b"client.invalid_http_method" in response.read()
    connection.close()


def test_the_good_message_is_good(place: World, caller: SoapConsumer) -> None:
    """Else none of the above shows anything."""
    before = place.forwarded
    assert caller.post(GOOD).fault is None
    assert caller.post(WHOLE[1], WHOLE[0]).fault is None
    assert place.forwarded == before + 2
