"""XML of strangers: what is read, and everything that is not."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from adapters.canonical.reading import decoders
from adapters.soap.envelope import SOAP11, Fault, Text, open_envelope
from adapters.soap.xml import UnreadableXmlError, local_name, parse, tree_of
from gateway.model.charsets import Charset

BOMB = '<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><b>&b;</b>'


@pytest.mark.parametrize(
    "document",
    [
        BOMB,
        '<?xml version="1.0"?>\n' + BOMB,
        '<!DOCTYPE a SYSTEM "http://127.0.0.1:1/x.dtd"><a/>',
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        "<!DOCTYPE a><a/>",
        "<a>&undefined;</a>",
        "<a>" * 10_000 + "</a>" * 10_000,
        "<a>" * 300 + "</a>" * 300,
        "<a><b></a></b>",
        "<a/><b/>",
        "<a",
        "",
        "   ",
        "Unauthorized",
        "<a>\x00</a>",
        "<a>\x01</a>",
        '<a x="1" x="2"/>',
        "<n:a/>",
        "<" + "a" * 200_000 + "/>",
        "<a>" + "x" * 2_100_000 + "</a>",
    ],
    ids=lambda text: text[:24] + "…",
)
def test_what_is_not_read(document):
    with pytest.raises(UnreadableXmlError):
        parse(document.encode())


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-32"])
def test_a_doctype_cannot_hide_in_another_encoding(codec):
    with pytest.raises(UnreadableXmlError):
        parse(BOMB.encode(codec))
    with pytest.raises(UnreadableXmlError):
        parse(BOMB.encode(codec), decoders((Charset.UTF_16, Charset.WINDOWS_1258, Charset.TCVN3)))


@pytest.mark.parametrize(
    "prefix",
    ["", "\ufeff", '<?xml version="1.0" encoding="UTF-8"?>', '\n<?xml version="1.0" encoding="windows-1258"?>\n'],
)
def test_what_the_document_says_of_its_encoding_is_not_believed(prefix):
    assert parse(f"{prefix}<a>Đặng</a>".encode()).text == "Đặng"


def test_declared_decoders_are_tried_in_order_when_the_bytes_are_not_utf8():
    octets = b"<a>Nguy\xd4n V\xa8n \xa7\xabng</a>"  # TCVN3; windows-1258 would read "NguyÔn V¨n §«ng"
    assert parse(octets, decoders((Charset.WINDOWS_1258, Charset.TCVN3))).text == "Nguyễn Văn Đông"
    with pytest.raises(UnreadableXmlError):
        parse(octets)
    with pytest.raises(UnreadableXmlError):
        parse(octets, decoders((Charset.WINDOWS_1258,)))


def test_comments_and_instructions_leave_no_trace():
    tree = tree_of(parse(b"<a><b>x<!-- c -->y</b><?pi?><c> z </c><d/><e> </e></a>"))
    assert tree == {"b": "xy", "c": "z", "d": None, "e": None}


def test_local_names():
    assert local_name(parse(b'<x:a xmlns:x="urn:x"/>')) == "a"
    assert local_name(parse(b"<a/>")) == "a"


def _soap(content: str, name: str = "Envelope", namespace: str = SOAP11) -> etree._Element:
    return parse(f'<s:{name} xmlns:s="{namespace}"><s:Header/><s:Body>{content}</s:Body></s:{name}>'.encode())


def test_what_stands_in_the_body():
    assert local_name(open_envelope(_soap("<a/>"))) == "a"
    assert open_envelope(_soap(" ")) is None
    assert open_envelope(_soap(' {"a": 1} ')) == Text('{"a": 1}')
    assert open_envelope(_soap('<Body>{"a": 1}</Body>')) == Text('{"a": 1}')


@pytest.mark.parametrize(
    ("code", "local", "ours"),
    [
        ("s:Client", "Client", True),
        ("Client.Auth", "Client.Auth", True),
        ("s:Server", "Server", False),
        ("", "", False),
    ],
)
def test_faults(code, local, ours):
    fault = open_envelope(_soap(f"<s:Fault><faultcode>{code}</faultcode><faultstring>x</faultstring></s:Fault>"))
    assert fault == Fault(local)
    assert fault.is_ours is ours


@pytest.mark.parametrize(
    "root",
    [
        _soap("<a/>", namespace="http://www.w3.org/2003/05/soap-envelope"),
        _soap("<a/>", name="Message"),
        _soap("<a/><b/>"),
        parse(f'<s:Envelope xmlns:s="{SOAP11}"/>'.encode()),
        parse(f'<s:Envelope xmlns:s="{SOAP11}"><s:Body/><s:Body/></s:Envelope>'.encode()),
        parse(b"<a/>"),
    ],
)
def test_envelopes_that_are_none(root):
    with pytest.raises(UnreadableXmlError):
        open_envelope(root)


@given(st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_read_or_refused(data):
    for octets in (data, b"<a>" + data + b"</a>"):
        try:
            root = parse(octets, decoders((Charset.WINDOWS_1258, Charset.TCVN3)))
        except UnreadableXmlError:
            continue
        assert root.getroottree().docinfo.internalDTD is None
