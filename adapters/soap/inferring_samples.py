"""XML of a recording: its texts visited and replaced, everything else as it was."""

from collections.abc import Callable

from lxml import etree

from adapters.soap.xml import Element, local_name, parse

Visit = Callable[[tuple[str, ...], str], str | None]
"""(names of the elements it is in, text) → the text to stand there, or None to leave it."""


def walk_xml(data: bytes, visit: Visit) -> bytes:
    """A document with texts and attributes replaced. Raises UnreadableXmlError for what may not be read."""
    root = parse(data)
    _walk(root, (), visit)
    return etree.tostring(root, encoding="utf-8", xml_declaration=True)


def _walk(element: Element, above: tuple[str, ...], visit: Visit) -> None:
    way = (*above, local_name(element))
    for name, value in element.attrib.items():
        made = visit((*way, f"@{etree.QName(name).localname}"), str(value))
        if made is not None:
            element.set(name, made)
    if element.text and element.text.strip() and (made := visit(way, element.text)) is not None:
        element.text = made
    for child in element:
        _walk(child, way, visit)
        if child.tail and child.tail.strip() and (made := visit(way, child.tail)) is not None:
            child.tail = made


def outline(data: bytes) -> list[str]:
    """Paths of the elements and attributes below Body's child that hold a text; ``[]`` where there is no envelope."""
    found: list[str] = []

    def visit(way: tuple[str, ...], _: str) -> None:
        found.append("/".join(way))

    walk_xml(data, visit)
    return found
