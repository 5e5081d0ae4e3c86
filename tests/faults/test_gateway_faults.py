"""A whole gateway whose disk fails, in each circumstance: it refuses while it cannot record, forwards nothing, recovers
by itself, and its log, seen from outside, extends what was published and verifies.
"""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import apsw
import pytest

from gateway.model import failpoints
from tests.support.exchanges import check_log, fetch_log, json_answer, office, records
from tests.support.gateways import PROVIDER

WRITE = f"{PROVIDER}/write"
ERRORS = {
    "disk full": apsw.FullError("database or disk is full"),
    "read-only disk": apsw.ReadOnlyError("attempt to write a readonly database"),
    "a disk that fails": apsw.IOError("disk I/O error"),
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with office(tmp_path_factory.mktemp("office")) as made:
        made.provider.reply = json_answer({"done": True})
        until_published(made)
        yield made


def until_published(made: Any) -> None:
    for _ in range(500):
        with suppress(LookupError):
            fetch_log(made.site)("checkpoint")
            return
    raise AssertionError("no checkpoint")


@pytest.fixture(autouse=True)
def _mended() -> Iterator[None]:
    yield
    failpoints.set_hook(None)


@pytest.mark.parametrize("where", ["journal.begun", "journal.checked", "journal.written"])
@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS.keys())
def test_it_refuses_while_it_cannot_record_and_recovers_by_itself(place: Any, error: apsw.Error, where: str) -> None:
    place.accepts(place.message(service=WRITE))
    published = fetch_log(place.site)("checkpoint")
    before, forwarded = len(records(place.site)), place.forwarded

    def hook(name: str) -> None:
        if name == where:
            raise error

    failpoints.set_hook(hook)
    for _ in range(3):
        got = place.send(place.message(service=WRITE))
        assert (got.status, got.code) == (503, "server.clientproxy.record_failed")
        assert got.json()["retryable"] is True
    assert place.forwarded == forwarded
    failpoints.set_hook(None)
    assert len(records(place.site)) == before
    place.accepts(place.message(service=WRITE))
    assert place.forwarded == forwarded + 1
    check_log(place.site, published)


@pytest.mark.parametrize("where", ["log.writing", "log.written"])
@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS.keys())
def test_a_tree_that_cannot_be_written_stops_no_exchange_and_follows_once_it_can(
    place: Any, error: apsw.Error, where: str
) -> None:
    published = fetch_log(place.site)("checkpoint")

    def hook(name: str) -> None:
        if name == where:
            raise error

    failpoints.set_hook(hook)
    for _ in range(3):
        place.accepts(place.message(service=WRITE))
    assert fetch_log(place.site)("checkpoint") == published or where == "log.written"
    failpoints.set_hook(None)
    wanted = len(records(place.site))
    size = 0
    for _ in range(200):
        size = check_log(place.site, published).checkpoint.checkpoint.size
        if size >= wanted:
            break
        place.accepts(place.message())
        wanted = min(wanted, len(records(place.site)))
    assert size >= wanted


def test_a_clock_set_back_by_an_hour_replays_nothing_and_goes_on(place: Any) -> None:
    message = place.message(service=WRITE)
    place.accepts(message)
    published = fetch_log(place.site)("checkpoint")
    forwarded = place.forwarded
    place.clock.ahead = -3600
    try:
        replayed = place.send(message)
        assert replayed.status in {401, 409}, replayed.code  # its signature is of the future now, or known
        assert place.forwarded == forwarded
        place.accepts(place.message(service=WRITE))
        check_log(place.site, published)
    finally:
        place.clock.ahead = 0
    place.accepts(place.message(service=WRITE))
