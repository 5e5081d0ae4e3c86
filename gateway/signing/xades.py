"""XAdES baseline signatures over files beside them (ETSI EN 319 132-1, as ASiC-E has them), made: one fixed template.

The document is written in the very bytes that are signed: SignedInfo, SignedProperties and SignatureValue stand in it
in canonical form (C14N 1.1) but for the namespace declarations, which canonicalisation takes over from the root. So
nothing needs to be canonicalised, here or by whoever reads it (``xades_read``), and other people's tools find what they
expect: C14N 1.1, SHA-256, one Reference with an Id and a DataObjectFormat for each file.

B-T needs a timestamp over ``Draft.stamped``; B-LT the certificates and revocation lists as well.
"""

import base64
import hashlib
import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

from cryptography import x509
from msgspec import Struct

from gateway.model.instant import Instant, rfc3339
from gateway.ports import Signer
from gateway.signing.wsse_names import DS, SHA256

ASIC: Final = "http://uri.etsi.org/02918/v1.2.1#"
XADES: Final = "http://uri.etsi.org/01903/v1.3.2#"
C14N11: Final = "http://www.w3.org/2006/12/xml-c14n11"
SIGNED_PROPERTIES_TYPE: Final = "http://uri.etsi.org/01903#SignedProperties"
SIGNATURE_ID: Final = "signature"
PROPERTIES_ID: Final = "signed-properties"
VALUE_ID: Final = "signature-value"

_NAMESPACES: Final = f' xmlns:asic="{ASIC}" xmlns:ds="{DS}" xmlns:xades="{XADES}"'
_MEDIA: Final = re.compile(r"[a-z0-9.+-]+/[a-z0-9.+-]+(?:; charset=[a-z0-9-]+)?")
_PATH: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
_INTEGER, _SEQUENCE, _DIRECTORY_NAME = 0x02, 0x30, 0xA4
_SHORT: Final = 0x80


class SignedFile(Struct, frozen=True):
    """A file that is signed: its path in the container, its media type, and the SHA-256 of its bytes.

    Raises ValueError for a path with other characters than letters, digits, ``. _ -`` and ``/``, or another length.
    """

    path: str
    media_type: str
    sha256: bytes

    def __post_init__(self) -> None:
        if not _PATH.fullmatch(self.path) or not _MEDIA.fullmatch(self.media_type) or len(self.sha256) != 32:  # noqa: PLR2004 - SHA-256
            raise ValueError("a signed file has a plain relative path, a media type and a SHA-256")


class Archive(Struct, frozen=True):
    """What long-term validation needs beside the signature (B-LT): certificates and revocation lists, DER."""

    certificates: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()


class Draft(Struct, frozen=True, kw_only=True):
    """A signature that may still be timestamped.

    info, properties: SignedInfo and SignedProperties as they stand in the document. value: the signature. method: its
    algorithm (a URI). certificate: the signer's, DER.
    """

    method: str
    info: str
    properties: str
    value: bytes
    certificate: bytes

    @property
    def stamped(self) -> bytes:
        """What a SignatureTimeStamp is over: the canonical ds:SignatureValue (EN 319 132-1 §5.3)."""
        return in_scope(_value(self.value), "ds:SignatureValue")


def sign_files(files: Sequence[SignedFile], *, key: Signer, now: Instant) -> Draft:
    """Sign files. Raises ValueError without files or for a path given twice; ExchangeError (SIGNATURE_ALGORITHM) for a
    key that XML Signature has no method for (Ed25519).
    """
    if not files or len({file.path for file in files}) != len(files):
        raise ValueError("files to sign are at least one, each once")
    method = key.xml_algorithm
    properties = signed_properties(files, key.certificate, rfc3339(now))
    info = signed_info(files, method, properties_digest(properties))
    value = key.sign_xml(in_scope(info, "ds:SignedInfo"))
    return Draft(method=method, info=info, properties=properties, value=value, certificate=key.certificate)


def write_signatures(draft: Draft, *, token: bytes | None, archive: Archive) -> bytes:
    """The signature file of a container (EN 319 162-1 §4.4.3.2). token: an RFC 3161 TimeStampToken over
    ``draft.stamped``; None: the signature is of level B-B, with the archive's values beside it.
    """
    certificate = _base64(draft.certificate)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<asic:XAdESSignatures{_NAMESPACES}>"
        f'<ds:Signature Id="{SIGNATURE_ID}">{draft.info}{_value(draft.value)}'
        f"<ds:KeyInfo><ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
        f'<ds:Object><xades:QualifyingProperties Target="#{SIGNATURE_ID}">{draft.properties}'
        f"{_unsigned(token, archive)}</xades:QualifyingProperties></ds:Object>"
        "</ds:Signature></asic:XAdESSignatures>\n"
    ).encode()


def signed_info(files: Sequence[SignedFile], method: str, properties: bytes) -> str:
    """SignedInfo as it stands in the document. properties: SHA-256 of the canonical SignedProperties."""
    references = "".join(
        f'<ds:Reference Id="r-{number}" URI="{quote(file.path)}">{_digest(file.sha256)}</ds:Reference>'
        for number, file in enumerate(files, 1)
    )
    return (
        "<ds:SignedInfo>"
        f'<ds:CanonicalizationMethod Algorithm="{C14N11}"></ds:CanonicalizationMethod>'
        f'<ds:SignatureMethod Algorithm="{method}"></ds:SignatureMethod>'
        f"{references}"
        f'<ds:Reference Type="{SIGNED_PROPERTIES_TYPE}" URI="#{PROPERTIES_ID}">'
        f'<ds:Transforms><ds:Transform Algorithm="{C14N11}"></ds:Transform></ds:Transforms>'
        f"{_digest(properties)}</ds:Reference>"
        "</ds:SignedInfo>"
    )


def signed_properties(files: Sequence[SignedFile], certificate: bytes, at: str) -> str:
    """SignedProperties as it stands in the document. at: SigningTime, RFC 3339."""
    formats = "".join(
        f'<xades:DataObjectFormat ObjectReference="#r-{number}"><xades:MimeType>{file.media_type}</xades:MimeType>'
        "</xades:DataObjectFormat>"
        for number, file in enumerate(files, 1)
    )
    return (
        f'<xades:SignedProperties Id="{PROPERTIES_ID}"><xades:SignedSignatureProperties>'
        f"<xades:SigningTime>{at}</xades:SigningTime>"
        f"<xades:SigningCertificateV2><xades:Cert><xades:CertDigest>{_digest(hashlib.sha256(certificate).digest())}"
        f"</xades:CertDigest><xades:IssuerSerialV2>{_base64(issuer_serial(certificate))}</xades:IssuerSerialV2>"
        "</xades:Cert></xades:SigningCertificateV2></xades:SignedSignatureProperties>"
        f"<xades:SignedDataObjectProperties>{formats}</xades:SignedDataObjectProperties></xades:SignedProperties>"
    )


def properties_digest(properties: str) -> bytes:
    """SHA-256 of the canonical SignedProperties."""
    return hashlib.sha256(in_scope(properties, "xades:SignedProperties")).digest()


def in_scope(element: str, name: str) -> bytes:
    """The canonical form (C14N 1.1, inclusive) of an element of ours: the root's namespaces come before attributes."""
    return f"<{name}{_NAMESPACES}{element.removeprefix(f'<{name}')}".encode()


def issuer_serial(certificate: bytes) -> bytes:
    """IssuerSerial in DER (RFC 5035 §5.1.1): the issuer as GeneralNames, and the serial number."""
    parsed = x509.load_der_x509_certificate(certificate)
    serial = parsed.serial_number
    names = _der(_SEQUENCE, _der(_DIRECTORY_NAME, parsed.issuer.public_bytes()))
    return _der(_SEQUENCE, names + _der(_INTEGER, serial.to_bytes(serial.bit_length() // 8 + 1, "big")))


def _value(value: bytes) -> str:
    return f'<ds:SignatureValue Id="{VALUE_ID}">{_base64(value)}</ds:SignatureValue>'


def _unsigned(token: bytes | None, archive: Archive) -> str:
    parts = []
    if token is not None:
        parts.append(
            '<xades:SignatureTimeStamp Id="signature-timestamp">'
            f'<ds:CanonicalizationMethod Algorithm="{C14N11}"></ds:CanonicalizationMethod>'
            f"<xades:EncapsulatedTimeStamp>{_base64(token)}</xades:EncapsulatedTimeStamp></xades:SignatureTimeStamp>"
        )
    if archive.certificates:
        values = _each("EncapsulatedX509Certificate", archive.certificates)
        parts.append(f"<xades:CertificateValues>{values}</xades:CertificateValues>")
    if archive.crls:
        values = _each("EncapsulatedCRLValue", archive.crls)
        parts.append(f"<xades:RevocationValues><xades:CRLValues>{values}</xades:CRLValues></xades:RevocationValues>")
    if not parts:
        return ""
    return (
        "<xades:UnsignedProperties><xades:UnsignedSignatureProperties>"
        f"{''.join(parts)}</xades:UnsignedSignatureProperties></xades:UnsignedProperties>"
    )


def _each(name: str, values: Sequence[bytes]) -> str:
    return "".join(f"<xades:{name}>{_base64(value)}</xades:{name}>" for value in values)


def _digest(value: bytes) -> str:
    return f'<ds:DigestMethod Algorithm="{SHA256}"></ds:DigestMethod><ds:DigestValue>{_base64(value)}</ds:DigestValue>'


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _der(tag: int, content: bytes) -> bytes:
    if len(content) < _SHORT:
        return bytes([tag, len(content)]) + content
    size = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([tag, _SHORT | len(size)]) + size + content
