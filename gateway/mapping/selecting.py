"""Who is answered must be who was asked: comparing the items of an answer with the request."""

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from gateway.mapping.comparing import same_name
from gateway.mapping.context import Context, condition, is_nothing, pointed, source
from gateway.mapping.document import Compared, CompareForm, Differs
from gateway.mapping.values import AnswerError, Document
from gateway.model.dates import DateMatch, PartialDate, parse_date
from gateway.model.outcomes import Outcome
from gateway.model.text import fold


class Choice(Struct, frozen=True):
    """What came of it. item: the one that is meant, with outcome FOUND or MISMATCH. differing: elements' names."""

    outcome: Outcome
    item: Document | None = None
    differing: tuple[str, ...] = ()


Choose = Callable[[list[Document], Context], Choice]
"""Raises AnswerError where the answer is about somebody else."""
_Differs = Callable[[Document, Context], bool]


def compile_compare(compare: tuple[Compared, ...], *, none: Outcome, several: Outcome) -> Choose:
    """What finds the one item that is meant."""
    checks = [(_differs(each), each.differs, each.asked.rpartition("/")[2]) for each in compare]
    first = [(differs, meaning) for differs, meaning, _ in checks if meaning is not Differs.MISMATCH]
    last = [(differs, name) for differs, meaning, name in checks if meaning is Differs.MISMATCH]

    def is_meant(item: Document, context: Context) -> bool:
        for differs, meaning in first:
            if differs(item, context):
                if meaning is Differs.NOT_FOUND:
                    return False
                raise AnswerError("the answer is about another person")
        return True

    def choose(items: list[Document], context: Context) -> Choice:
        meant = [item for item in items if is_meant(item, context)]
        if not meant:
            return Choice(none)
        if len(meant) > 1:
            return Choice(several)
        differing = tuple(name for differs, name in last if differs(meant[0], context))
        return Choice(Outcome.MISMATCH if differing else Outcome.FOUND, meant[0], differing)

    return choose


def _differs(compared: Compared) -> _Differs:
    asked, held = source(compared.asked), pointed(compared.held)
    applies = condition(compared.when, compared.unless)
    agree, absent = _AGREE[compared.as_], compared.absent
    wanted = frozenset(compared.precision)

    def differs(item: Document, context: Context) -> bool:
        question = asked(context.document, context)
        if is_nothing(question) or (applies is not None and not applies(context.document, context)):
            return False
        if wanted and _date(question).precision not in wanted:
            return False
        answer = held(item, context)
        return absent if answer is None else not agree(question, answer)

    return differs


def _date(value: Any) -> PartialDate:
    return parse_date(str(value["date"] if isinstance(value, dict) else value))


def _dates_agree(asked: Any, held: Any) -> bool:
    try:
        return _date(held).compare(_date(asked)) is not DateMatch.DIFFERENT
    except (ValueError, KeyError):
        raise AnswerError("a date that is compared is none") from None


def _full(value: Any) -> str:
    return str(value["full"] if isinstance(value, dict) else value)


_AGREE: dict[CompareForm, Callable[[Any, Any], bool]] = {
    CompareForm.TEXT: lambda asked, held: asked == held or str(asked) == str(held),
    CompareForm.NAME: lambda asked, held: same_name(_full(asked), _full(held)),
    CompareForm.FOLDED_NAME: lambda asked, held: fold(_full(asked)) == fold(_full(held)),
    CompareForm.DATE: _dates_agree,
}
