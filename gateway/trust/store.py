"""The trust list in force, compiled: who a key or a TLS certificate belongs to, and whether it was valid at a time.

Everything that costs (parsing, paths, signatures, revocation lists) happens once in ``TrustStore.load``; a question
about a message is a dictionary look-up and a few integer comparisons. A store never changes: a new list or revocation
list makes a new one, which the composition puts in its place.

The time of a question is when the message *reached us* (or, for a message long past, when the record says it did),
never the ``created`` that its sender wrote: the thief of a revoked key would write an earlier one.
"""

import hashlib
from collections.abc import Sequence

from cryptography import x509
from msgspec import Struct

from gateway.model.addresses import parse_address, parse_network
from gateway.model.errors import ErrorKind, ExchangeError
from gateway.model.errors.identity import HOSTED_KEY_MISSING, NETWORK_NOT_LISTED
from gateway.model.errors.trust import (
    CERTIFICATE_EXPIRED,
    CERTIFICATE_NOT_YET_VALID,
    CERTIFICATE_REVOKED,
    CRL_STALE,
    KEY_OF_ANOTHER,
    TRUST_LIST_EXPIRED,
    TRUST_LIST_INVALID,
    UNKNOWN_KEY,
)
from gateway.model.ids import MemberId, ServiceId, SubsystemId
from gateway.model.instant import MICROSECONDS, Instant
from gateway.model.usage import RoleName, Usage
from gateway.trust.certificates import (
    Authority,
    Facts,
    PublicKey,
    Unfit,
    examine,
    load_authorities,
    load_certificate,
    public_key,
)
from gateway.trust.document import Member, Role, Service, Subsystem, TrustList
from gateway.trust.jws import VerifiedList

_DAY = 86_400 * MICROSECONDS
_ALARMS = (1, 7)


class Key(Struct, frozen=True, kw_only=True):
    """A listed certificate, compiled.

    keyid: its ``x5t#S256``. key: its public key; None only where ``facts.problem`` says why it can never be used.
    """

    keyid: str
    owner: SubsystemId
    usage: Usage
    certificate: x509.Certificate
    key: PublicKey | None
    facts: Facts

    def check(self, at: Instant) -> None:
        """Raise ExchangeError unless the certificate, its path and what we know of revocations hold at this time."""
        facts = self.facts
        if facts.problem is not None:
            raise ExchangeError(*facts.problem)
        if at < facts.not_before:
            raise ExchangeError(CERTIFICATE_NOT_YET_VALID, f"keyid {self.keyid}")
        if at > facts.not_after:
            raise ExchangeError(CERTIFICATE_EXPIRED, f"keyid {self.keyid}")
        if at >= facts.revoked_from:
            raise ExchangeError(CERTIFICATE_REVOKED, f"keyid {self.keyid}")
        if at > facts.revocation_known_until:
            raise ExchangeError(CRL_STALE, f"for keyid {self.keyid}")

    def require_owner(self, claimed: SubsystemId) -> None:
        """Raise ExchangeError(KEY_OF_ANOTHER) unless the key belongs to the subsystem that claims to call."""
        if self.owner != claimed:
            raise ExchangeError(KEY_OF_ANOTHER, f"keyid {self.keyid} is registered for another subsystem")


class Problem(Struct, frozen=True, kw_only=True):
    """A listed certificate that cannot be used now (the rest of the list can). kind, detail: what its use raises."""

    keyid: str
    owner: SubsystemId
    usage: Usage
    kind: ErrorKind
    detail: str


class TrustStore:
    """The compiled list. Build with ``load``; immutable.

    document: the list as stated. digest: SHA-256 of its payload (hex), as records name the list in force.
    """

    __slots__ = (
        "_authorities",
        "_by_der",
        "_by_serial",
        "_by_sha1",
        "_keys",
        "_members",
        "_networks",
        "_not_after",
        "_services",
        "_subsystems",
        "digest",
        "document",
    )

    def __init__(self, document: TrustList, digest: str, keys: Sequence[Key], authorities: Sequence[Authority]) -> None:
        self.document = document
        self.digest = digest
        self._authorities = tuple(authorities)
        self._not_after = document.valid_until
        self._keys = {key.keyid: key for key in keys}
        self._by_der = {listed.der: self._keys[listed.keyid] for listed in document.certificates}
        self._by_sha1 = {
            hashlib.sha1(der, usedforsecurity=False).digest(): key.keyid for der, key in self._by_der.items()
        }
        self._by_serial: dict[int, tuple[str, ...]] = {}
        for key in keys:
            serial = key.certificate.serial_number
            self._by_serial[serial] = (*self._by_serial.get(serial, ()), key.keyid)
        self._members = {member.id: member for member in document.members}
        self._subsystems = {subsystem.id: subsystem for subsystem in document.subsystems}
        self._services = {service.id: service for service in document.services}
        self._networks = {
            subsystem.id: tuple(parse_network(text) for text in subsystem.networks)
            for subsystem in document.subsystems
            if subsystem.networks
        }

    @classmethod
    def load(cls, verified: VerifiedList, *, crls: Sequence[bytes] = ()) -> "TrustStore":
        """Compile a verified list. crls: newer revocation lists (DER) of its authorities, beside those it carries.

        A certificate that can never be used (wrong CA, weak, wrong usage) does not refuse the list: using it raises,
        and ``problems`` names it. Raises ExchangeError(TRUST_LIST_INVALID) for what nobody can read, and for
        authorities and revocation lists that are not what they should be.
        """
        document = verified.document
        try:
            authorities = load_authorities(document.authorities, (*document.crls, *crls))
            keys = [
                _compile(listed.der, listed.keyid, listed.usage, listed.owner, authorities)
                for listed in document.certificates
            ]
        except ValueError as error:
            raise ExchangeError(TRUST_LIST_INVALID, str(error)) from None
        return cls(document, verified.digest, keys, authorities)

    # -- keys and certificates ---------------------------------------------------------------------------------

    def signing_key(self, keyid: str, at: Instant) -> Key:
        """A subsystem's signing key, valid at this time. Raises ExchangeError.

        UNKNOWN_KEY: not listed, or listed for something else than a subsystem's own signatures.
        """
        key = self._keys.get(keyid)
        if key is None or key.usage is not Usage.SIGN:
            raise ExchangeError(UNKNOWN_KEY, "no signing certificate with this keyid is listed")
        self._admit(key, at)
        return key

    def gateway_key(self, keyid: str, at: Instant) -> Key:
        """A gateway's signing key (its own or a hosted one), valid at this time. Raises ExchangeError."""
        key = self._keys.get(keyid)
        if key is None or (key.usage is not Usage.GATEWAY_SIGN and key.usage is not Usage.HOSTED_SIGN):
            raise ExchangeError(UNKNOWN_KEY, "no gateway certificate with this keyid is listed")
        self._admit(key, at)
        return key

    def tls_identity(self, certificate: bytes, at: Instant) -> SubsystemId:
        """The subsystem that a TLS client certificate (DER) belongs to, valid at this time. Raises ExchangeError."""
        key = self._by_der.get(certificate)
        if key is None or key.usage is not Usage.TLS:
            raise ExchangeError(UNKNOWN_KEY, "this TLS client certificate is not listed")
        self._admit(key, at)
        return key.owner

    def tls_owner(self, certificate: bytes) -> SubsystemId | None:
        """The subsystem that a TLS client certificate (DER) is listed for, valid or not; None if it is not listed."""
        key = self._by_der.get(certificate)
        return None if key is None else key.owner

    def hosted_key(self, keyid: str, subsystem: SubsystemId, at: Instant) -> Key:
        """A key that a gateway holds for a subsystem, valid at this time. Raises ExchangeError.

        HOSTED_KEY_MISSING: not listed as a hosted key of exactly this subsystem.
        """
        key = self._keys.get(keyid)
        if key is None or key.usage is not Usage.HOSTED_SIGN or key.owner != subsystem:
            raise ExchangeError(HOSTED_KEY_MISSING, f"the trust list has no hosted key {keyid} of {subsystem}")
        self._admit(key, at)
        return key

    def check_network(self, subsystem: SubsystemId, address: str) -> None:
        """Raise ExchangeError(NETWORK_NOT_LISTED) unless a call by mutual TLS alone may come from this address: one of
        the subsystem's networks, or any where its entry names none.
        """
        networks = self._networks.get(subsystem)
        if networks is None:
            return
        parsed = parse_address(address)
        if parsed is None or not any(parsed in network for network in networks):
            raise ExchangeError(NETWORK_NOT_LISTED, f"of {subsystem}")

    def key(self, keyid: str) -> Key | None:
        """A listed certificate, valid or not."""
        return self._keys.get(keyid)

    def listed(self) -> tuple[Key, ...]:
        """All listed certificates, so that the composition builds its verifiers once."""
        return tuple(self._keys.values())

    def keyids_by_serial(self, serial: int) -> tuple[str, ...]:
        """Keyids whose certificate has this serial number: candidates for a WS-Security IssuerSerial, a mere hint."""
        return self._by_serial.get(serial, ())

    def keyid_by_sha1(self, digest: bytes) -> str | None:
        """The keyid for a WS-Security ThumbprintSHA1, a mere hint: what is verified is the listed certificate."""
        return self._by_sha1.get(digest)

    def keyid_by_der(self, certificate: bytes) -> str | None:
        """The keyid for a BinarySecurityToken, a mere hint; None if exactly this certificate is not listed."""
        key = self._by_der.get(certificate)
        return None if key is None else key.keyid

    def authorities(self) -> tuple[x509.Certificate, ...]:
        """The CA certificates, for TLS contexts and evidence."""
        return tuple(authority.certificate for authority in self._authorities)

    # -- parties -----------------------------------------------------------------------------------------------

    def member(self, identifier: MemberId) -> Member | None:
        """A listed member."""
        return self._members.get(identifier)

    def subsystem(self, identifier: SubsystemId) -> Subsystem | None:
        """A listed subsystem, with the proof schemes it may use."""
        return self._subsystems.get(identifier)

    def service(self, identifier: ServiceId) -> Service | None:
        """A listed service."""
        return self._services.get(identifier)

    def roles(self, name: RoleName) -> tuple[Role, ...]:
        """Who holds a role."""
        return tuple(role for role in self.document.roles if role.role is name)

    # -- health ------------------------------------------------------------------------------------------------

    def check_current(self, at: Instant) -> None:
        """Raise ExchangeError(TRUST_LIST_EXPIRED) after the list's end: nothing new is admitted then."""
        if at > self._not_after:
            raise ExchangeError(TRUST_LIST_EXPIRED, f"list {self.document.serial}")

    def days_left_alarm(self, at: Instant) -> int | None:
        """1 or 7 when the list ends within so many days, 0 when it has ended, None while there is no hurry."""
        left = self._not_after - at
        if left < 0:
            return 0
        return next((days for days in _ALARMS if left <= days * _DAY), None)

    def problems(self, at: Instant) -> tuple[Problem, ...]:
        """Every listed certificate that cannot be used at this time, and why; for ``motlan check`` and alarms."""
        found = []
        for key in self._keys.values():
            try:
                key.check(at)
            except ExchangeError as error:
                found.append(
                    Problem(keyid=key.keyid, owner=key.owner, usage=key.usage, kind=error.kind, detail=error.detail)
                )
        return tuple(found)

    def _admit(self, key: Key, at: Instant) -> None:
        if at > self._not_after:
            self.check_current(at)
        key.check(at)


def _compile(der: bytes, keyid: str, usage: Usage, owner: SubsystemId, authorities: Sequence[Authority]) -> Key:
    try:
        certificate = load_certificate(der)
    except ValueError:
        raise ValueError(f"the certificate {keyid} of {owner} cannot be read") from None
    try:
        key = public_key(certificate)
    except Unfit:
        key = None  # examine() finds the same, and says it
    return Key(
        keyid=keyid,
        owner=owner,
        usage=usage,
        certificate=certificate,
        key=key,
        facts=examine(certificate, usage, authorities),
    )
