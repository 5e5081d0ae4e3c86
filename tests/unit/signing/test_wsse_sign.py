"""Our WS-Security signer, held to our verifier."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.model.envelope import ProofScheme
from gateway.model.errors import ExchangeError
from gateway.model.errors.signature import SIGNATURE_ALGORITHM
from gateway.model.errors.soap import INVALID_SOAP
from gateway.model.instant import plus
from gateway.signing.wsse import parse_security
from gateway.signing.wsse_names import SOAP11, SOAP12, WSU_ID
from gateway.signing.wsse_sign import sign_envelope
from gateway.signing.xml import canonical, parse
from tests.support import wsse as w


def _signed(envelope=None, **changes):
    return sign_envelope(envelope or w.envelope(), key=changes.pop("key", w.key()), now=w.NOW, **changes)


def test_body_timestamp_and_every_header_block_are_covered():
    proof = w.verified(_signed().envelope).direct
    assert proof.covered == (
        f"{{{w.XROAD}}}id",
        f"{{{w.XROAD}}}protocolVersion",
        f"{{{w.PURPOSE}}}purpose",
        "Body",
        "Timestamp",
    )
    assert proof.scheme == ProofScheme.WS_SECURITY
    assert (proof.created, proof.expires) == (w.NOW, plus(w.NOW, 300))
    assert proof.attachments == ()


def test_what_was_signed_is_what_the_verifier_sees():
    signed = _signed()
    proof = w.verified(signed.envelope).direct
    assert proof.base == signed.base
    assert parse_security(signed.envelope).signature == signed.signature


@pytest.mark.parametrize("algorithm", ["ecdsa-p256-sha256", "ecdsa-p384-sha384", "rsa-pss-sha512"])
def test_every_key_that_xml_signature_has_a_method_for(algorithm):
    key = w.key_of(algorithm)
    proof = w.verified(_signed(key=key).envelope, signer=key).direct
    assert proof.algorithm == key.xml_algorithm
    assert proof.keyid == key.keyid


def test_ed25519_has_no_method():
    with pytest.raises(ExchangeError) as caught:
        _signed(key=w.key_of("ed25519"))
    assert caught.value.kind == SIGNATURE_ALGORITHM


@pytest.mark.parametrize("soap", [SOAP11, SOAP12])
def test_both_versions_of_soap(soap):
    proof = w.verified(_signed(w.envelope(soap=soap)).envelope)
    assert etree.fromstring(proof.envelope).tag == f"{{{soap}}}Envelope"


def test_an_envelope_without_header_gets_one():
    bare = f'<s:Envelope xmlns:s="{SOAP11}"><s:Body>{w.BODY}</s:Body></s:Envelope>'.encode()
    assert w.verified(_signed(bare).envelope).direct.covered == ("Body", "Timestamp")


def test_an_envelope_in_the_default_namespace():
    bare = f'<Envelope xmlns="{SOAP11}"><Header/><Body><ask xmlns=""><n>1</n></ask></Body></Envelope>'.encode()
    proved = etree.fromstring(w.verified(_signed(bare).envelope).envelope)
    assert proved.find(f"{{{SOAP11}}}Body/ask/n") is not None


def test_white_space_stays_as_it_is():
    pretty = w.envelope(body=f"\n  {w.BODY}\n").replace(b"<s:Header>", b"\n <s:Header>\n  ")
    before, after = parse(pretty), parse(_signed(pretty).envelope)
    assert (before.text, before[0].text, before[1].text) == (after.text, after[0].text, after[1].text)
    assert canonical(before[1][0]) == canonical(after[1][0])


def test_an_id_of_its_own_stays():
    own = w.envelope().replace(b"<s:Body>", b'<s:Body xmlns:u="' + w.WSU.encode() + b'" u:Id="mine">')
    signed = _signed(own).envelope
    assert b'URI="#mine"' in signed
    assert w.verified(signed)


def test_an_id_that_another_element_has_too_is_replaced():
    body = w.BODY.replace("<p:number>", '<p:number Id="mine">')
    own = w.envelope(body).replace(b"<s:Body>", b'<s:Body xmlns:u="' + w.WSU.encode() + b'" u:Id="mine">')
    signed = _signed(own).envelope
    assert etree.fromstring(signed)[1].get(WSU_ID) != "mine"
    assert w.verified(signed)


def test_prefixes_in_values_keep_their_meaning():
    body = (
        '<p:ask xmlns:p="urn:p" xmlns:xs="http://www.w3.org/2001/XMLSchema"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><p:n xsi:type="xs:string">1</p:n><p:q>p:x</p:q></p:ask>'
    )
    proof = w.verified(_signed(w.envelope(body)).envelope)
    element = etree.fromstring(proof.envelope).find(".//{urn:p}n")
    assert element.nsmap["xs"] == "http://www.w3.org/2001/XMLSchema"


def test_prefixes_of_names_need_no_list():
    body = '<p:ask xmlns:p="urn:p" p:a="1" p:b="2"><p:n p:c="3">4</p:n></p:ask>'
    assert b"PrefixList" not in _signed(w.envelope(body)).envelope


def test_the_same_message_twice_is_two_messages_if_somebody_is_random():
    first, again, other = (_signed(nonce=nonce) for nonce in (b"1", b"1", b"2"))
    assert first.base == again.base
    assert first.base != other.base


@pytest.mark.parametrize("lifetime", [0, 301, -1])
def test_lifetimes_out_of_range(lifetime):
    with pytest.raises(ValueError, match="300"):
        _signed(lifetime=lifetime)


def test_it_lasts_as_long_as_asked():
    assert w.verified(_signed(lifetime=30).envelope).direct.expires == plus(w.NOW, 30)


@pytest.mark.parametrize("text", ["<a/>", f'<s:Envelope xmlns:s="{SOAP11}"><s:Header/></s:Envelope>'])
def test_what_is_no_envelope_is_not_signed(text):
    with pytest.raises(ExchangeError) as caught:
        _signed(text.encode())
    assert caught.value.kind == INVALID_SOAP


TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Cn", "Co"), include_characters="\n\t\r"), max_size=40
)


@settings(max_examples=60, deadline=None)
@given(text=TEXT, attribute=TEXT, comment=st.booleans())
def test_any_text_survives_signing_proving_and_reading(text, attribute, comment):
    element = etree.Element("{urn:p}ask", a=attribute)
    element.text = text
    if comment:
        element.append(etree.Comment("x"))
        element[0].tail = text
    body = etree.tostring(element, encoding="unicode")
    proof = w.verified(_signed(w.envelope(body)).envelope)
    read = etree.fromstring(proof.envelope)[1][0]
    assert read.get("a") == attribute
    assert (read.text or "") == text * (2 if comment else 1)
