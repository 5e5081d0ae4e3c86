"""What a prefill is asked for (protocols.md §6), parsed and checked against its procedure."""

import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from gateway.model.errors import ExchangeError
from gateway.model.errors import request as kinds
from gateway.onceonly.procedure import INPUTS, Procedure

_FORMS = {
    "identity_number": re.compile(r"[0-9]{12}"),
    "full_name": re.compile(r".{1,100}"),
    "birth_date": re.compile(r"[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?"),
}
_TOP = {"procedure", "people", "case", "basis", "consent", "declared", "deadline_ms"}
_PERSON = {*INPUTS, "declared"}
_LONGEST_MS = 120_000


class Person(Struct, frozen=True, kw_only=True):
    """Somebody in a role. given: what is known to look them up by. declared: element name → what the citizen says."""

    given: Mapping[str, str]
    declared: Mapping[str, Any]


class PrefillRequest(Struct, frozen=True, kw_only=True):
    """A checked request. deadline_ms: None where the caller sets none."""

    procedure: Procedure
    people: Mapping[str, Person]
    case: str
    basis: str
    deadline_ms: int | None = None


def parse_request(document: Any, procedures: Mapping[str, Procedure]) -> PrefillRequest:
    """Check a parsed body. procedures: by code.

    Raises ExchangeError: schema_mismatch naming every wrong place, unknown_procedure, consent_unsupported.
    """
    if not isinstance(document, dict):
        raise ExchangeError(kinds.SCHEMA_MISMATCH, "/ type", parts=("/ type",))
    if "consent" in document:
        raise ExchangeError(kinds.CONSENT_UNSUPPORTED)
    code = document.get("procedure")
    if not isinstance(code, str):
        raise ExchangeError(kinds.SCHEMA_MISMATCH, "/procedure type", parts=("/procedure type",))
    procedure = procedures.get(code)
    if procedure is None:
        raise ExchangeError(kinds.UNKNOWN_PROCEDURE)
    wrong = [f"/{name} unknown" for name in sorted(document.keys() - _TOP) if isinstance(name, str)]
    wrong += _wrong_top(document, procedure)
    people = _people(document, procedure, wrong)
    if wrong:
        raise ExchangeError(kinds.SCHEMA_MISMATCH, "; ".join(wrong[:20]), parts=tuple(wrong[:20]))
    return PrefillRequest(
        procedure=procedure,
        people=people,
        case=document["case"],
        basis=document.get("basis", procedure.basis),
        deadline_ms=document.get("deadline_ms"),
    )


def _wrong_top(document: dict[str, Any], procedure: Procedure) -> list[str]:
    wrong = []
    case, basis, deadline = document.get("case"), document.get("basis", procedure.basis), document.get("deadline_ms", 1)
    if not isinstance(case, str) or not 0 < len(case) <= 100:  # noqa: PLR2004 - X-Road-Issue's length here
        wrong.append("/case form")
    if basis != procedure.basis:
        wrong.append("/basis is not the procedure's")
    if not isinstance(deadline, int) or isinstance(deadline, bool) or not 0 < deadline <= _LONGEST_MS:
        wrong.append("/deadline_ms form")
    return wrong


def _people(document: dict[str, Any], procedure: Procedure, wrong: list[str]) -> dict[str, Person]:
    given = document.get("people")
    declared = document.get("declared", {})
    if not isinstance(given, dict) or not isinstance(declared, dict):
        wrong.append("/people type" if not isinstance(given, dict) else "/declared type")
        return {}
    wrong += ["/people unknown role" for role in given if role not in procedure.role]
    wrong += [f"/people/{name} missing" for name, role in procedure.role.items() if role.required and name not in given]
    people = {}
    for name in procedure.role:
        said = {key.partition(".")[2]: value for key, value in declared.items() if key.partition(".")[0] == name}
        if name in given:
            people[name] = _person(name, given[name], said, procedure, wrong)
        elif said or not any(name in lookup.roles for lookup in procedure.lookup.values()):
            people[name] = Person(given={}, declared=said)  # nobody to look up: the citizen is asked all of it
    wrong += ["/declared unknown role" for key in declared if key.partition(".")[0] not in procedure.role]
    return people


def _person(role: str, given: Any, said: dict[str, Any], procedure: Procedure, wrong: list[str]) -> Person:
    place = f"/people/{role}"
    if not isinstance(given, dict) or not isinstance(given.get("declared", {}), dict):
        wrong.append(f"{place} type")
        return Person(given={}, declared={})
    if given.keys() - _PERSON:
        wrong.append(f"{place} unknown member")
    for name in INPUTS:
        value = given.get(name)
        if name in given and (not isinstance(value, str) or not _FORMS[name].fullmatch(value)):
            wrong.append(f"{place}/{name} form")
    declared = {**said, **given.get("declared", {})}
    elements = {element.name for element in procedure.element if role in element.roles}
    if declared.keys() - elements:
        wrong.append(f"{place}/declared unknown element")
    return Person(given={name: given[name] for name in INPUTS if name in given}, declared=declared)
