"""RFC 9440: the TLS client certificate that a TLS terminator saw, in header fields.

``Client-Cert`` is one Structured Field item (RFC 9651), a byte sequence: the certificate in DER (§2.2);
``Client-Cert-Chain`` a list of them (§2.3). Read strictly: base64 is canonical, and there are no parameters. Whether
the sender is to be believed at all is not asked here.
"""

import binascii
import re
from collections.abc import Sequence
from typing import Final

from gateway.model.errors import ExchangeError
from gateway.model.errors.identity import CLIENT_CERT_MALFORMED

CERT: Final = "Client-Cert"
CHAIN: Final = "Client-Cert-Chain"

MAX_CERTIFICATE: Final = 16 * 1024
"""Bytes of a certificate in DER."""
MAX_CHAIN: Final = 8
"""Certificates above the client's."""

_ITEM: Final = re.compile(r":([A-Za-z0-9+/]+={0,2}):")
_COMMA: Final = re.compile(r"[ \t]*,[ \t]*")


def parse_client_cert(certs: Sequence[str], chains: Sequence[str] = ()) -> bytes:
    """The client's certificate (DER) out of the fields' lines. The chain must be in order, and is not used: what
    counts is the trust list.

    Raises ExchangeError(CLIENT_CERT_MALFORMED): not exactly one certificate, or not written as RFC 9440 says.
    """
    if len(certs) != 1:
        raise ExchangeError(CLIENT_CERT_MALFORMED, f"{CERT} is one field with one certificate", parts=(CERT.lower(),))
    if chains:
        items = _COMMA.split(", ".join(chains).strip(" "))
        if len(items) > MAX_CHAIN:
            raise ExchangeError(CLIENT_CERT_MALFORMED, "the chain is too long", parts=(CHAIN.lower(),))
        for item in items:
            _octets(item, CHAIN)
    return _octets(certs[0].strip(" "), CERT)


def _octets(text: str, name: str) -> bytes:
    match = _ITEM.fullmatch(text) if len(text) <= MAX_CERTIFICATE * 4 // 3 + 6 else None
    if match is None:
        raise ExchangeError(CLIENT_CERT_MALFORMED, f"{name} is not :base64:", parts=(name.lower(),))
    try:
        data = binascii.a2b_base64(match[1], strict_mode=True)
    except binascii.Error:
        data = b""
    if binascii.b2a_base64(data, newline=False).decode() != match[1]:  # also bits left over in the last character
        raise ExchangeError(CLIENT_CERT_MALFORMED, f"{name} is not canonical base64", parts=(name.lower(),))
    return data
