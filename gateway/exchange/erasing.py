"""Erasure by order: verified, recorded, and only then carried out; what it reached, and what it could not, is reported.

The skeleton of a record is never touched, so every proof of before holds after. A crash anywhere is made good by giving
the same order again.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from enum import StrEnum
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from msgspec import Struct

from gateway.exchange.holding import about, holds_in_force, is_held, with_partners
from gateway.exchange.payloads import blob_ids
from gateway.exchange.site import Site
from gateway.ledger.epoch import Epoch
from gateway.ledger.erasure import Mark, Retention, Verdict, left_of, marks_left, verdict
from gateway.ledger.openings import SEAL_RANDOM, epoch_of, open_sealed, seal_again
from gateway.ledger.order import Authorised, authorise
from gateway.ledger.order_hold import Hold
from gateway.ledger.order_jws import without_beside
from gateway.ledger.pseudonym import Subject, pseudonym
from gateway.ledger.record import PrivateField, RecordKind
from gateway.ledger.sealed import seal_to
from gateway.ledger.skeleton import Skeleton, read_skeleton
from gateway.model import failpoints
from gateway.model.errors import ExchangeError
from gateway.model.errors.ledger import OPENING_UNREADABLE
from gateway.model.ids import RecordId
from gateway.model.instant import Instant, plus
from gateway.model.log import Document, LogQuery
from gateway.model.storage import Redaction, StoredRecord
from gateway.model.usage import RoleName
from gateway.ports import Vault
from gateway.trust.document import TrustList
from gateway.trust.roles import holder_of

KIND = "order"
"""The kind of kept orders. Their content is a JWE to the readers."""
ORDER_JWE = "motlan-order+jwe"

Progress = Callable[[int, int], None]
"""Told how much is done, of how much."""

_BATCH = 200
_DAY = 86_400.0
EPOCH_MARGIN_SECONDS = 7 * _DAY
"""How much later than the last of its records an epoch's keys are destroyed."""
_HANDED_OUT = ("export", "evidence", "affected")
_ALL = 2**31


class Place(StrEnum):
    """Where copies of what is erased can be."""

    RECORDS = "records"
    INDEX = "index"
    VAULT = "vault"
    EPOCH_KEYS = "epoch-keys"
    BACKUPS = "backups"
    MIRRORS = "mirrors"
    HANDED_OUT = "handed-out"


class Reached(Struct, frozen=True, kw_only=True):
    """What became of the copies in one place. count: how many were there. gone: when the last one can no longer be
    opened; None: this gateway cannot say, since it has no hand on them.
    """

    place: Place
    count: int
    gone: Instant | None


class Kept(Struct, frozen=True, kw_only=True):
    """A record that was not erased. why: a verdict, or ``altered`` or ``unreadable`` (the officer's key opens it not).
    until: when the statutory minimum ends.
    """

    id: RecordId
    why: str
    until: Instant | None = None


class Report(Struct, frozen=True, kw_only=True):
    """What an order did. digest: the order's. again: it was recorded before, and this run completes it. erased: ids
    whose private part lost something, by this run or before it. missing: ids that the tree does not have. unopened: of
    an order on persons, how many epochs from before it the officer's key does not open: nobody could be looked for.
    """

    digest: str
    again: bool
    erased: tuple[RecordId, ...]
    kept: tuple[Kept, ...]
    missing: tuple[RecordId, ...]
    unopened: int
    places: tuple[Reached, ...]

    @property
    def complete(self) -> bool:
        """Whether everything that was ordered is erased."""
        return not self.kept and not self.missing and not self.unopened


class _Work(Struct):
    """One order under way."""

    said: Authorised
    holds: tuple[Hold, ...]
    epochs: Mapping[str, Epoch]
    now: Instant
    marks: frozenset[bytes] = frozenset()
    redactions: list[Redaction] = []
    erased: list[RecordId] = []
    ages: list[Instant] = []
    kept: list[Kept] = []
    index: int = 0


class Eraser:
    """Carries orders out."""

    def __init__(self, site: Site, vault: Vault, retention: Retention, backup_days: int) -> None:
        self._site = site
        self._vault = vault
        self._retention = retention
        self._backup_days = backup_days

    async def erase(
        self,
        data: bytes,
        trust: TrustList,
        *,
        key: Any,
        epochs: Mapping[str, Epoch],
        progress: Progress = lambda *_: None,
    ) -> Report:
        """Carry an order out. trust: the list in force. key: the data-protection officer's private key,
        which opened ``epochs``. progress: told how many records are judged or destroyed, of how many.

        Raises ExchangeError, before anything is recorded, for an order that may not be carried out; and
        JournalUnavailableError: then give it again.
        """
        site, now = self._site, self._site.clock.now()
        said = authorise(data, trust.roles, log=site.origin, now=now)
        public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        holder_of(trust, public, (RoleName.DATA_PROTECTION_OFFICER,), now)
        holds = await holds_in_force(site.log, trust.roles, now)
        again = await self._record(said, data)
        failpoints.reached("erasure.recorded")
        found, missing = await self._targets(said, epochs)
        work = _Work(said=said, holds=holds, epochs=epochs, now=now, marks=_marks(said, epochs))
        for done, stored in enumerate(found, start=1):
            await self._judge(stored, work)
            progress(done, len(found) + len(work.redactions))
        vault = await self._destroy(work, lambda done: progress(len(found) + done, len(found) + len(work.redactions)))
        await self._record_end(work, missing)
        places = await self._places(work, vault)
        return Report(
            digest=said.digest,
            again=again,
            erased=tuple(work.erased),
            kept=tuple(work.kept),
            missing=tuple(missing),
            unopened=await self._unopened(said, epochs),
            places=places,
        )

    async def _record(self, said: Authorised, data: bytes) -> bool:
        """Keep the order and record that it is carried out; whether it was kept before."""
        site, order = self._site, said.order
        again = any(each.digest == said.digest for each in await site.log.documents(KIND))
        if not again:
            readers = [(each.kid, each.key) for each in site.recipients]
            sealed = seal_to(ORDER_JWE, without_beside(data), readers)
            await site.log.keep_document(Document(kind=KIND, digest=said.digest, content=sealed, at=site.clock.now()))
        private: tuple[PrivateField, ...] = (
            ("officer_in_charge", said.officer.name),
            ("second", said.other.name),
            ("order_case", order.case),
            ("reason", order.reason),
            ("legal_basis", order.legal_basis),
        )
        await site.record(RecordKind.ERASURE, (KIND, said.digest, "begun"), private)
        return again

    async def _record_end(self, work: _Work, missing: Sequence[RecordId]) -> None:
        reasons = (KIND, work.said.digest, "ended", f"erased {len(work.erased)}", f"kept {len(work.kept)}")
        private: list[PrivateField] = [("records", list(work.erased))]
        if work.kept:
            private.append(("kept", [[each.id, each.why] for each in work.kept]))
        if missing:
            private.append(("missing", list(missing)))
        await self._site.record(RecordKind.ERASURE, reasons, tuple(private))

    async def _targets(
        self, said: Authorised, epochs: Mapping[str, Epoch]
    ) -> tuple[list[StoredRecord], list[RecordId]]:
        """What the order means and is in the tree, and the ids that are not."""
        log, order = self._site.log, said.order
        if said.numbers:
            return await about(log, epochs.values(), said.numbers), []
        found: list[StoredRecord] = []
        missing: list[RecordId] = []
        for record_id in order.records:
            stored = await log.record(record_id)
            if stored is None or stored.index is None:
                missing.append(record_id)
            else:
                found.append(stored)
        return found, missing

    async def _unopened(self, said: Authorised, epochs: Mapping[str, Epoch]) -> int:
        """Epochs in which nobody could be looked for: sealed to others. Those whose keys are destroyed need not be."""
        if not said.numbers:
            return 0
        known = await self._site.log.epochs()
        return sum(bool(sealed) and at <= said.order.issued and name not in epochs for name, at, sealed in known)

    async def _judge(self, stored: StoredRecord, work: _Work) -> None:
        """Decide on one record; what is to be erased of it is left for ``_destroy``."""
        row, order = stored.row, work.said.order
        skeleton = read_skeleton(row.skeleton)
        at = skeleton.instant
        if work.said.numbers and at > order.issued:
            return  # came after the order
        partners = await with_partners(self._site.log, [stored]) if work.holds else []
        held = any(is_held(each, work.holds) for each in partners)
        ruling = verdict(at, work.now, self._retention, held=held, ordered=True)
        if ruling is not Verdict.ERASE:
            until = self._retention.minimum_ends(at) if ruling is Verdict.MINIMUM else None
            work.kept.append(Kept(id=row.id, why=ruling.value, until=until))
            return
        try:
            redaction = self._left(stored, skeleton, work)
        except ExchangeError:
            known = row.epoch in work.epochs
            work.kept.append(Kept(id=row.id, why="altered" if known else "unreadable"))
            return
        work.erased.append(row.id)
        work.ages.append(at)
        if redaction is not None:
            work.index += len(row.pseudonyms) - len(redaction.pseudonyms)
            work.redactions.append(redaction)

    def _left(self, stored: StoredRecord, skeleton: Skeleton, work: _Work) -> Redaction | None:
        """What stays of a record; None where nothing more is to go. Raises ExchangeError where it cannot be opened."""
        row, said = stored.row, work.said
        if not row.openings and not row.pseudonyms:
            return None
        over = work.now >= self._retention.due(skeleton.instant)
        if over or (not said.numbers and not said.order.fields):
            return Redaction(id=row.id, openings=b"")  # all of it, whether it can be opened or not
        if not row.openings:
            return Redaction(id=row.id, openings=b"")
        epoch = work.epochs.get(epoch_of(row.openings))
        if epoch is None:
            raise ExchangeError(OPENING_UNREADABLE, "sealed under an epoch that this key does not open")
        before = open_sealed(row.openings, epoch, row.id, row.entry)
        left = left_of(skeleton.kind, before, numbers=said.numbers, fields=said.order.fields)
        marks: tuple[Mark, ...] = marks_left(row, before, left, erased=work.marks)
        if left == before and marks == row.pseudonyms:
            return None
        if not left.shown:
            return Redaction(id=row.id, openings=b"")
        sealed = seal_again(left, row.entry, epoch, self._site.entropy(SEAL_RANDOM))
        return Redaction(id=row.id, openings=sealed, pseudonyms=marks)

    async def _destroy(self, work: _Work, progress: Callable[[int], None]) -> int:
        """Everything that was decided; how many payloads there were. The records last: by them the rest is found again,
        if this breaks off and the order is given once more.
        """
        log = self._site.log
        payloads = await self._vault.destroy(blob_ids(work.erased))
        failpoints.reached("erasure.destroyed")
        for start in range(0, len(work.redactions), _BATCH):
            await log.redact(work.redactions[start : start + _BATCH])
            progress(min(start + _BATCH, len(work.redactions)))
            failpoints.reached("erasure.redacted")
        await log.redact(())  # wipes what an earlier run may have left
        return payloads

    async def _places(self, work: _Work, payloads: int) -> tuple[Reached, ...]:
        now = self._site.clock.now()
        keys = {row.epoch for row in await self._rows(work.erased)}
        due = max((self._retention.due(at) for at in work.ages), default=now)
        backups = plus(now, self._backup_days * _DAY) if work.erased else now
        return (
            Reached(place=Place.RECORDS, count=len(work.redactions), gone=now),
            Reached(place=Place.INDEX, count=work.index, gone=now),
            Reached(place=Place.VAULT, count=payloads, gone=now),
            Reached(place=Place.EPOCH_KEYS, count=len(keys), gone=plus(max(due, now), EPOCH_MARGIN_SECONDS)),
            Reached(place=Place.BACKUPS, count=len(work.erased), gone=backups),
            Reached(place=Place.MIRRORS, count=0, gone=now),
            Reached(place=Place.HANDED_OUT, count=await self._handed_out(work), gone=None),
        )

    async def _rows(self, ids: Collection[RecordId]) -> list[Any]:
        found = [await self._site.log.record(each) for each in ids]
        return [each.row for each in found if each is not None]

    async def _handed_out(self, work: _Work) -> int:
        """How many exports and the like were made since the oldest of what is erased: nobody calls those back."""
        if not work.ages:
            return 0
        query = LogQuery(kind=RecordKind.AUDIT.value, since=min(work.ages), limit=_ALL)
        skeletons = [read_skeleton(each.row.skeleton) async for each in self._site.log.search(query)]
        said = [each.decision.reasons[0] for each in skeletons if each.decision and each.decision.reasons]
        return sum(reason.startswith(_HANDED_OUT) for reason in said)


def _marks(said: Authorised, epochs: Mapping[str, Epoch]) -> frozenset[bytes]:
    return frozenset(
        pseudonym(epoch.pseudonym_key, Subject.PERSON, number) for epoch in epochs.values() for number in said.numbers
    )
