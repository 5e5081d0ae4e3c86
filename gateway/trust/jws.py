"""The trust list's signatures: a JWS in general JSON serialisation (RFC 7515 §7.2.1), one payload, several signatures.

Each signature's protected header holds exactly ``alg``, ``kid`` (thumbprint of the signer's SubjectPublicKeyInfo) and
``typ`` = ``motlan-trust+jwt``; there is no unprotected header. The *serial* and *digest* of a list are those of its
payload: a further signature on the same payload makes no new list.

Who must sign: as many of the signers *in force* as they require. In force are the signers that the last accepted list
states, or, before the first one and whenever the operator has changed the configuration since, the pinned ones. A list
that states other signers than those in force (a signer change) needs the signatures that these new ones require too.
Signatures by anyone else do not count; a wrong signature in a counted signer's name refuses the list.
"""

import hashlib
from typing import Any, cast

import jwt
import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from msgspec import Struct

from gateway.model.errors import ExchangeError
from gateway.model.errors.trust import (
    TRUST_LIST_EXPIRED,
    TRUST_LIST_FORKED,
    TRUST_LIST_INVALID,
    TRUST_LIST_REPLAYED,
    TRUST_LIST_SIGNERS,
)
from gateway.model.instant import Instant, plus
from gateway.trust.document import Signers, TrustList, thumbprint
from gateway.trust.wire import decode

TYP = "motlan-trust+jwt"
"""The ``typ`` of every signature on a trust list; no other use of JWS in the product has it."""

MAX_BYTES = 32 * 1024 * 1024
"""A list larger than this is refused unread."""

CLOCK_SKEW = 60.0
"""Seconds by which ``issued`` may lie ahead of our clock."""

SigningKey = EllipticCurvePrivateKey | Ed25519PrivateKey | RSAPrivateKey
"""Private keys that may sign a list."""

_VerifyingKey = EllipticCurvePublicKey | Ed25519PublicKey | RSAPublicKey
_MAX_SIGNATURES = 64
_MIN_RSA_BITS = 2048
_JWS = jwt.PyJWS(algorithms=["ES256", "ES384", "EdDSA", "PS256"])


class _Signature(Struct, frozen=True, forbid_unknown_fields=True):
    protected: str
    signature: str


class _General(Struct, frozen=True, forbid_unknown_fields=True):
    payload: str
    signatures: list[_Signature]


class LastSeen(Struct, frozen=True, kw_only=True):
    """What must be remembered of the list in force, recorded before it is used.

    digest: SHA-256 of its payload, hex. signers: those it states. pinned: digest of the configured signers at that
    time, so that a change of configuration is noticed.
    """

    serial: int
    digest: str
    signers: Signers
    pinned: str


class VerifiedList(Struct, frozen=True, kw_only=True):
    """A trust list that its signers signed and that may follow the last one; only ``verify`` makes it.

    data: the whole JWS as read, to be kept. digest: SHA-256 of the payload, hex. signed_by: ids of the signers whose
    signatures were verified.
    """

    document: TrustList
    data: bytes
    digest: str
    signed_by: tuple[str, ...]
    last_seen: LastSeen


def sign(payload: bytes, keys: list[SigningKey]) -> bytes:
    """A list's payload with the signature of each key: a JWS in general JSON serialisation.

    Raises ExchangeError(TRUST_LIST_INVALID) if the payload is no trust list, ValueError for a key that cannot sign.
    """
    decode(payload)
    signatures = [_one_signature(payload, key) for key in keys]
    encoded = signatures[0][1] if signatures else ""
    return msgspec.json.encode(_General(encoded, [signature for signature, _ in signatures])) + b"\n"


def add_signature(data: bytes, key: SigningKey) -> bytes:
    """The same list with one more signature, over the same payload bytes. An older one of the same key is replaced."""
    general = _parse(data)
    payload = payload_of(data)
    decode(payload)
    signature, encoded = _one_signature(payload, key)
    kid = thumbprint(_public_der(key))
    kept = [other for other in general.signatures if _header(other).get("kid") != kid]
    return msgspec.json.encode(_General(encoded, [*kept, signature])) + b"\n"


def payload_of(data: bytes) -> bytes:
    """The payload of a signed list, *unverified*. Raises ExchangeError(TRUST_LIST_INVALID)."""
    try:
        return jwt.utils.base64url_decode(_parse(data).payload)
    except ValueError:
        raise ExchangeError(TRUST_LIST_INVALID, "the payload is not base64url") from None


def verify(data: bytes, *, pinned: Signers, last_seen: LastSeen | None, now: Instant) -> VerifiedList:
    """Check a signed list against the signers in force and against the last list seen.

    data: the JWS's bytes. pinned: the configured signers. last_seen: of the list in force; None only if there never was
    one. Raises ExchangeError with one of the TRUST_LIST kinds.
    """
    # (1) The form: a general JWS whose every protected header says that it signs a trust list, and how.
    if len(data) > MAX_BYTES:
        raise ExchangeError(TRUST_LIST_INVALID, "larger than a trust list may be")
    general = _parse(data)
    by_kid = _signatures_by_kid(general)

    # (2) The signers in force, before a word of the payload is believed.
    in_force = _in_force(pinned, last_seen)
    signed_by = _count(general, by_kid, in_force, "in force")

    # (3) What it says; and, where it names other signers, that these have signed it too.
    payload = payload_of(data)
    document = decode(payload)
    if document.signers.digest != in_force.digest:
        signed_by |= _count(general, by_kid, document.signers, "stated by this list")

    # (4) Its time, and its place in the line of lists.
    digest = hashlib.sha256(payload).hexdigest()
    _check_time(document, now)
    _check_succession(document.serial, digest, last_seen)
    remembered = LastSeen(serial=document.serial, digest=digest, signers=document.signers, pinned=pinned.digest)
    return VerifiedList(
        document=document, data=data, digest=digest, signed_by=tuple(sorted(signed_by)), last_seen=remembered
    )


def signer_key(key: SigningKey | _VerifyingKey) -> bytes:
    """A signer's public key as ``Signers.keys`` holds it: SubjectPublicKeyInfo in DER. Raises ValueError if unfit."""
    public = key.public_key() if isinstance(key, SigningKey) else key
    _algorithm(public)
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _in_force(pinned: Signers, last_seen: LastSeen | None) -> Signers:
    if last_seen is None or last_seen.pinned != pinned.digest:
        return pinned
    return last_seen.signers


def _parse(data: bytes) -> _General:
    try:
        general = msgspec.json.decode(data, type=_General)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ExchangeError(TRUST_LIST_INVALID, f"not a JWS in general JSON serialisation: {error}") from None
    if not 0 < len(general.signatures) <= _MAX_SIGNATURES:
        raise ExchangeError(TRUST_LIST_SIGNERS, "no signature, or too many")
    return general


def _header(signature: _Signature) -> dict[str, Any]:
    try:
        header = msgspec.json.decode(jwt.utils.base64url_decode(signature.protected))
    except (ValueError, msgspec.DecodeError):
        raise ExchangeError(TRUST_LIST_INVALID, "a protected header is not base64url JSON") from None
    if not isinstance(header, dict):
        raise ExchangeError(TRUST_LIST_INVALID, "a protected header is not an object")
    return header


def _signatures_by_kid(general: _General) -> dict[str, tuple[_Signature, str]]:
    found: dict[str, tuple[_Signature, str]] = {}
    for signature in general.signatures:
        header = _header(signature)
        if header.get("typ") != TYP:
            raise ExchangeError(TRUST_LIST_INVALID, f"a signature's typ is not {TYP}")
        if header.keys() != {"alg", "kid", "typ"} or not all(isinstance(value, str) for value in header.values()):
            raise ExchangeError(TRUST_LIST_INVALID, "a protected header holds exactly alg, kid and typ")
        if header["kid"] in found:
            raise ExchangeError(TRUST_LIST_INVALID, "one signer has signed twice")
        found[header["kid"]] = signature, header["alg"]
    return found


def _count(general: _General, by_kid: dict[str, tuple[_Signature, str]], signers: Signers, which: str) -> set[str]:
    """Verify every signature of these signers; all must be right, and enough. Returns their ids."""
    verified = set()
    for kid, der in signers.by_id.items():
        if kid in by_kid:
            signature, algorithm = by_kid[kid]
            _verify_one(f"{signature.protected}.{general.payload}.{signature.signature}", der, algorithm, kid)
            verified.add(kid)
    if len(verified) < signers.required:
        detail = f"{len(verified)} of the signers {which} have signed, {signers.required} must"
        unknown = sorted(by_kid.keys() - verified)
        if unknown:
            detail += f"; signatures by others do not count: {', '.join(unknown)}"
        raise ExchangeError(TRUST_LIST_SIGNERS, detail)
    return verified


def _verify_one(compact: str, der: bytes, algorithm: str, kid: str) -> None:
    try:
        key = load_der_public_key(der)
        expected = _algorithm(key)
        if algorithm != expected:
            raise ExchangeError(TRUST_LIST_SIGNERS, f"the signer {kid} has a key for {expected}")
        _JWS.decode_complete(compact, cast("_VerifyingKey", key), algorithms=[expected])
    except (jwt.PyJWTError, ValueError, UnsupportedAlgorithm):
        raise ExchangeError(TRUST_LIST_SIGNERS, f"the signature by {kid} is wrong") from None


def _algorithm(key: object) -> str:
    """The one JWS algorithm of a public key. Raises ValueError for keys that may not sign lists."""
    match key:
        case EllipticCurvePublicKey():
            name = {"secp256r1": "ES256", "secp384r1": "ES384"}.get(key.curve.name)
            if name is not None:
                return name
        case Ed25519PublicKey():
            return "EdDSA"
        case RSAPublicKey() if key.key_size >= _MIN_RSA_BITS:
            return "PS256"
        case _:
            pass
    raise ValueError("a trust list's signer has a P-256, P-384, Ed25519 or RSA (2048 bits or more) key")


def _public_der(key: SigningKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _one_signature(payload: bytes, key: SigningKey) -> tuple[_Signature, str]:
    headers = {"typ": TYP, "kid": thumbprint(_public_der(key))}
    compact = _JWS.encode(payload, key, algorithm=_algorithm(key.public_key()), headers=headers)
    protected, encoded, signature = compact.split(".")
    return _Signature(protected, signature), encoded


def _check_time(document: TrustList, now: Instant) -> None:
    if now > document.valid_until:
        raise ExchangeError(TRUST_LIST_EXPIRED, f"list {document.serial} is no longer valid")
    if document.issued > plus(now, CLOCK_SKEW):
        raise ExchangeError(TRUST_LIST_INVALID, "issued in the future; check the clock")


def _check_succession(serial: int, digest: str, last_seen: LastSeen | None) -> None:
    if last_seen is None:
        return
    if serial < last_seen.serial:
        raise ExchangeError(TRUST_LIST_REPLAYED, f"serial {serial} after {last_seen.serial}")
    if serial == last_seen.serial and digest != last_seen.digest:
        raise ExchangeError(TRUST_LIST_FORKED, f"serial {serial} was seen with other content")
