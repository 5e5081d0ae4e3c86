"""Other people's WS-Security: xmlsec, signxml and zeep verify ours, and we verify theirs where the profile allows."""

import base64
import hashlib

import pytest
import xmlsec
from cryptography import x509
from lxml import etree
from signxml import (
    CanonicalizationMethod,
    DigestAlgorithm,
    SignatureConfiguration,
    SignatureMethod,
    XMLSigner,
    XMLVerifier,
)
from signxml.algorithms import SignatureConstructionMethod
from zeep.wsse.signature import BinarySignature, Signature

from gateway.model.errors import ExchangeError
from gateway.model.errors import wsse as kinds
from gateway.model.errors.trust import UNKNOWN_KEY
from gateway.model.instant import to_datetime
from gateway.signing.wsse import KnownCertificates, parse_security
from gateway.signing.wsse_names import (
    DS,
    KEY_IDENTIFIER,
    PKI_PATH,
    SOAP11,
    SOAP12,
    THUMBPRINT,
    WSSE,
    WSSE11,
    WSU,
    X509V3,
)
from gateway.signing.wsse_sign import sign_envelope
from tests.support import wsse as w

SIGNABLE = ["ecdsa-p256-sha256", "ecdsa-p384-sha384", "rsa-pss-sha512"]
METHODS = {
    "ecdsa-p256-sha256": w.ECDSA,
    "ecdsa-p384-sha384": f"{w.MORE}ecdsa-sha384",
    "rsa-pss-sha512": f"{w.MORE}rsa-sha512",
}


# -- ours, verified by theirs --------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", SIGNABLE)
@pytest.mark.parametrize("soap", [SOAP11, SOAP12])
def test_xmlsec_verifies_ours(algorithm, soap):
    key = w.key_of(algorithm)
    w.xmlsec_verifies(sign_envelope(w.envelope(soap=soap), key=key, now=w.NOW, confirms="AAAA").envelope, key)


def test_xmlsec_refuses_ours_when_it_was_changed():
    signed = sign_envelope(w.envelope(), key=w.key(), now=w.NOW).envelope
    with pytest.raises(xmlsec.Error):
        w.xmlsec_verifies(signed.replace(b"079085000001", b"079085000002"))


@pytest.mark.parametrize("algorithm", SIGNABLE)
def test_signxml_verifies_ours(algorithm):
    key = w.key_of(algorithm)
    signed = sign_envelope(w.envelope(), key=key, now=w.NOW).envelope
    proof = w.verified(signed, signer=key)
    results = XMLVerifier().verify(
        etree.fromstring(signed),
        x509_cert=x509.load_der_x509_certificate(key.certificate),
        validate_schema=False,
        id_attribute="Id",
        expect_config=SignatureConfiguration(
            expect_references=len(proof.direct.covered), verification_time=to_datetime(w.NOW)
        ),
    )
    theirs = {etree.tostring(result.signed_xml, method="c14n", exclusive=True) for result in results}
    assert all(octets in proof.envelope for octets in theirs if b"Timestamp" not in octets)


def test_prefix_lists_of_ours_are_theirs():
    body = '<p:ask xmlns:p="urn:p" kind="q:name"/>'
    envelope = w.envelope(body).replace(b"<s:Envelope ", b'<s:Envelope xmlns:q="urn:q" ')
    signed = sign_envelope(envelope, key=w.key(), now=w.NOW).envelope
    assert b'PrefixList="q"' in signed
    w.xmlsec_verifies(signed)
    assert b'xmlns:q="urn:q"' in w.verified(signed).envelope


# -- theirs, verified by ours --------------------------------------------------------------------------------------

URIS = ["#b0", "#b1", "#b2", "#body", "#time"]


@pytest.mark.parametrize("algorithm", SIGNABLE)
def test_xmlsec_signs_and_we_verify(algorithm):
    key = w.key_of(algorithm)
    data = w.by_xmlsec(w.DOCUMENT, URIS, signer=key, method=METHODS[algorithm])
    assert w.verified(data, signer=key).direct.algorithm == METHODS[algorithm]


def test_as_wss4j_and_cxf_lay_it_out():
    """Token, confirmation and body signed; InclusiveNamespaces with the prefixes in scope; indented."""
    document = w.DOCUMENT.replace(
        "<s:Envelope ", '<s:Envelope xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:ns2="urn:p" '
    )
    confirmation = f'<wsse11:SignatureConfirmation xmlns:wsse11="{WSSE11}" Value="AAAA" wsu:Id="SC-1"/>'
    data = w.by_xmlsec(
        document,
        [*URIS, "#token", "#SC-1"],
        prefixes=("xsi", "ns2", "s"),
        extra=confirmation,
        pretty=True,
    )
    proof = w.verified(data)
    assert proof.direct.covered[-2:] == ("BinarySecurityToken", "SignatureConfirmation")
    assert parse_security(data).confirmations == ("AAAA",)
    assert b'xmlns:ns2="urn:p"' in proof.envelope


def test_as_wcf_lays_it_out():
    """Addressing headers and timestamp signed, ids ``_1``, an X509IssuerSerial, times to seven digits."""
    addressing = "http://www.w3.org/2005/08/addressing"
    serial = x509.load_der_x509_certificate(w.key().certificate).serial_number
    document = (
        f'<s:Envelope xmlns:s="{SOAP12}" xmlns:a="{addressing}" xmlns:u="{WSU}"><s:Header>'
        '<a:Action s:mustUnderstand="1" u:Id="_2">urn:ask</a:Action><a:MessageID u:Id="_3">urn:uuid:1</a:MessageID>'
        f'@SECURITY@</s:Header><s:Body u:Id="_0">{w.BODY}</s:Body></s:Envelope>'
    )
    key_info = (
        f'<o:SecurityTokenReference xmlns:o="{WSSE}"><X509Data xmlns="{DS}"><X509IssuerSerial>'
        f"<X509IssuerName>CN=any</X509IssuerName><X509SerialNumber>{serial}</X509SerialNumber>"
        "</X509IssuerSerial></X509Data></o:SecurityTokenReference>"
    )
    data = w.by_xmlsec(document, ["#_2", "#_3", "#_0", "#time"], tokens="", key_info=key_info)
    assert w.verified(data).direct.covered == (
        f"{{{addressing}}}Action",
        f"{{{addressing}}}MessageID",
        "Body",
        "Timestamp",
    )


def test_times_may_have_up_to_nine_digits():
    for fraction in ("", ".1", ".123", ".1234567", ".123456789"):
        times = w.timestamp().replace(".000Z", f"{fraction}Z")
        digits = (fraction[1:] + "000000")[:6]
        assert w.verified(w.craft(times=times)).direct.created == w.NOW + int(digits)


def test_signxml_signs_and_we_verify():
    security = f'<wsse:Security xmlns:wsse="{WSSE}" xmlns:wsu="{WSU}">{w.timestamp()}</wsse:Security>'
    tree = etree.fromstring(w.DOCUMENT.replace("@SECURITY@", security).encode())
    signer = XMLSigner(
        method=SignatureConstructionMethod.detached,
        signature_algorithm=SignatureMethod.ECDSA_SHA256,
        digest_algorithm=DigestAlgorithm.SHA256,
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    signature = signer.sign(tree, key=w.pem(), cert=w.certificate_pem().decode(), reference_uri=URIS, id_attribute="Id")
    tree[0][0].append(signature)
    assert w.verified(etree.tostring(tree)).direct.keyid == w.key().keyid


@pytest.mark.parametrize("kind", [BinarySignature, Signature])
def test_zeep_signs_with_sha256_and_we_verify(tmp_path, kind):
    """Its default is SHA-1; told better, its signature passes for messages without headers that we act on."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    rsa = w.key_of("rsa-pss-sha512")
    key.write_bytes(w.pem(rsa))
    certificate.write_bytes(w.certificate_pem(rsa))
    tree = etree.fromstring(w.envelope(blocks=f'<wsse:Security xmlns:wsse="{WSSE}">{w.timestamp()}</wsse:Security>'))
    plugin = kind(
        str(key), str(certificate), signature_method=xmlsec.Transform.RSA_SHA256, digest_method=xmlsec.Transform.SHA256
    )
    envelope, _ = plugin.apply(tree, {})
    assert w.verified(etree.tostring(envelope), signer=rsa).direct.covered == ("Body", "Timestamp")


def test_zeep_as_it_comes_is_refused(tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    rsa = w.key_of("rsa-pss-sha512")
    key.write_bytes(w.pem(rsa))
    certificate.write_bytes(w.certificate_pem(rsa))
    tree = etree.fromstring(w.envelope(blocks=f'<wsse:Security xmlns:wsse="{WSSE}">{w.timestamp()}</wsse:Security>'))
    envelope, _ = BinarySignature(str(key), str(certificate)).apply(tree, {})
    with pytest.raises(ExchangeError) as caught:
        parse_security(etree.tostring(envelope))
    assert caught.value.kind == kinds.SECURITY_ALGORITHM


# -- ways to name a certificate ------------------------------------------------------------------------------------


def _reference(inner):
    return f'<wsse:SecurityTokenReference xmlns:wsse="{WSSE}">{inner}</wsse:SecurityTokenReference>'


def _identifier(kind, octets):
    return _reference(
        f'<wsse:KeyIdentifier ValueType="{kind}">{base64.b64encode(octets).decode()}</wsse:KeyIdentifier>'
    )


def _hints():
    key = w.key()
    certificate = x509.load_der_x509_certificate(key.certificate)
    subject_key = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    serial = (
        "<ds:X509Data><ds:X509IssuerSerial><ds:X509IssuerName>x</ds:X509IssuerName>"
        f"<ds:X509SerialNumber> {certificate.serial_number}\n</ds:X509SerialNumber></ds:X509IssuerSerial></ds:X509Data>"
    )
    text = base64.encodebytes(key.certificate).decode()
    path = _sequence(w.gateway_key().certificate + key.certificate)
    return {
        "thumbprint": ("", _identifier(THUMBPRINT, hashlib.sha1(key.certificate).digest())),
        "subject key identifier": ("", _identifier(KEY_IDENTIFIER, subject_key)),
        "embedded certificate": ("", _identifier(X509V3, key.certificate)),
        "serial number": ("", _reference(serial)),
        "serial number without reference": ("", serial),
        "X509Certificate": ("", f"<ds:X509Data><ds:X509Certificate>{text}</ds:X509Certificate></ds:X509Data>"),
        "PKI path": (w.token(path, kind=PKI_PATH), w.TOKEN_REFERENCE),
    }


def _sequence(content):
    size = len(content).to_bytes(2)
    return b"\x30\x82" + size + content


@pytest.mark.parametrize(
    "name",
    [
        "thumbprint",
        "subject key identifier",
        "embedded certificate",
        "serial number",
        "serial number without reference",
        "X509Certificate",
        "PKI path",
    ],
)
def test_hints_find_the_listed_certificate(name):
    tokens, key_info = _hints()[name]
    data = w.craft(tokens=tokens, key_info=key_info)
    assert w.verified(data)
    known = KnownCertificates([w.gateway_key().certificate, w.key().certificate])
    assert parse_security(data).keyids(known) == (w.key().keyid,)
    with pytest.raises(ExchangeError) as caught:
        parse_security(data).keyids(KnownCertificates([w.gateway_key().certificate]))
    assert caught.value.kind == UNKNOWN_KEY


@pytest.mark.parametrize(
    "path",
    [
        b"",
        b"\x30",
        b"\x30\x00",
        b"\x30\x05\x30\x82",
        b"\x30\x84\xff\xff\xff\xff\x30\x00",
        b"\x30\x02\x30\x01",
        b"\x30\x80\x30\x00",
        b"\x04\x02ab",
    ],
)
def test_broken_pki_paths(path):
    with pytest.raises(ExchangeError) as caught:
        parse_security(w.craft(tokens=w.token(path, kind=PKI_PATH)))
    assert caught.value.kind == kinds.SECURITY_TOKEN
