"""XML that is signed, read safely, and its canonical form.

Rules kept here, for whatever a stranger sends:

* UTF-8, XML 1.0; no DOCTYPE, so no entity but the five of XML; nothing is fetched, ever
* no processing instructions (SOAP 1.1 §3 forbids them); comments are gone before anybody reads, as they are from the
  canonical form: text around one is whole
* size, depth, tags, attributes of an element and namespaces in scope are bounded, since canonical form sorts attributes
  one into another and searches namespaces one after another
"""

import re
from collections.abc import Sequence
from typing import Any, Final

from lxml import etree

from gateway.model.errors import ExchangeError
from gateway.model.errors.soap import INVALID_XML, ROOT_TOO_LARGE
from gateway.model.errors.wsse import XML_FORBIDDEN, XML_TOO_COMPLEX

Element = etree._Element  # noqa: SLF001 - lxml has no public name for the type of an element

MAX_SIZE: Final = 8 * 1024 * 1024
"""Bytes of a signed document."""
MAX_TAGS: Final = 200_000
"""Opening and closing tags."""
MAX_ATTRIBUTES: Final = 256
"""Attributes of one element."""
MAX_NAMESPACES: Final = 128
"""Namespace declarations open at one place, those hidden by nearer ones included."""

_FEW: Final = 1024
"""So many attributes cost next to nothing, even if one element has them all."""
BEGINNING: Final = 64 * 1024
"""Bytes that may be read of a document before it is known whether somebody signed it."""
_PIECE: Final = 8 * 1024
_SMALL: Final = 64 * 1024
"""Bytes of a document in which tags and namespaces cannot be too many."""
_BOM: Final = b"\xef\xbb\xbf"
_DECLARATION: Final = re.compile(rb"<\?xml\s[^?<>]{1,200}\?>")
_VERSION: Final = re.compile(rb"version\s*=\s*[\"']1\.0[\"']")
_CHARSET: Final = re.compile(rb"encoding\s*=\s*[\"']([A-Za-z0-9._\-]{1,40})[\"']")
_CHARSETS: Final = frozenset({b"utf-8", b"utf8", b"us-ascii"})
_NOT_SPACE: Final = re.compile(rb"[^ \t\r\n]")
_SAFELY: Final[dict[str, Any]] = {
    "encoding": "utf-8",  # what the document says of its charset was looked at, and is not asked again
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "huge_tree": False,
    "remove_comments": True,
    "collect_ids": False,  # an id is what a signature refers to by path, never what a DTD or xml:id makes one
}
_INSTRUCTIONS: Final = etree.XPath("boolean(//processing-instruction())")
_CROWDED: Final = etree.XPath(f"boolean(//*[@*[{MAX_ATTRIBUTES + 1}]])")


def parse(data: bytes) -> Element:
    """The root element of a document.

    Raises ExchangeError: ROOT_TOO_LARGE, XML_FORBIDDEN, XML_TOO_COMPLEX, INVALID_XML. libxml2 itself
    refuses more than 256 levels and text of more than 10 MB.
    """
    start = _start(data)
    try:
        root = etree.fromstring(data, _parser())
    except (etree.XMLSyntaxError, ValueError):  # the library's text may quote the message
        raise _not_well_formed() from None
    _check_shape(data, start, root)
    return root


def beginning(data: bytes, tags: tuple[str, ...]) -> Element | None:
    """The root element as far as the first ``BEGINNING`` bytes go, if a child of one of these names is whole there.

    Raises ExchangeError as ``parse``.
    """
    data = data[:BEGINNING]
    start = _start(data)
    parser = etree.XMLPullParser(events=("end",), tag=tags, **_SAFELY)
    for at in range(0, len(data), _PIECE):
        try:
            parser.feed(data[at : at + _PIECE])
            ended: list[Any] = [each for _, each in parser.read_events()]
        except (etree.XMLSyntaxError, ValueError):
            raise _not_well_formed() from None
        for each in ended:
            root: Element | None = each.getparent()
            if root is not None and root.getparent() is None:
                _check_shape(data[: at + _PIECE], start, root)
                return root
    return None


def parsed(data: bytes, root: Element) -> Element:
    """The root element of a document that was parsed already, by a parser like ours, held to the same rules.

    root: made of exactly these bytes, without comments, and not changed since. Raises ExchangeError as ``parse``.
    """
    _check_shape(data, _start(data), root)
    return root


def canonical(element: Element, prefixes: Sequence[str] = ()) -> bytes:
    """Exclusive canonical XML 1.0 without comments of an element. prefixes: its InclusiveNamespaces PrefixList.

    Raises ExchangeError INVALID_XML where there is none (a namespace that is a relative URI).
    """
    listed = list(prefixes) or None
    try:
        return etree.tostring(element, method="c14n", exclusive=True, with_comments=False, inclusive_ns_prefixes=listed)
    except etree.LxmlError:
        raise ExchangeError(INVALID_XML, "it has no canonical form: a namespace is no absolute URI") from None


def written(root: Element) -> bytes:
    """A document as UTF-8, without declaration."""
    return etree.tostring(root, encoding="utf-8", xml_declaration=False)


def _parser() -> etree.XMLParser:
    """A parser for one document: one that is used in several threads keeps what each of them has read."""
    return etree.XMLParser(**_SAFELY)


def _not_well_formed() -> ExchangeError:
    return ExchangeError(INVALID_XML, "it is not well-formed, or nested deeper than 256")


def _start(data: bytes) -> int:
    """Where the root element begins, in a document that is worth parsing."""
    if len(data) > MAX_SIZE:
        raise ExchangeError(ROOT_TOO_LARGE, f"a signed envelope may have {MAX_SIZE} bytes")
    start = _after_prolog(data)
    if len(data) > _SMALL and data.count(b"<") > MAX_TAGS:
        raise ExchangeError(XML_TOO_COMPLEX, f"at most {MAX_TAGS} tags")
    return start


def _after_prolog(data: bytes) -> int:
    """Where the root element begins. Only a declaration, white space and comments may stand before it."""
    at = len(_BOM) if data.startswith(_BOM) else 0
    declaration = _DECLARATION.match(data, at)
    if declaration is not None:
        _check_declaration(declaration[0])
        at = declaration.end()
    while True:
        found = _NOT_SPACE.search(data, at)
        if found is None or data[found.start()] != ord("<"):
            raise ExchangeError(INVALID_XML, "it does not begin with an element, or is not UTF-8")
        at = found.start()
        if not data.startswith(b"<!--", at):
            break
        at = data.find(b"-->", at + 4) + 3
        if at < 3:  # noqa: PLR2004 - not found
            raise ExchangeError(INVALID_XML, "a comment does not end")
    if data.startswith(b"<!", at):
        raise ExchangeError(XML_FORBIDDEN, "a DOCTYPE")
    if data.startswith(b"<?", at):
        raise ExchangeError(XML_FORBIDDEN, "a processing instruction")
    return at


def _check_declaration(declaration: bytes) -> None:
    charset = _CHARSET.search(declaration)
    if not _VERSION.search(declaration) or (charset is not None and charset[1].lower() not in _CHARSETS):
        raise ExchangeError(XML_FORBIDDEN, "XML other than 1.0, or a charset other than UTF-8")


def _check_shape(data: bytes, start: int, root: Element) -> None:
    """What could be wrong is counted in the bytes, at next to no cost; only where it is possible the tree is asked."""
    if data.find(b"?", start) >= 0 and data.find(b"?>", start) >= 0 and _INSTRUCTIONS(root):
        raise ExchangeError(XML_FORBIDDEN, "a processing instruction")
    if data.count(b"=") > _FEW and _CROWDED(root):
        raise ExchangeError(XML_TOO_COMPLEX, f"at most {MAX_ATTRIBUTES} attributes of an element")
    if len(data) > _SMALL and data.count(b"xmlns") > MAX_NAMESPACES:
        _check_namespaces(root)


def _check_namespaces(root: Element) -> None:
    scope = 0
    for event, _ in etree.iterwalk(root, events=("start-ns", "end-ns")):
        scope += 1 if event == "start-ns" else -1
        if scope > MAX_NAMESPACES:
            raise ExchangeError(XML_TOO_COMPLEX, f"at most {MAX_NAMESPACES} namespaces declared around one element")
