"""Retention: private parts whose time is over are destroyed unasked, batch by batch, in the order of the log.

The gateway does it without anybody's key: what it cannot open it destroys whole (openings, pseudonyms, payload), never
the skeleton. Each batch is recorded before it is destroyed. Records under a legal hold are passed over and come again
when holds change. An epoch all of whose records are settled loses its sealed keys: what then still stands in a backup
opens for nobody who has only this database.
"""

import hashlib
from collections.abc import Callable, Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from gateway.exchange.erasing import EPOCH_MARGIN_SECONDS
from gateway.exchange.events import Event
from gateway.exchange.holding import holds_in_force, is_held
from gateway.exchange.ids import new_record_id
from gateway.exchange.payloads import blob_ids
from gateway.exchange.recording import Recorder
from gateway.ledger.erasure import Retention, Verdict, verdict
from gateway.ledger.order_hold import Hold
from gateway.ledger.record import Facts, InForce, RecordKind
from gateway.ledger.skeleton import read_skeleton
from gateway.model import failpoints
from gateway.model.ids import RecordId
from gateway.model.instant import Instant, plus
from gateway.model.log import Document
from gateway.model.storage import Nonce, NonceUsedError, Redaction, StoredRecord
from gateway.ports import Clock, Entropy, LogStore, Vault
from gateway.trust.document import Role

KIND = "retention"
"""The kind of the documents that say how far it came, and the first reason of its records."""

_GUARD_SECONDS = 600.0
"""For so long no other process does a batch that one has recorded; after that, one that crashed is made good."""


class Reached(Struct, frozen=True, kw_only=True):
    """How far it came. through: every record of a lower index is settled, or was held. skipped: the lowest index that
    was held; None: none was. holds: a digest of the holds in force then.
    """

    through: int = 0
    skipped: int | None = None
    holds: str = ""


class Done(Struct, frozen=True, kw_only=True):
    """One batch. looked: at how many records. erased: how many lost their private part. held: how many are under a
    hold. epochs: how many lost their keys. more: whether another batch may find something.
    """

    looked: int = 0
    erased: int = 0
    held: int = 0
    epochs: int = 0
    more: bool = False


class _Batch(Struct):
    rows: Sequence[StoredRecord]
    due: list[RecordId] = []
    held: list[int] = []
    through: int = 0
    at: Instant | None = None
    """Of the first record that stays, where there is one in the batch."""


class RetentionChore:
    """Destroys what is due. in_force, roles: asked anew for each batch, since a reload may change them."""

    def __init__(
        self,
        log: LogStore,
        vault: Vault,
        recorder: Recorder,
        *,
        clock: Clock,
        entropy: Entropy,
        in_force: Callable[[], InForce],
        roles: Callable[[], tuple[Role, ...]],
        retention: Retention,
        rows: int = 500,
    ) -> None:
        self._log = log
        self._vault = vault
        self._recorder = recorder
        self._clock = clock
        self._entropy = entropy
        self._in_force = in_force
        self._roles = roles
        self._retention = retention
        self._rows = rows

    async def step(self) -> Done:
        """One batch. Raises JournalUnavailableError, and ExchangeError(HOLD_LOST): then nothing is destroyed."""
        now = self._clock.now()
        holds = await holds_in_force(self._log, self._roles(), now)
        reached = await self._reached(holds)
        batch = await self._judged(reached.through, holds, now)
        if batch.through == reached.through:
            return Done(looked=len(batch.rows))
        if batch.due and not await self._record(reached.through, batch, now):
            return Done(looked=len(batch.rows))  # another process is at it
        failpoints.reached("retention.recorded")
        if batch.due:
            await self._log.redact([Redaction(id=each, openings=b"") for each in batch.due])
            await self._vault.destroy(blob_ids(batch.due))
        failpoints.reached("retention.destroyed")
        skipped = reached.skipped if reached.skipped is not None else next(iter(batch.held), None)
        after = replace(reached, through=batch.through, skipped=skipped)
        await self._keep(after, now)
        epochs = await self._destroy_epochs(after, batch, now)
        return Done(
            looked=len(batch.rows),
            erased=len(batch.due),
            held=len(batch.held),
            epochs=epochs,
            more=batch.at is None,
        )

    async def _reached(self, holds: tuple[Hold, ...]) -> Reached:
        """Where to go on: where it stopped, or at what was held, if other holds are in force now."""
        digest = hashlib.sha256("\n".join(sorted(hold.id for hold in holds)).encode()).hexdigest()
        newest = await self._log.newest_document(KIND)
        last = Reached() if newest is None else msgspec.json.decode(newest.content, type=Reached)
        if last.holds == digest:
            return last
        through = last.through if last.skipped is None else min(last.skipped, last.through)
        return Reached(through=through, holds=digest)

    async def _judged(self, start: int, holds: tuple[Hold, ...], now: Instant) -> _Batch:
        batch = _Batch(await self._log.by_index(start, self._rows), through=start)
        partners = await self._partners_held(batch.rows, holds) if holds else frozenset()
        for stored in batch.rows:
            at = read_skeleton(stored.row.skeleton).instant
            held = bool(holds) and (is_held(stored, holds) or stored.row.id in partners)
            ruling = verdict(at, now, self._retention, held=held, ordered=False)
            index = stored.seq - 1 if stored.index is None else stored.index
            if ruling in {Verdict.MINIMUM, Verdict.KEPT} or (held and now < self._retention.due(at)):
                batch.at = at
                break
            if ruling is Verdict.HELD:
                batch.held.append(index)
            elif stored.row.openings or stored.row.pseudonyms:
                batch.due.append(stored.row.id)
            batch.through = index + 1
        return batch

    async def _partners_held(self, rows: Sequence[StoredRecord], holds: tuple[Hold, ...]) -> frozenset[RecordId]:
        """Requests whose answer is held, and answers whose request is."""
        found: set[RecordId] = set()
        for answer in await self._log.endings([each.row.id for each in rows]):
            if answer.row.ends is not None and is_held(answer, holds):
                found.add(answer.row.ends)
        for each in rows:
            request = None if each.row.ends is None else await self._log.record(each.row.ends)
            if request is not None and is_held(request, holds):
                found.add(each.row.id)
        return frozenset(found)

    async def _record(self, first: int, batch: _Batch, now: Instant) -> bool:
        """Say what is about to be destroyed; False where another process has just said so."""
        facts = Facts(
            id=new_record_id(now, self._entropy),
            at=now,
            kind=RecordKind.ERASURE,
            in_force=self._in_force(),
            reasons=(
                KIND,
                f"records {first} to {batch.through - 1}",
                f"erased {len(batch.due)}",
                f"held {len(batch.held)}",
            ),
        )
        guard = Nonce(key=f"{KIND} {first} {batch.through}", expires=plus(now, _GUARD_SECONDS))
        try:
            await self._recorder.commit(Event(facts=facts), nonces=(guard,))
        except NonceUsedError:
            return False
        return True

    async def _keep(self, reached: Reached, now: Instant) -> None:
        content = msgspec.json.encode(reached)
        digest = hashlib.sha256(content).hexdigest()
        await self._log.keep_document(Document(kind=KIND, digest=digest, content=content, at=now))

    async def _destroy_epochs(self, reached: Reached, batch: _Batch, now: Instant) -> int:
        """The keys of epochs that no record needs any more."""
        settled = reached.through if reached.skipped is None else min(reached.skipped, reached.through)
        if not settled:
            return 0
        oldest = batch.at if reached.skipped is None else None
        if oldest is None:
            first = await self._log.by_index(settled, 1)
            oldest = now if not first else read_skeleton(first[0].row.skeleton).instant
        return len(await self._log.destroy_epochs(settled, plus(min(oldest, now), -EPOCH_MARGIN_SECONDS)))
