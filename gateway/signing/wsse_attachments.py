"""Attachments under a WS-Security signature: MIME parts that it covers by ``cid:``, and XOP content in its place.

A part's digest is over its content as it lies in the message (Attachment-Content, WS-Security SwA Profile 1.1 §5.4):
whoever attaches text or XML sends it in the form that was digested. XOP content is what its base64 in place would be
(XOP §2): it is put there, canonical, before the signature is looked at.
"""

import base64
import hmac
from typing import Final
from urllib.parse import unquote

from lxml import etree

from gateway.model.errors import ExchangeError
from gateway.model.errors.soap import ROOT_TOO_LARGE
from gateway.model.errors.wsse import (
    ATTACHMENT_MISMATCH,
    ATTACHMENT_MISSING,
    ATTACHMENT_UNCOVERED,
    SECURITY_REFERENCE,
    XOP_UNSIGNABLE,
)
from gateway.model.message import Part
from gateway.signing.wsse_names import DS, XOP
from gateway.signing.xml import MAX_SIZE, Element, parse, written

_INCLUDE: Final = f"{{{XOP}}}Include"
_CITED: Final = etree.XPath("//ds:Reference/@URI[starts-with(., 'cid:')]", namespaces={"ds": DS}, smart_strings=False)


def content_id_of(part: Part) -> str | None:
    """A part's Content-ID without angle brackets (RFC 2392 §2); None where it has none, or more than one."""
    values = [value.strip() for name, value in part.fields if name.lower() == "content-id"]
    if len(values) != 1:
        return None
    return values[0].removeprefix("<").removesuffix(">") or None


_AS_IT_IS: Final = frozenset({"7bit", "8bit", "binary"})


def check_encodings(attachments: tuple[Part, ...]) -> None:
    """Return if the content of these is what lies in the message: a part's header is not signed, and whoever altered it
    to another Content-Transfer-Encoding would alter what the content means. Raises ExchangeError ATTACHMENT_MISMATCH.
    """
    for part in attachments:
        said = [value.strip().lower() for name, value in part.fields if name.lower() == "content-transfer-encoding"]
        if not _AS_IT_IS.issuperset(said):
            detail = "a signed part has a Content-Transfer-Encoding other than 7bit, 8bit or binary"
            raise ExchangeError(ATTACHMENT_MISMATCH, detail)


def compare_attachments(covered: tuple[tuple[str, bytes], ...], attachments: tuple[Part, ...]) -> None:
    """Return if these are exactly the attachments that are covered. covered: Content-ID, SHA-256.

    Raises ExchangeError ATTACHMENT_UNCOVERED, ATTACHMENT_MISSING, ATTACHMENT_MISMATCH.
    """
    expected = dict(covered)
    for part in attachments:
        name = content_id_of(part)
        digest = expected.pop(name, None) if name is not None else None
        if digest is None:
            raise ExchangeError(ATTACHMENT_UNCOVERED, "a part that the signature does not cover")
        if not hmac.compare_digest(digest, part.sha256):
            raise ExchangeError(ATTACHMENT_MISMATCH, "a part's SHA-256 is not the signed one")
    if expected:
        raise ExchangeError(ATTACHMENT_MISSING, f"{len(expected)} signed attachments did not arrive")


def inline_xop(root: bytes, parts: tuple[Part, ...]) -> tuple[bytes, tuple[Part, ...]]:
    """An envelope with its XOP content in place, and the attachments that remain: those the signature refers to by
    ``cid:``, which stay where they are, and those nothing includes.

    root: the envelope's bytes. parts: of the message, the envelope's first. An envelope without any xop:Include comes
    back as it was. Raises ExchangeError XOP_UNSIGNABLE (content that is not in memory, or a broken Include),
    ROOT_TOO_LARGE, and what ``xml.parse`` raises.
    """
    rest = parts[1:]
    if not rest or b"Include" not in root:
        return root, rest
    document = parse(root)
    includes = list(document.iter(_INCLUDE))
    if not includes:
        return root, rest
    cited = {unquote(str(uri)[len("cid:") :]) for uri in _texts(document)}
    by_name = {content_id_of(part): part for part in rest}
    size, used = len(root), set()
    for include in includes:
        name = _included(include)
        if name in cited:
            continue
        data = _content(by_name.get(name))
        size += len(data) * 4 // 3
        if size > MAX_SIZE:
            raise ExchangeError(ROOT_TOO_LARGE, f"with its XOP content in place an envelope may have {MAX_SIZE} bytes")
        _put(include, data)
        used.add(name)
    return written(document), tuple([part for part in rest if content_id_of(part) not in used])


def _texts(document: Element) -> list[str]:
    found = _CITED(document)
    assert isinstance(found, list)
    return [str(text) for text in found]


def _included(include: Element) -> str:
    href = include.get("href") or ""
    parent = include.getparent()
    alone = parent is not None and len(parent) == 1 and not (parent.text or "").strip()
    if not href.startswith("cid:") or not alone or len(include) or (include.tail or "").strip():
        raise ExchangeError(XOP_UNSIGNABLE, "an xop:Include does not stand alone, or has no cid: reference")
    return unquote(href[len("cid:") :])


def _content(part: Part | None) -> bytes:
    if part is None:
        raise ExchangeError(XOP_UNSIGNABLE, "an xop:Include names no part of the message")
    if part.data is None:
        raise ExchangeError(XOP_UNSIGNABLE, "XOP content is too large to be held in memory")
    return part.data


def _put(include: Element, data: bytes) -> None:
    parent = include.getparent()
    assert parent is not None
    parent.remove(include)
    parent.text = base64.b64encode(data).decode()


def cover_of(part: Part) -> str:
    """The Content-ID under which a part can be signed. Raises ExchangeError SECURITY_REFERENCE if it has none."""
    name = content_id_of(part)
    if name is None:
        raise ExchangeError(SECURITY_REFERENCE, "an attachment without Content-ID cannot be signed")
    return name
