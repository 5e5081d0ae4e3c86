"""PEM (RFC 7468) of certificates and revocation lists, each under a line that says whose it is."""

import base64
import textwrap

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding


def certificate_pem(der: bytes) -> bytes:
    """A certificate. Raises ValueError if it is none."""
    return _pem("CERTIFICATE", der, x509.load_der_x509_certificate(der).subject)


def crl_pem(der: bytes) -> bytes:
    """A revocation list. Raises ValueError if it is none."""
    return _pem("X509 CRL", der, x509.load_der_x509_crl(der).issuer)


def der_of(pem: bytes) -> bytes:
    """The certificate of a PEM file. Raises ValueError if there is none."""
    return x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)


def _pem(label: str, der: bytes, name: x509.Name) -> bytes:
    lines = "\n".join(textwrap.wrap(base64.b64encode(der).decode(), 64))
    said = name.rfc4514_string().replace("\n", " ").replace("-----", "")
    return f"# {said}\n-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n".encode()
