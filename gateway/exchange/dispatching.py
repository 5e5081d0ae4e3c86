"""Step 8, dispatch: only what is recorded is forwarded, under the gateway's signature."""

import base64
from collections.abc import Mapping

from msgspec import structs

from gateway.exchange.hosting import with_digest
from gateway.exchange.rules import Route, Rules
from gateway.model.envelope import MessageProtocol
from gateway.model.forwarding import forwarded
from gateway.model.message import Body, Fields, Part
from gateway.model.stages import Delegated, Direct, Recorded, Reply
from gateway.model.written import WrittenEnvelope
from gateway.ports import Clock, Outbound, Signer
from gateway.signing.http_sig_sign import Passed, original_target, sign_forward
from gateway.signing.target import PublicUrl
from gateway.signing.wsse import verify_answer
from gateway.signing.wsse_template import Terms
from gateway.signing.wsse_written import sign
from gateway.signing.xroad_hash import request_hash


class Dispatcher:
    """Sends recorded requests to their targets.

    key: the gateway's signing key. public_urls: origin → the URL of ours that it stands for.
    """

    def __init__(self, key: Signer, clock: Clock, public_urls: Mapping[str, PublicUrl]) -> None:
        self._key = key
        self._clock = clock
        self._public_urls = public_urls

    async def dispatch(self, recorded: Recorded, route: Route, rules: Rules) -> Reply:
        """(8) Forward and return what came of it; never raises for what a provider does."""
        deadline = self._clock.monotonic() + route.timeout
        received = recorded.authorized.verified.claimed.received
        countersigner = _Countersigner(recorded, rules, self._key, self._clock, self._public_urls[received.public_url])
        reply = await route.target.send(recorded, countersigner, deadline)
        evidence = countersigner.evidence
        return structs.replace(reply, evidence=(*reply.evidence, *evidence)) if evidence else reply


class _Countersigner:
    """The gateway's signatures towards one provider for one recorded request, and what it proved of the answer."""

    __slots__ = ("_clock", "_confirms", "_enveloped", "_key", "_public_url", "_recorded", "_rules", "_sent")

    def __init__(self, recorded: Recorded, rules: Rules, key: Signer, clock: Clock, public_url: PublicUrl) -> None:
        self._recorded = recorded
        self._rules = rules
        self._key = key
        self._clock = clock
        self._public_url = public_url
        self._confirms: str | None = None
        self._enveloped: tuple[tuple[str, str], ...] = ()
        self._sent: tuple[tuple[str, str], ...] = ()

    @property
    def evidence(self) -> tuple[tuple[str, str], ...]:
        """What another message than the caller's was signed with, and what the provider signed: for the record."""
        return self._sent + self._enveloped

    def __call__(self, outbound: Outbound) -> Fields:
        """The fields to add: where the caller's target was, the receipt, and the signatures."""
        head = self._recorded.authorized.verified.parts.head
        added = (
            ("Motlan-Original-Target", original_target(head, self._public_url)),
            ("Motlan-Receipt", self._recorded.id),
        )
        whole = Outbound(method=outbound.method, url=outbound.url, fields=outbound.fields + added, body=outbound.body)
        signed = sign_forward(whole, key=self._key, now=self._clock.now(), passed=self._passed())
        if outbound.body.sha256 != self._recorded.authorized.envelope.body.sha256:
            self._sent = (
                ("forwarded_sha256", outbound.body.sha256.hex()),
                ("forwarded_base", signed.base.decode("latin-1")),
                ("forwarded_signature", signed.signature.hex()),
            )
        return added + signed.fields

    def _passed(self) -> Passed | None:
        """The caller's signature, or the one made in its name, where it is one over the HTTP request."""
        verified = self._recorded.authorized.verified
        proof = verified.proof
        if isinstance(proof, Delegated) or (isinstance(proof, Direct) and not proof.label):
            return None
        head = verified.parts.head if isinstance(proof, Direct) else with_digest(verified.claimed.received)
        return Passed(head=head, proof=proof)

    def envelope(self, envelope: bytes | WrittenEnvelope, attachments: tuple[Part, ...] = ()) -> bytes:
        """A SOAP request with our WS-Security header in it."""
        signed = sign(envelope, Terms(key=self._key, now=self._clock.now(), attachments=attachments))
        value = base64.b64encode(signed.signature).decode()
        self._confirms = value
        self._enveloped = (("envelope_base", signed.base.decode()), ("envelope_signature", value))
        return signed.envelope

    def opened(self, answer: bytes, attachments: tuple[Part, ...] = ()) -> bytes:
        """What the provider's WS-Security signature proves of its answer. Raises ExchangeError."""
        proof = verify_answer(
            answer,
            self._rules.trust,
            owner=self._recorded.claim.service.subsystem,
            gateway=False,
            now=self._clock.now(),
            confirms=self._confirms,
            parts=attachments,
        )
        self._enveloped += (
            ("provider_base", proof.direct.base.decode()),
            ("provider_signature", proof.direct.signature),
            ("provider_keyid", proof.direct.keyid),
        )
        return proof.envelope


def hash_of(recorded: Recorded) -> str:
    """What binds an X-Road answer to a recorded request, base64: ``X-Road-Request-Hash``, or SOAP's ``requestHash``."""
    verified = recorded.authorized.verified
    parts = verified.parts
    if parts.claim.protocol is MessageProtocol.SOAP:
        root = verified.claimed.received.body.root
        return base64.b64encode(Body(root or b"").sha512).decode()
    return request_hash(
        method=parts.head.method,
        target=parts.head.target,
        forwarded=forwarded(parts.head),
        body=parts.body,
        request_id=recorded.id,
        made_id=recorded.id if parts.claim.message_id is None else None,
    )
