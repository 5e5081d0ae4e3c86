"""Step 8, dispatch: only what is recorded is forwarded, under the gateway's signature."""

from collections.abc import Mapping

from gateway.exchange.rules import Route
from gateway.model.forwarding import forwarded
from gateway.model.message import Fields, Part
from gateway.model.stages import Direct, Recorded, Reply
from gateway.ports import Clock, Outbound, Signer
from gateway.signing.http_sig_sign import Passed, original_target, sign_forward
from gateway.signing.target import PublicUrl
from gateway.signing.xroad_hash import request_hash


class Dispatcher:
    """Sends recorded requests to their targets.

    key: the gateway's signing key. public_urls: origin → the URL of ours that it stands for.
    """

    def __init__(self, key: Signer, clock: Clock, public_urls: Mapping[str, PublicUrl]) -> None:
        self._key = key
        self._clock = clock
        self._public_urls = public_urls

    async def dispatch(self, recorded: Recorded, route: Route) -> Reply:
        """(8) Forward and return what came of it; never raises for what a provider does."""
        deadline = self._clock.monotonic() + route.timeout
        return await route.target.send(recorded, self._countersign(recorded), deadline)

    def _countersign(self, recorded: Recorded) -> "_Countersigner":
        received = recorded.authorized.verified.claimed.received
        return _Countersigner(recorded, self._key, self._clock, self._public_urls[received.public_url])


class _Countersigner:
    """The gateway's signature over what one provider receives for one recorded request."""

    __slots__ = ("_clock", "_key", "_public_url", "_recorded")

    def __init__(self, recorded: Recorded, key: Signer, clock: Clock, public_url: PublicUrl) -> None:
        self._recorded = recorded
        self._key = key
        self._clock = clock
        self._public_url = public_url

    def __call__(self, outbound: Outbound) -> Fields:
        """The fields to add: where the caller's target was, the receipt, and the signatures."""
        verified = self._recorded.authorized.verified
        head, proof = verified.parts.head, verified.proof
        added = (
            ("Motlan-Original-Target", original_target(head, self._public_url)),
            ("Motlan-Receipt", self._recorded.id),
        )
        whole = Outbound(method=outbound.method, url=outbound.url, fields=outbound.fields + added, body=outbound.body)
        passed = Passed(head=head, proof=proof) if isinstance(proof, Direct) else None
        signed = sign_forward(whole, key=self._key, now=self._clock.now(), passed=passed)
        return added + signed.fields

    def envelope(self, envelope: bytes, attachments: tuple[Part, ...] = ()) -> bytes:
        """A SOAP request with our WS-Security header in it."""
        raise NotImplementedError

    def opened(self, answer: bytes, attachments: tuple[Part, ...] = ()) -> bytes:
        """What the provider's WS-Security signature proves of its answer."""
        raise NotImplementedError


def hash_of(recorded: Recorded) -> str:
    """``X-Road-Request-Hash`` of a recorded request, base64."""
    parts = recorded.authorized.verified.parts
    return request_hash(
        method=parts.head.method,
        target=parts.head.target,
        forwarded=forwarded(parts.head),
        body=parts.body,
        request_id=recorded.id,
        made_id=recorded.id if parts.claim.message_id is None else None,
    )
