"""A full disk under a running gateway: nothing is forwarded that is not recorded, and it goes on by itself."""

from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from adapters.simulators.wire import Received
from gateway.model.storage import JournalUnavailableError
from gateway.storage.sqlite.store import SqliteStore
from gateway.wiring import core
from tests.support.attacks import World, world
from tests.support.exchanges import records
from tests.support.gateways import WRITE
from tests.support.powercut import PowerCutVFS

RECORD_FAILED = "server.clientproxy.record_failed"
UNRECORDED = "server.clientproxy.answer_unrecorded"


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PowerCutVFS:
    """The disk that the gateway's database lies on. room: bytes that can still be written; None: enough."""
    made = PowerCutVFS(f"gateway-{tmp_path.name}")
    monkeypatch.setattr(core, "SqliteStore", partial(SqliteStore, vfs=made.name))
    return made


@pytest.fixture
def gate(tmp_path: Path, disk: PowerCutVFS) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made
        disk.room = None


def test_nothing_is_forwarded_while_the_disk_is_full_and_then_again(gate: World, disk: PowerCutVFS) -> None:
    gate.accepts(gate.message())
    disk.room = 0
    for _ in range(5):
        gate.refuses(gate.message(), RECORD_FAILED, 503, recorded=False)
    disk.room = None
    gate.accepts(gate.message())


def test_refusal_of_a_proved_client_waits_for_the_disk_too(gate: World, disk: PowerCutVFS) -> None:
    """It cannot be recorded, so the client is told that, and may repeat the very request."""
    message = gate.message().having(body=b"{}")
    disk.room = 0
    gate.refuses(message, RECORD_FAILED, 503, recorded=False)
    disk.room = None
    gate.refuses(message, "client.digest_mismatch", 400, recorded=True)


def test_request_that_met_a_full_disk_may_be_repeated_as_it_is(gate: World, disk: PowerCutVFS) -> None:
    message = gate.message(fields={"X-Road-Id": "id-1", "Idempotency-Key": "key-1"})
    disk.room = 0
    response = gate.refuses(message, RECORD_FAILED, 503, recorded=False)
    assert response.json()["retryable"] is True
    assert response.json()["fault"] == "gateway"
    disk.room = None
    gate.accepts(message)
    gate.refuses(message, "client.replayed_nonce", 409, recorded=True)


def test_disk_that_fills_up_during_the_call_says_that_the_provider_may_have_acted(
    gate: World, disk: PowerCutVFS
) -> None:
    def fill(_: Received) -> None:
        disk.room = 0

    gate.provider.watch = fill
    rows, message = gate.rows(), gate.message(service=WRITE)
    response = gate.send(message)
    assert (response.status, response.code) == (503, UNRECORDED)
    assert gate.proof_of(response, message).bound
    assert response.head.get("motlan-receipt") is None
    assert gate.forwarded == 1
    assert [each["kind"] for each in gate.records(rows)] == ["request"]
    gate.provider.watch = disk.room = None
    gate.accepts(gate.message())
    gate.restart()
    ends = [each for each in gate.all_records(rows) if each["kind"] == "abandoned"]
    assert [end["parent"] for end in ends] == [gate.records(rows)[0]["id"]]


def test_many_at_once_meet_a_disk_that_fills_up(gate: World, disk: PowerCutVFS) -> None:
    """Whatever the moment: what was forwarded is recorded, and each caller hears what became of its call."""
    disk.room = 150_000
    responses = gate.send_at_once([gate.message() for _ in range(60)])
    codes = Counter(response.code for response in responses)
    assert codes.keys() <= {None, RECORD_FAILED, UNRECORDED}
    assert codes[RECORD_FAILED] + codes[UNRECORDED]
    kinds = Counter(each["kind"] for each in gate.records())
    assert kinds["request"] == gate.forwarded == codes[None] + codes[UNRECORDED]
    assert kinds["answer"] == codes[None]
    disk.room = None
    gate.accepts(gate.message())
    gate.until(lambda: gate.gateway.sequencer.size == gate.rows())


def test_refusals_that_were_counted_wait_for_the_disk(gate: World, disk: PowerCutVFS) -> None:
    for _ in range(3):
        gate.refuses(gate.message(keyid='"nobody"'), "client.unknown_key", 401, recorded=False)
    rows, disk.room = gate.rows(), 0
    with pytest.raises(JournalUnavailableError):
        gate.run(gate.gateway.chores.flush_tally())
    gate.refuses(gate.message(keyid='"nobody"'), "client.unknown_key", 401, recorded=False)
    disk.room = None
    gate.run(gate.gateway.chores.flush_tally())
    (record,) = records(gate.site, rows)
    assert [(each["code"], each["count"]) for each in record.shown("refusals")] == [("client.unknown_key", 4)]
