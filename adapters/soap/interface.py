"""A service that is described by JSON Schemas, spoken over SOAP: its operations as elements of its own namespace.

The request element of an operation is named after the service, ``citizen`` or ``citizenVerify`` (X-Road Message
Protocol v4.0, §2.3: the body's element begins with the service code), the answer's is that with ``Response``. What a
value looks like in both notations: ``adapters.soap.translate_shapes``.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import UNSET, Struct, UnsetType, field

from adapters.soap.interface_made import MadeElements, Spoken, namespace_of, read
from adapters.soap.schema_shapes import SchemaShapes
from adapters.soap.translate_names import element_name
from adapters.soap.translate_shapes import JsonText, Shape
from gateway.model.ids import ServiceId

ONLY = {"": ""}
"""The operations of a service that has one."""


class JsonService(Struct, frozen=True, kw_only=True):
    """What a service described by JSON Schemas takes and gives.

    documents: ``$id`` → parsed schema, of all that these refer to. request, answer: the ``$id`` of its schemas; None
    where it has none, then its values are JSON text. operations: suffix of the element → path, or ``METHOD path``.
    """

    service: ServiceId
    documents: Mapping[str, Any] = {}
    request: str | None = None
    answer: str | None = None
    operations: Mapping[str, str] = field(default_factory=lambda: dict(ONLY))


class JsonInterface:
    """``gateway.ports.Interface`` of such a service. Raises ValueError for schemas that cannot be used."""

    def __init__(self, chosen: JsonService) -> None:
        namespace = namespace_of(chosen.service)
        base = element_name(chosen.service.service_code)
        shapes: dict[str, Shape] = {}
        asked, asked_nil = _shape(chosen, chosen.request, namespace, shapes, answers=False)
        given, given_nil = _shape(chosen, chosen.answer, namespace, shapes, answers=True)
        calls = {operation_element(base, suffix): _call(path) for suffix, path in chosen.operations.items()}
        spoken = [
            Spoken(element=name, asked=asked, asked_nil=asked_nil, given=given, given_nil=given_nil) for name in calls
        ]
        self._elements = MadeElements(namespace, base, spoken, shapes)
        self._calls = {self._elements.tag(name): call for name, call in calls.items()}
        self._untyped = chosen.request is None

    def called(self, element: str, payload: bytes) -> tuple[str, str, str | None] | None:
        """Method, path and query of an operation; None: there is no such one."""
        del payload
        return self._calls.get(element)

    def document(self, payload: bytes) -> Any | UnsetType:
        """A request element as JSON; UNSET for an empty one of a service without a schema.

        Raises ExchangeError(SCHEMA_MISMATCH).
        """
        element, reader = self._elements.opened(payload)
        if self._untyped and not len(element) and not (element.text or "").strip():
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


def _call(path: str) -> tuple[str, str, str | None]:
    method, _, rest = path.rpartition(" ")
    path, mark, query = rest.partition("?")
    return method.strip() or "POST", path, query if mark else None


def _shape(
    chosen: JsonService, schema: str | None, namespace: str, shapes: dict[str, Shape], *, answers: bool
) -> tuple[Shape, bool]:
    if schema is None:
        return JsonText(), False
    compiler = SchemaShapes(chosen.documents, namespace, shapes, answers=answers)
    return compiler.compile(chosen.documents[schema], schema)
