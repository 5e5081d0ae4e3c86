"""Writing the next trust list: each function takes a list and returns a changed one, still unsigned.

Raises ValueError, naming the identifier at fault, whenever the outcome would contradict itself.
"""

from collections.abc import Iterable

from msgspec.structs import replace

from gateway.model.envelope import ProofScheme
from gateway.model.ids import MemberId, SubsystemId
from gateway.model.instant import Instant
from gateway.model.usage import Usage
from gateway.trust.certificates import examine, load_authorities, load_certificate
from gateway.trust.document import (
    ListedCertificate,
    Member,
    Service,
    Signers,
    Subsystem,
    TrustList,
    thumbprint,
)


def with_member(this: TrustList, identifier: MemberId, name: str) -> TrustList:
    """The list with a member, or with its new name."""
    others = tuple(member for member in this.members if member.id != identifier)
    return replace(this, members=(*others, Member(id=identifier, name=name)))


def with_subsystem(
    this: TrustList,
    identifier: SubsystemId,
    *,
    name: str = "",
    schemes: Iterable[ProofScheme] = (ProofScheme.HTTP_SIGNATURE,),
    networks: tuple[str, ...] = (),
) -> TrustList:
    """The list with a subsystem of a listed member, or with its new entry."""
    others = tuple(subsystem for subsystem in this.subsystems if subsystem.id != identifier)
    added = Subsystem(id=identifier, name=name, schemes=frozenset(schemes), networks=networks)
    return replace(this, subsystems=(*others, added))


def with_service(this: TrustList, service: Service) -> TrustList:
    """The list with a service of a listed subsystem, or with its new entry."""
    others = tuple(other for other in this.services if other.id != service.id)
    return replace(this, services=(*others, service))


def with_certificate(this: TrustList, certificate: bytes, usage: Usage, owner: SubsystemId) -> TrustList:
    """The list with one more certificate (DER). One that could never be used here is refused, saying why."""
    authorities = load_authorities(this.authorities, this.crls)
    problem = examine(load_certificate(certificate), usage, authorities).problem
    if problem is not None:
        kind, detail = problem
        raise ValueError(f"{kind.title.en}: {detail}")
    listed = ListedCertificate(der=certificate, usage=usage, owner=owner)
    return replace(this, certificates=(*this.certificates, listed))


def without_certificate(this: TrustList, keyid: str) -> TrustList:
    """The list without a certificate: the quickest way to lock a key out."""
    kept = tuple(certificate for certificate in this.certificates if certificate.keyid != keyid)
    if len(kept) == len(this.certificates):
        raise ValueError(f"no certificate with the keyid {keyid} is listed")
    return replace(this, certificates=kept)


def with_revocations(this: TrustList, crls: Iterable[bytes]) -> TrustList:
    """The list with these revocation lists (DER) in place of its own; each must be signed by a listed authority."""
    replaced = tuple(crls)
    load_authorities(this.authorities, replaced)
    return replace(this, crls=replaced)


def with_signers(this: TrustList, signers: Signers) -> TrustList:
    """The list stating other signers from now on: the old *and* the new ones must sign it."""
    return replace(this, signers=signers)


def renewed(this: TrustList, *, issued: Instant, valid_until: Instant) -> TrustList:
    """The list under the next serial, ready to be signed."""
    return replace(this, serial=this.serial + 1, issued=issued, valid_until=valid_until)


def differences(old: TrustList, new: TrustList) -> tuple[str, ...]:
    """What a signer should read before signing: one line for each thing added (+), removed (-) or changed (~)."""
    before, after = _things(old), _things(new)
    lines = [f"+ {name}" for name in after if name not in before]
    lines += [f"- {name}" for name in before if name not in after]
    lines += [f"~ {name}" for name in after if name in before and before[name] != after[name]]
    return tuple(sorted(lines, key=lambda line: line[2:]))


def _things(this: TrustList) -> dict[str, object]:
    things: dict[str, object] = {f"member {member.id}": member for member in this.members}
    things |= {f"subsystem {subsystem.id}": subsystem for subsystem in this.subsystems}
    things |= {f"service {service.id}": service for service in this.services}
    things |= {f"certificate {each.usage} of {each.owner} {each.keyid}": each for each in this.certificates}
    things |= {f"authority {thumbprint(der)}": der for der in this.authorities}
    things |= {f"revocation list {thumbprint(der)}": der for der in this.crls}
    things |= {f"{role.role} {role.name} {role.id}": role for role in this.roles}
    things |= {f"log {log.origin} {log.vkey.rpartition('+')[2]}": log for log in this.logs}
    things |= {f"signer {signer}": this.signers.required for signer in this.signers.by_id}
    return things
