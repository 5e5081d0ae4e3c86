"""The storage ports in memory, for tests: the same contracts, nothing durable."""

from collections.abc import AsyncIterator, Collection, Sequence
from itertools import zip_longest
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from gateway.model.ids import RecordId
from gateway.model.instant import MICROSECONDS, Instant, plus, vietnam_day
from gateway.model.log import Document, LogQuery, TreeWrite
from gateway.model.storage import (
    Attestation,
    Blob,
    Commit,
    IdempotencyEnd,
    IdempotencySeenError,
    IdempotencyStart,
    JournalUnavailableError,
    MessageIdUsedError,
    Nonce,
    NonceUsedError,
    QuotaSpentError,
    Redaction,
    Row,
    StoredRecord,
)
from gateway.ports import StaleSequencerError

_KEPT_BEYOND_EXPIRY = 420 * MICROSECONDS
_RELEASED = ""


class _Kept(Struct):
    row: Row
    at: Instant


class _Known(Struct):
    fingerprint: bytes
    answer: str | None
    expires: Instant


class MemoryStore:
    """``journal``, ``vault`` and ``log`` over the same memory."""

    def __init__(self) -> None:
        self.rows: list[_Kept] = []
        self.journal = MemoryJournal(self)
        self.vault = MemoryVault()
        self.log = MemoryLogStore(self)

    async def close(self) -> None:
        """Refuse everything from now on."""
        await self.journal.close()


class MemoryJournal:
    """The Journal in memory."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._nonces: dict[str, Instant] = {}
        self._charges: dict[tuple[int, str], int] = {}
        self._known: dict[str, _Known] = {}
        self._watermark = Instant(0)
        self._closed = False

    async def commit(self, commit: Commit, now: Instant) -> None:
        """As the port says."""
        if self._closed:
            raise JournalUnavailableError("closed")
        if any(self._is_used("nonce", nonce, now) for nonce in commit.nonces):
            raise NonceUsedError
        step, again = commit.idempotency, False
        if isinstance(step, IdempotencyStart):
            known = self._known.get(step.key)
            if known is not None and known.expires > now:
                if known.answer != _RELEASED:
                    raise IdempotencySeenError(known.fingerprint, known.answer)
                again = known.fingerprint == step.fingerprint
        if commit.message_id is not None and not again and self._is_used("message", commit.message_id, now):
            raise MessageIdUsedError
        charged = self._charged(commit)
        self._store.rows.append(_Kept(commit.row, now))
        self._charges.update(charged)
        for nonce in commit.nonces:
            self._nonces["nonce " + nonce.key] = nonce.expires
        if commit.message_id is not None:
            self._nonces["message " + commit.message_id.key] = commit.message_id.expires
        self._step(step)
        for blob in commit.blobs:
            self._store.vault.blobs[blob.id] = blob

    async def open_requests(self, before: Instant) -> Sequence[StoredRecord]:
        """As the port says."""
        ended = {kept.row.ends for kept in self._store.rows}
        return [
            self._store.log.stored(seq)
            for seq, kept in enumerate(self._store.rows, start=1)
            if kept.row.opens and kept.at < before and kept.row.id not in ended
        ]

    async def nonce_watermark(self) -> Instant:
        """As the port says."""
        return self._watermark

    async def purge(self, now: Instant) -> int:
        """As the port says."""
        self._watermark = max(self._watermark, Instant(now - _KEPT_BEYOND_EXPIRY))
        past_window = vietnam_day(now) - 1
        blobs = self._store.vault.blobs
        before = len(self._nonces) + len(self._known) + len(self._charges) + len(blobs)
        self._nonces = {key: expires for key, expires in self._nonces.items() if expires > self._watermark}
        self._known = {key: known for key, known in self._known.items() if known.expires > now}
        self._charges = {slot: used for slot, used in self._charges.items() if slot[0] >= past_window}
        for gone in [blob.id for blob in blobs.values() if blob.expires <= now]:
            del blobs[gone]
        return before - len(self._nonces) - len(self._known) - len(self._charges) - len(blobs)

    async def close(self) -> None:
        """As the port says."""
        self._closed = True

    def _is_used(self, scope: str, nonce: Nonce, now: Instant) -> bool:
        return self._nonces.get(f"{scope} {nonce.key}", 0) > now or nonce.expires <= self._watermark

    def _charged(self, commit: Commit) -> dict[tuple[int, str], int]:
        charged: dict[tuple[int, str], int] = {}
        for charge in commit.charges:
            slot = (charge.window, charge.key)
            charged[slot] = charged.get(slot, self._charges.get(slot, 0)) + charge.amount
            if charged[slot] > charge.limit:
                raise QuotaSpentError(charge.key)
        return charged

    def _step(self, step: IdempotencyStart | IdempotencyEnd | None) -> None:
        if isinstance(step, IdempotencyStart):
            self._known[step.key] = _Known(step.fingerprint, None, step.expires)
        elif step is not None and step.key in self._known:
            self._known[step.key].answer = step.answer or _RELEASED


class MemoryVault:
    """The Vault in memory."""

    def __init__(self) -> None:
        self.blobs: dict[str, Blob] = {}

    async def get(self, blob_id: str, now: Instant) -> Blob | None:
        """As the port says."""
        blob = self.blobs.get(blob_id)
        return blob if blob is not None and blob.expires > now else None

    async def delete(self, blob_id: str) -> None:
        """As the port says."""
        self.blobs.pop(blob_id, None)

    async def destroy(self, blob_ids: Collection[str]) -> int:
        """As the port says."""
        return sum(self.blobs.pop(blob_id, None) is not None for blob_id in set(blob_ids))


class MemoryLogStore:
    """The LogStore in memory. index = seq - 1."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._size = 0
        self._frontier = b""
        self._checkpoint: bytes | None = None
        self._tiles: dict[tuple[int, int], bytes] = {}
        self._epochs: dict[str, tuple[Instant, bytes]] = {}
        self._documents: list[Document] = []
        self._attestations: dict[tuple[str, int, str], Attestation] = {}
        self._lease: tuple[str, Instant] | None = None
        self._fence = 0

    def stored(self, seq: int) -> StoredRecord:
        """The row of a seq number."""
        return StoredRecord(row=self._store.rows[seq - 1].row, seq=seq, index=seq - 1 if seq <= self._size else None)

    async def acquire(self, holder: str, now: Instant, lease_seconds: float) -> int | None:
        """As the port says."""
        until = plus(now, lease_seconds)
        if self._lease is None or self._lease[0] != holder:
            if self._lease is not None and now < self._lease[1] <= until:
                return None
            self._fence += 1
        self._lease = (holder, until)
        return self._fence

    async def state(self) -> tuple[int, bytes]:
        """As the port says."""
        return self._size, self._frontier

    async def unsequenced(self, limit: int) -> Sequence[StoredRecord]:
        """As the port says."""
        last = min(len(self._store.rows), self._size + limit)
        return [self.stored(seq) for seq in range(self._size + 1, last + 1)]

    async def write(self, step: TreeWrite, fence: int, now: Instant) -> None:  # noqa: ARG002 - the fence decides
        """As the port says."""
        if fence != self._fence or step.old_size != self._size:
            raise StaleSequencerError("the tree was moved by another sequencer")
        if step.rows != tuple(range(step.old_size + 1, step.new_size + 1)) or step.new_size < step.old_size:
            raise ValueError("a step takes the rows that follow the tree, all of them, in order")
        if step.new_size > len(self._store.rows):
            raise ValueError("a step's rows are committed ones")
        if any(not data.startswith(self._tiles.get((level, number), b"")) for level, number, data in step.tiles):
            raise ValueError("a tile only ever grows")
        self._tiles.update({(level, number): data for level, number, data in step.tiles})
        self._size, self._frontier, self._checkpoint = step.new_size, step.frontier, step.checkpoint

    async def checkpoint(self) -> bytes | None:
        """As the port says."""
        return self._checkpoint

    async def tile(self, level: int, number: int) -> bytes | None:
        """As the port says."""
        return self._tiles.get((level, number))

    async def entries(self, start: int, count: int) -> Sequence[bytes]:
        """As the port says: fewer where the tree ends."""
        return [record.row.entry for record in await self.by_index(start, count)]

    async def record(self, record_id: RecordId) -> StoredRecord | None:
        """As the port says."""
        for seq, kept in enumerate(self._store.rows, start=1):
            if kept.row.id == record_id:
                return self.stored(seq)
        return None

    async def by_index(self, start: int, count: int) -> Sequence[StoredRecord]:
        """As the port says: fewer where the tree ends."""
        return [self.stored(index + 1) for index in range(start, min(start + count, self._size))]

    async def save_epoch(self, epoch_id: str, starts: Instant, sealed: bytes) -> None:
        """As the port says. Raises ValueError for an id that is there already."""
        if epoch_id in self._epochs:
            raise ValueError("the epoch is saved already, and never replaced")
        self._epochs[epoch_id] = (starts, sealed)

    async def epochs(self) -> Sequence[tuple[str, Instant, bytes]]:
        """As the port says."""
        return sorted(
            ((key, starts, sealed) for key, (starts, sealed) in self._epochs.items()), key=lambda one: (one[1], one[0])
        )

    async def keep_document(self, document: Document) -> None:
        """As the port says."""
        self._documents.append(document)

    async def newest_document(self, kind: str) -> Document | None:
        """As the port says."""
        return next((each for each in reversed(self._documents) if each.kind == kind), None)

    async def documents(self, kind: str) -> Sequence[Document]:
        """As the port says."""
        return [each for each in self._documents if each.kind == kind]

    async def attest(self, attestation: Attestation) -> None:
        """As the port says."""
        key = (attestation.kind, attestation.size, attestation.name)
        self._attestations.setdefault(key, attestation)

    async def attestations(self, kind: str, *, size: int | None = None, limit: int = 100) -> Sequence[Attestation]:
        """As the port says."""
        of_kind = sorted((each for each in self._attestations.values() if each.kind == kind), key=lambda one: one.name)
        if size is None:
            return sorted(of_kind, key=lambda one: -one.size)[:limit]
        return sorted((each for each in of_kind if each.size >= size), key=lambda one: one.size)[:limit]

    async def redact(self, redactions: Sequence[Redaction]) -> int:
        """As the port says."""
        left = {each.id: each for each in redactions}
        found = 0
        for kept in self._store.rows:
            redaction = left.get(kept.row.id)
            if redaction is not None:
                kept.row = replace(kept.row, openings=redaction.openings, pseudonyms=redaction.pseudonyms)
                found += 1
        return found

    async def destroy_epochs(self, through: int, before: Instant) -> Sequence[str]:
        """As the port says."""
        needed = {kept.row.epoch for kept in self._store.rows[through:]}
        gone = [key for key, (starts, sealed) in self._epochs.items() if sealed and starts < before]
        gone = sorted(key for key in gone if key not in needed)
        for key in gone:
            self._epochs[key] = (self._epochs[key][0], b"")
        return gone

    async def damaged_rows(self, start: int, count: int) -> Sequence[str]:  # noqa: ARG002 - the port's
        """As the port says: memory is not damaged."""
        return []

    async def damaged_tables(self) -> Sequence[str]:
        """As the port says."""
        return []

    async def search(self, query: LogQuery) -> AsyncIterator[StoredRecord]:
        """As the port says. Finds what is in the tree; times are those of the commits."""
        found = 0
        for seq in range(self._size, 0, -1):
            if found == query.limit:
                return
            if (query.before_seq is None or seq < query.before_seq) and _matches(self._store.rows[seq - 1], query):
                found += 1
                yield self.stored(seq)

    async def endings(self, requests: Sequence[RecordId]) -> Sequence[StoredRecord]:
        """As the port says."""
        records = [self.stored(seq) for seq in range(1, self._size + 1)]
        return [record for record in records if record.row.ends in requests]


def _matches(kept: _Kept, query: LogQuery) -> bool:
    if (query.since is not None and kept.at < query.since) or (query.until is not None and kept.at >= query.until):
        return False
    sought = [value for value, epoch in zip_longest(query.pseudonyms, query.epochs) if epoch in {None, kept.row.epoch}]
    if query.pseudonyms and not any(value in sought for _, value in kept.row.pseudonyms):
        return False
    skeleton: dict[str, Any] = msgspec.json.decode(kept.row.skeleton)
    for name in ("client", "service", "purpose", "kind", "outcome"):
        wanted = getattr(query, name)
        if wanted is not None and skeleton.get(name) != wanted:
            return False
    return query.provider is None or (skeleton.get("service") or "").startswith(f"{query.provider}/")
