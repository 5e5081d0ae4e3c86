"""The auditor's use case: find records by person, officer, case and the rest, and read what their key may open.

Every search is itself a record, with the auditor's name, case and reason; without those nothing is read.
"""

import json
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from gateway.exchange.events import Event
from gateway.exchange.ids import new_record_id
from gateway.exchange.recording import Recorder
from gateway.ledger.epoch import Epoch, open_epoch
from gateway.ledger.openings import Openings, epoch_of, open_sealed
from gateway.ledger.pseudonym import Subject, pseudonym
from gateway.ledger.record import Facts, InForce, RecordKind
from gateway.model.errors import ExchangeError
from gateway.model.ids import RecordId
from gateway.model.instant import Instant
from gateway.model.storage import StoredRecord
from gateway.ports import Clock, Entropy, LogQuery, LogStore


class Reader(Struct, frozen=True, kw_only=True):
    """Who reads, and why. name: the auditor's. case: of the investigation. reason: in words. key: their private key."""

    name: str
    case: str
    reason: str
    key: Any

    def __post_init__(self) -> None:
        if not (self.name.strip() and self.case.strip() and self.reason.strip()):
            raise ValueError("an auditor states a name, a case number and a reason")


class Question(Struct, frozen=True, kw_only=True):
    """What is looked for; every given condition must hold. officer: (subsystem, officer's code)."""

    person: str | None = None
    officer: tuple[str, str] | None = None
    case: str | None = None
    client: str | None = None
    service: str | None = None
    purpose: str | None = None
    kind: str | None = None
    outcome: str | None = None
    since: Instant | None = None
    until: Instant | None = None
    before_seq: int | None = None
    limit: int = 100

    @property
    def by_subject(self) -> bool:
        """Whether it is about a person, an officer or a case."""
        return any(each is not None for each in (self.person, self.officer, self.case))

    def __post_init__(self) -> None:
        if sum(each is not None for each in (self.person, self.officer, self.case)) > 1:
            raise ValueError("a search is by a person, an officer or a case")


class Found(Struct, frozen=True, kw_only=True):
    """A record that was found. index: in the log; None while it has none. skeleton: parsed. openings: what the reader's
    key opens, None if nothing.
    """

    id: RecordId
    seq: int
    index: int | None
    skeleton: dict[str, Any]
    openings: Openings | None


class Audit:
    """Searches and reads the log for auditors."""

    def __init__(self, log: LogStore, recorder: Recorder, clock: Clock, entropy: Entropy, in_force: InForce) -> None:
        self._log = log
        self._recorder = recorder
        self._clock = clock
        self._entropy = entropy
        self._in_force = in_force

    async def search(self, question: Question, reader: Reader) -> list[Found]:
        """Record the search, then search. Newest first. Raises ExchangeError, JournalUnavailableError."""
        epochs = await self._epochs(reader)
        await self._record("search", question, reader)
        pseudonyms = _pseudonyms(question, epochs.values())
        if not pseudonyms and question.by_subject:
            return []  # no period of which this reader could know anybody; without pseudonyms everything would match
        query = LogQuery(
            pseudonyms=pseudonyms,
            client=question.client,
            service=question.service,
            purpose=question.purpose,
            kind=question.kind,
            outcome=question.outcome,
            since=question.since,
            until=question.until,
            before_seq=question.before_seq,
            limit=question.limit,
        )
        return [_found(stored, epochs) async for stored in self._log.search(query)]

    async def show(self, record_id: RecordId, reader: Reader) -> Found | None:
        """Record the reading, then read one record."""
        epochs = await self._epochs(reader)
        await self._record("show", Question(), reader, record_id)
        stored = await self._log.record(record_id)
        return None if stored is None else _found(stored, epochs)

    async def _epochs(self, reader: Reader) -> dict[str, Epoch]:
        """Those that the reader's key opens: an epoch from before their time was sealed to others."""
        opened: dict[str, Epoch] = {}
        refused: ExchangeError | None = None
        for epoch_id, _, sealed in await self._log.epochs():
            try:
                opened[epoch_id] = open_epoch(sealed, reader.key)
            except ExchangeError as error:
                refused = error
        if refused is not None and not opened:
            raise refused
        return opened

    async def _record(self, action: str, question: Question, reader: Reader, record_id: RecordId | None = None) -> None:
        now = self._clock.now()
        asked = {name: getattr(question, name) for name in question.__struct_fields__ if getattr(question, name)}
        private: list[tuple[str, Any]] = [
            ("auditor", reader.name),
            ("audit_case", reader.case),
            ("reason", reader.reason),
            ("question", json.loads(json.dumps(asked))),
        ]
        if record_id is not None:
            private.append(("record", record_id))
        facts = Facts(
            id=new_record_id(now, self._entropy),
            at=now,
            kind=RecordKind.AUDIT,
            in_force=self._in_force,
            reasons=(action,),
            private=tuple(private),
        )
        persons = () if question.person is None else (question.person,)
        await self._recorder.commit(Event(facts=facts, persons=persons))


def _pseudonyms(question: Question, epochs: Any) -> tuple[bytes, ...]:
    """The pseudonym under each epoch's key, since each period has its own."""
    subject: Subject
    parts: tuple[str, ...]
    if question.person is not None:
        subject, parts = Subject.PERSON, (question.person,)
    elif question.officer is not None:
        subject, parts = Subject.OFFICER, question.officer
    elif question.case is not None:
        subject, parts = Subject.CASE, (question.case,)
    else:
        return ()
    return tuple(pseudonym(epoch.pseudonym_key, subject, *parts) for epoch in epochs)


def _found(stored: StoredRecord, epochs: dict[str, Epoch]) -> Found:
    row = stored.row
    try:
        epoch = epochs.get(epoch_of(row.openings))
        openings = None if epoch is None else open_sealed(row.openings, epoch, row.id, row.entry)
    except ExchangeError:  # altered or erased: the rest of the record is still shown, the verifier names the fault
        openings = None
    return Found(id=row.id, seq=stored.seq, index=stored.index, skeleton=json.loads(row.skeleton), openings=openings)


def rows_of(found: Sequence[Found]) -> list[dict[str, Any]]:
    """Found records as plain values, for JSON."""
    return [
        {
            "id": each.id,
            "seq": each.seq,
            "index": each.index,
            "record": each.skeleton,
            "private": None
            if each.openings is None
            else [{"name": opening.name, "value": opening.value} for opening in each.openings.shown],
        }
        for each in found
    ]
