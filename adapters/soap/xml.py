"""XML of strangers, read safely: no DOCTYPE, no entities, no network, bounded size and depth, a declared charset.

The bytes are decoded here, by the decoders that the provider's mapping declares, in their order; what the document or
the HTTP header says of its charset is not believed (Q17: windows-1258 and TCVN3 travel under ``charset=utf-8``).
"""

import codecs
import re
from collections.abc import Callable

from lxml import etree

Element = etree._Element  # noqa: SLF001 - lxml has no public name for the type of an element

Decode = Callable[[bytes], str]
"""Bytes → text; raises ValueError where they are not of the charset."""

MAX_SIZE = 2 * 1024 * 1024
"""Bytes of a document."""

_FORBIDDEN = re.compile(rb"<!(?:DOCTYPE|ENTITY)")
_DECLARATION = re.compile(rb"\s*<\?xml[^>]*\?>")


class UnreadableXmlError(ValueError):
    """Not XML that may be read. The text names the rule that was broken, nothing of the content."""


def parse(data: bytes, decoders: tuple[Decode, ...] = (), *, max_size: int = MAX_SIZE) -> Element:
    """The root element. decoders: tried in order when the bytes are not UTF-8. Raises UnreadableXmlError."""
    if len(data) > max_size:
        raise UnreadableXmlError("the document is larger than allowed")
    octets = _utf8(data, decoders)
    if b"<!" in octets and _FORBIDDEN.search(octets):
        raise UnreadableXmlError("the document has a DOCTYPE or declares entities")
    declaration = _DECLARATION.match(octets)
    if declaration is not None:
        octets = octets[declaration.end() :]
    try:
        return etree.fromstring(octets, new_parser(remove_pis=True))
    except (etree.XMLSyntaxError, ValueError):
        raise UnreadableXmlError("the document is not well-formed, or nested too deep") from None


def _utf8(data: bytes, decoders: tuple[Decode, ...]) -> bytes:
    """The document in UTF-8, without byte order mark."""
    try:
        data.decode()
    except UnicodeDecodeError:
        pass
    else:
        return data.removeprefix(codecs.BOM_UTF8)
    for decode in decoders:
        try:
            return decode(data).encode()
        except ValueError:
            continue
    raise UnreadableXmlError("the document is in none of the charsets that the mapping declares")


def new_parser(*, remove_pis: bool) -> etree.XMLParser:
    """A parser for one document; libxml2 itself refuses more than 256 levels and text beyond 10 MB (huge_tree off).

    remove_pis: processing instructions are left out, else they are there to be refused.
    """
    return etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=remove_pis,
        collect_ids=False,
    )


Tree = dict[str, "Tree | str | None"]
"""Local name → child's tree, its text, or None where it is empty. Of repeated children the last."""


_names: dict[str, str] = {}
"""Qualified name → local name, of elements that a contract knows; so it stays small."""


def tree_of(element: Element) -> Tree:
    """The children of a valid element, by local name; text without surrounding white space."""
    tree: Tree = {}
    for child in element:
        tag = child.tag
        name = _names.get(tag)
        if name is None:
            name = _names[tag] = local_name(child)
        if len(child):
            tree[name] = tree_of(child)
        else:
            text = child.text
            tree[name] = (text.strip() or None) if text else None
    return tree


def local_name(element: Element) -> str:
    """The name without its namespace."""
    tag: str = element.tag
    return tag[tag.index("}") + 1 :] if tag[0] == "{" else tag
