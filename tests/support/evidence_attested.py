"""What others say about evidence: witnesses, revocation lists, another timestamp authority, and later trust lists."""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ReasonFlags
from cryptography.x509.oid import ExtendedKeyUsageOID
from msgspec import structs

from adapters.simulators.pki import Pki
from adapters.simulators.tsa import TsaSimulator
from gateway.keys.file import load_private_key
from gateway.keys.issue import DevelopmentAuthority, PrivateKey, Profile, new_key
from gateway.ledger.evidence import Material, Stamp
from gateway.ledger.note import KeyType, VerifierKey, cosign
from gateway.model.instant import Instant, plus, to_datetime, to_seconds
from gateway.model.usage import Usage
from gateway.trust.document import Log
from tests.support import pki as shared_pki
from tests.support.evidence import Bench
from tests.support.ledger import signing_key
from tests.support.pki import DAY, document, signed_list

Reasons = Mapping[int, tuple[Instant, ReasonFlags | None]]
"""Serial number → since when, and why."""


def witness(name: str) -> tuple[VerifierKey, Any]:
    """A witness's key, and what signs with it."""
    return signing_key(("witness", name), f"witness.example/{name}", KeyType.COSIGNATURE)


def cosigned(note: bytes, *names: str, at: Instant) -> bytes:
    """The checkpoint with these witnesses' lines."""
    for name in names:
        key, sign = witness(name)
        note = cosign(note, key, sign, to_seconds(at))
    return note


def witnessed(made: Bench, records: dict[str, Any], lines: bytes, /, **changes: Any) -> Material:
    """The material, its receipts' checkpoint followed by these lines; stamped is what was published without them."""
    published = made.log.files["checkpoint"]
    made.log.files["checkpoint"] = published + lines
    try:
        stamp = Stamp(published, made.stamp(published, plus(made.now, 60)))
        return made.material(records, **{"stamp": stamp, **changes})
    finally:
        made.log.files["checkpoint"] = published


def lines_of(made: Bench, *names: str, at: Instant | None = None) -> bytes:
    """Cosignature lines on the log's newest checkpoint, a few seconds after the exchanges."""
    note = made.log.files["checkpoint"]
    return cosigned(note, *names, at=at or plus(made.now, 10))[len(note) :]


def later_list(made: Bench, serial: int = 2, days: float = 10, **changes: Any) -> bytes:
    """A later trust list, issued so many days after the first."""
    first = document(made.pki)
    issued = plus(first.issued, days * DAY)
    usual = {"serial": serial, "issued": issued, "valid_until": plus(issued, 365 * DAY)}
    return signed_list(made.pki, structs.replace(first, **{**usual, **changes}))


def logs(*vkeys: str) -> tuple[Log, ...]:
    """As a trust list names them."""
    return tuple(Log(origin=vkey.partition("+")[0], vkey=vkey) for vkey in vkeys)


def authority_of(pki: Pki, name: str = "issuing") -> DevelopmentAuthority:
    """One of the PKI's CAs: ``root`` or ``issuing``."""
    certificate = x509.load_pem_x509_certificate((pki.folder / f"ca/{name}.pem").read_bytes())
    return DevelopmentAuthority(certificate, _key(pki, name))


def serial_of(der: bytes) -> int:
    """A certificate's serial number."""
    return x509.load_der_x509_certificate(der).serial_number


def revocation_list(
    issuer: x509.Certificate,
    key: PrivateKey,
    revoked: Reasons,
    *,
    issued: Instant,
    days: float = 60,
    extension: x509.ExtensionType | None = None,
) -> bytes:
    """A CA's revocation list, DER, with reasons. extension: a critical one, such as DeltaCRLIndicator."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.subject)
        .last_update(to_datetime(issued))
        .next_update(to_datetime(plus(issued, days * DAY)))
    )
    if extension is not None:
        builder = builder.add_extension(extension, critical=True)
    for serial, (since, reason) in revoked.items():
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(to_datetime(since))
        if reason is not None:
            entry = entry.add_extension(x509.CRLReason(reason), critical=False)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def crl_of(made: Bench, revoked: Reasons, *, issued: Instant, name: str = "issuing", **more: Any) -> bytes:
    """A revocation list of one of the PKI's CAs."""
    return revocation_list(
        authority_of(made.pki, name).certificate, _key(made.pki, name), revoked, issued=issued, **more
    )


def _key(pki: Pki, name: str) -> Any:
    return load_private_key(pki.folder / f"ca/{name}.key.pem")


class OtherAuthority:
    """A timestamp authority of another office, under CAs of its own that no trust list names.

    now: about when. days: how long before and after it may stamp.
    """

    def __init__(self, now: Instant, *, days: float = 365) -> None:
        self.now = now
        self.keys = {name: new_key() for name in ("root", "issuing", "tsa")}
        early = plus(now, -days * DAY)
        root = DevelopmentAuthority.root("Other TSA Root", "Elsewhere", self.keys["root"], now=early, days=3650)
        below = root.subordinate("Other TSA CA", "Elsewhere", self.keys["issuing"], now=early, days=3650)
        profile = Profile(
            usage=Usage.SIGN,
            common_name="Other TSA",
            organization="Elsewhere",
            not_before=early,
            not_after=plus(now, days * DAY),
        )
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        builder = below.certify(self.keys["tsa"].public_key(), profile).add_extension(purpose, critical=True)
        own = builder.sign(self.keys["issuing"], hashes.SHA256())
        self.certificates = {"root": root.certificate, "issuing": below.certificate, "tsa": own}

    beside: tuple[x509.Certificate, ...] = ()
    """What its tokens carry beyond what they must."""

    def simulator(self, clock: Callable[[], datetime]) -> TsaSimulator:
        """A server with this key."""
        key = self.keys["tsa"]
        assert isinstance(key, EllipticCurvePrivateKey)
        return TsaSimulator(self.certificates["tsa"], key, (self.certificates["issuing"], *self.beside), clock=clock)

    @property
    def roots(self) -> tuple[bytes, ...]:
        """What a verifier trusts."""
        return (self.certificates["root"].public_bytes(Encoding.DER),)

    def crl(self, name: str, revoked: Reasons | None = None, *, issued: Instant | None = None, **more: Any) -> bytes:
        """A revocation list of the ``root`` or the ``issuing`` CA."""
        issued = plus(self.now, -3600) if issued is None else issued
        return revocation_list(self.certificates[name], self.keys[name], revoked or {}, issued=issued, **more)

    def write(self, folder: Path) -> tuple[Path, tuple[Path, ...]]:
        """The root as PEM, and both revocation lists, as files."""
        root = folder / "tsa-root.pem"
        root.write_bytes(self.certificates["root"].public_bytes(Encoding.PEM))
        lists = tuple(folder / f"tsa-{name}.crl" for name in ("root", "issuing"))
        for name, file in zip(("root", "issuing"), lists, strict=True):
            file.write_bytes(self.crl(name))
        return root, lists


class Elsewhere(Bench):
    """A bench whose timestamps are that authority's."""

    def __init__(self, seed: str = "elsewhere") -> None:
        super().__init__(shared_pki.shared(), shared_pki.NOW, seed)
        self.authority = OtherAuthority(self.now)

    def tsa(self, at: Instant | None = None) -> TsaSimulator:
        moment = to_datetime(self.now if at is None else at)
        return self.authority.simulator(lambda: moment)

    @property
    def roots(self) -> tuple[bytes, ...]:
        return self.authority.roots
