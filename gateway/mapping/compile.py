"""A mapping file, compiled: operations by method and path, each a row of calls."""

from typing import Any

from gateway.mapping import document as written
from gateway.mapping.asking import Written, compile_asked, compile_request
from gateway.mapping.calls import Call, Parsers, Parts
from gateway.mapping.checking import check
from gateway.mapping.complaints import Complaint, Schemas
from gateway.mapping.context import FACTS, Context
from gateway.mapping.document import Kind, MappingDocument
from gateway.mapping.judging import Answer
from gateway.mapping.paths import getter
from gateway.mapping.reading import Shapes
from gateway.mapping.tables import Codes
from gateway.mapping.values import AnswerError
from gateway.mapping.values import text as text_of
from gateway.model.outcomes import Outcome


class MappingError(ValueError):
    """The mapping is wrong. complaints: everything that is."""

    def __init__(self, complaints: list[Complaint]) -> None:
        super().__init__("\n".join(str(each) for each in complaints))
        self.complaints = complaints


class Operation:
    """Something that callers of the service can do."""

    def __init__(self, operation: written.Operation, parts: Parts) -> None:
        self.path, self.method = operation.path, operation.method
        self.is_write = operation.kind is Kind.WRITE
        self.idempotent = operation.idempotent
        self.timeout_seconds = operation.timeout_seconds
        success = operation.success or (Outcome.DONE if self.is_write else Outcome.FOUND)
        self.calls = tuple(Call(call, parts, write=self.is_write, success=success) for call in operation.call)
        self.check = compile_asked(parts.file.asked, operation.needs)
        """(request document, context): raises UnfitError for what cannot be asked."""


class Login:
    """How a session is opened."""

    def __init__(self, login: written.Login, parts: Parts) -> None:
        self.path = login.path
        self.lifetime_seconds = login.lifetime_seconds
        self._fill = compile_request(login.request, parts.file.request, parts.codes)
        self._session = getter(login.session)
        self._error = getter(login.error) if login.error is not None else None
        self._fine = frozenset(login.fine)

    def body(self, context: Context) -> dict[str, Any]:
        """What is sent. context: with ``user`` and ``secret``."""
        made = Written()
        self._fill(made, context.document, context)
        return made.body

    def session(self, tree: Any) -> str | None:
        """The session out of the answer; None where it says that there is none."""
        try:
            if self._error is not None and (text_of(self._error(tree, tree)) or "") not in self._fine:
                return None
            return text_of(self._session(tree, tree))
        except AnswerError:
            return None


class Mapping:
    """A compiled mapping. contract: as written. login: None without sessions."""

    def __init__(self, document: MappingDocument, parsers: Parsers) -> None:
        codes = {name: Codes(tables) for name, tables in document.codes.items()}
        parts = Parts(file=document, codes=codes, shapes=Shapes(document.shape, codes), parsers=parsers)
        self.document = document
        self.contract = document.contract
        self.login = Login(document.login, parts) if document.login is not None else None
        self.parsers = parsers
        self.facts = _facts(document)
        """Names of the facts that requests are made of."""
        self._operations = {(each.method, each.path): Operation(each, parts) for each in document.operation}

    @property
    def operations(self) -> tuple[Operation, ...]:
        """All of them."""
        return tuple(self._operations.values())

    def operation(self, path: str, method: str = "POST") -> Operation | None:
        """What callers call by this path; a single slash is no path."""
        return self._operations.get((method, "" if path == "/" else path))


def _facts(document: MappingDocument) -> frozenset[str]:
    named: set[str] = set()
    for part in document.request.values():
        for sent in part.fields:
            named.update([sent.from_ or "", sent.else_from or "", *sent.join, *sent.when, *sent.unless])
    for operation in document.operation:
        for call in operation.call:
            named.update([*call.when, *call.unless])
            for compared in call.compare:
                named.update([compared.asked, *compared.when, *compared.unless])
    return frozenset(named) & frozenset(FACTS)


def compile_mapping(document: MappingDocument, schemas: Schemas, parsers: Parsers) -> Mapping:
    """Check and compile. Raises MappingError with everything that is wrong."""
    complaints = check(document, schemas)
    if complaints:
        raise MappingError(complaints)
    return Mapping(document, parsers)


__all__ = ["Answer", "Login", "Mapping", "MappingError", "Operation", "Parsers", "Schemas", "compile_mapping"]
