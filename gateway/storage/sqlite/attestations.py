"""What others said of the tree: cosignatures and timestamps, with the checkpoints that they are of."""

import apsw

from gateway.model.instant import Instant
from gateway.model.storage import Attestation
from gateway.storage.sqlite.statements import SQL


def put_attestation(connection: apsw.Connection, one: Attestation) -> None:
    """Keep one; of a kind and name for a size the first stays."""
    connection.execute(SQL["attestation_put"], (one.size, one.kind, one.name, one.content, one.at))


def find_attestations(connection: apsw.Connection, kind: str, size: int | None, limit: int) -> list[Attestation]:
    """Of a kind: from a size on, smallest first; without one the newest."""
    if size is None:
        rows = connection.execute(SQL["attestations_newest"], (kind, limit))
    else:
        rows = connection.execute(SQL["attestations_from"], (kind, size, limit))
    return [
        Attestation(size=found, kind=of, name=name, content=content, at=Instant(at))
        for found, of, name, content, at in rows
    ]
