"""Documents that holders of roles sign: a JWS in general JSON serialisation (RFC 7515 §7.2.1), one payload.

Each protected header holds exactly ``alg``, ``kid`` (thumbprint of the signer's SubjectPublicKeyInfo, as the trust
list's roles have it) and ``typ``, which is another one for each use. Signatures by nobody in the trust list do not
count; a wrong signature in the name of someone who is refuses the document.
"""

import base64
import binascii
import hashlib
import unicodedata
from collections.abc import Iterable
from typing import Any

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from msgspec import Struct

from gateway.ledger.canonical import canonical
from gateway.model.errors import ExchangeError
from gateway.model.errors.erasure import ORDER_MALFORMED, ORDER_SIGNATURES
from gateway.model.instant import Instant
from gateway.signing.algorithms import PrivateKey, PublicKey
from gateway.trust.document import Role, thumbprint

MAX_BYTES = 4 * 1024 * 1024
"""A document larger than this is refused unread."""

_MAX_SIGNATURES = 16


class _Signature(Struct, frozen=True, forbid_unknown_fields=True):
    protected: str
    signature: str


class Signed(Struct, frozen=True, forbid_unknown_fields=True):
    """The JSON of a signed document. beside: what goes with it unsigned, bound to the payload by commitments."""

    payload: str
    signatures: list[_Signature]
    beside: list[Any] = []


class Endorsed(Struct, frozen=True, kw_only=True):
    """A document whose signatures were verified; only ``verify`` makes it.

    digest: SHA-256 of the payload, hex. signers: the roles that signed; a key listed under two roles is two of them.
    """

    payload: bytes
    digest: str
    signers: tuple[Role, ...]
    beside: tuple[Any, ...]


def sign(typ: str, payload: bytes, key: Any, beside: tuple[Any, ...] = ()) -> bytes:
    """The payload with one signature. key: a private key. Raises ExchangeError for one that makes no JWS."""
    signed = Signed(_text(payload), [_signature(typ, _text(payload), key)], list(beside))
    return msgspec.json.encode(signed) + b"\n"


def add_signature(typ: str, data: bytes, key: Any) -> bytes:
    """The same document with one more signature; an older one of the same key is replaced."""
    signed = parse(data)
    made = _signature(typ, signed.payload, key)
    kid = _header(made)["kid"]
    kept = [each for each in signed.signatures if _header(each).get("kid") != kid]
    return msgspec.json.encode(Signed(signed.payload, [*kept, made], signed.beside)) + b"\n"


def verify(typ: str, data: bytes, roles: tuple[Role, ...]) -> Endorsed:
    """Check the document's form and the signature of every signer that has a role. Whether they suffice is the
    caller's question. Raises ExchangeError: ORDER_MALFORMED, ORDER_SIGNATURES.
    """
    signed = parse(data)
    signers: list[Role] = []
    seen: set[str] = set()
    for each in signed.signatures:
        header = _header(each)
        if header.get("typ") != typ:
            raise ExchangeError(ORDER_MALFORMED, f"a signature's typ is not {typ}")
        if header.keys() != {"alg", "kid", "typ"} or not all(isinstance(value, str) for value in header.values()):
            raise ExchangeError(ORDER_MALFORMED, "a protected header holds exactly alg, kid and typ")
        if header["kid"] in seen:
            raise ExchangeError(ORDER_SIGNATURES, "one key has signed twice")
        seen.add(header["kid"])
        held = [role for role in roles if role.id == header["kid"]]
        if held:
            _check(each, signed.payload, held[0].key, header["alg"])
            signers += held
    payload = _bytes(signed.payload)
    digest = hashlib.sha256(payload).hexdigest()
    return Endorsed(payload=payload, digest=digest, signers=tuple(signers), beside=tuple(signed.beside))


def parse(data: bytes) -> Signed:
    """A signed document's parts, *unverified*. Raises ExchangeError(ORDER_MALFORMED), quoting nothing of it."""
    if len(data) > MAX_BYTES:
        raise ExchangeError(ORDER_MALFORMED, "larger than such a document may be")
    try:
        signed = msgspec.json.decode(data, type=Signed)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise ExchangeError(ORDER_MALFORMED, "not a JWS in general JSON serialisation") from None
    if not 0 < len(signed.signatures) <= _MAX_SIGNATURES:
        raise ExchangeError(ORDER_SIGNATURES, "no signature, or too many")
    return signed


def payload_of(data: bytes) -> bytes:
    """The payload, *unverified*. Raises ExchangeError(ORDER_MALFORMED)."""
    return _bytes(parse(data).payload)


def without_beside(data: bytes) -> bytes:
    """The document as it is kept: the same signatures over the same payload, nothing beside it."""
    signed = parse(data)
    return msgspec.json.encode(Signed(signed.payload, signed.signatures)) + b"\n"


def holding(roles: Iterable[Role], at: Instant) -> tuple[Role, ...]:
    """Those of a trust list's roles that hold at this time."""
    return tuple(role for role in roles if role.until is None or at <= role.until)


def same_person(one: Role, other: Role) -> bool:
    """Whether two entries of the trust list are one person's: one key, or one name however it is written.

    A name that only repeats the role's own says nothing of who it is, so then the keys alone tell.
    """
    if one.key == other.key:
        return True
    names = {_folded(each.name) for each in (one, other)}
    return len(names) == 1 and not names <= {"", *(_folded(each.role.value) for each in (one, other))}


def key_id(key: Any) -> str:
    """The thumbprint that a private key's public half has in the trust list."""
    return thumbprint(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _check(signature: _Signature, payload: str, der: bytes, algorithm: str) -> None:
    try:
        key = PublicKey(load_der_public_key(der), keyid=thumbprint(der))
    except (ValueError, UnsupportedAlgorithm):
        raise ExchangeError(ORDER_SIGNATURES, "a signer's key in the trust list makes no signatures") from None
    if algorithm != key.jws_algorithm:
        raise ExchangeError(ORDER_SIGNATURES, f"the signer {key.keyid} has a key for {key.jws_algorithm}")
    try:
        key.verify_jws(_bytes(signature.signature), f"{signature.protected}.{payload}".encode())
    except ExchangeError as error:
        raise ExchangeError(ORDER_SIGNATURES, f"the signature by {key.keyid} is wrong") from error


def _signature(typ: str, payload: str, key: Any) -> _Signature:
    try:
        signer = PrivateKey(key, keyid=key_id(key))
    except ValueError as error:
        raise ExchangeError(ORDER_SIGNATURES, f"this key signs nothing: {error}") from None
    protected = _text(canonical({"alg": signer.jws_algorithm, "kid": signer.keyid, "typ": typ}))
    return _Signature(protected, _text(signer.sign_jws(f"{protected}.{payload}".encode())))


def _header(signature: _Signature) -> dict[str, Any]:
    try:
        header = msgspec.json.decode(_bytes(signature.protected), type=dict[str, Any])
    except msgspec.MsgspecError:
        raise ExchangeError(ORDER_MALFORMED, "a protected header is not a JSON object") from None
    return header


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise ExchangeError(ORDER_MALFORMED, "not base64url") from None
    if _text(data) != text:
        raise ExchangeError(ORDER_MALFORMED, "not base64url without padding")
    return data
