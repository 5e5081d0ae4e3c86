"""Base64 as notes and proofs have it: the one encoding of each value (RFC 4648 §4), and nothing else."""

import binascii

from gateway.model.errors import ExchangeError
from gateway.model.errors.ledger import LOG_MALFORMED


def to_base64(data: bytes) -> str:
    """Standard base64 with padding, on one line."""
    return binascii.b2a_base64(data, newline=False).decode()


def from_base64(text: str) -> bytes:
    """The bytes. Raises ExchangeError (LOG_MALFORMED) for anything but their one encoding."""
    try:
        data = binascii.a2b_base64(text.encode(), strict_mode=True)
    except (binascii.Error, ValueError):
        raise ExchangeError(LOG_MALFORMED, "this is not base64") from None
    if to_base64(data) != text:
        raise ExchangeError(LOG_MALFORMED, "this is not the one base64 form of its bytes")
    return data
