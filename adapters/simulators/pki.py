"""A public key infrastructure for development, tests and the demo: all that a gateway and its members need, in files.

Two authorities (root, issuing), a signing and a TLS certificate for each subsystem, the gateway's own keys, hosted
keys, a log key, three trust-list signers of whom two must sign, an auditor and a data-protection officer, revocation
lists, the signed trust list, and, where asked for, certificates that must be refused. Nothing of it is for production.
The list is put together and signed without the gateway's code for it, as another office's tool would do.

``make`` writes into a new folder::

    ca/       root.pem root.key.pem root.crl, issuing.…, bundle.pem (both certificates)
    gateway/  sign.pem sign.key.pem, tls.pem tls.key.pem, log.key.pem, hosted-….pem hosted-….key.pem
    members/  VN_GOV_H24_portal/ sign.pem sign.key.pem tls.pem tls.key.pem …
    signers/  1.key.pem 1.pub.pem …       roles/ auditor.key.pem auditor.pub.pem …
    trust/    draft.json (the list's payload), list.jws (signed)
    tsa/      tsa.pem tsa.key.pem (of a timestamp authority)
    bad/      expired.pem expired.key.pem …
"""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any, cast

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from msgspec import Struct
from msgspec.structs import replace

from adapters.simulators.tsa_certificate import make_tsa
from adapters.simulators.weak_certificate import sign_with_sha1
from gateway.keys.file import write_private_key
from gateway.keys.issue import DevelopmentAuthority, KeyKind, PrivateKey, Profile, new_key
from gateway.keys.onboarding import certificate_pem
from gateway.model.envelope import ProofScheme
from gateway.model.ids import SubsystemId, parse_subsystem
from gateway.model.instant import Instant, plus, rfc3339
from gateway.model.usage import RoleName, ServiceType, Usage

DAY = 86_400
HOSTS = ("localhost", "127.0.0.1", "::1")
"""Where development servers are reached."""

SIGNERS_REQUIRED = 2
SIGNING = frozenset({ProofScheme.HTTP_SIGNATURE, ProofScheme.JWS, ProofScheme.WS_SECURITY})
"""Every way of signing for oneself."""
GATEWAY = parse_subsystem("VN/GOV/G22/motlan")
"""The gateway's own subsystem in the demo: of the Government Office."""


class Offer(Struct, frozen=True):
    """A service of a party."""

    code: str
    type: ServiceType
    title: str = ""


class Party(Struct, frozen=True, kw_only=True):
    """A subsystem to make keys for. kind: of its signing key. hosted: the gateway holds a key that signs for it.
    networks: where its mTLS-only calls may come from (CIDR); none: anywhere.
    """

    id: SubsystemId
    organization: str
    name: str = ""
    kind: KeyKind = KeyKind.P256
    schemes: frozenset[ProofScheme] = SIGNING
    hosted: bool = False
    networks: tuple[str, ...] = ()
    services: tuple[Offer, ...] = ()


class Identity(Struct, frozen=True, kw_only=True):
    """A subsystem's files, all PEM."""

    subsystem: SubsystemId
    key: Path
    certificate: Path
    tls_key: Path
    tls_certificate: Path


class Bad(Struct, frozen=True, kw_only=True):
    """A certificate that must be refused, listed for ``owner``."""

    owner: SubsystemId
    key: Path
    certificate: Path


class Pki(Struct, frozen=True, kw_only=True):
    """What ``make`` made.

    signers: private keys; signer_keys: the public ones, of which a gateway's configuration pins all, requiring
    SIGNERS_REQUIRED. hosted, tsa: key and certificate. log_vkey: C2SP verifier key. bad, bad_tls: signing and TLS
    certificates that must be refused, by name; empty unless asked for.
    """

    folder: Path
    root: Path
    bundle: Path
    crls: tuple[Path, ...]
    gateway: Identity
    log_key: Path
    log_vkey: str
    identities: dict[SubsystemId, Identity]
    hosted: dict[SubsystemId, tuple[Path, Path]]
    signers: tuple[Path, ...]
    signer_keys: tuple[Path, ...]
    role_keys: dict[RoleName, Path]
    trust_list: Path
    tsa: tuple[Path, Path]
    bad: dict[str, Bad]
    bad_tls: dict[str, Bad]


def make(
    folder: Path,
    parties: tuple[Party, ...],
    *,
    now: Instant,
    days: int = 90,
    crl_days: int = 30,
    bad: bool = False,
    log_origin: str = "motlan.example/log",
    hosts: tuple[str, ...] = HOSTS,
) -> Pki:
    """Make everything, in a folder that has no ``ca`` yet. days: how long certificates and list are valid.

    The bad certificates belong to the first party. Raises FileExistsError rather than replace a key.
    """
    return _Maker(folder, now, days, crl_days, hosts).make(parties, bad=bad, log_origin=log_origin)


class _Maker:
    """One run of ``make``; gathers the list's certificates as it goes."""

    def __init__(self, folder: Path, now: Instant, days: int, crl_days: int, hosts: tuple[str, ...]) -> None:
        self.folder, self.now, self.days, self.crl_days, self.hosts = folder, now, days, crl_days, hosts
        self.listed: list[dict[str, str]] = []
        self.revoked: dict[int, Instant] = {}
        for name in ("ca", "gateway", "members", "signers", "roles", "trust"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        root_key, self.issuing_key = new_key(), new_key()
        self.root = DevelopmentAuthority.root(
            "Motlan Development Root CA", "Motlan Development", root_key, now=now, days=3650
        )
        self.issuing = self.root.subordinate(
            "Motlan Development Issuing CA", "Motlan Development", self.issuing_key, now=now, days=1825
        )
        write_private_key(folder / "ca/root.key.pem", root_key)
        write_private_key(folder / "ca/issuing.key.pem", self.issuing_key)

    def make(self, parties: tuple[Party, ...], *, bad: bool, log_origin: str) -> Pki:
        identities = {party.id: self.identity(self.member_folder(party.id), party) for party in parties}
        operator = Party(id=GATEWAY, organization="Văn phòng Chính phủ", name="Motlan", schemes=frozenset())
        gateway = self.identity(self.folder / "gateway", operator, gateway=True)
        hosted = {party.id: self.hosted(party) for party in parties if party.hosted}
        log_vkey = self.log(log_origin)
        refused = self.bad(parties[0]) if bad else {}
        refused_tls = self.bad_tls(parties[0]) if bad else {}
        crls = self.authorities()
        signers = self.key_pairs("signers", ("1", "2", "3"))
        roles = self.key_pairs("roles", tuple(RoleName))
        document = self.document((*parties, operator), list(signers.values()), list(roles.values()), crls)
        document["logs"] = [{"origin": log_origin, "vkey": log_vkey}]
        return Pki(
            folder=self.folder,
            root=self.folder / "ca/root.pem",
            bundle=self.folder / "ca/bundle.pem",
            crls=(self.folder / "ca/root.crl", self.folder / "ca/issuing.crl"),
            gateway=gateway,
            log_key=self.folder / "gateway/log.key.pem",
            log_vkey=log_vkey,
            identities=identities,
            hosted=hosted,
            signers=tuple(signers),
            signer_keys=tuple(path.with_name(path.name.replace(".key.", ".pub.")) for path in signers),
            role_keys=dict(zip(RoleName, roles, strict=True)),
            trust_list=self.publish(document, list(signers.values())[:SIGNERS_REQUIRED]),
            tsa=make_tsa(self.folder, now=self.now, days=self.days),
            bad=refused,
            bad_tls=refused_tls,
        )

    def log(self, origin: str) -> str:
        """Make the log's key; returns its verifier key (C2SP signed-note): ``name+hash+base64(0x01 ‖ key)``."""
        key = Ed25519PrivateKey.generate()
        write_private_key(self.folder / "gateway/log.key.pem", key)
        public = b"\x01" + key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        key_hash = hashlib.sha256(origin.encode() + b"\n" + public).hexdigest()[:8]
        return f"{origin}+{key_hash}+{base64.b64encode(public).decode()}"

    def member_folder(self, subsystem: SubsystemId) -> Path:
        folder = self.folder / "members" / str(subsystem).replace("/", "_")
        folder.mkdir()
        return folder

    def profile(self, party: Party, usage: Usage) -> Profile:
        return Profile(
            usage=usage,
            common_name=str(party.id)[:64],
            organization=party.organization,
            not_before=plus(self.now, -3600),
            not_after=plus(self.now, self.days * DAY),
            hosts=self.hosts if usage in {Usage.TLS, Usage.GATEWAY_TLS} else (),
        )

    def certify(self, party: Party, usage: Usage, kind: KeyKind, stem: Path) -> tuple[Path, Path]:
        """Make a key, certify and list it; returns the key's and the certificate's file."""
        key = new_key(kind)
        certificate = self.issuing.issue(key.public_key(), self.profile(party, usage))
        self.list_certificate(party, usage, certificate)
        chain = (self.issuing_der(),) if usage in {Usage.TLS, Usage.GATEWAY_TLS} else ()
        return self.write(stem, key, certificate, *chain)

    def list_certificate(self, party: Party, usage: Usage, der: bytes) -> None:
        entry = {"owner": str(party.id), "usage": usage, "x5t#S256": _thumbprint(der), "der": _base64(der)}
        self.listed.append(entry)

    def write(self, stem: Path, key: PrivateKey, *certificates: bytes) -> tuple[Path, Path]:
        key_file, certificate_file = stem.with_name(f"{stem.name}.key.pem"), stem.with_name(f"{stem.name}.pem")
        write_private_key(key_file, key)
        certificate_file.write_bytes(certificate_pem(*certificates))
        return key_file, certificate_file

    def identity(self, folder: Path, party: Party, *, gateway: bool = False) -> Identity:
        sign_usage, tls_usage = (Usage.GATEWAY_SIGN, Usage.GATEWAY_TLS) if gateway else (Usage.SIGN, Usage.TLS)
        key, certificate = self.certify(party, sign_usage, party.kind, folder / "sign")
        tls_key, tls_certificate = self.certify(party, tls_usage, KeyKind.P256, folder / "tls")
        return Identity(
            subsystem=party.id, key=key, certificate=certificate, tls_key=tls_key, tls_certificate=tls_certificate
        )

    def hosted(self, party: Party) -> tuple[Path, Path]:
        stem = self.folder / "gateway" / ("hosted-" + str(party.id).replace("/", "_"))
        return self.certify(party, Usage.HOSTED_SIGN, KeyKind.P256, stem)

    def issuing_der(self) -> bytes:
        return self.issuing.certificate.public_bytes(Encoding.DER)

    def authorities(self) -> tuple[bytes, bytes]:
        """Write the authorities' certificates and revocation lists; returns the latter, DER."""
        root_der, issuing_der = self.root.certificate.public_bytes(Encoding.DER), self.issuing_der()
        folder = self.folder / "ca"
        (folder / "root.pem").write_bytes(certificate_pem(root_der))
        (folder / "issuing.pem").write_bytes(certificate_pem(issuing_der))
        (folder / "bundle.pem").write_bytes(certificate_pem(issuing_der, root_der))
        until = plus(self.now, self.crl_days * DAY)
        since = plus(self.now, -3600)
        root_crl = self.root.crl({}, this_update=since, next_update=until)
        issuing_crl = self.issuing.crl(self.revoked, this_update=since, next_update=until)
        (folder / "root.crl").write_bytes(root_crl)
        (folder / "issuing.crl").write_bytes(issuing_crl)
        return root_crl, issuing_crl

    def key_pairs(self, folder: str, names: tuple[str, ...]) -> dict[Path, PrivateKey]:
        pairs = {}
        for name in names:
            key = new_key()
            file = self.folder / folder / f"{name}.key.pem"
            write_private_key(file, key)
            public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            file.with_name(f"{name}.pub.pem").write_bytes(public)
            pairs[file] = key
        return pairs

    def document(
        self, parties: tuple[Party, ...], signers: list[PrivateKey], roles: list[PrivateKey], crls: tuple[bytes, ...]
    ) -> dict[str, Any]:
        return {
            "serial": 1,
            "issued": rfc3339(self.now),
            "valid_until": rfc3339(plus(self.now, self.days * DAY)),
            "signers": {"required": SIGNERS_REQUIRED, "keys": [_base64(_public(key)) for key in signers]},
            "members": [
                {"id": member, "name": name}
                for member, name in {str(party.id.member): party.organization for party in parties}.items()
            ],
            "subsystems": [
                {"id": str(party.id), "name": party.name, "schemes": sorted(party.schemes)}
                | ({"networks": list(party.networks)} if party.networks else {})
                for party in parties
            ],
            "services": [
                {"id": f"{party.id}/{offer.code}", "type": offer.type, "title": offer.title}
                for party in parties
                for offer in party.services
            ],
            "certificates": self.listed,
            "authorities": [_base64(self.root.certificate.public_bytes(Encoding.DER)), _base64(self.issuing_der())],
            "crls": [_base64(crl) for crl in crls],
            "roles": [
                {"role": role, "name": role, "key": _base64(_public(key))}
                for role, key in zip(RoleName, roles, strict=True)
            ],
        }

    def publish(self, document: dict[str, Any], keys: list[PrivateKey]) -> Path:
        payload = json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"
        (self.folder / "trust/draft.json").write_bytes(payload)
        path = self.folder / "trust/list.jws"
        path.write_bytes(_signed(payload, keys))
        return path

    # -- certificates that must be refused -------------------------------------------------------------------------

    def bad(self, party: Party) -> dict[str, Bad]:
        (self.folder / "bad").mkdir()
        right = self.profile(party, Usage.SIGN)
        day, week = DAY, 7 * DAY

        def within(start: float, end: float) -> Profile:
            return replace(right, not_before=plus(self.now, start), not_after=plus(self.now, end))

        stranger = DevelopmentAuthority.root("Another CA", "Elsewhere", new_key(), now=self.now, days=365)
        keys = {name: new_key() for name in ("expired", "not-yet-valid", "other-ca", "revoked", "wrong-usage", "sha1")}
        public = {name: key.public_key() for name, key in keys.items()}
        certificates = {
            "expired": self.issuing.issue(public["expired"], within(-week, -day)),
            "not-yet-valid": self.issuing.issue(public["not-yet-valid"], within(day, week)),
            "other-ca": stranger.issue(public["other-ca"], right),
            "revoked": self.issuing.issue(public["revoked"], right),
            "wrong-usage": self.issuing.issue(public["wrong-usage"], self.profile(party, Usage.TLS)),
            "sha1": sign_with_sha1(
                self.issuing.issue(public["sha1"], right), cast("EllipticCurvePrivateKey", self.issuing_key)
            ),
        }
        self.revoked[x509.load_der_x509_certificate(certificates["revoked"]).serial_number] = plus(self.now, -60)
        return {name: self.bad_one(party, name, keys[name], der) for name, der in certificates.items()}

    def bad_tls(self, party: Party) -> dict[str, Bad]:
        """After ``bad``."""
        right = self.profile(party, Usage.TLS)
        past = replace(right, not_before=plus(self.now, -7 * DAY), not_after=plus(self.now, -DAY))
        keys = {name: new_key() for name in ("tls-expired", "tls-revoked")}
        certificates = {
            name: self.issuing.issue(key.public_key(), past if name == "tls-expired" else right)
            for name, key in keys.items()
        }
        revoked = x509.load_der_x509_certificate(certificates["tls-revoked"])
        self.revoked[revoked.serial_number] = plus(self.now, -60)
        return {name: self.bad_one(party, name, keys[name], der, Usage.TLS) for name, der in certificates.items()}

    def bad_one(self, party: Party, name: str, key: PrivateKey, der: bytes, usage: Usage = Usage.SIGN) -> Bad:
        self.list_certificate(party, usage, der)
        key_file, certificate_file = self.write(self.folder / "bad" / name, key, der)
        return Bad(owner=party.id, key=key_file, certificate=certificate_file)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _thumbprint(der: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()


def _public(key: PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _signed(payload: bytes, keys: list[PrivateKey]) -> bytes:
    """A JWS in general JSON serialisation (RFC 7515 §7.2.1), made of one compact JWS for each key (all P-256)."""
    signatures, encoded = [], ""
    for key in keys:
        header = {"typ": "motlan-trust+jwt", "kid": _thumbprint(_public(key))}
        compact = jwt.PyJWS().encode(payload, key, algorithm="ES256", headers=header)
        protected, encoded, signature = compact.split(".")
        signatures.append({"protected": protected, "signature": signature})
    return json.dumps({"payload": encoded, "signatures": signatures}).encode() + b"\n"
