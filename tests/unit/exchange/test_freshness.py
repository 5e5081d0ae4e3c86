"""Of two copies of a message at once only one goes on; the nonce is free again once the journal knows it."""

import pytest
from msgspec.structs import replace

from gateway.exchange import authorising
from gateway.exchange.authorising import Freshness
from gateway.model.errors import ExchangeError
from gateway.model.instant import Instant
from gateway.model.message import EMPTY
from gateway.model.stages import Direct
from tests.support.adapters import recorded

NOW = Instant(1_800_000_000_000_000)
PROOF = Direct(
    scheme="http-sig",
    keyid="k",
    algorithm="ed25519",
    label="s",
    signature_input="",
    signature="",
    base=b"",
    covered=(),
    created=NOW,
    expires=NOW,
    nonce="n" * 16,
)


@pytest.fixture
def call():
    made = recorded(None, method="GET", fields=(), body=EMPTY).authorized.verified
    return lambda **changed: replace(made, proof=replace(PROOF, **changed))


def test_copy_of_a_message_in_flight_is_a_replay(call):
    fresh = Freshness()
    with fresh.reserve(call()):
        with pytest.raises(ExchangeError, match="replayed_nonce"):
            fresh.reserve(call())
        with fresh.reserve(call(nonce="m" * 16)), fresh.reserve(call(keyid="other")):
            pass
        with pytest.raises(ExchangeError, match="replayed_nonce"):
            fresh.reserve(call())
    with fresh.reserve(call()):
        pass


def test_nonce_is_let_go_whatever_happens(call):
    fresh = Freshness()
    with pytest.raises(RuntimeError), fresh.reserve(call()):
        raise RuntimeError
    with fresh.reserve(call()):
        pass


def test_calls_made_inside_use_up_nothing():
    made = recorded({}).authorized.verified
    fresh = Freshness()
    with fresh.reserve(made), fresh.reserve(made):
        pass


def test_what_was_used_lately_is_known_and_no_more_of_it(call, monkeypatch):
    monkeypatch.setattr(authorising, "_MOST_SPENT", 3)
    fresh = Freshness()
    assert not fresh.is_stale(call())
    with fresh.reserve(call()):
        assert fresh.is_stale(call())
    assert not fresh.is_stale(call())  # it was not recorded
    fresh.spend(call())
    assert fresh.is_stale(call())
    assert not fresh.is_stale(call(keyid="other"))
    for number in range(3):
        fresh.spend(call(nonce=f"{number}" * 16))
    assert not fresh.is_stale(call())
    assert fresh.is_stale(call(nonce="0" * 16))
    assert not fresh.is_stale(recorded({}).authorized.verified)
