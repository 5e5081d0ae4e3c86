"""The WS-Security header of an envelope, taken apart strictly. Nothing is verified here, and nothing may be believed.

Every wrapping attack leaves the signature and moves what it signs. So what a reference means is never searched for: a
table of the places that may be signed is made first, by path,

    Envelope/Body · Envelope/Header/X · Envelope/Header/Security/{Timestamp, BinarySecurityToken, SignatureConfirmation}

and an id that none of these has, or that any second element of the whole document has too, is refused.
"""

import re
from collections import Counter
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from lxml import etree
from msgspec import Struct

from gateway.model.errors import ExchangeError
from gateway.model.errors.soap import INVALID_SOAP
from gateway.model.errors.wsse import (
    SECURITY_AMBIGUOUS,
    SECURITY_COVER_INCOMPLETE,
    SECURITY_ID_DUPLICATE,
    SECURITY_MALFORMED,
    SECURITY_MISSING,
    SECURITY_REFERENCE,
    SECURITY_TIMESTAMP,
)
from gateway.model.instant import Instant, from_datetime
from gateway.signing.wsse_names import (
    ACTED_ON,
    CONFIRMATION,
    DS,
    ID_NAMES,
    SECURITY,
    SIGNATURE,
    SOAP11,
    SOAP12,
    TIMESTAMP,
    TOKEN,
    WSU,
)
from gateway.signing.wsse_references import Reference, SignedInfo, read_signed_info, signature_value
from gateway.signing.wsse_token import Hint, Listing, read_hint, text_of
from gateway.signing.xml import Element, parse, parsed

_MAX_BLOCKS: Final = 64
_SIGNATURE_PARTS: Final = (f"{{{DS}}}SignedInfo", f"{{{DS}}}SignatureValue", f"{{{DS}}}KeyInfo")
_TIMES: Final = (f"{{{WSU}}}Created", f"{{{WSU}}}Expires")
_DATE_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z")
_VALUES: Final = etree.XPath("//@*", smart_strings=False)
_IDS: Final = etree.XPath("//@Id|//@ID|//@id|//@xml:id|//@u:Id", namespaces={"u": WSU}, smart_strings=False)


class Place(Struct, frozen=True, kw_only=True):
    """An element that may be signed. name: ``Body``, ``Timestamp``, ``BinarySecurityToken``, ``SignatureConfirmation``,
    or the ``{namespace}name`` of a header block (``is_block``).
    """

    name: str
    element: Element
    is_block: bool = False


class Covered(Struct, frozen=True, kw_only=True):
    """A place and the reference that covers it."""

    place: Place
    reference: Reference


class Security(Struct, frozen=True, kw_only=True):
    """An envelope's Security header, as claimed.

    soap: the envelope's namespace. covered: places in document order, with what signs them. attachments: references to
    MIME parts. signature, signature_text: octets and base64 of SignatureValue. confirmations: the values of its signed
    SignatureConfirmations (None: one without value).
    """

    soap: str
    signed_info: SignedInfo
    signature: bytes
    signature_text: str
    hint: Hint
    covered: tuple[Covered, ...]
    attachments: tuple[Reference, ...]
    created: Instant
    expires: Instant
    confirmations: tuple[str | None, ...]

    def keyids(self, trust: Listing) -> tuple[str, ...]:
        """Listed certificates that may have made the signature, at least one. Raises ExchangeError UNKNOWN_KEY."""
        return self.hint.keyids(trust)


def parse_security(root: bytes, tree: Element | None = None) -> Security:
    """The Security header of an envelope (SOAP 1.1 or 1.2). root: its bytes, UTF-8. tree: as ``xml.parsed`` takes it.

    Raises ExchangeError: what ``xml.parse`` raises, INVALID_SOAP, SECURITY_*.
    """
    document = parse(root) if tree is None else parsed(root, tree)
    soap, header, body = _frame(document)
    signed = read_signed(_the_security(document, header), header)
    places = _places(header, body, signed.parts)
    covered = _resolve(document, places, signed.info.references)
    attachments = _attachments(signed.info.references)
    _require_cover(places, covered)
    created, expires = read_times(signed.parts[TIMESTAMP][0])
    return Security(
        soap=soap,
        signed_info=signed.info,
        signature=signed.signature,
        signature_text=signed.signature_text,
        hint=signed.hint,
        covered=covered,
        attachments=attachments,
        created=created,
        expires=expires,
        confirmations=tuple([each.place.element.get("Value") for each in covered if _confirms(each.place)]),
    )


class Signed(Struct, frozen=True, kw_only=True):
    """What a Security header says of its signature. parts: its children by name; hint: whose it is."""

    parts: dict[str, list[Element]]
    info: SignedInfo
    signature: bytes
    signature_text: str
    hint: Hint


def read_signed(security: Element, header: Element) -> Signed:
    """The Signature of a Security header, taken apart. Raises ExchangeError SECURITY_*."""
    parts = _children(security, header)
    signature = parts[SIGNATURE][0]
    if tuple(child.tag for child in signature) != _SIGNATURE_PARTS:
        raise ExchangeError(SECURITY_MALFORMED, "Signature is not SignedInfo, SignatureValue, KeyInfo and no more")
    info, value, key_info = signature
    octets, text = signature_value(value)
    return Signed(
        parts=parts,
        info=read_signed_info(info),
        signature=octets,
        signature_text=text,
        hint=read_hint(key_info, parts[TOKEN]),
    )


def _frame(document: Element) -> tuple[str, Element, Element]:
    """Envelope, with Header and Body, and nothing else (SOAP 1.1 §4)."""
    soap = {f"{{{soap}}}Envelope": soap for soap in (SOAP11, SOAP12)}.get(str(document.tag))
    children = list(document)
    if soap is None or not children:
        raise ExchangeError(INVALID_SOAP, "the root element is no SOAP Envelope with a Body")
    if children[0].tag == f"{{{soap}}}Body":
        raise ExchangeError(SECURITY_MISSING, "the envelope has no Header")
    if tuple(child.tag for child in children) != (f"{{{soap}}}Header", f"{{{soap}}}Body"):
        raise ExchangeError(INVALID_SOAP, "the Envelope is not one Header, one Body and no more")
    header, body = children
    if len(body) > 1:
        raise ExchangeError(INVALID_SOAP, "Body has more than one child")
    if len(header) > _MAX_BLOCKS:
        raise ExchangeError(INVALID_SOAP, f"Header has more than {_MAX_BLOCKS} blocks")
    return soap, header, body


def _the_security(document: Element, header: Element) -> Element:
    found = list(document.iter(SECURITY))
    if not found:
        raise ExchangeError(SECURITY_MISSING)
    if len(found) > 1:
        raise ExchangeError(SECURITY_AMBIGUOUS, "more than one Security element in the message")
    if found[0].getparent() is not header:
        raise ExchangeError(SECURITY_MALFORMED, "Security does not stand directly in Header")
    return found[0]


def _children(security: Element, header: Element) -> dict[str, list[Element]]:
    parts: dict[str, list[Element]] = {TOKEN: [], TIMESTAMP: [], SIGNATURE: [], CONFIRMATION: []}
    for child in security:
        if child.tag not in parts:
            raise ExchangeError(SECURITY_MALFORMED, "Security holds something else than token, times and signature")
        parts[str(child.tag)].append(child)
    for tag, name in ((SIGNATURE, "Signature"), (TIMESTAMP, "Timestamp")):
        if not parts[tag]:
            raise ExchangeError(SECURITY_MISSING, f"Security has no {name}")
        if len(parts[tag]) > 1:
            raise ExchangeError(SECURITY_AMBIGUOUS, f"more than one {name}")
    if sum(1 for _ in header.iter(SIGNATURE)) > 1:
        raise ExchangeError(SECURITY_AMBIGUOUS, "more than one Signature in Header")
    return parts


def _places(header: Element, body: Element, parts: dict[str, list[Element]]) -> tuple[Place, ...]:
    blocks = [Place(name=str(block.tag), element=block, is_block=True) for block in header if block.tag != SECURITY]
    return (
        *blocks,
        Place(name="Body", element=body),
        Place(name="Timestamp", element=parts[TIMESTAMP][0]),
        *[Place(name="BinarySecurityToken", element=token) for token in parts[TOKEN]],
        *[Place(name="SignatureConfirmation", element=each) for each in parts[CONFIRMATION]],
    )


def _resolve(document: Element, places: tuple[Place, ...], references: tuple[Reference, ...]) -> tuple[Covered, ...]:
    by_id: dict[str, int] = {}
    for index, place in enumerate(places):
        for name, value in place.element.items():
            if name in ID_NAMES:
                by_id[str(value)] = index
    wanted = {reference.id for reference in references}
    values: Any = _VALUES(document)  # of any attribute, which is the cheaper question and the wider one
    values = [value for value in values if value in wanted]
    occurrences = occurrences_of_ids(document) if len(values) > len(set(values)) else None
    found: dict[int, Reference] = {}
    for reference in references:
        if reference.id is None:
            continue
        if occurrences is not None and occurrences[reference.id] > 1:
            raise ExchangeError(SECURITY_ID_DUPLICATE)
        at = by_id.get(reference.id)
        if at is None:
            raise ExchangeError(SECURITY_REFERENCE, "an id is not that of Body, a header block or part of Security")
        if at in found:
            raise ExchangeError(SECURITY_REFERENCE, "two references to one element")
        found[at] = reference
    return tuple([Covered(place=places[at], reference=found[at]) for at in sorted(found)])


def occurrences_of_ids(document: Element) -> Counter[str]:
    """How often each value stands in a document as what anybody might take for an id."""
    found: Any = _IDS(document)
    return Counter([identifier.strip() for identifier in found])


def _attachments(references: tuple[Reference, ...]) -> tuple[Reference, ...]:
    found = tuple([reference for reference in references if reference.id is None])
    if len({reference.attachment for reference in found}) != len(found):
        raise ExchangeError(SECURITY_REFERENCE, "two references to one attachment")
    return found


def _require_cover(places: tuple[Place, ...], covered: tuple[Covered, ...]) -> None:
    signed = {id(each.place) for each in covered}
    missing = tuple([place.name for place in places if _must(place) and id(place) not in signed])
    if missing:
        raise ExchangeError(SECURITY_COVER_INCOMPLETE, f"not covered: {', '.join(missing)}", parts=missing)


def _must(place: Place) -> bool:
    if place.is_block:
        return place.name.rpartition("}")[0][1:] in ACTED_ON
    return place.name != "BinarySecurityToken"


def _confirms(place: Place) -> bool:
    return not place.is_block and place.name == "SignatureConfirmation"


def read_times(timestamp: Element) -> tuple[Instant, Instant]:
    """Created and Expires. Raises ExchangeError SECURITY_TIMESTAMP."""
    if tuple(child.tag for child in timestamp) != _TIMES:
        raise ExchangeError(SECURITY_TIMESTAMP, "Timestamp is not Created and Expires and no more")
    created, expires = timestamp
    return _instant(text_of(created)), _instant(text_of(expires))


def _instant(text: str) -> Instant:
    """An xs:dateTime in UTC (WS-Security 1.1 §10: times shall be in UTC; WS-I Basic Security Profile 1.1, R3217)."""
    match = _DATE_TIME.fullmatch(text.strip())
    second = _second(match[1]) if match and match[0].isascii() else None
    if match is None or second is None:
        raise ExchangeError(SECURITY_TIMESTAMP, "a time is not written as 2026-11-22T02:51:00.123Z")
    return Instant(second + int((match[2] or "").ljust(6, "0")[:6]))


@lru_cache(maxsize=1024)  # five minutes and more of them: many messages come within one second
def _second(text: str) -> Instant | None:
    try:
        return from_datetime(datetime.fromisoformat(text).replace(tzinfo=UTC))
    except ValueError:
        return None
