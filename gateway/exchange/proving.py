"""Steps 2 and 3, claim and proof: who says it calls, and what of that is proved."""

from collections.abc import Mapping
from functools import lru_cache

from gateway.exchange.frame import inside
from gateway.exchange.rules import Rules
from gateway.model.envelope import Claim, ProofScheme, ProvedParts
from gateway.model.errors import ExchangeError
from gateway.model.errors.exchange import DELEGATION_REFUSED, PROOF_SCHEME_NOT_ALLOWED
from gateway.model.errors.request import INCONSISTENT_HEADERS
from gateway.model.errors.signature import SIGNATURE_MISSING
from gateway.model.ids import RecordId, encode
from gateway.model.instant import Instant
from gateway.model.message import Body, Fields, Head
from gateway.model.stages import Claimed, Delegated, Direct, Received, Recorded, Verified
from gateway.ports import Codec
from gateway.signing.http_sig import parse_signature, verify_request
from gateway.signing.target import PublicUrl

NEGOTIATION = frozenset({"accept", "accept-language", "traceparent", "tracestate", "if-none-match"})
"""Fields that may be forwarded without being signed: they choose a representation, never what is done or for whom."""


def claim(received: Received, codec: Codec) -> Claimed:
    """(2) What the message says of itself. Raises ExchangeError."""
    return Claimed(received=received, claim=codec.claim(received.head, received.body))


def prove(claimed: Claimed, rules: Rules, public_urls: Mapping[str, PublicUrl]) -> Verified:
    """(3) Who calls, and the parts of the message which that proves. Raises ExchangeError.

    public_urls: origin → the URL of ours that it stands for.
    """
    received, said = claimed.received, claimed.claim
    if said.scheme is not ProofScheme.HTTP_SIGNATURE:
        raise ExchangeError(SIGNATURE_MISSING, "a signature with tag motlan-request is needed (docs/signing.md)")
    parsed = parse_signature(received.head)
    key = rules.trust.signing_key(parsed.keyid, received.at)
    key.require_owner(said.client)
    subsystem = rules.trust.subsystem(said.client)
    if subsystem is None or said.scheme not in subsystem.schemes:
        raise ExchangeError(PROOF_SCHEME_NOT_ALLOWED, f"{said.scheme} is not allowed for {said.client}")
    proof = verify_request(
        received.head,
        parsed,
        rules.keys[parsed.keyid],
        public_url=public_urls[received.public_url],
        has_body=received.body.size > 0,
        now=received.at,
    )
    head = _covered(received.head, proof)
    return Verified(
        claimed=claimed,
        client=key.owner,
        proof=proof,
        parts=ProvedParts(head=head, body=received.body, claim=said),
    )


def delegate(parent: Recorded, said: Claim, body: Body, *, record_id: RecordId, at: Instant) -> Verified:
    """(3) A call made inside: proved by the recorded request it is made for, and decided under that one's client.

    Raises ExchangeError if it is not made in the name of the parent's client and purpose.
    """
    origin = parent.authorized
    if said.client != origin.verified.client or said.purpose != origin.decision.purpose:
        raise ExchangeError(DELEGATION_REFUSED, "a delegated call keeps the client and the purpose of its parent")
    received = inside(origin.verified.claimed.received, record_id, at, _synthetic_head(said, body), body)
    return Verified(
        claimed=Claimed(received=received, claim=said),
        client=origin.verified.client,
        proof=Delegated(parent=parent.id),
        parts=ProvedParts(head=received.head, body=body, claim=said),
    )


def _covered(head: Head, proof: Direct) -> Head:
    """The head with what is proved or chooses a representation, and nothing that ends at this hop."""
    covered = _kept(proof.covered)
    connection = head.get("connection")
    if connection is not None:
        hop = {option.strip().lower() for option in connection.split(",")}
        signed = sorted(hop.intersection(proof.covered))
        if signed:  # whoever adds Connection on the way could take signed fields out (RFC 9110 §7.6.1)
            raise ExchangeError(INCONSISTENT_HEADERS, "Connection names what is signed", parts=tuple(signed))
        covered -= hop
    fields = tuple([pair for pair in head.fields if pair[0].lower() in covered])
    return Head(method=head.method, target=head.target, fields=fields)


@lru_cache(maxsize=1024)
def _kept(covered: tuple[str, ...]) -> frozenset[str]:
    return NEGOTIATION.union(covered)


def _synthetic_head(said: Claim, body: Body) -> Head:
    fields: Fields = (("X-Road-Client", encode(said.client)),)
    if body.size:
        fields = (*fields, ("Content-Type", "application/json"))
    query = "" if said.query is None else f"?{said.query}"
    return Head(method=said.method, target=f"/r1/{encode(said.service)}{said.path}{query}", fields=fields)
