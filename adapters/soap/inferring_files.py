"""A stranger's WSDL and what it imports, looked at before anything loads it: from one directory, and nothing else.

Refused, each with what to do: a document on the network, one outside the directory, a chain of ``wsdl:import`` or
``xsd:include`` that leads back to itself, a DOCTYPE, too many or too large documents. Two schemas of different
namespaces may import each other (XML Schema Part 1, §4.2.3): each is loaded once.
"""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from lxml import etree

from adapters.kit.contract import ContractError
from adapters.soap.xml import Element

WSDL = "http://schemas.xmlsoap.org/wsdl/"
XSD = "http://www.w3.org/2001/XMLSchema"
MOST_DOCUMENTS = 64
MOST_BYTES = 4 * 1024 * 1024
_FORBIDDEN = re.compile(rb"<!(?:DOCTYPE|ENTITY)")
_LOCATIONS = {
    f"{{{WSDL}}}import": "location",
    f"{{{XSD}}}import": "schemaLocation",
    f"{{{XSD}}}include": "schemaLocation",
    f"{{{XSD}}}redefine": "schemaLocation",
}
_INCLUDES = frozenset({f"{{{XSD}}}include", f"{{{XSD}}}redefine"})
_MAY_LOOP = f"{{{XSD}}}import"


class Documents:
    """The documents of one contract. root: the directory that it may use. files: all of them, the WSDL first."""

    def __init__(self, wsdl: Path, root: Path | None = None) -> None:
        self.wsdl = wsdl.resolve()
        self.root = self.wsdl.parent if root is None else root.resolve()
        if not self.wsdl.is_relative_to(self.root):
            raise ContractError(f"{wsdl.name} itself is outside {self.root.name}/")
        self._bytes: dict[Path, bytes] = {}
        self._trees: dict[Path, Element] = {}
        self._namespaces: dict[Path, str] = {}
        self._total = 0
        self._imports: dict[Path, list[tuple[Path, bool]]] = {}
        self._walk()

    @property
    def files(self) -> tuple[Path, ...]:
        """Every document, the WSDL first."""
        return tuple(self._bytes)

    def load(self, location: str) -> bytes:
        """The bytes of a document that the walk has seen; as zeep asks for it. Raises ContractError."""
        parts = urlsplit(location)
        path = self._local(location) if parts.scheme not in {"", "file"} else Path(unquote(parts.path)).resolve()
        try:
            return self._bytes[path]
        except KeyError:
            raise ContractError(f"{location} is not among the documents of {self.wsdl.name}") from None

    def tree(self, path: Path) -> Element:
        """A document, parsed."""
        return self._trees[path]

    def namespace(self, path: Path) -> str | None:
        """The namespace that an included schema without one takes on (XML Schema Part 1, §4.2.1)."""
        return self._namespaces.get(path)

    def _walk(self) -> None:
        waiting = [self.wsdl]
        while waiting:
            path = waiting.pop()
            if path in self._bytes:
                continue
            found = []
            for location, may, namespace in self._refers(path):
                target = self._target(path, location)
                found.append((target, may))
                if namespace is not None:
                    self._namespaces.setdefault(target, namespace)
            self._imports[path] = found
            waiting += [target for target, _ in found]
        self._refuse_loops(self.wsdl, ())

    def _refers(self, path: Path) -> list[tuple[str, bool, str | None]]:
        """Locations that a document refers to, whether a loop through them is lawful, and an including namespace."""
        root = self._trees[path] = self._read(path)
        return [
            (location, element.tag == _MAY_LOOP, self._including(path, element))
            for element in root.iter(*_LOCATIONS)
            if (location := element.get(_LOCATIONS[str(element.tag)]))
        ]

    def _including(self, path: Path, element: Element) -> str | None:
        if element.tag not in _INCLUDES:
            return None
        schema = element.getparent()
        own = None if schema is None else schema.get("targetNamespace")
        return own or self._namespaces.get(path)

    def _read(self, path: Path) -> Element:
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ContractError(f"{self._shown(path)} is imported and cannot be read: {error.strerror}") from None
        self._total += len(data)
        if len(self._bytes) >= MOST_DOCUMENTS or self._total > MOST_BYTES:
            raise ContractError(
                f"{self.wsdl.name} and what it imports are more than {MOST_DOCUMENTS} documents "
                f"or {MOST_BYTES // 1024} KiB"
            )
        if _FORBIDDEN.search(data):
            raise ContractError(f"{self._shown(path)} has a DOCTYPE or declares entities; take them out")
        self._bytes[path] = data
        try:
            return etree.fromstring(data, _parser())
        except etree.XMLSyntaxError as error:
            raise ContractError(f"{self._shown(path)}, line {error.lineno}: not well-formed XML") from None

    def _target(self, path: Path, location: str) -> Path:
        if urlsplit(location).scheme not in {"", "file"}:
            return self._local(location)
        parts = urlsplit(location)
        found = (path.parent / unquote(parts.path)).resolve()
        if not found.is_relative_to(self.root):
            raise ContractError(
                f"{self._shown(path)} imports {location}, which is outside {self.root.name}/: a contract may use only "
                "files beside it or below; copy the document there and correct the location"
            )
        return found

    def _local(self, location: str) -> Path:
        """The copy beside the WSDL of a document on the network. Raises ContractError where there is none."""
        name = unquote(urlsplit(location).path).rstrip("/").rpartition("/")[2]
        for candidate in (name, f"{name}.xsd"):
            path = (self.root / candidate).resolve()
            if name and path.is_relative_to(self.root) and path.is_file():
                return path
        raise ContractError(
            f"{self.wsdl.name} refers to {location}: nothing is fetched from the network. Save that document as "
            f"{self.root.name}/{name or 'schema.xsd'}, and it is used in its place"
        )

    def _refuse_loops(self, path: Path, above: tuple[Path, ...]) -> None:
        """Depth-first over what may not lead back to itself; at most MOST_DOCUMENTS deep, each edge set walked once."""
        done: set[Path] = set()

        def visit(here: Path, way: tuple[Path, ...]) -> None:
            if here in way:
                names = " → ".join(self._shown(each) for each in (*way[way.index(here) :], here))
                raise ContractError(f"the imports of {self.wsdl.name} lead back to where they began: {names}")
            if here in done:
                return
            for target, may_loop in self._imports[here]:
                if not may_loop:
                    visit(target, (*way, here))
            done.add(here)

        for each in (path, *self._imports):
            visit(each, above)

    def _shown(self, path: Path) -> str:
        return str(path.relative_to(self.root)) if path.is_relative_to(self.root) else path.name


def _parser() -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
