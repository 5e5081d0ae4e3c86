"""Erasure, legal holds and retention on a gateway's database: for its own chore, and for what role holders command."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from msgspec import Struct

from gateway.config.load import Settings
from gateway.exchange.audit_desk import READERS, Desk, Reader, Reading
from gateway.exchange.erasing import Eraser, Progress, Report
from gateway.exchange.holding import Held, Holding, Why, holds_in_force, why_of
from gateway.exchange.payload_reading import read_payload
from gateway.exchange.retention import RetentionChore
from gateway.exchange.rules import Rules
from gateway.exchange.site import Site
from gateway.ledger.epoch import Epoch, open_epoch
from gateway.ledger.erasure import Retention
from gateway.ledger.order_hold import Hold
from gateway.model.errors import ExchangeError
from gateway.model.errors.erasure import HOLD_LOST
from gateway.model.ids import RecordId
from gateway.model.usage import RoleName
from gateway.ports import Observer
from gateway.trust.document import Role
from gateway.trust.roles import holder_of
from gateway.wiring.audit import Sequenced, desk_of
from gateway.wiring.core import Core, recipient_of
from gateway.wiring.opened import Opened, open_database

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


class Erasing(Struct, frozen=True):
    """A gateway's database, for those who hold a role. moving: brings what is recorded into the tree."""

    opened: Opened
    moving: Sequenced

    async def erase(self, order: bytes, key: Any, progress: Progress = lambda *_: None) -> Report:
        """Carry out an order with the data-protection officer's private key. progress: as of ``Eraser.erase``."""
        core, settings = self.opened.core, self.opened.settings
        await self.holder(key, (RoleName.DATA_PROTECTION_OFFICER,))
        eraser = Eraser(self.site, core.store.vault, retention_of(settings), settings.retention.backup_days)
        await self.sequenced()
        epochs = await self._epochs(key)
        report = await eraser.erase(order, self.opened.trust, key=key, epochs=epochs, progress=progress)
        await self.sequenced()
        return report

    async def hold(self, held: Held, why: Why, key: Any) -> tuple[Hold, bytes]:
        """Place a hold with a role holder's private key; the hold and its document."""
        role = await self.holder(key)
        epochs = await self._epochs(key)
        data = await Holding(self.site).draft(held, why, epochs=epochs, role=role, key=key)
        return await self._placed(data, why, held.persons), data

    async def lift(self, hold: str, why: Why, key: Any) -> tuple[Hold, bytes]:
        """Lift a hold with the private key of a holder of the role that placed it."""
        role = await self.holder(key)
        data = Holding(self.site).draft_lifting(hold, why, role=role, key=key)
        return await self._placed(data, why), data

    async def place(self, data: bytes, key: Any) -> Hold:
        """Place a hold or a lifting that was signed before: what a crash left undone, or somebody took away."""
        await self.holder(key)
        return await self._placed(data)

    async def holds(self, reader: Reader | None = None) -> list[tuple[Hold, Why | None]]:
        """Those in force. reader: sees why, which is recorded as a reading first."""
        opened = self.opened
        found = await holds_in_force(opened.core.store.log, opened.trust.roles, opened.core.clock.now())
        if reader is None:
            return [(hold, None) for hold in found]
        await self.read("holds", reader, len(found))
        return [(hold, why_of(hold.why, reader.key)) for hold in found]

    async def payload(self, record: RecordId, reader: Reader) -> bytes:
        """A record's payload, recorded as read before it is."""
        core = self.opened.core
        return await read_payload(self._desk, core.store.vault, core.clock, record, reader)

    async def read(self, action: str, reader: Reader, found: int) -> None:
        """Admit a reader and record what they are about to be shown, which names no person."""
        desk = self._desk
        admitted = await desk.admit(reader)
        await desk.record(admitted, Reading(action=action, question={}, found=found, persons=0))

    @property
    def site(self) -> Site:
        """What they act on."""
        opened = self.opened
        return Site(
            log=opened.core.store.log,
            recorder=opened.core.recorder,
            clock=opened.core.clock,
            entropy=opened.core.entropy,
            in_force=opened.in_force,
            origin=opened.settings.ledger.origin,
            recipients=tuple(recipient_of(reader) for reader in opened.settings.ledger.readers),
        )

    @property
    def _desk(self) -> Desk:
        opened = self.opened
        begin = opened.core.epochs.resume
        return desk_of(opened.core, opened.in_force, opened.trust, opened.settings.audit, begin=begin)

    async def _placed(self, data: bytes, why: Why | None = None, persons: tuple[str, ...] = ()) -> Hold:
        placed = await Holding(self.site).place(data, self.opened.trust.roles, why=why, persons=persons)
        await self.sequenced()
        return placed

    async def sequenced(self) -> None:
        """Wait until what is recorded is in the tree, where the log moves at all: recorded it is in any case."""
        waiting = await self.opened.core.store.log.unsequenced(_MOST_WAITING)
        if waiting:
            with suppress(ExchangeError):
                await self.moving(waiting[-1].row.id)

    async def holder(self, key: Any, roles: Iterable[RoleName] = READERS) -> Role:
        """The role of a key, which then also begins the epoch that its records are sealed under.

        Raises ExchangeError, before anything is begun, for who holds none of these roles.
        """
        public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        role = holder_of(self.opened.trust, public, roles, self.opened.core.clock.now())
        await self.opened.core.epochs.resume(key)
        return role

    async def _epochs(self, key: Any) -> dict[str, Epoch]:
        """Those that a key opens: others were sealed to others, or their keys are destroyed."""
        opened: dict[str, Epoch] = {}
        for epoch_id, _, sealed in await self.opened.core.store.log.epochs():
            try:
                opened[epoch_id] = open_epoch(sealed, key)
            except ExchangeError:
                continue
        return opened


@asynccontextmanager
async def open_erasing(config: Path) -> AsyncIterator[Erasing]:
    """On a gateway's database, which may be running. Raises ExchangeError, JournalUnavailableError."""
    async with open_database(config) as opened:
        yield Erasing(opened, Sequenced(opened.core, opened.settings))
