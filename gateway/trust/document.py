"""What a trust list says (protocols.md §2, "Trust list"), as frozen types that cannot be built contradictory.

Rules kept here: ids occur once; a subsystem's member, a service's and a certificate's subsystem are listed too; a
certificate occurs once, under one usage. Whether the certificates are any good is ``certificates.py``'s question.
"""

import base64
import hashlib
import ipaddress
from collections.abc import Iterable
from typing import TypeVar

from msgspec import Struct

from gateway.model.envelope import ProofScheme
from gateway.model.ids import MemberId, ServiceId, SubsystemId
from gateway.model.instant import Instant
from gateway.model.usage import RoleName, ServiceType, Usage

T = TypeVar("T")

MAX_SERIAL = 2**53 - 1
"""So that every JSON reader keeps the number."""


def thumbprint(der: bytes) -> str:
    """SHA-256 in base64url without padding: of a certificate its keyid (``x5t#S256``), of a public key its id."""
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()


class Member(Struct, frozen=True, kw_only=True):
    """An organisation. name: as people know it."""

    id: MemberId
    name: str


class Subsystem(Struct, frozen=True, kw_only=True):
    """An information system of a member.

    schemes: how it may prove itself; empty for one that never calls. networks: where its mTLS-only calls may come
    from, in CIDR form; empty: anywhere.
    """

    id: SubsystemId
    name: str = ""
    schemes: frozenset[ProofScheme] = frozenset()
    networks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.id.subsystem_code is None:
            raise ValueError(f"{self.id} names a member, not a subsystem")
        if ProofScheme.NONE in self.schemes:
            raise ValueError(f"{self.id}: none is not a proof scheme")
        for network in self.networks:
            ipaddress.ip_network(network)


class Service(Struct, frozen=True, kw_only=True):
    """A service and how it speaks. Where it is reached stands in the gateway's own configuration."""

    id: ServiceId
    type: ServiceType
    title: str = ""


class ListedCertificate(Struct, frozen=True, kw_only=True):
    """A certificate in DER, its one usage, and the subsystem it belongs to (of a hosted key: the one it speaks for)."""

    der: bytes
    usage: Usage
    owner: SubsystemId

    @property
    def keyid(self) -> str:
        """Its ``x5t#S256``, which signatures name."""
        return thumbprint(self.der)


class Role(Struct, frozen=True, kw_only=True):
    """A person's or office's public key (SubjectPublicKeyInfo in DER) in a role. until: the last instant in which it
    holds; None: for as long as it is listed.
    """

    role: RoleName
    name: str
    key: bytes
    until: Instant | None = None

    @property
    def id(self) -> str:
        """The key's thumbprint."""
        return thumbprint(self.key)


class Log(Struct, frozen=True, kw_only=True):
    """A gateway's transparency log: its origin and its C2SP verifier key (``name+hash+base64``)."""

    origin: str
    vkey: str


class Signers(Struct, frozen=True, kw_only=True):
    """Who signs trust lists: public keys (SubjectPublicKeyInfo in DER), and how many of them must."""

    required: int
    keys: tuple[bytes, ...]

    def __post_init__(self) -> None:
        if len(set(self.keys)) != len(self.keys):
            raise ValueError("a signer's key is given twice")
        if not 1 <= self.required <= len(self.keys):
            raise ValueError("how many signers must sign lies between one and the number of keys")

    @property
    def by_id(self) -> dict[str, bytes]:
        """Signer id (thumbprint of the key) → key."""
        return {thumbprint(key): key for key in self.keys}

    @property
    def digest(self) -> str:
        """One value that tells two sets of signers apart, whatever the order of their keys."""
        return thumbprint(b"%d\n" % self.required + "\n".join(sorted(self.by_id)).encode())


class TrustList(Struct, frozen=True, kw_only=True):
    """The whole list. signers: who signs from this list on (a change needs old and new signatures on it).

    Raises ValueError, naming the identifier at fault, when it contradicts itself.
    """

    serial: int
    issued: Instant
    valid_until: Instant
    signers: Signers
    members: tuple[Member, ...] = ()
    subsystems: tuple[Subsystem, ...] = ()
    services: tuple[Service, ...] = ()
    certificates: tuple[ListedCertificate, ...] = ()
    authorities: tuple[bytes, ...] = ()
    """CA certificates (DER), roots and the CAs below them."""
    crls: tuple[bytes, ...] = ()
    """Revocation lists (DER) of those authorities."""
    roles: tuple[Role, ...] = ()
    logs: tuple[Log, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= self.serial <= MAX_SERIAL:
            raise ValueError("a serial lies between 1 and 2^53-1")
        if self.issued >= self.valid_until:
            raise ValueError("the list ends before it begins")
        members = _unique("member", (member.id for member in self.members))
        subsystems = _unique("subsystem", (subsystem.id for subsystem in self.subsystems))
        services = _unique("service", (service.id for service in self.services))
        _unique("certificate", (certificate.keyid for certificate in self.certificates))
        _unique("log", (log.vkey for log in self.logs))
        _listed("member", (subsystem.member for subsystem in subsystems), members)
        _listed("subsystem", (service.subsystem for service in services), subsystems)
        _listed("subsystem", (certificate.owner for certificate in self.certificates), subsystems)


def _unique(noun: str, values: Iterable[T]) -> set[T]:
    seen: set[T] = set()
    for value in values:
        if value in seen:
            raise ValueError(f"{noun} {value} is listed twice")
        seen.add(value)
    return seen


def _listed(noun: str, used: Iterable[T], known: set[T]) -> None:
    for value in used:
        if value not in known:
            raise ValueError(f"{noun} {value} is used but not listed")
