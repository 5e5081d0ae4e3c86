"""Operations of a service that has no WSDL of its own, spoken in elements of the service's namespace."""

from collections.abc import Sequence
from typing import Any

from lxml import etree
from msgspec import Struct

from adapters.soap.schema_xsd import Root, schema_of
from adapters.soap.translate_read import Reader, ReaderCompiler
from adapters.soap.translate_shapes import MisfitError, Shape, Shapes
from adapters.soap.translate_write import WriterCompiler
from adapters.soap.wsdl_made import MadeOperation, made_wsdl
from adapters.soap.xml import Element, UnreadableXmlError, parse
from gateway.model.errors import ExchangeError
from gateway.model.errors.request import SCHEMA_MISMATCH
from gateway.model.ids import ServiceId, encode


class Spoken(Struct, frozen=True, kw_only=True):
    """An operation. element: of its request, local name. asked, given: shapes of request and answer."""

    element: str
    asked: Shape
    asked_nil: bool = False
    given: Shape
    given_nil: bool = False


def namespace_of(service: ServiceId) -> str:
    """The namespace of a service's elements: ``urn:motlan:service:instance/class/member/subsystem/service``."""
    return f"urn:motlan:service:{encode(service)}"


class MadeElements:
    """Reads and writes the elements of operations, and describes them as a WSDL. name: an NCName for the service."""

    def __init__(self, namespace: str, name: str, operations: Sequence[Spoken], shapes: Shapes) -> None:
        self._namespace = namespace
        self._name = name
        self._operations = operations
        readers, writers = ReaderCompiler(shapes), WriterCompiler(shapes, {namespace: ""})
        self._read = {
            self.tag(each.element): readers.compile(each.asked, nillable=each.asked_nil) for each in operations
        }
        self._write = {
            self.tag(each.element): writers.root(
                self.tag(f"{each.element}Response"), each.given, nillable=each.given_nil
            )
            for each in operations
        }
        self._shapes = shapes

    def tag(self, name: str) -> str:
        """``{namespace}name`` of an element."""
        return f"{{{self._namespace}}}{name}"

    def opened(self, payload: bytes) -> tuple[Element, Reader]:
        """A request element and its reader. Raises ExchangeError(SCHEMA_MISMATCH)."""
        element = opened(payload)
        reader = self._read.get(element.tag)
        if reader is None:
            raise misfit(MisfitError("unknown"))
        return element, reader

    def payload(self, element: str, document: Any) -> bytes:
        """The answer element to a request element. Raises ValueError, naming places."""
        writer = self._write.get(element)
        if writer is None:
            raise ValueError("the service has no such operation")
        try:
            return writer(document)
        except MisfitError as error:
            raise ValueError(f"the answer does not fit at {error.place}") from None

    def wsdl(self, address: str) -> bytes:
        """The service's WSDL."""
        roots = [root for each in self._operations for root in _roots(each)]
        schema = schema_of(self._namespace, roots, self._shapes)
        made = [MadeOperation(element=each.element) for each in self._operations]
        return made_wsdl(self._namespace, self._name, made, schema, address)


def _roots(spoken: Spoken) -> tuple[Root, Root]:
    return (
        Root(name=spoken.element, shape=spoken.asked, nillable=spoken.asked_nil),
        Root(name=f"{spoken.element}Response", shape=spoken.given, nillable=spoken.given_nil),
    )


def _parser() -> etree.XMLParser:
    """For what has no markup but elements and character data, of which nothing needs to be left out; for one document,
    since one that is used in several threads keeps what each of them has read.
    """
    return etree.XMLParser(encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)


def opened(payload: bytes) -> Element:
    """An element out of its bytes. Raises ExchangeError(SCHEMA_MISMATCH)."""
    if b"<!" not in payload and b"<?" not in payload:  # as canonical XML is: a third of the time
        try:
            return etree.fromstring(payload, _parser())
        except (etree.XMLSyntaxError, ValueError):
            pass
    try:
        return parse(payload)
    except UnreadableXmlError as error:
        raise ExchangeError(SCHEMA_MISMATCH, str(error)) from None


def read(reader: Reader, element: Element) -> Any:
    """An element's value. Raises ExchangeError(SCHEMA_MISMATCH) with the place that does not fit."""
    try:
        return reader(element)
    except MisfitError as error:
        raise misfit(error) from None


def misfit(error: MisfitError) -> ExchangeError:
    """The error that callers read."""
    return ExchangeError(SCHEMA_MISMATCH, error.place, parts=(error.place,))
