"""Signatures on envelopes that we wrote ourselves, of which nothing is read again: others must find them right."""

from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.model.written import WrittenEnvelope
from gateway.signing import wsse_written
from gateway.signing.wsse_names import SOAP11, SOAP12, WSU
from gateway.signing.wsse_template import Terms
from gateway.signing.wsse_written import sign_written
from gateway.signing.xml import canonical
from tests.support import wsse as w

BLOCKS = (
    f'<x:id xmlns:x="{w.XROAD}">msg-1</x:id>',
    f'<m:purpose xmlns:m="{w.PURPOSE}" basis="ND-63/2024">1.001193</m:purpose>',
)


def _written(element=w.BODY, blocks=BLOCKS, soap=SOAP11):
    return WrittenEnvelope(
        soap=soap,
        blocks=tuple(canonical(etree.fromstring(block)) for block in blocks),
        element=canonical(etree.fromstring(element)),
    )


def _signed(written, **changes):
    key = changes.pop("key", w.key())
    return sign_written(written, Terms(key=key, now=w.NOW, **changes)).envelope


@pytest.fixture
def never_read(monkeypatch):
    """Signing that reads the envelope again fails."""

    def refuse(*_, **__):
        raise AssertionError("it was read")

    monkeypatch.setattr(wsse_written, "sign_read", refuse)


@pytest.mark.usefixtures("never_read")
@pytest.mark.parametrize("soap", [SOAP11, SOAP12])
@pytest.mark.parametrize("algorithm", ["ecdsa-p256-sha256", "ecdsa-p384-sha384", "rsa-pss-sha512"])
def test_xmlsec_finds_it_right(soap, algorithm):
    key = w.key_of(algorithm)
    w.xmlsec_verifies(_signed(_written(soap=soap), key=key, confirms="AAAA"), key)


@pytest.mark.usefixtures("never_read")
def test_the_usual_envelope_says_the_same_as_the_one_that_is_read():
    written = _written()
    proof = w.verified(_signed(written))
    assert proof.direct.covered == (f"{{{w.XROAD}}}id", f"{{{w.PURPOSE}}}purpose", "Body", "Timestamp")
    read = etree.fromstring(proof.envelope)
    assert canonical(read[1][0]) == written.element
    assert [each.text for each in read[0]] == ["msg-1", "1.001193"]


BLOCK_TAGS = {
    "no namespace": "<a>1</a>",
    "default namespace": '<a xmlns="urn:a" b="1">1</a>',
    "attribute of an earlier namespace": '<p:a xmlns:p="a:early" p:b="1" c="2">1</p:a>',
    "attribute of a later namespace": '<p:a xmlns:p="urn:later" p:b="1" c="2">1</p:a>',
    "attributes on both sides": '<p:a xmlns:p="urn:z" xmlns:q="a:a" p:b="1" q:b="2">1</p:a>',
    "prefix after wsu": '<x:a xmlns:x="urn:x" x:b="1">1</x:a>',
    "prefixes on both sides": '<x:a xmlns:x="urn:x" xmlns:b="urn:b" b:c="1" x:b="1">1</x:a>',
    "xml:lang": '<x:a xmlns:x="urn:x" xml:lang="vi" b="1">1</x:a>',
    "greater-than in a value": '<x:a xmlns:x="urn:x" b="a&gt;b">1</x:a>',
    "quotes in a value": """<x:a xmlns:x="urn:x" b='"'>1</x:a>""",
    "empty": '<x:a xmlns:x="urn:x"/>',
    "our own prefix elsewhere": '<S:a xmlns:S="urn:x"/>',
    "children with namespaces of their own": '<x:a xmlns:x="urn:x"><y:b xmlns:y="urn:y" y:c="1"/></x:a>',
}


@pytest.mark.parametrize("block", BLOCK_TAGS.values(), ids=BLOCK_TAGS)
def test_the_id_stands_where_canonical_form_has_it(block):
    signed = _signed(_written(blocks=(*BLOCKS, block)))
    w.xmlsec_verifies(signed, w.key())
    assert w.verified(signed)


READ_AGAIN = {
    "an id of its own": (f'<x:a xmlns:x="urn:x" xmlns:u="{WSU}" u:Id="mine"/>', w.BODY),
    "our prefix with another meaning": ('<wsu:a xmlns:wsu="urn:x"/>', w.BODY),
    "our prefix deeper": (f'<x:a xmlns:x="urn:x"><wsu:b xmlns:wsu="{WSU}"/></x:a>', w.BODY),
    "an envelope in Body": ("<a/>", f'<S:Envelope xmlns:S="{SOAP11}"/>'),
    "Timestamp in Body": ("<a/>", f'<a><wsu:Timestamp xmlns:wsu="{WSU}"/></a>'),
    "a prefix in a text": ("<a/>", '<p:a xmlns:p="urn:p"><b>p:c</b></p:a>'),
    "a prefix in a value": ("<a/>", '<p:a xmlns:p="urn:p" b="p:c"/>'),
    "a prefix after a line break": ("<a/>", '<p:a xmlns:p="urn:p"><b>\n  p:c</b></p:a>'),
}


@pytest.mark.parametrize(("block", "element"), READ_AGAIN.values(), ids=READ_AGAIN)
def test_what_is_not_simple_is_read_and_right_all_the_same(block, element):
    signed = _signed(_written(element, (*BLOCKS, block)))
    w.xmlsec_verifies(signed, w.key())
    assert w.verified(signed)


def test_attachments_are_covered():
    part = w.part(b"scan", "scan-1")
    proof = w.verified(_signed(_written(), attachments=(part,)))
    assert proof.direct.attachments == (("scan-1", part.sha256),)


def test_a_lifetime_out_of_range():
    with pytest.raises(ValueError, match="300"):
        _signed(_written(), lifetime=301)


URIS = st.sampled_from(["urn:a", "urn:z", "http://docs.oasis-open.org/a", "http://docs.oasis-open.org/z", "a:b"])
PREFIXES = st.sampled_from(["", "a", "S", "e", "wsse", "ds", "wst", "x", "é"])
TEXT = st.text(st.sampled_from("ab:<>&\"'\n\t\r x%ế"), max_size=8)


@st.composite
def elements(draw, depth=2):
    """An element as text, with any namespaces, attributes under them, and children."""
    spaces = draw(st.dictionaries(PREFIXES, URIS, max_size=3))
    declared = "".join(f' xmlns{prefix and ":"}{prefix}="{uri}"' for prefix, uri in spaces.items())
    owners = {uri: prefix for prefix, uri in spaces.items() if prefix}
    names = draw(st.sets(st.tuples(st.sampled_from(["", *owners.values()]), st.sampled_from(["Id", "z", "code"]))))
    attributes = "".join(f" {prefix}{prefix and ':'}{name}={quoteattr(draw(TEXT))}" for prefix, name in names)
    children = "".join(draw(elements(depth=depth - 1)) + escape(draw(TEXT)) for _ in range(draw(st.integers(0, depth))))
    prefix = draw(st.sampled_from(["", *spaces]))
    tag = f"{prefix}{prefix and ':'}{draw(st.sampled_from(['id', 'b']))}"
    return f"<{tag}{declared}{attributes}>{escape(draw(TEXT))}{children}</{tag}>"


@settings(max_examples=60, deadline=None)
@given(blocks=st.lists(elements(), max_size=3), element=elements(), confirms=st.sampled_from([None, "AAAA"]))
def test_whatever_is_written_is_signed_right(blocks, element, confirms):
    written = _written(element, blocks)
    signed = _signed(written, confirms=confirms)
    w.xmlsec_verifies(signed, w.key())
    read = etree.fromstring(w.verified(signed).envelope)
    assert canonical(read[1][0]) == written.element
