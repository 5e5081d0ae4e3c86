"""Which certificate a WS-Security signature says it was made with (Web Services Security X.509 Token Profile 1.1).

Whatever it says is a hint to find a certificate in the trust list. The one in the message is compared with that, and
never used itself.
"""

import binascii
from collections.abc import Hashable, Sequence
from functools import lru_cache
from typing import Final, Protocol

from cryptography import x509
from msgspec import Struct

from gateway.model.errors import ExchangeError
from gateway.model.errors.trust import UNKNOWN_KEY
from gateway.model.errors.wsse import SECURITY_MALFORMED, SECURITY_TOKEN
from gateway.signing.wsse_names import (
    BASE64,
    DS,
    KEY_IDENTIFIER,
    PKI_PATH,
    THUMBPRINT,
    WSSE,
    WSU_ID,
    X509V3,
)
from gateway.signing.xml import Element

_STR: Final = f"{{{WSSE}}}SecurityTokenReference"
_REFERENCE: Final = f"{{{WSSE}}}Reference"
_IDENTIFIER: Final = f"{{{WSSE}}}KeyIdentifier"
_X509_DATA: Final = f"{{{DS}}}X509Data"
_CERTIFICATE: Final = f"{{{DS}}}X509Certificate"
_ISSUER_SERIAL: Final = f"{{{DS}}}X509IssuerSerial"
_SERIAL: Final = f"{{{DS}}}X509SerialNumber"

_MAX_TOKEN: Final = 64 * 1024
_MAX_SERIAL: Final = 50  # digits: RFC 5280 §4.1.2.2 allows 20 octets
_SEQUENCE: Final = 0x30


class Certificate(Protocol):
    """A listed certificate, as ``gateway.trust.store.Key`` is one."""

    @property
    def keyid(self) -> str:
        """base64url SHA-256 of it."""

    @property
    def certificate(self) -> x509.Certificate:
        """Itself."""


class Listing(Hashable, Protocol):
    """Certificates that hints are looked up in: the trust list, or the few that a client knows."""

    def keyid_by_der(self, certificate: bytes, /) -> str | None:
        """The keyid of exactly this certificate."""

    def keyids_by_serial(self, serial: int, /) -> tuple[str, ...]:
        """Keyids of those with this serial number."""

    def keyid_by_sha1(self, digest: bytes, /) -> str | None:
        """The keyid of the one with this SHA-1."""

    def listed(self) -> Sequence[Certificate]:
        """All of them."""


class Hint(Struct, frozen=True, kw_only=True):
    """What KeyInfo says, exactly one of these. certificate: DER. serial: number. sha1: thumbprint. subject_key: its
    SubjectKeyIdentifier.
    """

    certificate: bytes | None = None
    serial: int | None = None
    sha1: bytes | None = None
    subject_key: bytes | None = None

    def keyids(self, trust: Listing) -> tuple[str, ...]:
        """Listed certificates that it may mean, at least one. Raises ExchangeError UNKNOWN_KEY."""
        found: tuple[str | None, ...]
        if self.certificate is not None:
            found = (trust.keyid_by_der(self.certificate),)
        elif self.serial is not None:
            found = trust.keyids_by_serial(self.serial)
        elif self.sha1 is not None:
            found = (trust.keyid_by_sha1(self.sha1),)
        else:
            found = _by_subject_key(trust).get(self.subject_key or b"", ())
        keyids = tuple(keyid for keyid in found if keyid is not None)
        if not keyids:
            raise ExchangeError(UNKNOWN_KEY, "no listed certificate is the one that the signature names")
        return keyids


@lru_cache(maxsize=2)  # the list in force and the one before it; compiled once each, since extensions are slow to read
def _by_subject_key(trust: Listing) -> dict[bytes, tuple[str, ...]]:
    found: dict[bytes, tuple[str, ...]] = {}
    for listed in trust.listed():
        try:
            identifier = listed.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
        except (x509.ExtensionNotFound, ValueError):
            continue
        found[identifier] = (*found.get(identifier, ()), listed.keyid)
    return found


def read_hint(key_info: Element, tokens: Sequence[Element]) -> Hint:
    """What a ds:KeyInfo says. tokens: the BinarySecurityTokens of its Security header.

    Raises ExchangeError SECURITY_TOKEN, SECURITY_MALFORMED.
    """
    said = _only_child(key_info)
    if said.tag == _STR:
        said = _only_child(said)
    if said.tag == _REFERENCE:
        return _referenced(said, tokens)
    if said.tag == _IDENTIFIER:
        return _identified(said)
    if said.tag == _X509_DATA:
        return _described(said)
    raise ExchangeError(SECURITY_TOKEN, "KeyInfo refers to its certificate in no way that is known here")


def _only_child(element: Element) -> Element:
    if len(element) != 1:
        raise ExchangeError(SECURITY_TOKEN, "KeyInfo says not exactly one thing about its key")
    return element[0]


def _referenced(reference: Element, tokens: Sequence[Element]) -> Hint:
    uri = reference.get("URI") or ""
    named = [token for token in tokens if uri == f"#{token.get(WSU_ID)}"]
    if len(named) != 1:
        raise ExchangeError(SECURITY_TOKEN, "KeyInfo does not refer to one BinarySecurityToken of this Security header")
    token = named[0]
    if token.get("EncodingType", BASE64) != BASE64:
        raise ExchangeError(SECURITY_TOKEN, "a BinarySecurityToken is not Base64Binary")
    kind, octets = token.get("ValueType"), base64_of(token, _MAX_TOKEN)
    if kind == PKI_PATH:
        octets = _last_of_path(octets)
    elif kind != X509V3:
        raise ExchangeError(SECURITY_TOKEN, "a BinarySecurityToken is neither X509v3 nor X509PKIPathv1")
    return Hint(certificate=octets)


def _identified(identifier: Element) -> Hint:
    kind, octets = identifier.get("ValueType"), base64_of(identifier, _MAX_TOKEN)
    if kind == THUMBPRINT:
        return Hint(sha1=octets)
    if kind == KEY_IDENTIFIER:
        return Hint(subject_key=octets)
    if kind == X509V3:
        return Hint(certificate=octets)
    raise ExchangeError(SECURITY_TOKEN, "a KeyIdentifier is no X509v3, ThumbprintSHA1 or X509SubjectKeyIdentifier")


def _described(data: Element) -> Hint:
    """X509Data with a certificate (of several, the signer's comes first) or one IssuerSerial. The issuer's name is not
    compared, since every stack writes names in its own way and the list decides anyhow.
    """
    certificate = data.find(_CERTIFICATE)
    if certificate is not None:
        return Hint(certificate=base64_of(certificate, _MAX_TOKEN))
    described = data.findall(_ISSUER_SERIAL)
    numbers = described[0].findall(_SERIAL) if len(described) == 1 else []
    text = text_of(numbers[0]).strip() if len(numbers) == 1 else ""
    if not text.isascii() or not text.isdigit() or len(text) > _MAX_SERIAL:
        raise ExchangeError(SECURITY_TOKEN, "X509Data names no certificate by itself or by its serial number")
    return Hint(serial=int(text))


def _last_of_path(path: bytes) -> bytes:
    """The signer's certificate of a PkiPath, SEQUENCE OF Certificate: the last (X.509 §7.5)."""
    start, end = _content(path, 0)
    last = b""
    while start < end == len(path):
        _, after = _content(path, start)
        last, start = path[start:after], after
    if not last or start != end:
        raise ExchangeError(SECURITY_TOKEN, "an X509PKIPathv1 token is no sequence of certificates")
    return last


def _content(data: bytes, at: int) -> tuple[int, int]:
    """Where the content of a DER SEQUENCE begins and ends (X.690 §8.1)."""
    if data[at : at + 1] != bytes([_SEQUENCE]) or len(data) < at + 2:
        raise ExchangeError(SECURITY_TOKEN, "an X509PKIPathv1 token is not DER")
    size, start = data[at + 1], at + 2
    if size & 0x80:
        count = size & 0x7F
        size, start = int.from_bytes(data[start : start + count]), start + count
    return start, start + size


def text_of(element: Element) -> str:
    """The text of an element without children. Raises ExchangeError SECURITY_MALFORMED."""
    if len(element):
        raise ExchangeError(SECURITY_MALFORMED, "an element of the Security header has children where text belongs")
    return element.text or ""


def base64_of(element: Element, limit: int) -> bytes:
    """The octets of an element's base64 text, white space ignored. limit: of its characters.

    Raises ExchangeError SECURITY_MALFORMED.
    """
    text = text_of(element)
    if len(text) > limit:
        raise ExchangeError(SECURITY_MALFORMED, "a value in the Security header is too long")
    try:
        return binascii.a2b_base64("".join(text.split()), strict_mode=True)
    except (binascii.Error, ValueError):
        raise ExchangeError(SECURITY_MALFORMED, "a value in the Security header is not base64") from None
