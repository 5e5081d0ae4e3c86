"""Which data of whom went to a client: for the hour after a client's key or system was lost.

Who asks learns how much of what; the persons are sealed to the data-protection officer, who has to tell them.
"""

from collections import Counter
from collections.abc import AsyncIterator

import msgspec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from msgspec import Struct

from gateway.exchange.audit_desk import Desk, Reader, Reading
from gateway.exchange.audit_question import Question
from gateway.ledger.epoch import Epoch, Recipient
from gateway.ledger.export_sealed import Affected, seal_rows
from gateway.ledger.openings import open_bytes
from gateway.ledger.record import RecordKind
from gateway.model.errors import ExchangeError
from gateway.model.errors.audit import NO_DATA_PROTECTION_OFFICER
from gateway.model.ids import RecordId
from gateway.model.instant import Instant
from gateway.model.storage import StoredRecord
from gateway.model.usage import RoleName
from gateway.ports import Clock

_EVERYTHING = 2**62
_AT_ONCE = 5000


class Disclosed(Struct, frozen=True, kw_only=True):
    """What went out. groups: (service, elements) → in how many answers. unopened: answers whose private fields are
    erased, or sealed to others. unnamed: answers that name nobody, nor does their request. officers: to whom the
    persons are sealed.
    """

    answers: int
    persons: int
    unopened: int
    unnamed: int
    groups: dict[tuple[str, tuple[str, ...]], int]
    officers: tuple[str, ...]


class _Said(Struct, frozen=True, gc=False):
    at: str
    parent: RecordId | None
    released: tuple[str, ...]
    service: str | None


class _Fields(Struct, frozen=True, gc=False):
    fields: list[tuple[str, msgspec.Raw] | None]


_said = msgspec.json.Decoder(_Said).decode
_fields = msgspec.json.Decoder(_Fields).decode
_text = msgspec.json.Decoder(str).decode


class AffectedPersons:
    """Gathers what went to a client."""

    def __init__(self, desk: Desk, clock: Clock) -> None:
        self._desk = desk
        self._clock = clock

    async def of(self, client: str, since: Instant, until: Instant, reader: Reader) -> AsyncIterator[bytes | Disclosed]:
        """Lines sealed to the data-protection officer as they are gathered, and at the end, once that is recorded, what
        they come to. Without that end, nothing was recorded, and the lines must be thrown away.

        Raises ExchangeError: NO_DATA_PROTECTION_OFFICER, and as ``Desk.admit`` and ``Desk.record``.
        """
        admitted = await self._desk.admit(reader, since, until)
        officers = self._officers()
        question = Question(client=client, kind=RecordKind.ANSWER, since=since, until=until, limit=_EVERYTHING)
        query = question.query(admitted.epochs)
        assert query is not None
        gathered = _Gathered(admitted.epochs)
        async for stored in self._desk.log.search(query):
            if not gathered.add(stored):
                parent = gathered.parent(stored)
                gathered.add_asked(stored, None if parent is None else await self._desk.log.record(parent))
            if len(gathered.rows) >= _AT_ONCE:
                yield seal_rows(gathered.taken(), officers)
        if gathered.rows:
            yield seal_rows(gathered.taken(), officers)
        persons = len(gathered.persons)
        asked = Question(client=client, since=since, until=until)
        # An auditor is shown no persons. An officer alone, to whom they are sealed, is.
        alone = admitted.second is None and any(each.kid == admitted.role.id for each in officers)
        reading = Reading(
            action="affected",
            question=asked,
            found=gathered.answers,
            persons=persons if alone else 0,
            more=(("affected_persons", persons), ("sealed_to", [each.kid for each in officers])),
        )
        await self._desk.record(admitted, reading)
        yield Disclosed(
            answers=gathered.answers,
            persons=persons,
            unopened=gathered.unopened,
            unnamed=gathered.unnamed,
            groups=dict(gathered.groups.most_common()),
            officers=tuple(each.kid for each in officers),
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


class _Gathered:
    """What was gathered so far."""

    def __init__(self, epochs: dict[str, Epoch]) -> None:
        self._epochs = epochs
        self.rows: list[Affected] = []
        self.persons: set[int | str] = set()
        self.groups: Counter[tuple[str, tuple[str, ...]]] = Counter()
        self.answers = 0
        self.unopened = 0
        self.unnamed = 0

    def add(self, stored: StoredRecord) -> bool:
        """An answer, if anything left with it. False: it names nobody, so the request must say who it was about."""
        said = _said(stored.row.skeleton)
        if not said.released:
            return True
        self.answers += 1
        self.groups[said.service or "", said.released] += 1
        persons = self._persons(stored)
        if persons is None:
            self.unopened += 1
            return True
        return self._note(stored, said, persons)

    def parent(self, stored: StoredRecord) -> RecordId | None:
        """The request of an answer."""
        return _said(stored.row.skeleton).parent

    def add_asked(self, stored: StoredRecord, request: StoredRecord | None) -> None:
        """An answer that names nobody: whom its request asked about."""
        persons = None if request is None else self._persons(request)
        if not persons or not self._note(stored, _said(stored.row.skeleton), persons):
            self.unnamed += 1

    def _note(self, stored: StoredRecord, said: _Said, persons: list[str]) -> bool:
        for person in persons:
            # A number is remembered as one: a fifth of the memory, at millions of persons.
            self.persons.add(int(person) if person.isascii() and person.isdigit() else person)
            self.rows.append(
                Affected(at=said.at, person=person, record=stored.row.id, released=said.released, service=said.service)
            )
        return bool(persons)

    def _persons(self, stored: StoredRecord) -> list[str] | None:
        """Whom a record names; None where it cannot be opened."""
        row = stored.row
        try:
            epoch = self._epochs.get(row.epoch)
            opened = None if epoch is None else open_bytes(row.openings, epoch, row.id, row.entry)
        except ExchangeError:
            return None
        if opened is None:
            return None
        return [_text(field[1]) for field in _fields(opened).fields if field is not None and field[0] == "person"]

    def taken(self) -> list[Affected]:
        """The rows since the last time."""
        rows, self.rows = self.rows, []
        return rows
