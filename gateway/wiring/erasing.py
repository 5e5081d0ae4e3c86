"""Erasure, legal holds and retention on a gateway's database: for its own chore, and for what role holders command."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from msgspec import Struct

from gateway.config.load import Settings, load
from gateway.exchange.audit_desk import READERS, Desk, Quota, Reader
from gateway.exchange.erasing import Eraser, Report, Site
from gateway.exchange.holding import Held, Holding, Why, holds_in_force, why_of
from gateway.exchange.payload_reading import read_payload
from gateway.exchange.retention import RetentionChore
from gateway.exchange.rules import Rules
from gateway.ledger.epoch import Epoch, Recipient, open_epoch
from gateway.ledger.erasure import Retention
from gateway.ledger.order_hold import Hold
from gateway.ledger.record import InForce
from gateway.model.errors import ExchangeError
from gateway.model.errors.erasure import HOLD_LOST
from gateway.model.ids import RecordId
from gateway.model.storage import JournalUnavailableError
from gateway.ports import Observer
from gateway.storage.sqlite.database import SchemaError
from gateway.trust.document import Role, TrustList
from gateway.trust.jws import LastSeen, verify
from gateway.trust.roles import holder_of
from gateway.wiring.audit import Sequenced
from gateway.wiring.core import Core, build_core, recipient_of
from gateway.wiring.rules import BUILD
from gateway.wiring.tools import pinned
from gateway.wiring.trust import KIND as TRUST_KIND

_EVERY_SECONDS = 60.0
_MOST_WAITING = 10_000


def retention_of(settings: Settings) -> Retention:
    """How long private parts are kept."""
    return Retention(minimum=settings.retention.minimum, months=settings.retention.months)


def retention_step(
    settings: Settings, core: Core, rules: Callable[[], Rules], observer: Observer
) -> Callable[[], Awaitable[None]]:
    """What a gateway does once a second for its retention: mostly nothing; one batch while there is something due.

    Nothing is destroyed after the trust list's end: a clock that runs far ahead would make everything due.
    """
    chore = RetentionChore(
        core.store.log,
        core.store.vault,
        core.recorder,
        clock=core.clock,
        entropy=core.entropy,
        in_force=lambda: rules().in_force,
        roles=lambda: rules().trust.document.roles,
        retention=retention_of(settings),
    )
    # The first look is a minute after the start: whoever only starts and stops a gateway waits for nothing.
    next_look = core.clock.monotonic() + _EVERY_SECONDS

    async def step() -> None:
        nonlocal next_look
        if core.clock.monotonic() < next_look:
            return
        next_look = core.clock.monotonic() + _EVERY_SECONDS
        try:
            rules().trust.check_current(core.clock.now())
            done = await chore.step()
        except ExchangeError as error:
            observer.alarm("hold_lost" if error.kind is HOLD_LOST else "retention_stopped", error.kind.code)
            return
        if done.more:
            next_look = core.clock.monotonic()

    return step


class Erasing(Struct, frozen=True, kw_only=True):
    """A gateway's database, for those who hold a role. trust: the list in force."""

    settings: Settings
    core: Core
    trust: TrustList
    in_force: InForce

    async def erase(self, order: bytes, key: Any) -> Report:
        """Carry out an order with the data-protection officer's private key."""
        core = self.core
        await self._holder(key)
        site = Site(
            log=core.store.log,
            vault=core.store.vault,
            recorder=core.recorder,
            clock=core.clock,
            entropy=core.entropy,
            in_force=self.in_force,
            origin=self.settings.ledger.origin,
            recipients=self.recipients,
            retention=retention_of(self.settings),
            backup_days=self.settings.retention.backup_days,
        )
        await self._sequenced()
        report = await Eraser(site).erase(order, self.trust, key=key, epochs=await self._epochs(key))
        await self._sequenced()
        return report

    async def hold(self, held: Held, why: Why, key: Any) -> tuple[Hold, bytes]:
        """Place a hold with a role holder's private key; the hold and its document."""
        role = await self._holder(key)
        epochs = await self._epochs(key)
        data = await self._holding().draft(held, why, epochs=epochs, recipients=self.recipients, role=role, key=key)
        return await self._placed(data, why, held.persons), data

    async def lift(self, hold: str, why: Why, key: Any) -> tuple[Hold, bytes]:
        """Lift a hold with the private key of a holder of the role that placed it."""
        role = await self._holder(key)
        data = self._holding().draft_lifting(hold, why, recipients=self.recipients, role=role, key=key)
        return await self._placed(data, why), data

    async def place(self, data: bytes, key: Any) -> Hold:
        """Place a hold or a lifting that was signed before: what a crash left undone, or somebody took away."""
        await self._holder(key)
        return await self._placed(data)

    async def holds(self, key: Any | None = None) -> list[tuple[Hold, Why | None]]:
        """Those in force. key: of a reader, who sees why."""
        found = await holds_in_force(self.core.store.log, self.trust.roles, self.core.clock.now())
        return [(hold, None if key is None else why_of(hold, key)) for hold in found]

    async def payload(self, record: RecordId, reader: Reader) -> bytes:
        """A record's payload, recorded as read before it is."""
        await self._holder(reader.key)
        quota = self.settings.audit
        desk = Desk(
            self.core.store.log,
            self.core.recorder,
            clock=self.core.clock,
            entropy=self.core.entropy,
            in_force=self.in_force,
            trust=self.trust,
            quota=Quota(reads=quota.reads_per_day, persons=quota.persons_per_day, second=quota.second_auditor_persons),
        )
        return await read_payload(desk, self.core.store.vault, self.core.clock, record, reader)

    @property
    def recipients(self) -> tuple[Recipient, ...]:
        """Who may read what is sealed."""
        return tuple(recipient_of(reader) for reader in self.settings.ledger.readers)

    async def _placed(self, data: bytes, why: Why | None = None, persons: tuple[str, ...] = ()) -> Hold:
        placed = await self._holding().place(data, self.trust.roles, why=why, persons=persons)
        await self._sequenced()
        return placed

    async def _sequenced(self) -> None:
        """Wait until what is recorded is in the tree, where the log moves at all: recorded it is in any case."""
        waiting = await self.core.store.log.unsequenced(_MOST_WAITING)
        if waiting:
            with suppress(ExchangeError):
                await Sequenced(self.core, self.settings)(waiting[-1].row.id)

    async def _holder(self, key: Any) -> Role:
        """The role of a key, which then also begins the epoch that its records are sealed under."""
        public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        role = holder_of(self.trust, public, READERS, self.core.clock.now())
        await self.core.epochs.resume(key)
        return role

    def _holding(self) -> Holding:
        core = self.core
        return Holding(
            core.store.log,
            core.recorder,
            clock=core.clock,
            entropy=core.entropy,
            in_force=self.in_force,
            origin=self.settings.ledger.origin,
        )

    async def _epochs(self, key: Any) -> dict[str, Epoch]:
        """Those that a key opens: others were sealed to others, or their keys are destroyed."""
        opened: dict[str, Epoch] = {}
        for epoch_id, _, sealed in await self.core.store.log.epochs():
            try:
                opened[epoch_id] = open_epoch(sealed, key)
            except ExchangeError:
                continue
        return opened


@asynccontextmanager
async def open_erasing(config: Path) -> AsyncIterator[Erasing]:
    """On a gateway's database, which may be running. Raises ExchangeError, JournalUnavailableError."""
    settings = load(config)
    if not settings.ledger.database.exists():
        raise JournalUnavailableError(f"there is no database {settings.ledger.database}")
    try:
        core = await build_core(settings, begin=False)
    except SchemaError as error:
        raise JournalUnavailableError(str(error)) from error
    try:
        listed = await core.store.log.newest_document(TRUST_KIND)
        if listed is None:
            raise JournalUnavailableError("no gateway with this database ever had a trust list")
        # Verified once more: the database alone gives nobody a role.
        seen = msgspec.json.decode(listed.note, type=LastSeen)
        trust = verify(listed.content, pinned=pinned(settings), last_seen=seen, now=core.clock.now()).document
        in_force = InForce(
            policy=bytes.fromhex(settings.policy_digest),
            trust=bytes.fromhex(listed.digest),
            mapping=bytes.fromhex(settings.services_digest),
            build=BUILD,
        )
        yield Erasing(settings=settings, core=core, trust=trust, in_force=in_force)
    finally:
        await core.store.close()
