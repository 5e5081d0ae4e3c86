"""What is damaged in the file beside the journal's rows: tables, and the structure of the file itself."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import apsw

from gateway.storage.sqlite.database import migrations
from gateway.storage.sqlite.indexing import minute_of
from gateway.storage.sqlite.rows import PackedRow, id_key, unpack
from gateway.storage.sqlite.statements import SQL
from gateway.storage.sqlite.sums import register

_MOST = 100
_WHAT = {
    "_schema": "database: its schema",
    "_owners": "table owner",
    "_tiles": "table tile",
    "_open_requests": "table open_request",
    "_structure": "database: its structure",
    "_counts": "database: the counts of its indexes",
    "_minutes": "tables minute and epoch_span",
}
_PLACE = re.compile(r"Tree (\d+)(?: page (\d+))?(?: cell \d+)?:? ?(.*)")


def damaged_tables(connection: apsw.Connection) -> list[str]:
    """What is quick to see of the tables; not their rows' checksums (checking_sums.py). Within one transaction."""
    faults: list[str] = []
    for found in (_schema, _owners, _tiles, _open_requests):
        faults += _guarded(connection, found)
    return faults


def damaged_file(connection: apsw.Connection) -> list[str]:
    """What only reading the whole file shows: its structure, and indexes that say more than the rows.

    Takes as long as reading it. Within one transaction.
    """
    faults: list[str] = []
    for found in (_structure, _counts, _minutes):
        faults += _guarded(connection, found)
    return faults


def _guarded(connection: apsw.Connection, find: Callable[[apsw.Connection], Iterator[str]]) -> list[str]:
    faults: list[str] = []
    try:
        faults.extend(find(connection))
    except (apsw.Error, ValueError, TypeError) as error:
        faults.append(f"{_WHAT.get(find.__name__, find.__name__)}: cannot be read: {type(error).__name__}: {error}")
    return faults


def _schema(connection: apsw.Connection) -> Iterator[str]:
    fresh = apsw.Connection("")
    register(fresh)
    for script in migrations():
        fresh.execute(script)
    wanted, there = _described(fresh), _described(connection)
    fresh.close()
    for name in sorted(wanted.keys() | there.keys()):
        if wanted.get(name) != there.get(name):
            yield f"database: the description of {name} is not the one that this program made"


def _described(connection: apsw.Connection) -> dict[str, tuple[str, str, str]]:
    rows: list[Any] = connection.execute("SELECT name, type, tbl_name, sql FROM sqlite_schema").fetchall()
    return {str(name): (str(kind), str(table), re.sub(r"\s+", " ", sql or "")) for name, kind, table, sql in rows}


def _owners(connection: apsw.Connection) -> Iterator[str]:
    count, last = connection.execute("SELECT count(*), max(number) FROM owner").get
    given = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'owner'").get
    if count and not count == last == given:
        yield "table owner: its numbers are not those that were given out"


def _tiles(connection: apsw.Connection) -> Iterator[str]:
    size: int = connection.execute(SQL["tree"]).get[0]
    wanted: set[int] = set()
    level = 0
    while size >> (8 * level):
        wanted.update(level << 48 | number for number in range(-(-(size >> (8 * level)) // 256)))
        level += 1
    rows: list[Any] = connection.execute("SELECT id FROM tile").fetchall()
    there = {number for (number,) in rows}
    for tile in sorted(wanted ^ there)[:_MOST]:
        what = "is missing" if tile in wanted else "belongs to no tree of this size"
        yield f"table tile: tile {tile >> 48}/{tile & (1 << 48) - 1} {what}"


def _open_requests(connection: apsw.Connection) -> Iterator[str]:
    rows: list[Any] = connection.execute("SELECT id, seq FROM open_request").fetchall()
    for key, seq in rows:
        row = _row(connection, seq)
        if row is None or not row.opens or id_key(row.id) != key:
            yield f"table open_request: it names entry {seq - 1}, which is no request of that id"


def _row(connection: apsw.Connection, seq: int) -> PackedRow | None:
    packed = connection.execute(SQL["row"], (seq,)).get
    try:
        return unpack(packed) if isinstance(packed, bytes) else None
    except ValueError:
        return None


def _structure(connection: apsw.Connection) -> Iterator[str]:
    """SQLite's own check, with the table's name for its number."""
    roots = {
        int(root): (str(name), str(table))
        for name, table, root in connection.execute("SELECT name, tbl_name, rootpage FROM sqlite_schema")
        if root
    }
    for (text,) in connection.execute(f"PRAGMA integrity_check({_MOST})"):
        for line in str(text).splitlines():
            found = _PLACE.search(line)
            if line == "ok" or line.startswith("*** in database"):
                continue
            if found is None:
                yield f"database: {line}"
                continue
            name, table = roots.get(int(found[1]), ("no table", ""))
            where = f"table {name}" if name in {table, "no table"} else f"index {name} of table {table}"
            yield f"database page {found[2] or found[1]} ({where}): {found[3] or 'damaged'}"


def _counts(connection: apsw.Connection) -> Iterator[str]:
    """Indexes hold no more than the rows gave them."""
    size = connection.execute(SQL["tree"]).get[0]
    known = connection.execute("SELECT count(*) FROM record_id WHERE seq <= ?", (size,)).get
    if known != size:
        yield f"table record_id: it knows {known} records of {size}"
    wrong = (
        "SELECT term.field FROM term"
        " WHERE records <> (SELECT count(*) FROM posting WHERE posting.term = term.id) LIMIT 100"
    )
    for (field,) in connection.execute(wrong):
        yield f"table term: a {field} has another number of records than it says"
    lost = connection.execute("SELECT count(*) FROM posting WHERE term NOT IN (SELECT id FROM term)").get
    if lost:
        yield f"table posting: {lost} of its rows belong to no term"
    for table in ("posting", "pseudonym", "ending", "record_id"):
        beyond = connection.execute(f"SELECT count(*) FROM {table} WHERE seq > ? OR seq < 1", (size,)).get  # noqa: S608 - names of ours
        if beyond:
            yield f"table {table}: {beyond} of its rows are of records that are not in the tree"


def _minutes(connection: apsw.Connection) -> Iterator[str]:
    """Each span begins and ends with a row of its own."""
    minutes: list[Any] = connection.execute("SELECT minute, first_seq, last_seq FROM minute").fetchall()
    for minute, first, last in minutes:
        for seq in (first, last):
            row = _row(connection, seq)
            if row is None or minute_of(row.at) != minute:
                yield f"table minute: entry {seq - 1} is not of minute {minute}"
    epochs: list[Any] = connection.execute("SELECT epoch, first_seq, last_seq FROM epoch_span").fetchall()
    for epoch, first, last in epochs:
        for seq in (first, last):
            row = _row(connection, seq)
            if row is None or row.epoch != epoch:
                yield f"table epoch_span: entry {seq - 1} is not of epoch {epoch}"
