"""Compact JWS (RFC 7515) by a signing key of ours: a distinct ``typ`` for each use, never shared."""

import binascii
import json
from typing import Final

from gateway.ports import Signer
from gateway.signing.algorithms import Algorithm

BUNDLE_TYP: Final = "motlan-bundle+jwt"
"""The ``typ`` of a prefill's bundle."""

_ALGORITHMS: Final = {
    Algorithm.ECDSA_P256_SHA256: "ES256",
    Algorithm.ECDSA_P384_SHA384: "ES384",
    Algorithm.ED25519: "EdDSA",
    Algorithm.RSA_PSS_SHA512: "PS512",
}


def sign_compact(payload: bytes, *, typ: str, key: Signer) -> str:
    """``header.payload.signature``. The header names the key by its certificate (``x5t#S256``, RFC 7515 §4.1.8).

    RFC 9421's signature forms are JWS's own (RFC 7518 §3.4: ECDSA is raw r ‖ s).
    """
    header = {"alg": _ALGORITHMS[Algorithm(key.algorithm)], "typ": typ, "x5t#S256": key.keyid}
    signed = f"{_base64url(json.dumps(header, separators=(',', ':')).encode())}.{_base64url(payload)}"
    return f"{signed}.{_base64url(key.sign(signed.encode()))}"


def _base64url(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).rstrip(b"=").translate(_URL_SAFE).decode()


_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")
