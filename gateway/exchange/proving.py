"""Steps 2 and 3, claim and proof: who says it calls, and what of that is proved.

One way of proving per message, one that the trust list allows the subsystem: its own signature over the HTTP request
(RFC 9421 or JWS) or in the envelope (WS-Security), or its TLS certificate alone.
"""

from collections.abc import Mapping

from gateway.exchange.frame import inside
from gateway.exchange.hosting import sign_for
from gateway.exchange.proved import as_signed, carried, covered, proved_head
from gateway.exchange.rules import Rules
from gateway.model.envelope import BY_CERTIFICATE, Claim, MessageProtocol, ProofScheme, ProvedParts
from gateway.model.errors import ExchangeError
from gateway.model.errors.exchange import DELEGATION_REFUSED, PROOF_SCHEME_NOT_ALLOWED
from gateway.model.errors.identity import CERTIFICATE_MISSING, HOSTED_KEY_MISSING
from gateway.model.errors.request import INCONSISTENT_HEADERS
from gateway.model.errors.signature import SIGNATURE_MISSING
from gateway.model.errors.trust import KEY_OF_ANOTHER, UNKNOWN_KEY
from gateway.model.ids import RecordId, SubsystemId, encode
from gateway.model.instant import Instant
from gateway.model.message import Body, Fields, Head
from gateway.model.stages import Claimed, Delegated, Hosted, Received, Recorded, Verified
from gateway.ports import Codec, Entropy, Signer
from gateway.signing.http_sig import parse_signature, verify_request
from gateway.signing.message_jws import parse_message_jws, verify_message_jws
from gateway.signing.target import PublicUrl
from gateway.signing.wsse import parse_security, verify_envelope
from gateway.signing.wsse_glance import glance, is_worth_a_glance
from gateway.trust.document import thumbprint
from gateway.trust.store import Key


def claim(received: Received, codec: Codec, rules: Rules) -> Claimed:
    """(2) What the message says of itself. Raises ExchangeError."""
    said = codec.claim(received.head, received.body)
    certificate = received.peer.certificate
    if said.scheme is ProofScheme.NONE and certificate is not None:
        said = said.proved_by(ProofScheme.MUTUAL_TLS)
    if said.client == BY_CERTIFICATE:
        if certificate is None:
            raise ExchangeError(CERTIFICATE_MISSING, "this address is for callers that show a TLS certificate")
        said = said.made_by(rules.trust.tls_identity(certificate, received.at))
    return Claimed(received=received, claim=said)


class Prover:
    """Proves claims. public_urls: origin → the URL of ours that it stands for. hosted: keys that we hold for
    subsystems that show nothing but their TLS certificate.
    """

    def __init__(
        self, public_urls: Mapping[str, PublicUrl], hosted: Mapping[SubsystemId, Signer], entropy: Entropy
    ) -> None:
        self._public_urls = public_urls
        self._hosted = hosted
        self._entropy = entropy

    def glance(self, received: Received, codec: Codec, rules: Rules) -> None:
        """Look, before a large envelope is parsed, whether a listed key may have signed it, unless a listed TLS
        certificate says who sends it. Raises ExchangeError.
        """
        root, certificate = received.body.root, received.peer.certificate
        if codec.protocol is not MessageProtocol.SOAP or root is None or not is_worth_a_glance(root):
            return
        if certificate is None or rules.trust.tls_owner(certificate) is None:
            codec.apart(lambda: glance(root, rules.trust, rules.keys, received.at))

    def prove(self, claimed: Claimed, codec: Codec, rules: Rules) -> Verified:
        """(3) Who calls, and the parts of the message which that proves. Raises ExchangeError."""
        scheme = claimed.claim.scheme
        if scheme is ProofScheme.NONE:
            raise ExchangeError(SIGNATURE_MISSING, "a signature with tag motlan-request is needed (docs/signing.md)")
        if scheme is not ProofScheme.MUTUAL_TLS:
            _same_party(claimed, rules)
        match scheme:
            case ProofScheme.HTTP_SIGNATURE | ProofScheme.JWS:
                return self._by_head(claimed, rules)
            case ProofScheme.WS_SECURITY:
                return self._by_envelope(claimed, codec, rules)
            case _:
                return self._by_certificate(claimed, rules)

    def _by_head(self, claimed: Claimed, rules: Rules) -> Verified:
        """What signs the head, RFC 9421 or JWS."""
        received, said = claimed.received, claimed.claim
        head, now = received.head, received.at
        url, has_body = self._public_urls[received.public_url], received.body.size > 0
        if said.scheme is ProofScheme.JWS:
            jws = parse_message_jws(head)
            key, public = _admitted(claimed, rules, jws.keyid), rules.keys[jws.keyid]
            client, service = said.client, said.service
            proof = verify_message_jws(
                head, jws, public, client=client, service=service, public_url=url, has_body=has_body, now=now
            )
        else:
            parsed = parse_signature(head)
            key, public = _admitted(claimed, rules, parsed.keyid), rules.keys[parsed.keyid]
            proof = verify_request(head, parsed, public, public_url=url, has_body=has_body, now=now)
        parts = ProvedParts(head=covered(head, proof.covered), body=received.body, claim=said)
        return Verified(claimed=claimed, client=key.owner, proof=proof, parts=parts)

    def _by_envelope(self, claimed: Claimed, codec: Codec, rules: Rules) -> Verified:
        received, said = claimed.received, claimed.claim
        signed = as_signed(received.body)
        security = parse_security(signed.root, signed.tree)
        key = _signer_of(claimed, rules, security.keyids(rules.trust))
        proof = verify_envelope(security, rules.keys[key.keyid], now=received.at, inlined=signed.inlined)
        head, body = proved_head(received.head, proof.envelope), Body(proof.envelope)
        proved = codec.claim_proved(head, body)
        received.body.read = received.body.tree = None  # what was not proved is of no use from here on
        if proved.proved_by(said.scheme) != said:
            raise ExchangeError(INCONSISTENT_HEADERS, "the signature does not cover what the envelope says of itself")
        parts = ProvedParts(head=head, body=body, claim=said, attached=signed.attached)
        return Verified(claimed=claimed, client=key.owner, proof=proof.direct, parts=parts)

    def _by_certificate(self, claimed: Claimed, rules: Rules) -> Verified:
        received, said = claimed.received, claimed.claim
        certificate = received.peer.certificate
        if certificate is None:
            raise ExchangeError(CERTIFICATE_MISSING)
        owner = rules.trust.tls_identity(certificate, received.at)
        if owner != said.client:
            raise ExchangeError(KEY_OF_ANOTHER, "the TLS certificate is registered for another subsystem")
        _allowed(said, rules)
        rules.trust.check_network(owner, received.peer.address)
        key = self._hosted.get(owner)
        if key is None:
            raise ExchangeError(HOSTED_KEY_MISSING, f"for {owner}")
        rules.trust.hosted_key(key.keyid, owner, received.at)
        body, attached = carried(received.body, said.protocol)
        enveloped = said.protocol is MessageProtocol.SOAP
        signed = sign_for(key, received, self._entropy, enveloped=enveloped)
        proof = Hosted(
            certificate=thumbprint(certificate),
            keyid=key.keyid,
            algorithm=key.algorithm,
            label=signed.members.label,
            signature_input=signed.members.signature_input,
            signature=signed.members.signature,
            base=signed.base,
            covered=signed.covered,
        )
        parts = ProvedParts(head=received.head, body=body, claim=said, attached=attached)
        return Verified(claimed=claimed, client=owner, proof=proof, parts=parts)


def _admitted(claimed: Claimed, rules: Rules, keyid: str) -> Key:
    """The listed key, valid when the message came, of the claimed client, which may prove itself so."""
    key = rules.trust.signing_key(keyid, claimed.received.at)
    key.require_owner(claimed.claim.client)
    _allowed(claimed.claim, rules)
    return key


def _signer_of(claimed: Claimed, rules: Rules, keyids: tuple[str, ...]) -> Key:
    """Of the certificates that a hint may mean, the one of the claimed client."""
    if not keyids:
        raise ExchangeError(UNKNOWN_KEY, "no listed signing certificate is the one that the message names")
    own = [keyid for keyid in keyids if (key := rules.trust.key(keyid)) and key.owner == claimed.claim.client]
    return _admitted(claimed, rules, (own or keyids)[0])


def _allowed(said: Claim, rules: Rules) -> None:
    subsystem = rules.trust.subsystem(said.client)
    if subsystem is None or said.scheme not in subsystem.schemes:
        raise ExchangeError(PROOF_SCHEME_NOT_ALLOWED, f"{said.scheme} is not allowed for {said.client}")


def _same_party(claimed: Claimed, rules: Rules) -> None:
    """A TLS certificate of somebody else beside a signature: two parties speak at once, and neither is believed."""
    certificate = claimed.received.peer.certificate
    if certificate is None:
        return
    owner = rules.trust.tls_owner(certificate)
    if owner is not None and owner != claimed.claim.client:
        raise ExchangeError(KEY_OF_ANOTHER, "the TLS certificate belongs to another subsystem than the signature")


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


def _synthetic_head(said: Claim, body: Body) -> Head:
    fields: Fields = (("X-Road-Client", encode(said.client)),)
    if body.size:
        fields = (*fields, ("Content-Type", "application/json"))
    query = "" if said.query is None else f"?{said.query}"
    return Head(method=said.method, target=f"/r1/{encode(said.service)}{said.path}{query}", fields=fields)
