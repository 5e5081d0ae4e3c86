"""Metrics and logs of the exchange: Prometheus counters, and JSON lines on standard error.

Labels come from the configuration (service names, error codes), never from a message.
"""

import traceback

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """What is counted. One registry per gateway."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.exchanges = Counter(
            "motlan_exchanges", "Exchanges with a recorded answer", ["service", "outcome"], registry=self.registry
        )
        self.provider_seconds = Histogram(
            "motlan_provider_seconds",
            "Time that providers took to answer",
            ["service"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.refusals = Counter("motlan_refusals", "Refused requests", ["code", "proved"], registry=self.registry)
        self.alarms = Counter("motlan_alarms", "Alarms", ["code"], registry=self.registry)
        self.in_flight = Gauge("motlan_in_flight", "Exchanges under way", registry=self.registry)
        self.log_size = Gauge("motlan_log_size", "Entries under the newest checkpoint", registry=self.registry)
        self.log_verified_size = Gauge(
            "motlan_log_verified_size", "Entries that the consistency watch has verified", registry=self.registry
        )
        self.log_verified_faults = Gauge(
            "motlan_log_verified_faults", "Faults that the consistency watch knows of", registry=self.registry
        )
        self.log_verified_rounds = Gauge(
            "motlan_log_verified_rounds", "Rounds over the whole log that the watch has ended", registry=self.registry
        )


class Observer:
    """Subscribes to what the pipeline tells (``gateway.ports.Observer``)."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._log = structlog.get_logger("motlan")
        self._children: dict[tuple[str, str], tuple[Counter, Histogram]] = {}

    def exchanged(self, *, service: str, outcome: str, provider_seconds: float) -> None:
        """An exchange ended with a recorded answer."""
        pair = self._children.get((service, outcome))
        if pair is None:  # label look-ups cost more than counting
            pair = (
                self._metrics.exchanges.labels(service, outcome),
                self._metrics.provider_seconds.labels(service),
            )
            self._children[service, outcome] = pair
        pair[0].inc()
        pair[1].observe(provider_seconds)

    def refused(self, *, code: str, proved: bool) -> None:
        """A request was refused."""
        self._metrics.refusals.labels(code, "yes" if proved else "no").inc()

    def failed(self, error: BaseException) -> None:
        """Our own code failed. Only where: an exception's text may quote a message."""
        frames = traceback.extract_tb(error.__traceback__)[-4:]
        places = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames]
        self._log.error("internal error", type=type(error).__name__, at=places)

    def alarm(self, code: str, detail: str) -> None:
        """Something an operator must look at."""
        self._metrics.alarms.labels(code).inc()
        self._log.warning("alarm", code=code, detail=detail)
