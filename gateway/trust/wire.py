"""A trust list as JSON, and back: the payload that its signers sign.

Identifiers are written as paths, times in RFC 3339 with Z, certificates, keys and CRLs as base64 of their DER (as in
``x5c``, RFC 7515 §4.1.6). Unknown members are refused: a list that says more than we understand is not obeyed by half.
"""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Struct, field

from gateway.model.envelope import ProofScheme
from gateway.model.errors import ExchangeError
from gateway.model.errors.trust import TRUST_LIST_INVALID
from gateway.model.ids import MemberId, encode, parse_service, parse_subsystem
from gateway.model.instant import from_datetime, to_datetime
from gateway.model.usage import RoleName, ServiceType, Usage
from gateway.trust.document import (
    ListedCertificate,
    Log,
    Member,
    Role,
    Service,
    Signers,
    Subsystem,
    TrustList,
)

_Aware = Annotated[datetime, msgspec.Meta(tz=True)]


class _Object(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of the JSON objects."""


class _Member(_Object, frozen=True):
    id: str
    name: str


class _Subsystem(_Object, frozen=True):
    id: str
    name: str = ""
    schemes: tuple[ProofScheme, ...] = ()
    networks: tuple[str, ...] = ()


class _Service(_Object, frozen=True):
    id: str
    type: ServiceType
    title: str = ""


class _Certificate(_Object, frozen=True):
    owner: str
    usage: Usage
    x5t: str = field(name="x5t#S256")
    der: bytes


class _Role(_Object, frozen=True):
    role: RoleName
    name: str
    key: bytes
    until: _Aware | None = None


class _Log(_Object, frozen=True):
    origin: str
    vkey: str


class _Signers(_Object, frozen=True):
    required: int
    keys: tuple[bytes, ...]


class _List(_Object, frozen=True):
    serial: int
    issued: _Aware
    valid_until: _Aware
    signers: _Signers
    members: tuple[_Member, ...] = ()
    subsystems: tuple[_Subsystem, ...] = ()
    services: tuple[_Service, ...] = ()
    certificates: tuple[_Certificate, ...] = ()
    authorities: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()
    roles: tuple[_Role, ...] = ()
    logs: tuple[_Log, ...] = ()


_DECODER = msgspec.json.Decoder(_List)


def decode(payload: bytes) -> TrustList:
    """The list that a payload states. Raises ExchangeError(TRUST_LIST_INVALID), saying where it is wrong."""
    try:
        wire = _DECODER.decode(payload)
        return _from_wire(wire)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
        raise ExchangeError(TRUST_LIST_INVALID, str(error)) from None


def encode_list(trust_list: TrustList) -> bytes:
    """The JSON of a list, indented for people, always the same bytes for the same list."""
    return msgspec.json.format(msgspec.json.encode(_to_wire(trust_list)), indent=1) + b"\n"


def _member_id(text: str) -> MemberId:
    identifier = parse_subsystem(text)
    if identifier.subsystem_code is not None:
        raise ValueError("a member is written instance/class/member")
    return identifier.member


def _certificate(wire: _Certificate) -> ListedCertificate:
    certificate = ListedCertificate(der=wire.der, usage=wire.usage, owner=parse_subsystem(wire.owner))
    if certificate.keyid != wire.x5t:
        raise ValueError(f"x5t#S256 {wire.x5t} is not the certificate's beside it ({certificate.keyid})")
    return certificate


def _subsystem(wire: _Subsystem) -> Subsystem:
    return Subsystem(
        id=parse_subsystem(wire.id), name=wire.name, schemes=frozenset(wire.schemes), networks=wire.networks
    )


def _role(wire: _Role) -> Role:
    until = None if wire.until is None else from_datetime(wire.until)
    return Role(role=wire.role, name=wire.name, key=wire.key, until=until)


def _from_wire(wire: _List) -> TrustList:
    return TrustList(
        serial=wire.serial,
        issued=from_datetime(wire.issued),
        valid_until=from_datetime(wire.valid_until),
        signers=Signers(required=wire.signers.required, keys=wire.signers.keys),
        members=tuple(Member(id=_member_id(member.id), name=member.name) for member in wire.members),
        subsystems=tuple(_subsystem(subsystem) for subsystem in wire.subsystems),
        services=tuple(Service(id=parse_service(each.id), type=each.type, title=each.title) for each in wire.services),
        certificates=tuple(_certificate(certificate) for certificate in wire.certificates),
        authorities=wire.authorities,
        crls=wire.crls,
        roles=tuple(_role(role) for role in wire.roles),
        logs=tuple(Log(origin=log.origin, vkey=log.vkey) for log in wire.logs),
    )


def _to_wire(this: TrustList) -> _List:
    return _List(
        serial=this.serial,
        issued=to_datetime(this.issued),
        valid_until=to_datetime(this.valid_until),
        signers=_Signers(required=this.signers.required, keys=this.signers.keys),
        members=tuple(_Member(id=encode(member.id), name=member.name) for member in this.members),
        subsystems=tuple(
            _Subsystem(id=encode(each.id), name=each.name, schemes=tuple(sorted(each.schemes)), networks=each.networks)
            for each in this.subsystems
        ),
        services=tuple(_Service(id=encode(each.id), type=each.type, title=each.title) for each in this.services),
        certificates=tuple(
            _Certificate(owner=encode(each.owner), usage=each.usage, x5t=each.keyid, der=each.der)
            for each in this.certificates
        ),
        authorities=this.authorities,
        crls=this.crls,
        roles=tuple(
            _Role(
                role=role.role,
                name=role.name,
                key=role.key,
                until=None if role.until is None else to_datetime(role.until),
            )
            for role in this.roles
        ),
        logs=tuple(_Log(origin=log.origin, vkey=log.vkey) for log in this.logs),
    )
