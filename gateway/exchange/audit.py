"""The auditor's use case: find records by person, officer, case and the rest, and read what their key may open.

Every search is itself a record, with the auditor's role, name, case and reason; without those nothing is shown.
"""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from gateway.exchange.audit_desk import Admitted, Desk, Reader, Reading
from gateway.exchange.audit_question import Found, Question, found_of, persons_in
from gateway.ledger.epoch import Epoch
from gateway.ledger.record import RecordKind
from gateway.model.ids import RecordId

_AT_ONCE = 500


class Audit:
    """Searches and reads the log for auditors. desk: admits them, and records what they read."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._log = desk.log

    async def search(self, question: Question, reader: Reader, *, with_answers: bool = False) -> list[Found]:
        """Search, record that and how much was found, then give it: newest first. with_answers: requests come with the
        records that ended them.

        Raises ExchangeError (as ``Desk.admit`` and ``Desk.record``), JournalUnavailableError.
        """
        admitted = await self.desk.admit(reader, question.since, question.until)
        found = await self.matching(question, admitted)
        if with_answers:
            found = await self.with_endings(found, admitted.epochs)
        persons = persons_in(found) | set(question.subjects)
        await self.desk.record(
            admitted,
            Reading(
                action="search", question=question, found=len(found), persons=len(persons), about=question.subjects
            ),
        )
        return found

    async def show(self, record_id: RecordId, reader: Reader) -> Found | None:
        """Record the reading, then give one record. Raises as ``search`` does."""
        admitted = await self.desk.admit(reader)
        stored = await self._log.record(record_id)
        found = [] if stored is None else [found_of(stored, admitted.epochs)]
        persons = sorted(persons_in(found))
        await self.desk.record(
            admitted,
            Reading(
                action="show",
                question={},
                found=len(found),
                persons=len(persons),
                about=tuple(persons),
                more=(("record", record_id),),
            ),
        )
        return found[0] if found else None

    # For use cases that record under their own name.

    async def matching(self, question: Question, admitted: Admitted) -> list[Found]:
        """What matches, newest first, not yet recorded."""
        query = question.query(admitted.epochs)
        return [] if query is None else [found_of(stored, admitted.epochs) async for stored in self._log.search(query)]

    async def with_endings(self, found: Sequence[Found], epochs: Mapping[str, Epoch]) -> list[Found]:
        """The same, each request with the record that ended it."""
        asked = [each.id for each in found if each.skeleton["kind"] == RecordKind.REQUEST]
        endings: dict[str, Found] = {}
        for start in range(0, len(asked), _AT_ONCE):
            for stored in await self._log.endings(asked[start : start + _AT_ONCE]):
                if stored.row.ends is not None:
                    endings[stored.row.ends] = found_of(stored, epochs)
        return [replace(each, ending=endings.get(each.id)) for each in found]

    async def requests_of(self, found: Sequence[Found], epochs: Mapping[str, Epoch]) -> dict[str, Found]:
        """The requests that these records ended, by id, each with its end."""
        requests: dict[str, Found] = {}
        for each in found:
            parent = each.skeleton["parent"]
            if each.skeleton["kind"] not in {RecordKind.ANSWER, RecordKind.ABANDONED} or parent is None:
                continue
            stored = await self._log.record(RecordId(parent))
            if stored is not None:
                requests[parent] = replace(found_of(stored, epochs), ending=each)
        return requests
