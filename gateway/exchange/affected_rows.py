"""Gathering what went to a client out of its answers' records: how much of what, and of whom, sealed as it is gathered.

Plain work on rows, so that several processes can each do it for a part of the log.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import msgspec
from msgspec import Struct

from gateway.ledger.epoch import Epoch, Recipient
from gateway.ledger.export_sealed import Affected, seal_rows
from gateway.ledger.openings import open_bytes
from gateway.model.errors import ExchangeError
from gateway.model.ids import RecordId

ROWS = 5000
"""Rows that are sealed at once: a line."""


class Kept(Protocol):
    """What of a stored record is needed."""

    @property
    def id(self) -> RecordId: ...  # noqa: D102 - as in a Row
    @property
    def entry(self) -> bytes: ...  # noqa: D102
    @property
    def skeleton(self) -> bytes: ...  # noqa: D102
    @property
    def openings(self) -> bytes: ...  # noqa: D102
    @property
    def epoch(self) -> str: ...  # noqa: D102


class Piece(Struct, frozen=True, kw_only=True):
    """What was gathered from some answers. lines: the persons, sealed. persons: whom they name, each once; a number as
    one, which takes a fifth of the memory. groups: (service, elements) → in how many answers. unopened: answers whose
    private fields are erased, or sealed to others, or their request's where they name nobody. unnamed: answers that
    name nobody, nor does their request.
    """

    lines: tuple[bytes, ...]
    persons: frozenset[int | str]
    groups: dict[tuple[str, tuple[str, ...]], int]
    answers: int
    unopened: int
    unnamed: int


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


class Gathered:
    """Answers as they are gathered. epochs: that open them. officers: to whom the persons are sealed."""

    def __init__(self, epochs: Mapping[str, Epoch], officers: Sequence[Recipient]) -> None:
        self._epochs = epochs
        self._officers = officers
        self._begin()

    def _begin(self) -> None:
        self._lines: list[bytes] = []
        self._rows: list[Affected] = []
        self._persons: set[int | str] = set()
        self._groups: Counter[tuple[str, tuple[str, ...]]] = Counter()
        self._answers = self._unopened = self._unnamed = 0

    def add(self, row: Kept) -> RecordId | None:
        """An answer, if anything left with it. Gives the id of its request if it names nobody: ``add_asked`` then."""
        said = _said(row.skeleton)
        if not said.released:
            return None
        self._answers += 1
        self._groups[said.service or "", said.released] += 1
        persons = self._named(row)
        if persons is None:
            self._unopened += 1
        elif persons:
            self._note(row, said, persons)
        elif said.parent is not None:
            return said.parent
        else:
            self._unnamed += 1
        return None

    def add_asked(self, row: Kept, request: Kept | None) -> None:
        """An answer that names nobody: whom its request asked about."""
        persons = None if request is None else self._named(request)
        if persons is None:
            self._unopened += 1
        elif persons:
            self._note(row, _said(row.skeleton), persons)
        else:
            self._unnamed += 1

    def _note(self, row: Kept, said: _Said, persons: list[str]) -> None:
        for person in persons:
            self._persons.add(int(person) if person.isascii() and person.isdigit() else person)
            self._rows.append(
                Affected(at=said.at, person=person, record=row.id, released=said.released, service=said.service)
            )
        if len(self._rows) >= ROWS:
            self._seal()

    def _named(self, row: Kept) -> list[str] | None:
        """Whom a record names; None where it cannot be opened."""
        epoch = self._epochs.get(row.epoch)
        if epoch is None:
            return None
        try:
            opened = open_bytes(row.openings, epoch, row.id, row.entry)
        except ExchangeError:
            return None
        return [_text(field[1]) for field in _fields(opened).fields if field is not None and field[0] == "person"]

    def _seal(self) -> None:
        rows, self._rows = self._rows, []
        self._lines.append(seal_rows(rows, self._officers))

    @property
    def lines(self) -> int:
        """How many lines there are since the last ``taken``."""
        return len(self._lines)

    def taken(self) -> Piece:
        """What was gathered since the last time."""
        if self._rows:
            self._seal()
        piece = Piece(
            lines=tuple(self._lines),
            persons=frozenset(self._persons),
            groups=dict(self._groups),
            answers=self._answers,
            unopened=self._unopened,
            unnamed=self._unnamed,
        )
        self._begin()
        return piece


def runs_of(size: int, first: int, last: int) -> Iterator[tuple[int, int]]:
    """The records first to last (both inclusive) in runs of at most ``size``."""
    for start in range(first, last + 1, size):
        yield start, min(start + size - 1, last)
