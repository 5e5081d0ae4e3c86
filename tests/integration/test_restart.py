"""A gateway that is killed or stopped in the middle of its work, and what is left of it."""

import signal
import threading
import time

import pytest
import requests

from tests.support.exchanges import check_log, fetch_log, fields_of, json_answer, records
from tests.support.gateways import PROVIDER
from tests.support.served import Load, outside, serving

WRITE = f"{PROVIDER}/write"


@pytest.fixture
def place(tmp_path):
    with outside(tmp_path) as made:
        yield made


def held(gate):
    """A provider that answers when the gate opens."""

    async def answer():
        import asyncio  # noqa: PLC0415 - on the provider's loop only

        while not gate.is_set():  # noqa: ASYNC110 - set from another thread
            await asyncio.sleep(0.005)
        return json_answer({"done": True})

    return lambda _: answer()


def until(condition, seconds=10.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_killed_under_load_it_loses_nothing_that_was_acknowledged(place):
    checkpoints, calls = [], []
    for _ in range(2):
        with serving(place.site) as process:
            load = Load(place)
            load.until(40)
            checkpoints.append(fetch_log(place.site)("checkpoint"))
            load.until(len(load.answered) + 30)
            process.kill()
            calls += load.stop()
    with serving(place.site):
        check_records(place, calls)
        for older in checkpoints:
            check_log(place.site, older)
        size = check_log(place.site).checkpoint.checkpoint.size
        until(lambda: size_of(place) >= len(records(place.site)))
        assert check_log(place.site).checkpoint.checkpoint.size >= size
        replay = place.send(next(call for call in calls if call.response).message)
        assert (replay.status, replay.code) == (409, "client.replayed_nonce")


def size_of(place):
    return int(requests.get(f"{place.site.url}/log/checkpoint", timeout=5).text.split("\n")[1])


def check_records(place, calls):
    """Every acknowledged answer has its record, every request its one end, every forwarded request its record."""
    kept = {each["id"]: each for each in records(place.site)}
    answered = [call.response for call in calls if call.response is not None]
    assert len(answered) >= 140
    for response in answered:
        assert response.status == 200
        answer = kept[response.head.get("motlan-receipt")]
        assert (answer["kind"], answer["outcome"]) == ("answer", "FOUND")
        assert kept[answer["parent"]]["kind"] == "request"
    forwarded = {received.header("Motlan-Receipt") for received in place.provider.seen}
    assert forwarded <= kept.keys()
    ends = [each["parent"] for each in kept.values() if each["kind"] in {"answer", "abandoned"}]
    requested = [each["id"] for each in kept.values() if each["kind"] == "request"]
    assert sorted(ends) == sorted(requested)


def test_request_that_a_crash_left_open_is_abandoned_and_its_write_not_repeated(place):
    gate = threading.Event()
    place.provider.reply = held(gate)
    message = place.message(service=WRITE, fields={"Idempotency-Key": "k-1", "X-Road-Id": "m-1", "X-Road-UserId": "cb"})
    with serving(place.site) as process, place.connect() as wire:
        wire.send(message.encode())
        until(lambda: place.provider.seen)
        process.kill()
        gate.set()
    [request] = [each for each in records(place.site) if each["kind"] == "request"]
    with serving(place.site):
        [end] = [each for each in records(place.site) if each["parent"] == request["id"]]
        assert (end["kind"], end["outcome"]) == ("abandoned", "ABANDONED")
        assert [end[name] for name in ("client", "service", "purpose")] == [
            request[name] for name in ("client", "service", "purpose")
        ]
        assert place.send(message).code == "client.replayed_nonce"
        again = place.message(service=WRITE, fields={"Idempotency-Key": "k-1"})
        got = place.send(again)
        assert (got.status, got.code) == (409, "client.idempotency_running")
        same_id = place.message(service=WRITE, fields={"X-Road-Id": "m-1"})
        assert place.send(same_id).code == "client.message_id_reused"
        assert len(place.provider.seen) == 1
    with serving(place.site):
        assert len([each for each in records(place.site) if each["parent"] == request["id"]]) == 1


def test_terminated_it_finishes_what_is_under_way(place):
    gate = threading.Event()
    with serving(place.site) as process, place.connect() as wire, place.connect() as idle:
        idle.send(place.message().encode())
        assert idle.answer().status == 200
        place.provider.reply = held(gate)
        message = place.message()
        wire.send(message.encode())
        until(lambda: len(place.provider.seen) == 2)
        process.signal(signal.SIGTERM)
        process.until("stopping")
        assert idle.rest() == b""  # closed, though it was kept alive
        until(lambda: refuses_connections(place))
        gate.set()
        answer = wire.answer()
        assert (answer.status, answer.code) == (200, None)
        assert fields_of(answer)["connection"] == "close"
        assert wire.rest() == b""
        assert process.wait() == 0
    kinds = [each["kind"] for each in records(place.site)]
    assert kinds.count("request") == kinds.count("answer") == 2
    assert "abandoned" not in kinds
    before = len(kinds)
    with serving(place.site):
        assert size_of(place) >= before  # the tree had everything before the end


def refuses_connections(place):
    try:
        place.connect().__exit__()
    except ConnectionError:
        return True
    return False


def test_terminated_it_does_not_wait_for_ever(tmp_path):
    with outside(tmp_path, extra="[timeouts]\ndrain = 0.2\n") as place:
        place.provider.reply = held(threading.Event())
        with serving(place.site) as process, place.connect() as wire:
            wire.send(place.message().encode())
            until(lambda: place.provider.seen)
            process.signal(signal.SIGTERM)
            assert process.wait() == 0
        [request] = [each for each in records(place.site) if each["kind"] == "request"]
        with serving(place.site):
            [end] = [each for each in records(place.site) if each["parent"] == request["id"]]
            assert end["outcome"] in {"ABANDONED", "UNKNOWN", "UNAVAILABLE"}


def test_refusals_that_were_only_counted_are_written_at_the_end(place):
    with serving(place.site) as process:
        for _ in range(3):
            assert place.send(place.message(sign=lambda _: bytes(64))).status == 401
        process.signal(signal.SIGTERM)
        assert process.wait() == 0
    [counted] = [each for each in records(place.site) if each["kind"] == "refusals"]
    assert [row["count"] for row in counted.shown("refusals")] == [3]
