"""ds:SignedInfo (XML Signature 1.1 §4.4), read strictly: what stands nowhere in the allow-lists is refused by name.

Most signatures have one layout, so that its canonical bytes, which are needed anyhow, can be read by two patterns in a
third of the time; whatever differs from it in anything goes the long way, which alone decides what is wrong.
"""

import binascii
import re
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

from msgspec import Struct

from gateway.model.errors import ExchangeError
from gateway.model.errors.wsse import (
    SECURITY_ALGORITHM,
    SECURITY_MALFORMED,
    SECURITY_REFERENCE,
    SECURITY_TRANSFORM,
)
from gateway.signing.wsse_names import DIGESTS, DS, EXCLUSIVE, SHA256, SIGNATURES, SWA_CONTENT
from gateway.signing.wsse_token import base64_of, text_of
from gateway.signing.xml import Element, canonical

MAX_REFERENCES: Final = 64

_INCLUSIVE: Final = f"{{{EXCLUSIVE}}}InclusiveNamespaces"
_METHODS: Final = (f"{{{DS}}}CanonicalizationMethod", f"{{{DS}}}SignatureMethod")
_REFERENCE: Final = f"{{{DS}}}Reference"
_PARTS: Final = [f"{{{DS}}}Transforms", f"{{{DS}}}DigestMethod", f"{{{DS}}}DigestValue"]
_TRANSFORM: Final = f"{{{DS}}}Transform"
_ID: Final = re.compile(r"#([A-Za-z_][A-Za-z0-9_.\-]{0,255})")
_PREFIX: Final = re.compile(r"#default|[A-Za-z_][A-Za-z0-9_.\-]{0,63}")
_MAX_PREFIXES: Final = 64
_MAX_CID: Final = 512
_MAX_VALUE: Final = 4096
_CID: Final = "cid:"


class Reference(Struct, frozen=True, kw_only=True):
    """One thing that is signed. id: of an element; None: an attachment, whose Content-ID (without angle brackets) is
    ``attachment``. prefixes: of its canonical form. method: of its digest (a URI).
    """

    id: str | None = None
    attachment: str | None = None
    prefixes: tuple[str, ...] = ()
    method: str
    digest: bytes


class SignedInfo(Struct, frozen=True, kw_only=True):
    """What a signature states. method: of the signature (a URI). prefixes: of its own canonical form, which is
    ``base``: the bytes that are signed.
    """

    element: Element
    base: bytes
    method: str
    prefixes: tuple[str, ...]
    references: tuple[Reference, ...]


def read_signed_info(element: Element) -> SignedInfo:
    """Raises ExchangeError SECURITY_MALFORMED, SECURITY_ALGORITHM, SECURITY_TRANSFORM, SECURITY_REFERENCE; INVALID_XML
    where it has no canonical form.
    """
    return (usual_layout(element) if element.prefix in _USUAL else None) or any_layout(element)


class _Layout(Struct, frozen=True):
    head: re.Pattern[bytes]
    reference: re.Pattern[bytes]
    tail: bytes


_USUAL: Final = frozenset({None, "ds", "dsig", "sig"})
"""Prefixes of XML Signature for which patterns are made; a stranger's own would cost as much as a signature does."""


@lru_cache(maxsize=len(_USUAL))
def _layout(prefix: str | None) -> _Layout:
    """The usual canonical SignedInfo under a prefix: no PrefixList, no white space, elements only as references."""
    p, declared = ("", "xmlns") if prefix is None else (f"{re.escape(prefix)}:", f"xmlns:{re.escape(prefix)}")
    identifier, algorithm = r'(?: Id="[^"<>&]*")?', r'Algorithm="([^"<>&]*)"'
    exclusive = f'Algorithm="{re.escape(EXCLUSIVE)}"'
    head = (
        f'<{p}SignedInfo {declared}="{re.escape(DS)}"{identifier}>'
        f"<{p}CanonicalizationMethod {exclusive}></{p}CanonicalizationMethod>"
        f"<{p}SignatureMethod {algorithm}></{p}SignatureMethod>"
    )
    reference = (
        f'<{p}Reference{identifier} URI="{_ID.pattern}">'
        f"<{p}Transforms><{p}Transform {exclusive}></{p}Transform></{p}Transforms>"
        f"<{p}DigestMethod {algorithm}></{p}DigestMethod>"
        f"<{p}DigestValue>([A-Za-z0-9+/]{{43,86}}={{0,2}})</{p}DigestValue></{p}Reference>"
    )
    end = "" if prefix is None else f"{prefix}:"
    return _Layout(re.compile(head.encode()), re.compile(reference.encode()), f"</{end}SignedInfo>".encode())


def usual_layout(element: Element) -> SignedInfo | None:
    """SignedInfo if it is laid out as usual and acceptable; None if it is anything else. Raises ExchangeError
    INVALID_XML.
    """
    base, layout = canonical(element), _layout(element.prefix)
    found = layout.head.match(base)
    signature = found[1].decode() if found else ""
    if found is None or signature not in SIGNATURES:
        return None
    references, at, following = [], found.end(), layout.reference.match
    while (match := following(base, at)) is not None:
        identifier, digest_method, value = match.groups()
        method = digest_method.decode()
        if method not in DIGESTS:
            return None
        try:
            digest = binascii.a2b_base64(value, strict_mode=True)
        except binascii.Error:
            return None
        references.append(Reference(id=identifier.decode(), method=method, digest=digest))
        at = match.end()
    if base[at:] != layout.tail or not 0 < len(references) <= MAX_REFERENCES:
        return None
    return SignedInfo(element=element, base=base, method=signature, prefixes=(), references=tuple(references))


def any_layout(element: Element) -> SignedInfo:
    """SignedInfo however it is laid out. Raises as read_signed_info does."""
    children = list(element)
    if tuple(child.tag for child in children[:2]) != _METHODS:
        raise ExchangeError(SECURITY_MALFORMED, "SignedInfo does not begin with its two methods")
    canonicalization, method, *references = children
    if canonicalization.get("Algorithm") != EXCLUSIVE:
        raise ExchangeError(SECURITY_ALGORITHM, "the canonicalisation is not the exclusive one without comments")
    signature = method.get("Algorithm") or ""
    if signature not in SIGNATURES:
        raise ExchangeError(SECURITY_ALGORITHM, "the signature method is not accepted")
    if len(method):  # HMACOutputLength, RSA-PSS parameters …
        raise ExchangeError(SECURITY_MALFORMED, "SignatureMethod has parameters")
    if not 0 < len(references) <= MAX_REFERENCES:
        raise ExchangeError(SECURITY_REFERENCE, f"a signature has 1 to {MAX_REFERENCES} references")
    prefixes = _prefixes(canonicalization)
    return SignedInfo(
        element=element,
        base=canonical(element, prefixes),
        method=signature,
        prefixes=prefixes,
        references=tuple([_reference(reference) for reference in references]),
    )


def _reference(element: Element) -> Reference:
    children = list(element)
    if element.tag != _REFERENCE or [child.tag for child in children] != _PARTS:
        raise ExchangeError(SECURITY_MALFORMED, "a Reference is not Transforms, DigestMethod, DigestValue")
    if element.get("Type") is not None:  # Manifest, Object …: no meaning here, and none to be given to it
        raise ExchangeError(SECURITY_REFERENCE, "a Reference has a Type")
    transforms, digest_method, value = children
    method = digest_method.get("Algorithm") or ""
    if method not in DIGESTS or len(digest_method):
        raise ExchangeError(SECURITY_ALGORITHM, "the digest method is not accepted")
    listed = list(transforms)
    if len(listed) != 1 or listed[0].tag != _TRANSFORM:
        raise ExchangeError(SECURITY_TRANSFORM, "a Reference has not exactly one transform")
    transform, uri, digest = listed[0], element.get("URI"), base64_of(value, _MAX_VALUE)
    algorithm = transform.get("Algorithm")
    if uri is not None and uri.startswith(_CID):
        return _attachment(uri, algorithm, transform, method, digest)
    if algorithm != EXCLUSIVE:
        raise ExchangeError(SECURITY_TRANSFORM, "the transform of an element is not exclusive canonicalisation")
    match = _ID.fullmatch(uri or "")
    if match is None:
        raise ExchangeError(SECURITY_REFERENCE, "a Reference is empty, external or no plain #id")
    return Reference(id=match[1], prefixes=_prefixes(transform), method=method, digest=digest)


def _attachment(uri: str, algorithm: str | None, transform: Element, method: str, digest: bytes) -> Reference:
    """WS-Security SwA Profile 1.1 §5.4; the Content-ID of a ``cid:`` URI is percent-encoded (RFC 2392 §2)."""
    if algorithm != SWA_CONTENT or len(transform):
        raise ExchangeError(SECURITY_TRANSFORM, "the transform of an attachment is not Attachment-Content-Signature")
    if method != SHA256:
        raise ExchangeError(SECURITY_ALGORITHM, "attachments are digested with SHA-256")
    try:
        name = unquote(uri[len(_CID) :], errors="strict")
    except UnicodeDecodeError:
        name = ""
    if not 0 < len(name) <= _MAX_CID:
        raise ExchangeError(SECURITY_REFERENCE, "a cid: reference names no attachment")
    return Reference(attachment=name, method=method, digest=digest)


def _prefixes(method: Element) -> tuple[str, ...]:
    """The PrefixList of an exclusive canonicalisation (Exclusive XML Canonicalization §3)."""
    if len(method) == 0:
        return ()
    inclusive = method[0]
    if len(method) != 1 or inclusive.tag != _INCLUSIVE or len(inclusive):
        raise ExchangeError(SECURITY_TRANSFORM, "a canonicalisation has other parameters than InclusiveNamespaces")
    listed = tuple((inclusive.get("PrefixList") or "").split())
    if len(listed) > _MAX_PREFIXES or not all(_PREFIX.fullmatch(prefix) for prefix in listed):
        raise ExchangeError(SECURITY_TRANSFORM, "a PrefixList is too long or holds no prefixes")
    return listed


def signature_value(element: Element) -> tuple[bytes, str]:
    """The octets of ds:SignatureValue, and its text without white space. Raises ExchangeError SECURITY_MALFORMED."""
    return base64_of(element, _MAX_VALUE), "".join(text_of(element).split())
