"""What was used once is used up: nonces, message ids, quotas; also at once, after a restart, with the clock set back."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.simulators.backend import Backend
from tests.support.attacks import Response, World, world
from tests.support.gateways import OTHER, WRITE

HOUR = 3600.0
QUOTA = 20
COPIES = 50


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


@pytest.fixture
def metered(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path, quota=f"quota = {{ client_per_day = {QUOTA}, officer_per_day = 5 }}") as made:
        yield made


def ends(responses: list[Response]) -> Counter[tuple[int, str | None]]:
    return Counter((response.status, response.code) for response in responses)


def test_replayed_request_is_refused(gate: World) -> None:
    message = gate.message()
    gate.accepts(message)
    gate.refuses(message, "client.replayed_nonce", 409, recorded=True)
    gate.refuses(message, "client.replayed_nonce", 409, recorded=True)


def test_nonce_serves_one_request_of_one_key(gate: World) -> None:
    gate.accepts(gate.message(nonce='"nonce-of-16-chars"'))
    another = gate.message(nonce='"nonce-of-16-chars"', method="GET", path="/other")
    gate.refuses(another, "client.replayed_nonce", 409, recorded=True)
    gate.accepts(gate.message(nonce='"nonce-of-16-chars"', client=OTHER))


def test_refused_request_has_used_its_nonce(gate: World) -> None:
    message = gate.message(service=WRITE, client=OTHER)
    gate.refuses(message, "server.serverproxy.access_denied", 403, recorded=True)
    gate.restart()
    assert gate.send(message).status == 403  # what it is refused for comes first, and stays so
    tampered = gate.message()
    gate.refuses(tampered.having(body=b"{}"), "client.digest_mismatch", 400, recorded=True)
    gate.refuses(tampered, "client.replayed_nonce", 409, recorded=True)


def test_replay_is_refused_after_a_restart(gate: World) -> None:
    message = gate.message()
    gate.accepts(message)
    gate.restart()
    gate.refuses(message, "client.replayed_nonce", 409, recorded=True)


def test_replay_is_refused_with_the_clock_set_back(gate: World) -> None:
    """An hour on, nonces are forgotten; an hour back, the signature is of this time again."""
    message = gate.message()
    gate.accepts(message)
    gate.clock.ahead = HOUR
    gate.refuses(message, "client.signature_expired", 401, recorded=False)
    gate.run(gate.gateway.core.store.journal.purge(gate.clock.now()))
    gate.clock.ahead = 0.0
    gate.refuses(message, "client.signature_too_old", 401, recorded=True)
    gate.restart()
    gate.refuses(message, "client.signature_too_old", 401, recorded=True)
    gate.refuses(gate.message(), "client.signature_too_old", 401, recorded=True)  # who could tell it from a replay?


def test_request_of_before_the_clock_was_set_back_is_refused_until_then_and_then(gate: World) -> None:
    gate.clock.ahead = HOUR
    message = gate.message()
    gate.accepts(message)
    gate.clock.ahead = 0.0
    gate.refuses(message, "client.signature_not_yet_valid", 401, recorded=False)
    gate.run(gate.gateway.core.store.journal.purge(gate.clock.now()))
    gate.restart()
    gate.accepts(gate.message())
    gate.clock.ahead = HOUR
    gate.refuses(message, "client.replayed_nonce", 409, recorded=True)


def test_repeated_message_id_is_refused(gate: World) -> None:
    fields: dict[str, str | None] = {"X-Road-Id": "id-1"}
    gate.accepts(gate.message(fields=fields))
    gate.refuses(gate.message(fields=fields), "client.message_id_reused", 409, recorded=True)
    gate.accepts(gate.message(fields=fields, client=OTHER))
    gate.restart()
    gate.refuses(gate.message(fields=fields), "client.message_id_reused", 409, recorded=True)
    gate.clock.ahead = 23 * HOUR
    gate.run(gate.gateway.core.store.journal.purge(gate.clock.now()))
    gate.refuses(gate.message(fields=fields), "client.message_id_reused", 409, recorded=True)
    gate.clock.ahead = 25 * HOUR
    gate.accepts(gate.message(fields=fields))


def test_copies_at_once_are_forwarded_once(gate: World) -> None:
    message = gate.message()
    rows = gate.rows()
    responses = gate.send_at_once([message] * COPIES)
    assert ends(responses) == {(200, None): 1, (409, "client.replayed_nonce"): COPIES - 1}
    assert gate.forwarded == 1
    kinds = Counter(each["kind"] for each in gate.records(rows))
    assert kinds == {"request": 1, "answer": 1, "refusal": COPIES - 1}
    for response in responses:
        gate.proof_of(response, message)


def test_one_message_id_at_once_is_forwarded_once(gate: World) -> None:
    responses = gate.send_at_once([gate.message(fields={"X-Road-Id": "id-1"}) for _ in range(COPIES)])
    assert ends(responses) == {(200, None): 1, (409, "client.message_id_reused"): COPIES - 1}
    assert gate.forwarded == 1


def test_one_idempotency_key_at_once_is_carried_out_once(gate: World) -> None:
    provider = gate.provider
    assert isinstance(provider, Backend)
    messages = [gate.message(service=WRITE, fields={"Idempotency-Key": "key-1"}) for _ in range(COPIES)]
    told = ends(gate.send_at_once(messages))
    assert gate.forwarded == 1
    assert provider.writes.total() == 1
    assert told.keys() <= {(201, None), (409, "client.idempotency_running")}
    assert told[201, None] >= 1
    gate.restart()
    again = gate.send(gate.message(service=WRITE, fields={"Idempotency-Key": "key-1"}))
    assert (again.status, again.json()["number"]) == (201, 1)
    assert gate.forwarded == 1
    other = gate.message(service=WRITE, fields={"Idempotency-Key": "key-1"}, body=b"{}")
    gate.refuses(other, "client.idempotency_mismatch", 422, recorded=True)


def test_quota_spent_is_refused(metered: World) -> None:
    fields: dict[str, str | None] = {"X-Road-UserId": "officer-1"}
    for _ in range(5):
        metered.accepts(metered.message(fields=fields))
    response = metered.refuses(metered.message(fields=fields), "server.serverproxy.quota_spent", 429, recorded=True)
    assert response.json()["parts"] == ["officer"]
    metered.accepts(metered.message(fields={"X-Road-UserId": "officer-2"}))
    metered.restart()
    metered.refuses(metered.message(fields=fields), "server.serverproxy.quota_spent", 429, recorded=True)
    metered.clock.ahead = 24 * HOUR
    metered.accepts(metered.message(fields=fields))


def test_quota_at_once_is_spent_exactly(metered: World) -> None:
    messages = [metered.message(fields={"X-Road-UserId": f"officer-{number}"}) for number in range(COPIES)]
    responses = metered.send_at_once(messages)
    assert ends(responses) == {
        (200, None): QUOTA,
        (429, "server.serverproxy.quota_spent"): COPIES - QUOTA,
    }
    assert metered.forwarded == QUOTA
    kinds = Counter(each["kind"] for each in metered.records())
    assert kinds == {"request": QUOTA, "answer": QUOTA, "refusal": COPIES - QUOTA}


def test_officers_quota_at_once_is_spent_exactly(metered: World) -> None:
    messages = [metered.message(fields={"X-Road-UserId": "officer-1"}) for _ in range(COPIES)]
    assert ends(metered.send_at_once(messages))[200, None] == 5
    assert metered.forwarded == 5


def test_quota_is_not_spent_by_what_is_refused(metered: World) -> None:
    for _ in range(QUOTA + 1):
        metered.refuses(
            metered.message(fields={"X-Road-UserId": "o", "Motlan-Purpose": '"2.0"'}),
            "server.serverproxy.purpose_not_granted", 403, recorded=True,
        )  # fmt: skip
    metered.accepts(metered.message(fields={"X-Road-UserId": "o"}))


def test_quotas_of_the_day_hold_with_the_clock_set_back(metered: World) -> None:
    """The day before has a quota of its own, which is spent already: setting the clock back wins nothing twice."""
    fields: dict[str, str | None] = {"X-Road-UserId": "officer-1"}
    for _ in range(5):
        metered.accepts(metered.message(fields=fields))
    metered.clock.ahead = 25 * HOUR
    metered.accepts(metered.message(fields=fields))
    metered.clock.ahead = 0.0
    metered.refuses(metered.message(fields=fields), "server.serverproxy.quota_spent", 429, recorded=True)
