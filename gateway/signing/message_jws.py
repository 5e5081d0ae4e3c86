"""The caller's ``Motlan-JWS`` on a request (protocols.md §2, "REST alternative: JWS").

For stacks that have JOSE but no RFC 9421: a compact JWS (RFC 7515) that states what was sent. As with RFC 9421 in two
steps: ``parse_message_jws`` says which key claims to have signed, ``verify_message_jws`` proves it.

Verified is, in this order, everything that costs little first:

1. the form: one header field, ``typ`` ``motlan-request+jwt``, nothing in the protected header but what must be there
2. the claims: iss, aud, iat, exp, jti and signed, of the right types, and no others (``nbf`` may be there)
3. it is of this time: iat ≤ now, exp ≥ now, each ± 60 s, and at most 300 s between them
4. the algorithm is the key's own; iss is the client, aud the service
5. ``signed`` states the minimum that an RFC 9421 signature covers, and states it as the message is
6. the signature

The body's digest is checked separately: ``verify_content_digest(digested(head, proof), body)``.
"""

import re
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from gateway.model.envelope import ProofScheme
from gateway.model.errors import ExchangeError
from gateway.model.errors.jws import JWS_CLAIM, JWS_MALFORMED, JWS_MISMATCH
from gateway.model.errors.request import DUPLICATE_HEADER
from gateway.model.errors.signature import (
    HEADER_UNSIGNABLE,
    SIGNATURE_ALGORITHM,
    SIGNATURE_COMPONENT_ABSENT,
    SIGNATURE_COVER_INCOMPLETE,
    SIGNATURE_EXPIRED,
    SIGNATURE_INVALID,
    SIGNATURE_MISSING,
    SIGNATURE_NOT_YET_VALID,
)
from gateway.model.ids import ServiceId, SubsystemId, parse_service, parse_subsystem
from gateway.model.instant import MICROSECONDS, Instant, from_seconds
from gateway.model.message import Head
from gateway.model.stages import Direct
from gateway.signing.algorithms import PublicKey
from gateway.signing.components import is_signable
from gateway.signing.http_sig import JWS_NONCE, MAX_LIFETIME, SKEW
from gateway.signing.http_sig_cover import missing_in_request
from gateway.signing.message_jws_text import Compact, JwsTextError, parse_compact, parse_object, reason
from gateway.signing.target import PublicUrl

REQUEST_TYP: Final = "motlan-request+jwt"
FIELD: Final = "motlan-jws"
"""The header field, in requests and answers."""

_NAME: Final = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]{1,128}")
_MAX_HEADERS: Final = 64
_MAX_TIME: Final = 10**15

_Text = Annotated[str, Meta(min_length=1, max_length=1024)]
_Seconds = Annotated[int, Meta(ge=0, lt=_MAX_TIME)]


class Signed(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The claim ``signed``: the request as its caller sent it.

    target: as ``@target-uri``. digest: in Content-Digest's syntax, of the body. headers: lower-case names.
    """

    method: _Text
    target: Annotated[str, Meta(min_length=1, max_length=8192)]
    digest: _Text | None = None
    headers: Annotated[dict[str, str], Meta(max_length=_MAX_HEADERS)]


class _Claims(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    iss: _Text
    aud: _Text | Annotated[list[_Text], Meta(min_length=1, max_length=1)]
    iat: _Seconds
    exp: _Seconds
    nbf: _Seconds | None = None
    jti: Annotated[str, Meta(min_length=16, max_length=256)]
    signed: Signed


class MessageJws(Struct, frozen=True, kw_only=True):
    """A request's JWS as the message states it; untrusted. issuer, audience: as written. created, expires: seconds."""

    compact: Compact
    issuer: str
    audience: str
    created: int
    expires: int
    not_before: int
    jti: str
    signed: Signed

    @property
    def keyid(self) -> str:
        """``x5t#S256``: base64url SHA-256 of the signing certificate."""
        return self.compact.keyid

    @property
    def algorithm(self) -> str:
        """``alg``, as claimed."""
        return self.compact.algorithm


def parse_message_jws(head: Head) -> MessageJws:
    """Read the caller's JWS. Raises ExchangeError SIGNATURE_MISSING, DUPLICATE_HEADER, JWS_MALFORMED or JWS_CLAIM."""
    values = head.all(FIELD)
    if not values:
        raise ExchangeError(SIGNATURE_MISSING, "Motlan-JWS is absent")
    if len(values) != 1:
        raise ExchangeError(DUPLICATE_HEADER, FIELD, parts=(FIELD,))
    try:
        compact = parse_compact(values[0].strip(" \t"), typ=REQUEST_TYP)
        parse_object(compact.payload)  # strictly: no member twice, no NaN
    except JwsTextError as error:
        raise reason(JWS_MALFORMED, error) from None
    return _stated(compact, _claims(compact.payload))


def _claims(payload: bytes) -> _Claims:
    try:
        claims = msgspec.json.decode(payload, type=_Claims)
    except msgspec.DecodeError as error:  # ValidationError is one too
        raise reason(JWS_CLAIM, error) from None
    if not (claims.jti.isascii() and claims.jti.isprintable()):
        raise ExchangeError(JWS_CLAIM, "jti is not printable ASCII", parts=("jti",))
    if not all(_NAME.fullmatch(name) for name in claims.signed.headers):
        raise ExchangeError(JWS_CLAIM, "signed.headers names fields in lower case", parts=("signed.headers",))
    return claims


def _stated(compact: Compact, claims: _Claims) -> MessageJws:
    return MessageJws(
        compact=compact,
        issuer=claims.iss,
        audience=claims.aud if isinstance(claims.aud, str) else claims.aud[0],
        created=claims.iat,
        expires=claims.exp,
        not_before=claims.iat if claims.nbf is None else claims.nbf,
        jti=claims.jti,
        signed=claims.signed,
    )


def verify_message_jws(
    head: Head,
    parsed: MessageJws,
    key: PublicKey,
    *,
    client: SubsystemId,
    service: ServiceId,
    public_url: PublicUrl,
    has_body: bool,
    now: Instant,
) -> Direct:
    """Prove that ``key`` signed this request, that it signed enough of it, now, as this client to this service.

    key: the trust list's for ``parsed.keyid``; its owner is for the caller of this to compare with ``client``. client,
    service: what the message claims. public_url: the configured one that it was sent to. has_body: whether it has
    content. Raises ExchangeError: JWS_CLAIM, JWS_MISMATCH, SIGNATURE_*, HEADER_UNSIGNABLE or DUPLICATE_HEADER, with the
    names of what is wrong as ``parts``.
    """
    _check_time(parsed, now)
    if parsed.keyid != key.keyid:
        raise ExchangeError(SIGNATURE_INVALID, "x5t#S256 names another key")
    if parsed.algorithm != key.jws_algorithm:
        raise ExchangeError(SIGNATURE_ALGORITHM, f"the key's alg is {key.jws_algorithm}")
    _check_parties(parsed, client, service)
    covered = _covered(parsed.signed)
    missing = missing_in_request(frozenset(covered), head, has_body=has_body)
    if missing:
        raise ExchangeError(SIGNATURE_COVER_INCOMPLETE, f"signed lacks: {', '.join(missing)}", parts=missing)
    _check_same(head, parsed.signed, public_url)
    return _prove(parsed, key, covered)


def _prove(parsed: MessageJws, key: PublicKey, covered: tuple[str, ...]) -> Direct:
    compact = parsed.compact
    key.verify_jws(compact.signature, compact.base)
    return Direct(
        scheme=ProofScheme.JWS,
        keyid=compact.keyid,
        algorithm=compact.algorithm,
        signature=compact.text,
        base=compact.base,
        covered=covered,
        created=from_seconds(parsed.created),
        expires=from_seconds(parsed.expires),
        nonce=JWS_NONCE + parsed.jti,
    )


def _check_time(parsed: MessageJws, now: Instant) -> None:
    if not 0 < parsed.expires - parsed.created <= MAX_LIFETIME:
        raise ExchangeError(JWS_CLAIM, f"exp must be 1 to {MAX_LIFETIME} s after iat", parts=("exp",))
    if max(parsed.created, parsed.not_before) * MICROSECONDS > now + SKEW:
        raise ExchangeError(SIGNATURE_NOT_YET_VALID)
    if parsed.expires * MICROSECONDS < now - SKEW:
        raise ExchangeError(SIGNATURE_EXPIRED)


def _check_parties(parsed: MessageJws, client: SubsystemId, service: ServiceId) -> None:
    try:
        issuer, audience = parse_subsystem(parsed.issuer), parse_service(parsed.audience)
    except ValueError as error:
        raise ExchangeError(JWS_CLAIM, f"iss, aud: {error}", parts=("iss", "aud")) from None
    if issuer != client:
        raise ExchangeError(JWS_MISMATCH, "iss is not X-Road-Client", parts=("iss",))
    if audience != service:
        raise ExchangeError(JWS_MISMATCH, "aud is not the service that is called", parts=("aud",))


def _covered(signed: Signed) -> tuple[str, ...]:
    names = ["@method", "@target-uri"]
    if signed.digest is not None and "content-digest" not in signed.headers:
        names.append("content-digest")
    return (*names, *signed.headers)


def _check_same(head: Head, signed: Signed, public_url: PublicUrl) -> None:
    if signed.method != head.method:
        raise ExchangeError(JWS_MISMATCH, "signed.method", parts=("@method",))
    if signed.target != public_url.origin + head.target:
        raise ExchangeError(JWS_MISMATCH, "signed.target", parts=("@target-uri",))
    if signed.digest is not None and "content-digest" in head.index:
        _check_field(head, "content-digest", signed.digest)
    for name, value in signed.headers.items():
        _check_field(head, name, value)


def _check_field(head: Head, name: str, stated: str) -> None:
    values = head.index.get(name)
    if values is None:
        raise ExchangeError(SIGNATURE_COMPONENT_ABSENT, name, parts=(name,))
    if len(values) != 1:  # another reader may take the other one (RFC 9421 §7.5.7)
        raise ExchangeError(DUPLICATE_HEADER, name, parts=(name,))
    value = values[0].strip(" \t")
    if value != stated:
        raise ExchangeError(JWS_MISMATCH, f"signed.headers: {name}", parts=(name,))
    if not is_signable(value):
        raise ExchangeError(HEADER_UNSIGNABLE, name, parts=(name,))


class _Digest(Struct, frozen=True):
    digest: str | None = None


class _WithDigest(Struct, frozen=True):
    signed: _Digest


def digested(head: Head, proof: Direct) -> Head:
    """The head to check the body's digest by: where a JWS states the digest and no Content-Digest was sent, with it.

    head: what is proved. proof: its proof, of any scheme; only a JWS changes anything.
    """
    if proof.scheme != ProofScheme.JWS or "content-digest" in head.index:
        return head
    payload = parse_compact(proof.signature, typ=REQUEST_TYP).payload
    digest = msgspec.json.decode(payload, type=_WithDigest).signed.digest
    if digest is None:
        return head
    return Head(method=head.method, target=head.target, fields=(*head.fields, ("Content-Digest", digest)))
