"""The circuit breaker: its table of transitions, and a machine that tries to break its rules."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from adapters.breaker import Breaker, BreakerOptions, Pass, Refusal, State

OPTIONS = BreakerOptions(failure_rate=0.5, minimum_calls=4, window_seconds=10, open_seconds=5, longest_open_seconds=15)


def run(breaker, script, now=0.0):
    """``s``: a call succeeds, ``f``: it fails, ``c``: it is cancelled; digits: seconds pass. Returns the time after."""
    for step in script:
        if step.isdigit():
            now += int(step)
            continue
        leave = breaker.ask(now)
        assert isinstance(leave, Pass), f"refused at {step}"
        {"s": breaker.succeeded, "f": breaker.failed, "c": lambda each, _: breaker.gave_up(each)}[step](leave, now)
    return now


@pytest.mark.parametrize(
    ("script", "state"),
    [
        ("", State.CLOSED),
        ("fff", State.CLOSED),  # too few calls to judge
        ("ffff", State.OPEN),
        ("ssff", State.OPEN),
        ("sssff", State.CLOSED),
        ("sssfff", State.OPEN),
        ("ssssssss", State.CLOSED),
        ("fff99f", State.CLOSED),  # the old failures left the window
        ("ccccffcc", State.CLOSED),  # cancelled calls do not count
        ("ffff5", State.HALF_OPEN),
        ("ffff5s", State.CLOSED),
        ("ffff5sfff", State.CLOSED),  # its counts were forgotten
        ("ffff5f", State.OPEN),
        ("ffff5f9", State.OPEN),  # twice as long now
        ("ffff5f91", State.HALF_OPEN),
        ("ffff5f91f95", State.OPEN),  # 15, the longest
        ("ffff5f91f96", State.HALF_OPEN),
        ("ffff5f91sffff5", State.HALF_OPEN),  # success forgot the doubling
        ("ffff5c", State.HALF_OPEN),
        ("ffff5cs", State.CLOSED),
    ],
)
def test_transitions(script, state):
    breaker = Breaker(OPTIONS)
    assert breaker.state(run(breaker, script)) is state


def test_open_says_when_to_come_back():
    breaker = Breaker(OPTIONS)
    run(breaker, "ffff")
    assert [breaker.ask(now).retry_after for now in (0.0, 0.5, 4.2, 4.999)] == [5, 5, 1, 1]


def test_one_probe_at_a_time():
    breaker = Breaker(OPTIONS)
    run(breaker, "ffff")
    probe = breaker.ask(5.0)
    assert isinstance(probe, Pass)
    assert probe.probe
    assert breaker.ask(5.0) == Refusal(1)
    assert breaker.ask(9.0) == Refusal(1)
    breaker.succeeded(probe, 9.0)
    assert isinstance(breaker.ask(9.0), Pass)


def test_calls_from_before_it_opened_say_nothing_of_what_comes_after():
    breaker = Breaker(OPTIONS)
    early = breaker.ask(0.0)
    run(breaker, "ffff")
    probe = breaker.ask(5.0)
    breaker.failed(early, 5.0)
    breaker.succeeded(early, 5.0)
    assert breaker.state(5.0) is State.HALF_OPEN
    breaker.succeeded(probe, 5.0)
    breaker.failed(early, 5.0)
    assert breaker.state(5.0) is State.CLOSED


@pytest.mark.parametrize(
    "bad",
    [
        {"failure_rate": 0},
        {"failure_rate": 1.1},
        {"minimum_calls": 0},
        {"window_seconds": 0},
        {"open_seconds": 0},
        {"open_seconds": 9, "longest_open_seconds": 8},
    ],
)
def test_impossible_options(bad):
    with pytest.raises(ValueError):
        BreakerOptions(**bad)


class Machine(RuleBasedStateMachine):
    """Calls in any order, overlapping, with time passing between them."""

    def __init__(self):
        super().__init__()
        self.breaker = Breaker(OPTIONS)
        self.now = 0.0
        self.running = []
        self.history = []

    @rule(seconds=st.floats(0, 20))
    def wait(self, seconds):
        self.now += seconds

    @rule()
    def ask(self):
        leave = self.breaker.ask(self.now)
        if isinstance(leave, Pass):
            self.running.append(leave)
            if leave.probe:
                assert sum(each.probe for each in self.running if each.generation == leave.generation) == 1
        else:
            assert self.breaker.state(self.now) is not State.CLOSED
            assert 1 <= leave.retry_after <= OPTIONS.longest_open_seconds

    @rule(place=st.integers(0, 50), how=st.sampled_from(["succeeded", "failed", "gave_up"]))
    def end(self, place, how):
        if not self.running:
            return
        leave = self.running.pop(place % len(self.running))
        was = self.breaker.state(self.now)
        if how == "gave_up":
            self.breaker.gave_up(leave)
        else:
            getattr(self.breaker, how)(leave, self.now)
        if how == "succeeded" and was is State.CLOSED:
            assert self.breaker.state(self.now) is State.CLOSED
        if was is State.OPEN and not leave.probe:
            assert self.breaker.state(self.now) is State.OPEN

    @invariant()
    def counts_are_those_of_the_window(self):
        calls = sum(bucket[1] for bucket in self.breaker._buckets)
        assert (self.breaker._calls, self.breaker._calls >= self.breaker._failures >= 0) == (calls, True)

    @invariant()
    def it_always_opens_up_again(self):
        assert self.breaker.state(self.now + OPTIONS.longest_open_seconds) is not State.OPEN


Machine.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestBreakerMachine = Machine.TestCase
