"""XAdES over files: other people's libraries verify what we make, and we believe nothing but exactly that."""

import base64
import functools
import hashlib
import os
import re
from datetime import timedelta
from pathlib import Path

import pytest
import xmlsec
from asn1crypto import tsp
from cryptography import x509
from lxml import etree
from signxml import SignatureConfiguration
from signxml.xades import XAdESVerifier

from adapters.simulators.parties import CIVIL_STATUS, ONE_STOP, POPULATION, PORTAL
from gateway.model.errors import ExchangeError
from gateway.model.errors.evidence import EVIDENCE_INVALID, EVIDENCE_MALFORMED
from gateway.model.errors.signature import SIGNATURE_ALGORITHM
from gateway.model.instant import to_datetime
from gateway.signing.xades import Archive, SignedFile, issuer_serial, sign_files, write_signatures
from gateway.signing.xades_read import compare_files, read_signatures, verify_signature
from tests.support import pki

NOW = pki.NOW
FILES = {
    "records/request.json": b'{"a":1}',
    "VERIFY.md": "cách kiểm".encode(),
    "messages/x_y-1.base": bytes(range(256)),
}
SHA256 = {path: hashlib.sha256(content).digest() for path, content in FILES.items()}
SIGNERS = {"P-256": PORTAL, "P-384": CIVIL_STATUS, "RSA": POPULATION}


@functools.cache
def key(subsystem=PORTAL):
    return pki.signing_key(pki.shared(), subsystem)


def archive():
    shared = pki.shared()
    return Archive((key().certificate,), tuple(file.read_bytes() for file in shared.crls))


def signed(subsystem=PORTAL, *, token=b"token", files=FILES, signer=None):
    listed = [SignedFile(path, "text/plain", hashlib.sha256(content).digest()) for path, content in files.items()]
    draft = sign_files(listed, key=signer or key(subsystem), now=NOW)
    return write_signatures(draft, token=token, archive=archive())


def check(data, sha256=SHA256):
    read = read_signatures(data)
    verify_signature(read)
    compare_files(read, sha256)
    return read


@pytest.mark.parametrize("subsystem", SIGNERS.values(), ids=SIGNERS)
def test_what_we_sign_we_believe(subsystem):
    read = check(signed(subsystem))
    assert read.certificate == key(subsystem).certificate
    assert read.at == "2027-01-15T08:00:00.000Z"
    assert read.token == b"token"
    assert read.archive == archive()
    assert [file.path for file in read.files] == list(FILES)


def test_without_timestamp_and_archive_it_is_a_bare_signature():
    draft = sign_files([SignedFile("a", "text/plain", bytes(32))], key=key(), now=NOW)
    read = read_signatures(write_signatures(draft, token=None, archive=Archive()))
    assert (read.token, read.archive) == (None, Archive())


@pytest.mark.parametrize("subsystem", SIGNERS.values(), ids=SIGNERS)
def test_xmlsec_verifies_it_with_the_files_beside_it(subsystem, tmp_path):
    """As ``xmlsec1 --verify`` does in the unzipped root: references are files, the certificate leads to a trusted one."""
    for path, content in {**FILES, "META-INF/signatures.xml": signed(subsystem)}.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(content)
    assert _xmlsec(tmp_path)
    (tmp_path / "VERIFY.md").write_bytes(b"changed")
    assert not _xmlsec(tmp_path)


def _xmlsec(folder):
    root = etree.parse(str(folder / "META-INF/signatures.xml")).getroot()
    xmlsec.tree.add_ids(root, ["Id"])
    der = base64.b64decode(next(root.iter("{*}X509Certificate")).text)
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(der, xmlsec.KeyFormat.CERT_DER)
    before = Path.cwd()
    os.chdir(folder)
    try:
        context.verify(xmlsec.tree.find_node(root, "Signature"))
    except xmlsec.Error:
        return False
    finally:
        os.chdir(before)
    return True


@pytest.mark.parametrize("subsystem", SIGNERS.values(), ids=SIGNERS)
def test_signxml_verifies_it_as_xades(subsystem):
    certificate = x509.load_der_x509_certificate(key(subsystem).certificate)
    found = XAdESVerifier().verify(
        signed(subsystem),
        x509_cert=certificate,
        uri_resolver=FILES.__getitem__,
        expect_config=SignatureConfiguration(
            expect_references=len(FILES) + 1, verification_time=to_datetime(NOW) + timedelta(hours=1)
        ),
        expect_signature_policy=None,
    )
    assert len(found) == len(FILES) + 1


def test_signed_info_is_its_own_canonical_form():
    """The bytes that are signed are those that a canonicaliser makes of the document."""
    root = etree.fromstring(signed())
    made = etree.tostring(next(root.iter("{*}SignedProperties")), method="c14n")
    digest = next(each for each in root.iter("{*}Reference") if each.get("URI") == "#signed-properties")[-1].text
    assert base64.b64encode(hashlib.sha256(made).digest()).decode() == digest


def test_what_is_stamped_is_the_canonical_signature_value():
    draft = sign_files([SignedFile("a", "text/plain", bytes(32))], key=key(), now=NOW)
    root = etree.fromstring(write_signatures(draft, token=None, archive=Archive()))
    assert etree.tostring(next(root.iter("{*}SignatureValue")), method="c14n", with_tail=False) == draft.stamped


def test_issuer_and_serial_are_those_of_the_standard():
    """ESSCertIDv2's IssuerSerial as another library reads it (RFC 5035 §5.1.1)."""
    certificate = x509.load_der_x509_certificate(key().certificate)
    read = tsp.IssuerSerial.load(issuer_serial(key().certificate), strict=True)
    assert read["serial_number"].native == certificate.serial_number
    assert read["issuer"][0].chosen.untag().dump() == certificate.issuer.public_bytes()


def test_an_ed25519_key_cannot_sign_xml():
    with pytest.raises(ExchangeError) as refused:
        signed(ONE_STOP)
    assert refused.value.kind is SIGNATURE_ALGORITHM


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../a", "a/../b", "a//b", ".hidden", "a b", "a%2Fb", "", "é", "a\\b", "#x"]
)
def test_only_plain_relative_paths_are_signed(path):
    with pytest.raises(ValueError, match="plain relative path"):
        SignedFile(path, "text/plain", bytes(32))


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({**SHA256, "VERIFY.md": bytes(32)}, "VERIFY.md: changed"),
        ({**SHA256, "more": bytes(32)}, "more: not signed"),
        ({path: SHA256[path] for path in SHA256 if path != "VERIFY.md"}, "VERIFY.md: missing"),
    ],
)
def test_a_changed_an_added_and_a_missing_file_are_named(changed, named):
    with pytest.raises(ExchangeError) as refused:
        check(signed(), changed)
    assert refused.value.kind is EVIDENCE_INVALID
    assert refused.value.parts == (named,)


def _moved_object(text):
    """The qualifying properties taken out of the Signature and put beside it."""
    found = re.search(r"<ds:Object>.*?</ds:Object>", text)[0]
    return text.replace(found, "<ds:Object></ds:Object>").replace("</ds:Signature>", f"</ds:Signature>{found}")


def _wrapped(text):
    """Forged properties in the place of the signed ones, which stand where an id still finds them."""
    found = re.search(r"<xades:SignedProperties.*?</xades:SignedProperties>", text)[0]
    forged = found.replace("2027-01-15T08", "2026-01-15T08").replace("signed-properties", "forged")
    return text.replace(found, forged).replace("</ds:Signature>", f"<ds:Object>{found}</ds:Object></ds:Signature>")


def _second_signature(text):
    found = re.search(r"<ds:Signature .*?</ds:Signature>", text)[0]
    return text.replace("</asic:XAdESSignatures>", f"{found}</asic:XAdESSignatures>")


def _after(place, more):
    """Something more behind the first such place."""
    return lambda text: text.replace(place, f"{place}{more}", 1)


WRAPPED = {
    "object moved out": _moved_object,
    "properties wrapped": _wrapped,
    "a second signature": _second_signature,
    "duplicate id": lambda text: text.replace('Id="signature-value"', 'Id="signed-properties"'),
    "duplicate reference id": lambda text: text.replace('Id="r-2"', 'Id="r-1"'),
    "a comment": lambda text: text.replace("<ds:Object>", "<!-- x --><ds:Object>"),
    "a comment in a value": lambda text: text.replace("<xades:SigningTime>", "<xades:SigningTime><!-- x -->"),
    "white space": lambda text: text.replace("<ds:KeyInfo>", "\n<ds:KeyInfo>"),
    "a doctype": lambda text: text.replace("?>\n", "?>\n<!DOCTYPE a>", 1),
    "a processing instruction": lambda text: text.replace("?>\n", "?>\n<?a b?>", 1),
    "a transform": lambda text: text.replace("<ds:DigestMethod", "<ds:Transforms></ds:Transforms><ds:DigestMethod", 1),
    "another canonicalisation": lambda text: text.replace("2006/12/xml-c14n11", "TR/2001/REC-xml-c14n-20010315"),
    "another digest": lambda text: text.replace("2001/04/xmlenc#sha256", "2000/09/xmldsig#sha1", 1),
    "two timestamps": lambda text: re.sub(r"(<xades:SignatureTimeStamp.*?</xades:SignatureTimeStamp>)", r"\1\1", text),
    "a counter signature": lambda text: text.replace(
        "<xades:CertificateValues>", "<xades:CounterSignature></xades:CounterSignature><xades:CertificateValues>"
    ),
    "key info of its own": lambda text: text.replace("</ds:X509Data>", "</ds:X509Data><ds:KeyName>a</ds:KeyName>"),
    "another target": lambda text: text.replace('Target="#signature"', 'Target="#other"'),
    "external reference": lambda text: text.replace('URI="VERIFY.md"', 'URI="http://example.org/VERIFY.md"'),
    "escaped reference": lambda text: text.replace('URI="VERIFY.md"', 'URI="%56ERIFY.md"'),
    "another issuer and serial": lambda text: re.sub(
        r"(<xades:IssuerSerialV2>).*?<",
        rf"\g<1>{base64.b64encode(issuer_serial(key(POPULATION).certificate)).decode()}<",
        text,
    ),
    "another certificate's digest": lambda text: re.sub(
        r"(<xades:CertDigest>.*?<ds:DigestValue>).*?<",
        rf"\g<1>{base64.b64encode(hashlib.sha256(key(POPULATION).certificate).digest()).decode()}<",
        text,
    ),
    "another certificate in KeyInfo": lambda text: text.replace(
        base64.b64encode(key().certificate).decode(), base64.b64encode(key(CIVIL_STATUS).certificate).decode(), 1
    ),
    "another time": lambda text: text.replace("2027-01-15T08", "2026-01-15T08"),
    "another media type": lambda text: text.replace("<xades:MimeType>text/plain", "<xades:MimeType>text/html", 1),
    "a signature policy": _after(
        "</xades:SigningCertificateV2>",
        "<xades:SignaturePolicyIdentifier><xades:SignaturePolicyImplied></xades:SignaturePolicyImplied>"
        "</xades:SignaturePolicyIdentifier>",
    ),
    "a role that is claimed": _after(
        "</xades:SigningCertificateV2>",
        "<xades:SignerRoleV2><xades:ClaimedRoles><xades:ClaimedRole>judge</xades:ClaimedRole></xades:ClaimedRoles>"
        "</xades:SignerRoleV2>",
    ),
    "a commitment": _after(
        "</xades:DataObjectFormat>", "<xades:CommitmentTypeIndication></xades:CommitmentTypeIndication>"
    ),
    "a second signing time": _after(
        "</xades:SigningTime>", "<xades:SigningTime>2020-01-01T00:00:00.000Z</xades:SigningTime>"
    ),
    "OCSP answers": _after("</xades:CRLValues>", "<xades:OCSPValues></xades:OCSPValues>"),
    "references to lists in the place of lists": lambda text: text.replace(
        "xades:RevocationValues", "xades:CompleteRevocationRefs"
    ),
    "an archive timestamp": _after("</xades:RevocationValues>", "<xades:ArchiveTimeStamp></xades:ArchiveTimeStamp>"),
    "a manifest in a reference": lambda text: text.replace(
        'URI="VERIFY.md"', 'Type="http://www.w3.org/2000/09/xmldsig#Manifest" URI="VERIFY.md"'
    ),
    "a reference into the document": lambda text: text.replace('URI="VERIFY.md"', 'URI="#signature-value"'),
    "a reference to nothing": lambda text: text.replace('URI="VERIFY.md"', 'URI=""'),
    "a reference without URI": lambda text: text.replace(' URI="VERIFY.md"', ""),
    "a reference out of the container": lambda text: text.replace('URI="VERIFY.md"', 'URI="../VERIFY.md"'),
    "a file system's reference": lambda text: text.replace('URI="VERIFY.md"', 'URI="file:///etc/passwd"'),
    "a reference to the signature file": lambda text: text.replace('URI="VERIFY.md"', 'URI="META-INF/manifest.xml#x"'),
    "an XPath transform": _after(
        '<ds:Reference Id="r-1" URI="records/request.json">',
        '<ds:Transforms><ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"></ds:Transform></ds:Transforms>',
    ),
    "an object of its own": _after("</ds:KeyInfo>", '<ds:Object Id="r-1">x</ds:Object>'),
    "a NUL": lambda text: text.replace("text/plain", "text/plain&#0;", 1),
    "a character reference": lambda text: text.replace("text/plain", "text&#47;plain", 1),
    "CDATA": lambda text: re.sub(r"(<xades:SigningTime>)([^<]*)", r"\1<![CDATA[\2]]>", text),
    "an entity": lambda text: text.replace("text/plain", "&lt;text/plain", 1),
    "XML 1.1": lambda text: text.replace('version="1.0"', 'version="1.1"', 1),
    "another charset": lambda text: text.replace('encoding="UTF-8"', 'encoding="UTF-16"', 1),
    "a byte order mark": lambda text: "\ufeff" + text,
    "another prefix": lambda text: text.replace("ds:", "dsig:"),
    "a namespace that is declared again": lambda text: text.replace(
        "<ds:KeyInfo>", '<ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#">'
    ),
    "base64 in lines": lambda text: re.sub(r"(<ds:X509Certificate>.{64})", r"\1\n", text),
    "another root around it": lambda text: re.sub(r"\?>\n(.*)\n$", r"?>\n<x>\1</x>\n", text, flags=re.DOTALL),
    "something after it": lambda text: text + "<!-- x -->",
    "nothing": lambda _: "",
    "no xml": lambda _: "PK",
    "empty root": lambda _: '<asic:XAdESSignatures xmlns:asic="http://uri.etsi.org/02918/v1.2.1#"/>',
}


@pytest.mark.parametrize("attack", WRAPPED.values(), ids=WRAPPED)
def test_nothing_but_our_form_is_read(attack):
    text = signed().decode()
    attacked = attack(text)
    assert attacked != text
    with pytest.raises(ExchangeError) as refused:
        check(attacked.encode())
    assert refused.value.kind is EVIDENCE_MALFORMED


@pytest.mark.parametrize(
    "method",
    [
        "http://www.w3.org/2000/09/xmldsig#hmac-sha1",
        "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
        "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
        "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
        "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha1",
        "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384",
        "none",
    ],
)
def test_another_method_is_not_the_certificates(method):
    """The signer's key is P-256: a public key is no HMAC's secret, and nothing else is tried."""
    text = re.sub(r'(<ds:SignatureMethod Algorithm=")[^"]*', rf"\g<1>{method}", signed().decode())
    with pytest.raises(ExchangeError) as refused:
        check(text.encode())
    assert refused.value.kind is EVIDENCE_INVALID


def test_another_keys_signature_is_not_the_certificates():
    """A right document whose signature was made with another key."""

    class Impostor:
        certificate, keyid, algorithm = key().certificate, key().keyid, key().algorithm
        xml_algorithm = key(PORTAL).xml_algorithm

        @staticmethod
        def sign_xml(data):
            return pki.gateway_key(pki.shared()).sign_xml(data)

    with pytest.raises(ExchangeError) as refused:
        check(signed(signer=Impostor()))
    assert refused.value.kind is EVIDENCE_INVALID


def test_every_changed_byte_of_what_is_signed_is_noticed():
    data = bytearray(signed(token=None))
    start, end = data.index(b"<ds:SignedInfo>"), data.index(b"<xades:UnsignedProperties>")
    for at in range(start, end, 37):
        changed = data.copy()
        changed[at] ^= 1
        with pytest.raises(ExchangeError):
            check(bytes(changed))
