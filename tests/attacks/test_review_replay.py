"""A nonce that is forgotten the moment it is used protects nothing: bodies that arrive after their signature's end."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.provider import bare_reply
from gateway.model.outcomes import Outcome
from gateway.model.stages import Reply
from tests.support.attacks import World, world
from tests.support.gateways import ECHO, OTHER
from tests.support.rawhttp import Message, Wire


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


def begin(gate: World, message: Message) -> Wire:
    """Send all of a message but its last byte, and wait until the gateway reads its body."""
    wire = gate.connect()
    before = gate.gateway.edge.in_flight
    wire.send(message.encode()[:-1])
    until = time.monotonic() + 5
    while gate.gateway.edge.in_flight == before:
        assert time.monotonic() < until
        time.sleep(0.005)
    return wire


def test_copies_that_end_after_their_signature_does_pass_at_most_once(gate: World) -> None:
    """All copies' heads arrive within the tolerated skew, all bodies after the nonce could be forgotten."""
    message = gate.message()
    gate.clock.ahead = 110.0  # the signature ends at 60, and is tolerated until 120
    wires = [begin(gate, message) for _ in range(3)]
    gate.clock.ahead = 125.0
    answers = []
    for wire in wires:
        wire.send(message.encode()[-1:])
        answers.append(wire.answer())
        wire.__exit__()
    assert gate.forwarded <= 1, [answer.status for answer in answers]
    assert {answer.status for answer in answers} <= {200, 401, 409}


def test_body_that_ends_in_time_passes(gate: World) -> None:
    message = gate.message(client=OTHER)
    gate.clock.ahead = 100.0
    wire = begin(gate, message)
    gate.clock.ahead = 110.0
    wire.send(message.encode()[-1:])
    assert wire.answer().status == 200
    wire.__exit__()


@pytest.mark.parametrize("outcome", [Outcome.NOT_FOUND, Outcome.MISMATCH, Outcome.AMBIGUOUS, Outcome.DENIED])
def test_key_of_a_call_that_ended_without_an_answer_is_not_said_to_run(
    gate: World, monkeypatch: pytest.MonkeyPatch, outcome: Outcome
) -> None:
    """An adapter's plain "no such person" has no answer to keep; a retry asks again, and is not told to wait."""
    calls = []

    async def send(*_: object) -> Reply:
        calls.append(1)
        return bare_reply(outcome)

    monkeypatch.setattr(gate.gateway.pipeline.rules.routes[ECHO].target, "send", send)
    answers = [gate.send(gate.message(fields={"Idempotency-Key": "look-up-1"})) for _ in range(2)]
    assert [answer.head.get("motlan-outcome") for answer in answers] == [outcome.value] * 2
    assert len(calls) == 2


@pytest.mark.parametrize("outcome", [Outcome.UNKNOWN, Outcome.INVALID_REPLY])
def test_key_of_a_call_that_may_have_acted_stays_taken(
    gate: World, monkeypatch: pytest.MonkeyPatch, outcome: Outcome
) -> None:
    calls = []

    async def send(*_: object) -> Reply:
        calls.append(1)
        return bare_reply(outcome)

    monkeypatch.setattr(gate.gateway.pipeline.rules.routes[ECHO].target, "send", send)
    answers = [gate.send(gate.message(fields={"Idempotency-Key": "write-1"})) for _ in range(2)]
    assert answers[1].code == "client.idempotency_running"
    assert len(calls) == 1
