"""Steps 7 and 12, record: what happens is durable before anything follows from it."""

from collections.abc import Callable

from gateway.exchange.citizens import about_citizen
from gateway.exchange.epochs import Epochs
from gateway.exchange.events import Event, answer_event, persons_at, request_event
from gateway.exchange.marks import Mark, Marks
from gateway.exchange.payloads import Kept, Payloads
from gateway.exchange.retrying import Retries
from gateway.exchange.rules import Route
from gateway.ledger.openings import SEAL_RANDOM, seal
from gateway.ledger.record import build, random_needed
from gateway.model.citizen import CITIZEN_NONCE
from gateway.model.decision import Charge
from gateway.model.errors import ErrorKind, ExchangeError
from gateway.model.errors.citizen import CITIZEN_TOKEN_USED
from gateway.model.errors.gateway import ANSWER_UNRECORDED, RECORD_FAILED
from gateway.model.errors.policy import QUOTA_SPENT
from gateway.model.errors.request import MESSAGE_ID_REUSED, REPLAYED_NONCE, SIGNATURE_TOO_OLD
from gateway.model.errors.signature import SIGNATURE_EXPIRED
from gateway.model.instant import plus
from gateway.model.message import Body, Fields
from gateway.model.stages import AnswerRecorded, Authorized, Direct, Recorded, Reply, Sealed, Verified
from gateway.model.storage import (
    Blob,
    Commit,
    IdempotencyEnd,
    IdempotencySeenError,
    JournalUnavailableError,
    MessageIdUsedError,
    Nonce,
    NonceUsedError,
    QuotaSpentError,
    Row,
)
from gateway.ports import Clock, Entropy, Journal

SKEW_SECONDS = 60
"""How long after a signature's expiry its nonce is still remembered."""

MESSAGE_ID_SECONDS = 24 * 3600
"""How long a client may not repeat a message id."""


class Recorder:
    """Builds records and commits each with everything that must be durable with it, or none of it.

    committed: called after each commit, to wake the sequencer. payloads: seals the bodies of services that keep them.
    citizens: the key for citizens' own lists; None: none are kept.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        epochs: Epochs,
        retries: Retries,
        clock: Clock,
        entropy: Entropy,
        committed: Callable[[], None],
        payloads: Payloads | None = None,
        citizens: bytes | None = None,
    ) -> None:
        self._payloads = payloads
        self._citizens = citizens
        self._journal = journal
        self._committed = committed
        self._epochs = epochs
        self._retries = retries
        self._clock = clock
        self._entropy = entropy
        self._marks = Marks(b"")

    async def request(self, authorized: Authorized, route: Route) -> tuple[Recorded, Reply | None]:
        """(7) Commit the request's record with its nonce, quota charges and idempotency key.

        Gives the stored reply beside it where this call repeats one that has ended. Raises ExchangeError.
        """
        verified = authorized.verified
        received = verified.claimed.received
        kept = self._kept(route, received.body, received.head.fields)
        event = request_event(authorized, route)
        nonces, charges = nonces_of(verified), authorized.decision.charges
        if route.citizen is not None:
            citizen = route.citizen(verified)
            event, nonces = about_citizen(event, citizen.number), (*nonces, citizen.nonce)
        row = self.row(event if kept is None else kept.noted(event))
        blobs = () if kept is None else kept.blobs(row, event.facts)
        start = self._retries.start(authorized)
        commit = Commit(
            row=row,
            nonces=nonces,
            message_id=self._message_id(verified),
            charges=charges,
            idempotency=start,
            blobs=blobs,
        )
        try:
            await self._commit(commit)
        except IdempotencySeenError as seen:
            assert start is not None
            stored = await self._retries.stored(start, seen, received.at)
            await self._commit(Commit(row=row, nonces=nonces, charges=charges, blobs=blobs))
            return Recorded(authorized=authorized, id=row.id), stored
        return Recorded(authorized=authorized, id=row.id), None

    def _message_id(self, verified: Verified) -> Nonce | None:
        """The caller's message id as a use-once value; under a keyed name, since it may hold a person's number."""
        claim = verified.parts.claim
        if claim.message_id is None or not isinstance(verified.proof, Direct):
            return None
        expires = plus(verified.claimed.received.at, MESSAGE_ID_SECONDS)
        return Nonce(key=f"id:{self._retries.name(f'{claim.client}:{claim.message_id}')}", expires=expires)

    async def answer(self, sealed: Sealed, route: Route, *, retried: bool) -> AnswerRecorded:
        """(12) Commit the answer's record. Raises ExchangeError(ANSWER_UNRECORDED): it must not be released then."""
        end, blobs = (None, ()) if retried else self._retries.end(sealed.minimised.replied, keep=not route.composed)
        event, kept = answer_event(sealed, route), self._kept(route, sealed.minimised.body, sealed.minimised.fields)
        row = self.row(event if kept is None else kept.noted(event))
        if kept is not None:
            asked = persons_at(sealed.minimised.replied.recorded.authorized.envelope.document, route.asked)
            also = [mark for _, mark in self._marks.of(asked, None, None)]
            blobs = (*blobs, *kept.blobs(row, event.facts, also=also))
        try:
            await self._journal.commit(Commit(row=row, idempotency=end, blobs=blobs), self._clock.now())
        except JournalUnavailableError as error:
            raise ExchangeError(ANSWER_UNRECORDED) from error
        self._committed()
        return AnswerRecorded(sealed=sealed)

    def _kept(self, route: Route, body: Body, fields: Fields) -> Kept | None:
        """What is kept of a body beside its digest; None of most."""
        return self._payloads.kept(body, fields) if route.sealed and self._payloads is not None else None

    async def commit(
        self,
        event: Event,
        *,
        nonces: tuple[Nonce, ...] = (),
        charges: tuple[Charge, ...] = (),
        end: IdempotencyEnd | None = None,
        blobs: tuple[Blob, ...] = (),
    ) -> None:
        """Commit any event. Raises JournalUnavailableError, and NonceUsedError or QuotaSpentError where nonces or
        charges are given.
        """
        commit = Commit(row=self.row(event), nonces=nonces, charges=charges, idempotency=end, blobs=blobs)
        await self._journal.commit(commit, self._clock.now())
        self._committed()

    async def _commit(self, commit: Commit) -> None:
        now = self._clock.now()
        if any(nonce.expires <= now for nonce in commit.nonces):
            # Its body took until the journal would forget the nonce at once: then many copies could pass.
            raise ExchangeError(SIGNATURE_EXPIRED, "the message was complete only after its signature's end")
        try:
            await self._journal.commit(commit, now)
            self._committed()
        except NonceUsedError as error:
            raise ExchangeError(await self._why_used(commit.nonces)) from error
        except MessageIdUsedError as error:
            raise ExchangeError(MESSAGE_ID_REUSED) from error
        except QuotaSpentError as error:
            raise ExchangeError(QUOTA_SPENT, parts=(error.key.partition(":")[0],)) from error
        except JournalUnavailableError as error:
            raise ExchangeError(RECORD_FAILED) from error

    async def _why_used(self, nonces: tuple[Nonce, ...]) -> ErrorKind:
        """Used before; or so old that it may have been, and was forgotten since: a clock was set back."""
        if any(nonce.key.startswith(CITIZEN_NONCE) for nonce in nonces):
            return CITIZEN_TOKEN_USED  # whatever else of it was used too: it needs another token
        try:
            watermark = await self._journal.nonce_watermark()
        except JournalUnavailableError:
            return REPLAYED_NONCE
        return SIGNATURE_TOO_OLD if all(nonce.expires <= watermark for nonce in nonces) else REPLAYED_NONCE

    def row(self, event: Event) -> Row:
        """An event as it is stored: its record built, its openings sealed, its pseudonyms made."""
        epoch, facts, entropy = self._epochs.current, event.facts, self._entropy
        built = build(facts, entropy(random_needed(len(facts.private))))
        if self._marks.key is not epoch.pseudonym_key:
            self._marks = Marks(epoch.pseudonym_key, epoch.id, self._citizens)
        return Row(
            id=built.id,
            entry=built.entry,
            skeleton=built.skeleton,
            openings=seal(built, epoch, entropy(SEAL_RANDOM)),
            epoch=epoch.id,
            pseudonyms=self._marks_of(event),
            opens=event.opens,
            ends=event.ends,
        )

    def _marks_of(self, event: Event) -> tuple[Mark, ...]:
        """Persons come first, then their marks for their own lists: erasure tells by that order whose is whose. Records
        of no client's call (auditors' readings, holds) are in nobody's list.
        """
        marks = self._marks.of(event.persons, event.officer, event.case, event.message)
        return marks if event.facts.client is None else (*marks, *self._marks.listed(event.persons))


def nonces_of(verified: Verified) -> tuple[Nonce, ...]:
    """What a proof uses up: its nonce, remembered until its signature has expired everywhere."""
    proof = verified.proof
    if not isinstance(proof, Direct):
        return ()
    return (Nonce(key=f"{proof.keyid}:{proof.nonce}", expires=plus(proof.expires, SKEW_SECONDS)),)
