"""The LogStore port on SQLite: the tree beside the journal's rows."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, cast

import apsw

from gateway.model import failpoints
from gateway.model.ids import RecordId
from gateway.model.instant import Instant, plus
from gateway.model.log import Document, LogQuery, TreeWrite
from gateway.model.storage import Attestation, Redaction, StoredRecord
from gateway.ports import StaleSequencerError
from gateway.storage.sqlite.attestations import find_attestations, put_attestation
from gateway.storage.sqlite.checking import damaged_rows
from gateway.storage.sqlite.checking_sums import TableWalk
from gateway.storage.sqlite.checking_tables import damaged_file, damaged_tables
from gateway.storage.sqlite.engine import Engine
from gateway.storage.sqlite.indexing import Additions, gather, write
from gateway.storage.sqlite.nonces import Nonces
from gateway.storage.sqlite.owners import Owners
from gateway.storage.sqlite.redacting import destroy_epochs, epochs_over, redact
from gateway.storage.sqlite.rows import PackedRow, entries_of_heads, entry_in, id_key, stored, unpack
from gateway.storage.sqlite.search import search
from gateway.storage.sqlite.statements import SQL
from gateway.storage.sqlite.sums import SUMMED

_TILE_BITS = 48
_NUMBER = (1 << _TILE_BITS) - 1


class SqliteLogStore:
    """The LogStore on an engine. A record's index is its seq - 1: the journal has no gaps, and nothing leaves it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._read: list[tuple[int, PackedRow]] = []

    async def acquire(self, holder: str, now: Instant, lease_seconds: float) -> int | None:
        """As the port says. The lease of a process that is gone, or one that ends later than any lease could (the
        clock was set back), holds nobody up.
        """
        owners = self._engine.owners
        return await self._engine.write(
            lambda connection, _: _acquire(connection, owners, holder, now, plus(now, lease_seconds))
        )

    async def state(self) -> tuple[int, bytes]:
        """As the port says."""
        return await self._engine.read(_tree)

    async def unsequenced(self, limit: int) -> Sequence[StoredRecord]:
        """As the port says."""

        def work(connection: apsw.Connection) -> tuple[int, list[tuple[int, PackedRow]]]:
            size, _ = _tree(connection)
            rows = connection.execute(SQL["rows_after"], (size, limit))
            return size, [(seq, unpack(packed)) for seq, packed in rows]

        size, self._read = await self._engine.read(work)
        return [stored(seq, row, size) for seq, row in self._read]

    async def write(self, step: TreeWrite, fence: int, now: Instant) -> None:  # noqa: ARG002 - the fence, not the clock, decides here
        """As the port says. Raises ValueError for a step that is not one: other rows, a tile that would change."""
        read = tuple([seq for seq, _ in self._read])
        if read == step.rows:
            # As they nearly always are: rows never change, so there is no need to read them again.
            additions = gather(self._read)
        else:
            additions = await self._engine.read(lambda connection: _additions(connection, step))
        await self._engine.write(lambda connection, _: _move(connection, step, additions, fence))
        failpoints.reached("log.committed")

    async def checkpoint(self) -> bytes | None:
        """As the port says."""

        def work(connection: apsw.Connection) -> bytes | None:
            return _optional(connection.execute(SQL["tree_checkpoint"]).get)

        return await self._engine.read(work)

    async def tile(self, level: int, number: int) -> bytes | None:
        """As the port says."""

        def work(connection: apsw.Connection) -> bytes | None:
            return _optional(connection.execute(SQL["tile_get"], (level << _TILE_BITS | number,)).get)

        return await self._engine.read(work)

    async def tiles(self, level: int, first: int, count: int) -> dict[int, bytes]:
        """The tiles of a level from a number on that are there, by number; as ``tile`` gives each."""

        def work(connection: apsw.Connection) -> dict[int, bytes]:
            rows: Any = connection.execute(SQL["tiles_from"], (level << _TILE_BITS | first, count))
            return {key & _NUMBER: hashes for key, hashes in rows if isinstance(hashes, bytes)}

        return await self._engine.read(work)

    async def entries(self, start: int, count: int) -> Sequence[bytes]:
        """As the port says: fewer where the tree ends. Raises ValueError for a row that does not parse."""

        def work(connection: apsw.Connection) -> list[bytes]:
            size, _ = _tree(connection)
            asked = (start, min(start + count, size))
            # In one step, which lets other threads work meanwhile; a step for each row would not.
            rows, heads = cast("tuple[int, str]", connection.execute(SQL["heads_between"], asked).get)
            found = entries_of_heads(bytes.fromhex(heads), rows)
            if found is None:
                found = [entry_in(packed) for _, packed in connection.execute(SQL["rows_between"], asked)]
            return found

        return await self._engine.read(work)

    async def record(self, record_id: RecordId) -> StoredRecord | None:
        """As the port says."""
        return await self._engine.read(lambda connection: by_id(connection, record_id))

    async def by_index(self, start: int, count: int) -> Sequence[StoredRecord]:
        """As the port says: fewer where the tree ends."""

        def work(connection: apsw.Connection) -> list[StoredRecord]:
            size, _ = _tree(connection)
            rows = connection.execute(SQL["rows_between"], (start, min(start + count, size)))
            return [stored(seq, unpack(packed), size) for seq, packed in rows]

        return await self._engine.read(work)

    async def save_epoch(self, epoch_id: str, starts: Instant, sealed: bytes) -> None:
        """As the port says. Raises ValueError for an id that is there already."""

        def work(connection: apsw.Connection, _: Nonces) -> None:
            try:
                connection.execute(SQL["epoch_put"], (epoch_id, starts, sealed))
            except apsw.ConstraintError:
                raise ValueError("the epoch is saved already, and never replaced") from None

        await self._engine.write(work)

    async def epochs(self) -> Sequence[tuple[str, Instant, bytes]]:
        """As the port says."""

        def work(connection: apsw.Connection) -> list[Any]:
            return connection.execute(SQL["epochs"]).fetchall()

        return await self._engine.read(work)

    async def keep_document(self, document: Document) -> None:
        """As the port says."""
        row = (document.kind, document.digest, document.content, document.note, document.at)
        await self._engine.write(lambda connection, _: connection.execute(SQL["document_put"], row))

    async def newest_document(self, kind: str) -> Document | None:
        """As the port says."""
        row = await self._engine.read(lambda connection: connection.execute(SQL["document_newest"], (kind,)).fetchone())
        return None if row is None else _document(row)

    async def documents(self, kind: str) -> Sequence[Document]:
        """As the port says."""
        rows = await self._engine.read(lambda connection: connection.execute(SQL["documents"], (kind,)).fetchall())
        return [_document(row) for row in rows]

    async def attest(self, attestation: Attestation) -> None:
        """As the port says."""
        await self._engine.write(lambda connection, _: put_attestation(connection, attestation))

    async def attestations(self, kind: str, *, size: int | None = None, limit: int = 100) -> Sequence[Attestation]:
        """As the port says."""
        return await self._engine.read(lambda connection: find_attestations(connection, kind, size, limit))

    async def redact(self, redactions: Sequence[Redaction]) -> int:
        """As the port says."""
        return await self._engine.wipe(lambda connection, touched: redact(connection, redactions, touched))

    async def destroy_epochs(self, through: int, before: Instant) -> Sequence[str]:
        """As the port says."""
        if not await self._engine.read(lambda connection: epochs_over(connection, through, before)):
            return []  # nothing to wipe, so nobody is held up
        return await self._engine.wipe(lambda connection, touched: destroy_epochs(connection, through, before, touched))

    async def damaged_rows(self, start: int, count: int) -> Sequence[str]:
        """As the port says."""
        return await self._engine.read(lambda connection: damaged_rows(connection, start, count))

    async def damaged_tables(self) -> Sequence[str]:
        """As the port says, in many short readings."""
        faults = list(await self._engine.read(damaged_tables))
        for walk in [TableWalk(table) for table in SUMMED]:
            while not walk.done:
                faults += await self._engine.read(walk.piece)
        return faults

    async def damaged_file(self) -> Sequence[str]:
        """What is damaged of the file's structure and of whole indexes. Reads all of it."""
        return await self._engine.read(damaged_file)

    def search(self, query: LogQuery) -> AsyncIterator[StoredRecord]:
        """As the port says. Finds what is in the tree; times are those of the commits."""
        return search(self._engine, query)

    async def endings(self, requests: Sequence[RecordId]) -> Sequence[StoredRecord]:
        """As the port says."""

        def work(connection: apsw.Connection) -> list[StoredRecord]:
            size, _ = _tree(connection)
            asked = apsw.carray(tuple([id_key(request) for request in requests]))
            return [stored(seq, unpack(packed), size) for seq, packed in connection.execute(SQL["endings"], (asked,))]

        return await self._engine.read(work) if requests else []


def _document(row: Any) -> Document:
    kind, digest, content, note, at = row
    return Document(kind=kind, digest=digest, content=content, note=note, at=Instant(at))


def _tree(connection: apsw.Connection) -> tuple[int, bytes]:
    size, frontier = connection.execute(SQL["tree"]).get
    return size, frontier


def _optional(value: Any) -> bytes | None:
    return value if isinstance(value, bytes) else None


def _acquire(connection: apsw.Connection, owners: Owners, holder: str, now: Instant, until: Instant) -> int | None:
    fence, held_by, owner, lease_until = connection.execute(SQL["tree_lease"]).get
    if held_by != holder:
        # A lease can end a lease's length from now at the latest; a later one is of a clock that was set back.
        if held_by is not None and now < lease_until <= until and owners.alive(owner):
            return None
        fence += 1
    connection.execute(SQL["tree_take"], (fence, holder, owners.number, until))
    return int(fence)


def _additions(connection: apsw.Connection, step: TreeWrite) -> Additions:
    rows = connection.execute(SQL["rows_between"], (step.old_size, step.new_size))
    return gather([(seq, unpack(packed)) for seq, packed in rows])


def _move(connection: apsw.Connection, step: TreeWrite, additions: Additions, fence: int) -> None:
    failpoints.reached("log.writing")
    connection.execute(SQL["tree_move"], (step.new_size, step.frontier, step.checkpoint, step.old_size, fence))
    if connection.changes() != 1:
        raise StaleSequencerError("the tree was moved by another sequencer")
    # Only now: what a stale sequencer thinks of the rows means nothing.
    if step.rows != tuple(range(step.old_size + 1, step.new_size + 1)) or step.new_size < step.old_size:
        raise ValueError("a step takes the rows that follow the tree, all of them, in order")
    if len(additions.ids) != len(step.rows):
        raise ValueError("a step's rows are committed ones")
    for level, number, hashes in step.tiles:
        key = level << _TILE_BITS | number
        before = _optional(connection.execute(SQL["tile_get"], (key,)).get) or b""
        if not hashes.startswith(before):
            raise ValueError("a tile only ever grows")
        connection.execute(SQL["tile_put"], (key, hashes))
    write(connection, additions)
    failpoints.reached("log.written")


def by_id(connection: apsw.Connection, record_id: RecordId) -> StoredRecord | None:
    """A record by its id, in the tree or not yet. Within one transaction. Raises ValueError for a row that does not
    parse.
    """
    size, _ = _tree(connection)
    found = connection.execute(SQL["row_by_id"], (id_key(record_id),)).get
    if found is not None:
        return stored(found[0], unpack(found[1]), size)
    for seq, packed in connection.execute(SQL["rows_after_naming"], (size, record_id)):
        row = unpack(packed)
        if row.id == record_id:
            return stored(seq, row, size)
    return None
