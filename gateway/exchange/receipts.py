"""Receipts out of the log's tiles: a few small reads each, whatever the size of the tree.

Nothing of it is on the way of a message; a receipt is made when somebody asks for it.
"""

import asyncio
from collections import Counter

from msgspec import Struct

from gateway.ledger.checkpoint import Checkpoint, parse_checkpoint
from gateway.ledger.merkle import leaf_hash, verify_inclusion
from gateway.ledger.openings import Openings
from gateway.ledger.receipt import Disclosure, Receipt
from gateway.ledger.receipt_tiles import prove, tiles_for
from gateway.ledger.skeleton import read_skeleton
from gateway.ledger.tiles import TileId
from gateway.model.errors import ExchangeError
from gateway.model.errors.ledger import LOG_INVALID
from gateway.model.errors.receipt import RECEIPT_PENDING, RECEIPT_UNKNOWN
from gateway.model.ids import RecordId
from gateway.model.storage import StoredRecord
from gateway.ports import LogStore

CHECKPOINT = "checkpoint"
"""Kind of attestation: the signed note itself."""
COSIGNATURE = "cosignature"
"""Kind of attestation: a witness's signature line on it."""

_SOON = 1
"""Seconds after which a record that was just committed is in the tree."""


class Head(Struct, frozen=True):
    """A signed checkpoint of ours: the note, with the cosignatures that are there, and what it says."""

    note: bytes
    checkpoint: Checkpoint


class Receipts:
    """Makes receipts of records. log: the tree and its records."""

    def __init__(self, log: LogStore) -> None:
        self._log = log

    async def of(self, record_id: RecordId, *, openings: Openings | None = None, size: int | None = None) -> bytes:
        """The ``.tlog-proof`` of a record. openings: those to disclose; None: the skeleton alone. size: of the kept
        checkpoint that it shall prove to; else the newest that witnesses have cosigned, if it covers the record, else
        the newest.

        Raises ExchangeError: RECEIPT_UNKNOWN without such a record or kept checkpoint, RECEIPT_PENDING (with
        ``retry_after``) while no checkpoint covers it, LOG_INVALID for a tree that does not prove it. ValueError for
        openings of another record.
        """
        stored = await self._log.record(record_id)
        if stored is None:
            raise ExchangeError(RECEIPT_UNKNOWN)
        return await self.of_stored(stored, openings=openings, size=size)

    async def of_stored(
        self, stored: StoredRecord, *, openings: Openings | None = None, size: int | None = None
    ) -> bytes:
        """As ``of``, for a record that was read already."""
        row = stored.row
        shown = openings or Openings(row.id, (None,) * len(read_skeleton(row.skeleton).private))
        if shown.id != row.id:
            raise ValueError("the openings are of another record")
        if stored.index is None:
            raise ExchangeError(RECEIPT_PENDING, retry_after=_SOON)
        head = await self.head(stored.index, size)
        proof = await self._proof(stored.index, head.checkpoint, row.entry)
        return Receipt(stored.index, proof, head.note, Disclosure(row.skeleton, shown).encode()).encode()

    async def head(self, index: int, size: int | None = None) -> Head:
        """The checkpoint that a receipt of the record at ``index`` proves to, as in ``of``. Raises as ``of`` does."""
        if size is not None:
            kept = await self._kept(size)
            if kept is None or size <= index:
                raise ExchangeError(RECEIPT_UNKNOWN, "no checkpoint of this size that covers the record is kept")
            return kept
        newest = await self._log.attestations(COSIGNATURE)
        signers = Counter(each.size for each in newest if each.size > index)
        for cosigned in sorted(signers, key=lambda each: (signers[each], each), reverse=True):
            kept = await self._kept(cosigned)
            if kept is not None:
                return kept
        note = await self._log.checkpoint()
        if note is None:
            raise ExchangeError(RECEIPT_PENDING, retry_after=_SOON)
        head = _head(note)
        if head.checkpoint.size <= index:
            raise ExchangeError(RECEIPT_PENDING, retry_after=_SOON)
        return head

    async def _kept(self, size: int) -> Head | None:
        """The checkpoint of a size, if it is kept or the newest, with its cosignatures."""
        found = await self._log.attestations(CHECKPOINT, size=size, limit=1)
        if found and found[0].size == size:
            note = found[0].content
        else:
            newest = await self._log.checkpoint()
            if newest is None or _head(newest).checkpoint.size != size:
                return None
            note = newest
        cosigned = [each for each in await self._log.attestations(COSIGNATURE, size=size) if each.size == size]
        return _head(note + b"".join([each.content.rstrip(b"\n") + b"\n" for each in cosigned]))

    async def _proof(self, index: int, head: Checkpoint, entry: bytes) -> tuple[bytes, ...]:
        """The inclusion proof, held against the checkpoint: what does not verify is never given out."""
        needed = tiles_for(index, head.size)
        read = await asyncio.gather(*(self._log.tile(tile.level, tile.index) for tile in needed))
        proof = prove(
            index, head.size, {_place(tile): _there(data, tile) for tile, data in zip(needed, read, strict=True)}
        )
        try:
            verify_inclusion(index, head.size, leaf_hash(entry), proof, head.root)
        except ExchangeError as error:
            raise ExchangeError(LOG_INVALID, f"the stored tree does not prove entry {index}") from error
        return proof


def _head(note: bytes) -> Head:
    text = note.decode().partition("\n\n")[0] + "\n"
    return Head(note, parse_checkpoint(text))


def _place(tile: TileId) -> tuple[int, int]:
    return tile.level, tile.index


def _there(data: bytes | None, tile: TileId) -> bytes:
    if data is None:
        raise ExchangeError(LOG_INVALID, f"the tile {tile.path} is missing")
    return data
