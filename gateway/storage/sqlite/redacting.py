"""Erasing the private part of records in place: what is left of it is written over what was there.

``secure_delete`` makes SQLite overwrite what it frees with zeros; the write-ahead log is copied and cut afterwards, so
that the old bytes are not read out of it. Copies of the file (backups, file-system snapshots) are others' business.
"""

from collections.abc import Sequence

import apsw

from gateway.model import failpoints
from gateway.model.storage import Redaction
from gateway.storage.sqlite.indexing import SEGMENT_BITS
from gateway.storage.sqlite.rows import id_key, pack_again, unpack
from gateway.storage.sqlite.statements import SQL


def redact(connection: apsw.Connection, redactions: Sequence[Redaction]) -> int:
    """Within one transaction; how many records there were."""
    connection.pragma("secure_delete", value=True)
    found = 0
    for redaction in redactions:
        row = connection.execute(SQL["row_by_id"], (id_key(redaction.id),)).fetchone()
        if row is None:
            continue
        seq, packed = row
        before = unpack(packed)
        failpoints.reached("log.redacting")
        connection.execute(SQL["row_replace"], (pack_again(before, redaction), seq))
        kept = {value for _, value in redaction.pseudonyms}
        for _, value in before.pseudonyms:
            if value not in kept:
                connection.execute(SQL["pseudonym_remove"], (seq >> SEGMENT_BITS, value, seq))
        found += 1
    return found
