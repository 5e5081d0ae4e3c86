"""XML made to cost: entities, attributes, namespaces, depth, size. Refused by name, quickly, before any signature."""

import time

import pytest

from gateway.model.errors import ExchangeError
from gateway.model.errors.soap import INVALID_XML, ROOT_TOO_LARGE
from gateway.model.errors.wsse import XML_FORBIDDEN, XML_TOO_COMPLEX
from gateway.signing.wsse import parse_security
from gateway.signing.wsse_sign import sign_envelope
from gateway.signing.xml import canonical, parse
from tests.support import wsse as w

LAUGHS = (
    '<!DOCTYPE a [<!ENTITY a0 "lol">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    + "]><a>&a9;</a>"
)
SPREAD = "".join(f'xmlns:n{n}="urn:n{n}" ' for n in range(129))
NESTED = "".join(f'<b xmlns:n{n}="urn:n{n}">' for n in range(129)) + "</b>" * 129
CROWD = " ".join([f'a{n}="1"' for n in range(100_000)])
FILLER = "<c/>" * 20_000

FLOODS = {
    "DOCTYPE": ("<!DOCTYPE a><a/>", XML_FORBIDDEN),
    "DOCTYPE after a comment": ("<!-- --><!DOCTYPE a><a/>", XML_FORBIDDEN),
    "DOCTYPE after a declaration": ('<?xml version="1.0"?>\n<!DOCTYPE a SYSTEM "http://127.0.0.1:1/"><a/>', XML_FORBIDDEN),
    "external entity": ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', XML_FORBIDDEN),
    "a billion laughs": (LAUGHS, XML_FORBIDDEN),
    "an undeclared entity": ("<a>&x;</a>", INVALID_XML),
    "a processing instruction before": ('<?xml-stylesheet href="x"?><a/>', XML_FORBIDDEN),
    "a processing instruction inside": ("<a><?php x ?></a>", XML_FORBIDDEN),
    "a processing instruction after": ("<a/><?x?>", XML_FORBIDDEN),
    "XML 1.1": ('<?xml version="1.1"?><a/>', XML_FORBIDDEN),
    "another charset": ('<?xml version="1.0" encoding="windows-1258"?><a/>', XML_FORBIDDEN),
    "UTF-7": ('<?xml version="1.0" encoding="UTF-7"?><a/>', XML_FORBIDDEN),
    "50 MB of one text node": ("<a>" + "x" * 50_000_000 + "</a>", ROOT_TOO_LARGE),
    "an attribute of 9 MB": (f'<a b="{"x" * 9_000_000}"/>', ROOT_TOO_LARGE),
    "7 MB of opening tags": ("<a>" * 2_300_000, XML_TOO_COMPLEX),
    "257 levels": ("<a>" * 257 + "</a>" * 257, INVALID_XML),
    "200,001 tags": ("<a>" + "<b/>" * 200_001 + "</a>", XML_TOO_COMPLEX),
    "100,000 attributes": (f"<a {CROWD}/>", XML_TOO_COMPLEX),
    "100,000 times the same attribute": ("<a " + 'b="1" ' * 100_000 + "/>", INVALID_XML),
    "129 namespaces on one element": (f"<a {SPREAD}>{FILLER}</a>", XML_TOO_COMPLEX),
    "129 namespaces around one element": (f"<a>{NESTED}{FILLER}</a>", XML_TOO_COMPLEX),
    "a namespace nobody declared": ("<a:b/>", INVALID_XML),
    "a comment without end": ("<!-- <a/>", INVALID_XML),
    "a comment of many dashes": ("<!--" + "-" * 1_000_000 + "<a/>", INVALID_XML),
    "white space without end": (" " * 1_000_000, INVALID_XML),
    "two documents": ("<a/><a/>", INVALID_XML),
    "a NUL": ("<a>\0</a>", INVALID_XML),
}  # fmt: skip


@pytest.mark.parametrize(("text", "kind"), FLOODS.values(), ids=FLOODS)
def test_floods_are_refused_in_bounded_time(text, kind):
    data = text.encode()
    started = time.perf_counter()
    for read in (parse, parse_security, lambda octets: sign_envelope(octets, key=w.key(), now=w.NOW)):
        with pytest.raises(ExchangeError) as caught:
            read(data)
        assert caught.value.kind == kind
    assert time.perf_counter() - started < 3


def test_nothing_of_the_message_is_in_the_error():
    for text in ("<a>&secretname;</a>", "<secretname:b/>", "<a><secretname></a>", '<a secretname="1" secretname="2"/>'):
        with pytest.raises(ExchangeError) as caught:
            parse(text.encode())
        assert "secretname" not in f"{caught.value} {caught.value.__cause__} {caught.value.detail}"


FAIR = {
    "a byte order mark": b"\xef\xbb\xbf<a/>",
    "a declaration": b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<a/>',
    "comments around": b"<!-- a --><!----><a/><!-- b -->",
    "a declaration in a CDATA section": b'<a><![CDATA[<?xml version="1.0"?><!DOCTYPE x><x/>]]></a>',
    "an element in no namespace": b"<a/>",
    "255 levels": b"<a>" * 255 + b"</a>" * 255,
    "3,000 namespaces beside one another": b"<a>" + b'<n:b xmlns:n="urn:n"/>' * 3000 + b"</a>",
    "5,000 attributes beside one another": b"<a>" + b'<b c="1"/>' * 5000 + b"</a>",
}


@pytest.mark.parametrize("data", FAIR.values(), ids=FAIR)
def test_what_honest_stacks_write_is_read(data):
    assert parse(data).tag == "a"


def test_the_worst_that_is_accepted_is_canonical_in_bounded_time():
    nested = "".join(f'<b xmlns:n{n}="urn:n{n}" n{n}:x="1">' for n in range(127))
    wide = "<b " + " ".join([f'a{n}="1"' for n in range(256)]) + "/>"
    root = parse(f"<a>{nested}{'<c/>' * 50_000}{wide * 500}{'</b>' * 127}</a>".encode())
    started = time.perf_counter()
    canonical(root)
    assert time.perf_counter() - started < 2
