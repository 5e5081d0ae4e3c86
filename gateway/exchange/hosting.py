"""Signing in the name of a subsystem that shows nothing but its TLS certificate, with a key that we host for it.

The signature is the one that the subsystem would have made (RFC 9421, tag ``motlan-request``), over the message as it
arrived; the key has a certificate of its own, so nobody can take it for the member's.
"""

import base64

from msgspec import Struct

from gateway.model.forwarding import forwarded
from gateway.model.message import Head
from gateway.model.stages import Received
from gateway.ports import Entropy, Outbound, Signer
from gateway.signing.components import MemberTexts
from gateway.signing.digest import content_digest
from gateway.signing.http_sig_sign import sign_request

LABEL = "hosted"
_NONCE = 18
_OF_CONTENT = frozenset({"content-type", "content-digest"})


class SignedFor(Struct, frozen=True, kw_only=True):
    """A signature made for a subsystem. covered: the components."""

    members: MemberTexts
    base: bytes
    covered: tuple[str, ...]


def sign_for(key: Signer, received: Received, entropy: Entropy, *, enveloped: bool = False) -> SignedFor:
    """Sign a received request. enveloped: what it says stands in its body; fields that mean something over REST mean
    nothing here, and are not said in its name. Raises ExchangeError if a field of it cannot be signed.
    """
    fields = with_digest(received).fields
    outbound = Outbound(
        method=received.head.method,
        url=received.public_url + received.head.target,
        fields=tuple([pair for pair in fields if pair[0].lower() in _OF_CONTENT]) if enveloped else fields,
        body=received.body,
    )
    nonce = base64.urlsafe_b64encode(entropy(_NONCE)).decode()
    sent = sign_request(outbound, key=key, now=received.at, nonce=nonce, label=LABEL)
    listed = sent.signed.members.signature_input.partition(")")[0].lstrip("(")
    return SignedFor(
        members=sent.signed.members,
        base=sent.signed.base,
        covered=tuple([each.strip('"') for each in listed.split(" ")]),
    )


def with_digest(received: Received) -> Head:
    """The fields that travel, with the body's Content-Digest: what a hosted signature covers."""
    head = received.head
    fields = tuple([pair for pair in forwarded(head) if pair[0].lower() != "content-digest"])
    if received.body.size:
        fields = (*fields, ("Content-Digest", content_digest(received.body)))
    return Head(method=head.method, target=head.target, fields=fields)
