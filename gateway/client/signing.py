"""The two ways in which a client signs a REST request, and how it proves the answer."""

import secrets
from enum import StrEnum

from gateway.model.envelope import ProofScheme
from gateway.model.ids import ServiceId, SubsystemId
from gateway.model.instant import Instant
from gateway.model.message import AnswerHead, Body
from gateway.ports import Outbound, Signer
from gateway.signing.http_sig_check import AnswerProof, Keys, verify_response
from gateway.signing.http_sig_sign import SentRequest, sign_request
from gateway.signing.message_jws import FIELD
from gateway.signing.message_jws_check import verify_message_jws_response
from gateway.signing.message_jws_sign import sign_message_jws

_NONCE_BYTES = 24


class Scheme(StrEnum):
    """How a client signs."""

    HTTP_SIGNATURE = ProofScheme.HTTP_SIGNATURE.value
    """RFC 9421 (docs/signing.md)."""
    JWS = ProofScheme.JWS.value
    """``Motlan-JWS``."""


def sign(
    plain: Outbound, scheme: Scheme, *, client: SubsystemId, service: ServiceId | None, key: Signer, now: Instant
) -> SentRequest:
    """Sign a request in the client's name. Raises ExchangeError, and ValueError for a JWS that names no service."""
    once = secrets.token_urlsafe(_NONCE_BYTES)
    if scheme is Scheme.HTTP_SIGNATURE:
        return sign_request(plain, key=key, now=now, nonce=once)
    if service is None:
        raise ValueError("a JWS names the service that it is for: say which one is behind the gateway's own path")
    return sign_message_jws(plain, client=client, service=service, key=key, now=now, jti=once)


def verify(answer: AnswerHead, body: Body, sent: SentRequest, *, keys: Keys, now: Instant) -> AnswerProof:
    """Prove an answer: signed as the request was, or, where the gateway could not read that, as RFC 9421 has it.

    Raises ExchangeError ANSWER_UNSIGNED or ANSWER_SIGNATURE_INVALID.
    """
    if FIELD in sent.head.index and FIELD in answer.index:
        return verify_message_jws_response(answer, body, sent, keys=keys, now=now)
    return verify_response(answer, body, sent, keys=keys, now=now)
