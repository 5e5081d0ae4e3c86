"""A newcomer's way into the trust list, as files: request → certificate → draft → signatures → publication.

Who holds what: the member its private keys; the authority its own; each signer, on a machine that is not the gateway,
a signing key for lists. A *draft* is a list's JSON, unsigned; a *signed list* is the JWS (``gateway.trust.jws``).
"""

import os
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import DNSName, ExtensionNotFound, IPAddress, SubjectAlternativeName, load_der_x509_certificate
from cryptography.x509.oid import NameOID

from gateway.keys.file import load_certificates, load_private_key, write_private_key
from gateway.keys.issue import DevelopmentAuthority, KeyKind, PrivateKey, Profile, new_key, read_request, request
from gateway.model.errors import ExchangeError
from gateway.model.errors.trust import KEY_FILE_UNUSABLE, TRUST_LIST_INVALID
from gateway.model.ids import SubsystemId
from gateway.model.instant import Instant
from gateway.model.usage import Usage
from gateway.trust.document import Signers, TrustList
from gateway.trust.jws import LastSeen, VerifiedList, add_signature, payload_of, sign, verify
from gateway.trust.store import TrustStore
from gateway.trust.wire import decode, encode_list

_MAX_COMMON_NAME = 64  # X.520 ub-common-name


def request_certificate(
    folder: Path,
    subsystem: SubsystemId,
    *,
    organization: str,
    usage: Usage,
    kind: KeyKind = KeyKind.P256,
    hosts: tuple[str, ...] = (),
    passphrase: str | None = None,
) -> tuple[Path, Path]:
    """Make a key and a certificate request for it: ``{usage}.key.pem`` (mode 0600) and ``{usage}.csr.pem``.

    Returns both paths. Raises FileExistsError rather than replace a key.
    """
    folder.mkdir(parents=True, exist_ok=True)
    key_file, request_file = folder / f"{usage}.key.pem", folder / f"{usage}.csr.pem"
    key = new_key(kind)
    pem = request(key, common_name=str(subsystem)[:_MAX_COMMON_NAME], organization=organization, hosts=hosts)
    write_private_key(key_file, key, passphrase=passphrase)
    request_file.write_bytes(pem)
    return key_file, request_file


def load_authority(certificate_file: Path, key_file: Path, *, passphrase: str | None = None) -> DevelopmentAuthority:
    """The development authority out of its files. Raises ExchangeError(KEY_FILE_UNUSABLE)."""
    key = load_list_key(key_file, passphrase=passphrase)
    return DevelopmentAuthority(load_der_x509_certificate(load_certificates(certificate_file)[0]), key)


def issue(
    authority: DevelopmentAuthority, request_pem: bytes, *, usage: Usage, not_before: Instant, not_after: Instant
) -> bytes:
    """A certificate (DER) for a request, under the name and hosts that it asks for. Raises ValueError."""
    asked = read_request(request_pem)
    names = {attribute.oid: str(attribute.value) for attribute in asked.subject}
    try:
        alternative = asked.extensions.get_extension_for_class(SubjectAlternativeName).value
    except ExtensionNotFound:
        alternative = SubjectAlternativeName([])
    addresses = (str(address) for address in alternative.get_values_for_type(IPAddress))
    profile = Profile(
        usage=usage,
        common_name=names.get(NameOID.COMMON_NAME, ""),
        organization=names.get(NameOID.ORGANIZATION_NAME, ""),
        not_before=not_before,
        not_after=not_after,
        hosts=(*alternative.get_values_for_type(DNSName), *addresses),
    )
    key = asked.public_key()
    if not isinstance(key, EllipticCurvePublicKey | Ed25519PublicKey | RSAPublicKey):
        raise ValueError("keys of this kind are not used here")  # noqa: TRY004 - it is the request's value that is wrong
    return authority.issue(key, profile)


def certificate_pem(*certificates: bytes) -> bytes:
    """Certificates (DER) as PEM, one after the other."""
    return b"".join(load_der_x509_certificate(der).public_bytes(Encoding.PEM) for der in certificates)


def read_draft(path: Path) -> TrustList:
    """A draft, or what a signed list states (unverified). Raises ExchangeError(TRUST_LIST_INVALID)."""
    data = path.read_bytes()
    return decode(payload_of(data) if _is_signed(data) else data)


def write_draft(path: Path, draft: TrustList) -> None:
    """Write a draft."""
    _replace(path, encode_list(draft))


def sign_file(source: Path, target: Path, key: PrivateKey) -> None:
    """Sign a draft, or add a signature to a signed list; write the signed list. Raises ExchangeError, ValueError."""
    data = source.read_bytes()
    _replace(target, add_signature(data, key) if _is_signed(data) else sign(data, [key]))


def publish(
    signed: Path, target: Path, *, pinned: Signers, last_seen: LastSeen | None, now: Instant
) -> tuple[VerifiedList, TrustStore]:
    """Check a signed list as a gateway will, and only then put it, in one step, where gateways read it.

    Returns it verified and compiled (``store.problems(now)`` is worth showing). Raises ExchangeError.
    """
    verified = verify(signed.read_bytes(), pinned=pinned, last_seen=last_seen, now=now)
    store = TrustStore.load(verified)
    _replace(target, verified.data)
    return verified, store


def load_list_key(path: Path, *, passphrase: str | None = None) -> PrivateKey:
    """A private key of a kind that signs lists and certificates. Raises ExchangeError(KEY_FILE_UNUSABLE)."""
    key = load_private_key(path, passphrase=passphrase)
    if not isinstance(key, EllipticCurvePrivateKey | Ed25519PrivateKey | RSAPrivateKey):
        raise ExchangeError(KEY_FILE_UNUSABLE, f"{path}: a key of this kind is not used here")
    return key


def _is_signed(data: bytes) -> bool:
    try:
        return "payload" in msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ExchangeError(TRUST_LIST_INVALID, "neither a draft nor a signed list: not a JSON object") from None


def _replace(path: Path, data: bytes) -> None:
    beside = path.with_name(path.name + ".new")
    with beside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
