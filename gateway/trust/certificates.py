"""Certificates, paths and revocation lists, examined once when a trust list is loaded (RFC 5280 §6, on given bytes).

What is found is a handful of integers (``Facts``): from when to when, until when not revoked, until when we would know.
Deciding at a message's time is then comparing integers. Rules kept here:

- a path goes from the certificate over listed authorities to a self-signed one of them, each signature checked;
- authorities are CAs that may sign certificates, within their path length; the leaf is not a CA;
- SHA-1, MD5, RSA below 2048 bits and curves other than P-256 and P-384 (and Ed25519) are refused anywhere in the path;
- a critical extension that we do not process refuses the certificate (RFC 5280 §4.2), name constraints included;
- each authority on the path has a current revocation list, signed by itself; delta and indirect lists are refused.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.oid import ExtensionOID as Oid
from msgspec import Struct

from gateway.model.errors import ErrorKind
from gateway.model.errors.trust import (
    CERTIFICATE_UNTRUSTED,
    CERTIFICATE_WEAK,
    CERTIFICATE_WRONG_USAGE,
    CRL_MISSING,
)
from gateway.model.instant import MICROSECONDS, Instant, from_datetime
from gateway.model.usage import HOSTED_KEY_POLICY, Usage

T = TypeVar("T")

NEVER = Instant(2**63 - 1)
"""Later than any time that matters."""

PublicKey = EllipticCurvePublicKey | Ed25519PublicKey | RSAPublicKey

_MAX_PATH = 5
_RSA_BITS = range(2048, 8193)  # a larger key only makes its verifier slow
_MIN_RSA_EXPONENT = 65_537  # FIPS 186-5 §5.1
_CURVES = frozenset({"secp256r1", "secp384r1"})
_HASHES = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
_PROCESSED = frozenset(
    {
        Oid.BASIC_CONSTRAINTS,
        Oid.KEY_USAGE,
        Oid.EXTENDED_KEY_USAGE,
        Oid.SUBJECT_ALTERNATIVE_NAME,
        Oid.CERTIFICATE_POLICIES,
    }
)
_TLS_ONLY = frozenset({ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH})
_SIGNING = frozenset({Usage.SIGN, Usage.GATEWAY_SIGN, Usage.HOSTED_SIGN})


class Unfit(Exception):  # noqa: N818 - a finding about a certificate, turned into a Facts.problem in this module
    """A certificate cannot be used, whatever the time. kind, detail: the error that its use will raise."""

    def __init__(self, kind: ErrorKind, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail


class Facts(Struct, frozen=True, kw_only=True):
    """All about a certificate's validity that depends on the time, over its whole path.

    not_before, not_after: inclusive. revoked_from: NEVER if not revoked. revocation_known_until: nextUpdate of the
    path's oldest revocation list; after it nobody knows. problem: why it can never be used, if so.
    """

    not_before: Instant
    not_after: Instant
    revoked_from: Instant = NEVER
    revocation_known_until: Instant = NEVER
    problem: tuple[ErrorKind, str] | None = None


class _Revocations(Struct, frozen=True):
    """A verified revocation list, reduced to what is asked of it."""

    this_update: Instant
    next_update: Instant
    revoked: dict[int, Instant]


class Authority(Struct, frozen=True):
    """A CA of the list, with its newest revocation list, if there is one."""

    certificate: x509.Certificate
    crl: _Revocations | None


def load_certificate(der: bytes) -> x509.Certificate:
    """Parse a certificate. Raises ValueError if the bytes are none."""
    return x509.load_der_x509_certificate(der)


def load_authorities(certificates: Sequence[bytes], crls: Sequence[bytes]) -> tuple[Authority, ...]:
    """The CAs with their revocation lists, of several lists of one CA the newest.

    Raises ValueError: unreadable bytes, a CA that may not sign, or a CRL that none of the CAs signed.
    """
    authorities = [_readable("an authority's certificate", load_certificate, der) for der in certificates]
    for authority in authorities:
        _check_authority(authority)
    newest: dict[int, _Revocations] = {}
    for der in crls:
        crl = _readable("a revocation list", x509.load_der_x509_crl, der)
        index = _issuer_of_crl(crl, authorities)
        read = _read_crl(crl)
        if index not in newest or read.this_update > newest[index].this_update:
            newest[index] = read
    return tuple(Authority(authority, newest.get(index)) for index, authority in enumerate(authorities))


def _readable(what: str, load: Callable[[bytes], T], der: bytes) -> T:
    try:
        return load(der)
    except ValueError:
        raise ValueError(f"{what} cannot be read") from None


def examine(certificate: x509.Certificate, usage: Usage, authorities: Sequence[Authority]) -> Facts:
    """Everything about a certificate's validity for a usage. Never raises: what is wrong stands in ``problem``."""
    not_before, not_after = _period(certificate)
    try:
        _check_strength(certificate)
        _check_usage(certificate, usage)
        path = _path(certificate, authorities)
        return _over_path(certificate, path)
    except Unfit as unfit:
        return Facts(not_before=not_before, not_after=not_after, problem=(unfit.kind, unfit.detail))


def public_key(certificate: x509.Certificate) -> PublicKey:
    """Its key. Raises Unfit(CERTIFICATE_WEAK) for kinds and sizes we do not take."""
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise Unfit(CERTIFICATE_WEAK, "the public key is of an unknown kind") from None
    match key:
        case EllipticCurvePublicKey() if key.curve.name in _CURVES:
            return key
        case Ed25519PublicKey():
            return key
        case RSAPublicKey() if key.key_size in _RSA_BITS and key.public_numbers().e >= _MIN_RSA_EXPONENT:
            return key
        case _:
            raise Unfit(CERTIFICATE_WEAK, "the key is not P-256, P-384, Ed25519 or RSA with 2048 to 8192 bits")


def _period(certificate: x509.Certificate) -> tuple[Instant, Instant]:
    last = from_datetime(certificate.not_valid_after_utc) + MICROSECONDS - 1  # RFC 5280 §4.1.2.5: inclusive
    return from_datetime(certificate.not_valid_before_utc), Instant(last)


def _check_hash(signed: x509.Certificate | x509.CertificateRevocationList, what: str) -> None:
    try:
        algorithm = signed.signature_hash_algorithm  # None: the scheme brings its own (Ed25519)
    except UnsupportedAlgorithm:
        raise Unfit(CERTIFICATE_WEAK, f"{what} is signed with an unknown algorithm") from None
    if algorithm is not None and not isinstance(algorithm, _HASHES):
        raise Unfit(CERTIFICATE_WEAK, f"{what} is signed with {algorithm.name}")


def _check_strength(certificate: x509.Certificate) -> None:
    _check_hash(certificate, "the certificate")
    public_key(certificate)


def _extensions(certificate: x509.Certificate) -> x509.Extensions:
    try:
        extensions = certificate.extensions
    except ValueError:
        raise Unfit(CERTIFICATE_UNTRUSTED, "its extensions cannot be read") from None
    for extension in extensions:
        if extension.critical and extension.oid not in _PROCESSED:
            detail = f"it has the critical extension {extension.oid.dotted_string}, which is not processed"
            raise Unfit(CERTIFICATE_UNTRUSTED, detail)
    return extensions


def _check_usage(certificate: x509.Certificate, usage: Usage) -> None:
    extensions = _extensions(certificate)
    if _is_authority(extensions):
        raise Unfit(CERTIFICATE_WRONG_USAGE, "it is a certificate authority's")
    try:
        key_usage = extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        raise Unfit(CERTIFICATE_WRONG_USAGE, "it has no key usage") from None
    if not key_usage.digital_signature:
        raise Unfit(CERTIFICATE_WRONG_USAGE, "its key usage has no digitalSignature")
    purposes = _extended(extensions)
    if usage in _SIGNING and purposes and purposes <= _TLS_ONLY:
        raise Unfit(CERTIFICATE_WRONG_USAGE, "it is for TLS only")
    if usage is Usage.TLS and ExtendedKeyUsageOID.CLIENT_AUTH not in purposes:
        raise Unfit(CERTIFICATE_WRONG_USAGE, "its extended key usage has no clientAuth")
    if usage is Usage.GATEWAY_TLS and ExtendedKeyUsageOID.SERVER_AUTH not in purposes:
        raise Unfit(CERTIFICATE_WRONG_USAGE, "its extended key usage has no serverAuth")
    if usage is Usage.HOSTED_SIGN and HOSTED_KEY_POLICY not in _policies(extensions):
        raise Unfit(CERTIFICATE_WRONG_USAGE, "it lacks the certificate policy of hosted keys")


def _extended(extensions: x509.Extensions) -> frozenset[x509.ObjectIdentifier]:
    try:
        return frozenset(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        return frozenset()


def _policies(extensions: x509.Extensions) -> frozenset[str]:
    try:
        policies = extensions.get_extension_for_class(x509.CertificatePolicies).value
    except x509.ExtensionNotFound:
        return frozenset()
    return frozenset(policy.policy_identifier.dotted_string for policy in policies)


def _is_authority(extensions: x509.Extensions) -> bool:
    try:
        return extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _check_authority(certificate: x509.Certificate) -> None:
    name = certificate.subject.rfc4514_string()
    try:
        _check_strength(certificate)
        extensions = _extensions(certificate)
    except Unfit as unfit:
        raise ValueError(f"the authority {name}: {unfit.detail}") from None
    if not _is_authority(extensions) or not _may_sign(extensions):
        raise ValueError(f"{name} is listed as an authority, but its certificate may not sign certificates")


def _may_sign(extensions: x509.Extensions) -> bool:
    try:
        return extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    except x509.ExtensionNotFound:
        return False


def _issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _path_length(certificate: x509.Certificate) -> int | None:
    return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length


def _path(certificate: x509.Certificate, authorities: Sequence[Authority]) -> list[Authority]:
    """The authorities above a certificate, the root last."""
    path: list[Authority] = []
    below = certificate
    while len(path) < _MAX_PATH:
        issuer = next((each for each in authorities if _issued_by(below, each.certificate)), None)
        if issuer is None:
            break
        limit = _path_length(issuer.certificate)
        if limit is not None and limit < len(path):
            raise Unfit(CERTIFICATE_UNTRUSTED, "its path is longer than its authority allows")
        path.append(issuer)
        if issuer.certificate.subject == issuer.certificate.issuer:
            return path
        below = issuer.certificate
    raise Unfit(CERTIFICATE_UNTRUSTED, "no path leads from it to a listed root authority")


def _over_path(certificate: x509.Certificate, path: Sequence[Authority]) -> Facts:
    """The intersection of all periods, the earliest revocation and the oldest knowledge along a path."""
    not_before, not_after = _period(certificate)
    revoked_from = known_until = NEVER
    below = certificate
    for authority in path:
        if authority.crl is None:
            raise Unfit(CRL_MISSING, f"of {authority.certificate.subject.rfc4514_string()}")
        if below is not authority.certificate:  # a root does not revoke itself
            revoked_from = min(revoked_from, authority.crl.revoked.get(below.serial_number, NEVER))
        known_until = min(known_until, authority.crl.next_update)
        start, end = _period(authority.certificate)
        not_before, not_after = max(not_before, start), min(not_after, end)
        below = authority.certificate
    return Facts(
        not_before=not_before, not_after=not_after, revoked_from=revoked_from, revocation_known_until=known_until
    )


def _issuer_of_crl(crl: x509.CertificateRevocationList, authorities: Sequence[x509.Certificate]) -> int:
    for index, authority in enumerate(authorities):
        if authority.subject == crl.issuer and _may_sign_crls(authority) and _signed(crl, authority):
            return index
    raise ValueError(f"no listed authority has signed the revocation list of {crl.issuer.rfc4514_string()}")


def _may_sign_crls(authority: x509.Certificate) -> bool:
    return authority.extensions.get_extension_for_class(x509.KeyUsage).value.crl_sign


def _signed(crl: x509.CertificateRevocationList, authority: x509.Certificate) -> bool:
    try:
        return crl.is_signature_valid(public_key(authority))
    except (TypeError, ValueError, UnsupportedAlgorithm):
        return False


def _read_crl(crl: x509.CertificateRevocationList) -> _Revocations:
    name = crl.issuer.rfc4514_string()
    try:
        _check_hash(crl, f"the revocation list of {name}")
    except Unfit as unfit:
        raise ValueError(unfit.detail) from None
    # A critical extension makes it a delta or partial list (RFC 5280 §5.2.4, §5.2.5): who is not in it may be
    # revoked all the same.
    if any(extension.critical for extension in crl.extensions):
        raise ValueError(f"the revocation list of {name} is a delta or partial one")
    if crl.next_update_utc is None:
        raise ValueError(f"the revocation list of {name} has no nextUpdate")
    revoked = {}
    for entry in crl:
        if any(extension.critical for extension in entry.extensions):
            raise ValueError(f"the revocation list of {name} speaks for other authorities")
        revoked[entry.serial_number] = from_datetime(entry.revocation_date_utc)
    return _Revocations(from_datetime(crl.last_update_utc), from_datetime(crl.next_update_utc), revoked)
