"""Whom a verifier of evidence believes, and what follows from that for the trust lists in a container.

The verifier brings a trust list of its own. Lists in the container are believed if the same signers signed them; then
their certificates are judged at the message's time, by the newest revocation lists at hand.
"""

from cryptography.x509 import CertificateRevocationList
from msgspec import Struct

from gateway.ledger.evidence import Material, digest_of
from gateway.ledger.evidence_logs import LogKey, log_keys_in, witnesses_in
from gateway.ledger.evidence_revocation import parse_lists, standing_of
from gateway.ledger.note import VerifierKey
from gateway.model.errors import ExchangeError
from gateway.model.errors.evidence import EVIDENCE_INVALID
from gateway.model.errors.trust import CERTIFICATE_REVOKED
from gateway.model.instant import Instant, rfc3339
from gateway.trust.certificates import load_authorities
from gateway.trust.document import Signers, TrustList
from gateway.trust.jws import VerifiedList, payload_of, verify
from gateway.trust.store import Key, TrustStore
from gateway.trust.wire import decode


class Anchors(Struct, frozen=True, kw_only=True):
    """What the verifier trusts. lists: trust lists (JWS), from a source of its own. signers: who must have signed
    lists; None: those that each of these lists states. authorities: roots of timestamp authorities, DER. vkeys: keys of
    logs, beside those that the lists name. crls: revocation lists, DER, of any of the CAs. witnesses: beside those
    that the lists name; quorum: how many of all of them must have cosigned.
    """

    lists: tuple[bytes, ...]
    signers: Signers | None = None
    authorities: tuple[bytes, ...] = ()
    vkeys: tuple[str, ...] = ()
    crls: tuple[bytes, ...] = ()
    witnesses: tuple[VerifierKey, ...] = ()
    quorum: int = 0


class Trusted(Struct, frozen=True, kw_only=True):
    """Lists of a container that are believed, compiled, by digest. logs: the logs' keys by vkey, all those named.
    witnesses: those that the verifier or a list names. crls: all revocation lists at hand, DER, also of other CAs.
    """

    stores: dict[str, TrustStore]
    newest: str
    logs: dict[str, LogKey]
    witnesses: tuple[VerifierKey, ...]
    crls: tuple[bytes, ...]
    revocations: tuple[CertificateRevocationList, ...]

    def store(self, digest: str | None) -> TrustStore:
        """The list of a digest. Raises ExchangeError (EVIDENCE_INVALID) if it is not believed, or not there."""
        found = self.stores.get(digest or "")
        if found is None:
            raise ExchangeError(
                EVIDENCE_INVALID, "the trust list in force then is not in the container, or not believed"
            )
        return found

    @property
    def store_at_signing(self) -> TrustStore:
        """The list in force when the container was made."""
        return self.store(self.newest)

    def check_key(self, key: Key, store: TrustStore, at: Instant) -> str:
        """Return if a listed certificate was valid at a time, by all that is known of revocations; of when that is.

        The store knows the newest revocation list alone; one of before may name what has left it since it expired.
        Raises ExchangeError: as ``Key.check``.
        """
        key.check(at)
        found = standing_of(key.certificate, store.authorities(), self.revocations, at)
        if any(each.since <= at for each in found.revoked):
            raise ExchangeError(CERTIFICATE_REVOKED, f"keyid {key.keyid}")
        return "" if found.as_of is None else f"; revocations as of {rfc3339(found.as_of)}"


def anchored(anchors: Anchors) -> tuple[VerifiedList, ...]:
    """The verifier's own lists, each signed as it, or the given signers, demand. Raises ExchangeError."""
    return tuple(_verified(data, (anchors.signers or decode(payload_of(data)).signers,)) for data in anchors.lists)


def trusted(material: Material, anchors: Anchors, own: tuple[VerifiedList, ...]) -> Trusted:
    """Judge the container's lists by the verifier's. Raises ExchangeError for one that its signers did not sign."""
    known = {each.digest for each in own}
    signers = (anchors.signers,) if anchors.signers is not None else tuple(each.document.signers for each in own)
    believed = {}
    for data in material.trust:
        digest = digest_of(data)
        stated = (decode(payload_of(data)).signers,) if digest in known else ()
        believed[digest] = _verified(data, (*signers, *stated))
    documents = [each.document for each in (*own, *believed.values())]
    crls = tuple(dict.fromkeys((*anchors.crls, *material.crls, *(crl for each in documents for crl in each.crls))))
    return Trusted(
        stores={digest: _compiled(each, crls) for digest, each in believed.items()},
        newest=digest_of(material.trust[-1]),
        logs=log_keys_in(documents, anchors.vkeys),
        witnesses=tuple(dict.fromkeys((*anchors.witnesses, *witnesses_in(documents)))),
        crls=crls,
        revocations=parse_lists(crls),
    )


def check_in_force(document: TrustList, at: Instant) -> None:
    """Raise ExchangeError (EVIDENCE_INVALID) unless a list could be in force at a time."""
    if not document.issued <= at <= document.valid_until:
        raise ExchangeError(EVIDENCE_INVALID, f"trust list {document.serial} was not valid at that time")


def _verified(data: bytes, signers: tuple[Signers, ...]) -> VerifiedList:
    """A list, whenever it was in force, signed as one of several sets of signers demands."""
    refused: ExchangeError | None = None
    for pinned in signers:
        try:
            return verify(data, pinned=pinned, last_seen=None, now=decode(payload_of(data)).issued)
        except ExchangeError as error:
            refused = error
    serial = decode(payload_of(data)).serial
    why = "" if refused is None else f": {refused.detail}"
    raise ExchangeError(EVIDENCE_INVALID, f"trust list {serial} is not signed by signers that you trust{why}")


def _compiled(listed: VerifiedList, crls: tuple[bytes, ...]) -> TrustStore:
    """The list with those newer revocation lists that are of its authorities."""
    return TrustStore.load(listed, crls=[crl for crl in crls if _is_of(crl, listed.document.authorities)])


def _is_of(crl: bytes, authorities: tuple[bytes, ...]) -> bool:
    try:
        load_authorities(authorities, (crl,))
    except ValueError:
        return False
    return True
