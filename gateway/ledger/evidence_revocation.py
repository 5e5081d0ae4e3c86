"""What revocation lists say of a certificate and of those above it, all lists at hand together.

A verifier of evidence looks back: a newer list may have dropped what has expired since, and an older one cannot know
what came after it. So whatever any list says counts, and how far one reaches is said with it. Lists that a CA did not
sign itself, delta and indirect ones, and SHA-1 are passed by, as everywhere here; OCSP answers are not read.
"""

import contextlib
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.x509 import Certificate, CertificateRevocationList, ReasonFlags
from msgspec import Struct

from gateway.model.instant import Instant, from_datetime

_LONGEST_PATH: Final = 5
_MOST: Final = 256
"""Beside a signature anybody may put as many more as fit, each of which costs a signature's verification."""
_HASHES: Final = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
_HARMLESS: Final = frozenset(
    {
        ReasonFlags.unspecified,
        ReasonFlags.affiliation_changed,
        ReasonFlags.superseded,
        ReasonFlags.cessation_of_operation,
    }
)


class Revoked(Struct, frozen=True, kw_only=True):
    """An entry of a revocation list. whose: the subject, RFC 4514. reason: as RFC 5280 writes it; None: not said."""

    whose: str
    since: Instant
    reason: str | None

    @property
    def is_harmless(self) -> bool:
        """Whether what the key signed before stays good even of a timestamp authority (RFC 3161 §4): only where the
        list says a reason that has nothing to do with the key.
        """
        return self.reason in {each.value for each in _HARMLESS}


class Standing(Struct, frozen=True, kw_only=True):
    """What is known of a certificate at a time. revoked: entries about it or a CA above it, whenever they begin.
    as_of: thisUpdate of the list that knows least, along the path. missing: the CA of which no list covers the time.
    """

    revoked: tuple[Revoked, ...] = ()
    as_of: Instant | None = None
    missing: str | None = None


def parse_lists(crls: Sequence[bytes]) -> tuple[CertificateRevocationList, ...]:
    """Those of the first 256 of these lists (DER) that can be read; each once."""
    found = []
    for der in islice(dict.fromkeys(crls), _MOST):
        try:
            crl = x509.load_der_x509_crl(der)
            if _is_complete(crl):
                found.append(crl)
        except (ValueError, UnsupportedAlgorithm):
            continue
    return tuple(found)


def parse_certificates(certificates: Sequence[bytes]) -> tuple[Certificate, ...]:
    """Those of the first 256 of these certificates (DER) that can be read; each once."""
    found = []
    for der in islice(dict.fromkeys(certificates), _MOST):
        with contextlib.suppress(ValueError):
            found.append(x509.load_der_x509_certificate(der))
    return tuple(found)


def standing_of(
    certificate: Certificate, above: Sequence[Certificate], crls: Sequence[CertificateRevocationList], at: Instant
) -> Standing:
    """Judge a certificate at a time. above: CA certificates, in no order, among them a self-signed one."""
    revoked: list[Revoked] = []
    oldest: Instant | None = None
    missing: str | None = None
    top = certificate
    for below, issuer in _path(certificate, above):
        covering, top = None, issuer
        for crl in crls:
            if not _is_by(crl, issuer):
                continue
            revoked += _entries(crl, below)
            if crl.next_update_utc is not None and at <= from_datetime(crl.next_update_utc):
                covering = max(covering or Instant(0), from_datetime(crl.last_update_utc))
        if covering is None:
            missing = missing or issuer.subject.rfc4514_string()
        else:
            oldest = covering if oldest is None else min(oldest, covering)
    if top.subject != top.issuer:  # the path was not followed to its end: who knows what is said further up
        missing = missing or top.issuer.rfc4514_string()
    return Standing(revoked=tuple(revoked), as_of=None if missing else oldest, missing=missing)


def _path(certificate: Certificate, above: Sequence[Certificate]) -> Iterator[tuple[Certificate, Certificate]]:
    """Each certificate with its issuer, up to a self-signed one."""
    below = certificate
    for _ in range(_LONGEST_PATH):
        if below.subject == below.issuer:
            return
        issuer = next((each for each in above if _issued(below, each)), None)
        if issuer is None:
            return
        yield below, issuer
        below = issuer


def _issued(certificate: Certificate, issuer: Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _is_complete(crl: CertificateRevocationList) -> bool:
    """Whether it speaks for all certificates of its own CA, under a hash that nobody forges."""
    algorithm = crl.signature_hash_algorithm
    strong = algorithm is None or isinstance(algorithm, _HASHES)
    return strong and not any(extension.critical for extension in crl.extensions)


def _is_by(crl: CertificateRevocationList, issuer: Certificate) -> bool:
    try:
        signs = issuer.extensions.get_extension_for_class(x509.KeyUsage).value.crl_sign
        return signs and crl.issuer == issuer.subject and crl.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]  # of other keys it raises
    except (x509.ExtensionNotFound, TypeError, ValueError, UnsupportedAlgorithm):
        return False


def _entries(crl: CertificateRevocationList, certificate: Certificate) -> list[Revoked]:
    entry = crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
    if entry is None:
        return []
    try:
        reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.value
    except (x509.ExtensionNotFound, ValueError):
        reason = None
    whose = certificate.subject.rfc4514_string()
    return [Revoked(whose=whose, since=from_datetime(entry.revocation_date_utc), reason=reason)]
