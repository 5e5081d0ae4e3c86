"""Making keys, certificate requests, certificates and revocation lists.

Requests (CSRs) are what a member sends to its certificate authority. The authority here is a small one for development
and tests; in production a licensed authority issues, and only its certificates go into the trust list.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    SECP384R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa_key
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from msgspec import Struct

from gateway.model.instant import Instant, plus, to_datetime
from gateway.model.usage import HOSTED_KEY_POLICY, Usage
from gateway.trust.certificates import PublicKey

PrivateKey = EllipticCurvePrivateKey | Ed25519PrivateKey | RSAPrivateKey

_EXTENDED = {
    Usage.TLS: (ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH),
    Usage.GATEWAY_TLS: (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH),
}
_NO_USAGE = {
    "digital_signature": False,
    "content_commitment": False,
    "key_encipherment": False,
    "data_encipherment": False,
    "key_agreement": False,
    "key_cert_sign": False,
    "crl_sign": False,
    "encipher_only": False,
    "decipher_only": False,
}


class KeyKind(StrEnum):
    """Kinds of keys that the gateway takes, one for each signature algorithm."""

    P256 = "p256"
    P384 = "p384"
    ED25519 = "ed25519"
    RSA3072 = "rsa3072"


def new_key(kind: KeyKind = KeyKind.P256) -> PrivateKey:
    """A fresh private key, in memory."""
    match kind:
        case KeyKind.P256:
            return generate_private_key(SECP256R1())
        case KeyKind.P384:
            return generate_private_key(SECP384R1())
        case KeyKind.ED25519:
            return Ed25519PrivateKey.generate()
        case KeyKind.RSA3072:
            return generate_rsa_key(65_537, 3072)


def request(key: PrivateKey, *, common_name: str, organization: str, hosts: Sequence[str] = ()) -> bytes:
    """A certificate request (PKCS #10) in PEM.

    common_name: the subsystem, ``VN/GOV/H31/portal`` (64 characters at most, X.520). hosts: DNS names and IP addresses,
    for a TLS certificate. Raises ValueError.
    """
    builder = x509.CertificateSigningRequestBuilder().subject_name(_name(common_name, organization))
    if hosts:
        builder = builder.add_extension(_alternative_names(hosts), critical=False)
    return builder.sign(key, _hash_for(key)).public_bytes(Encoding.PEM)


def read_request(pem: bytes) -> x509.CertificateSigningRequest:
    """Parse a request and check that its sender holds the key. Raises ValueError."""
    parsed = x509.load_pem_x509_csr(pem)
    if not parsed.is_signature_valid:
        raise ValueError("the request is not signed with the key that it names")
    return parsed


class Profile(Struct, frozen=True, kw_only=True):
    """What is certified, beside the key. hosts: DNS names and IP addresses. key_usage: overrides what usage implies."""

    usage: Usage
    common_name: str
    organization: str
    not_before: Instant
    not_after: Instant
    hosts: tuple[str, ...] = ()
    key_usage: frozenset[str] = frozenset({"digital_signature"})


class DevelopmentAuthority:
    """A certificate authority that lives in memory. certificate: its own. Not for production: it keeps no register."""

    def __init__(self, certificate: x509.Certificate, key: PrivateKey) -> None:
        self.certificate = certificate
        self._key = key

    @classmethod
    def root(cls, name: str, organization: str, key: PrivateKey, *, now: Instant, days: int) -> "DevelopmentAuthority":
        """A self-signed root."""
        subject = _name(name, organization)
        builder = _builder(subject, subject, key.public_key(), plus(now, -86_400), plus(now, days * 86_400))
        builder = _as_authority(builder, key.public_key(), key.public_key(), path_length=1)
        return cls(builder.sign(key, _hash_for(key)), key)

    def subordinate(
        self, name: str, organization: str, key: PrivateKey, *, now: Instant, days: int
    ) -> "DevelopmentAuthority":
        """An issuing authority below this one."""
        public, end = key.public_key(), plus(now, days * 86_400)
        subject = _name(name, organization)
        builder = _builder(subject, self.certificate.subject, public, plus(now, -86_400), end)
        builder = _as_authority(builder, public, self._key.public_key(), path_length=0)
        return type(self)(builder.sign(self._key, _hash_for(self._key)), key)

    def issue(self, public_key: PublicKey, profile: Profile) -> bytes:
        """A certificate, DER."""
        return self.certify(public_key, profile).sign(self._key, _hash_for(self._key)).public_bytes(Encoding.DER)

    def certify(self, public_key: PublicKey, profile: Profile) -> x509.CertificateBuilder:
        """The certificate before it is signed."""
        subject = _name(profile.common_name, profile.organization)
        builder = _builder(
            subject, self.certificate.subject, public_key, profile.not_before, profile.not_after
        ).add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = _identified(builder, public_key, self._key.public_key())
        builder = builder.add_extension(_key_usage(profile.key_usage), critical=True)
        if profile.usage in _EXTENDED:
            builder = builder.add_extension(x509.ExtendedKeyUsage(_EXTENDED[profile.usage]), critical=False)
        if profile.hosts:
            builder = builder.add_extension(_alternative_names(profile.hosts), critical=False)
        if profile.usage is Usage.HOSTED_SIGN:
            policy = x509.PolicyInformation(x509.ObjectIdentifier(HOSTED_KEY_POLICY), None)
            builder = builder.add_extension(x509.CertificatePolicies([policy]), critical=False)
        return builder

    def crl(
        self, revoked: Mapping[int, Instant], *, this_update: Instant, next_update: Instant, number: int = 1
    ) -> bytes:
        """A revocation list, DER. revoked: serial number → since when."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.subject)
            .last_update(to_datetime(this_update))
            .next_update(to_datetime(next_update))
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .add_extension(x509.CRLNumber(number), critical=False)
        )
        for serial, since in revoked.items():
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(to_datetime(since)).build()
            builder = builder.add_revoked_certificate(entry)
        return builder.sign(self._key, _hash_for(self._key)).public_bytes(Encoding.DER)


def _hash_for(key: PrivateKey) -> hashes.SHA256 | hashes.SHA384 | None:
    if isinstance(key, Ed25519PrivateKey):
        return None
    is_p384 = isinstance(key, EllipticCurvePrivateKey) and key.curve.name == "secp384r1"
    return hashes.SHA384() if is_p384 else hashes.SHA256()


def _name(common_name: str, organization: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "VN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, public_key: PublicKey, not_before: Instant, not_after: Instant
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(to_datetime(not_before))
        .not_valid_after(to_datetime(not_after))
    )


def _identified(
    builder: x509.CertificateBuilder, subject_key: PublicKey, issuer_key: PublicKey
) -> x509.CertificateBuilder:
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(subject_key), critical=False).add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False
    )


def _as_authority(
    builder: x509.CertificateBuilder, subject_key: PublicKey, issuer_key: PublicKey, *, path_length: int
) -> x509.CertificateBuilder:
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
    builder = builder.add_extension(_key_usage(frozenset({"key_cert_sign", "crl_sign"})), critical=True)
    return _identified(builder, subject_key, issuer_key)


def _key_usage(bits: frozenset[str]) -> x509.KeyUsage:
    return x509.KeyUsage(**(_NO_USAGE | dict.fromkeys(bits, True)))


def _alternative_names(hosts: Sequence[str]) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([_general_name(host) for host in hosts])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)
