"""What a mapping takes of its provider's contract, leaf by leaf."""

import json
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from adapters.kit.contract import Contract, ContractError, leaves
from adapters.kit.openapi import read_openapi
from adapters.soap.inferring import read_wsdl
from adapters.soap.inferring_samples import outline
from adapters.soap.xml import UnreadableXmlError
from gateway.mapping.document import Call, Field, Form, MappingDocument, Protocol, Sent
from gateway.wiring.kit_run import Adapter
from gateway.wiring.kit_samples import Body, Sample

MAPPED, LOST, MISSING = "mapped", "lost", "missing"
"""Taken; not taken; taken, but in no sample."""
_ENVELOPE = 3
"""Envelope, Body and the answer's element stand above an answer's fields."""


class LeafState(Struct, frozen=True, kw_only=True):
    """What becomes of one leaf. side: request or answer. reason: of one that is lost."""

    operation: str
    side: str
    path: str
    state: str
    reason: str = ""


class _Taken(Struct, frozen=True, kw_only=True):
    """Paths that a call takes. whole: those whose inside is taken as it is. ignored: known, and not wanted."""

    request: frozenset[str]
    answer: frozenset[str]
    whole: frozenset[str]
    ignored: frozenset[str]

    def joined(self, other: "_Taken") -> "_Taken":
        """What either takes."""
        return _Taken(
            request=self.request | other.request,
            answer=self.answer | other.answer,
            whole=self.whole | other.whole,
            ignored=self.ignored | other.ignored,
        )


def leaf_states(adapter: Adapter, samples: list[Sample]) -> list[LeafState]:
    """Every leaf of the operations that the mapping calls; by the contract, or by the samples where there is none."""
    document = adapter.mapping.document
    contract = find_contract(adapter)
    seen = _seen(document, samples)
    calls: dict[str, tuple[Call, _Taken, set[str]]] = {}
    for operation in document.operation:
        for call in operation.call:
            name = _label(contract, operation.path, call)
            taken, there = _taken(document, call), set(seen.get(operation.path, ()))
            if name in calls:  # several operations ask the same of the provider: what any of them takes is taken
                taken, there = calls[name][1].joined(taken), calls[name][2] | there
            calls[name] = (call, taken, there)
    return [
        state for name, (call, taken, there) in calls.items() for state in _states(contract, name, call, taken, there)
    ]


def _label(contract: Contract | None, path: str, call: Call) -> str:
    """What a call is named by: the provider's operation; where no contract tells them apart, the service's."""
    if call.operation is not None:
        return call.operation
    return f"{call.method} {call.path}" if contract is not None else f"{path or '/'} ({call.method} {call.path})"


def _states(contract: Contract | None, name: str, call: Call, taken: _Taken, there: set[str]) -> Iterator[LeafState]:
    for side, path, lost in _paths(contract, call, there):
        state, reason = _state(side, path, lost, taken)
        if state == MAPPED and side == "answer" and path not in there:
            state = MISSING
        yield LeafState(operation=name, side=side, path=path, state=state, reason=reason)


def find_contract(adapter: Adapter) -> Contract | None:
    """The WSDL of the mapping, or the OpenAPI document that lies with it. Raises ContractError."""
    said = adapter.mapping.document.contract
    if said.protocol is Protocol.SOAP:
        return read_wsdl(adapter.mapping.contract_file(said.wsdl or ""), adapter.mapping.contract_root)
    for file in sorted(adapter.layout.contracts.glob("*.json")):
        try:
            return read_openapi(json.loads(file.read_bytes()), file.name)
        except (ContractError, ValueError):
            continue
    return None


def _paths(contract: Contract | None, call: Call, seen: set[str]) -> Iterator[tuple[str, str, str]]:
    """(side, path, why the contract itself cannot be carried)."""
    called = (call.operation,) if call.operation is not None else (call.method, call.path)
    there = () if contract is None else contract.operations
    named = [each for each in there if called in {(each.name,), (each.method, each.path)}]
    found = named[0] if named else None
    if found is None:
        yield from (("answer", path, "") for path in sorted(seen))
        return
    for side, fields in (("request", found.request), ("answer", found.answer)):
        for leaf in leaves(fields):
            yield side, leaf.path.replace("[]", "").replace("/#text", ""), leaf.lost


def _state(side: str, path: str, lost: str, taken: _Taken) -> tuple[str, str]:
    """Whether a leaf is taken, and why not."""
    if _is_taken(path, taken.request if side == "request" else taken.answer, taken.whole):
        return MAPPED, ""
    return LOST, lost or ("ignored on purpose" if path in taken.ignored else "not in the mapping")


def _is_taken(path: str, taken: frozenset[str], whole: frozenset[str]) -> bool:
    inside = path + "/"
    return (
        path in taken
        or any(one.startswith(inside) for one in taken)
        or any(path.startswith(f"{one}/") for one in whole)
    )


# -- what a mapping takes ----------------------------------------------------------------------------------------------


def _taken(document: MappingDocument, call: Call) -> _Taken:
    answer: set[str] = set()
    whole: set[str] = set()
    ignored: set[str] = set()
    for name, above in ((call.shape, call.items), (call.whole, "")):
        if name is not None:
            _shape(document, name, above, (answer, whole, ignored), ())
    answer |= {keep.from_ for keep in call.keep}
    answer |= {call.updated_at} if call.updated_at else set()
    for rule in (*call.outcome, *document.outcome):
        answer |= {each.strip("/") for each in (rule.missing, rule.field) if each}
    request: set[str] = set()
    for name in call.request:
        request |= set(_sent(document, document.request[name].fields, ""))
    return _Taken(
        request=frozenset(request), answer=frozenset(answer), whole=frozenset(whole), ignored=frozenset(ignored)
    )


def _shape(
    document: MappingDocument, name: str, above: str, found: tuple[set[str], set[str], set[str]], way: tuple[str, ...]
) -> None:
    if name in way:
        return
    shape = document.shape[name]
    found[2].update(_below(above, each) for each in shape.ignore)
    for field in shape.fields:
        for path in _sources(field, above):
            if field.shape is not None:
                _shape(document, field.shape, path, found, (*way, name))
            else:
                found[0].add(path)
                if field.as_ is Form.ANY:
                    found[1].add(path)


def _sources(field: Field, above: str) -> Iterator[str]:
    if field.asked is not None or field.value is not None:
        return
    for base in (field.from_ or "", field.else_from):
        if base is None:
            continue
        start = base.strip("/") if base.startswith("/") else _below(above, base)
        if not field.parts:
            yield start
        for part in field.parts.values():
            yield _below(start, part)
        if field.parts and field.otherwise is not None:
            yield start


def _sent(document: MappingDocument, fields: tuple[Sent, ...], above: str) -> Iterator[str]:
    for sent in fields:
        path = _below(above, sent.to)
        if sent.group is not None and sent.group in document.request:
            yield from _sent(document, document.request[sent.group].fields, path)
        else:
            yield path


def _below(above: str, path: str) -> str:
    return f"{above}/{path}".strip("/")


# -- what samples hold -------------------------------------------------------------------------------------------------


def _seen(document: MappingDocument, samples: list[Sample]) -> dict[str, set[str]]:
    """Operation's path → paths of the fields that have a value in some sample."""
    found: dict[str, set[str]] = {each.path: set() for each in document.operation}
    for sample in samples:
        for body in sample.answers:
            found.setdefault(sample.said.path, set()).update(_values(body))
    return found


def _values(body: Body) -> Iterator[str]:
    if body.is_xml:
        try:
            for path in outline(body.data):
                yield "/".join(path.split("/")[_ENVELOPE:])
        except UnreadableXmlError:
            return
        return
    found: list[str] = []

    def visit(way: tuple[str, ...], _: str) -> None:
        found.append("/".join(way))

    try:
        _walk(json.loads(body.data), visit)
    except ValueError:
        return
    yield from found


def _walk(document: Any, visit: Any, way: tuple[str, ...] = ()) -> None:
    """Visit every value; lists add nothing to the way."""
    if isinstance(document, dict):
        for name, value in document.items():
            _walk(value, visit, (*way, name))
    elif isinstance(document, list):
        for value in document:
            _walk(value, visit, way)
    elif document is not None:
        visit(way, "")
