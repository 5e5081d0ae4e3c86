"""What somebody with the operator's disk could try: a record edited in a copy of a database. For demo and tests."""

from pathlib import Path

import apsw
import msgspec

_SKELETON = 4
"""Where a journal row has its skeleton (``gateway.storage.sqlite.rows``)."""


def edited_copy(database: Path, copy: Path, seq: int, old: bytes, new: bytes) -> None:
    """Copy a database, which may be in use, and edit the public part of one record in the copy.

    seq: the record's commit number. old: what in its skeleton becomes ``new``. Raises ValueError if it is not there.
    """
    source, target = apsw.Connection(str(database), flags=apsw.SQLITE_OPEN_READONLY), apsw.Connection(str(copy))
    try:
        with target.backup("main", source, "main") as backup:
            backup.step()
        packed = target.execute("SELECT row FROM journal WHERE seq = ?", (seq,)).get
        row = msgspec.msgpack.decode(packed)
        if old not in row[_SKELETON]:
            raise ValueError("the record does not say that")
        row[_SKELETON] = row[_SKELETON].replace(old, new)
        target.execute("UPDATE journal SET row = ? WHERE seq = ?", (msgspec.msgpack.encode(row), seq))
    finally:
        source.close()
        target.close()
