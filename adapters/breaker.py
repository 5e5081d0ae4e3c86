"""A circuit breaker for one provider: time is an argument, so that every transition can be shown in a table.

======== =============================================== =========
state    event                                           next
======== =============================================== =========
closed   failures reach the rate, of enough calls        open
open     its time has passed, and a call comes           half-open (that call is the probe)
half     the probe succeeds                              closed, counts forgotten
half     the probe fails                                 open, for twice as long, up to the longest
half     the probe was given up (cancelled)              half-open, the next call is the probe
======== =============================================== =========
"""

from collections import deque
from enum import StrEnum
from math import ceil

from msgspec import Struct


class BreakerOptions(Struct, frozen=True, kw_only=True):
    """When calls to a provider stop.

    failure_rate: share of failed calls within ``window_seconds``, of at least ``minimum_calls``, that opens it.
    open_seconds: how long nothing is sent then; doubled with each failed probe up to ``longest_open_seconds``.
    """

    failure_rate: float = 0.5
    minimum_calls: int = 10
    window_seconds: float = 30.0
    open_seconds: float = 5.0
    longest_open_seconds: float = 120.0

    def __post_init__(self) -> None:
        if not 0 < self.failure_rate <= 1 or self.minimum_calls < 1:
            raise ValueError("a failure rate is in (0, 1], of at least one call")
        if self.window_seconds <= 0 or not 0 < self.open_seconds <= self.longest_open_seconds:
            raise ValueError("a breaker's durations are positive, the longest no shorter than the first")


class State(StrEnum):
    """Of a breaker."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Pass(Struct, frozen=True):
    """Leave to call; hand it back with the result. probe: it decides whether the breaker closes."""

    probe: bool
    generation: int


class Refusal(Struct, frozen=True):
    """No leave. retry_after: whole seconds until a call may be tried."""

    retry_after: int


_BUCKETS = 10


class Breaker:
    """Counts the calls to one provider. Not thread-safe: one event loop uses it.

    ``now`` is in monotonic seconds everywhere.
    """

    def __init__(self, options: BreakerOptions) -> None:
        self._options = options
        self._width = options.window_seconds / _BUCKETS
        self._buckets: deque[list[int]] = deque()  # [bucket number, calls, failures]
        self._calls = self._failures = 0
        self._until: float | None = None
        self._open_for = options.open_seconds
        self._probing = False
        self._generation = 0

    def state(self, now: float) -> State:
        """For health and metrics."""
        if self._until is None:
            return State.CLOSED
        return State.OPEN if now < self._until else State.HALF_OPEN

    def ask(self, now: float) -> Pass | Refusal:
        """May a call be made?"""
        if self._until is None:
            return Pass(probe=False, generation=self._generation)
        if now < self._until:
            return Refusal(max(1, ceil(self._until - now)))
        if self._probing:
            return Refusal(1)
        self._probing = True
        return Pass(probe=True, generation=self._generation)

    def succeeded(self, leave: Pass, now: float) -> None:
        """The provider answered, whatever it said: it is alive."""
        if leave.generation != self._generation:
            return
        if leave.probe:
            self._close()
        else:
            self._count(now, failed=False)

    def failed(self, leave: Pass, now: float) -> None:
        """No answer, or one that says the provider is not working."""
        if leave.generation != self._generation:
            return
        if leave.probe:
            self._open_for = min(self._open_for * 2, self._options.longest_open_seconds)
            self._open(now)
            return
        self._count(now, failed=True)
        options = self._options
        if self._calls >= options.minimum_calls and self._failures >= options.failure_rate * self._calls:
            self._open(now)

    def gave_up(self, leave: Pass) -> None:
        """The call was cancelled on our side: it says nothing of the provider."""
        if leave.probe and leave.generation == self._generation:
            self._probing = False

    def _count(self, now: float, *, failed: bool) -> None:
        number = int(now / self._width)
        buckets = self._buckets
        if not buckets or buckets[-1][0] < number:
            buckets.append([number, 0, 0])
        while buckets[0][0] <= number - _BUCKETS:
            _, calls, failures = buckets.popleft()
            self._calls -= calls
            self._failures -= failures
        buckets[-1][1] += 1
        self._calls += 1
        if failed:
            buckets[-1][2] += 1
            self._failures += 1

    def _open(self, now: float) -> None:
        self._forget()
        self._until = now + self._open_for

    def _close(self) -> None:
        self._forget()
        self._until = None
        self._open_for = self._options.open_seconds

    def _forget(self) -> None:
        self._generation += 1  # calls that began before say nothing of what comes now
        self._probing = False
        self._buckets.clear()
        self._calls = self._failures = 0
