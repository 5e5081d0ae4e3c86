"""The product in one page: the way of every message, REST or SOAP, called from outside or inside.

1. **frame**: limits, target and headers sane; else refused before anything is parsed
2. **claim**: the codec says who claims to call which service, and how that is proved (untrusted)
3. **proof**: signature → member subsystem, and the parts of the message that it proves
4. **fresh**: digest of the body, replay reserved in memory
5. **coarse policy**: the service exists, and this client may call it in this way for this purpose
6. **open**: the codec parses what was proved, and only that; schema; fine policy
7. **record**: one atomic commit of the request's record with its nonce, quota charges and idempotency key
8. **dispatch** to the target, countersigned
9. **judge** the reply: size, schema, outcome
10. **minimise**: only granted fields stay
11. **seal**: sign the answer, bound to the request, its record's id assigned in advance
12. **record the answer**, and only then release it

Each step takes the type that only the step before it makes, so leaving one out does not type-check. A step that fails
raises ExchangeError; what becomes of the message then depends on how far it came, and is ``refusing``'s business.
"""

from collections.abc import Callable, Mapping

from msgspec import Struct

from gateway.exchange.authorising import Freshness, admit, authorise
from gateway.exchange.dispatching import Dispatcher
from gateway.exchange.frame import Raw, receive
from gateway.exchange.ids import new_record_id
from gateway.exchange.judging import judge
from gateway.exchange.minimising import minimise
from gateway.exchange.proved import awaits_parts
from gateway.exchange.proving import Prover, claim, delegate
from gateway.exchange.recording import Recorder
from gateway.exchange.refusing import Reached, Refuser
from gateway.exchange.rules import Route, Rules
from gateway.exchange.sealing import Sealer
from gateway.model.envelope import Claim
from gateway.model.errors import ExchangeError
from gateway.model.errors.gateway import INTERNAL_ERROR
from gateway.model.errors.request import REPLAYED_NONCE
from gateway.model.errors.wsse import SECURITY_DIGEST_MISMATCH
from gateway.model.ids import RecordId
from gateway.model.message import Body, Head
from gateway.model.stages import AnswerRecorded, Claimed, Received, Recorded, Refused, Released, Reply, Verified
from gateway.policy.policyset import Pseudonym
from gateway.ports import Clock, Codec, Entropy, Observer
from gateway.signing.target import PublicUrl
from gateway.validation.limits import Limits


class Parts(Struct, frozen=True, kw_only=True):
    """What the pipeline is built from.

    prover: proves claims. public_urls: authority in lower case → URL of ours. quota_pseudonym: keyed, the same all day
    on every node. inside: the codec of calls made inside. closed: raises ExchangeError while exchange is stopped.
    """

    prover: Prover
    recorder: Recorder
    dispatcher: Dispatcher
    sealer: Sealer
    refuser: Refuser
    freshness: Freshness
    clock: Clock
    entropy: Entropy
    observer: Observer
    limits: Limits
    public_urls: Mapping[str, PublicUrl]
    quota_pseudonym: Pseudonym
    inside: Codec
    closed: Callable[[], None] | None = None


class Pipeline:
    """Carries messages from socket to socket. ``rules`` is replaced whole on reload; an exchange keeps its own."""

    def __init__(self, parts: Parts, rules: Rules) -> None:
        self._parts = parts
        self.rules = rules

    async def exchange(self, raw: Raw, codec: Codec) -> Released:
        """A message from outside. Never raises for what a message holds or a provider does."""
        rules = self.rules
        reached, error = self._proved(raw, codec, rules)
        if error is None and isinstance(reached, Verified):
            return await self._perform(reached, codec, rules)
        return await self._parts.refuser.refuse(reached, codec, error or ExchangeError(INTERNAL_ERROR), rules)

    def vouch(self, raw: Raw, codec: Codec) -> Refused | None:
        """Steps 1 to 3 on what is there of a message before its large body is read; the refusal, where they refuse it.

        Nothing else follows from it: the whole message goes the whole way. raw: with as much of the body as the proof
        needs, for SOAP the envelope; else a body that only says that there is one. A proof that was used before is
        nobody's in particular, and is only counted.
        """
        reached, error = self._proved(raw, codec, self.rules)
        if isinstance(reached, Verified):  # what is proved is refused, and recorded, when it is whole
            stale = self._parts.freshness.is_stale(reached)
            return self._parts.refuser.refuse_unproved(reached, codec, ExchangeError(REPLAYED_NONCE)) if stale else None
        if error is None:
            return None
        if error.kind is SECURITY_DIGEST_MISMATCH and awaits_parts(raw.body):  # the caller did sign what it sends
            return None
        return self._parts.refuser.refuse_unproved(reached, codec, error)

    def _proved(
        self, raw: Raw, codec: Codec, rules: Rules
    ) -> tuple[Raw | Received | Claimed | Verified, ExchangeError | None]:
        """Steps 1 to 3: how far a message comes, and what stopped it. A strange one is read in a thread of its own."""
        reached: Raw | Received | Claimed | Verified = raw
        try:
            reached = received = receive(raw, self._parts.limits, self._parts.public_urls)  # (1)
            self._parts.prover.glance(received, codec, rules)
            if not codec.is_strange(raw.head, raw.body):
                return self._prove(received, codec, rules)
            reached, error = codec.apart(lambda: self._prove(received, codec, rules))
            if isinstance(reached, Verified):
                codec.remember(raw.body, reached.client.member)
        except ExchangeError as refused:
            error = refused
        return reached, error

    def _prove(
        self, received: Received, codec: Codec, rules: Rules
    ) -> tuple[Received | Claimed | Verified, ExchangeError | None]:
        reached: Received | Claimed = received
        try:
            reached = claimed = claim(received, codec, rules)  # (2)
            return self._parts.prover.prove(claimed, codec, rules), None  # (3)
        except ExchangeError as error:
            return reached, error

    async def call_inside(self, parent: Recorded, said: Claim, body: Body) -> Released:
        """A call made for a recorded request, under its client and purpose: the same steps, another proof."""
        now = self._parts.clock.now()
        verified = delegate(parent, said, body, record_id=new_record_id(now, self._parts.entropy), at=now)
        return await self._perform(verified, self._parts.inside, self.rules)

    def turn_away(
        self, head: Head, codec: Codec, error: ExchangeError, *, record_id: RecordId, address: str
    ) -> Refused:
        """Refuse what the edge could not take: overload, a body that did not come."""
        return self._parts.refuser.turn_away(head, codec, error, record_id=record_id, address=address)

    def count_framing(self, error: ExchangeError, address: str) -> None:
        """Count what was not even HTTP; it was answered below us."""
        self._parts.refuser.count_unread(error, address)

    async def _perform(self, verified: Verified, codec: Codec, rules: Rules) -> Released:
        parts = self._parts
        reached: Reached = verified
        try:
            if parts.closed is not None:
                parts.closed()
            with parts.freshness.reserve(verified):  # (4)
                route = admit(verified, rules)  # (5)
                reached = authorized = authorise(verified, route, rules, codec, parts.quota_pseudonym)  # (6)
                reached, stored = await parts.recorder.request(authorized, route)  # (7)
                parts.freshness.spend(verified)
            return await self._answer(reached, stored, route, codec, rules)
        except ExchangeError as error:
            refused = await parts.refuser.refuse(reached, codec, error, rules)
            if refused.record_id is not None:
                parts.freshness.spend(verified)
            return refused
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets an answer and the record its end
            parts.observer.failed(error)
            return await parts.refuser.refuse(reached, codec, ExchangeError(INTERNAL_ERROR), rules)

    async def _answer(
        self, recorded: Recorded, stored: Reply | None, route: Route, codec: Codec, rules: Rules
    ) -> AnswerRecorded:
        parts = self._parts
        sent_at = parts.clock.monotonic()
        reply = stored or await parts.dispatcher.dispatch(recorded, route, rules)  # (8)
        provider_seconds = parts.clock.monotonic() - sent_at
        try:
            now = parts.clock.now()
            replied = judge(recorded, reply, route, parts.limits, now)  # (9)
            minimised = minimise(replied, rules)  # (10)
            sealed = parts.sealer.seal(minimised, codec, new_record_id(now, parts.entropy))  # (11)
            released = await parts.recorder.answer(sealed, route, retried=stored is not None)  # (12)
        except BaseException:
            _close(reply.body, reply.attached)
            raise
        _close(
            None if minimised.body is reply.body else reply.body,
            None if minimised.attached is reply.attached else reply.attached,
        )
        parts.observer.exchanged(
            service=str(route.service), outcome=reply.outcome.value, provider_seconds=provider_seconds
        )
        return released


def _close(*bodies: Body | None) -> None:
    for body in bodies:
        if body is not None:
            body.close()
