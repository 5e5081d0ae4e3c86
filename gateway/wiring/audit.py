"""What readers of a gateway's log work with: its database, their epochs, the trust list in force, and the log's key."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from msgspec import Struct

from gateway.config.load import Settings
from gateway.config.settings import AuditSettings
from gateway.exchange.audit import Audit
from gateway.exchange.audit_affected import AffectedPersons
from gateway.exchange.audit_decided import Deciding
from gateway.exchange.audit_desk import Begin, Desk, Quota
from gateway.exchange.audit_people import People
from gateway.exchange.exporting import Exporting
from gateway.exchange.sequencer import LogHaltedError, Sequencer
from gateway.ledger.record import InForce
from gateway.model.errors import ExchangeError
from gateway.model.errors.audit import LOG_NOT_MOVING
from gateway.model.ids import RecordId
from gateway.ports import StaleSequencerError
from gateway.trust.document import TrustList
from gateway.wiring.attesting import log_signers
from gateway.wiring.core import Core
from gateway.wiring.opened import open_database

_PATIENCE_SECONDS = 15.0
_LOOK_EVERY_SECONDS = 0.05


class Auditing(Struct, frozen=True, kw_only=True):
    """The use cases of those who read the log, on one gateway's database."""

    audit: Audit
    people: People
    exporting: Exporting
    affected: AffectedPersons
    deciding: Deciding


class Sequenced:
    """Waits until a record is in the tree; puts it there itself where no gateway is running that does.

    The lease sees to it that only one process ever does.
    """

    def __init__(self, core: Core, settings: Settings | None) -> None:
        self._log = core.store.log
        self._sequencer = None if settings is None else _sequencer(core, settings)

    async def __call__(self, record: RecordId) -> None:
        """Wait. Raises ExchangeError(LOG_NOT_MOVING), JournalUnavailableError."""
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                while not await self._is_in(record):
                    await self._step()
                    await asyncio.sleep(_LOOK_EVERY_SECONDS)
        except TimeoutError:
            raise ExchangeError(LOG_NOT_MOVING) from None

    async def _is_in(self, record: RecordId) -> bool:
        stored = await self._log.record(record)
        return stored is not None and stored.index is not None

    async def _step(self) -> None:
        if self._sequencer is None:
            return
        try:
            await self._sequencer.step()
        except StaleSequencerError:
            return
        except LogHaltedError as error:
            raise ExchangeError(LOG_NOT_MOVING, str(error)) from error


def auditing_of(
    core: Core,
    in_force: InForce,
    trust: TrustList,
    quota: AuditSettings,
    *,
    sequenced: Sequenced,
    begin: Begin | None = None,
) -> Auditing:
    """The use cases on what a running gateway, or ``open_auditing``, is made of. begin: where no epoch is begun yet."""
    desk = desk_of(core, in_force, trust, quota, begin=begin)
    audit = Audit(desk)
    return Auditing(
        audit=audit,
        people=People(audit),
        exporting=Exporting(desk, sequenced),
        affected=AffectedPersons(desk, core.clock),
        deciding=Deciding(audit),
    )


def desk_of(
    core: Core, in_force: InForce, trust: TrustList, quota: AuditSettings, *, begin: Begin | None = None
) -> Desk:
    """Where readers are admitted, and what they read is recorded. begin: where no epoch is begun yet."""
    return Desk(
        core.store.log,
        core.recorder,
        clock=core.clock,
        entropy=core.entropy,
        in_force=in_force,
        trust=trust,
        begin=begin,
        quota=Quota(reads=quota.reads_per_day, persons=quota.persons_per_day, second=quota.second_auditor_persons),
    )


@asynccontextmanager
async def open_auditing(config: Path) -> AsyncIterator[Auditing]:
    """The use cases on a gateway's database; each reading is recorded there.

    The gateway may run meanwhile; it puts the records into the log. Raises ExchangeError, JournalUnavailableError.
    """
    async with open_database(config) as opened:
        core = opened.core
        yield auditing_of(
            core,
            opened.in_force,
            opened.trust,
            opened.settings.audit,
            sequenced=Sequenced(core, opened.settings),
            begin=core.epochs.resume,
        )


@asynccontextmanager
async def open_audit(config: Path) -> AsyncIterator[Audit]:
    """As ``open_auditing``, for those who only search and show."""
    async with open_auditing(config) as auditing:
        yield auditing.audit


class _Quiet:
    """Nobody watches a command: what goes wrong ends it."""

    def exchanged(self, **_: Any) -> None:
        """Nothing is exchanged."""

    def refused(self, **_: Any) -> None:
        """Nothing is refused."""

    def failed(self, error: BaseException) -> None:
        """It is raised, too."""

    def alarm(self, code: str, detail: str) -> None:
        """It is raised, too."""


def _sequencer(core: Core, settings: Settings) -> Sequencer | None:
    try:
        own, *former = log_signers(settings)
    except ExchangeError:
        return None  # the reader may not read the log's keys: then the gateway has to run
    holder = f"reader-{core.entropy(8).hex()}"
    return Sequencer(core.store.log, core.clock, _Quiet(), key=own.key, sign=own.sign, holder=holder, former=former)
