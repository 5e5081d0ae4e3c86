"""The way of a message, as types: each stage is made by one step only, and each step takes only the stage before it.

``Received → Claimed → Verified → Authorized → Recorded → Replied → Minimised → Sealed → AnswerRecorded``

Dispatch accepts only ``Recorded``, the socket only ``Released`` (an ``AnswerRecorded``, or a ``Refused`` that the
ledger has consumed): to forward or release something unverified or unlogged is a type error. Which module may build
which stage is kept by ``tests/architecture``.
"""

from typing import Any

from msgspec import UNSET, Struct, UnsetType

from gateway.model.decision import Decision
from gateway.model.envelope import Claim, Envelope, ProvedParts
from gateway.model.errors import ExchangeError
from gateway.model.ids import RecordId, SubsystemId
from gateway.model.instant import Instant
from gateway.model.message import AnswerHead, Body, Fields, Head
from gateway.model.outcomes import Outcome
from gateway.model.written import WrittenEnvelope


class Peer(Struct, frozen=True, kw_only=True):
    """Who is at the other end of the connection. certificate: the TLS client certificate's DER, if one was shown."""

    address: str
    certificate: bytes | None = None


class Received(Struct, frozen=True, kw_only=True):
    """Step 1, frame: a message whose limits, target and headers are sane.

    id: the record id it will have. public_url: the configured URL it was addressed to (scheme and authority).
    """

    id: RecordId
    at: Instant
    head: Head
    body: Body
    peer: Peer
    public_url: str


class Claimed(Struct, frozen=True, kw_only=True):
    """Step 2, claim: what it says of itself."""

    received: Received
    claim: Claim


class Direct(Struct, frozen=True, kw_only=True):
    """The caller's own signature, as verified.

    scheme: a ProofScheme's value. keyid: base64url SHA-256 of the signing certificate. label, signature_input: of RFC
    9421 its label and member in Signature-Input. signature: as received (RFC 9421: the member; JWS: the compact JWS;
    WS-Security: SignatureValue), to which the answer binds itself. base: the exact bytes signed. covered: what it
    covers. expires: until when its nonce must be remembered. nonce: what makes it usable once. attachments: SHA-256 of
    each attachment that it covers, by content id; compared with what arrived in step 4.
    """

    scheme: str
    keyid: str
    algorithm: str
    label: str = ""
    signature_input: str = ""
    signature: str
    base: bytes
    covered: tuple[str, ...]
    created: Instant
    expires: Instant
    nonce: str
    attachments: tuple[tuple[str, bytes], ...] = ()


class Hosted(Struct, frozen=True, kw_only=True):
    """The caller's TLS certificate, as verified; the gateway then signed in the caller's name with a key that it hosts.

    certificate: base64url SHA-256 of the TLS certificate. The rest as in ``Direct``, of the hosted key's signature.
    """

    certificate: str
    keyid: str
    algorithm: str
    label: str
    signature_input: str
    signature: str
    base: bytes
    covered: tuple[str, ...]


class Delegated(Struct, frozen=True, kw_only=True):
    """A call made inside, on behalf of a recorded request: prefill, delivery, events."""

    parent: RecordId


class Verified(Struct, frozen=True, kw_only=True):
    """Step 3, proof: who calls, and the parts that this proves."""

    claimed: Claimed
    client: SubsystemId
    proof: Direct | Hosted | Delegated
    parts: ProvedParts


class Authorized(Struct, frozen=True, kw_only=True):
    """Steps 4–6: fresh, opened, and allowed."""

    verified: Verified
    envelope: Envelope
    decision: Decision


class Recorded(Struct, frozen=True, kw_only=True):
    """Step 7, record: the request's record is durable; only now may it be forwarded. id: of that record."""

    authorized: Authorized
    id: RecordId

    @property
    def claim(self) -> Claim:
        """The claim, all of it proved by now."""
        return self.authorized.envelope.claim


class Reply(Struct, frozen=True, kw_only=True):
    """What a target answered, not yet judged.

    status, fields, body: to be passed on (fields: end-to-end headers only). document: the parsed content, where the
    adapter had to parse it (canonical data elements); UNSET means: parse ``body`` if needed. differing: names of the
    elements of a MISMATCH. provider_code: the provider's own code for a failure. retry_after: seconds.
    source_updated_at: when the source says the data was last changed. confidence: how sure the origin is. attached: a
    SOAP answer with its attachments, whole; ``body`` is then the element in its Body. evidence: of a translated call,
    both sides' digests and signatures at the provider's end, for the record.
    """

    outcome: Outcome
    status: int
    fields: Fields = ()
    body: Body
    document: Any | UnsetType = UNSET
    differing: tuple[str, ...] = ()
    provider_code: str | None = None
    retry_after: int | None = None
    source_updated_at: Instant | None = None
    confidence: str = "tls_source"
    attached: Body | None = None
    evidence: tuple[tuple[str, str], ...] = ()


class Replied(Struct, frozen=True, kw_only=True):
    """Steps 8–9, dispatch and judge: an answer whose size, schema, outcome and signature were checked."""

    recorded: Recorded
    reply: Reply
    at: Instant


class Minimised(Struct, frozen=True, kw_only=True):
    """Step 10: only granted fields stay. released: pointers of the elements that are in it; ``("*",)`` for all.
    persons: numbers of persons whose data is released (private fields of the record). fields: the provider's header
    fields that may leave. attached: the provider's attachments, where all is granted.
    """

    replied: Replied
    fields: Fields
    body: Body
    attached: Body | None = None
    document: Any | UnsetType = UNSET
    released: tuple[str, ...] = ()
    persons: tuple[str, ...] = ()


class Answer(Struct, frozen=True, kw_only=True):
    """An HTTP answer, head and body, ready for the wire once it is sealed and recorded. enveloped: its body is a SOAP
    envelope (or its first part is) whose own header takes the seal; else the head does. written: that envelope in
    pieces, where its codec has them.
    """

    head: AnswerHead
    body: Body
    enveloped: bool = False
    written: WrittenEnvelope | None = None


class Sealed(Struct, frozen=True, kw_only=True):
    """Step 11: signed and bound to the request; record_id was assigned in advance and stands in the signature.
    base, signature: what was signed, for the record (empty for a delegated call).
    """

    minimised: Minimised
    answer: Answer
    record_id: RecordId
    base: bytes = b""
    signature: bytes = b""


class AnswerRecorded(Struct, frozen=True, kw_only=True):
    """Step 12: the answer's record is durable; it may be released."""

    sealed: Sealed

    @property
    def answer(self) -> Answer:
        """What the socket sends."""
        return self.sealed.answer


class Refused(Struct, frozen=True, kw_only=True):
    """A refusal that the ledger has consumed: recorded (of a proved caller), or counted in the aggregate.

    record_id: of the refusal's record; None where only counted.
    """

    answer: Answer
    error: ExchangeError
    record_id: RecordId | None


Released = AnswerRecorded | Refused
"""All that a socket may be given."""
