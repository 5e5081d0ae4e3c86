"""What auditors ask of the log, and what they are given: questions, found records, and both as plain values."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from gateway.ledger.epoch import Epoch
from gateway.ledger.openings import Openings, epoch_of, open_sealed
from gateway.ledger.pseudonym import Subject, pseudonym
from gateway.model.errors import ExchangeError
from gateway.model.ids import RecordId
from gateway.model.instant import Instant
from gateway.model.log import LogQuery
from gateway.model.storage import StoredRecord

_SUBJECTS = ("person", "officer", "case", "message")


class Question(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is looked for; every given condition must hold. officer: (subsystem, officer's code). message: the caller's
    id of its message. provider: a member or subsystem, whose services are meant. before_seq: the next page.
    """

    person: str | None = None
    officer: tuple[str, str] | None = None
    case: str | None = None
    message: str | None = None
    client: str | None = None
    service: str | None = None
    provider: str | None = None
    purpose: str | None = None
    kind: str | None = None
    outcome: str | None = None
    since: Instant | None = None
    until: Instant | None = None
    before_seq: int | None = None
    limit: int = 100

    @property
    def by_subject(self) -> bool:
        """Whether it is about a person, an officer, a case or a message."""
        return any(getattr(self, name) is not None for name in _SUBJECTS)

    @property
    def subjects(self) -> tuple[str, ...]:
        """The persons that it names."""
        return () if self.person is None else (self.person,)

    def __post_init__(self) -> None:
        if sum(getattr(self, name) is not None for name in _SUBJECTS) > 1:
            raise ValueError("a search is by a person, an officer, a case or a message")

    def query(self, epochs: Mapping[str, Epoch]) -> LogQuery | None:
        """As the log is asked, under the pseudonyms of these epochs; None: none of them could know the subject."""
        if self.by_subject and not epochs:
            return None  # without pseudonyms everything would match
        names = tuple(epochs) if self.by_subject else ()
        return LogQuery(
            pseudonyms=tuple(self._pseudonym(epochs[name]) for name in names),
            epochs=names,
            client=self.client,
            service=self.service,
            provider=self.provider,
            purpose=self.purpose,
            kind=self.kind,
            outcome=self.outcome,
            since=self.since,
            until=self.until,
            before_seq=self.before_seq,
            limit=self.limit,
        )

    def _pseudonym(self, epoch: Epoch) -> bytes:
        if self.officer is not None:
            return pseudonym(epoch.pseudonym_key, Subject.OFFICER, *self.officer)
        name = next(name for name in _SUBJECTS if getattr(self, name) is not None)
        return pseudonym(epoch.pseudonym_key, Subject(name), getattr(self, name))


class Found(Struct, frozen=True, kw_only=True):
    """A record that was found. index: in the log; None while it has none. skeleton: parsed. openings: what the reader's
    key opens, None if nothing. ending: of a request, the record that ended it, where it was asked for.
    """

    id: RecordId
    seq: int
    index: int | None
    skeleton: dict[str, Any]
    openings: Openings | None
    ending: "Found | None" = None

    def private(self, name: str) -> tuple[Any, ...]:
        """The private fields of a name, as far as they are open."""
        shown = () if self.openings is None else self.openings.shown
        return tuple(opening.value for opening in shown if opening.name == name)


def found_of(stored: StoredRecord, epochs: Mapping[str, Epoch]) -> Found:
    """A stored record, opened where the epochs allow it."""
    row = stored.row
    try:
        epoch = epochs.get(epoch_of(row.openings))
        openings = None if epoch is None else open_sealed(row.openings, epoch, row.id, row.entry)
    except ExchangeError:  # altered or erased: the rest of the record is still shown, the verifier names the fault
        openings = None
    return Found(id=row.id, seq=stored.seq, index=stored.index, skeleton=json.loads(row.skeleton), openings=openings)


def persons_in(found: Iterable[Found]) -> frozenset[str]:
    """Everybody whom these records, and those that ended them, name; of a reader's search, whom it was for."""
    named: set[str] = set()
    for each in (one for whole in found for one in (whole, whole.ending) if one is not None):
        named.update(each.private("person"))
        named.update(asked["person"] for asked in each.private("question") if asked.get("person"))
    return frozenset(named)


def rows_of(found: Sequence[Found]) -> list[dict[str, Any]]:
    """Found records as plain values, for JSON."""
    return [row_of(each) for each in found]


def row_of(each: Found) -> dict[str, Any]:
    """A found record as plain values; ``answer`` is there where its end was asked for and found."""
    openings = each.openings
    row: dict[str, Any] = {
        "id": each.id,
        "seq": each.seq,
        "index": each.index,
        "record": each.skeleton,
        "private": None if openings is None else [{"name": one.name, "value": one.value} for one in openings.shown],
    }
    return row if each.ending is None else {**row, "answer": row_of(each.ending)}
