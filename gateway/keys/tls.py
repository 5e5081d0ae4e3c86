"""TLS contexts: 1.2 and up, forward secrecy and authenticated encryption only."""

import ssl
from collections.abc import Iterable
from pathlib import Path

from gateway.keys.file import load_private_key
from gateway.model.errors import ExchangeError
from gateway.model.errors.trust import KEY_FILE_UNUSABLE

_TLS_1_2_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"


def server_context(
    certificate_file: Path,
    key_file: Path,
    client_authorities: Iterable[bytes] | None = None,
    *,
    passphrase: str | None = None,
    require_client_certificate: bool = False,
) -> ssl.SSLContext:
    """A server's context.

    certificate_file: PEM, the CAs below the root after it. client_authorities: CA certificates (DER); where given, a
    client may show a certificate (must, if required), and one that does not lead to them ends the handshake. Whose it
    is, and whether it is revoked, the trust store says. Raises ExchangeError(KEY_FILE_UNUSABLE).
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _harden(context)
    _identify(context, certificate_file, key_file, passphrase)
    if client_authorities is not None:
        _trust(context, client_authorities)
        context.verify_mode = ssl.CERT_REQUIRED if require_client_certificate else ssl.CERT_OPTIONAL
    return context


def client_context(
    authorities: Iterable[bytes] | None,
    certificate_file: Path | None = None,
    key_file: Path | None = None,
    *,
    passphrase: str | None = None,
) -> ssl.SSLContext:
    """A client's context; the server's certificate and name are always checked.

    authorities: CA certificates (DER) to believe, and no others; None: the operating system's. certificate_file and
    key_file: shown to servers that ask. Raises ExchangeError(KEY_FILE_UNUSABLE).
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _harden(context)
    if authorities is None:
        context.load_default_certs()
    else:
        _trust(context, authorities)
    if certificate_file is not None:
        _identify(context, certificate_file, key_file or certificate_file, passphrase)
    return context


def _harden(context: ssl.SSLContext) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_TLS_1_2_CIPHERS)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION


def _trust(context: ssl.SSLContext, authorities: Iterable[bytes]) -> None:
    try:
        context.load_verify_locations(cadata=b"".join(authorities))
    except (ssl.SSLError, ValueError):
        raise ExchangeError(KEY_FILE_UNUSABLE, "no usable CA certificate for TLS") from None


def _identify(context: ssl.SSLContext, certificate_file: Path, key_file: Path, passphrase: str | None) -> None:
    load_private_key(key_file, passphrase=passphrase)  # says what is wrong; OpenSSL would ask at the terminal, or guess
    try:
        context.load_cert_chain(certificate_file, key_file, passphrase)
    except (OSError, ValueError):  # ssl.SSLError is an OSError
        detail = f"{certificate_file} and {key_file} do not make a TLS identity"
        raise ExchangeError(KEY_FILE_UNUSABLE, detail) from None
