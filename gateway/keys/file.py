"""Private keys and certificates in PEM files.

A private key file that others than its owner may read is refused, whatever it holds: a key that has been readable is a
key that may have been copied. Passphrases are arguments; where they come from is the composition's business.
"""

import os
import stat
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from gateway.model.errors import ExchangeError
from gateway.model.errors.trust import KEY_FILE_UNUSABLE
from gateway.signing.algorithms import PrivateKey, keyid_of

_MAX_PEM = 1024 * 1024
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class FileKey(PrivateKey):
    """A signing key out of a file, with its certificate: a ``Signer`` of the ports.

    certificate: DER. chain: the CA certificates (DER) that stood after it in its file.
    """

    __slots__ = ("certificate", "chain")

    def __init__(self, key: PrivateKeyTypes, certificate: bytes, chain: tuple[bytes, ...] = ()) -> None:
        super().__init__(key, keyid=keyid_of(certificate))
        self.certificate = certificate
        self.chain = chain


def load_signing_key(key_file: Path, certificate_file: Path, *, passphrase: str | None = None) -> FileKey:
    """A signing key and its certificate. Raises ExchangeError(KEY_FILE_UNUSABLE), also when they do not match."""
    key = load_private_key(key_file, passphrase=passphrase)
    certificate, *chain = load_certificates(certificate_file)
    if _public_bytes(key) != _certified_key(certificate):
        raise ExchangeError(KEY_FILE_UNUSABLE, f"{certificate_file} is not the certificate of {key_file}")
    try:
        return FileKey(key, certificate, tuple(chain))
    except ValueError as error:
        raise ExchangeError(KEY_FILE_UNUSABLE, f"{key_file}: {error}") from None


def load_private_key(path: Path, *, passphrase: str | None = None) -> PrivateKeyTypes:
    """A private key as it is: for the log, for trust-list signers, for auditors' own tools.

    Raises ExchangeError(KEY_FILE_UNUSABLE): no such file, readable by others, not PEM, wrong passphrase.
    """
    data = _read(path, private=True)
    try:
        return load_pem_private_key(data, None if passphrase is None else passphrase.encode())
    except (ValueError, TypeError, UnsupportedAlgorithm):
        reason = (
            "no private key in PEM, or the passphrase is wrong" if passphrase else "no unencrypted private key in PEM"
        )
        raise ExchangeError(KEY_FILE_UNUSABLE, f"{path}: {reason}") from None


def load_certificates(path: Path) -> tuple[bytes, ...]:
    """The certificates (DER) of a PEM file, at least one. Raises ExchangeError(KEY_FILE_UNUSABLE)."""
    try:
        found = x509.load_pem_x509_certificates(_read(path, private=False))
    except ValueError:
        raise ExchangeError(KEY_FILE_UNUSABLE, f"{path}: no certificate in PEM") from None
    return tuple(certificate.public_bytes(Encoding.DER) for certificate in found)


def load_public_key(path: Path) -> bytes:
    """A public key's SubjectPublicKeyInfo (DER) from PEM, as trust lists hold signers and roles.

    Raises ExchangeError(KEY_FILE_UNUSABLE).
    """
    try:
        key = load_pem_public_key(_read(path, private=False))
    except (ValueError, UnsupportedAlgorithm):
        raise ExchangeError(KEY_FILE_UNUSABLE, f"{path}: no public key in PEM") from None
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def write_private_key(path: Path, key: PrivateKeyTypes, *, passphrase: str | None = None) -> None:
    """Write a key in PEM (PKCS #8) to a new file that only its owner may read. Raises FileExistsError."""
    encryption = NoEncryption() if passphrase is None else BestAvailableEncryption(passphrase.encode())
    data = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)


def _read(path: Path, *, private: bool) -> bytes:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if private and os.name == "posix" and mode & _OTHERS:
                detail = f"{path} may be read or changed by others (mode {stat.S_IMODE(mode):04o}); use chmod 600"
                raise ExchangeError(KEY_FILE_UNUSABLE, detail)
            return file.read(_MAX_PEM)
    except OSError as error:
        raise ExchangeError(KEY_FILE_UNUSABLE, f"{path}: {error.strerror}") from None


def _public_bytes(key: PrivateKeyTypes) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _certified_key(der: bytes) -> bytes:
    key = x509.load_der_x509_certificate(der).public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
