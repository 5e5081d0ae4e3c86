"""What somebody with the operator's disk could try: a record edited in a copy of a database. For demo and tests."""

from pathlib import Path

import apsw
import msgspec
from msgspec import structs

from gateway.storage.sqlite.rows import unpack


def plain_copy(database: Path, copy: Path) -> None:
    """Copy a database, which may be in use, as it is at this moment."""
    source, target = apsw.Connection(str(database), flags=apsw.SQLITE_OPEN_READONLY), apsw.Connection(str(copy))
    try:
        with target.backup("main", source, "main") as backup:
            backup.step()
    finally:
        source.close()
        target.close()


def edited_copy(database: Path, copy: Path, seq: int, old: bytes, new: bytes) -> None:
    """Copy a database, which may be in use, and edit the public part of one record in the copy.

    seq: the record's commit number. old: what in its skeleton becomes ``new``. Raises ValueError if it is not there.
    """
    plain_copy(database, copy)
    target = apsw.Connection(str(copy))
    try:
        row = unpack(bytes(target.execute("SELECT row FROM journal WHERE seq = ?", (seq,)).get))
        if old not in row.skeleton:
            raise ValueError("the record does not say that")
        edited = structs.replace(row, skeleton=row.skeleton.replace(old, new))
        target.execute("UPDATE journal SET row = ? WHERE seq = ?", (msgspec.msgpack.encode(edited), seq))
    finally:
        target.close()
