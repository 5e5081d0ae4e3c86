"""Values that cross the log store's port: a step of the tree, a document in force, a search."""

from msgspec import Struct

from gateway.model.instant import Instant


class TreeWrite(Struct, frozen=True, kw_only=True):
    """One step of the sequencer: new entries with their indexes, tiles and the checkpoint that publishes them.

    tiles: (level, number, bytes) of every hash tile that is new or longer than before; a tile's bytes only ever grow.
    frontier: opaque tree state after it. rows: seq numbers in index order, from ``old_size`` on.
    """

    old_size: int
    new_size: int
    frontier: bytes
    tiles: tuple[tuple[int, int, bytes], ...]
    checkpoint: bytes
    rows: tuple[int, ...]


class Document(Struct, frozen=True, kw_only=True):
    """Something in force that records name by its digest.

    kind: ``trust-list``, ``policy`` … digest: SHA-256, hex. note: what belongs to it and is not in it, JSON.
    """

    kind: str
    digest: str
    content: bytes
    note: str = ""
    at: Instant


class LogQuery(Struct, frozen=True, kw_only=True):
    """A search by auditors. Every given condition must hold; pseudonyms: any of them (one per epoch).

    epochs: of each pseudonym the id of its epoch, so that it is looked for among that epoch's records only; or none.
    provider: a member or subsystem, whose services are meant. before_seq: keyset pagination, only rows committed before
    it.
    """

    pseudonyms: tuple[bytes, ...] = ()
    epochs: tuple[str, ...] = ()
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
