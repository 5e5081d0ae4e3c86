"""Making ``Motlan-JWS``: a caller's over its request, the gateway's over an answer. Time, jti and key are arguments."""

from hashlib import sha256
from typing import Any, Final, NamedTuple

import msgspec

from gateway.model.errors import ExchangeError
from gateway.model.errors.request import DUPLICATE_HEADER
from gateway.model.errors.signature import ANSWER_UNSIGNABLE, HEADER_UNSIGNABLE
from gateway.model.ids import ServiceId, SubsystemId, encode
from gateway.model.instant import Instant, to_seconds
from gateway.model.message import AnswerHead, Body, Head
from gateway.model.stages import Direct
from gateway.ports import Outbound, Signer
from gateway.signing.components import MemberTexts, is_signable
from gateway.signing.digest import content_digest
from gateway.signing.http_sig import JWS_NONCE, MAX_LIFETIME
from gateway.signing.http_sig_cover import ANSWER_FIELDS, REQUEST_FIELDS
from gateway.signing.http_sig_sign import DEFAULT_LIFETIME, SentRequest, Signed
from gateway.signing.message_jws import REQUEST_TYP
from gateway.signing.message_jws_text import (
    Compact,
    JwsTextError,
    base64url,
    parse_compact,
    parse_object,
    write_compact,
)
from gateway.signing.target import PublicUrl, split_url

RESPONSE_TYP: Final = "motlan-response+jwt"
FIELD_NAME: Final = "Motlan-JWS"


class JwsAnswer(NamedTuple):
    """A signed answer. value: of its ``Motlan-JWS`` field. base: the exact bytes signed. signature: raw."""

    value: str
    base: bytes
    signature: bytes


def sent_with(head: Head, url: PublicUrl, compact: Compact) -> SentRequest:
    """A request as it goes on the wire with this JWS."""
    fields = ((FIELD_NAME, compact.text),)
    signed = Signed(
        fields=fields, base=compact.base, signature=compact.signature, members=MemberTexts("", "", compact.text)
    )
    whole = Head(method=head.method, target=head.target, fields=(*head.fields, *fields))
    return SentRequest(head=whole, url=url, signed=signed)


def sign_message_jws(
    outbound: Outbound,
    *,
    client: SubsystemId,
    service: ServiceId,
    key: Signer,
    now: Instant,
    jti: str,
    lifetime: int = DEFAULT_LIFETIME,
) -> SentRequest:
    """Sign a request as a caller, with JOSE alone.

    outbound: the request with all its fields; a body's Content-Digest is added if it has none. service: what is
    called, also behind one of the gateway's own paths. jti: 16 to 256 unpredictable characters, new each time.
    lifetime: seconds, at most 300. Raises ValueError for a lifetime or jti out of range, ExchangeError if a field
    cannot be signed.
    """
    if not 0 < lifetime <= MAX_LIFETIME or not 16 <= len(jti) <= 256:  # noqa: PLR2004 - protocols.md §2
        raise ValueError("the lifetime is 1 to 300 seconds, the jti 16 to 256 characters")
    url, target = split_url(outbound.url)
    head = Head(method=outbound.method, target=target, fields=outbound.fields)
    if outbound.body.size and "content-digest" not in head.index:
        fields = (*outbound.fields, ("Content-Digest", content_digest(outbound.body)))
        head = Head(method=outbound.method, target=target, fields=fields)
    signed: dict[str, Any] = {"method": head.method, "target": url.origin + head.target}
    if "content-digest" in head.index:
        signed["digest"] = _value(head, "content-digest")
    signed["headers"] = {name: _value(head, name) for name in REQUEST_FIELDS if name in head.index}
    issued = to_seconds(now)
    claims = {"iss": encode(client), "aud": encode(service), "iat": issued, "exp": issued + lifetime, "jti": jti}
    return sent_with(head, url, write_compact(_json({**claims, "signed": signed}), typ=REQUEST_TYP, key=key))


def sign_message_jws_response(
    answer: AnswerHead, body: Body, *, request: Direct | str, key: Signer, now: Instant
) -> JwsAnswer:
    """Sign an answer, bound to its request (protocols.md §2, "REST alternative").

    answer: with all its fields. request: the proof, or of a request that is refused before its proof the value of its
    ``Motlan-JWS``, whatever it is. Raises ExchangeError ANSWER_UNSIGNABLE if a covered field of the answer occurs twice
    or is not printable ASCII.
    """
    text, jti = (request, _jti(request)) if isinstance(request, str) else (request.signature, _nonce(request))
    try:
        headers = {name: _value(answer, name) for name in ANSWER_FIELDS if name in answer.index}
    except ExchangeError as error:
        raise ExchangeError(ANSWER_UNSIGNABLE, error.detail, parts=error.parts) from error
    claims: dict[str, Any] = {"iat": to_seconds(now)}
    if jti is not None:
        claims["request_jti"] = jti
    claims["request_sha256"] = request_sha256(text)
    claims["signed"] = {"status": answer.status, "digest": content_digest(body), "headers": headers}
    compact = write_compact(_json(claims), typ=RESPONSE_TYP, key=key)
    return JwsAnswer(value=compact.text, base=compact.base, signature=compact.signature)


def request_sha256(compact: str) -> str:
    """What binds an answer to its request: base64url, without padding, of the SHA-256 of the compact JWS."""
    return base64url(sha256(compact.encode("latin-1")).digest())


def _nonce(proof: Direct) -> str:
    return proof.nonce.removeprefix(JWS_NONCE)


def _jti(text: str) -> str | None:
    """The ``jti`` of a request that nobody has verified; None where there is none to be read."""
    try:
        jti = parse_object(parse_compact(text, typ=REQUEST_TYP).payload).get("jti")
    except JwsTextError:
        return None
    return jti if isinstance(jti, str) and len(jti) <= 256 and jti.isascii() else None  # noqa: PLR2004 - protocols.md


def _value(head: Head | AnswerHead, name: str) -> str:
    values = head.index[name]
    if len(values) != 1:
        raise ExchangeError(DUPLICATE_HEADER, name, parts=(name,))
    if not is_signable(values[0]):
        raise ExchangeError(HEADER_UNSIGNABLE, name, parts=(name,))
    return values[0].strip(" \t")


def _json(claims: dict[str, Any]) -> bytes:
    return msgspec.json.encode(claims)
