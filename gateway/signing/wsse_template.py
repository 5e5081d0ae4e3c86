"""The Security header that we write: one fixed template, ECDSA or RSA with SHA-256 digests.

What is canonical already is written so: SignedInfo, Timestamp, token and confirmation stand in the envelope in their
own exclusive canonical form. Prefixes that values use (``xsi:type="xs:string"``) are listed in InclusiveNamespaces, so
that their meaning is signed too.
"""

import base64
import binascii
import hashlib
from functools import lru_cache
from typing import Final
from urllib.parse import quote

from msgspec import Struct

from gateway.model.instant import Instant, plus, rfc3339
from gateway.model.message import Part
from gateway.ports import Signer
from gateway.signing.http_sig import MAX_LIFETIME
from gateway.signing.wsse_attachments import cover_of
from gateway.signing.wsse_names import BASE64, DS, EXCLUSIVE, SHA256, SWA_CONTENT, WSSE, WSSE11, WSU, X509V3

_BYTES_OF_ID: Final = 8
_sha256 = hashlib.sha256
_base64 = binascii.b2a_base64


class SignedEnvelope(Struct, frozen=True, kw_only=True):
    """A signed envelope (UTF-8). base: the bytes that were signed, canonical SignedInfo. signature: its octets."""

    envelope: bytes
    base: bytes
    signature: bytes


class Terms(Struct, frozen=True, kw_only=True):
    """How an envelope is signed. lifetime: seconds, at most 300. confirms: SignatureValue (base64) of the request that
    this answers. attachments: parts to be covered by ``cid:``, each with a Content-ID.

    Raises ValueError for a lifetime out of range.
    """

    key: Signer
    now: Instant
    lifetime: int = MAX_LIFETIME
    confirms: str | None = None
    attachments: tuple[Part, ...] = ()

    def __post_init__(self) -> None:
        if not 0 < self.lifetime <= MAX_LIFETIME:
            raise ValueError(f"a signature lasts 1 to {MAX_LIFETIME} seconds")


class SecurityHeader(Struct, frozen=True, kw_only=True):
    """A Security header, as it stands in the envelope. base, signature: as of ``SignedEnvelope``."""

    octets: bytes
    base: bytes
    signature: bytes


def prefix_of(content: bytes) -> str:
    """What our ids in a message begin with. Nobody can have written one that holds the digest of what it stands in."""
    return f"x{_sha256(content).digest()[:_BYTES_OF_ID].hex()}"


def reference(identifier: str, octets: bytes, inclusive: bytes = b"") -> bytes:
    """A Reference to an element by its id. octets: its canonical form. inclusive: what ``inclusive_of`` gives."""
    digest = _base64(_sha256(octets).digest(), newline=False)
    return _REFERENCE % (b"#", identifier.encode(), _EXCLUSIVE, inclusive, digest)


def inclusive_of(prefixes: tuple[str, ...]) -> bytes:
    """The PrefixList of an exclusive canonicalisation; empty for none."""
    if not prefixes:
        return b""
    listed = " ".join(prefixes)
    return (f'<ec:InclusiveNamespaces xmlns:ec="{EXCLUSIVE}" PrefixList="{listed}"></ec:InclusiveNamespaces>').encode()


def security_header(soap: str, prefix: str, references: list[bytes], terms: Terms) -> SecurityHeader:
    """Sign what the references say, a Timestamp, and what else the terms name. soap: the envelope's namespace.

    Raises ExchangeError for a key that XML Signature has no method for.
    """
    key, confirms = terms.key, terms.confirms
    made = [_timestamp(prefix, terms.now, terms.lifetime)]
    references = [*references, reference(f"{prefix}-ts", made[0])]
    if confirms is not None:
        made.append(_confirmation(prefix, confirms))
        references.append(reference(f"{prefix}-sc", made[1]))
    references += [_attached(part) for part in terms.attachments]
    opened, closed = _signed_info(key.xml_algorithm)
    base = b"".join((opened, *references, closed))
    signature = key.sign_xml(base)
    token, ending = _token(soap, key.certificate), _ENDING
    named = prefix.encode()
    value = _base64(signature, newline=False)
    octets = b"".join((token[0], named, token[1], *made, _SIGNATURE, base, _VALUE, value, ending[0], named, ending[1]))
    return SecurityHeader(octets=octets, base=base, signature=signature)


_EXCLUSIVE: Final = EXCLUSIVE.encode()
_REFERENCE: Final = (
    b'<ds:Reference URI="%b%b"><ds:Transforms><ds:Transform Algorithm="%b">%b</ds:Transform></ds:Transforms>'
    b'<ds:DigestMethod Algorithm="' + SHA256.encode() + b'"></ds:DigestMethod><ds:DigestValue>%b</ds:DigestValue>'
    b"</ds:Reference>"
)
_SIGNATURE: Final = f'<ds:Signature xmlns:ds="{DS}">'.encode()
_VALUE: Final = b"<ds:SignatureValue>"
_ENDING: Final = (
    b'</ds:SignatureValue><ds:KeyInfo><wsse:SecurityTokenReference><wsse:Reference URI="#',
    (
        f'-token" ValueType="{X509V3}"/></wsse:SecurityTokenReference></ds:KeyInfo></ds:Signature></wsse:Security>'
    ).encode(),
)
_TIMESTAMP: Final = (
    f'<wsu:Timestamp xmlns:wsu="{WSU}" wsu:Id="%s-ts"><wsu:Created>%s</wsu:Created>'
    "<wsu:Expires>%s</wsu:Expires></wsu:Timestamp>"
)


def _attached(part: Part) -> bytes:
    """RFC 2392 §2: a Content-ID is percent-encoded in its URI."""
    digest = _base64(part.sha256, newline=False)
    return _REFERENCE % (b"cid:", quote(cover_of(part), safe="@").encode(), SWA_CONTENT.encode(), b"", digest)


@lru_cache(maxsize=8)
def _signed_info(algorithm: str) -> tuple[bytes, bytes]:
    """What stands before and after the references."""
    opened = (
        f'<ds:SignedInfo xmlns:ds="{DS}">'
        f'<ds:CanonicalizationMethod Algorithm="{EXCLUSIVE}"></ds:CanonicalizationMethod>'
        f'<ds:SignatureMethod Algorithm="{algorithm}"></ds:SignatureMethod>'
    )
    return opened.encode(), b"</ds:SignedInfo>"


def _timestamp(prefix: str, now: Instant, lifetime: int) -> bytes:
    """Canonical. Milliseconds and Z, as WS-I Basic Security Profile 1.1 has it (R3217, R3220)."""
    return (_TIMESTAMP % (prefix, rfc3339(now), rfc3339(plus(now, lifetime)))).encode()


def _confirmation(prefix: str, confirms: str) -> bytes:
    """WS-Security 1.1 §8.5. The value is base64 that we read or wrote before; anything else is an error of ours."""
    base64.b64decode(confirms, validate=True)
    text = (
        f'<wsse11:SignatureConfirmation xmlns:wsse11="{WSSE11}" xmlns:wsu="{WSU}" Value="{confirms}"'
        f' wsu:Id="{prefix}-sc"></wsse11:SignatureConfirmation>'
    )
    return text.encode()


@lru_cache(maxsize=64)
def _token(soap: str, certificate: bytes) -> tuple[bytes, bytes]:
    """The header's start with its token, before and after the prefix of the token's id."""
    opened = (
        f'<wsse:Security xmlns:wsse="{WSSE}" xmlns:wsu="{WSU}" xmlns:e="{soap}" e:mustUnderstand="1">'
        f'<wsse:BinarySecurityToken EncodingType="{BASE64}" ValueType="{X509V3}" wsu:Id="'
    )
    closed = f'-token">{base64.b64encode(certificate).decode()}</wsse:BinarySecurityToken>'
    return opened.encode(), closed.encode()
