"""Repeated message ids and retries: never done twice, never lost, across a restart too."""

import threading
import time

import pytest

from adapters.simulators.wire import Answer
from gateway.model.errors import ExchangeError
from gateway.model.errors.gateway import ANSWER_UNRECORDED
from tests.support.exchanges import SAFE_WRITE, fields_of, json_answer, office, records
from tests.support.gateways import ECHO, OTHER, PROVIDER

WRITE = f"{PROVIDER}/write"


@pytest.fixture
def place(tmp_path):
    with office(tmp_path) as made:
        made.provider.reply = lambda received: json_answer(
            {"number": len(made.provider.seen)}, status=201 if "write" in received.target else 200
        )
        yield made


def keyed(place, key="k-1", **more):
    fields = {"Idempotency-Key": key, **more.pop("fields", {})}
    return place.message(service=more.pop("service", WRITE), fields=fields, **more)


def retried(place, first, message):
    """A retry gets the first answer again, newly signed and recorded, and the provider is not asked."""
    before, rows = place.forwarded, place.rows()
    got = place.send(message)
    assert (got.status, got.code, got.body) == (first.status, None, first.body)
    assert place.proof_of(got, message).bound
    assert place.forwarded == before
    request, answer = place.records(rows)
    assert (request["kind"], answer["kind"], answer["parent"]) == ("request", "answer", request["id"])
    assert fields_of(got)["motlan-receipt"] == answer["id"] != fields_of(first)["motlan-receipt"]
    assert fields_of(got)["x-road-request-id"] == request["id"]
    assert fields_of(got)["signature"] != fields_of(first)["signature"]
    return got


def test_message_id_is_used_once_by_a_client(place):
    place.accepts(place.message(fields={"X-Road-Id": "m-1"}))
    place.refuses(place.message(fields={"X-Road-Id": "m-1"}), "client.message_id_reused", 409, recorded=True)
    place.accepts(place.message(client=OTHER, fields={"X-Road-Id": "m-1"}))
    place.restart()
    place.refuses(place.message(fields={"X-Road-Id": "m-1"}), "client.message_id_reused", 409, recorded=True)


def test_message_id_may_be_used_again_after_a_day(place):
    place.accepts(place.message(fields={"X-Road-Id": "m-1"}))
    place.clock.ahead = 24 * 3600 - 60
    place.refuses(place.message(fields={"X-Road-Id": "m-1"}), "client.message_id_reused", 409, recorded=True)
    place.clock.ahead = 24 * 3600 + 60
    place.accepts(place.message(fields={"X-Road-Id": "m-1"}))


def test_retry_is_answered_from_the_first_answer(place):
    first = place.send(keyed(place, fields={"X-Road-Id": "m-1"}))
    assert first.status == 201
    retried(place, first, keyed(place, fields={"X-Road-Id": "m-1"}))  # may repeat its X-Road-Id
    retried(place, first, keyed(place))


def test_retry_survives_a_restart(place):
    first = place.send(keyed(place))
    place.restart()
    retried(place, first, keyed(place))


def test_retry_with_the_first_calls_nonce_is_a_replay(place):
    message = keyed(place)
    place.send(message)
    place.refuses(message, "client.replayed_nonce", 409, recorded=True)


def test_stored_answer_is_forgotten_in_time(place):
    first = place.send(keyed(place))
    place.clock.ahead = 3500
    retried(place, first, keyed(place))
    place.clock.ahead = 3700
    again = place.send(keyed(place))
    assert (again.status, again.json()) == (201, {"number": 2})


@pytest.mark.parametrize(
    "other",
    [
        {"body": b'{"a":2}'},
        {"path": "/elsewhere"},
        {"path": "?q=1"},
        {"method": "PUT"},
        {"service": ECHO},
    ],
    ids=str,
)
def test_another_request_under_the_same_key_is_refused(place, other):
    place.send(keyed(place))
    place.refuses(keyed(place, **other), "client.idempotency_mismatch", 422, recorded=True)


def test_keys_belong_to_their_client(place):
    place.accepts(place.message(fields={"Idempotency-Key": "k-1"}))
    place.accepts(place.message(client=OTHER, fields={"Idempotency-Key": "k-1"}))


def test_call_that_still_runs_is_waited_for(place):
    gate = threading.Event()

    async def held(received):
        import asyncio  # noqa: PLC0415 - on the provider's loop only

        while not gate.is_set():  # noqa: ASYNC110 - set from another thread
            await asyncio.sleep(0.005)
        return json_answer({"done": True}, status=201)

    place.provider.reply = held
    first = keyed(place)
    with place.connect() as wire:
        wire.send(first.encode())
        _until(lambda: place.forwarded == 1)
        got = place.refuses(keyed(place), "client.idempotency_running", 409, recorded=True)
        assert int(fields_of(got)["retry-after"]) >= 1
        assert got.json()["retryable"] is True
        gate.set()
        answer = wire.answer()
    retried(place, answer, keyed(place))


def test_retry_is_decided_again(place):
    first = place.send(keyed(place))
    assert first.status == 201
    policy = place.site.folder / "policy/grants.toml"
    policy.write_text(policy.read_text().replace('name = "portal-write"', 'name = "portal-write"\nenabled = false'))
    place.run(place.gateway.reload())
    place.refuses(keyed(place), "server.serverproxy.grant_expired", 403, recorded=True)


def test_write_whose_end_is_unknown_is_not_repeated(place):
    place.provider.reply = Answer(drop=True)
    message = keyed(place)
    got = place.send(message)
    assert (got.status, got.code) == (504, "server.serverproxy.service_failed.end_unknown")
    assert fields_of(got)["motlan-outcome"] == "UNKNOWN"
    assert place.forwarded == 1  # not by itself …
    place.provider.reply = json_answer({}, status=201)
    place.refuses(keyed(place), "client.idempotency_running", 409, recorded=True)  # … and not by its caller
    place.restart()
    place.refuses(keyed(place), "client.idempotency_running", 409, recorded=True)
    assert place.forwarded == 1


def test_write_that_the_service_declares_repeatable_is_repeated(place):
    answers = iter([Answer(drop=True), json_answer({"ok": 1}, status=201)])
    place.provider.reply = lambda _: next(answers)
    got = place.send(keyed(place, service=SAFE_WRITE))
    assert (got.status, place.forwarded) == (201, 2)
    assert {each.header("Motlan-Receipt") for each in place.provider.seen} == {place.records()[-2]["id"]}


@pytest.mark.parametrize("with_id", [False, True])
def test_call_that_did_nothing_may_be_tried_again_with_its_key(place, with_id):
    fields = {"X-Road-Id": "m-1"} if with_id else {}
    place.provider.reply = Answer(status=503)
    got = place.send(keyed(place, fields=fields))
    assert (got.status, fields_of(got)["motlan-outcome"]) == (503, "UNAVAILABLE")
    place.provider.reply = json_answer({"ok": 1}, status=201)
    again = place.send(keyed(place, fields=fields))
    assert (again.status, again.code) == (201, None)
    retried(place, again, keyed(place, fields=fields))


def test_call_that_reached_nobody_may_be_tried_again_with_its_key(place):
    place.run(place.provider.stop())
    got = place.send(keyed(place))
    assert (got.status, got.code) == (503, "server.serverproxy.service_failed.unavailable")
    assert fields_of(got)["motlan-outcome"] == "UNAVAILABLE"
    port = int(place.provider.root.rpartition(":")[2])
    place.run(place.provider.start(port=port))
    assert place.send(keyed(place)).status == 201


def test_rejection_is_an_answer_and_is_kept(place):
    place.provider.reply = json_answer({"mã": "E1"}, status=422)
    first = place.send(keyed(place))
    assert (first.status, first.code) == (422, None)
    place.provider.reply = json_answer({}, status=201)
    got = retried(place, first, keyed(place))
    assert fields_of(got)["motlan-outcome"] == "REJECTED"


def test_stored_answer_is_sealed_on_disk(place):
    place.provider.reply = json_answer({"secret": "Đặng-Thị-Ánh-031090001234"})
    place.send(keyed(place))
    place.stop()
    for file in place.site.folder.glob("motlan.sqlite*"):
        data = file.read_bytes()
        assert b"031090001234" not in data
        assert "Đặng-Thị-Ánh".encode() not in data
    place.start()


def test_answer_that_cannot_be_recorded_is_withheld_and_the_key_stays_taken(place, monkeypatch):
    recorder = place.gateway.core.recorder

    async def fails(*_, **__):
        raise ExchangeError(ANSWER_UNRECORDED)

    monkeypatch.setattr(recorder, "answer", fails, raising=True)
    message = keyed(place)
    got = place.send(message)
    assert (got.status, got.code) == (503, "server.clientproxy.answer_unrecorded")
    assert "number" not in got.body.decode()
    monkeypatch.undo()
    place.refuses(keyed(place), "client.idempotency_running", 409, recorded=True)
    assert place.forwarded == 1
    [request] = [each for each in records(place.site) if each["kind"] == "request"]
    place.restart()
    ends = [each for each in records(place.site) if each["parent"] == request["id"]]
    assert [(each["kind"], each["outcome"]) for each in ends] == [("abandoned", "ABANDONED")]


def _until(condition, seconds=5.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)
