"""A service that is described by JSON Schemas, spoken over SOAP: its operations as elements of its own namespace.

The request element of an operation is named after the service, ``citizen`` or ``citizenVerify`` (X-Road Message
Protocol v4.0, §2.3: the body's element begins with the service code), the answer's is that with ``Response``. What a
value looks like in both notations: ``adapters.soap.translate_shapes``.
"""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from adapters.soap.interface_made import MadeElements, Spoken, namespace_of, read
from adapters.soap.schema_shapes import SchemaShapes
from adapters.soap.translate_names import element_name
from adapters.soap.translate_shapes import JsonText, Shape
from gateway.model.ids import ServiceId


class JsonOperation(Struct, frozen=True, kw_only=True):
    """An operation. path, query: the service's own, raw. request, answer: ``$id`` of its schemas; None: JSON text."""

    path: str = ""
    method: str = "POST"
    query: str | None = None
    request: str | None = None
    answer: str | None = None


class JsonService(Struct, frozen=True, kw_only=True):
    """What a service described by JSON Schemas takes and gives.

    documents: ``$id`` → parsed schema, of all that these refer to. operations: suffix of the element → operation.
    """

    service: ServiceId
    documents: Mapping[str, Any] = {}
    operations: Mapping[str, JsonOperation]


class JsonInterface:
    """``gateway.ports.Interface`` of such a service. Raises ValueError for schemas that cannot be used."""

    def __init__(self, chosen: JsonService) -> None:
        namespace = namespace_of(chosen.service)
        base = element_name(chosen.service.service_code)
        shapes: dict[str, Shape] = {}
        requests = SchemaShapes(chosen.documents, namespace, shapes, answers=False)
        answers = SchemaShapes(chosen.documents, namespace, shapes, answers=True)
        named = {operation_element(base, suffix): operation for suffix, operation in chosen.operations.items()}
        spoken = []
        for name, operation in named.items():
            asked, asked_nil = _shape(chosen, operation.request, requests)
            given, given_nil = _shape(chosen, operation.answer, answers)
            spoken.append(Spoken(element=name, asked=asked, asked_nil=asked_nil, given=given, given_nil=given_nil))
        self._elements = MadeElements(namespace, base, spoken, shapes)
        self._operations = {self._elements.tag(name): operation for name, operation in named.items()}

    def called(self, element: str, payload: Callable[[], bytes]) -> tuple[str, str, str | None] | None:
        """Method, path and query of an operation; None: there is no such one."""
        del payload
        operation = self._operations.get(element)
        return None if operation is None else (operation.method, operation.path, operation.query)

    def document(self, payload: bytes) -> Any | UnsetType:
        """A request element as JSON; UNSET for an empty one of a service without a schema.

        Raises ExchangeError(SCHEMA_MISMATCH).
        """
        element, reader = self._elements.opened(payload)
        if self._operations[element.tag].request is None and not len(element) and not (element.text or "").strip():
            return UNSET
        return read(reader, element)

    def payload(self, element: str, document: Any) -> bytes:
        """The answer element to a request element. Raises ValueError."""
        return self._elements.payload(element, document)

    def wsdl(self, address: str) -> bytes:
        """Its WSDL, made of its schemas."""
        return self._elements.wsdl(address)


def operation_element(base: str, suffix: str) -> str:
    """The local name of an operation's request element."""
    return element_name(base + suffix[:1].upper() + suffix[1:]) if suffix else base


def _shape(chosen: JsonService, schema: str | None, compiler: SchemaShapes) -> tuple[Shape, bool]:
    return (JsonText(), False) if schema is None else compiler.compile(chosen.documents[schema], schema)
