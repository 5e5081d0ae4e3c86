"""Timestamp authorities and witnesses for tests."""

import time
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from msgspec import Struct

from adapters.simulators.tsa import TsaSimulator
from gateway.keys.issue import DevelopmentAuthority, PrivateKey, Profile, new_key
from gateway.model.instant import Instant, plus
from gateway.model.usage import Usage

DAY = 86_400


def now() -> Instant:
    """The machine's time: what the simulated authority stamps by default."""
    return Instant(time.time_ns() // 1000)


class Authority(Struct, frozen=True, kw_only=True):
    """A timestamp authority's certificates: its own, of those above it; and its key."""

    root: x509.Certificate
    issuing: x509.Certificate
    certificate: x509.Certificate
    key: PrivateKey

    @property
    def roots(self) -> tuple[bytes, ...]:
        """What a verifier trusts."""
        return (self.root.public_bytes(Encoding.DER),)

    def simulator(self) -> TsaSimulator:
        """A server with this key."""
        return TsaSimulator(self.certificate, self.key, (self.issuing,))

    def write_roots(self, folder: Path) -> Path:
        """The root as a PEM file."""
        file = folder / "tsa-root.pem"
        file.write_bytes(self.root.public_bytes(Encoding.PEM))
        return file


def authority(
    *, purpose: str = "stamping", critical: bool = True, starts: float = -3600, ends: float = 30 * DAY
) -> Authority:
    """A new one. purpose: stamping, signing (another one), none. starts, ends: seconds from now."""
    made, root_key, issuing_key, key = now(), new_key(), new_key(), new_key()
    root = DevelopmentAuthority.root("Test TSA Root", "Test", root_key, now=made, days=3650)
    issuing = root.subordinate("Test TSA Issuing", "Test", issuing_key, now=made, days=3650)
    profile = Profile(
        usage=Usage.SIGN,
        common_name="Test TSA",
        organization="Test",
        not_before=plus(made, starts),
        not_after=plus(made, ends),
    )
    builder = issuing.certify(key.public_key(), profile)
    kinds = {"stamping": ExtendedKeyUsageOID.TIME_STAMPING, "signing": ExtendedKeyUsageOID.CODE_SIGNING}
    if purpose in kinds:
        builder = builder.add_extension(x509.ExtendedKeyUsage([kinds[purpose]]), critical=critical)
    certificate = builder.sign(issuing_key, hashes.SHA256())
    return Authority(root=root.certificate, issuing=issuing.certificate, certificate=certificate, key=key)
