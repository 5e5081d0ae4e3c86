"""Steps 4 to 6: fresh; does the service exist and may this client call it so; is what it sends in order."""

from msgspec import UNSET

from gateway.exchange.recording import nonces_of
from gateway.exchange.rules import Route, Rules
from gateway.model.envelope import Envelope, ProofScheme
from gateway.model.errors import ExchangeError
from gateway.model.errors.request import (
    REPLAYED_NONCE,
    UNKNOWN_SERVICE,
    UNSUPPORTED_MEDIA_TYPE,
)
from gateway.model.stages import Authorized, Direct, Hosted, Verified
from gateway.policy.policyset import Pseudonym
from gateway.ports import Codec
from gateway.signing.digest import verify_content_digest
from gateway.signing.message_jws import digested
from gateway.signing.wsse import check_attachments
from gateway.validation.persons import check_no_person

_MOST_SPENT = 32_768


class Freshness:
    """(4) Which proofs are in flight: the journal knows those that were used. The last of these are known here too, so
    that who sends one again cannot fill a disk with what comes behind it.
    """

    def __init__(self) -> None:
        self._flying: set[str] = set()
        self._spent: dict[str, None] = {}
        """In the order in which they were used."""

    def reserve(self, verified: Verified) -> "_Reserved":
        """Hold the proof's nonce until its record is committed: of two copies at once only one goes on.

        Checks the digests of body or attachments too, since a nonce is spent on exactly one message. Raises
        ExchangeError.
        """
        _check_digests(verified)
        keys = [nonce.key for nonce in nonces_of(verified)]
        for key in keys:
            if key in self._flying:
                raise ExchangeError(REPLAYED_NONCE)
        self._flying.update(keys)
        return _Reserved(self._flying, keys)

    def spend(self, verified: Verified) -> None:
        """The journal has recorded that a proof was used."""
        for nonce in nonces_of(verified):
            self._spent[nonce.key] = None
        while len(self._spent) > _MOST_SPENT:
            del self._spent[next(iter(self._spent))]

    def is_stale(self, verified: Verified) -> bool:
        """Whether a proof is surely another message's: used lately, or being used now. The journal has the last word on
        all others.
        """
        return any(nonce.key in self._spent or nonce.key in self._flying for nonce in nonces_of(verified))


def _check_digests(verified: Verified) -> None:
    proof, received = verified.proof, verified.claimed.received
    if isinstance(proof, Direct) and proof.scheme == ProofScheme.WS_SECURITY:
        check_attachments(proof, received.body.parts)
    elif isinstance(proof, Direct):
        verify_content_digest(digested(verified.parts.head, proof), received.body)
    elif isinstance(proof, Hosted) and "content-digest" in received.head.index:
        verify_content_digest(received.head, received.body)


class _Reserved:
    """Nonces that are held while a ``with`` block runs."""

    __slots__ = ("_flying", "_keys")

    def __init__(self, flying: set[str], keys: list[str]) -> None:
        self._flying = flying
        self._keys = keys

    def __enter__(self) -> None:
        """They are held from their reservation on."""

    def __exit__(self, *_: object) -> None:
        self._flying.difference_update(self._keys)


def admit(verified: Verified, rules: Rules) -> Route:
    """(5) The service exists, and this client may call it in this way for this purpose. Raises ExchangeError."""
    claim = verified.parts.claim
    route = rules.routes.get(claim.service)
    if route is None:
        raise ExchangeError(UNKNOWN_SERVICE)
    rules.policy.coarse(claim, verified.client, verified.claimed.received.at)
    if not route.person_in_url:
        check_no_person(claim.path, claim.query)
    return route


def authorise(verified: Verified, route: Route, rules: Rules, codec: Codec, pseudonym: Pseudonym) -> Authorized:
    """(6) Open what was proved, hold it against the schema, and decide. Raises ExchangeError."""
    envelope = codec.open(verified.parts)
    _check_schema(envelope, route)
    decision = rules.policy.decide(envelope, verified.client, verified.claimed.received.at, pseudonym)
    return Authorized(verified=verified, envelope=envelope, decision=decision)


def _check_schema(envelope: Envelope, route: Route) -> None:
    if route.request_schema is None:
        if route.asked and envelope.document is UNSET and envelope.body.size:  # whom it asks about must be recorded
            raise ExchangeError(UNSUPPORTED_MEDIA_TYPE, "this service takes application/json that fits in memory")
        return
    if envelope.document is UNSET:
        raise ExchangeError(UNSUPPORTED_MEDIA_TYPE, "this service takes application/json")
    route.request_schema.check(envelope.document)
