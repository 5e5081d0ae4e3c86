"""Attacks on WS-Security signatures: the signature stays, what it signs is moved, doubled, hidden or swapped.

Each is refused by its own kind of error. Where an attack leaves a message that may be accepted, what is proved is what
was signed and nothing else.
"""

import base64

import pytest
from lxml import etree

from gateway.model.errors import ExchangeError
from gateway.model.errors import signature as sig
from gateway.model.errors import wsse as kinds
from gateway.model.errors.soap import INVALID_SOAP, INVALID_XML
from gateway.model.errors.trust import UNKNOWN_KEY
from gateway.model.instant import plus
from gateway.signing.wsse import parse_security, verify_envelope
from gateway.signing.wsse_names import DS, EXCLUSIVE, SOAP11, SWA_CONTENT, WSSE, WSU
from gateway.signing.wsse_sign import sign_envelope
from tests.support import wsse as w

EVIL = '<p:ask xmlns:p="urn:p"><p:number>001099999999</p:number></p:ask>'
GOOD = w.craft().decode()
"""A message that is accepted: every attack on a finished message begins here."""
SIGNED_BODY = GOOD[GOOD.index("<s:Body") : GOOD.index("</s:Body>") + len("</s:Body>")]
SECURITY = GOOD[GOOD.index("<wsse:Security ") : GOOD.index("</wsse:Security>") + len("</wsse:Security>")]
SIGNATURE = GOOD[GOOD.index("<ds:Signature ") : GOOD.index("</ds:Signature>") + len("</ds:Signature>")]
TIMESTAMP = w.timestamp()
SHA1_C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"


def _refused(data, *, now=w.NOW, signer=None):
    with pytest.raises(ExchangeError) as caught:
        _verify(data if isinstance(data, bytes) else data.encode(), w.public(signer), now)
    return caught.value


def _verify(data, key, now):
    security = parse_security(data)
    security.keyids(w.store())
    verify_envelope(security, key, now=now)


def _changed(old, new, text=GOOD):
    assert text.count(old) >= 1, "the attack does not apply"
    return text.replace(old, new, 1)


def test_the_message_is_accepted_before_it_is_attacked():
    assert w.verified(GOOD.encode()).direct.keyid == w.key().keyid


EVIL_BODY = f'<s:Body wsu:Id="evil">{EVIL}</s:Body>'
WRAPPER = '<w:wrapper xmlns:w="urn:w">{}</w:wrapper>'

CLASSIC = {
    # McIntosh & Austel (2005), Jensen et al. (2011), Mainka et al.: the signed element survives elsewhere.
    "1 signed Body moved into an unknown header, another Body in its place": (
        _changed(SIGNED_BODY, EVIL_BODY).replace("</s:Header>", WRAPPER.format(SIGNED_BODY) + "</s:Header>"),
        kinds.SECURITY_REFERENCE,
    ),
    "2 signed Body moved into an unknown header, the other Body has the same Id": (
        _changed(SIGNED_BODY, EVIL_BODY.replace("evil", "body")).replace(
            "</s:Header>", WRAPPER.format(SIGNED_BODY) + "</s:Header>"
        ),
        kinds.SECURITY_ID_DUPLICATE,
    ),
    "3 signed Body wrapped inside the new Body": (
        _changed(SIGNED_BODY, f'<s:Body wsu:Id="evil">{EVIL}{WRAPPER.format(SIGNED_BODY)}</s:Body>'),
        INVALID_SOAP,
    ),
    "4 signed Body wrapped inside the new Body's only child": (
        _changed(SIGNED_BODY, f'<s:Body wsu:Id="evil">{EVIL.replace("</p:ask>", SIGNED_BODY + "</p:ask>")}</s:Body>'),
        kinds.SECURITY_REFERENCE,
    ),
    "5 signed Body moved into Security": (
        _changed(SIGNED_BODY, EVIL_BODY).replace("</wsse:Security>", SIGNED_BODY + "</wsse:Security>"),
        kinds.SECURITY_MALFORMED,
    ),
    "6 signed Body moved into a ds:Object of the Signature": (
        _changed(SIGNED_BODY, EVIL_BODY).replace(
            "</ds:Signature>", f"<ds:Object>{SIGNED_BODY}</ds:Object></ds:Signature>"
        ),
        kinds.SECURITY_MALFORMED,
    ),
    "7 signed Body beside the new Body": (_changed(SIGNED_BODY, EVIL_BODY + SIGNED_BODY), INVALID_SOAP),
    "8 signed Timestamp moved into a header, a fresh one in its place": (
        _changed(TIMESTAMP, w.timestamp(plus(w.NOW, 1000), attributes='wsu:Id="evil"')).replace(
            "</s:Header>", WRAPPER.format(TIMESTAMP) + "</s:Header>"
        ),
        kinds.SECURITY_REFERENCE,
    ),
}


@pytest.mark.parametrize(("attack", "kind"), CLASSIC.values(), ids=CLASSIC)
def test_the_eight_classic_wrappings(attack, kind):
    assert _refused(attack).kind == kind


SECOND_HEADER = _changed("</s:Header>", f'</s:Header><s:Header wsu:Id="h2">{SECURITY}</s:Header>')

WRAPPED = {
    "a whole signed envelope inside the new Body": (
        f'<s:Envelope xmlns:s="{SOAP11}"><s:Header/><s:Body>{GOOD}</s:Body></s:Envelope>',
        kinds.SECURITY_MALFORMED,
    ),
    "signed envelope inside a header": (
        w.envelope(EVIL, f'<w:x xmlns:w="urn:w">{GOOD}</w:x>'),
        kinds.SECURITY_MALFORMED,
    ),
    "signed header block moved into another one": (
        _changed('<x:id xmlns:x="http://x-road.eu/xsd/xroad.xsd" wsu:Id="b0">msg-1</x:id>', "").replace(
            "</s:Header>",
            '<w:x xmlns:w="urn:w"><x:id xmlns:x="http://x-road.eu/xsd/xroad.xsd" wsu:Id="b0">msg-1</x:id></w:x></s:Header>',
        ),
        kinds.SECURITY_REFERENCE,
    ),
    "signed header block moved out, an unsigned one in its place": (
        _changed('wsu:Id="b0">msg-1</x:id>', 'wsu:Id="evil">msg-2</x:id>').replace(
            "</s:Header>",
            '<w:x xmlns:w="urn:w"><x:id xmlns:x="http://x-road.eu/xsd/xroad.xsd" wsu:Id="b0">msg-1</x:id></w:x></s:Header>',
        ),
        kinds.SECURITY_REFERENCE,
    ),
    "an unsigned X-Road block beside the signed ones": (
        _changed("</s:Header>", '<x:userId xmlns:x="http://x-road.eu/xsd/xroad.xsd">boss</x:userId></s:Header>'),
        kinds.SECURITY_COVER_INCOMPLETE,
    ),
    "an unsigned purpose": (
        _changed("</s:Header>", '<m:purpose xmlns:m="urn:motlan:soap:v1">9</m:purpose></s:Header>'),
        kinds.SECURITY_COVER_INCOMPLETE,
    ),
    "an unsigned WS-Addressing block": (
        _changed("</s:Header>", '<a:To xmlns:a="http://www.w3.org/2005/08/addressing">x</a:To></s:Header>'),
        kinds.SECURITY_COVER_INCOMPLETE,
    ),
    "the same Id as a plain Id attribute in the payload": (
        _changed("<p:number>", '<p:number Id="body">'),
        kinds.SECURITY_ID_DUPLICATE,
    ),
    "the same Id as ID": (_changed("<p:number>", '<p:number ID="body">'), kinds.SECURITY_ID_DUPLICATE),
    "the same Id as id": (_changed("<p:number>", '<p:number id="body">'), kinds.SECURITY_ID_DUPLICATE),
    "the same Id as xml:id": (_changed("<p:number>", '<p:number xml:id=" body ">'), kinds.SECURITY_DIGEST_MISMATCH),
    "the same Id by a character reference": (
        _changed("<p:number>", '<p:number Id="b&#111;dy">'),
        kinds.SECURITY_ID_DUPLICATE,
    ),
    "the same Id on a header block": (
        _changed("</s:Header>", '<w:x xmlns:w="urn:w" wsu:Id="body"/></s:Header>'),
        kinds.SECURITY_ID_DUPLICATE,
    ),
    "two Signatures": (_changed(SIGNATURE, SIGNATURE + SIGNATURE), kinds.SECURITY_AMBIGUOUS),
    "a second Signature in another header block": (
        _changed("</s:Header>", f'<w:x xmlns:w="urn:w">{SIGNATURE}</w:x></s:Header>'),
        kinds.SECURITY_AMBIGUOUS,
    ),
    "two Security headers": (_changed(SECURITY, SECURITY * 2), kinds.SECURITY_AMBIGUOUS),
    "a second, empty Security header for another actor": (
        _changed(SECURITY, f'{SECURITY}<wsse:Security xmlns:wsse="{WSSE}" s:actor="urn:other"/>'),
        kinds.SECURITY_AMBIGUOUS,
    ),
    "a second Security in Body": (_changed("<p:number>", SECURITY + "<p:number>"), kinds.SECURITY_AMBIGUOUS),
    "two Headers": (SECOND_HEADER, INVALID_SOAP),
    "Header after Body": (
        _changed("</s:Body>", "</s:Body><s:Header/>"),
        INVALID_SOAP,
    ),
    "two Timestamps": (
        _changed(TIMESTAMP, TIMESTAMP + w.timestamp(attributes='wsu:Id="time2"')),
        kinds.SECURITY_AMBIGUOUS,
    ),
    "no Timestamp": (_changed(TIMESTAMP, ""), kinds.SECURITY_MISSING),
    "Security not in Header": (
        _changed(SECURITY, "").replace("<p:number>", SECURITY + "<p:number>"),
        kinds.SECURITY_MALFORMED,
    ),
    "no Security": (w.envelope(), kinds.SECURITY_MISSING),
    "no Header": (f'<s:Envelope xmlns:s="{SOAP11}"><s:Body>{EVIL}</s:Body></s:Envelope>', kinds.SECURITY_MISSING),
    "no Signature": (_changed(SIGNATURE, ""), kinds.SECURITY_MISSING),
    "two children of Body": (_changed("</p:ask></s:Body>", f"</p:ask>{EVIL}</s:Body>"), INVALID_SOAP),
    "Envelope of a namespace that is not SOAP": (GOOD.replace(SOAP11, "urn:not-soap"), INVALID_SOAP),
    "a username token beside the signature": (
        _changed("<ds:Signature ", "<wsse:UsernameToken/><ds:Signature "),
        kinds.SECURITY_MALFORMED,
    ),
}


@pytest.mark.parametrize(("attack", "kind"), WRAPPED.values(), ids=WRAPPED)
def test_wrappings_and_doublings(attack, kind):
    assert _refused(attack).kind == kind


CHANGED = {
    "a number in Body": ("079085000001", "079085000002"),
    "one character of text": ("Nguyễn", "Nguyên"),
    "white space": ("<p:number>", " <p:number>"),
    "an attribute": ('basis="ND-63/2024"', 'basis="ND-63/2025"'),
    "a processed header": (">msg-1<", ">msg-2<"),
    "the namespace that a prefix means": ('xmlns:p="urn:p"', 'xmlns:p="urn:evil"'),
    "an inner redefinition of the prefix": ("<p:number>", '<p:number xmlns:p="urn:evil">'),
    "an element in no namespace": ("<p:name>", "<name/><p:name>"),
    "Expires": ("08:05:00.000Z</wsu:Expires>", "08:04:59.000Z</wsu:Expires>"),
}


@pytest.mark.parametrize(("old", "new"), CHANGED.values(), ids=CHANGED)
def test_what_is_signed_cannot_be_changed(old, new):
    assert _refused(_changed(old, new)).kind == kinds.SECURITY_DIGEST_MISMATCH


def test_the_signature_value_cannot_be_changed():
    begin = GOOD.index("<ds:SignatureValue>") + len("<ds:SignatureValue>")
    first = "B" if GOOD[begin] != "B" else "C"
    assert _refused(GOOD[:begin] + first + GOOD[begin + 1 :]).kind == sig.SIGNATURE_INVALID


def test_signed_info_cannot_be_changed():
    assert (
        _refused(_changed('<ds:Reference URI="#body">', '<ds:Reference URI="#body" Id="r">')).kind
        == sig.SIGNATURE_INVALID
    )


def _crafted(**changes):
    return lambda: w.craft(**changes)


def _with(ref):
    return lambda: w.craft(refs=(*w.BLOCK_REFS, ref, w.TIME_REF))


def _transform(text):
    return _with(w.BODY_REF._replace(transforms=text))


XSLT = (
    '<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"><xsl:stylesheet'
    ' xmlns:xsl="http://www.w3.org/1999/XSL/Transform" version="1.0"/></ds:Transform>'
)
STR = (
    "<ds:Transform Algorithm="
    '"http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#STR-Transform"/>'
)
PLAIN = f'<ds:Transform Algorithm="{EXCLUSIVE}"/>'

PROFILE = {
    "SHA-1 digest": (_with(w.BODY_REF._replace(digest=f"{DS}sha1")), kinds.SECURITY_ALGORITHM),
    "invented digest": (_with(w.BODY_REF._replace(digest="urn:invented")), kinds.SECURITY_ALGORITHM),
    "RSA-SHA1": (_crafted(method=f"{DS}rsa-sha1"), kinds.SECURITY_ALGORITHM),
    "ECDSA-SHA1": (_crafted(method=f"{w.MORE}ecdsa-sha1"), kinds.SECURITY_ALGORITHM),
    "HMAC with the certificate as its key": (_crafted(method=f"{w.MORE}hmac-sha256"), kinds.SECURITY_ALGORITHM),
    "a method of another key": (_crafted(method=f"{w.MORE}rsa-sha256"), kinds.SECURITY_ALGORITHM),
    "HMACOutputLength": (
        _crafted(method_inner="<ds:HMACOutputLength>8</ds:HMACOutputLength>"),
        kinds.SECURITY_MALFORMED,
    ),
    "inclusive canonicalisation": (_crafted(c14n=SHA1_C14N), kinds.SECURITY_ALGORITHM),
    "canonicalisation with comments": (_crafted(c14n=f"{EXCLUSIVE}WithComments"), kinds.SECURITY_ALGORITHM),
    "invented canonicalisation": (_crafted(c14n="urn:invented"), kinds.SECURITY_ALGORITHM),
    "XSLT": (_transform(XSLT), kinds.SECURITY_TRANSFORM),
    "XSLT after exclusive c14n": (_transform(PLAIN + XSLT), kinds.SECURITY_TRANSFORM),
    "STR-Transform": (_transform(STR), kinds.SECURITY_TRANSFORM),
    "XPath": (
        _transform('<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"><ds:XPath>1</ds:XPath></ds:Transform>'),
        kinds.SECURITY_TRANSFORM,
    ),
    "XPath filter 2": (_transform('<ds:Transform Algorithm="http://www.w3.org/2002/06/xmldsig-filter2"/>'), kinds.SECURITY_TRANSFORM),
    "enveloped signature": (_transform(f'<ds:Transform Algorithm="{DS}enveloped-signature"/>'), kinds.SECURITY_TRANSFORM),
    "base64": (_transform(f'<ds:Transform Algorithm="{DS}base64"/>'), kinds.SECURITY_TRANSFORM),
    "invented transform": (_transform('<ds:Transform Algorithm="urn:invented"/>'), kinds.SECURITY_TRANSFORM),
    "no transform": (_transform(""), kinds.SECURITY_TRANSFORM),
    "inclusive c14n": (_transform(f'<ds:Transform Algorithm="{SHA1_C14N}"/>'), kinds.SECURITY_TRANSFORM),
    "transform with comments": (_transform(f'<ds:Transform Algorithm="{EXCLUSIVE}WithComments"/>'), kinds.SECURITY_TRANSFORM),
    "the attachment's transform on Body": (_transform(f'<ds:Transform Algorithm="{SWA_CONTENT}"/>'), kinds.SECURITY_TRANSFORM),
    "parameters that are no PrefixList": (
        _transform(f'<ds:Transform Algorithm="{EXCLUSIVE}"><x xmlns="urn:x"/></ds:Transform>'),
        kinds.SECURITY_TRANSFORM,
    ),
    "a PrefixList of 65": (_transform(w.inclusive(*[f"p{n}" for n in range(65)])), kinds.SECURITY_TRANSFORM),
    "empty URI": (_with(w.BODY_REF._replace(uri="")), kinds.SECURITY_REFERENCE),
    "external URI": (_with(w.BODY_REF._replace(uri="http://evil.example/body.xml")), kinds.SECURITY_REFERENCE),
    "file URI": (_with(w.BODY_REF._replace(uri="file:///etc/passwd")), kinds.SECURITY_REFERENCE),
    "relative URI": (_with(w.BODY_REF._replace(uri="body.xml#body")), kinds.SECURITY_REFERENCE),
    "xpointer": (_with(w.BODY_REF._replace(uri="#xpointer(id('body'))")), kinds.SECURITY_REFERENCE),
    "xpointer to the root": (_with(w.BODY_REF._replace(uri="#xpointer(/)")), kinds.SECURITY_REFERENCE),
    "an id that nothing has": (_with(w.BODY_REF._replace(uri="#nobody")), kinds.SECURITY_REFERENCE),
    "Type Object": (_with(w.BODY_REF._replace(attributes=f' Type="{DS}Object"')), kinds.SECURITY_REFERENCE),
    "Type Manifest": (_with(w.BODY_REF._replace(attributes=f' Type="{DS}Manifest"')), kinds.SECURITY_REFERENCE),
    "Body twice": (_crafted(refs=(*w.REFS, w.BODY_REF)), kinds.SECURITY_REFERENCE),
    "an attachment twice": (
        _crafted(refs=(*w.REFS, *[w.Ref("cid:a", octets=b"x", transforms=f'<ds:Transform Algorithm="{SWA_CONTENT}"/>')] * 2)),
        kinds.SECURITY_REFERENCE,
    ),
    "cid: of nothing": (
        _crafted(refs=(*w.REFS, w.Ref("cid:", octets=b"x", transforms=f'<ds:Transform Algorithm="{SWA_CONTENT}"/>'))),
        kinds.SECURITY_REFERENCE,
    ),
    "an attachment under an element's transform": (
        _crafted(refs=(*w.REFS, w.Ref("cid:a", octets=b"x"))),
        kinds.SECURITY_TRANSFORM,
    ),
    "an attachment with its headers": (
        _crafted(refs=(*w.REFS, w.Ref("cid:a", octets=b"x", transforms=f'<ds:Transform Algorithm="{SWA_CONTENT.replace("Content", "Complete")}"/>'))),
        kinds.SECURITY_TRANSFORM,
    ),
    "an attachment with SHA-512": (
        _crafted(refs=(*w.REFS, w.Ref("cid:a", octets=b"x", digest="http://www.w3.org/2001/04/xmlenc#sha512", transforms=f'<ds:Transform Algorithm="{SWA_CONTENT}"/>'))),
        kinds.SECURITY_ALGORITHM,
    ),
    "65 references": (_crafted(refs=(*w.REFS, *[w.BODY_REF] * 60)), kinds.SECURITY_REFERENCE),
    "no reference": (_crafted(refs=()), kinds.SECURITY_REFERENCE),
    "Body is not signed": (_crafted(refs=(*w.BLOCK_REFS, w.TIME_REF)), kinds.SECURITY_COVER_INCOMPLETE),
    "Timestamp is not signed": (_crafted(refs=(*w.BLOCK_REFS, w.BODY_REF)), kinds.SECURITY_COVER_INCOMPLETE),
    "a header block is not signed": (_crafted(refs=w.REFS[1:]), kinds.SECURITY_COVER_INCOMPLETE),
    "only a child of Body is signed": (
        lambda: w.craft(
            w.DOCUMENT.replace('<s:Body wsu:Id="body">', "<s:Body>").replace("<p:ask ", '<p:ask wsu:Id="body" '),
            (*w.BLOCK_REFS, w.Ref("#body", "//p:ask"), w.TIME_REF),
        ),
        kinds.SECURITY_REFERENCE,
    ),
    "Created alone": (
        _crafted(times=w.timestamp().replace("<wsu:Expires>", "<!--").replace("</wsu:Expires>", "-->")),
        kinds.SECURITY_TIMESTAMP,
    ),
    "Expires 301 s later": (_crafted(times=w.timestamp(expires=plus(w.NOW, 301))), kinds.SECURITY_TIMESTAMP),
    "Expires before Created": (_crafted(times=w.timestamp(expires=plus(w.NOW, -1))), kinds.SECURITY_TIMESTAMP),
    "local time": (_crafted(times=w.timestamp().replace("Z<", "+07:00<")), kinds.SECURITY_TIMESTAMP),
    "no time zone": (_crafted(times=w.timestamp().replace("Z<", "<")), kinds.SECURITY_TIMESTAMP),
    "the 31st of November": (_crafted(times=w.timestamp().replace("2027-01-15", "2027-11-31")), kinds.SECURITY_TIMESTAMP),
    "digits that are not ASCII": (_crafted(times=w.timestamp().replace("2027", "२०२७")), kinds.SECURITY_TIMESTAMP),
    "a ds:Object": (_crafted(in_signature="<ds:Object/>"), kinds.SECURITY_MALFORMED),
    "a ds:Manifest in an Object": (
        _crafted(in_signature='<ds:Object><ds:Manifest><ds:Reference URI="#body"/></ds:Manifest></ds:Object>'),
        kinds.SECURITY_MALFORMED,
    ),
    "encrypted": (
        _crafted(extra='<e:EncryptedKey xmlns:e="http://www.w3.org/2001/04/xmlenc#"/>'),
        kinds.SECURITY_MALFORMED,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("make", "kind"), PROFILE.values(), ids=PROFILE)
def test_a_good_signature_outside_the_profile_is_refused(make, kind):
    """Each is signed by a listed key, rightly over what it says."""
    assert _refused(make()).kind == kind


def test_sha1_is_refused_before_anybody_looks_for_a_key():
    for data in (w.craft(method=f"{DS}rsa-sha1"), w.craft(refs=[ref._replace(digest=f"{DS}sha1") for ref in w.REFS])):
        with pytest.raises(ExchangeError) as caught:
            parse_security(data)
        assert caught.value.kind == kinds.SECURITY_ALGORITHM


def test_a_digest_method_has_no_parameters():
    assert _refused(_changed('sha256"/>', 'sha256"><x/></ds:DigestMethod>')).kind == kinds.SECURITY_ALGORITHM


def test_missing_cover_is_named():
    error = _refused(w.craft(refs=w.REFS[2:4]))
    assert error.parts == (
        "{http://x-road.eu/xsd/xroad.xsd}id",
        "{http://x-road.eu/xsd/xroad.xsd}protocolVersion",
        "Timestamp",
    )


def test_a_message_that_covers_too_little_is_refused_before_its_signature_is_looked_at():
    data = w.craft(refs=(w.TIME_REF,)).replace(b"<ds:SignatureValue>", b"<ds:SignatureValue>AAAA")
    assert _refused(data).kind == kinds.SECURITY_COVER_INCOMPLETE


# -- tokens --------------------------------------------------------------------------------------------------------


def test_a_token_with_an_unlisted_certificate_finds_no_key():
    forged = bytearray(w.key().certificate)
    forged[-1] ^= 1
    assert _refused(w.craft(tokens=w.token(bytes(forged)))).kind == UNKNOWN_KEY


def test_a_token_swapped_for_another_listed_certificate_names_that_one_and_fails_under_it():
    data = _changed(w.token(w.key().certificate), w.token(w.other_key().certificate)).encode()
    security = parse_security(data)
    assert security.keyids(w.store()) == (w.other_key().keyid,)
    with pytest.raises(ExchangeError) as caught:
        verify_envelope(security, w.public(w.other_key()), now=w.NOW)
    assert caught.value.kind == sig.SIGNATURE_INVALID


def test_signed_by_another_listed_key_than_the_token_says():
    data = w.craft(signer=w.other_key(), tokens=w.token(w.key().certificate))
    assert _refused(data).kind == sig.SIGNATURE_INVALID


TOKENS = {
    "two tokens of one id": w.token(w.key().certificate) * 2,
    "no token": "",
    "a token of another type": w.token(w.key().certificate, kind="urn:saml"),
    "a path that is none": w.token(
        w.key().certificate,
        kind="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#X509PKIPathv1",
    )[:-80] + "</wsse:BinarySecurityToken>",
}  # fmt: skip


@pytest.mark.parametrize("tokens", TOKENS.values(), ids=TOKENS)
def test_unclear_tokens(tokens):
    assert _refused(w.craft(tokens=tokens)).kind in {kinds.SECURITY_TOKEN, kinds.SECURITY_MALFORMED}


KEY_INFOS = {
    "a bare key": "<ds:KeyValue/>",
    "a key name": "<ds:KeyName>me</ds:KeyName>",
    "retrieval from elsewhere": '<ds:RetrievalMethod URI="http://evil.example/key"/>',
    "two certificates to choose from": w.TOKEN_REFERENCE * 2,
    "nothing": "",
    "a token elsewhere": w.TOKEN_REFERENCE.replace("#token", "http://evil.example/token"),
    "a serial number of 10,000 digits": (
        "<ds:X509Data><ds:X509IssuerSerial><ds:X509IssuerName>CN=x</ds:X509IssuerName>"
        f"<ds:X509SerialNumber>{'9' * 10_000}</ds:X509SerialNumber></ds:X509IssuerSerial></ds:X509Data>"
    ),
}


@pytest.mark.parametrize("key_info", KEY_INFOS.values(), ids=KEY_INFOS)
def test_key_info_that_leads_nowhere(key_info):
    assert _refused(w.craft(key_info=key_info)).kind == kinds.SECURITY_TOKEN


# -- what is proved is what is read --------------------------------------------------------------------------------


def _read(data):
    return etree.fromstring(w.verified(data).envelope)


def test_a_comment_inside_text_does_not_cut_it():
    """CVE-2018-0489 and its kin: canonical form drops the comment, a careless reader stops at it."""
    data = _changed("079085000001", "0790<!-- -->85000001").encode()
    assert b"<p:number>079085000001</p:number>" in w.verified(data).envelope


def test_comments_are_nowhere():
    """Also not where a careless reader counts children, or takes the first piece of a text."""
    noisy = GOOD
    for tag in (
        "s:Header",
        "s:Body",
        "wsse:Security",
        "wsu:Created",
        "ds:SignedInfo",
        "ds:Reference",
        "ds:DigestValue",
    ):
        start = noisy.index(">", noisy.index(f"<{tag}")) + 1
        noisy = f"{noisy[:start]}<!-- x -->{noisy[start:]}"
    noisy = noisy.replace("2027-01-15T08:00:00", "2027-01-15<!-- x -->T08:00:00", 1).replace(
        "</s:Header>", "</s:Header><!-- -->"
    )
    proof, plain = w.verified(noisy.encode()), w.verified(GOOD.encode())
    assert (proof.envelope, proof.direct) == (plain.envelope, plain.direct)


def test_cdata_is_text():
    data = _changed("079085000001", "<![CDATA[0790]]>85000001").encode()
    assert b"<p:number>079085000001</p:number>" in w.verified(data).envelope


def test_what_nothing_covers_is_not_there():
    data = _changed("</s:Header>", '<w:trace xmlns:w="urn:w">x</w:trace></s:Header>').encode()
    proof = w.verified(data)
    assert b"trace" not in proof.envelope
    names = [str(block.tag) for block in _read(data)[0]]
    assert names == [f"{{{w.XROAD}}}id", f"{{{w.XROAD}}}protocolVersion", f"{{{w.PURPOSE}}}purpose"]


def test_attributes_and_text_around_what_is_signed_are_not_there():
    data = _changed("<s:Header>", '<s:Header s:encodingStyle="urn:evil" xml:lang="evil">evil')
    data = data.replace("<s:Envelope ", '<s:Envelope s:encodingStyle="urn:evil" xml:base="http://evil.example/" ', 1)
    assert b"evil" not in w.verified(data.encode()).envelope


def test_a_prefix_in_a_value_has_no_meaning_unless_it_was_signed():
    """Whoever redefines on Envelope what ``q:`` means would otherwise change what a signed QName says."""
    document = w.DOCUMENT.replace("<s:Envelope ", '<s:Envelope xmlns:q="urn:good" ').replace(
        "<p:number>", '<p:number kind="q:name">'
    )
    unsigned = w.craft(document)
    assert b"urn:good" not in w.verified(unsigned).envelope
    assert b"urn:evil" not in w.verified(unsigned.replace(b"urn:good", b"urn:evil")).envelope
    listed = w.craft(
        document, (*w.BLOCK_REFS, w.BODY_REF._replace(transforms=w.inclusive("q"), prefixes=("q",)), w.TIME_REF)
    )
    assert b'xmlns:q="urn:good"' in w.verified(listed).envelope
    assert _refused(listed.replace(b"urn:good", b"urn:evil")).kind == kinds.SECURITY_DIGEST_MISMATCH


def test_xinclude_is_not_followed_and_not_passed_on():
    body = '<p:ask xmlns:p="urn:p"><xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="/etc/passwd" parse="text"/></p:ask>'
    assert _refused(w.craft(w.DOCUMENT.replace(w.BODY, body))).kind == kinds.XML_FORBIDDEN


def test_schema_locations_are_text_to_us():
    body = w.BODY.replace(
        "<p:ask ",
        '<p:ask xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="urn:p http://127.0.0.1:1/x.xsd" ',
    )
    assert b"schemaLocation" in w.verified(w.craft(w.DOCUMENT.replace(w.BODY, body))).envelope


def test_the_same_message_under_another_form_of_its_ecdsa_signature_has_the_same_nonce():
    """(r, n−s) verifies as well as (r, s); a replay must not pass as another message."""
    security = parse_security(GOOD.encode())
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    r, s = security.signature[:32], int.from_bytes(security.signature[32:])
    other = base64.b64encode(r + (order - s).to_bytes(32)).decode()
    twin = GOOD.replace(security.signature_text, other).encode()
    first, second = w.verified(GOOD.encode()).direct, w.verified(twin).direct
    assert first.signature != second.signature
    assert first.nonce == second.nonce


@pytest.mark.parametrize(
    ("seconds", "kind"),
    [(-61, sig.SIGNATURE_NOT_YET_VALID), (361, sig.SIGNATURE_EXPIRED), (100_000, sig.SIGNATURE_EXPIRED)],
)
def test_outside_its_time(seconds, kind):
    assert _refused(GOOD, now=plus(w.NOW, seconds)).kind == kind


@pytest.mark.parametrize("seconds", [-60, 0, 300, 360])
def test_inside_its_time(seconds):
    assert w.verified(GOOD.encode(), now=plus(w.NOW, seconds))


def test_a_signature_over_the_wrong_soap_version_cannot_be_kept():
    other = GOOD.replace(SOAP11, "http://www.w3.org/2003/05/soap-envelope")
    assert _refused(other).kind == kinds.SECURITY_DIGEST_MISMATCH


def test_our_own_signer_will_not_sign_around_another_signature():
    with pytest.raises(ExchangeError) as caught:
        sign_envelope(GOOD.encode(), key=w.key(), now=w.NOW)
    assert caught.value.kind == kinds.SECURITY_AMBIGUOUS


def test_garbage_is_garbage():
    for data in (b"", b"   ", b"{}", b"<", b"\xff\xfe<\x00", GOOD.encode()[:-20], GOOD.encode("utf-16")):
        assert _refused(data).kind == INVALID_XML, data[:20]


def test_relative_namespaces_have_no_canonical_form():
    body = '<p:ask xmlns:p="urn:p"><q xmlns="relative"/></p:ask>'
    unsigned = _changed(w.BODY, body)
    assert _refused(unsigned).kind == INVALID_XML


def test_wsu_ids_of_another_namespace_do_not_count():
    data = _changed(f'xmlns:wsu="{WSU}"', 'xmlns:wsu="urn:evil"')
    assert _refused(data).kind == kinds.SECURITY_REFERENCE
