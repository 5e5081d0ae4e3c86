"""Exporting records: counted and recorded first, then streamed with what proves them, in flat memory.

Two passes over the same records. The first counts them and the persons they name, and takes the digest of their leaves;
that becomes a record, with the auditor's quota charged, and must be in the tree before the first row is given out. The
second pass gives the rows and the hashes between them, down to the checkpoint that covers that record.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from gateway.exchange.audit_desk import Admitted, Desk, Reader, Reading
from gateway.exchange.audit_question import Question
from gateway.exchange.receipts import Receipts
from gateway.ledger.checkpoint import Checkpoint, parse_checkpoint
from gateway.ledger.export import DIGEST_FIELD, ROWS_FIELD, ExportRow, RowsDigest, Trailer
from gateway.ledger.export_fold import Node, cover
from gateway.ledger.export_verify import EXPORT_ACTION
from gateway.ledger.merkle import leaf_hash, root
from gateway.ledger.openings import epoch_of, open_bytes, open_sealed
from gateway.ledger.pseudonym import Subject
from gateway.ledger.receipt import parse_receipt
from gateway.ledger.skeleton import entry_of
from gateway.ledger.tiles import HEIGHT, WIDTH, split_hashes
from gateway.model.errors import ExchangeError
from gateway.model.errors.ledger import LOG_INVALID
from gateway.model.ids import RecordId
from gateway.model.log import LogQuery
from gateway.model.storage import StoredRecord
from gateway.ports import LogStore

_EVERYTHING = 2**62
_PERSON = Subject.PERSON.value

Sequenced = Callable[[RecordId], Awaitable[None]]
"""Waits until a record is in the tree and under a checkpoint. Raises ExchangeError(LOG_NOT_MOVING)."""
Progress = Callable[[int], None]


class Wanted(Struct, frozen=True, kw_only=True):
    """What is to be exported. private: with the private fields. limit of the question: 0 for no limit."""

    question: Question
    private: bool = True


class Prepared(Struct, frozen=True, kw_only=True):
    """An export that was recorded, and may be given out. rows: how many. receipt: of its record."""

    rows: int
    persons: int
    record: RecordId
    receipt: bytes
    admitted: Admitted
    query: LogQuery | None
    private: bool

    @property
    def checkpoint(self) -> Checkpoint:
        """What the rows lead to."""
        note = parse_receipt(self.receipt).checkpoint
        return parse_checkpoint(note.decode().partition("\n\n")[0] + "\n")


class Exporting:
    """Prepares exports and gives their rows. sequenced: waits for a record's place in the tree."""

    def __init__(self, desk: Desk, sequenced: Sequenced) -> None:
        self._desk = desk
        self._log = desk.log
        self._sequenced = sequenced

    async def prepare(self, wanted: Wanted, reader: Reader, progress: Progress = lambda _: None) -> Prepared:
        """Count, record and charge an export, and wait for its receipt. progress: told of records counted.

        Raises ExchangeError: as ``Desk.admit`` and ``Desk.record``; SECOND_AUDITOR_NEEDED for many persons;
        LOG_NOT_MOVING. JournalUnavailableError.
        """
        question = wanted.question
        admitted = await self._desk.admit(reader, question.since, question.until)
        size, _ = await self._log.state()
        before = min(question.before_seq or size + 1, size + 1)
        bounded = replace(question, before_seq=before, limit=question.limit or _EVERYTHING)
        query = bounded.query(admitted.epochs)
        digest, persons = await self._counted(query, private=wanted.private, progress=progress)
        reading = Reading(
            action=EXPORT_ACTION,
            question=question,
            found=digest.rows,
            persons=max(persons, len(question.subjects)),
            about=question.subjects,
            more=((ROWS_FIELD, digest.rows), (DIGEST_FIELD, digest.hex()), ("private_fields", wanted.private)),
        )
        record = await self._desk.record(admitted, reading)
        await self._sequenced(record)
        return Prepared(
            rows=digest.rows,
            persons=persons,
            record=record,
            receipt=await self._receipt(record, admitted, show_question=wanted.private),
            admitted=admitted,
            query=query,
            private=wanted.private,
        )

    async def rows(self, prepared: Prepared) -> AsyncIterator[ExportRow | Trailer]:
        """The rows, newest first, and the trailer.

        Raises ExchangeError(LOG_INVALID) for a record that is not what the log has at its place: it was edited.
        """
        size = prepared.checkpoint.size
        nodes = _Nodes(self._log, size)
        epochs = prepared.admitted.epochs if prepared.private else {}
        before = size
        if prepared.query is not None:
            async for stored in self._log.search(prepared.query):
                index = stored.index
                assert index is not None
                leaf = leaf_hash(stored.row.entry)
                if entry_of(stored.row.skeleton) != stored.row.entry or await nodes.of((0, index)) != leaf:
                    raise ExchangeError(LOG_INVALID, f"record {stored.row.id} is not what the log has as entry {index}")
                yield ExportRow(
                    index=index,
                    leaf=leaf,
                    skeleton=stored.row.skeleton,
                    openings=_opened(stored, epochs),
                    gap=await nodes.between(index + 1, before),
                )
                before = index
        yield Trailer(gap=await nodes.between(0, before), receipt=prepared.receipt)

    async def _counted(self, query: LogQuery | None, *, private: bool, progress: Progress) -> tuple[RowsDigest, int]:
        """The digest of the rows, and how many persons they name. Somebody found in several periods, each of which has
        pseudonyms of its own, counts in each.
        """
        digest, persons = RowsDigest(), set[bytes]()
        if query is None:
            return digest, 0
        async for stored in self._log.search(query):
            assert stored.index is not None
            digest.add(stored.index, leaf_hash(stored.row.entry))
            if private:
                persons.update([value for kind, value in stored.row.pseudonyms if kind == _PERSON])
                if len(persons) > self._desk.quota.persons:
                    return digest, len(persons)  # more than a day's quota: that is refused, and recorded
            if digest.rows % WIDTH == 0:
                progress(digest.rows)
        return digest, len(persons)

    async def _receipt(self, record: RecordId, admitted: Admitted, *, show_question: bool) -> bytes:
        stored = await self._log.record(record)
        assert stored is not None
        epochs = (await self._desk.admit(admitted.reader)).epochs
        names = {ROWS_FIELD, DIGEST_FIELD, *(["question"] if show_question else [])}
        row = stored.row
        openings = open_sealed(row.openings, epochs[epoch_of(row.openings)], row.id, row.entry)
        return await Receipts(self._log).of(record, openings=openings.only(lambda opening: opening.name in names))


def _opened(stored: StoredRecord, epochs: Any) -> bytes | None:
    row = stored.row
    try:
        epoch = epochs.get(row.epoch)
        return None if epoch is None else open_bytes(row.openings, epoch, row.id, row.entry)
    except ExchangeError:  # erased, or altered: the row is exported without it
        return None


class _Nodes:
    """Nodes of the tree of one size, read from right to left: of each level the last tile is remembered."""

    def __init__(self, log: LogStore, size: int) -> None:
        self._log = log
        self._size = size
        self._tiles: dict[int, tuple[int, list[bytes]]] = {}

    async def between(self, start: int, end: int) -> tuple[bytes, ...]:
        """The hashes that cover leaves ``start`` to ``end``."""
        return tuple([await self.of(node) for node in cover(start, end)]) if start < end else ()

    async def of(self, node: Node) -> bytes:
        """A node's hash."""
        level, index = node
        tile_level, above = divmod(level, HEIGHT)
        tile, start = divmod(index << above, WIDTH)
        hashes = await self._hashes(tile_level, tile)
        return hashes[start] if above == 0 else root(hashes[start : start + (1 << above)])

    async def _hashes(self, level: int, index: int) -> list[bytes]:
        kept = self._tiles.get(level)
        if kept is not None and kept[0] == index:
            return kept[1]
        width = min(WIDTH, (self._size >> (HEIGHT * level)) - index * WIDTH)
        data = await self._log.tile(level, index)
        if data is None or len(data) < width * 32:
            raise ExchangeError(LOG_INVALID, f"the tile of level {level} with number {index} is missing")
        hashes = split_hashes(data[: width * 32], width)
        self._tiles[level] = (index, hashes)
        return hashes
