"""PEM (RFC 7468) of certificates and revocation lists: always the same bytes for the same DER."""

import base64
import textwrap

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding


def certificate_pem(der: bytes) -> bytes:
    """A certificate."""
    return _pem("CERTIFICATE", der)


def crl_pem(der: bytes) -> bytes:
    """A revocation list."""
    return _pem("X509 CRL", der)


def der_of(pem: bytes) -> bytes:
    """The certificate of a PEM file. Raises ValueError if there is none."""
    return x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)


def _pem(label: str, der: bytes) -> bytes:
    lines = "\n".join(textwrap.wrap(base64.b64encode(der).decode(), 64))
    return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n".encode()
