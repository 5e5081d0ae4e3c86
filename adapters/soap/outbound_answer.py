"""A SOAP provider's answer, opened: the element in Body, or its fault, with the parts that came beside it.

Nothing is believed of what is declared: the charset is that of the bytes, multipart is taken apart strictly, and where
the provider signs, only what its signature proves is read.
"""

from collections.abc import Callable

from lxml import etree
from msgspec import Struct

from adapters.soap.reading import SOAP11, SOAP12
from adapters.soap.translate_shapes import XSI
from adapters.soap.xml import Decode, Element, UnreadableXmlError, local_name, parse
from gateway.model.errors import ExchangeError
from gateway.model.message import Body, Part
from gateway.validation.mime import RELATED, Splitter, parse_media_type

ENVELOPE_LIMIT = 2 * 1024 * 1024
"""Bytes of an envelope; attachments may be larger."""
_XML = frozenset({"text/xml", "application/soap+xml", "application/xml", "application/xop+xml"})
_LOCATIONS = (f"{{{XSI}}}schemaLocation", f"{{{XSI}}}noNamespaceSchemaLocation")
_LONGEST_CODE = 64

Prove = Callable[[bytes, tuple[Part, ...]], bytes]
"""What the provider's signature proves of an envelope and the parts beside it. Raises ExchangeError."""


class UnreadableAnswerError(ValueError):
    """No SOAP envelope, or not one that may be believed. Names the rule, nothing of the content."""


class Fault(Struct, frozen=True, kw_only=True):
    """A SOAP fault. codes: local parts, the broadest first. blamed: whether it says that the request is wrong."""

    codes: tuple[str, ...]
    blamed: bool
    element: Element


class Opened(Struct, frozen=True, kw_only=True):
    """An answer. root_sha256: of the envelope as it came, hex. content: the element in Body; None for an empty one."""

    root_sha256: str
    content: Element | Fault | None
    attached: bool


async def root_of(content_type: str, body: Body) -> bytes:
    """The envelope's bytes. ``body.parts`` is filled where it is multipart. Raises UnreadableAnswerError."""
    try:
        media = parse_media_type(content_type).media
    except ValueError as error:
        raise UnreadableAnswerError(str(error)) from None
    if media == RELATED:
        body.parts = await _parts(content_type, body)
        root = body.parts[0].data
    elif media in _XML:
        root = await _whole(body)
    else:
        raise UnreadableAnswerError("the answer is no XML")
    assert root is not None  # the first part is always kept
    return root


def open_answer(root: bytes, body: Body, decoders: tuple[Decode, ...], prove: Prove | None) -> Opened:
    """Read an answer. root: its envelope, out of ``body``. Raises UnreadableAnswerError."""
    sha256 = body.parts[0].sha256.hex() if body.parts else body.sha256.hex()
    attached = len(body.parts) > 1
    if prove is not None:
        try:
            root = prove(root, body.parts[1:])
        except ExchangeError as error:
            raise UnreadableAnswerError(f"the provider's signature: {error.kind.code}") from error
    return Opened(root_sha256=sha256, content=_content(root, decoders), attached=attached)


async def _parts(content_type: str, body: Body) -> tuple[Part, ...]:
    try:
        splitter = Splitter(content_type, root_limit=ENVELOPE_LIMIT)
        if body.data is not None:
            splitter.feed(body.data)
        else:
            assert body.spool is not None
            async for chunk in body.spool.chunks():
                splitter.feed(chunk)
        return splitter.finish()
    except ExchangeError as error:
        raise UnreadableAnswerError(error.detail) from None


async def _whole(body: Body) -> bytes:
    if body.size > ENVELOPE_LIMIT:
        raise UnreadableAnswerError("the envelope is larger than allowed")
    if body.data is not None:
        return body.data
    assert body.spool is not None
    return b"".join([chunk async for chunk in body.spool.chunks()])


def _content(root: bytes, decoders: tuple[Decode, ...]) -> Element | Fault | None:
    try:
        document = parse(root, decoders, max_size=ENVELOPE_LIMIT)
    except UnreadableXmlError as error:
        raise UnreadableAnswerError(str(error)) from None
    soap = document.tag.partition("}")[0][1:]
    if soap not in {SOAP11, SOAP12} or local_name(document) != "Envelope":
        raise UnreadableAnswerError("the document is no SOAP envelope")
    bodies = document.findall(f"{{{soap}}}Body")
    if len(bodies) != 1 or len(bodies[0]) > 1:
        raise UnreadableAnswerError("the envelope has not exactly one Body with at most one element")
    if not len(bodies[0]):
        return None
    element = bodies[0][0]
    if element.tag == f"{{{soap}}}Fault":
        return _fault(element, soap)
    return _without_locations(element) if b"chemaLocation" in root or b"\0" in root else element


def _fault(element: Element, soap: str) -> Fault:
    """Its codes: SOAP 1.1 §4.4.1 (faultcode, dots narrow), SOAP 1.2 §5.4.6 (Value and Subcode)."""
    if soap == SOAP11:
        codes = [element.findtext("faultcode") or ""]
    else:
        codes = [each.text or "" for each in element.iter(f"{{{soap}}}Value")]
    plain = tuple(code.strip().rpartition(":")[2][:_LONGEST_CODE] for code in codes)
    first = plain[0].partition(".")[0] if plain else ""
    blamed = first.lower() in {"client", "sender"} or first in {"VersionMismatch", "MustUnderstand"}
    return Fault(codes=plain, blamed=blamed, element=element)


def _without_locations(element: Element) -> Element:
    """Where its schemas lie is nobody's business here, and refused by those who read strictly."""
    for each in element.iter():
        if each.attrib:
            for name in _LOCATIONS:
                if name in each.attrib:
                    del each.attrib[name]
    return element


def alone(element: Element) -> bytes:
    """An element by itself, with every namespace that it stood under: values may use their prefixes."""
    octets: bytes = etree.tostring(element, method="c14n", with_comments=False)
    return octets
