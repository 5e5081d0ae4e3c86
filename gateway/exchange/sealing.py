"""Step 11, seal: the answer is signed, bound to the request, with its record's id in it.

In the way that the caller speaks: RFC 9421 or JWS in the head, for a SOAP envelope WS-Security in its own header.
"""

from collections.abc import Mapping
from functools import partial

from msgspec import Struct

from gateway.exchange.dispatching import hash_of
from gateway.exchange.judging import ProviderFailedError
from gateway.model.envelope import ProofScheme
from gateway.model.errors import ExchangeError
from gateway.model.errors.provider import INVALID_REPLY
from gateway.model.ids import RecordId
from gateway.model.message import AnswerHead, Body, Head
from gateway.model.outcomes import Outcome
from gateway.model.stages import Answer, Delegated, Direct, Hosted, Minimised, Sealed
from gateway.ports import Clock, Codec, Signer
from gateway.signing.components import MemberTexts
from gateway.signing.digest import content_digest
from gateway.signing.http_sig import parse_signature
from gateway.signing.http_sig_sign import members_of, sign_response
from gateway.signing.message_jws_sign import sign_message_jws_response
from gateway.signing.target import PublicUrl
from gateway.signing.wsse_sign import sign_read
from gateway.signing.wsse_template import SignedEnvelope, Terms
from gateway.signing.wsse_written import sign

JWS_FIELD = "Motlan-JWS"


class Seal(Struct, frozen=True, kw_only=True):
    """An answer with the gateway's signature. base, signature: what was signed, for the record."""

    answer: Answer
    base: bytes
    signature: bytes


class Sealer:
    """Signs answers with the gateway's key. public_urls: origin → the URL of ours that it stands for."""

    def __init__(self, key: Signer, clock: Clock, public_urls: Mapping[str, PublicUrl]) -> None:
        self._key = key
        self._clock = clock
        self._public_urls = public_urls
        self._default = next(iter(public_urls.values()))

    def seal(self, minimised: Minimised, codec: Codec, record_id: RecordId) -> Sealed:
        """(11) Sign an answer. One to a call made inside leaves no process and is not signed."""
        recorded = minimised.replied.recorded
        verified = recorded.authorized.verified
        proof = verified.proof
        if isinstance(proof, Delegated):
            answer = Answer(head=AnswerHead(status=minimised.replied.reply.status, fields=()), body=minimised.body)
            return Sealed(minimised=minimised, answer=answer, record_id=record_id)
        received = verified.claimed.received
        unsealed = codec.answer(minimised, record_id, hash_of(recorded))
        if unsealed.enveloped:
            try:
                seal = self._in_envelope(unsealed, codec, proof, apart=True)
            except ExchangeError as error:  # what cannot be signed came from the provider: a Security header of its own
                detail = f"the answer cannot be signed: {error.kind.code}"
                raise ProviderFailedError(INVALID_REPLY, Outcome.INVALID_REPLY, detail) from error
        else:
            seal = self._in_head(unsealed, received.head, received.public_url, proof)
        return Sealed(
            minimised=minimised, answer=seal.answer, record_id=record_id, base=seal.base, signature=seal.signature
        )

    def seal_refusal(
        self, refusal: Answer, codec: Codec, head: Head, public_url: str | None, proof: Direct | Hosted | None
    ) -> Seal:
        """Sign an error of ours, bound to as much of the request as could be read."""
        if refusal.enveloped:
            return self._in_envelope(refusal, codec, proof)
        return self._in_head(refusal, head, public_url, proof)

    def _in_envelope(
        self, unsealed: Answer, codec: Codec, proof: Direct | Hosted | None, *, apart: bool = False
    ) -> Seal:
        """WS-Security: the envelope names what it confirms, and covers its attachments.

        apart: where it must be read for that, nothing of it may be left behind, since it holds a provider's names.
        """
        wsse = isinstance(proof, Direct) and proof.scheme == ProofScheme.WS_SECURITY
        body = unsealed.body
        root = body.root
        assert root is not None  # codecs write envelopes in memory
        terms = Terms(
            key=self._key,
            now=self._clock.now(),
            confirms=proof.signature if proof is not None and wsse else None,
            attachments=body.parts[1:],
        )
        read = partial(_read_apart, codec) if apart else sign_read
        signed = sign(unsealed.written or root, terms, read)
        if body.parts:
            answer = codec.with_root(unsealed, signed.envelope)
        else:
            answer = Answer(head=unsealed.head, body=Body(signed.envelope), enveloped=True)
        return Seal(answer=answer, base=signed.base, signature=signed.signature)

    def _in_head(self, unsealed: Answer, head: Head, public_url: str | None, proof: Direct | Hosted | None) -> Seal:
        fields = (*unsealed.head.fields, ("Content-Digest", content_digest(unsealed.body)))
        bare = AnswerHead(status=unsealed.head.status, fields=fields)
        request = _jws_of(head, proof)
        if request is not None:
            made = sign_message_jws_response(bare, unsealed.body, request=request, key=self._key, now=self._clock.now())
            sealed = AnswerHead(status=bare.status, fields=(*fields, (JWS_FIELD, made.value)))
            answer = Answer(head=sealed, body=unsealed.body)
            return Seal(answer=answer, base=made.base, signature=made.signature)
        url = self._default if public_url is None else self._public_urls[public_url]
        caller = _binding(head, proof)
        signed = sign_response(bare, head, public_url=url, caller=caller, key=self._key, now=self._clock.now())
        sealed = AnswerHead(status=bare.status, fields=(*fields, *signed.fields))
        return Seal(answer=Answer(head=sealed, body=unsealed.body), base=signed.base, signature=signed.signature)


def _read_apart(codec: Codec, envelope: bytes, terms: Terms) -> SignedEnvelope:
    return codec.apart(lambda: sign_read(envelope, terms))


def _jws_of(head: Head, proof: Direct | Hosted | None) -> Direct | str | None:
    """The caller's JWS, where it speaks that: proved, or as it stands in a request that is refused."""
    if proof is None:
        return head.get(JWS_FIELD.lower()) if not head.all("signature-input") else None
    return proof if isinstance(proof, Direct) and proof.scheme == ProofScheme.JWS else None


def _binding(head: Head, proof: Direct | Hosted | None) -> MemberTexts | None:
    """The caller's own signature, where there is one that can be read."""
    if isinstance(proof, Direct):
        return members_of(proof) if proof.scheme == ProofScheme.HTTP_SIGNATURE else None
    if proof is not None:
        return None
    try:
        return parse_signature(head).members
    except ExchangeError:
        return None
