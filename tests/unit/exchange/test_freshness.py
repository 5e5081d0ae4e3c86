"""Of two copies of a message at once only one goes on; the nonce is free again once the journal knows it."""

import pytest
from msgspec.structs import replace

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
