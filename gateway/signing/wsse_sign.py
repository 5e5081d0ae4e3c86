"""WS-Security signatures on SOAP envelopes, made: one fixed template, ECDSA or RSA with SHA-256 digests.

What is canonical already is written so: SignedInfo, Timestamp, token and confirmation stand in the envelope in their
own exclusive canonical form, so that only Body and the header blocks need to be canonicalised. Prefixes that values
use (``xsi:type="xs:string"``) are listed in InclusiveNamespaces, so that their meaning is signed too.
"""

import base64
import hashlib
import re
from functools import lru_cache
from typing import Final
from urllib.parse import quote

from lxml import etree
from msgspec import Struct

from gateway.model.errors import ExchangeError
from gateway.model.errors.soap import INVALID_SOAP
from gateway.model.errors.wsse import SECURITY_AMBIGUOUS
from gateway.model.instant import Instant, plus, rfc3339
from gateway.model.message import Part
from gateway.ports import Signer
from gateway.signing.http_sig import MAX_LIFETIME
from gateway.signing.wsse_attachments import cover_of
from gateway.signing.wsse_names import (
    BASE64,
    DS,
    EXCLUSIVE,
    SECURITY,
    SHA256,
    SOAP11,
    SOAP12,
    SWA_CONTENT,
    WSSE,
    WSSE11,
    WSU,
    WSU_ID,
    X509V3,
)
from gateway.signing.wsse_parse import occurrences_of_ids
from gateway.signing.xml import Element, canonical, parse, written

_PLACE: Final = "security-stands-here"
_PLACE_BYTES: Final = f"<{_PLACE}/>".encode()
_DECLARED: Final = re.compile(rb"xmlns:([A-Za-z_][A-Za-z0-9_.\-]*)\s*=")
_ID: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]{0,255}")
_BYTES_OF_ID: Final = 8
_MAX_INCLUSIVE: Final = 64

etree.register_namespace("wsu", WSU)  # how lxml writes the ids that it is told to add


class SignedEnvelope(Struct, frozen=True, kw_only=True):
    """A signed envelope (UTF-8). base: the bytes that were signed, canonical SignedInfo. signature: its octets."""

    envelope: bytes
    base: bytes
    signature: bytes


def sign_envelope(
    envelope: bytes,
    *,
    key: Signer,
    now: Instant,
    lifetime: int = MAX_LIFETIME,
    confirms: str | None = None,
    attachments: tuple[Part, ...] = (),
    nonce: bytes = b"",
) -> SignedEnvelope:
    """Sign Body, every header block and a new Timestamp of an envelope (SOAP 1.1 or 1.2, UTF-8), and its attachments.

    lifetime: seconds, at most 300. confirms: SignatureValue (base64) of the request that this answers. attachments:
    parts to be covered by ``cid:``, each with a Content-ID. nonce: random bytes that make two signatures of the same
    envelope in the same millisecond differ (a request is taken once). An element's own wsu:Id stays; others get one.

    Raises ValueError for a lifetime out of range; ExchangeError for a key that XML Signature has no method for, for an
    envelope that has a Security header already (SECURITY_AMBIGUOUS) and for one that is none (INVALID_SOAP, XML_*).
    """
    if not 0 < lifetime <= MAX_LIFETIME:
        raise ValueError(f"a signature lasts 1 to {MAX_LIFETIME} seconds")
    root = parse(envelope)
    soap, header, body = _frame(root)
    # Nobody can have written an id that holds the digest of what it is written in.
    prefix = f"x{hashlib.sha256(envelope + nonce).digest()[:_BYTES_OF_ID].hex()}"
    references = _references(root, [*header, body], prefix, _inclusive(envelope))
    made = [_timestamp(prefix, now, lifetime)]
    if confirms is not None:
        made.append(_confirmation(prefix, confirms))
    references += [_reference(identifier, octets, ()) for identifier, octets in made]
    references += [_attached(part) for part in attachments]
    base = _signed_info(key.xml_algorithm, references)
    signature = key.sign_xml(base)
    value = b"<ds:SignatureValue>" + base64.b64encode(signature) + b"</ds:SignatureValue>"
    security = _security(soap, key.certificate, prefix, [octets for _, octets in made], base + value)
    header.insert(0, etree.Element(_PLACE))
    # Header is the first thing in the envelope that holds an element: before it there are only start tags.
    before, _, after = written(root).partition(_PLACE_BYTES)
    return SignedEnvelope(envelope=before + security + after, base=base, signature=signature)


def _references(root: Element, elements: list[Element], prefix: str, prefixes: tuple[str, ...]) -> list[str]:
    return [
        _reference(identifier, canonical(element, prefixes), prefixes)
        for identifier, element in zip(_identified(root, elements, prefix), elements, strict=True)
    ]


def _frame(root: Element) -> tuple[str, Element, Element]:
    """Header and Body; a Header is made where there is none."""
    soap = {f"{{{soap}}}Envelope": soap for soap in (SOAP11, SOAP12)}.get(str(root.tag))
    tags = [child.tag for child in root]
    if soap is None or tags not in ([f"{{{soap}}}Body"], [f"{{{soap}}}Header", f"{{{soap}}}Body"]):
        raise ExchangeError(INVALID_SOAP, "not an Envelope of one Header, one Body and no more")
    if len(tags) == 1:
        root.insert(0, etree.Element(f"{{{soap}}}Header"))
    header, body = root
    if next(root.iter(SECURITY), None) is not None:
        raise ExchangeError(SECURITY_AMBIGUOUS, "the envelope has a Security header already")
    return soap, header, body


def _identified(root: Element, elements: list[Element], prefix: str) -> list[str]:
    """The elements' wsu:Id, where they have one that can be referred to and that is no other's; the others get one."""
    owned = [element.get(WSU_ID) for element in elements]
    occurrences = occurrences_of_ids(root) if any(owned) else {}
    identifiers = []
    for number, (element, own) in enumerate(zip(elements, owned, strict=True)):
        if own is not None and _ID.fullmatch(own) and occurrences[own] == 1:
            identifiers.append(own)
            continue
        identifiers.append(f"{prefix}-{number}")
        element.set(WSU_ID, identifiers[-1])
    return identifiers


def _inclusive(envelope: bytes) -> tuple[str, ...]:
    """Declared prefixes that attribute values or texts begin with; to list one too many does no harm."""
    declared = frozenset(_DECLARED.findall(envelope))
    if not declared:
        return ()
    return tuple(sorted({prefix.decode() for prefix in _used(declared).findall(envelope)})[:_MAX_INCLUSIVE])


@lru_cache(maxsize=256)
def _used(declared: frozenset[bytes]) -> re.Pattern[bytes]:
    return re.compile(rb"(?:=\s*[\"']|>)\s*(" + b"|".join([re.escape(prefix) for prefix in sorted(declared)]) + rb"):")


def _method(name: str, algorithm: str, prefixes: tuple[str, ...]) -> str:
    if not prefixes:
        return f'<ds:{name} Algorithm="{algorithm}"></ds:{name}>'
    inclusive = (
        f'<ec:InclusiveNamespaces xmlns:ec="{EXCLUSIVE}" PrefixList="{" ".join(prefixes)}"></ec:InclusiveNamespaces>'
    )
    return f'<ds:{name} Algorithm="{algorithm}">{inclusive}</ds:{name}>'


def _reference(identifier: str, octets: bytes, prefixes: tuple[str, ...]) -> str:
    transform = _method("Transform", EXCLUSIVE, prefixes)
    return _written(f"#{identifier}", transform, hashlib.sha256(octets).digest())


def _attached(part: Part) -> str:
    """RFC 2392 §2: a Content-ID is percent-encoded in its URI."""
    return _written(f"cid:{quote(cover_of(part), safe='@')}", _method("Transform", SWA_CONTENT, ()), part.sha256)


def _written(uri: str, transform: str, digest: bytes) -> str:
    value = base64.b64encode(digest).decode()
    return (
        f'<ds:Reference URI="{uri}"><ds:Transforms>{transform}</ds:Transforms>'
        f'<ds:DigestMethod Algorithm="{SHA256}"></ds:DigestMethod><ds:DigestValue>{value}</ds:DigestValue>'
        "</ds:Reference>"
    )


def _signed_info(algorithm: str, references: list[str]) -> bytes:
    return (
        f'<ds:SignedInfo xmlns:ds="{DS}">{_method("CanonicalizationMethod", EXCLUSIVE, ())}'
        f"{_method('SignatureMethod', algorithm, ())}{''.join(references)}</ds:SignedInfo>"
    ).encode()


def _timestamp(prefix: str, now: Instant, lifetime: int) -> tuple[str, bytes]:
    """Id and canonical bytes. Milliseconds and Z, as WS-I Basic Security Profile 1.1 has it (R3217, R3220)."""
    identifier = f"{prefix}-ts"
    text = (
        f'<wsu:Timestamp xmlns:wsu="{WSU}" wsu:Id="{identifier}"><wsu:Created>{rfc3339(now)}</wsu:Created>'
        f"<wsu:Expires>{rfc3339(plus(now, lifetime))}</wsu:Expires></wsu:Timestamp>"
    )
    return identifier, text.encode()


def _confirmation(prefix: str, confirms: str) -> tuple[str, bytes]:
    """WS-Security 1.1 §8.5. The value is base64 that we read or wrote before; anything else is an error of ours."""
    base64.b64decode(confirms, validate=True)
    identifier = f"{prefix}-sc"
    text = (
        f'<wsse11:SignatureConfirmation xmlns:wsse11="{WSSE11}" xmlns:wsu="{WSU}" Value="{confirms}"'
        f' wsu:Id="{identifier}"></wsse11:SignatureConfirmation>'
    )
    return identifier, text.encode()


@lru_cache(maxsize=64)
def _token(certificate: bytes) -> str:
    return base64.b64encode(certificate).decode()


def _security(soap: str, certificate: bytes, prefix: str, made: list[bytes], signed: bytes) -> bytes:
    opening = (
        f'<wsse:Security xmlns:wsse="{WSSE}" xmlns:wsu="{WSU}" xmlns:e="{soap}" e:mustUnderstand="1">'
        f'<wsse:BinarySecurityToken EncodingType="{BASE64}" ValueType="{X509V3}" wsu:Id="{prefix}-token">'
        f"{_token(certificate)}</wsse:BinarySecurityToken>"
    )
    closing = (
        "<ds:KeyInfo>"
        f'<wsse:SecurityTokenReference><wsse:Reference URI="#{prefix}-token" ValueType="{X509V3}"/>'
        "</wsse:SecurityTokenReference></ds:KeyInfo></ds:Signature></wsse:Security>"
    )
    opened = f'<ds:Signature xmlns:ds="{DS}">'
    return b"".join([opening.encode(), *made, opened.encode(), signed, closing.encode()])
