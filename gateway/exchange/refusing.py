"""What becomes of a message that a step refuses: recorded or counted, answered, and only then released.

- nothing proved: counted in the tally; nothing durable
- proved, not recorded: a refusal record, which uses up the nonce; a caller refused too often is only counted
- recorded: its end is recorded, with the outcome
"""

from gateway.exchange.events import Ending, ending_event, refusal_event
from gateway.exchange.frame import Raw
from gateway.exchange.ids import new_record_id
from gateway.exchange.judging import ProviderFailedError
from gateway.exchange.recording import Recorder, nonces_of
from gateway.exchange.retrying import Retries
from gateway.exchange.rules import Rules
from gateway.exchange.sealing import Seal, Sealer
from gateway.exchange.tally import Tally
from gateway.model.envelope import Claim
from gateway.model.errors import ExchangeError, Fault
from gateway.model.errors.gateway import ANSWER_UNRECORDED, RECORD_FAILED
from gateway.model.errors.request import REPLAYED_NONCE
from gateway.model.ids import RecordId, SubsystemId
from gateway.model.message import AnswerHead, Head
from gateway.model.outcomes import Outcome
from gateway.model.stages import (
    Answer,
    Authorized,
    Claimed,
    Delegated,
    Direct,
    Hosted,
    Received,
    Recorded,
    Refused,
    Verified,
)
from gateway.model.storage import JournalUnavailableError, NonceUsedError
from gateway.ports import Clock, Codec, Entropy, Observer
from gateway.signing.http_sig_cover import accept_signature

Reached = Raw | Received | Claimed | Verified | Authorized | Recorded
"""How far a message came."""


class RefusalRates:
    """How many refusals of each proved client are recorded one by one: a token bucket each, refilled by the minute."""

    def __init__(self, clock: Clock, *, per_minute: int) -> None:
        self._clock = clock
        self._per_second = per_minute / 60
        self._burst = float(per_minute)
        self._buckets: dict[SubsystemId, tuple[float, float]] = {}

    def allow(self, client: SubsystemId) -> bool:
        """Whether one more may be recorded now."""
        now = self._clock.monotonic()
        tokens, last = self._buckets.get(client, (self._burst, now))
        tokens = min(self._burst, tokens + (now - last) * self._per_second)
        allowed = tokens >= 1
        self._buckets[client] = (tokens - 1 if allowed else tokens, now)
        return allowed


class Refuser:
    """Consumes refusals. per_minute: how many of each proved client are recorded one by one."""

    def __init__(
        self,
        *,
        recorder: Recorder,
        sealer: Sealer,
        retries: Retries,
        tally: Tally,
        clock: Clock,
        entropy: Entropy,
        observer: Observer,
        per_minute: int,
    ) -> None:
        self._recorder = recorder
        self._sealer = sealer
        self._retries = retries
        self._tally = tally
        self._clock = clock
        self._entropy = entropy
        self._observer = observer
        self._rates = RefusalRates(clock, per_minute=per_minute)

    async def refuse(self, reached: Reached, codec: Codec, error: ExchangeError, rules: Rules) -> Refused:
        """Answer an error in the way that fits how far the message came."""
        self._observer.refused(code=error.kind.code, proved=not isinstance(reached, Raw | Received | Claimed))
        if error.kind is ANSWER_UNRECORDED and isinstance(reached, Recorded):
            return self._count(reached.authorized.verified, codec, error)
        if isinstance(reached, Recorded):
            return await self._end(reached, codec, error, rules)
        if isinstance(reached, Authorized):
            reached = reached.verified
        if isinstance(reached, Verified):
            return await self._record(reached, codec, error, rules)
        return self._count(reached, codec, error)

    def refuse_unproved(
        self, reached: Raw | Received | Claimed | Verified, codec: Codec, error: ExchangeError
    ) -> Refused:
        """Answer an error before anything is proved, or is proved anew: signed, and only counted."""
        self._observer.refused(code=error.kind.code, proved=False)
        return self._count(reached, codec, error)

    def turn_away(
        self, head: Head, codec: Codec, error: ExchangeError, *, record_id: RecordId, address: str
    ) -> Refused:
        """Refuse, unsigned, what never became a message: nothing is known of the caller, so nothing is spent on it."""
        self.count_unread(error, address)
        return Refused(answer=codec.refuse(head, None, error, record_id), error=error, record_id=None)

    def count_unread(self, error: ExchangeError, address: str) -> None:
        """Count what never became a message: broken framing, a body that did not come, overload."""
        self._observer.refused(code=error.kind.code, proved=False)
        self._tally.count(error.kind.code, "", address, self._clock.now())

    def _count(self, reached: Raw | Received | Claimed | Verified, codec: Codec, error: ExchangeError) -> Refused:
        head, claim, received = _parts(reached)
        raw = reached if isinstance(reached, Raw) else received
        assert raw is not None
        client = "" if claim is None else str(claim.client)
        self._tally.count(error.kind.code, client, raw.peer.address, raw.at)
        proof = _own_proof(reached)
        answer = codec.refuse(head, claim, error, raw.id)
        if error.kind.status == 401:  # noqa: PLR2004 - RFC 9421 §5.1: say what to sign
            wanted = accept_signature(head, has_body=raw.body.size > 0)
            answer = _with_fields(answer, ("Accept-Signature", wanted))
        url = None if received is None else received.public_url
        seal = self._sealer.seal_refusal(answer, codec, head, url, proof)
        return Refused(answer=seal.answer, error=error, record_id=None)

    async def _record(self, verified: Verified, codec: Codec, error: ExchangeError, rules: Rules) -> Refused:
        if error.kind is RECORD_FAILED or not self._rates.allow(verified.client):
            return self._count(verified, codec, error)
        event = refusal_event(verified, error, rules)
        nonces = () if error.kind is REPLAYED_NONCE else nonces_of(verified)
        try:
            try:
                await self._recorder.commit(event, nonces=nonces)
            except NonceUsedError:
                await self._recorder.commit(event)
        except JournalUnavailableError:
            return self._count(verified, codec, ExchangeError(RECORD_FAILED))
        received = verified.claimed.received
        answer = codec.refuse(received.head, verified.parts.claim, error, received.id)
        answer = _with_fields(answer, ("Motlan-Receipt", received.id))
        return Refused(answer=self._sealed(verified, codec, answer).answer, error=error, record_id=received.id)

    async def _end(self, recorded: Recorded, codec: Codec, error: ExchangeError, rules: Rules) -> Refused:
        verified, now = recorded.authorized.verified, self._clock.now()
        record_id = new_record_id(now, self._entropy)
        outcome = _outcome_of(error)
        refusal = codec.refuse(verified.claimed.received.head, verified.parts.claim, error, record_id)
        refusal = _with_fields(refusal, ("Motlan-Outcome", outcome.value), ("Motlan-Receipt", record_id))
        seal = self._sealed(verified, codec, refusal)
        ending = Ending(
            id=record_id,
            at=now,
            request=recorded.id,
            outcome=outcome,
            code=error.kind.code,
            body=seal.answer.body,
            base=seal.base,
            signature=seal.signature,
        )
        nothing_done = isinstance(error, ProviderFailedError) and outcome in _NOTHING_DONE
        free = self._retries.release(recorded.authorized) if nothing_done else None
        try:
            await self._recorder.commit(ending_event(recorded.authorized, ending, in_force=rules.in_force), end=free)
        except JournalUnavailableError:
            return self._count(verified, codec, ExchangeError(ANSWER_UNRECORDED))
        return Refused(answer=seal.answer, error=error, record_id=record_id)

    def _sealed(self, verified: Verified, codec: Codec, answer: Answer) -> Seal:
        received, proof = verified.claimed.received, verified.proof
        if isinstance(proof, Delegated):
            return Seal(answer=answer, base=b"", signature=b"")
        return self._sealer.seal_refusal(answer, codec, received.head, received.public_url, proof)


_NOTHING_DONE = frozenset(
    {
        Outcome.UNAVAILABLE,
        Outcome.DENIED,
        Outcome.REJECTED,
        Outcome.NOT_FOUND,
        Outcome.MISMATCH,
        Outcome.AMBIGUOUS,
    }
)
"""Ends of a call without an answer to keep, after which its idempotency key may be used again."""
_OUTCOMES = {Fault.CALLER: Outcome.DENIED, Fault.PROVIDER: Outcome.INVALID_REPLY}


def _outcome_of(error: ExchangeError) -> Outcome:
    if isinstance(error, ProviderFailedError):
        return error.outcome
    return _OUTCOMES.get(error.kind.fault, Outcome.UNKNOWN)


def _own_proof(reached: Raw | Received | Claimed | Verified) -> Direct | Hosted | None:
    """What the caller itself proved; nothing of a call made inside."""
    if not isinstance(reached, Verified) or isinstance(reached.proof, Delegated):
        return None
    return reached.proof


def _parts(reached: Raw | Received | Claimed | Verified) -> tuple[Head, Claim | None, Received | None]:
    match reached:
        case Verified():
            return reached.claimed.received.head, reached.parts.claim, reached.claimed.received
        case Claimed():
            return reached.received.head, reached.claim, reached.received
        case Received():
            return reached.head, None, reached
        case _:
            return reached.head, None, None


def _with_fields(answer: Answer, *added: tuple[str, str]) -> Answer:
    head = AnswerHead(status=answer.head.status, fields=answer.head.fields + added)
    return Answer(head=head, body=answer.body, enveloped=answer.enveloped)
