"""Everything that is wrong with a mapping file, at once: what it names exists, and nothing is said twice."""

from collections.abc import Iterator, Sequence

from gateway.mapping.checking_calls import check_login, check_operations
from gateway.mapping.checking_fields import check_requests, check_shapes
from gateway.mapping.complaints import Complaint, Complaints, Key, Schemas
from gateway.mapping.document import FINE, STALE_SESSION, MappingDocument, Rule
from gateway.mapping.paths import is_path
from gateway.mapping.tables import span
from gateway.model.outcomes import Outcome

OUTCOMES = tuple(each.value for each in Outcome if each is not Outcome.ABANDONED)


def check(document: MappingDocument, schemas: Schemas) -> list[Complaint]:
    """What is wrong."""
    complaints = Complaints(document, schemas)
    _check_codes(complaints)
    check_requests(complaints)
    check_shapes(complaints)
    for index, asked in enumerate(document.asked):
        complaints.source(("asked", index, "element"), asked.element, pointer=True)
    check_rules(complaints, ("outcome",), document.outcome)
    for number, operation in enumerate(document.operation):
        for place, call in enumerate(operation.call):
            check_rules(complaints, ("operation", number, "call", place, "outcome"), call.outcome)
    check_operations(complaints)
    check_login(complaints)
    return complaints.all


def _check_codes(complaints: Complaints) -> None:
    for name, tables in complaints.document.codes.items():
        spans = [span(table) for table in tables]
        for later, (first, last) in enumerate(spans):
            for earlier in range(later):
                if first <= spans[earlier][1] and spans[earlier][0] <= last:
                    text = f"holds at the same time as the table {name} number {earlier + 1}"
                    complaints.add(("codes", name, later), text)


def check_rules(complaints: Complaints, path: Key, rules: Sequence[Rule]) -> None:
    """Rules have conditions, and say outcomes that exist."""
    for index, rule in enumerate(rules):
        at = (*path, index)
        if not (rule.status or rule.text or rule.fault or rule.missing is not None or rule.field is not None):
            complaints.add(at, "has no condition: status, text, fault, missing or field")
        for key, place in (("missing", rule.missing), ("field", rule.field)):
            if place is not None and not is_path(place):
                complaints.add((*at, key), "is no path: names with / between them")
        if (rule.is_ is None) == (rule.field is None or rule.contains is not None):
            complaints.add(at, "says what it means by is; or by codes or values, of a field")
        for where, word in _words(rule):
            _check_word(complaints, (*at, *where), word)
        if rule.codes is not None and complaints.known(
            (*at, "codes"), rule.codes, complaints.document.codes, "code table"
        ):
            for number, table in enumerate(complaints.document.codes[rule.codes]):
                for code, word in table.values.items():
                    _check_word(complaints, ("codes", rule.codes, number, "values", code), word)


def _words(rule: Rule) -> Iterator[tuple[Key, str]]:
    for key in ("is_", "other", "absent"):
        word = getattr(rule, key)
        if word is not None:
            yield (key.rstrip("_"),), word
    for value, word in rule.values.items():
        yield ("values", value), word


def _check_word(complaints: Complaints, path: Key, word: str) -> None:
    known = (*OUTCOMES, FINE, STALE_SESSION)
    if word not in known:
        complaints.known(path, word, known, "outcome")
    elif word == STALE_SESSION and complaints.document.login is None:
        complaints.add(path, "there is no [login], so no session can be stale")
