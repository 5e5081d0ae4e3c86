"""Which data of whom went to a client: for the hour after a client's key or system was lost.

Who asks learns how much of what; the persons are sealed to the data-protection officer, who has to tell them.
"""

import secrets
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing

from cryptography.hazmat.primitives.serialization import load_der_public_key
from msgspec import Struct

from gateway.exchange.affected_rows import Gathered, Piece
from gateway.exchange.audit_desk import Admitted, Desk, Reader, Reading
from gateway.exchange.audit_question import Question
from gateway.exchange.distinct import Distinct
from gateway.ledger.epoch import Epoch, Recipient
from gateway.ledger.order_jws import same_person
from gateway.ledger.record import RecordKind
from gateway.model.errors import ExchangeError
from gateway.model.errors.audit import NO_DATA_PROTECTION_OFFICER
from gateway.model.instant import Instant
from gateway.model.log import LogQuery
from gateway.model.usage import RoleName
from gateway.ports import Clock, LogStore

_EVERYTHING = 2**62
_KEY = 32

Pieces = Callable[[LogQuery, Mapping[str, Epoch], Sequence[Recipient]], AsyncGenerator[Piece]]
"""Gathers the answers that match, piece by piece: opened by these epochs, sealed to these officers."""


class Disclosed(Struct, frozen=True, kw_only=True):
    """What went out. groups: (service, elements) → in how many answers. unopened: answers whose private fields are
    erased, or sealed to others, or their request's where they name nobody. unnamed: answers that name nobody, nor does
    their request. officers: to whom the persons are sealed.
    """

    answers: int
    persons: int
    unopened: int
    unnamed: int
    groups: dict[tuple[str, tuple[str, ...]], int]
    officers: tuple[str, ...]


class AffectedPersons:
    """Gathers what went to a client. pieces: how; None: here, one record after the other."""

    def __init__(self, desk: Desk, clock: Clock, pieces: Pieces | None = None) -> None:
        self._desk = desk
        self._clock = clock
        self._pieces = pieces or in_turn(desk.log)

    def over(self, pieces: Pieces) -> "AffectedPersons":
        """The same, gathered otherwise."""
        return AffectedPersons(self._desk, self._clock, pieces)

    async def of(self, client: str, since: Instant, until: Instant, reader: Reader) -> AsyncIterator[bytes | Disclosed]:
        """Lines sealed to the data-protection officer as they are gathered, and at the end, once that is recorded, what
        they come to. Without that end, nothing was recorded, and the lines must be thrown away.

        Raises ExchangeError: NO_DATA_PROTECTION_OFFICER, and as ``Desk.admit`` and ``Desk.record``;
        JournalUnavailableError; OSError where there is no room to count the persons.
        """
        admitted = await self._desk.admit(reader, since, until)
        officers = self._officers()
        asked = Question(client=client, since=since, until=until)
        question = Question(client=client, kind=RecordKind.ANSWER, since=since, until=until, limit=_EVERYTHING)
        query = question.query(admitted.epochs)
        assert query is not None
        groups: Counter[tuple[str, tuple[str, ...]]] = Counter()
        answers = unopened = unnamed = 0
        with Distinct(secrets.token_bytes(_KEY)) as distinct:
            async with aclosing(self._pieces(query, admitted.epochs, officers)) as pieces:
                async for piece in pieces:
                    for line in piece.lines:
                        yield line
                    distinct.add(piece.persons)
                    groups.update(piece.groups)
                    answers += piece.answers
                    unopened += piece.unopened
                    unnamed += piece.unnamed
            persons = distinct.count()
        kids = tuple(each.kid for each in officers)
        await self._record(admitted, asked, answers, persons, kids)
        yield Disclosed(
            answers=answers,
            persons=persons,
            unopened=unopened,
            unnamed=unnamed,
            groups=dict(groups.most_common()),
            officers=kids,
        )

    async def _record(
        self, admitted: Admitted, asked: Question, answers: int, persons: int, officers: tuple[str, ...]
    ) -> None:
        # An auditor is shown no persons. An officer alone, to whom they are sealed, is, by whichever key of theirs.
        sealed_to = [role for role in self._desk.trust.roles if role.id in officers]
        own = any(same_person(admitted.role, role) for role in sealed_to)
        shown = persons if admitted.second is None and own else 0
        more = (("affected_persons", persons), ("sealed_to", list(officers)))
        await self._desk.record(
            admitted, Reading(action="affected", question=asked, found=answers, persons=shown, more=more)
        )

    def _officers(self) -> tuple[Recipient, ...]:
        found = []
        now = self._clock.now()
        for role in self._desk.trust.roles:
            if role.role is RoleName.DATA_PROTECTION_OFFICER and (role.until is None or now <= role.until):
                try:
                    found.append(Recipient(role.id, load_der_public_key(role.key)))
                except ValueError:  # a key that nothing can be sealed to
                    continue
        if not found:
            raise ExchangeError(NO_DATA_PROTECTION_OFFICER)
        return tuple(found)


def in_turn(log: LogStore) -> Pieces:
    """Gathers one record after the other, as the log's search gives them."""

    async def pieces(
        query: LogQuery, epochs: Mapping[str, Epoch], officers: Sequence[Recipient]
    ) -> AsyncGenerator[Piece]:
        gathered = Gathered(epochs, officers)
        async for stored in log.search(query):
            parent = gathered.add(stored.row)
            if parent is not None:
                request = await log.record(parent)
                gathered.add_asked(stored.row, None if request is None else request.row)
            if gathered.lines:
                yield gathered.taken()
        yield gathered.taken()

    return pieces
