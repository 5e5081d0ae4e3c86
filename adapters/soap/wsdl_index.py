"""The schemas of a WSDL, by name: global elements, types and groups, with what their schema says of names."""

from collections.abc import Iterable
from typing import Final

from lxml import etree

from adapters.soap.translate_shapes import XSD
from adapters.soap.xml import Element

Name = tuple[str, str]
"""Namespace and local name."""

_GLOBAL: Final = frozenset({"element", "complexType", "simpleType", "group", "attributeGroup", "attribute"})


class SchemaError(ValueError):
    """A schema that cannot be used. Names its components."""


class SchemaIndex:
    """Global components of all schemas. add: one ``xs:schema`` at a time, before anything is asked."""

    def __init__(self) -> None:
        self._components: dict[tuple[str, Name], Element] = {}
        self._namespaces: dict[Element, str] = {}
        self._derived: dict[Name, list[Name]] = {}
        self._substitutes: dict[Name, list[Name]] = {}

    def add(self, schema: Element, namespace: str | None = None) -> None:
        """Take a schema. namespace: what one without a target namespace takes on from who includes it."""
        target = schema.get("targetNamespace", namespace or "")
        self._namespaces[schema] = target
        for child in schema:
            kind = etree.QName(child).localname
            name = child.get("name")
            if name is None or kind not in _GLOBAL:
                continue
            self._components.setdefault((kind, (target, name)), child)
            if kind == "complexType":
                self._derives(child, (target, name))
            head = child.get("substitutionGroup")
            if head is not None:
                self._substitutes.setdefault(self.name_of(child, head), []).append((target, name))

    def get(self, kind: str, name: Name) -> Element | None:
        """A component; None where there is none of the name."""
        return self._components.get((kind, name))

    def substitutes(self, head: Name) -> Iterable[Name]:
        """Elements that may stand for another one, and those that may stand for these."""
        return _closure(head, self._substitutes)

    def derived(self, base: Name) -> Iterable[Name]:
        """Complex types with elements that derive from another one, and those that derive from these."""
        return _closure(base, self._derived)

    def _derives(self, node: Element, name: Name) -> None:
        for change in node.iterfind(f"{{{XSD}}}complexContent/*"):
            base = change.get("base")
            if base is not None:
                self._derived.setdefault(self.name_of(change, base), []).append(name)

    def name_of(self, node: Element, text: str) -> Name:
        """A qualified name in an attribute's value, by the namespaces in scope there."""
        prefix, found, local = text.strip().rpartition(":")
        if found:
            namespace = node.nsmap.get(prefix)
            if namespace is None:
                raise SchemaError(f"the prefix {prefix} of {local} stands for no namespace")
            return str(namespace), local
        default = node.nsmap.get(None)
        return (self.namespace(node) if default is None else str(default)), local

    def namespace(self, node: Element) -> str:
        """The target namespace that a node stands in."""
        return self._namespaces.get(self._schema(node), "")

    def tag(self, node: Element, kind: str) -> str:
        """The name of a local element or attribute, as lxml writes it."""
        schema = self._schema(node)
        form = node.get("form", schema.get(f"{kind}FormDefault", "unqualified"))
        name = node.get("name", "")
        namespace = self.namespace(node)
        return f"{{{namespace}}}{name}" if form == "qualified" and namespace else name

    def _schema(self, node: Element) -> Element:
        while node.tag != f"{{{XSD}}}schema":
            parent = node.getparent()
            if parent is None:
                return node
            node = parent
        return node


def _closure(start: Name, steps: dict[Name, list[Name]]) -> dict[Name, None]:
    found: dict[Name, None] = {}
    waiting = list(steps.get(start, ()))
    while waiting:
        name = waiting.pop(0)
        if name not in found:
            found[name] = None
            waiting += steps.get(name, ())
    return found


def tag_of(name: Name) -> str:
    """A name as lxml writes it."""
    return f"{{{name[0]}}}{name[1]}" if name[0] else name[1]
