"""Whom a verifier of evidence believes, and what follows from that for the trust lists in a container.

The verifier brings a trust list of its own. Lists in the container are believed if the same signers signed them; then
their certificates are judged at the message's time, by the newest revocation lists at hand.
"""

import hashlib

from msgspec import Struct

from gateway.ledger.evidence import Material, digest_of
from gateway.ledger.note import VerifierKey, parse_vkey
from gateway.model.errors import ExchangeError
from gateway.model.errors.evidence import EVIDENCE_INVALID
from gateway.model.instant import Instant
from gateway.trust.certificates import load_authorities
from gateway.trust.document import Signers, TrustList
from gateway.trust.jws import VerifiedList, payload_of, verify
from gateway.trust.store import TrustStore
from gateway.trust.wire import decode


class Anchors(Struct, frozen=True, kw_only=True):
    """What the verifier trusts. lists: trust lists (JWS), from a source of its own. signers: who must have signed
    lists; None: those that each of these lists states. authorities: roots of timestamp authorities, DER. vkeys: keys of
    logs, beside those that the lists name.
    """

    lists: tuple[bytes, ...]
    signers: Signers | None = None
    authorities: tuple[bytes, ...] = ()
    vkeys: tuple[str, ...] = ()


class Trusted(Struct, frozen=True, kw_only=True):
    """Lists of a container that are believed, compiled, by digest. logs: verifier keys by origin, all those named."""

    stores: dict[str, TrustStore]
    newest: str
    logs: dict[str, tuple[VerifierKey, ...]]

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
    return Trusted(
        stores={digest: _compiled(each, material.crls) for digest, each in believed.items()},
        newest=digest_of(material.trust[-1]),
        logs=_logs(documents, anchors.vkeys),
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


def _logs(documents: list[TrustList], vkeys: tuple[str, ...]) -> dict[str, tuple[VerifierKey, ...]]:
    found: dict[str, dict[str, VerifierKey]] = {}
    for origin, vkey in (*((log.origin, log.vkey) for each in documents for log in each.logs), *_named(vkeys)):
        found.setdefault(origin, {})[hashlib.sha256(vkey.encode()).hexdigest()] = parse_vkey(vkey)
    return {origin: tuple(keys.values()) for origin, keys in found.items()}


def _named(vkeys: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(parse_vkey(vkey).name, vkey) for vkey in vkeys]
