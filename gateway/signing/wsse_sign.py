"""WS-Security signatures on SOAP envelopes, made: of any envelope, which is read for it.

``wsse_written`` signs those of our own without reading them; the header of both is ``wsse_template``'s.
"""

import re
from typing import Final

from lxml import etree

from gateway.model.errors import ExchangeError
from gateway.model.errors.soap import INVALID_SOAP
from gateway.model.errors.wsse import SECURITY_AMBIGUOUS
from gateway.model.instant import Instant
from gateway.model.message import Part
from gateway.ports import Signer
from gateway.signing.http_sig import MAX_LIFETIME
from gateway.signing.wsse_names import SECURITY, SOAP11, SOAP12, WSU, WSU_ID
from gateway.signing.wsse_parse import occurrences_of_ids
from gateway.signing.wsse_template import (
    SignedEnvelope,
    Terms,
    inclusive_of,
    prefix_of,
    reference,
    security_header,
)
from gateway.signing.xml import Element, canonical, parse, written

__all__ = ["SignedEnvelope", "sign_envelope"]

_PLACE: Final = "security-stands-here"
_PLACE_BYTES: Final = f"<{_PLACE}/>".encode()
_DECLARED: Final = re.compile(rb"xmlns:([A-Za-z_][A-Za-z0-9_.\-]*)\s*=")
_USED: Final = re.compile(rb"(?:=\s*[\"']|>)\s*([A-Za-z_][A-Za-z0-9_.\-]{0,63}):")
_ID: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]{0,255}")
_MAX_INCLUSIVE: Final = 64

etree.register_namespace("wsu", WSU)  # how lxml writes the ids that it is told to add


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

    lifetime, confirms, attachments: as of ``Terms``. nonce: random bytes that make two signatures of the same envelope
    in the same millisecond differ (a request is taken once). An element's own wsu:Id stays; others get one.

    Raises ValueError for a lifetime out of range; ExchangeError for a key that XML Signature has no method for, for an
    envelope that has a Security header already (SECURITY_AMBIGUOUS) and for one that is none (INVALID_SOAP, XML_*).
    """
    terms = Terms(key=key, now=now, lifetime=lifetime, confirms=confirms, attachments=attachments)
    return sign_read(envelope, terms, nonce)


def sign_read(envelope: bytes, terms: Terms, nonce: bytes = b"") -> SignedEnvelope:
    """As ``sign_envelope``."""
    root = parse(envelope)
    soap, header, body = _frame(root)
    prefix, prefixes, elements = prefix_of(envelope + nonce), _inclusive(envelope), [*header, body]
    listed = inclusive_of(prefixes)
    references = [
        reference(identifier, canonical(element, prefixes), listed)
        for identifier, element in zip(_identified(root, elements, prefix), elements, strict=True)
    ]
    made = security_header(soap, prefix, references, terms)
    header.insert(0, etree.Element(_PLACE))
    # Header is the first thing in the envelope that holds an element: before it there are only start tags.
    before, _, after = written(root).partition(_PLACE_BYTES)
    return SignedEnvelope(envelope=before + made.octets + after, base=made.base, signature=made.signature)


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
    used = declared.intersection(_USED.findall(envelope))
    return tuple(sorted([prefix.decode() for prefix in used])[:_MAX_INCLUSIVE])
