"""The consistency watch of a running gateway: what it watches, and where it says what it found."""

from collections.abc import Awaitable, Callable

from gateway.config.load import Settings
from gateway.exchange.sequencer import Sequencer
from gateway.exchange.watching import Progress, Watch, WatchPace
from gateway.ledger.checkpoint import LogKeys
from gateway.obs.observer import Metrics, Observer
from gateway.wiring.core import Core


def watch_step(
    settings: Settings, core: Core, *, keys: LogKeys, sequencer: Sequencer, observer: Observer, metrics: Metrics
) -> Callable[[], Awaitable[None]]:
    """A chore for once a second, in the process that leads."""

    def tell(progress: Progress) -> None:
        metrics.log_verified_size.set(progress.size)
        metrics.log_verified_faults.set(progress.faults)
        metrics.log_verified_rounds.set(progress.rounds)

    return Watch(
        core.store.log,
        core.clock,
        observer,
        key=keys,
        leads=lambda: sequencer.leads,
        tell=tell,
        epoch=core.epochs.find,
        pace=WatchPace(per_second=settings.ledger.verify_per_second),
    ).step
