"""A client's check of an answer that is signed with ``Motlan-JWS``."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from gateway.model.errors import ExchangeError
from gateway.model.errors.signature import (
    ANSWER_SIGNATURE_INVALID,
    ANSWER_UNSIGNED,
    DIGEST_MISMATCH,
    SIGNATURE_INVALID,
)
from gateway.model.instant import MICROSECONDS, Instant, from_seconds
from gateway.model.message import AnswerHead, Body
from gateway.signing.components import MemberTexts
from gateway.signing.digest import verify_content_digest
from gateway.signing.http_sig import MAX_LIFETIME, SKEW
from gateway.signing.http_sig_check import AnswerProof, GatewayProof, Keys
from gateway.signing.http_sig_cover import ANSWER_FIELDS
from gateway.signing.http_sig_sign import SentRequest
from gateway.signing.message_jws import FIELD
from gateway.signing.message_jws_sign import RESPONSE_TYP, request_sha256
from gateway.signing.message_jws_text import Compact, JwsTextError, parse_compact, parse_object

_ERRORS: Final = 400
_MAX_AGE: Final = MAX_LIFETIME * MICROSECONDS


class _Signed(Struct, frozen=True, forbid_unknown_fields=True):
    status: int
    digest: str
    headers: dict[str, str]


class _Claims(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    iat: Annotated[int, Meta(ge=0, lt=10**15)]
    request_jti: str | None = None
    request_sha256: str
    signed: _Signed


def verify_message_jws_response(
    answer: AnswerHead, body: Body, sent: SentRequest, *, keys: Keys, now: Instant
) -> AnswerProof:
    """Prove that a known gateway gave this answer, to this request, with this body.

    An error of the gateway (``X-Road-Error``, status from 400) may lack ``request_jti``, since the gateway may not have
    been able to read it; ``bound`` says so. Raises ExchangeError ANSWER_UNSIGNED if there is no fitting signature,
    ANSWER_SIGNATURE_INVALID if it does not verify.
    """
    values = answer.all(FIELD)
    if len(values) != 1:
        raise ExchangeError(ANSWER_UNSIGNED, "the answer has no Motlan-JWS, or several")
    try:
        compact = parse_compact(values[0].strip(" \t"), typ=RESPONSE_TYP)
        claims = msgspec.convert(parse_object(compact.payload), _Claims)
    except (JwsTextError, msgspec.ValidationError) as error:
        raise ExchangeError(ANSWER_UNSIGNED, str(error)[:200]) from None
    key = keys.get(compact.keyid)
    if key is None or key.jws_algorithm != compact.algorithm:
        raise ExchangeError(ANSWER_UNSIGNED, "not by a known key of the gateway with its algorithm")
    try:
        key.verify_jws(compact.signature, compact.base)
        bound = _check(claims, answer, sent, now)
        _check_body(answer, body, claims.signed.digest)
    except ExchangeError as error:
        kind = ANSWER_SIGNATURE_INVALID if error.kind in {SIGNATURE_INVALID, DIGEST_MISMATCH} else ANSWER_UNSIGNED
        raise ExchangeError(kind, error.detail, parts=error.parts) from error
    return AnswerProof(proof=_proof(compact, claims), bound=bound)


def _check(claims: _Claims, answer: AnswerHead, sent: SentRequest, now: Instant) -> bool:
    """That the claims are of now, of this answer and of this request. Returns whether the jti is stated too."""
    if not now - SKEW - _MAX_AGE <= claims.iat * MICROSECONDS <= now + SKEW:
        raise ExchangeError(ANSWER_UNSIGNED, "iat is not of now")
    request = sent.signed.members.signature
    if claims.request_sha256 != request_sha256(request):
        raise ExchangeError(SIGNATURE_INVALID, "the answer is to another request")
    is_error = answer.status >= _ERRORS and "x-road-error" in answer.index
    if claims.request_jti is None and not is_error:
        raise ExchangeError(ANSWER_UNSIGNED, "request_jti is missing")
    if claims.request_jti not in {None, _jti(sent)}:
        raise ExchangeError(SIGNATURE_INVALID, "the answer is to another request")
    stated = claims.signed
    if stated.status != answer.status:
        raise ExchangeError(SIGNATURE_INVALID, "status", parts=("@status",))
    lacking = tuple(name for name in ANSWER_FIELDS if name in answer.index and name not in stated.headers)
    if lacking:
        raise ExchangeError(ANSWER_UNSIGNED, f"not covered: {', '.join(lacking)}", parts=lacking)
    for name, value in stated.headers.items():
        if [found.strip(" \t") for found in answer.all(name)] != [value]:
            raise ExchangeError(SIGNATURE_INVALID, name, parts=(name,))
    return claims.request_jti is not None


def _jti(sent: SentRequest) -> object:
    base = sent.signed.base.decode("ascii")
    return parse_object(parse_compact(f"{base}.AA", typ="motlan-request+jwt").payload).get("jti")


def _check_body(answer: AnswerHead, body: Body, digest: str) -> None:
    """The digest that was signed is the body's, and so is the header's, where there is one."""
    verify_content_digest(AnswerHead(status=answer.status, fields=(("Content-Digest", digest),)), body)
    if "content-digest" in answer.index:
        verify_content_digest(answer, body)


def _proof(compact: Compact, claims: _Claims) -> GatewayProof:
    return GatewayProof(
        keyid=compact.keyid,
        algorithm=compact.algorithm,
        covered=("@status", "content-digest", *claims.signed.headers),
        created=from_seconds(claims.iat),
        base=compact.base,
        members=MemberTexts("", "", compact.text),
    )
