"""Step 11, seal: the answer is signed, bound to the request, with its record's id in it."""

from collections.abc import Mapping

from gateway.exchange.dispatching import hash_of
from gateway.model.errors import ExchangeError
from gateway.model.ids import RecordId
from gateway.model.message import AnswerHead, Head
from gateway.model.stages import Answer, Delegated, Direct, Minimised, Sealed
from gateway.ports import Clock, Codec, Signer
from gateway.signing.components import MemberTexts
from gateway.signing.digest import content_digest
from gateway.signing.http_sig import parse_signature
from gateway.signing.http_sig_sign import Signed, members_of, sign_response
from gateway.signing.target import PublicUrl


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
        answer, signed = self._sign(unsealed, received.head, received.public_url, members_of(proof))
        return Sealed(
            minimised=minimised, answer=answer, record_id=record_id, base=signed.base, signature=signed.signature
        )

    def seal_refusal(
        self, refusal: Answer, head: Head, public_url: str | None, proof: Direct | None
    ) -> tuple[Answer, Signed]:
        """Sign an error of ours, bound to as much of the request as could be read."""
        caller = _readable(head) if proof is None else members_of(proof)
        return self._sign(refusal, head, public_url, caller)

    def _sign(
        self, unsealed: Answer, head: Head, public_url: str | None, caller: MemberTexts | None
    ) -> tuple[Answer, Signed]:
        url = self._default if public_url is None else self._public_urls[public_url]
        fields = (*unsealed.head.fields, ("Content-Digest", content_digest(unsealed.body)))
        bare = AnswerHead(status=unsealed.head.status, fields=fields)
        signed = sign_response(bare, head, public_url=url, caller=caller, key=self._key, now=self._clock.now())
        sealed = AnswerHead(status=bare.status, fields=(*fields, *signed.fields))
        return Answer(head=sealed, body=unsealed.body), signed


def _readable(head: Head) -> MemberTexts | None:
    try:
        return parse_signature(head).members
    except ExchangeError:
        return None
