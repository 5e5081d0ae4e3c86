"""SOAP messages with attachments (SwA; MTOM/XOP) in the sidecar: taken apart, made fit to be signed, written again.

Held in memory whole, so the sidecar's limit bounds them. What WS-Security cannot cover as it stands is changed first:
an attachment without Content-ID is given one, base64 of mail's kind is decoded, small XOP content is put in its place.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable
from typing import Final

from msgspec import Struct, structs

from gateway.model.errors import ExchangeError
from gateway.model.errors.request import UNSUPPORTED_MEDIA_TYPE
from gateway.model.errors.soap import MIME_BROKEN
from gateway.model.message import Fields, Part
from gateway.signing.wsse_attachments import content_id_of, inline_xop
from gateway.signing.wsse_names import XOP

Split = Callable[[str, bytes], tuple[Part, ...]]
"""Content-Type and body of a multipart/related message → its parts, each with its content. Raises ExchangeError."""

SOAP11_MEDIA: Final = "text/xml"
SOAP12_MEDIA: Final = "application/soap+xml"
SMALL: Final = 512 * 1024
"""Bytes of attachments that are put in an envelope in place of XOP includes, together: gateways take envelopes of 1 MiB
and hold against its schema what is in the envelope."""

_XOP_MEDIA: Final = "application/xop+xml"
_RELATED: Final = "multipart/related"
_PARAMETER: Final = r';\s*{}\s*=\s*"?([^";]+)'
_CHARSET: Final = re.compile(_PARAMETER.format("charset"), re.IGNORECASE)
_TYPE: Final = re.compile(_PARAMETER.format("type"), re.IGNORECASE)
_CHARSETS: Final = frozenset({"utf-8", "utf8", "us-ascii"})
_INCLUDE: Final = f'="{XOP}"'.encode()
_ENCODING: Final = "content-transfer-encoding"
_CRLF: Final = b"\r\n"


class Package(Struct, frozen=True, kw_only=True):
    """A SOAP message. media: of its envelope without XOP, ``text/xml`` or ``application/soap+xml``. xop: it was written
    as XOP. attachments: the parts after the envelope, with their content.
    """

    media: str
    envelope: bytes
    attachments: tuple[Part, ...] = ()
    xop: bool = False


def opened(content_type: str | None, data: bytes, split: Split | None) -> Package:
    """Take a message apart. split: None where attachments are not taken.

    Raises ExchangeError UNSUPPORTED_MEDIA_TYPE, MIME_BROKEN, ROOT_TOO_LARGE.
    """
    given = content_type or ""
    if media_of(given) != _RELATED:
        media, _ = _envelope_type(given)
        return Package(media=media, envelope=data)
    if split is None:
        raise ExchangeError(UNSUPPORTED_MEDIA_TYPE, "attachments are not taken here")
    root, *attachments = split(given, data)
    own = next((value for name, value in root.fields if name.lower() == "content-type"), "")
    media, xop = _envelope_type(own)
    return Package(media=media, envelope=root.data or b"", attachments=tuple(attachments), xop=xop)


def signable(package: Package, new_id: Callable[[], str]) -> Package:
    """The same message in a form that a signature can cover. new_id: a Content-ID that nobody has.

    Raises ExchangeError MIME_BROKEN, XOP_UNSIGNABLE, ROOT_TOO_LARGE.
    """
    named = tuple([_named(_decoded(part), new_id) for part in package.attachments])
    return inlined(structs.replace(package, attachments=named))


def inlined(package: Package) -> Package:
    """The same message with its XOP content in place, if there is little. Raises ExchangeError as ``signable``."""
    if sum(part.size for part in package.attachments) > SMALL:
        return package
    first = Part(fields=(), offset=0, size=len(package.envelope), sha256=b"")
    envelope, rest = inline_xop(package.envelope, (first, *package.attachments))
    return structs.replace(package, envelope=envelope, attachments=rest, xop=False)


def written(package: Package, boundary: str) -> tuple[str, bytes]:
    """Content-Type and body of a message. boundary: one that stands in no part."""
    if not package.attachments:
        return f"{package.media}; charset=utf-8", package.envelope
    start, media, more = f"<root@{boundary}>", package.media, ""
    own = f"{media}; charset=utf-8"
    if package.xop:
        own = f'{_XOP_MEDIA}; charset=utf-8; type="{media}"'
        media, more = _XOP_MEDIA, f'; start-info="{media}"'
    fields: Fields = (("Content-Type", own), ("Content-Transfer-Encoding", "binary"), ("Content-ID", start))
    mark = b"--" + boundary.encode()
    pieces = [mark, _CRLF, _header(fields), package.envelope]
    for part in package.attachments:
        pieces += [_CRLF, mark, _CRLF, _header(part.fields), part.data or b""]
    pieces += [_CRLF, mark, b"--", _CRLF]
    return f'{_RELATED}; type="{media}"; start="{start}"{more}; boundary="{boundary}"', b"".join(pieces)


def has_xop(envelope: bytes) -> bool:
    """Whether a canonical envelope names XOP's namespace."""
    return _INCLUDE in envelope


def media_of(content_type: str | None) -> str:
    """A Content-Type's media type, in lower case."""
    return (content_type or "").partition(";")[0].strip().lower()


def _envelope_type(content_type: str) -> tuple[str, bool]:
    """The media type of an envelope, and whether it is written as XOP."""
    media, xop = media_of(content_type), False
    if media == _XOP_MEDIA:
        found = _TYPE.search(content_type)
        media, xop = media_of(found[1] if found else SOAP11_MEDIA), True
    charset = _CHARSET.search(content_type)
    if media not in {SOAP11_MEDIA, SOAP12_MEDIA}:
        detail = "an envelope is text/xml or application/soap+xml, with attachments multipart/related"
        raise ExchangeError(UNSUPPORTED_MEDIA_TYPE, detail)
    if charset is not None and charset[1].strip().lower() not in _CHARSETS:
        raise ExchangeError(UNSUPPORTED_MEDIA_TYPE, "the sidecar takes envelopes in UTF-8")
    return media, xop


def _decoded(part: Part) -> Part:
    """A part as it is behind Content-Transfer-Encoding base64 (RFC 2045 §6.8): signatures cover the content."""
    encodings = [value.lower() for name, value in part.fields if name.lower() == _ENCODING]
    if encodings != ["base64"]:
        return part
    try:
        data = base64.b64decode(b"".join((part.data or b"").split()), validate=True)
    except binascii.Error:
        raise ExchangeError(MIME_BROKEN, "an attachment is not the base64 that it says it is") from None
    fields = tuple((name, "binary" if name.lower() == _ENCODING else value) for name, value in part.fields)
    digest = hashlib.sha256(data).digest()
    return Part(fields=fields, offset=part.offset, size=len(data), sha256=digest, data=data)


def _named(part: Part, new_id: Callable[[], str]) -> Part:
    if content_id_of(part) is not None:
        return part
    fields = tuple(field for field in part.fields if field[0].lower() != "content-id")
    return structs.replace(part, fields=(*fields, ("Content-ID", f"<{new_id()}>")))


def _header(fields: Fields) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields)
    return lines.encode("latin-1") + _CRLF
