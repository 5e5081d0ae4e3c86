"""From the answers to the form: each element with where it comes from, what must still be asked, what differs.

An element takes its value from the first source in order that has one. Where none has, it says why: the outcome of
the first source that was asked. What the citizen declared stands in only where no source has a value, and is marked so.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from gateway.model.ids import RecordId
from gateway.model.instant import Instant, plus, rfc3339
from gateway.model.outcomes import SUCCESSES, Outcome
from gateway.model.pointer import Pointer, parse_pointer
from gateway.onceonly.differences import same
from gateway.onceonly.plan import Call
from gateway.onceonly.procedure import Element
from gateway.onceonly.request import PrefillRequest

DECLARED = "declared"
"""Source and confidence of what only the citizen says."""


class CallResult(Struct, frozen=True, kw_only=True):
    """What came of a call.

    document: the minimised answer. granted: pointers that the grant names, or ``("*",)``. reason: an error's code.
    confidence: signed_by_source, tls_source or cached. receipt: the answer's record. retry_after: seconds.
    """

    outcome: Outcome
    document: Any | UnsetType = UNSET
    granted: tuple[str, ...] = ()
    source_updated_at: Instant | None = None
    retrieved_at: Instant
    confidence: str = "tls_source"
    receipt: RecordId | None = None
    reason: str | None = None
    retry_after: int | None = None


class Filled(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An element as the answer has it; members as in protocols.md §6. retry_after: seconds, where it may help."""

    outcome: Outcome
    value: Any | UnsetType = UNSET
    source: str | None = None
    source_updated_at: str | None = None
    retrieved_at: str | None = None
    fresh_until: str | None = None
    confidence: str | None = None
    receipt: str | None = None
    reason: str | None = None
    retry_after: int | None = None


class Discrepancy(Struct, frozen=True):
    """Two that do not say the same of an element; never what they say."""

    element: str
    between: tuple[str, str]


class PrefillResult(Struct, frozen=True, kw_only=True):
    """The answer, without its bundle.

    complete: every required element that a source can give has a value. ask_citizen: required elements without a
    value. not_typed: elements that came from a source and that the request did not hold: what once-only saved.
    """

    procedure: str
    case: str
    complete: bool
    elements: dict[str, Filled]
    ask_citizen: tuple[str, ...]
    discrepancies: tuple[Discrepancy, ...]
    not_typed: int


class _Answer(Struct, frozen=True):
    """One source's word on an element. value: UNSET where it has none."""

    call: Call
    result: CallResult
    value: Any | UnsetType
    denied: bool


def assemble(request: PrefillRequest, calls: tuple[Call, ...], results: Mapping[str, CallResult]) -> PrefillResult:
    """Fill the form. results: by ``Call.id``; a call without one is taken as UNAVAILABLE."""
    elements: dict[str, Filled] = {}
    discrepancies: list[Discrepancy] = []
    ask, complete, not_typed = [], True, 0
    by_id = {call.id: call for call in calls}
    for name, role, element in _form(request):
        answers = list(_answers(element, role, by_id, results))
        filled = elements[name] = _fill(request, role, element, answers)
        discrepancies += _discrepancies(request, name, role, element, answers)
        if filled.value is UNSET:
            ask += [name] if element.required else []
            complete = complete and not (element.required and element.sources)
        elif filled.confidence != DECLARED and element.name not in request.people[role].given:
            not_typed += 1
    return PrefillResult(
        procedure=request.procedure.code,
        case=request.case,
        complete=complete,
        elements=elements,
        ask_citizen=tuple(ask),
        discrepancies=tuple(discrepancies),
        not_typed=not_typed,
    )


def arrived(request: PrefillRequest, call: Call, result: CallResult) -> dict[str, Filled]:
    """The elements that one answer gives by itself, for those who want each as it arrives.

    Only those of which its source is the first choice: others may still come to have another value.
    """
    found = {}
    for name, role, element in _form(request):
        if role == call.role and element.sources and element.sources[0].lookup == call.lookup:
            answers = list(_answers(element, role, {call.id: call}, {call.id: result}))
            filled = _fill(request, role, element, answers)
            if filled.value is not UNSET and filled.confidence != DECLARED:
                found[name] = filled
    return found


def _form(request: PrefillRequest) -> Iterator[tuple[str, str, Element]]:
    for role in request.procedure.role:
        if role in request.people:
            for element in request.procedure.element:
                if role in element.roles:
                    yield f"{role}.{element.name}", role, element


def _answers(
    element: Element, role: str, calls: Mapping[str, Call], results: Mapping[str, CallResult]
) -> Iterator[_Answer]:
    for source in element.sources:
        call = calls.get(f"{role}.{source.lookup}")
        if call is None:
            continue
        result = results.get(call.id)
        if result is None:
            result = CallResult(outcome=Outcome.UNAVAILABLE, retrieved_at=Instant(0), reason="no answer in time")
        pointer = parse_pointer(source.pointer)
        value = UNSET
        if result.outcome in SUCCESSES and result.document is not UNSET:
            value = next((found for found in pointer.values(result.document) if found is not None), UNSET)
        yield _Answer(call, result, value, not _granted(pointer, result.granted))


def _granted(pointer: Pointer, granted: tuple[str, ...]) -> bool:
    return granted == ("*",) or any(pointer.related(parse_pointer(text)) for text in granted)


def _fill(request: PrefillRequest, role: str, element: Element, answers: list[_Answer]) -> Filled:
    chosen = next((answer for answer in answers if answer.value is not UNSET), None)
    if chosen is not None:
        return _found(element, chosen)
    declared = request.people[role].declared
    if not answers:
        reason = "not enough is known to ask" if element.sources else "only the citizen knows it"
        if element.name in declared:
            return Filled(outcome=Outcome.FOUND, value=declared[element.name], source=DECLARED, confidence=DECLARED)
        return Filled(outcome=Outcome.NOT_FOUND, reason=reason)
    failed = _failed(answers[0])
    if element.name not in declared:
        return failed
    return Filled(
        outcome=failed.outcome,
        value=declared[element.name],
        source=DECLARED,
        confidence=DECLARED,
        reason=failed.reason,
        retry_after=failed.retry_after,
    )


def _found(element: Element, answer: _Answer) -> Filled:
    result = answer.result
    updated = result.source_updated_at
    return Filled(
        outcome=Outcome.FOUND,
        value=answer.value,
        source=str(answer.call.service),
        source_updated_at=None if updated is None else rfc3339(updated),
        retrieved_at=rfc3339(result.retrieved_at),
        fresh_until=rfc3339(plus(result.retrieved_at, element.fresh_hours * 3600)),
        confidence=result.confidence,
        receipt=result.receipt,
    )


def _failed(answer: _Answer) -> Filled:
    """Why a source has no value: its outcome, or, where it found the person, that it holds or may give none."""
    result = answer.result
    outcome, reason = result.outcome, result.reason
    if outcome in SUCCESSES:
        outcome = Outcome.DENIED if answer.denied else Outcome.NOT_FOUND
        reason = "not granted" if answer.denied else "the source holds no value"
    return Filled(
        outcome=outcome,
        source=str(answer.call.service),
        retrieved_at=rfc3339(result.retrieved_at) if result.retrieved_at else None,
        receipt=result.receipt,
        reason=reason,
        retry_after=result.retry_after,
    )


def _discrepancies(
    request: PrefillRequest, name: str, role: str, element: Element, answers: list[_Answer]
) -> Iterator[Discrepancy]:
    have = [answer for answer in answers if answer.value is not UNSET]
    if not have:
        return
    first = have[0]
    for other in have[1:]:
        if not same(first.value, other.value, element.compare):
            yield Discrepancy(name, (str(first.call.service), str(other.call.service)))
    person = request.people[role]
    said = person.declared.get(element.name, person.given.get(element.name))
    if said is not None and not same(first.value, said, element.compare):
        yield Discrepancy(name, (str(first.call.service), DECLARED))
