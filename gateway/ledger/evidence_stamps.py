"""Timestamps of a container, judged: what they are over, whose they are, and whether that authority could be believed.

Its certificate is judged at the time stamped (``timestamp.verify_token``), and by every revocation list at hand: those
of the container's trust lists, those beside its signature (RevocationValues), and those that the verifier brings.
"""

from typing import Final

from cryptography import x509
from msgspec import Struct

from gateway.ledger.evidence_findings import Findings
from gateway.ledger.evidence_revocation import Revoked, parse_certificates, parse_lists, standing_of
from gateway.ledger.timestamp import parse_token, signer_of, verify_token
from gateway.model.errors import ExchangeError
from gateway.model.errors.base import Text
from gateway.model.errors.evidence import EVIDENCE_INVALID
from gateway.model.instant import Instant, rfc3339

NOT_REVOKED: Final = Text(
    "the timestamp authority's certificate was not revoked",
    "chứng thư của tổ chức cấp dấu thời gian không bị thu hồi",
)


class Stamps(Struct, frozen=True, kw_only=True):
    """roots: certificates of authorities that the verifier trusts. certificates: of CAs, also others'. crls: revocation
    lists, also others'. All DER.
    """

    roots: tuple[bytes, ...]
    certificates: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()

    def time(self, response: bytes, stamped: bytes) -> Instant:
        """When a trusted authority has seen ``stamped``. response: TimeStampResp, DER.

        Raises ExchangeError: TIMESTAMP_INVALID; EVIDENCE_INVALID without roots, and for an authority that was revoked.
        """
        if not self.roots:
            raise ExchangeError(EVIDENCE_INVALID, "give the authority's root certificates (--tsa-ca)")
        at = verify_token(response, stamped, self.roots)
        self._standing(response, at)
        return at

    def judge(self, findings: Findings, subject: str, response: bytes, at: Instant) -> None:
        """Say how much is known of the revocation of the authority that has stamped at this time."""
        findings.check_known(subject, NOT_REVOKED, lambda: self._standing(response, at))

    def _standing(self, response: bytes, at: Instant) -> tuple[bool, str]:
        """Whether it is known not to be revoked, and by what. Raises ExchangeError (EVIDENCE_INVALID) if it is."""
        signer = signer_of(response)
        if signer in self.roots:
            return True, "it is one of those that you trust by themselves"
        above = parse_certificates((*self.roots, *parse_token(response).certificates, *self.certificates))
        found = standing_of(x509.load_der_x509_certificate(signer), above, parse_lists(self.crls), at)
        for each in found.revoked:
            if not each.is_harmless or each.since <= at:
                raise ExchangeError(EVIDENCE_INVALID, _told(each))
        if found.as_of is None:
            return (
                False,
                f"not judged: no revocation list of {found.missing} reaches that time (--crl); OCSP is not read",
            )
        later = [f"revoked since {rfc3339(each.since)}, after it stamped" for each in found.revoked]
        return True, "; ".join([f"as its CAs said at {rfc3339(found.as_of)}", *later])


def _told(revoked: Revoked) -> str:
    since = f"{revoked.whose} was revoked at {rfc3339(revoked.since)}"
    if revoked.is_harmless:
        return f"{since}, before it stamped"
    return (
        f"{since}, {revoked.reason or 'no reason given'}: nothing that it ever stamped can be relied on (RFC 3161 §4)"
    )
