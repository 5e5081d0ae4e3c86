"""Who is answered must be who was asked: comparing the items of an answer with the request."""

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from gateway.mapping.comparing import same_name
from gateway.mapping.context import Context, Get, condition, pointed, source
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


class _Check(Struct, frozen=True, kw_only=True):
    """A comparison, compiled. name: what a MISMATCH calls it."""

    name: str
    meaning: Differs
    asked: Get
    held: Get
    agree: Callable[[Any, Any], bool]
    absent: bool
    applies: Callable[[Any, Context], bool] | None
    precisions: frozenset[str]

    def question(self, context: Context) -> Any:
        """What was asked, if it is to be compared; else None."""
        asked = self.asked(context.document, context)
        if asked is None or asked in _NOTHING:
            return None
        if self.applies is not None and not self.applies(context.document, context):
            return None
        return None if self.precisions and _date(asked).precision not in self.precisions else asked

    def differs(self, question: Any, item: Document, context: Context) -> bool:
        answer = self.held(item, context)
        return self.absent if answer is None else not self.agree(question, answer)


_NOTHING: tuple[Any, ...] = ("", [])


def compile_compare(compare: tuple[Compared, ...], *, none: Outcome, several: Outcome) -> Choose:
    """What finds the one item that is meant."""
    checks = [_check(each) for each in compare]

    def choose(items: list[Document], context: Context) -> Choice:
        asked = [(check, question) for check in checks if (question := check.question(context)) is not None]
        meant = [item for item in items if _is_meant(asked, item, context)]
        if not meant:
            return Choice(none)
        if len(meant) > 1:
            return Choice(several)
        differing = tuple(
            check.name
            for check, question in asked
            if check.meaning is Differs.MISMATCH and check.differs(question, meant[0], context)
        )
        return Choice(Outcome.MISMATCH if differing else Outcome.FOUND, meant[0], differing)

    return choose


def _is_meant(asked: list[tuple[_Check, Any]], item: Document, context: Context) -> bool:
    for check, question in asked:
        if check.meaning is not Differs.MISMATCH and check.differs(question, item, context):
            if check.meaning is Differs.NOT_FOUND:
                return False
            raise AnswerError("the answer is about another person")
    return True


def _check(compared: Compared) -> _Check:
    return _Check(
        name=compared.asked.rpartition("/")[2],
        meaning=compared.differs,
        asked=source(compared.asked),
        held=pointed(compared.held),
        agree=_AGREE[compared.as_],
        absent=compared.absent,
        applies=condition(compared.when, compared.unless),
        precisions=frozenset(compared.precision),
    )


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
