"""A provider's WSDL as the gateway serves it: our address, X-Road header blocks, everything in one document."""

from collections.abc import Iterator

from lxml import etree

from adapters.soap.inferring_files import Documents
from adapters.soap.translate_scalars import in_attribute
from adapters.soap.translate_shapes import XSD
from adapters.soap.wsdl_document import BINDINGS, WSDL
from adapters.soap.wsdl_headers import NAMESPACES, PARTS, SCHEMAS
from adapters.soap.xml import Element

_W = f"{{{WSDL}}}"
_X = f"{{{XSD}}}"
_MESSAGE = "motlanXRoadHeader"
_PREFIX = "motlan-tns"
_TAKEN = frozenset({"message", "portType", "binding", "service"})
_ORDER = ("types", "message", "portType", "binding", "service")
"""WSDL 1.1, §2.1 and its schema: an order that strict readers insist on."""


def served_wsdl(documents: Documents, address: str) -> bytes:
    """The WSDL. Its ports all have our address; those of other protocols are left out, with what they would tell.

    Put together as text: each piece is canonical with every namespace that it stood under, since names in values
    (``type="xs:string"``) need their prefixes, which moving nodes from tree to tree would lose.
    """
    roots = [documents.tree(path) for path in documents.files]
    target = roots[0].get("targetNamespace", "")
    parts = "".join(f'<w:part name="{name}" element="{element}"/>' for name, element in PARTS.items())
    pieces: dict[str, list[str]] = {name: [] for name in _ORDER}
    pieces["types"].append(f"<w:types>{''.join(_schemas(documents))}{SCHEMAS}</w:types>")
    pieces["message"].append(f'<w:message name="{_MESSAGE}">{parts}</w:message>')
    for root in roots:
        for child in root if root.tag == f"{_W}definitions" else ():
            kind = etree.QName(child).localname
            if kind in _TAKEN:
                pieces[kind].append(_piece(child, target, address))
    name = f' name="{in_attribute(roots[0].get("name", ""))}"' if roots[0].get("name") else ""
    inside = "".join(text for kind in _ORDER for text in pieces[kind])
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<w:definitions xmlns:w="{WSDL}" {NAMESPACES}{name} '
        f'targetNamespace="{in_attribute(target)}">{inside}</w:definitions>\n'
    ).encode()


def _alone(node: Element) -> Element:
    """A copy of a node as a document of its own, with every namespace that it stands under."""
    return etree.fromstring(etree.tostring(node, method="c14n"))


def _schemas(documents: Documents) -> Iterator[str]:
    """Every schema, each by itself: includes and places are gone, since all of them stand in one document."""
    for path in documents.files:
        root = documents.tree(path)
        found = [root] if root.tag == f"{_X}schema" else root.findall(f"{_W}types/{_X}schema")
        for schema in found:
            copy = _alone(schema)
            namespace = documents.namespace(path)
            if copy.get("targetNamespace") is None and namespace:
                copy.set("targetNamespace", namespace)
            for child in list(copy):
                if child.tag in {f"{_X}include", f"{_X}redefine"}:
                    copy.remove(child)
                elif child.tag == f"{_X}import" and "schemaLocation" in child.attrib:
                    del child.attrib["schemaLocation"]
            yield etree.tostring(copy, method="c14n").decode()


def _piece(node: Element, target: str, address: str) -> str:
    """A message, port type, binding or service, with what is ours in it."""
    copy = _alone(node)
    if copy.tag == f"{_W}binding":
        _bind(copy, target)
    elif copy.tag == f"{_W}service":
        _address(copy, address)
    return etree.tostring(copy, method="c14n").decode()


def _bind(binding: Element, target: str) -> None:
    """Declare the header blocks beside each body."""
    for namespace in BINDINGS:
        for body in list(binding.iter(f"{{{namespace}}}body")):
            parent = body.getparent()
            if parent is None:
                continue
            for name in PARTS:
                said = {"message": f"{_PREFIX}:{_MESSAGE}", "part": name, "use": "literal"}
                etree.SubElement(parent, f"{{{namespace}}}header", said, {_PREFIX: target})


def _address(service: Element, address: str) -> None:
    for port in service.findall(f"{_W}port"):
        places = [each for namespace in BINDINGS for each in port.findall(f"{{{namespace}}}address")]
        if not places:
            service.remove(port)
        for place in places:
            place.set("location", address)
