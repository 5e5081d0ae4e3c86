"""What a gateway does by itself: the sequencer, and once a minute the housekeeping."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from gateway.exchange.events import Event
from gateway.exchange.ids import new_record_id
from gateway.exchange.pipeline import Pipeline
from gateway.exchange.recovery import abandon_open_requests
from gateway.exchange.sequencer import LogHaltedError, Sequencer
from gateway.exchange.tally import Tally
from gateway.ledger.record import Facts, RecordKind
from gateway.ledger.skeleton import read_skeleton
from gateway.model.ids import RecordId, parse_service, parse_subsystem
from gateway.model.instant import plus
from gateway.model.outcomes import Outcome
from gateway.model.storage import Commit, JournalUnavailableError, StoredRecord
from gateway.obs.observer import Metrics, Observer
from gateway.wiring.core import Core

MINUTE = 60.0
SECOND = 1.0
_LONGEST_EXCHANGE = 600.0
"""Seconds after which no request of this process can still be running."""


class Chores:
    """Starts and stops the background tasks of one process. halted: why the sequencer stopped for good, if it did.

    steps: chores that are stepped once a second each, and decide for themselves what is to be done.
    """

    def __init__(
        self,
        *,
        core: Core,
        pipeline: Pipeline,
        sequencer: Sequencer,
        tally: Tally,
        observer: Observer,
        metrics: Metrics,
        steps: Sequence[Callable[[], Awaitable[None]]] = (),
    ) -> None:
        self._core = core
        self._steps = tuple(steps)
        self._pipeline = pipeline
        self._sequencer = sequencer
        self._tally = tally
        self._observer = observer
        self._metrics = metrics
        self._tasks: list[asyncio.Task[None]] = []
        self.halted: str | None = None

    async def recover(self) -> int:
        """Before the first call is taken: give requests that a crash left open their end; how many."""
        now = self._core.clock.now()
        return await abandon_open_requests(self._core.store.journal, self._abandoned, now, now)

    def start(self) -> None:
        """Begin the background tasks."""
        self._tasks = [asyncio.create_task(self._sequence()), asyncio.create_task(self._each_minute())]
        self._tasks += [asyncio.create_task(self._each_second(step)) for step in self._steps]

    async def stop(self) -> None:
        """End them; what is counted is written, what is committed gets into the tree."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._quietly(self.flush_tally)
        await self._quietly(self._drain)

    async def flush_tally(self) -> None:
        """Write the refusals that were only counted. Raises JournalUnavailableError."""
        core = self._core
        now = core.clock.now()
        event = self._tally.take(new_record_id(now, core.entropy), now, self._pipeline.rules.in_force)
        if event is not None:
            try:
                await core.recorder.commit(event)
            except JournalUnavailableError:
                self._tally.give_back()
                raise

    async def _drain(self) -> None:
        while self.halted is None and await self._sequencer.step():
            pass

    async def _sequence(self) -> None:
        try:
            await self._sequencer.run()
        except LogHaltedError as error:
            self.halted = str(error)

    async def _each_minute(self) -> None:
        while True:
            await asyncio.sleep(MINUTE)
            for chore in (self.flush_tally, self._renew_epoch, self._purge, self._late_ends, self._watch_trust):
                await self._quietly(chore)

    async def _each_second(self, step: Callable[[], Awaitable[None]]) -> None:
        while True:
            await self._quietly(step)
            await asyncio.sleep(SECOND)

    async def _quietly(self, chore: Callable[[], Awaitable[None]]) -> None:
        """A chore that fails is tried again a minute later; the operator is told."""
        try:
            await chore()
        except JournalUnavailableError:
            self._observer.alarm("journal_unavailable", chore.__name__)
        except Exception as error:  # noqa: BLE001 - one failing chore must not end the others
            self._observer.failed(error)

    async def _renew_epoch(self) -> None:
        if self._core.epochs.due(self._core.clock.now()):
            await self._core.epochs.renew()

    async def _purge(self) -> None:
        await self._core.store.journal.purge(self._core.clock.now())

    async def _late_ends(self) -> None:
        now = self._core.clock.now()
        before = plus(now, -_LONGEST_EXCHANGE)
        await abandon_open_requests(self._core.store.journal, self._abandoned, before, now)

    async def _watch_trust(self) -> None:
        days = self._pipeline.rules.trust.days_left_alarm(self._core.clock.now())
        if days is not None:
            self._observer.alarm("trust_list_ends", f"within {days} days" if days else "it has ended")
        self._metrics.log_size.set(self._sequencer.size)

    def _abandoned(self, stored: StoredRecord) -> Commit:
        """The end of a request that a crash left without one."""
        skeleton = read_skeleton(stored.row.skeleton)
        now = self._core.clock.now()
        facts = Facts(
            id=new_record_id(now, self._core.entropy),
            at=now,
            kind=RecordKind.ABANDONED,
            in_force=self._pipeline.rules.in_force,
            parent=RecordId(skeleton.id),
            client=None if skeleton.client is None else parse_subsystem(skeleton.client),
            service=None if skeleton.service is None else parse_service(skeleton.service),
            method=skeleton.method,
            purpose=skeleton.purpose,
            outcome=Outcome.ABANDONED.value,
        )
        return Commit(row=self._core.recorder.row(Event(facts=facts, ends=stored.row.id)))
