"""What cannot be recorded does not happen: nothing is forwarded, nothing is released, and the caller is told which."""

import asyncio

import apsw
import pytest

from adapters.simulators.wire import Answer
from gateway.model import failpoints
from gateway.model.storage import JournalUnavailableError
from tests.support.exchanges import fields_of, json_answer, office, records
from tests.support.gateways import PROVIDER

WRITE = f"{PROVIDER}/write"
SECRET = "Đặng Thị Ánh"


@pytest.fixture
def place(tmp_path):
    with office(tmp_path) as made:
        made.provider.reply = json_answer({"name": SECRET})
        yield made
        failpoints.set_hook(None)


class Disk:
    """Takes so many commits, then is full until it is cleared."""

    def __init__(self, commits, *, failures=1000):
        self.left, self.failures = commits, failures
        failpoints.set_hook(self)

    def __call__(self, name):
        if name == "journal.written":
            self.left -= 1
            if -self.failures <= self.left < 0:
                raise apsw.FullError("disk full")


def test_request_that_cannot_be_recorded_is_not_forwarded(place):
    before = len(records(place.site))
    Disk(0)
    message = place.message(service=WRITE)
    got = place.send(message)
    assert (got.status, got.code) == (503, "server.clientproxy.record_failed")
    assert place.proof_of(got, message).bound
    assert (got.json()["fault"], got.json()["retryable"]) == ("gateway", True)
    assert place.forwarded == 0
    failpoints.set_hook(None)
    assert len(records(place.site)) == before
    assert place.send(place.message(service=WRITE)).status == 200  # and it mends itself


def test_answer_that_cannot_be_recorded_is_not_released(place):
    Disk(1)
    message = place.message(service=WRITE)
    got = place.send(message)
    assert (got.status, got.code) == (503, "server.clientproxy.answer_unrecorded")
    assert place.proof_of(got, message).bound
    assert SECRET not in got.body.decode()
    assert "motlan-receipt" not in fields_of(got)
    assert place.forwarded == 1
    failpoints.set_hook(None)
    request = records(place.site)[-1]
    assert request["kind"] == "request"
    assert got.json()["instance"] == f"urn:uuid:{request['id']}"  # finds what there is
    place.restart()
    [end] = [each for each in records(place.site) if each["parent"] == request["id"]]
    assert end["outcome"] == "ABANDONED"


def test_withheld_answer_gets_no_other_end_though_the_disk_took_it(place):
    Disk(1, failures=1)
    got = place.send(place.message(service=WRITE))
    assert got.code == "server.clientproxy.answer_unrecorded"
    place.send(place.message())
    requests = [each["id"] for each in records(place.site) if each["kind"] == "request"]
    assert requests[0] not in {each["parent"] for each in records(place.site)}  # the recovery's, which comes later


def test_end_without_an_answer_that_cannot_be_recorded_says_so_too(place):
    place.provider.reply = Answer(drop=True)
    Disk(1)
    got = place.send(place.message(service=WRITE))
    assert (got.status, got.code) == (503, "server.clientproxy.answer_unrecorded")


def test_refusal_that_cannot_be_recorded_claims_no_receipt(place):
    Disk(0)
    message = place.message(service=f"{PROVIDER}/nothing")
    got = place.send(message)
    assert (got.status, got.code) == (503, "server.clientproxy.record_failed")
    assert place.proof_of(got, message).bound
    assert "motlan-receipt" not in fields_of(got)


def test_change_that_cannot_be_recorded_does_not_come_into_force(place):
    grants = place.site.folder / "policy/grants.toml"
    grants.write_text(grants.read_text().replace('name = "portal-echo"', 'name = "portal-echo"\nenabled = false'))
    Disk(0)
    with pytest.raises(JournalUnavailableError):
        place.run(place.gateway.reload())
    failpoints.set_hook(None)
    place.accepts(place.message())
    place.run(place.gateway.reload())
    assert place.send(place.message()).status == 403


def test_caller_that_leaves_does_not_leave_a_request_without_its_end(place):
    gate = asyncio.Event()

    async def held():
        await gate.wait()
        return json_answer({"done": True})

    place.provider.reply = lambda _: held()
    with place.connect() as wire:
        wire.send(place.message(service=WRITE).encode())
        while not place.provider.seen:
            pass
    place.run(_set(gate))
    place.stop()  # waits for what is under way
    place.start()
    request, answer = (each for each in records(place.site) if each["kind"] in {"request", "answer", "abandoned"})
    assert (answer["parent"], answer["kind"], answer["outcome"]) == (request["id"], "answer", "DONE")


async def _set(gate):
    gate.set()


def test_fault_of_our_own_is_an_end_too_and_tells_nothing(place, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError(f"about {SECRET}")

    monkeypatch.setattr("gateway.exchange.pipeline.minimise", broken)
    message = place.message(service=WRITE)
    got = place.send(message)
    assert (got.status, got.code) == (500, "server.clientproxy.internal_error")
    assert place.proof_of(got, message).bound
    assert SECRET not in got.body.decode()
    request, answer = records(place.site)[-2:]
    assert (answer["parent"], answer["outcome"]) == (request["id"], "UNKNOWN")
    assert answer["decision"]["reasons"] == ["server.clientproxy.internal_error"]
