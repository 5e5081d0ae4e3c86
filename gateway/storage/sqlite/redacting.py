"""Erasing the private part of records in place: what is left of it is written over what was there.

``secure_delete`` makes SQLite overwrite what it frees with zeros. Every writing connection has it from the first row
on: without it a page that is split keeps a copy of rows that moved on, where no later deletion looks for them. The
write-ahead log is then copied and cut to nothing (``scrub``), so that the old bytes are not read out of it either; and
copies that SQLite left when it moved rows between pages are overwritten (gaps.py).
Copies of the file (backups, file-system snapshots, blocks that a disk keeps to itself) are others' business.
"""

import time
from collections.abc import Collection, Sequence
from typing import Any

import apsw

from gateway.model import failpoints
from gateway.model.instant import Instant
from gateway.model.storage import Redaction
from gateway.storage.sqlite.database import Database
from gateway.storage.sqlite.gaps import Touched, zero_gaps
from gateway.storage.sqlite.indexing import SEGMENT_BITS
from gateway.storage.sqlite.rows import id_key, pack_again, unpack
from gateway.storage.sqlite.statements import SQL

_POLL = 0.0001
_POLLS = 50
_RETRY = 0.05
_LONGEST = 10.0


class UnscrubbedError(Exception):
    """Somebody reads the write-ahead log and does not stop: it could not be cut."""


def redact(connection: apsw.Connection, redactions: Sequence[Redaction], touched: Touched) -> int:
    """Within one transaction; how many records there were. touched: is told what was removed."""
    found = 0
    for redaction in redactions:
        row = connection.execute(SQL["row_by_id"], (id_key(redaction.id),)).fetchone()
        if row is None:
            continue
        seq, packed = row
        before = unpack(packed)
        failpoints.reached("log.redacting")
        connection.execute(SQL["row_replace"], (pack_again(before, redaction), seq))
        touched.rows.add(seq)
        kept = {value for _, value in redaction.pseudonyms}
        for _, value in before.pseudonyms:
            if value not in kept:
                connection.execute(SQL["pseudonym_remove"], (seq >> SEGMENT_BITS, value, seq))
                touched.pseudonyms.add((seq >> SEGMENT_BITS, value))
        found += 1
    return found


def epochs_over(connection: apsw.Connection, through: int, before: Instant) -> list[str]:
    """Epochs that have keys, and whose records all lie below an index; their ids."""
    over = [str(epoch) for (epoch,) in connection.execute(SQL["epochs_over"], (before, through)).fetchall()]
    if not over:
        return []
    size = connection.execute(SQL["tree"]).get[0]
    waiting = {unpack(packed).epoch for _, packed in connection.execute(SQL["rows_after"], (size, -1))}
    return [epoch for epoch in over if epoch not in waiting]


def destroy_epochs(connection: apsw.Connection, through: int, before: Instant, touched: Touched) -> list[str]:
    """Their sealed keys; whose they were. touched: is told that there were any."""
    gone = epochs_over(connection, through, before)
    touched.epochs = bool(gone)
    for epoch in gone:
        connection.execute(SQL["epoch_destroy"], (epoch,))
    return gone


def destroy_blobs(connection: apsw.Connection, blob_ids: Collection[str], touched: Touched) -> int:
    """Blobs of the vault; how many there were. touched: is told which."""
    gone = [connection.execute(SQL["vault_delete"], (blob_id,)).get for blob_id in blob_ids]
    there: set[Any] = {rowid for rowid in gone if rowid is not None}
    touched.blobs |= there
    return len(there)


def scrub(database: Database, touched: Touched) -> None:
    """Copy the write-ahead log into the database and cut it to nothing, so that what was overwritten is in neither;
    then zero what is left in the gaps of pages around what was destroyed.

    Blocks, at most ten seconds; holds writers up for a few milliseconds at a time, for a tenth of a second where two
    hundred records are erased. Raises UnscrubbedError, apsw.Error.
    """
    connection = database.writer()
    try:
        connection.set_busy_handler(_waiting)
        until = time.monotonic() + _LONGEST
        while True:
            failpoints.reached("wal.scrubbing")
            try:
                connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
                if not touched or zero_gaps(database, connection, touched):
                    return
            except (apsw.BusyError, apsw.LockedError):
                time.sleep(_RETRY)
            if time.monotonic() > until:
                raise UnscrubbedError
    finally:
        connection.close(force=True)


def _waiting(polls: int) -> bool:
    time.sleep(_POLL)
    return polls < _POLLS
