"""A provider's WSDL 1.1: the operations of one SOAP port, each with its elements. Literal use only."""

from typing import Final

from lxml import etree
from msgspec import Struct

from adapters.soap.inferring_files import Documents
from adapters.soap.reading import SOAP11, SOAP12
from adapters.soap.translate_shapes import XSD, Record, Shape
from adapters.soap.wsdl_index import Name, SchemaError, SchemaIndex, tag_of
from adapters.soap.wsdl_shapes import XsdShapes
from adapters.soap.xml import Element

WSDL: Final = "http://schemas.xmlsoap.org/wsdl/"
_W = f"{{{WSDL}}}"
BINDINGS: Final = {"http://schemas.xmlsoap.org/wsdl/soap/": SOAP11, "http://schemas.xmlsoap.org/wsdl/soap12/": SOAP12}
"""Namespace of a binding's elements → of its envelopes; the first is preferred."""


class Side(Struct, frozen=True, kw_only=True):
    """One direction of an operation. tag: of the element in Body."""

    tag: str
    shape: Shape
    nillable: bool = False


class WsdlOperation(Struct, frozen=True, kw_only=True):
    """An operation. action: its SOAPAction. answer: None where it has none."""

    name: str
    action: str
    request: Side
    answer: Side | None


class WsdlContract:
    """What a WSDL says. operations: of its SOAP port. skipped: name → why, of those that cannot be called.

    Raises SchemaError.
    """

    def __init__(self, documents: Documents) -> None:
        index = SchemaIndex()
        self.definitions: dict[tuple[str, Name], Element] = {}
        for path in documents.files:
            root = documents.tree(path)
            if root.tag == f"{{{XSD}}}schema":
                index.add(root, documents.namespace(path))
            else:
                self._define(root, index)
        self._index = index
        self._types = XsdShapes(index)
        self.shapes = self._types.shapes
        self.skipped: dict[str, str] = {}
        self.soap, self._binding_namespace, binding = self._chosen()
        self.binding_name = binding.get("name", "")
        self.operations = tuple(self._operations(binding))
        self.lost = tuple(self._types.lost)

    def _define(self, root: Element, index: SchemaIndex) -> None:
        target = root.get("targetNamespace", "")
        for child in root:
            if child.tag == f"{_W}types":
                for schema in child.findall(f"{{{XSD}}}schema"):
                    index.add(schema)
            elif child.get("name"):
                kind = etree.QName(child).localname
                self.definitions.setdefault((kind, (target, child.get("name", ""))), child)

    def _find(self, kind: str, node: Element, text: str) -> Element:
        name = self._name(node, text)
        found = self.definitions.get((kind, name))
        if found is None:
            raise SchemaError(f"nothing defines the {kind} {name[1]}")
        return found

    def _name(self, node: Element, text: str) -> Name:
        prefix, _, local = text.strip().rpartition(":")
        return str(node.nsmap.get(prefix or None) or ""), local

    def _chosen(self) -> tuple[str, str, Element]:
        """The binding of the first port with SOAP 1.1, else 1.2; of a WSDL without ports, the first such binding."""
        services = [node for (kind, _), node in self.definitions.items() if kind == "service"]
        bindings = [
            self._find("binding", port, port.get("binding", ""))
            for service in services
            for port in service.findall(f"{_W}port")
        ] or [node for (kind, _), node in self.definitions.items() if kind == "binding"]
        for namespace, soap in BINDINGS.items():
            for binding in bindings:
                if binding.find(f"{{{namespace}}}binding") is not None:
                    return soap, namespace, binding
        raise SchemaError("no port speaks SOAP 1.1 or 1.2")

    def _operations(self, binding: Element) -> list[WsdlOperation]:
        own = f"{{{self._binding_namespace}}}"
        whole = binding.find(f"{own}binding")
        style = "document" if whole is None else whole.get("style", "document")
        port_type = self._find("portType", binding, binding.get("type", ""))
        abstract = {each.get("name"): each for each in port_type.findall(f"{_W}operation")}
        made = []
        for bound in binding.findall(f"{_W}operation"):
            name = bound.get("name", "")
            said = bound.find(f"{own}operation")
            try:
                declared = abstract[name]
                kind = style if said is None else said.get("style", style)
                request = self._side(bound, declared, "input", kind)
                answer = self._side(bound, declared, "output", kind)
            except (SchemaError, KeyError) as error:
                self.skipped[name] = str(error)
                continue
            if request is None:
                self.skipped[name] = "it has no input"
                continue
            action = "" if said is None else said.get("soapAction", "")
            made.append(WsdlOperation(name=name, action=action, request=request, answer=answer))
        return made

    def _side(self, bound: Element, declared: Element, way: str, style: str) -> Side | None:
        concrete, abstract = bound.find(f"{_W}{way}"), declared.find(f"{_W}{way}")
        if concrete is None or abstract is None:
            return None
        body = next(concrete.iter(f"{{{self._binding_namespace}}}body"), None)  # also inside mime:multipartRelated
        message = self._find("message", abstract, abstract.get("message", ""))
        parts = message.findall(f"{_W}part")
        chosen = None if body is None else body.get("parts")
        if chosen is not None:
            parts = [part for part in parts if part.get("name") in chosen.split()]
        if body is not None and body.get("use") == "encoded":
            raise SchemaError("SOAP encoding is not spoken; WS-I Basic Profile 1.1, R2706")
        if style == "rpc":
            namespace = "" if body is None else body.get("namespace", "")
            return self._rpc(parts, (namespace, bound.get("name", "") + ("Response" if way == "output" else "")))
        if len(parts) != 1 or parts[0].get("element") is None:
            raise SchemaError("its body is not one element")
        name = self._name(parts[0], parts[0].get("element", ""))
        shape, nillable = self._types.element(name)
        return Side(tag=tag_of(name), shape=shape, nillable=nillable)

    def _rpc(self, parts: list[Element], wrapper: Name) -> Side:
        members = tuple(
            self._types.part(part.get("name", ""), self._name(part, part.get("type", ""))) for part in parts
        )
        return Side(tag=tag_of(wrapper), shape=Record(members=members))
