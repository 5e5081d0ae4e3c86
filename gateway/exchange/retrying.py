"""Retries: a call repeated with its Idempotency-Key is answered from the first call's stored answer.

The stored answer is the provider's reply before minimisation, sealed in the vault: a retry is decided again, newly
minimised, newly signed and recorded (protocols.md §2, "Replay and retry").
"""

import hashlib
import hmac

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct

from gateway.model.errors import ExchangeError
from gateway.model.errors.request import IDEMPOTENCY_MISMATCH, IDEMPOTENCY_RUNNING
from gateway.model.instant import Instant, plus
from gateway.model.message import Body, Fields
from gateway.model.outcomes import Outcome
from gateway.model.stages import Authorized, Delegated, Replied, Reply
from gateway.model.storage import Blob, IdempotencyEnd, IdempotencySeenError, IdempotencyStart
from gateway.ports import Entropy, Vault

_NONCE = 12
_RETRY_AFTER_SECONDS = 2


class _Stored(Struct, frozen=True, array_like=True):
    outcome: str
    status: int
    fields: Fields
    body: bytes
    differing: tuple[str, ...]
    provider_code: str | None
    source_updated_at: int | None
    confidence: str


class Retries:
    """Knows which call is a repetition of which. key: the vault's, 32 bytes. seconds: how long answers are kept."""

    def __init__(self, vault: Vault, key: bytes, entropy: Entropy, *, seconds: int) -> None:
        self._vault = vault
        self._aead = AESGCM(key)
        self._naming = hmac.digest(key, b"motlan/idempotency/v1", "sha256")
        self._entropy = entropy
        self._seconds = seconds

    def start(self, authorized: Authorized) -> IdempotencyStart | None:
        """What a first call with an idempotency key commits; None for a call without one."""
        claim, verified = authorized.envelope.claim, authorized.verified
        if claim.idempotency_key is None or isinstance(verified.proof, Delegated):
            return None
        received, purpose = verified.claimed.received, authorized.decision.purpose
        same = (claim.client, claim.method, received.head.target, received.body.sha256.hex(), purpose)
        return IdempotencyStart(
            key=self.name(f"{claim.client}:{claim.idempotency_key}"),
            fingerprint=hashlib.sha256(msgspec.json.encode(same)).digest(),
            expires=plus(received.at, self._seconds),
        )

    def name(self, key: str) -> str:
        """What a key is known by on disk: it may have been made of a dossier's or a person's number."""
        return hmac.digest(self._naming, key.encode(), "sha256").hex()

    async def stored(self, start: IdempotencyStart, seen: IdempotencySeenError, now: Instant) -> Reply:
        """The reply to the first call. Raises ExchangeError: another call had this key, or the first still runs."""
        if seen.fingerprint != start.fingerprint:
            raise ExchangeError(IDEMPOTENCY_MISMATCH)
        blob = None if seen.answer is None else await self._vault.get(seen.answer, now)
        if blob is None:
            raise ExchangeError(IDEMPOTENCY_RUNNING, retry_after=_RETRY_AFTER_SECONDS)
        try:
            clear = self._aead.decrypt(blob.sealed[:_NONCE], blob.sealed[_NONCE:], blob.id.encode())
        except InvalidTag:
            raise ExchangeError(IDEMPOTENCY_RUNNING, retry_after=_RETRY_AFTER_SECONDS) from None
        return _reply(msgspec.msgpack.decode(clear, type=_Stored))

    def end(self, replied: Replied, *, keep: bool = True) -> tuple[IdempotencyEnd | None, tuple[Blob, ...]]:
        """What the answer commits: the stored answer, or that the key may be tried again (without ``keep`` always).

        A call that never reached the provider may be repeated. One whose end is unknown may not, and a spooled
        answer is not kept: its key stays taken until it expires.
        """
        start = self.start(replied.recorded.authorized)
        reply = replied.reply
        if start is None or reply.outcome is Outcome.UNKNOWN or reply.body.data is None or reply.attached is not None:
            return None, ()
        if reply.outcome is Outcome.UNAVAILABLE or not keep:
            return self.release(replied.recorded.authorized), ()
        blob_id = replied.recorded.id
        nonce = self._entropy(_NONCE)
        clear = msgspec.msgpack.encode(_written(reply, reply.body.data))
        blob = Blob(
            id=blob_id,
            owner=str(replied.recorded.claim.client),
            subjects=(),
            purpose=replied.recorded.authorized.decision.purpose.code,
            expires=start.expires,
            sealed=nonce + self._aead.encrypt(nonce, clear, blob_id.encode()),
        )
        return IdempotencyEnd(key=start.key, answer=blob_id), (blob,)

    def release(self, authorized: Authorized) -> IdempotencyEnd | None:
        """Let the key of a call that changed nothing be used again."""
        start = self.start(authorized)
        return None if start is None else IdempotencyEnd(key=start.key, answer=None)


def _written(reply: Reply, data: bytes) -> _Stored:
    return _Stored(
        outcome=reply.outcome.value,
        status=reply.status,
        fields=reply.fields,
        body=data,
        differing=reply.differing,
        provider_code=reply.provider_code,
        source_updated_at=reply.source_updated_at,
        confidence=reply.confidence,
    )


def _reply(stored: _Stored) -> Reply:
    updated = stored.source_updated_at
    return Reply(
        outcome=Outcome(stored.outcome),
        status=stored.status,
        fields=stored.fields,
        body=Body(stored.body),
        differing=stored.differing,
        provider_code=stored.provider_code,
        source_updated_at=None if updated is None else Instant(updated),
        confidence=stored.confidence,
    )
