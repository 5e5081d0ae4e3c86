"""A WSDL 1.1 as a contract: the operations of its SOAP port, with the fields of their messages."""

from pathlib import Path

from lxml import etree
from msgspec import Struct

from adapters.kit.contract import Contract, ContractError, Field, Kind, Operation
from adapters.soap.inferring_files import WSDL, XSD, Documents
from adapters.soap.inferring_types import Name, Types, qname
from adapters.soap.xml import Element

_BINDINGS = {"http://schemas.xmlsoap.org/wsdl/soap/": "1.1", "http://schemas.xmlsoap.org/wsdl/soap12/": "1.2"}
_PREFERRED = ("1.1", "1.2")


class _Port(Struct, frozen=True, kw_only=True):
    service: str
    name: str
    soap: str
    address: str
    binding: Name


def read_wsdl(wsdl: Path, root: Path | None = None) -> Contract:
    """What a WSDL offers, read from local files only. root: the directory that it may use; its own, if None.

    Raises ContractError, with what to do.
    """
    documents = Documents(wsdl, root)
    return _Reader(documents).contract()


class _Reader:
    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._types = Types()
        self._known: dict[tuple[str, Name], Element] = {}
        self._ports: list[_Port] = []
        roots = {path: documents.tree(path) for path in documents.files}
        for path, root in roots.items():
            self._schemas(path, root)
            if root.tag == f"{{{WSDL}}}definitions":
                self._definitions(root)

    def contract(self) -> Contract:
        """The first SOAP 1.1 port; of a service without one, SOAP 1.2."""
        ports = sorted(self._ports or self._portless(), key=lambda each: _PREFERRED.index(each.soap))
        if not ports:
            raise ContractError(f"{self._documents.wsdl.name} has no port with a SOAP 1.1 or 1.2 binding")
        port = ports[0]
        binding = self._get("binding", port.binding)
        style = next((each.get("style", "document") for each in _of(binding, port.soap, "binding")), "document")
        port_type = self._get("portType", qname(binding, binding.get("type", "")))
        abstract = {each.get("name", ""): each for each in port_type.findall(f"{{{WSDL}}}operation")}
        operations: dict[str, Operation] = {}
        for bound in binding.findall(f"{{{WSDL}}}operation"):
            name = bound.get("name", "")
            if name in operations or name not in abstract:
                continue  # overloaded: SOAP calls only the first by this name
            operations[name] = self._operation(bound, abstract[name], port.soap, style)
        return Contract(
            title=port.service,
            operations=tuple(operations.values()),
            address=port.address,
            soap=port.soap,
            port=port.name,
        )

    # -- documents -----------------------------------------------------------------------------------------------------

    def _schemas(self, path: Path, root: Element) -> None:
        if root.tag == f"{{{XSD}}}schema":
            self._types.add(root, self._documents.namespace(path))
        for schema in root.iter(f"{{{XSD}}}schema"):
            if schema is not root:
                self._types.add(schema)

    def _definitions(self, root: Element) -> None:
        target = root.get("targetNamespace", "")
        for child in root:
            if name := child.get("name"):
                self._known.setdefault((etree.QName(child).localname, Name(target, name)), child)
        for service in root.findall(f"{{{WSDL}}}service"):
            for port in service.findall(f"{{{WSDL}}}port"):
                self._port(service, port)

    def _port(self, service: Element, port: Element) -> None:
        for namespace, version in _BINDINGS.items():
            address = port.find(f"{{{namespace}}}address")
            if address is not None:
                self._ports.append(
                    _Port(
                        service=service.get("name", ""),
                        name=port.get("name", ""),
                        soap=version,
                        address=address.get("location", ""),
                        binding=qname(port, port.get("binding", "")),
                    )
                )

    def _portless(self) -> list[_Port]:
        """Bindings of a WSDL that leaves the address to each installation."""
        return [
            _Port(service=name.local, name=name.local, soap=version, address="", binding=name)
            for (what, name), node in self._known.items()
            if what == "binding"
            for namespace, version in _BINDINGS.items()
            if node.find(f"{{{namespace}}}binding") is not None
        ]

    def _get(self, what: str, name: Name) -> Element:
        found = self._known.get((what, name))
        if found is None:
            raise ContractError(f"{self._documents.wsdl.name} refers to the {what} {name.local}, which nothing defines")
        return found

    # -- operations ----------------------------------------------------------------------------------------------------

    def _operation(self, bound: Element, abstract: Element, soap: str, style: str) -> Operation:
        concrete = next(iter(_of(bound, soap, "operation")), None)
        action = "" if concrete is None else concrete.get("soapAction", "")
        style = style if concrete is None else concrete.get("style", style)
        name = bound.get("name", "")
        title = " ".join((abstract.findtext(f"{{{WSDL}}}documentation") or "").split())[:200]
        try:
            asked = self._message(bound, abstract, "input", soap, style)
            told = self._message(bound, abstract, "output", soap, style)
        except _UnusableError as error:
            return Operation(name=name, title=title, unusable=str(error))
        return Operation(
            name=name,
            title=title,
            soap_action=action,
            element=asked[0],
            request=asked[1],
            answer_element=told[0],
            answer=told[1],
        )

    def _message(
        self, bound: Element, abstract: Element, way: str, soap: str, style: str
    ) -> tuple[str, tuple[Field, ...]]:
        """The element of one direction, ``{namespace}name``, and the fields in it."""
        concrete, declared = bound.find(f"{{{WSDL}}}{way}"), abstract.find(f"{{{WSDL}}}{way}")
        if concrete is None or declared is None:
            return "", ()
        body = next(iter(_of(concrete, soap, "body")), None)
        if body is None:
            raise _UnusableError("its message is not a plain SOAP body (MIME parts)")
        if body.get("use") == "encoded":
            raise _UnusableError("rpc/encoded: SOAP encoding is not WS-I and not spoken here")
        message = self._get("message", qname(declared, declared.get("message", "")))
        parts = message.findall(f"{{{WSDL}}}part")
        chosen = body.get("parts")
        parts = parts if chosen is None else [each for each in parts if each.get("name") in chosen.split()]
        if style == "rpc":
            local = bound.get("name", "") + ("Response" if way == "output" else "")
            return f"{{{body.get('namespace', '')}}}{local}", tuple(self._part(each) for each in parts)
        if len(parts) > 1 or (parts and parts[0].get("element") is None):
            raise _UnusableError("document style with a body of several parts, or of a type")
        return self._body(parts[0]) if parts else ("", ())

    def _body(self, part: Element) -> tuple[str, tuple[Field, ...]]:
        name = qname(part, part.get("element", ""))
        field = self._types.element(name)
        if field.lost:
            raise _UnusableError(field.lost)
        if field.kind is not Kind.GROUP:
            raise _UnusableError("its element is a text, not a structure")
        return f"{{{name.namespace}}}{name.local}", field.fields

    def _part(self, part: Element) -> Field:
        name = part.get("name", "")
        if (type_name := part.get("type")) is None:
            raise _UnusableError("rpc style with a part of an element")
        return self._types.part(name, qname(part, type_name), part)


class _UnusableError(Exception):
    """An operation that cannot be called, and why."""


def _of(node: Element, soap: str, name: str) -> list[Element]:
    namespace = next(each for each, version in _BINDINGS.items() if version == soap)
    return node.findall(f"{{{namespace}}}{name}")
