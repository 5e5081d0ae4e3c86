"""Two questions that auditors ask most: who looked at this person, and what did this officer look at."""

from msgspec import Struct

from gateway.exchange.audit import Audit
from gateway.exchange.audit_desk import Admitted, Reader, Reading
from gateway.exchange.audit_question import Found, Question, persons_in
from gateway.ledger.record import RecordKind


class Look(Struct, frozen=True, kw_only=True):
    """One exchange, or one reading by an auditor. request: what was asked, with its end; None where it cannot be had.
    ending: how it ended. asked, released: whether the person was asked about, and whether anything of theirs left.
    """

    request: Found | None = None
    ending: Found | None = None
    asked: bool = False
    released: bool = False

    @property
    def first(self) -> Found:
        """The request, or what there is."""
        found = self.request or self.ending
        assert found is not None
        return found

    @property
    def officer(self) -> str | None:
        """The officer's code; of an auditor's reading, the auditor."""
        return next(iter((*self.first.private("officer"), *self.first.private("auditor"))), None)

    @property
    def case(self) -> str | None:
        """The dossier's code; of an auditor's reading, the investigation's."""
        return next(iter((*self.first.private("case"), *self.first.private("audit_case"))), None)

    @property
    def elements(self) -> tuple[str, ...]:
        """The names of the elements that left the gateway."""
        return () if self.ending is None else tuple(self.ending.skeleton["released"])


class Looks(Struct, frozen=True, kw_only=True):
    """A page of them, newest first. next_before: where the next page begins; None after the last."""

    looks: tuple[Look, ...]
    next_before: int | None = None


class People:
    """Answers both questions; each is recorded like any search."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit

    async def who_looked(self, question: Question, reader: Reader) -> Looks:
        """Every exchange that was about the person of the question, or in which anything of theirs was released:
        relatives and members of lists too. And every auditor's reading by the same number.

        Raises ExchangeError and JournalUnavailableError.
        """
        assert question.person is not None
        desk = self._audit.desk
        admitted = await desk.admit(reader, question.since, question.until)
        found = await self._audit.matching(question, admitted)
        looks = await self._looks(found, question, admitted)
        return await self._recorded("who-looked", question, admitted, found, looks)

    async def of_officer(self, question: Question, reader: Reader, *, without_case: bool = False) -> Looks:
        """What an officer asked for, with how it ended, and what was refused. without_case: only what names no case.

        Raises ExchangeError and JournalUnavailableError.
        """
        assert question.officer is not None
        admitted = await self._audit.desk.admit(reader, question.since, question.until)
        found = await self._audit.matching(question, admitted)
        kept = [each for each in found if not (without_case and each.private("case"))]
        ended = await self._audit.with_endings(kept, admitted.epochs)
        looks = [
            Look(
                request=each,
                ending=each.ending,
                asked=bool(each.private("person")),
                released=each.ending is not None and bool(each.ending.private("person")),
            )
            for each in ended
        ]
        action = "officer-without-case" if without_case else "officer"
        return await self._recorded(action, question, admitted, found, looks)

    async def _recorded(
        self, action: str, question: Question, admitted: Admitted, found: list[Found], looks: list[Look]
    ) -> Looks:
        shown = [each for look in looks for each in (look.request, look.ending) if each is not None]
        persons = persons_in(shown) | set(question.subjects)
        reading = Reading(
            action=action, question=question, found=len(looks), persons=len(persons), about=question.subjects
        )
        await self._audit.desk.record(admitted, reading)
        more = len(found) == question.limit
        return Looks(looks=tuple(looks), next_before=found[-1].seq if more else None)

    async def _looks(self, found: list[Found], question: Question, admitted: Admitted) -> list[Look]:
        """Found records put together to exchanges. One whose end was on the page before was told there."""
        named = {each.id for each in found}
        ended = {each.id: each for each in await self._audit.with_endings(found, admitted.epochs)}
        ends = [each for each in found if each.skeleton["parent"] not in named]
        missing = await self._audit.requests_of(ends, admitted.epochs)
        looks = []
        for each in found:
            match each.skeleton["kind"]:
                case RecordKind.REQUEST:
                    ending = ended[each.id].ending
                    released = ending is not None and question.person in ending.private("person")
                    told = released and ending is not None and ending.seq >= (question.before_seq or ending.seq + 1)
                    if not told:
                        looks.append(Look(request=ended[each.id], ending=ending, asked=True, released=released))
                case RecordKind.ANSWER | RecordKind.ABANDONED:
                    if each.skeleton["parent"] not in named:
                        request = missing.get(each.skeleton["parent"])
                        asked = request is not None and question.person in request.private("person")
                        looks.append(Look(request=request, ending=each, asked=asked, released=True))
                case _:
                    looks.append(Look(request=each, asked=True))
        return looks
