"""What is damaged among the journal's rows and what is derived of them, by the file's own redundancy alone.

Each row has a checksum, and the indexes must say what the rows say. That finds what happened to the disk, and a hand
that changed a row or an index only. What a gateway has signed, and so cannot change unseen at all, others verify.
"""

from array import array
from collections.abc import Iterable, Iterator
from typing import Any

import apsw

from gateway.storage.sqlite.indexing import SEGMENT_BITS, Additions, gather
from gateway.storage.sqlite.rows import PackedRow, id_key, is_whole, unpack
from gateway.storage.sqlite.statements import SQL

Rows = list[tuple[int, PackedRow]]

_UNREADABLE = (apsw.Error, ValueError, TypeError)
"""What reading a damaged file raises: SQLite's own errors, text that is not UTF-8, values of another type."""


def damaged_rows(connection: apsw.Connection, start: int, count: int) -> list[str]:
    """Of the rows from index ``start`` on: each that is damaged, and each index that does not know it. Indexes are
    filled when a row comes into the tree.

    A row that is gone is not named here: its index is missing, which the log's reader sees. Within one transaction.
    """
    faults: list[str] = []
    rows: Rows = []
    try:
        size: int = connection.execute(SQL["tree"]).get[0]
        for row in _read(connection, start, count, faults):
            rows.append(row)
        rows = [(seq, row) for seq, row in rows if seq <= size]
    except _UNREADABLE as error:
        faults.append(_broken(f"entries from {start + len(rows)} on", error))
    for found in (_by_id, _ends, _open, _pseudonyms, _terms, _spans):
        try:
            faults.extend(found(connection, rows))
        except _UNREADABLE as error:
            faults.append(_broken(f"entries from {start} on: what leads to them ({found.__name__.strip('_')})", error))
    return faults


def _broken(what: str, error: Exception) -> str:
    return f"{what}: the database cannot be read there: {type(error).__name__}: {error}"


def _read(connection: apsw.Connection, start: int, count: int, faults: list[str]) -> Iterator[tuple[int, PackedRow]]:
    for seq, packed in connection.execute(SQL["rows_after"], (start, count)):
        if seq > start + count:
            return
        try:
            row = unpack(packed)
        except (ValueError, TypeError):
            faults.append(f"entry {seq - 1}: its row does not parse")
            continue
        yield seq, row
        if not is_whole(packed, row):
            faults.append(f"{_name(row)}: its row (entry {seq - 1}) is not what was written: its checksum is another")


def _name(row: PackedRow) -> str:
    return f"record {row.id}"


def _by_id(connection: apsw.Connection, rows: Rows) -> Iterator[str]:
    known = _seqs(connection, "record_id", [id_key(row.id) for _, row in rows])
    for seq, row in rows:
        if known.get(id_key(row.id)) != seq:
            yield f"{_name(row)}: table record_id does not lead to it (entry {seq - 1})"


def _ends(connection: apsw.Connection, rows: Rows) -> Iterator[str]:
    ending = [(seq, row, id_key(row.ends)) for seq, row in rows if row.ends is not None]
    known = _seqs(connection, "ending", [key for _, _, key in ending])
    for seq, row, key in ending:
        if known.get(key) != seq:
            yield f"{_name(row)}: table ending does not lead to it (entry {seq - 1})"


def _open(connection: apsw.Connection, rows: Rows) -> Iterator[str]:
    """A request has an end, or is in the list of those that have none: never both."""
    opened = [(seq, row, id_key(row.id)) for seq, row in rows if row.opens]
    keys = [key for _, _, key in opened]
    listed, ended = _seqs(connection, "open_request", keys), _seqs(connection, "ending", keys)
    for seq, row, key in opened:
        if (key in listed) == (key in ended) or listed.get(key, seq) != seq:
            yield f"{_name(row)}: tables open_request and ending disagree on whether it has an end (entry {seq - 1})"


def _seqs(connection: apsw.Connection, table: str, keys: list[bytes]) -> dict[bytes, int]:
    statement = (
        f"SELECT known.id, known.seq FROM carray(?) AS asked CROSS JOIN {table} AS known ON known.id = asked.value"  # noqa: S608 - a name of ours
    )
    found: list[Any] = connection.execute(statement, (apsw.carray(tuple(keys)),)).fetchall() if keys else []
    return dict(found)


def _pseudonyms(connection: apsw.Connection, rows: Rows) -> Iterator[str]:
    statement = "SELECT 1 FROM pseudonym WHERE segment = ? AND pseudonym = ? AND seq = ?"
    for seq, row in rows:
        for kind, value in row.pseudonyms:
            if connection.execute(statement, (seq >> SEGMENT_BITS, value, seq)).get is None:
                yield f"{_name(row)}: table pseudonym does not lead to it by its {kind} (entry {seq - 1})"


def _terms(connection: apsw.Connection, rows: Rows) -> Iterator[str]:
    terms, names = gather(rows).terms, {seq: _name(row) for seq, row in rows}
    for (field, value), seqs in terms.items():
        found = connection.execute(SQL["term_find"], (field, value)).fetchone()
        term = -1 if found is None else found[0]
        missing = connection.execute(
            "SELECT asked.value FROM carray(?) AS asked"
            " WHERE NOT EXISTS (SELECT 1 FROM posting WHERE term = ? AND seq = asked.value)",
            (apsw.carray(array("q", seqs)), term),
        )
        for (seq,) in missing:
            yield f"{names[seq]}: tables term and posting do not lead to it by its {field} (entry {seq - 1})"


def _spans(connection: apsw.Connection, rows: Rows) -> Iterator[str]:
    """Each minute's and each epoch's span covers its rows."""
    additions: Additions = gather(rows)
    yield from _covered(connection, "minute", additions.minutes.items())
    yield from _covered(connection, "epoch_span", additions.epochs.items())


def _covered(connection: apsw.Connection, table: str, spans: Iterable[tuple[Any, list[int]]]) -> Iterator[str]:
    column = "minute" if table == "minute" else "epoch"
    for value, (first, last) in spans:
        found = connection.execute(
            f"SELECT first_seq <= ? AND last_seq >= ? FROM {table} WHERE {column} = ?",  # noqa: S608 - names of ours
            (first, last, value),
        ).get
        if found != 1:
            yield f"table {table}: the span of {value} does not cover entries {first - 1} to {last - 1}"
