"""A SOAP service by its provider's WSDL: its elements pass as they are, and have a form in JSON for everybody else.

REST consumers call ``POST …/service/OperationName``; where the service has one operation, or one of the service's own
name, also without a path. Documents are objects of the element's children by their local names, attributes ``@name``,
text beside attributes ``#text``; what repeats is an array; nil is null; what the schema leaves open is XML as text.
"""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct, UnsetType

from adapters.soap.inferring_files import Documents
from adapters.soap.interface_made import misfit, opened, read
from adapters.soap.schema_json import json_schema
from adapters.soap.translate_read import Reader, ReaderCompiler
from adapters.soap.translate_shapes import Items, MisfitError, Named, Record, Shape, Shapes
from adapters.soap.translate_write import WriterCompiler
from adapters.soap.wsdl_document import Side, WsdlContract, WsdlOperation
from adapters.soap.wsdl_index import SchemaError
from adapters.soap.wsdl_served import served_wsdl
from adapters.soap.xml import Element
from gateway.model.ids import ServiceId, encode

Write = Callable[[Any], bytes]


class WsdlService(Struct, frozen=True, kw_only=True):
    """A service and its WSDL. operations: operation → path; empty: every one."""

    service: ServiceId
    documents: Documents
    operations: Mapping[str, str] = {}


class _Spoken(Struct, frozen=True, kw_only=True):
    operation: WsdlOperation
    path: str
    read_request: Reader
    write_request: Write
    read_answer: Reader | None
    write_answer: Write | None


class WsdlInterface:
    """``gateway.ports.Interface`` of such a service, and what its target needs (``adapters.soap.outbound.Elements``).

    lost: what its documents cannot carry. skipped: operations that cannot be called, and why. Raises SchemaError
    (ValueError) for a WSDL that cannot be used.
    """

    def __init__(self, chosen: WsdlService) -> None:
        contract = WsdlContract(chosen.documents)
        unknown = set(chosen.operations) - {each.name for each in contract.operations}
        if unknown:
            why = "; ".join(f"{name}: {contract.skipped.get(name, 'there is no such one')}" for name in sorted(unknown))
            raise SchemaError(f"operations that the WSDL does not offer: {why}")
        self.soap = contract.soap
        self.lost = contract.lost
        self.skipped = contract.skipped
        self._documents = chosen.documents
        self._shapes = contract.shapes
        self._id = f"urn:motlan:service:{encode(chosen.service)}"
        readers = ReaderCompiler(contract.shapes)
        used = [each for each in contract.operations if not chosen.operations or each.name in chosen.operations]
        self._by_tag: dict[str, _Spoken] = {}
        for each in used:
            spoken = _spoken(each, chosen.operations.get(each.name, f"/{each.name}"), readers, contract.shapes)
            self._by_tag.setdefault(each.request.tag, spoken)
        self._by_path = {spoken.path: spoken for spoken in self._by_tag.values()}
        usual = [each for each in self._by_tag.values() if each.operation.name == chosen.service.service_code]
        usual = usual or (list(self._by_tag.values()) if len(self._by_tag) == 1 else [])
        if usual and not chosen.operations:
            self._by_path.setdefault("", usual[0])

    # -- as consumers speak it -----------------------------------------------------------------------------------------

    def called(self, element: str, payload: Callable[[], bytes]) -> tuple[str, str, str | None] | None:
        """POST and the path of an operation; None: there is no such one."""
        del payload
        spoken = self._by_tag.get(element)
        return None if spoken is None else ("POST", spoken.path, None)

    def document(self, payload: bytes) -> Any | UnsetType:
        """A request element as JSON. Raises ExchangeError(SCHEMA_MISMATCH)."""
        element = opened(payload)
        spoken = self._by_tag.get(element.tag)
        if spoken is None:
            raise misfit(MisfitError("unknown"))
        return read(spoken.read_request, element)

    def payload(self, element: str, document: Any) -> bytes:
        """The answer element to a request element. Raises ValueError."""
        spoken = self._by_tag.get(element)
        if spoken is None or spoken.write_answer is None:
            raise ValueError("the service has no such operation, or it answers nothing")
        try:
            return spoken.write_answer(document)
        except MisfitError as error:
            raise ValueError(f"the answer does not fit at {error.place}") from None

    def wsdl(self, address: str) -> bytes:
        """The provider's WSDL with our address and the header blocks."""
        return served_wsdl(self._documents, address)

    # -- as the provider speaks it -------------------------------------------------------------------------------------

    def knows(self, operation: str) -> bool:
        """Whether an operation has that request element."""
        return operation in self._by_tag

    def request(self, path: str, document: Any) -> tuple[str, bytes] | None:
        """The request element's name, and the element made of a document; None: no operation has the path.

        Raises MisfitError.
        """
        spoken = self._by_path.get(path)
        return None if spoken is None else (spoken.operation.request.tag, spoken.write_request(document))

    def action(self, operation: str) -> str:
        """The SOAPAction of an operation; empty where it has none."""
        spoken = self._by_tag.get(operation)
        return "" if spoken is None else spoken.operation.action

    def answered(self, operation: str, element: Element) -> Any:
        """An answer element as JSON. Raises MisfitError, also for an element that is not the operation's answer."""
        spoken = self._by_tag[operation]
        answer = spoken.operation.answer
        if answer is None or spoken.read_answer is None or element.tag != answer.tag:
            raise MisfitError("unknown")
        return spoken.read_answer(element)

    # -- as JSON Schema ------------------------------------------------------------------------------------------------

    @property
    def paths(self) -> Mapping[str, str]:
        """Path → name of the operation."""
        return {path: spoken.operation.name for path, spoken in self._by_path.items()}

    def request_schema(self, path: str | None = None) -> dict[str, Any]:
        """The JSON Schema of an operation's request; None: of any operation's. Raises KeyError."""
        return self._schema(path, "request", lambda operation: operation.request)

    def response_schema(self, path: str | None = None) -> dict[str, Any]:
        """The JSON Schema of an operation's answer; None: of any operation's. Raises KeyError."""
        return self._schema(path, "answer", lambda operation: operation.answer)

    def _schema(self, path: str | None, kind: str, side: Callable[[WsdlOperation], Side | None]) -> dict[str, Any]:
        if path is not None or len(self._by_tag) == 1:
            chosen = next(iter(self._by_tag.values())) if path is None else self._by_path[path]
            return self._one(f"{self._id}:{chosen.operation.name}:{kind}", side(chosen.operation))
        every = [
            self._one(f"{self._id}:{each.operation.name}:{kind}", side(each.operation))
            for each in self._by_tag.values()
        ]
        definitions = {name: said for each in every for name, said in each.pop("$defs", {}).items()}
        for each in every:
            each.pop("$id", None)
            each.pop("$schema", None)
        made = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"{self._id}:{kind}", "anyOf": every}
        return {**made, "$defs": definitions} if definitions else made

    def _one(self, schema_id: str, side: Side | None) -> dict[str, Any]:
        if side is None:
            return {"$id": schema_id}
        return json_schema(schema_id, side.shape, self._shapes, nillable=side.nillable)


def _spoken(operation: WsdlOperation, path: str, readers: ReaderCompiler, shapes: Shapes) -> _Spoken:
    asked, told = operation.request, operation.answer
    return _Spoken(
        operation=operation,
        path=path,
        read_request=readers.compile(asked.shape, nillable=asked.nillable),
        write_request=_writer(asked, shapes),
        read_answer=None if told is None else readers.compile(told.shape, nillable=told.nillable),
        write_answer=None if told is None else _writer(told, shapes),
    )


def _writer(side: Side, shapes: Shapes) -> Write:
    prefixes: dict[str, str] = {}
    for namespace in _namespaces(side, shapes):
        prefixes.setdefault(namespace, f"n{len(prefixes)}")
    return WriterCompiler(shapes, prefixes).root(side.tag, side.shape, nillable=side.nillable)


def _namespaces(side: Side, shapes: Shapes) -> list[str]:
    """The namespaces of the elements that may stand in an element, its own first."""
    found: dict[str, None] = {}
    seen: set[str] = set()
    waiting: list[tuple[str, Shape]] = [(side.tag, side.shape)]
    while waiting:
        tag, shape = waiting.pop(0)
        if tag[0] == "{":
            found[tag[1:].rpartition("}")[0]] = None
        if isinstance(shape, Named):
            if shape.name in seen:
                continue
            seen.add(shape.name)
            waiting.append((tag, shapes[shape.name]))
        elif isinstance(shape, Record):
            waiting += [(member.tag, member.shape) for member in shape.members]
            waiting += [(tag, Named(name=key)) for _, key in shape.derived]
        elif isinstance(shape, Items):
            waiting.append((shape.item.tag, shape.item.shape))
    return list(found)
