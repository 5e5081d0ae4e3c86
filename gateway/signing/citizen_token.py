"""The citizen's own token in ``Motlan-Citizen``: a compact JWS (RFC 7515, RFC 7519) by an issuer that is pinned here.

It says who asks, for minutes, and once. Nothing in it chooses a key or an algorithm: ``iss`` names one of the pinned
issuers, whose keys have one algorithm each. What it says of the person is told to nobody: no error quotes it.
"""

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from gateway.model.errors import ExchangeError
from gateway.model.errors.citizen import CITIZEN_TOKEN_INVALID, CITIZEN_TOKEN_NEEDED
from gateway.model.ids import SubsystemId
from gateway.model.instant import Instant, from_seconds, plus
from gateway.model.message import Head
from gateway.model.numbers import parse_person_number
from gateway.signing.algorithms import PublicKey
from gateway.signing.http_sig import MAX_LIFETIME
from gateway.signing.message_jws_text import JwsTextError, from_base64url, parse_object

FIELD: Final = "motlan-citizen"
"""The header field, in lower case."""
TYP: Final = "motlan-citizen+jwt"

MAX_CHARACTERS: Final = 4096
"""A longer token is refused unread."""

SKEW: Final = 60.0
"""Seconds by which the issuer's clock may be off."""

_HEADER: Final = frozenset({"alg", "typ", "kid", "x5t#S256"})
_MAX_TIME: Final = 10**15

_Text = Annotated[str, Meta(min_length=1, max_length=255)]
_Seconds = Annotated[int, Meta(ge=0, lt=_MAX_TIME)]


class _Claims(Struct, frozen=True, kw_only=True):
    iss: _Text
    aud: _Text
    sub: _Text
    iat: _Seconds
    exp: _Seconds
    jti: Annotated[str, Meta(min_length=16, max_length=255)]
    nbf: _Seconds | None = None
    azp: _Text | None = None


class Issuer(Struct, frozen=True, kw_only=True):
    """Who may say who a citizen is. key: theirs. audience: what they call this gateway."""

    issuer: str
    key: PublicKey
    audience: str


class CitizenToken(Struct, frozen=True, kw_only=True):
    """A token that was verified; only ``verify_citizen`` makes it. number: the person's. expires: with the skew."""

    number: str
    issuer: str
    jti: str
    expires: Instant

    def __repr__(self) -> str:
        return "CitizenToken(…)"


def verify_citizen(head: Head, issuers: Sequence[Issuer], client: SubsystemId, at: Instant) -> CitizenToken:
    """Verify the token of a proved head. client: who calls; a token that names its portal (``azp``) is for that one.
    at: when the request came.

    Raises ExchangeError: CITIZEN_TOKEN_NEEDED where there is none, CITIZEN_TOKEN_INVALID with the name of what is wrong
    in ``parts``, never its value.
    """
    values = head.all(FIELD)
    if not values:
        raise ExchangeError(CITIZEN_TOKEN_NEEDED, parts=(FIELD,))
    if len(values) > 1:
        raise _wrong("form")
    text = values[0].strip(" \t")
    algorithm, payload, base, signature = _taken_apart(text)
    claims = _claims(payload)
    known = [each for each in issuers if each.issuer == claims.iss]
    if not known:
        raise _wrong("iss")
    matching = [each for each in known if each.key.jws_algorithm == algorithm]
    if not matching:
        raise _wrong("alg")
    signed = [each for each in matching if _is_by(each.key, signature, base)]
    if not signed:
        raise _wrong("signature")
    if all(claims.aud != each.audience for each in signed):
        raise _wrong("aud")
    _check_time(claims, at)
    if claims.azp is not None and claims.azp != str(client):
        raise _wrong("azp")
    try:
        parse_person_number(claims.sub)
    except ValueError:
        raise _wrong("sub") from None
    return CitizenToken(
        number=claims.sub, issuer=claims.iss, jti=claims.jti, expires=plus(from_seconds(claims.exp), SKEW)
    )


def _taken_apart(text: str) -> tuple[str, bytes, bytes, bytes]:
    """``alg``, payload, signing input and signature."""
    parts = text.split(".")
    if len(text) > MAX_CHARACTERS or len(parts) != 3:  # noqa: PLR2004 - header, payload, signature
        raise _wrong("form")
    try:
        header = parse_object(from_base64url(parts[0]))
        payload, signature = from_base64url(parts[1]), from_base64url(parts[2])
        parse_object(payload)  # refuses names given twice, which two parsers could read differently
    except JwsTextError:
        raise _wrong("form") from None
    if header.get("typ") != TYP:
        raise _wrong("typ")
    if header.keys() - _HEADER or not isinstance(header.get("alg"), str):
        raise _wrong("header")
    return header["alg"], payload, f"{parts[0]}.{parts[1]}".encode("ascii"), signature


def _claims(payload: bytes) -> _Claims:
    try:
        return msgspec.json.decode(payload, type=_Claims)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise _wrong("claims") from None


def _is_by(key: PublicKey, signature: bytes, base: bytes) -> bool:
    try:
        key.verify_jws(signature, base)
    except ExchangeError:
        return False
    return True


def _check_time(claims: _Claims, at: Instant) -> None:
    if claims.exp <= claims.iat or claims.exp - claims.iat > MAX_LIFETIME:
        raise _wrong("exp")
    if plus(from_seconds(claims.exp), SKEW) < at:
        raise _wrong("exp")
    for name, begins in (("iat", claims.iat), ("nbf", claims.nbf)):
        if begins is not None and plus(from_seconds(begins), -SKEW) > at:
            raise _wrong(name)


def _wrong(what: str) -> ExchangeError:
    return ExchangeError(CITIZEN_TOKEN_INVALID, what, parts=(what,))
