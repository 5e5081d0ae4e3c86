"""SOAP messages of strangers, read safely: charset, limits, and the two children that matter (SOAP 1.1 §4, 1.2 §5).

Nothing is fetched and nothing expanded: DOCTYPE, processing instructions (SOAP 1.1 §3), XInclude and schemaLocation are
refused. What makes libxml2 slow or large is bounded before it is asked: it sorts an element's attributes and looks
through its namespaces one by one, and it remembers every name that it ever saw, for as long as the thread lives.
"""

import codecs
import re
from functools import cached_property

from lxml import etree
from msgspec import Struct

from adapters.soap.vocabulary import SUSPECT, Looked, Vocabulary
from adapters.soap.xml import Element, new_parser
from gateway.model.errors import ErrorKind, ExchangeError
from gateway.model.errors.soap import INVALID_SOAP, INVALID_XML
from gateway.model.message import Body

SOAP11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP12 = "http://www.w3.org/2003/05/soap-envelope"

_DECLARATION = re.compile(
    r"<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*[\"']1\.0[\"']"
    r"(?:[ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*[\"']([A-Za-z][A-Za-z0-9._-]*)[\"'])?"
    r"(?:[ \t\r\n]+standalone[ \t\r\n]*=[ \t\r\n]*[\"'](?:yes|no)[\"'])?[ \t\r\n]*\?>"
)
_LONGEST_DECLARATION = 256
_MOST_ATTRIBUTES = 128
_CHARSETS = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "ascii": "ascii",
    "us-ascii": "ascii",
    "utf-16": "utf-16",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
    "windows-1258": "cp1258",
    "cp1258": "cp1258",
    "windows-1252": "cp1252",
    "cp1252": "cp1252",
    "iso-8859-1": "iso8859-1",
    "iso8859-1": "iso8859-1",
    "latin1": "iso8859-1",
}
"""Names that are taken → Python's. Python itself is not asked: it keeps every name that it was ever asked for."""
_UTF16 = frozenset({"utf-16", "utf-16-le", "utf-16-be"})
_FORBIDDEN = re.compile(rb"<!(?:DOCTYPE|ENTITY)")
_CROWDED = etree.XPath(f"boolean(//*[count(@*) > {_MOST_ATTRIBUTES}])")
_LOCATED = etree.XPath(
    "boolean(//@xsi:schemaLocation | //@xsi:noNamespaceSchemaLocation)",
    namespaces={"xsi": "http://www.w3.org/2001/XMLSchema-instance"},
)
_XINCLUDE = "{http://www.w3.org/2001/XInclude}*"
_SUSPECT = (b"<?", *SUSPECT)
"""Whatever is refused (``_check``) holds one of these, or more than so many attributes."""


class Message(Struct, frozen=True, dict=True):
    """An envelope. soap: its namespace. root: itself. header: None where there is none. payload: the one element in
    Body.
    """

    soap: str
    root: Element
    header: Element | None
    payload: Element

    @property
    def operation(self) -> str:
        """The payload's name, ``{namespace}name``."""
        tag: str = self.payload.tag
        return tag

    @cached_property
    def octets(self) -> bytes:
        """The payload by itself, canonical, as it was when this was first asked for."""
        return canonical(self.payload)

    @cached_property
    def blocks(self) -> list[Element]:
        """The header blocks, in order."""
        return [] if self.header is None else list(self.header)


def read_proved(data: bytes) -> Message:
    """Read an envelope that was made of canonical pieces of one that was read before. Raises ExchangeError."""
    return _opened(_parsed(data))


def read_message(data: bytes, charset: str | None = None) -> Message:
    """Read an envelope of which it does not matter what is new in it. Raises ExchangeError."""
    return opened(look(data, charset))


def look(data: bytes, charset: str | None = None, vocabulary: Vocabulary | None = None) -> Looked:
    """Look at a document before it is read. charset: of Content-Type, which must agree. Raises ExchangeError."""
    octets = to_utf8(data, charset)
    if b"<!" in octets and _FORBIDDEN.search(octets):
        raise _unreadable("it has a DOCTYPE or declares entities")
    if vocabulary is None:
        return Looked(octets, octets.count(b"="), frozenset())
    return vocabulary.look(octets)


def read(looked: Looked) -> Element:
    """The root element of XML that may be read. Raises ExchangeError."""
    root = _parsed(looked.octets)
    _check(root, looked)
    return root


def _parsed(octets: bytes) -> Element:
    try:
        return etree.fromstring(octets, new_parser(remove_pis=False))
    except (etree.XMLSyntaxError, ValueError):
        raise _unreadable("it is not well-formed, or nested too deep") from None


def opened(looked: Looked) -> Message:
    """Read an envelope. Raises ExchangeError."""
    return _opened(read(looked))


def canonical(element: Element) -> bytes:
    """An element by itself: exclusive canonical XML (W3C xml-exc-c14n), without comments.

    Prefixes that only ``xsi:type`` uses (``="xsd:date"``) are declared too, since it means nothing without.
    """
    octets: bytes = etree.tostring(element, method="c14n", exclusive=True, with_comments=False)
    if stands_alone(octets):
        return octets
    used = [prefix for prefix in element.nsmap if prefix and _in_value(prefix.encode(), octets)]
    if used:
        octets = etree.tostring(element, method="c14n", exclusive=True, with_comments=False, inclusive_ns_prefixes=used)
    return octets


def stands_alone(octets: bytes) -> bool:
    """Whether what ``canonical`` gives is exclusive canonical form without a PrefixList: it may be signed as it is."""
    return b':type="' not in octets


class PassedOn(Struct, frozen=True):
    """What ``Body.read`` says of an element that was read, canonical and found to be one that may be passed on."""


def passed_on(element: Element) -> Body:
    """An element of a provider as a body. What could be wrong with it is looked for when it is read again."""
    octets = canonical(element)
    body = Body(octets)
    if octets.count(b"=") <= _MOST_ATTRIBUTES and not any(each in octets for each in _SUSPECT):
        body.read = PassedOn()
    return body


def _in_value(prefix: bytes, octets: bytes) -> bool:
    return any(before + prefix + b":" in octets for before in (b'"', b">", b" "))


def to_utf8(data: bytes, charset: str | None) -> bytes:
    """The document as UTF-8, without byte order mark and declaration (XML 1.0, appendix F).

    The charset is what byte order mark and declaration say, else UTF-8; Content-Type may only agree. Raises
    ExchangeError.
    """
    marked, data = _marked(data)
    if marked is None and not data.startswith(b"<?xml"):
        _agree("utf-8", charset)
        return _checked_utf8(data)
    start = data[:_LONGEST_DECLARATION].decode(marked or "latin-1", "ignore")
    declared, length = _declared(start)
    found = declared or marked or "utf-8"
    if marked is not None and _family(found) != _family(marked):
        raise _unreadable("the charset that it declares is not the one that it is in")
    _agree(found, charset)
    if marked == "utf-8" or (marked is None and found == "utf-8"):
        return _checked_utf8(data[length:])
    try:
        text = data.decode(marked or found)
    except UnicodeDecodeError:
        raise _unreadable("it is not in the charset that it declares") from None
    return text[length:].encode("utf-8", "surrogatepass")


def _marked(data: bytes) -> tuple[str | None, bytes]:
    """The encoding that the first bytes show, and the data without a byte order mark."""
    if data.startswith(codecs.BOM_UTF8):
        return "utf-8", data[3:]
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16-le" if data.startswith(codecs.BOM_UTF16_LE) else "utf-16-be", data[2:]
    if data.startswith((b"<\0", b"\0<")):
        return "utf-16-le" if data.startswith(b"<") else "utf-16-be", data
    return None, data


def _declared(start: str) -> tuple[str | None, int]:
    """The charset that the XML declaration names, and the declaration's length."""
    if not start.startswith("<?xml"):
        return None, 0
    found = _DECLARATION.match(start)
    if found is None:
        raise _unreadable("its XML declaration is not one of XML 1.0")
    if found[1] is None:
        return None, found.end()
    name = _codec(found[1])
    if name is None:
        raise _unreadable("it declares a charset that is not taken; send UTF-8")
    return name, found.end()


def _agree(found: str, charset: str | None) -> None:
    if charset is None:
        return
    name = _codec(charset)
    if name is None or _family(name) != _family(found):
        raise _unreadable("the charset of Content-Type is not the one of the document, which must declare it too")


def _codec(charset: str) -> str | None:
    return _CHARSETS.get(charset.lower().replace("_", "-"))


def _family(name: str) -> str:
    return "utf-16" if name in _UTF16 else "utf-8" if name == "ascii" else name


def _checked_utf8(data: bytes) -> bytes:
    try:
        data.decode()
    except UnicodeDecodeError:
        raise _unreadable("it is not UTF-8, and declares no other charset") from None
    return data


def _check(root: Element, looked: Looked) -> None:
    octets = looked.octets
    if looked.attributes > _MOST_ATTRIBUTES and _CROWDED(root):
        raise _unreadable("an element has too many attributes")
    if b"<?" in octets and any(
        each is not None for each in (next(root.iter(etree.PI), None), root.getprevious(), root.getnext())
    ):
        raise _unreadable("it has a processing instruction")
    if looked.usual:
        return
    if b"include" in octets and next(root.iter(_XINCLUDE), None) is not None:
        raise _unreadable("it has XInclude elements")
    if b"chemaLocation" in octets and _LOCATED(root):
        raise _unreadable("it says where schemas lie (xsi:schemaLocation)")


def _opened(root: Element) -> Message:
    soap = root.tag.partition("}")[0][1:]
    if soap not in {SOAP11, SOAP12} or root.tag != f"{{{soap}}}Envelope":
        raise _not_soap("the document is not an Envelope of SOAP 1.1 or 1.2")
    children = list(root)
    header = children[0] if children and children[0].tag == f"{{{soap}}}Header" else None
    bodies = children[1:] if header is not None else children
    if len(bodies) != 1 or bodies[0].tag != f"{{{soap}}}Body":
        raise _not_soap("an Envelope holds at most one Header, then exactly one Body, and nothing else")
    body = bodies[0]
    if len(body) != 1 or (body.text or "").strip() or (body[0].tail or "").strip():
        raise _not_soap("Body holds exactly one element")
    return Message(soap, root, header, body[0])


def _unreadable(detail: str, kind: ErrorKind = INVALID_XML) -> ExchangeError:
    return ExchangeError(kind, detail)


def _not_soap(detail: str) -> ExchangeError:
    return ExchangeError(INVALID_SOAP, detail)
