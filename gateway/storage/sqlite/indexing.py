"""The search indexes, filled by the sequencer in the transaction that moves the tree: what is searchable is in the
tree, and the exchange pays for none of it.
"""

from array import array
from collections.abc import Sequence

import apsw
import msgspec
from msgspec import Struct, field

from gateway.model.instant import MICROSECONDS, Instant
from gateway.storage.sqlite.rows import PackedRow, id_key
from gateway.storage.sqlite.statements import SQL, insert_many

SEGMENT_BITS = 12
"""Pseudonyms are kept apart for each 2^12 records."""

FIELDS = ("client", "service", "purpose", "kind", "outcome")
"""What of a skeleton can be searched by its value."""


class _Searchable(Struct, frozen=True, gc=False):
    client: str | None = None
    service: str | None = None
    purpose: str | None = None
    kind: str | None = None
    outcome: str | None = None


_decode = msgspec.json.Decoder(_Searchable).decode
_NOTHING = _Searchable()


def minute_of(at: Instant) -> int:
    """The minute that an instant lies in, since the epoch."""
    return at // (60 * MICROSECONDS)


def service_of(skeleton: bytes) -> str | None:
    """The service that a skeleton names, if it can be read."""
    try:
        return _decode(skeleton).service
    except msgspec.MsgspecError:
        return None


class Additions(Struct):
    """What a run of rows adds to the indexes."""

    ids: list[tuple[bytes, int]] = field(default_factory=list)
    pseudonyms: list[tuple[int, bytes, int]] = field(default_factory=list)
    terms: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    opened: dict[bytes, int] = field(default_factory=dict)
    ended: list[tuple[bytes]] = field(default_factory=list)
    minutes: dict[int, list[int]] = field(default_factory=dict)
    epochs: dict[str, list[int]] = field(default_factory=dict)
    endings: list[tuple[bytes, int]] = field(default_factory=list)


def gather(rows: Sequence[tuple[int, PackedRow]]) -> Additions:
    """What these rows, in commit order, add."""
    additions = Additions()
    for seq, row in rows:
        key = id_key(row.id)
        additions.ids.append((key, seq))
        segment = seq >> SEGMENT_BITS
        additions.pseudonyms += [(segment, value, seq) for _, value in row.pseudonyms]
        _gather_terms(additions, seq, row.skeleton)
        span = additions.minutes.setdefault(minute_of(row.at), [seq, seq])
        span[1] = seq
        span = additions.epochs.setdefault(row.epoch, [seq, seq])
        span[1] = seq
        if row.ends is not None:
            ended = id_key(row.ends)
            additions.endings.append((ended, seq))
            if additions.opened.pop(ended, None) is None:
                additions.ended.append((ended,))
        if row.opens:
            additions.opened[key] = seq
    return additions


def _gather_terms(additions: Additions, seq: int, skeleton: bytes) -> None:
    try:
        found = _decode(skeleton)
    except msgspec.MsgspecError:
        found = _NOTHING  # a skeleton of another format: in the tree all the same, found by id, person and time
    for name in FIELDS:
        value = getattr(found, name)
        if value is not None:
            term = (name, value)
            additions.terms.setdefault(term, []).append(seq)


def write(connection: apsw.Connection, additions: Additions) -> None:
    """Add them, within the sequencer's transaction."""
    insert_many(connection, "record_id_add", additions.ids)
    # Sorted, so that neighbours are written together.
    insert_many(connection, "pseudonym_add", sorted(additions.pseudonyms))
    for (name, value), sequence in additions.terms.items():
        term = connection.execute(SQL["term_count"], (name, value, len(sequence))).get
        connection.execute(SQL["postings_add"], (term, apsw.carray(array("q", sequence))))
    for ended in additions.ended:
        connection.execute(SQL["open_request_end"], ended)
    insert_many(connection, "open_request_add", list(additions.opened.items()))
    for minute, (first, last) in additions.minutes.items():
        connection.execute(SQL["minute_add"], (minute, first, last))
    for epoch, (first, last) in additions.epochs.items():
        connection.execute(SQL["epoch_span_add"], (epoch, first, last))
    insert_many(connection, "ending_add", additions.endings)
