"""What an answer means beside its data: the rules of a mapping, then those that hold for everybody."""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from gateway.mapping.context import Context
from gateway.mapping.document import FINE, STALE_SESSION, Rule
from gateway.mapping.paths import Tree, getter
from gateway.mapping.tables import Codes
from gateway.mapping.values import AnswerError
from gateway.mapping.values import text as text_of
from gateway.model.outcomes import SUCCESSES, Outcome

PLAIN_LIMIT = 256
"""Bytes: a plain-text refusal is short (Q11)."""
_CODE_LENGTH = 20
"""Characters of a provider's code that go into the record."""
_DENIED = frozenset({401, 403})
_TRY_LATER = frozenset({408, 425, 429, 503})
_CLIENT_ERROR, _SERVER_ERROR = 4, 5
_REFUSING = frozenset({501, 505})


class Answer(Struct, kw_only=True):
    """An answer as a target read it.

    status: of HTTP. tree: the document; None where there is none that can be read. text: a short plain text, lower case
    without white space and quotes around it. fault: code of a SOAP fault, its local part.
    """

    status: int
    tree: Tree = None
    text: str | None = None
    fault: str | None = None


class Verdict(Struct, frozen=True):
    """What a rule says. outcome: of the call; None for STALE_SESSION. code: the provider's own."""

    outcome: Outcome | None
    code: str | None = None


Judge = Callable[[Answer, Context], Verdict | None]
"""The verdict, or None: go on."""


def compile_rules(rules: tuple[Rule, ...], codes: Mapping[str, Codes]) -> Judge | None:
    """The first rule that decides; None where there are no rules."""
    compiled = [_rule(rule, codes) for rule in rules]
    if not compiled:
        return None

    def judge(answer: Answer, context: Context) -> Verdict | None:
        for each in compiled:
            verdict = each(answer, context)
            if verdict is not None and (rule_holds(verdict, answer) or verdict.outcome is None):
                return verdict
        return None

    return judge


def rule_holds(verdict: Verdict, answer: Answer) -> bool:
    """Trouble is never "not found", whatever code stands in its body."""
    return verdict.outcome is not Outcome.NOT_FOUND or not is_trouble(answer.status)


def is_trouble(status: int) -> bool:
    """Whether a status says that the provider could not do its work now."""
    return status in _TRY_LATER or status in _GATEWAYS


_GATEWAYS = frozenset({502, 504})


def meaning(word: str) -> Verdict | None:
    """The verdict of an outcome's name; None for FINE. Raises ValueError for an unknown word."""
    if word == FINE:
        return None
    return Verdict(None if word == STALE_SESSION else Outcome(word))


def _rule(rule: Rule, codes: Mapping[str, Codes]) -> Judge:
    conditions = _conditions(rule)
    decide = _field(rule, codes) if rule.field is not None else None
    fixed = meaning(rule.is_) if rule.is_ is not None else None

    def judge(answer: Answer, context: Context) -> Verdict | None:
        for holds in conditions:
            if not holds(answer):
                return None
        return decide(answer, context) if decide is not None else fixed

    return judge


def _conditions(rule: Rule) -> list[Callable[[Answer], bool]]:
    made: list[Callable[[Answer], bool]] = []
    if rule.status:
        statuses = frozenset(rule.status)
        made.append(lambda answer: answer.status in statuses or answer.status // 100 in statuses)
    if rule.text is not None:
        begins = rule.text.lower()
        made.append(lambda answer: answer.text is not None and answer.text.startswith(begins))
    if rule.fault is not None:
        code = rule.fault
        made.append(lambda answer: answer.fault is not None and answer.fault.startswith(code))
    if rule.missing is not None:
        find = getter(rule.missing)
        made.append(lambda answer: answer.tree is not None and find(answer.tree, answer.tree) in (None, "", [], {}))
    return made


def _field(rule: Rule, codes: Mapping[str, Codes]) -> Judge:
    find = getter(rule.field or "")
    table = codes.get(rule.codes or "")
    words = rule.values
    other, absent = rule.other or Outcome.REJECTED.value, rule.absent
    contains = None if rule.contains is None else rule.contains.lower()
    fixed = meaning(rule.is_) if rule.is_ is not None else None
    goes_on = frozenset(value for value, word in words.items() if word == FINE)

    def judge(answer: Answer, context: Context) -> Verdict | None:
        if answer.tree is None:
            return None
        found = find(answer.tree, answer.tree)
        if found is None and absent is None:
            return None
        written = _written(found)
        if contains is not None:
            return fixed if contains in written.lower() else None
        if written in goes_on:
            return None
        if not written:
            return None if absent is None else meaning(absent)
        said = words.get(written) or (table.on(context.day).get(written) if table is not None else None) or other
        verdict = meaning(said)
        return None if verdict is None else Verdict(verdict.outcome, written[:_CODE_LENGTH])

    return judge


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    while isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, dict) and "" in value:
        value = value[""]
    try:
        return text_of(value) or ""
    except AnswerError:
        return ""


def usual(answer: Answer, accept: frozenset[int], *, write: bool) -> Verdict | None:
    """What holds for everybody (docs/mapping.md, "outcome"). A write that may have been acted on is UNKNOWN."""
    status = answer.status
    if status in _DENIED or (answer.text is not None and answer.text.startswith("unauthorized")):
        return Verdict(Outcome.DENIED)
    if status in _TRY_LATER:
        return Verdict(Outcome.UNAVAILABLE)
    if answer.fault is not None:
        return _faulty(answer.fault, write=write)
    if status in accept and answer.tree is not None:
        return None
    if status in _REFUSING or status // 100 == _CLIENT_ERROR:
        return Verdict(Outcome.REJECTED)
    trouble = Outcome.UNAVAILABLE if status // 100 == _SERVER_ERROR else Outcome.INVALID_REPLY
    return Verdict(Outcome.UNKNOWN if write else trouble)


def _faulty(code: str, *, write: bool) -> Verdict:
    """SOAP 1.1 §4.4.1, SOAP 1.2 §5.4.6."""
    if code.partition(".")[0] in {"Client", "Sender"}:
        return Verdict(Outcome.REJECTED, code[:_CODE_LENGTH])
    return Verdict(Outcome.UNKNOWN if write else Outcome.UNAVAILABLE, code[:_CODE_LENGTH] or None)


def goes_on(verdict: Verdict) -> bool:
    """Whether the answer is read on: a success of another name."""
    return verdict.outcome in SUCCESSES
