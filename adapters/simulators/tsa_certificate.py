"""The development timestamp authority's key and certificate, issued by the development issuing CA."""

from pathlib import Path
from typing import cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from adapters.simulators.tsa import TsaSimulator
from gateway.keys.file import load_private_key, write_private_key
from gateway.keys.issue import DevelopmentAuthority, Profile, new_key
from gateway.keys.onboarding import certificate_pem
from gateway.model.instant import Instant, plus
from gateway.model.usage import Usage

_DAY = 86_400


def make_tsa(folder: Path, *, now: Instant, days: int = 365) -> tuple[Path, Path]:
    """Key and certificate in ``tsa/`` of a folder that ``pki.make`` filled, PEM; what is there already stays."""
    key_file, certificate_file = folder / "tsa/tsa.key.pem", folder / "tsa/tsa.pem"
    if certificate_file.exists():
        return key_file, certificate_file
    issuing = x509.load_pem_x509_certificate((folder / "ca/issuing.pem").read_bytes())
    issuing_key = cast("EllipticCurvePrivateKey", load_private_key(folder / "ca/issuing.key.pem"))
    key = new_key()
    profile = Profile(
        usage=Usage.SIGN,
        common_name="Motlan Development TSA",
        organization="Motlan Development",
        not_before=plus(now, -3600),
        not_after=plus(now, days * _DAY),
    )
    # RFC 3161 §2.3: this purpose, critical, and no other.
    purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
    builder = DevelopmentAuthority(issuing, issuing_key).certify(key.public_key(), profile)
    certificate = builder.add_extension(purpose, critical=True).sign(issuing_key, hashes.SHA256())
    key_file.parent.mkdir(mode=0o700, exist_ok=True)
    key_file.unlink(missing_ok=True)  # of a run that died between the two
    write_private_key(key_file, key)
    certificate_file.write_bytes(certificate_pem(certificate.public_bytes(Encoding.DER)))
    return key_file, certificate_file


def tsa_of(folder: Path) -> TsaSimulator:
    """The authority with the key and certificate in ``tsa/``."""
    certificate = x509.load_pem_x509_certificate((folder / "tsa/tsa.pem").read_bytes())
    issuing = x509.load_pem_x509_certificate((folder / "ca/issuing.pem").read_bytes())
    key = cast("EllipticCurvePrivateKey", load_private_key(folder / "tsa/tsa.key.pem"))
    return TsaSimulator(certificate, key, (issuing,))
