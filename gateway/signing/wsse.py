"""WS-Security signatures on SOAP envelopes: WS-Security 1.1 with X.509 tokens, as protocols.md §2 narrows it.

In two steps, so that the key is looked up outside: ``parse_security`` says which certificate claims to have signed,
``verify_envelope`` proves it. Nothing of the first may be believed before the second returns, and of the message
nothing but what it returns: a new envelope made of the very bytes that were digested.

Verified is, in this order:

1. the envelope is sane XML with one Header and one Body (``xml``, ``wsse_parse``)
2. one Security header in it, with one Timestamp and one Signature, every algorithm and transform on the allow-list
   (``wsse_references``), every reference resolved by path to an element that no other shares its id with
3. Body, Timestamp and every header block that means something to us are covered
4. it is of this time: Created ≤ now, Expires ≥ now, each ± 60 s, and at most 300 s between them
5. the signature method is one of the key's own
6. SignatureValue, over the canonical SignedInfo
7. the digest of each covered element, over its canonical bytes: these are what is returned
8. attachments: each part covered, each covered part there (``check_attachments``, when they have arrived)
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from cryptography import x509
from msgspec import Struct

from gateway.model.envelope import ProofScheme
from gateway.model.errors import ErrorKind, ExchangeError
from gateway.model.errors.signature import (
    ANSWER_SIGNATURE_INVALID,
    ANSWER_UNSIGNED,
    SIGNATURE_EXPIRED,
    SIGNATURE_INVALID,
    SIGNATURE_NOT_YET_VALID,
)
from gateway.model.errors.trust import UNKNOWN_KEY
from gateway.model.errors.wsse import (
    ATTACHMENT_MISMATCH,
    PROVIDER_SIGNATURE_INVALID,
    PROVIDER_UNSIGNED,
    SECURITY_ALGORITHM,
    SECURITY_CONFIRMATION,
    SECURITY_DIGEST_MISMATCH,
    SECURITY_TIMESTAMP,
    XML_FORBIDDEN,
)
from gateway.model.ids import SubsystemId
from gateway.model.instant import MICROSECONDS, Instant
from gateway.model.message import Part
from gateway.model.stages import Direct
from gateway.signing.algorithms import PublicKey, keyid_of
from gateway.signing.http_sig import MAX_LIFETIME, SKEW
from gateway.signing.wsse_attachments import check_encodings, compare_attachments, cover_of, inline_xop
from gateway.signing.wsse_names import DIGESTS, XINCLUDE
from gateway.signing.wsse_parse import Security, parse_security
from gateway.signing.xml import canonical
from gateway.trust.store import Key, TrustStore

__all__ = [
    "KnownCertificates",
    "Proof",
    "Security",
    "check_attachments",
    "inline_xop",
    "parse_security",
    "verify_answer",
    "verify_envelope",
    "verify_known_answer",
]

_MAX_LIFETIME: Final = MAX_LIFETIME * MICROSECONDS
_XINCLUDE: Final = f'="{XINCLUDE}"'.encode()


class Proof(Struct, frozen=True, kw_only=True):
    """What was proved. envelope: SOAP of the same version, of the covered header blocks and Body, in the bytes that
    were digested (exclusive canonical form, UTF-8); Security itself and uncovered blocks are not in it.
    """

    direct: Direct
    envelope: bytes


def verify_envelope(security: Security, key: PublicKey, *, now: Instant, inlined: tuple[Part, ...] = ()) -> Proof:
    """Prove that ``key`` signed this envelope, and that it signed enough of it, now.

    key: the trust list's, for one of ``security.keyids``. inlined: parts whose content ``inline_xop`` put in the
    envelope, so that they count as covered. Raises ExchangeError: SIGNATURE_EXPIRED, SIGNATURE_NOT_YET_VALID,
    SIGNATURE_INVALID, SECURITY_TIMESTAMP, SECURITY_ALGORITHM, SECURITY_DIGEST_MISMATCH.
    """
    check_time(security.created, security.expires, now)
    info = security.signed_info
    if info.method not in key.xml_algorithms:
        raise ExchangeError(SECURITY_ALGORITHM, "the signature method is not one of the listed key")
    base = info.base
    key.verify_xml(info.method, security.signature, base)
    blocks, body = _proved(security)
    envelope = _enveloped(security.soap, blocks, body)
    attachments = [(reference.attachment or "", reference.digest) for reference in security.attachments]
    direct = Direct(
        scheme=ProofScheme.WS_SECURITY,
        keyid=key.keyid,
        algorithm=info.method,
        signature=security.signature_text,
        base=base,
        covered=tuple([each.place.name for each in security.covered]),
        created=security.created,
        expires=security.expires,
        nonce=hashlib.sha256(base).hexdigest(),
        attachments=(*attachments, *[(cover_of(part), part.sha256) for part in inlined]),
    )
    return Proof(direct=direct, envelope=envelope)


def check_time(created: Instant, expires: Instant, now: Instant) -> None:
    """Return if a signature with this Timestamp is of this time. Raises ExchangeError as ``verify_envelope``."""
    if not 0 < expires - created <= _MAX_LIFETIME:
        raise ExchangeError(SECURITY_TIMESTAMP, f"Expires must be up to {MAX_LIFETIME} s after Created")
    if created > now + SKEW:
        raise ExchangeError(SIGNATURE_NOT_YET_VALID)
    if expires < now - SKEW:
        raise ExchangeError(SIGNATURE_EXPIRED)


def _proved(security: Security) -> tuple[list[bytes], bytes]:
    """The canonical bytes of the covered header blocks, in order, and of Body: the very bytes that were digested."""
    blocks: list[bytes] = []
    body = b""
    for covered in security.covered:
        place, reference = covered.place, covered.reference
        octets = canonical(place.element, reference.prefixes)
        if not hmac.compare_digest(DIGESTS[reference.method](octets).digest(), reference.digest):
            raise ExchangeError(SECURITY_DIGEST_MISMATCH, place.name, parts=(place.name,))
        if place.is_block:
            blocks.append(octets)
        elif place.name == "Body":
            body = octets
    return blocks, body


def _enveloped(soap: str, blocks: Sequence[bytes], body: bytes) -> bytes:
    """A new envelope. It declares one prefix and no default namespace, so that nothing in it gains a meaning."""
    name = soap.encode()
    octets = b"".join(
        [b'<e:Envelope xmlns:e="', name, b'"><e:Header>', *blocks, b"</e:Header>", body, b"</e:Envelope>"]
    )
    if _XINCLUDE in octets:  # inert here; at a provider it might read that provider's files
        raise ExchangeError(XML_FORBIDDEN, "XInclude")
    return octets


def check_attachments(proof: Direct, parts: tuple[Part, ...]) -> None:
    """Return if every part of a message after its first is covered, and every covered one is there, unchanged.

    parts: all of them, the envelope's first; none of a message that is no multipart. Raises ExchangeError
    ATTACHMENT_UNCOVERED, ATTACHMENT_MISSING, ATTACHMENT_MISMATCH.
    """
    check_encodings(parts[1:])
    compare_attachments(proof.attachments, parts[1:])


# -- answers -------------------------------------------------------------------------------------------------------


class KnownCertificates:
    """The few certificates whose answers a client believes. certificates: DER. Raises ValueError for unusable ones."""

    __slots__ = ("_by_der", "_keys", "_listed")

    def __init__(self, certificates: Iterable[bytes]) -> None:
        self._by_der = {der: keyid_of(der) for der in certificates}
        self._keys = {keyid: PublicKey.from_certificate(der) for der, keyid in self._by_der.items()}
        self._listed = tuple(
            [
                _Known(keyid=keyid, certificate=x509.load_der_x509_certificate(der))
                for der, keyid in self._by_der.items()
            ]
        )

    def keyid_by_der(self, certificate: bytes, /) -> str | None:
        """The keyid of exactly this certificate."""
        return self._by_der.get(certificate)

    def keyids_by_serial(self, serial: int, /) -> tuple[str, ...]:
        """Keyids of those with this serial number."""
        return tuple([known.keyid for known in self._listed if known.certificate.serial_number == serial])

    def keyid_by_sha1(self, digest: bytes, /) -> str | None:
        """The keyid of the one with this SHA-1."""
        sha1 = hashlib.sha1
        return next(
            (keyid for der, keyid in self._by_der.items() if sha1(der, usedforsecurity=False).digest() == digest), None
        )

    def listed(self) -> Sequence["_Known"]:
        """All of them."""
        return self._listed

    def key(self, keyid: str) -> PublicKey:
        """The key of one of them."""
        return self._keys[keyid]


class _Known(Struct, frozen=True, kw_only=True):
    keyid: str
    certificate: x509.Certificate


def verify_answer(
    envelope: bytes,
    trust: TrustStore,
    *,
    owner: SubsystemId | None,
    gateway: bool,
    now: Instant,
    confirms: str | None,
    parts: tuple[Part, ...] = (),
) -> Proof:
    """Prove who gave this answer, and to which request.

    gateway: signed by a listed gateway's key; else by a listed signing key of ``owner``. confirms: SignatureValue
    (base64) of the request that was sent, which it must confirm; None: the request was not signed. parts: the
    attachments that came with it, without the envelope's own part; all of them must be covered. ``proof.direct`` lists
    them. Raises ExchangeError: ANSWER_UNSIGNED, ANSWER_SIGNATURE_INVALID, SECURITY_CONFIRMATION for a gateway's answer;
    PROVIDER_UNSIGNED, PROVIDER_SIGNATURE_INVALID for a provider's.
    """

    def find(security: Security) -> PublicKey:
        return _listed_key(security, trust, owner=owner, gateway=gateway, now=now)

    try:
        if not gateway:  # a gateway passes on what its provider encoded
            check_encodings(parts)
        return _prove_answer(envelope, find, now=now, confirms=confirms, attachments=parts)
    except ExchangeError as error:
        raise _as_answer(error, gateway=gateway) from error


def verify_known_answer(
    envelope: bytes,
    known: KnownCertificates,
    *,
    now: Instant,
    confirms: str | None,
    parts: tuple[Part, ...] = (),
) -> Proof:
    """Prove as a client, which has no trust list, that a gateway it knows gave this answer. As ``verify_answer``."""
    try:
        return _prove_answer(
            envelope, lambda each: known.key(each.keyids(known)[0]), now=now, confirms=confirms, attachments=parts
        )
    except ExchangeError as error:
        raise _as_answer(error, gateway=True) from error


def _prove_answer(
    envelope: bytes,
    find: Callable[[Security], PublicKey],
    *,
    now: Instant,
    confirms: str | None,
    attachments: tuple[Part, ...],
) -> Proof:
    envelope_part = Part(fields=(), offset=0, size=len(envelope), sha256=b"")
    root, rest = inline_xop(envelope, (envelope_part, *attachments))
    security = parse_security(root)
    inlined = tuple([part for part in attachments if part not in rest])
    proof = verify_envelope(security, find(security), now=now, inlined=inlined)
    if confirms is not None and security.confirmations != (confirms,):
        raise ExchangeError(SECURITY_CONFIRMATION)
    compare_attachments(proof.direct.attachments, attachments)
    return proof


def _listed_key(
    security: Security, trust: TrustStore, *, owner: SubsystemId | None, gateway: bool, now: Instant
) -> PublicKey:
    """The first candidate that may answer now."""
    refused = ExchangeError(UNKNOWN_KEY)
    for keyid in security.keyids(trust):
        try:
            key = trust.gateway_key(keyid, now) if gateway else trust.signing_key(keyid, now)
            if not gateway and owner is not None:
                key.require_owner(owner)
            return _public(key)
        except ExchangeError as error:
            refused = error
    raise refused


def _public(key: Key) -> PublicKey:
    assert key.key is not None  # it was valid a moment ago
    return PublicKey(key.key, keyid=key.keyid)


_INVALID: Final = frozenset(
    kind.code for kind in (SIGNATURE_INVALID, SECURITY_DIGEST_MISMATCH, ATTACHMENT_MISMATCH, SECURITY_ALGORITHM)
)


def _as_answer(error: ExchangeError, *, gateway: bool) -> ExchangeError:
    """What is wrong with an answer is not the caller's fault, whatever the same mistake is called in a request."""
    kind: ErrorKind
    if error.kind.code in _INVALID:
        kind = ANSWER_SIGNATURE_INVALID if gateway else PROVIDER_SIGNATURE_INVALID
    elif error.kind == SECURITY_CONFIRMATION and gateway:
        return error
    else:
        kind = ANSWER_UNSIGNED if gateway else PROVIDER_UNSIGNED
    return ExchangeError(kind, str(error), parts=error.parts)
