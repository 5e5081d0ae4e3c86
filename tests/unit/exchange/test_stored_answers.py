"""Stored answers of retries: read back as they were, by nobody else, and not if anything of them was changed."""

import os

import pytest
from msgspec.structs import replace

from gateway.exchange.retrying import Retries
from gateway.model.envelope import Purpose
from gateway.model.errors import ExchangeError
from gateway.model.instant import Instant
from gateway.model.message import Body
from gateway.model.outcomes import Outcome
from gateway.model.stages import Direct, Replied, Reply
from gateway.model.storage import IdempotencySeenError
from gateway.storage.memory import MemoryVault
from tests.support.adapters import recorded

NOW = Instant(1_800_000_000_000_000)
REPLY = Reply(
    outcome=Outcome.DONE,
    status=201,
    fields=(("Content-Type", "application/json"), ("X-Tên", "a")),
    body=Body('{"tên":"Ánh"}'.encode()),
    differing=("full_name",),
    provider_code="E1",
    source_updated_at=Instant(5),
    confidence="tls_source",
)


def retries(vault, key=b"k" * 32):
    return Retries(vault, key, os.urandom, seconds=60)


def keyed(key="k-1", **more):
    made = recorded({"a": 1}, **more)
    envelope = made.authorized.envelope
    claim = replace(envelope.claim, idempotency_key=key, purpose=Purpose("p"))
    verified = replace(made.authorized.verified, proof=_direct())
    authorized = replace(made.authorized, envelope=replace(envelope, claim=claim), verified=verified)
    return replace(made, authorized=authorized)


def _direct():
    return Direct(
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


def now_of(start):
    """While the key is still kept."""
    return Instant(start.expires - 1)


def stored(reply, vault, maker=None, made=None):
    made = made or keyed()
    maker = maker or retries(vault)
    end, blobs = maker.end(Replied(recorded=made, reply=reply, at=NOW))
    for blob in blobs:
        vault.blobs[blob.id] = blob
    return maker, maker.start(made.authorized), end, blobs


@pytest.mark.asyncio
async def test_answer_is_read_back_as_it_was():
    vault = MemoryVault()
    maker, start, end, _ = stored(REPLY, vault)
    again = await maker.stored(start, IdempotencySeenError(start.fingerprint, end.answer), now_of(start))
    assert again.body.data == REPLY.body.data
    for name in ("outcome", "status", "fields", "differing", "provider_code", "source_updated_at", "confidence"):
        assert getattr(again, name) == getattr(REPLY, name)


@pytest.mark.asyncio
async def test_what_was_changed_or_moved_on_disk_is_not_an_answer():
    vault = MemoryVault()
    maker, start, end, [blob] = stored(REPLY, vault)
    seen = IdempotencySeenError(start.fingerprint, end.answer)
    spoiled = [
        replace(blob, sealed=blob.sealed[:-1] + bytes([blob.sealed[-1] ^ 1])),
        replace(blob, sealed=bytes([blob.sealed[0] ^ 1]) + blob.sealed[1:]),
    ]
    for each in spoiled:
        vault.blobs[blob.id] = each
        with pytest.raises(ExchangeError, match="idempotency_running"):
            await maker.stored(start, seen, now_of(start))
    vault.blobs["another"] = replace(blob, id="another")
    with pytest.raises(ExchangeError, match="idempotency_running"):
        await maker.stored(start, IdempotencySeenError(start.fingerprint, "another"), now_of(start))
    vault.blobs[blob.id] = blob
    with pytest.raises(ExchangeError, match="idempotency_running"):
        await retries(vault, b"x" * 32).stored(start, seen, now_of(start))
    assert (await maker.stored(start, seen, now_of(start))).status == 201


def test_blob_shows_nothing_and_names_its_owner():
    _, start, _, [blob] = stored(REPLY, MemoryVault())
    assert "Ánh".encode() not in blob.sealed
    assert (blob.owner, blob.expires) == ("VN/GOV/H24/portal", start.expires)


@pytest.mark.parametrize(
    ("reply", "kept", "freed"),
    [
        (REPLY, True, False),
        (replace(REPLY, outcome=Outcome.REJECTED, status=422), True, False),
        (replace(REPLY, outcome=Outcome.NOT_FOUND, status=404), True, False),
        (replace(REPLY, outcome=Outcome.UNAVAILABLE, status=503), False, True),
        (replace(REPLY, outcome=Outcome.UNKNOWN, status=500), False, False),
        (replace(REPLY, body=Body.spooled(None, size=5, sha256=bytes(32), sha512=bytes(64))), False, False),
    ],
    ids=lambda each: str(getattr(each, "outcome", each)),
)
def test_what_becomes_of_the_key(reply, kept, freed):
    _, _, end, blobs = stored(reply, MemoryVault())
    assert bool(blobs) == kept
    assert (end is not None) == (kept or freed)
    if end is not None:
        assert (end.answer is None) == freed


def test_fingerprint_is_of_everything_that_must_be_the_same():
    maker = retries(MemoryVault())
    first = maker.start(keyed().authorized)
    assert maker.start(keyed().authorized) == first
    for other in (keyed(method="PUT"), keyed(path="/x"), keyed(body=Body(b"x"))):
        assert maker.start(other.authorized).fingerprint != first.fingerprint
        assert maker.start(other.authorized).key == first.key
    assert maker.start(keyed("k-2").authorized).key != first.key
    same = keyed().authorized
    decision = replace(same.decision, purpose=Purpose("another"))
    assert maker.start(replace(same, decision=decision)).fingerprint != first.fingerprint


def test_calls_without_a_key_have_nothing_to_repeat():
    assert retries(MemoryVault()).start(keyed(None).authorized) is None
