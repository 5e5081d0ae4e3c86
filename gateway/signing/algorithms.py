"""The four signature algorithms, and keys that can do nothing else (RFC 9421 §3.3, protocols.md §2).

A key has one algorithm, fixed by what it is. So a signature's ``alg`` can only agree with it or be refused; it never
selects anything (RFC 9421 §7.3.6).
"""

import base64
import hashlib
import re
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final, NamedTuple

import jwt.algorithms
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed,
    decode_dss_signature,
    encode_dss_signature,
)

from gateway.model.errors import ExchangeError
from gateway.model.errors.signature import SIGNATURE_ALGORITHM, SIGNATURE_INVALID

_MIN_RSA_BITS: Final = 2048
_MAX_RSA_BITS: Final = 8192  # a larger key only makes its verifier slow
_MIN_RSA_EXPONENT: Final = 65_537  # FIPS 186-5 §5.1


class Algorithm(StrEnum):
    """Signature algorithms by their RFC 9421 §6.2 names."""

    ECDSA_P256_SHA256 = "ecdsa-p256-sha256"
    ECDSA_P384_SHA384 = "ecdsa-p384-sha384"
    ED25519 = "ed25519"
    RSA_PSS_SHA512 = "rsa-pss-sha512"


_Hash = Callable[[bytes], Any]
"""A hash function of hashlib."""


class _Curve(NamedTuple):
    """algorithm: of keys on it. hashed: what data is hashed with; hashlib does it in less time than the key's library.

    scheme: for that digest. width: bytes of r and of s.
    """

    algorithm: Algorithm
    hashed: _Hash
    scheme: ec.ECDSA
    width: int


_CURVES: Final = {
    "secp256r1": _Curve(Algorithm.ECDSA_P256_SHA256, hashlib.sha256, ec.ECDSA(Prehashed(hashes.SHA256())), 32),
    "secp384r1": _Curve(Algorithm.ECDSA_P384_SHA384, hashlib.sha384, ec.ECDSA(Prehashed(hashes.SHA384())), 48),
}
_KEYID: Final = re.compile(r"[A-Za-z0-9_-]{1,256}")
_PSS: Final = padding.PSS(mgf=padding.MGF1(hashes.SHA512()), salt_length=64)  # RFC 9421 §3.3.1
_SHA512: Final = hashes.SHA512()

Verify = Callable[[bytes, bytes], None]
Sign = Callable[[bytes], bytes]


def keyid_of(certificate_der: bytes) -> str:
    """The ``keyid`` of a signing certificate: base64url without padding of SHA-256 over its DER (``x5t#S256``)."""
    return base64.urlsafe_b64encode(hashlib.sha256(certificate_der).digest()).rstrip(b"=").decode()


def _checked(keyid: str) -> str:
    if not _KEYID.fullmatch(keyid):
        raise ValueError("a keyid is 1 to 256 characters of base64url")
    return keyid


def _curve(name: str) -> _Curve:
    if name not in _CURVES:
        raise ValueError(f"the curve {name} is not accepted; P-256 and P-384 are")
    return _CURVES[name]


def _check_rsa(bits: int, exponent: int) -> None:
    if not _MIN_RSA_BITS <= bits <= _MAX_RSA_BITS:
        raise ValueError(f"an RSA key of {bits} bits is not accepted; {_MIN_RSA_BITS} to {_MAX_RSA_BITS} are")
    if exponent < _MIN_RSA_EXPONENT:
        raise ValueError(f"an RSA public exponent below {_MIN_RSA_EXPONENT} is not accepted")


def _ecdsa_verifier(key: ec.EllipticCurvePublicKey, curve: _Curve) -> Verify:
    from_bytes, check = int.from_bytes, key.verify
    _, hashed, scheme, width = curve

    def verify(signature: bytes, data: bytes) -> None:
        # RFC 9421 §3.3.4: r and s, big-endian, each of the curve's width; OpenSSL wants them in DER.
        if len(signature) != 2 * width:
            raise InvalidSignature
        der = encode_dss_signature(from_bytes(signature[:width]), from_bytes(signature[width:]))
        check(der, hashed(data).digest(), scheme)

    return verify


def _ecdsa_signer(key: ec.EllipticCurvePrivateKey, curve: _Curve) -> Sign:
    make = key.sign
    _, hashed, scheme, width = curve

    def sign(data: bytes) -> bytes:
        r, s = decode_dss_signature(make(hashed(data).digest(), scheme))
        return r.to_bytes(width) + s.to_bytes(width)

    return sign


_PKCS1: Final = padding.PKCS1v15()
_XML: Final = {
    Algorithm.ECDSA_P256_SHA256: "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
    Algorithm.ECDSA_P384_SHA384: "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384",
}
_XML_RSA: Final = {
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256": hashes.SHA256(),
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512": hashes.SHA512(),
}
"""XML Signature's methods (RFC 9231 §2.3): a curve's own, of which r ‖ s is what RFC 9421 has too, and two of RSA."""


def _xml_verifiers(key: PublicKeyTypes, algorithm: Algorithm, verify: Verify) -> dict[str, Verify]:
    if not isinstance(key, rsa.RSAPublicKey):
        return {_XML[algorithm]: verify} if algorithm in _XML else {}
    check = key.verify

    def of(hashed: hashes.HashAlgorithm) -> Verify:
        return lambda signature, data: check(signature, data, _PKCS1, hashed)

    return {uri: of(hashed) for uri, hashed in _XML_RSA.items()}


def _xml_signer(key: PrivateKeyTypes, algorithm: Algorithm, sign: Sign) -> tuple[str, Sign] | None:
    if isinstance(key, rsa.RSAPrivateKey):
        uri, hashed = next(iter(_XML_RSA.items()))
        make = key.sign
        return uri, lambda data: make(data, _PKCS1, hashed)
    return (_XML[algorithm], sign) if algorithm in _XML else None


_JWS: Final[dict[Algorithm, tuple[str, jwt.algorithms.Algorithm]]] = {
    Algorithm.ECDSA_P256_SHA256: ("ES256", jwt.algorithms.ECAlgorithm(hashes.SHA256, ec.SECP256R1)),
    Algorithm.ECDSA_P384_SHA384: ("ES384", jwt.algorithms.ECAlgorithm(hashes.SHA384, ec.SECP384R1)),
    Algorithm.ED25519: ("EdDSA", jwt.algorithms.OKPAlgorithm()),
    Algorithm.RSA_PSS_SHA512: ("PS256", jwt.algorithms.RSAPSSAlgorithm(hashes.SHA256)),
}
"""JWS algorithms (RFC 7518 §3, RFC 8037) and PyJWT's code for them. A key has one of them, too."""


def _public(key: PublicKeyTypes) -> tuple[Algorithm, Verify]:
    if isinstance(key, ec.EllipticCurvePublicKey):
        curve = _curve(key.curve.name)
        return curve.algorithm, _ecdsa_verifier(key, curve)
    if isinstance(key, ed25519.Ed25519PublicKey):
        return Algorithm.ED25519, key.verify
    if isinstance(key, rsa.RSAPublicKey):
        _check_rsa(key.key_size, key.public_numbers().e)
        rsa_verify = key.verify
        return Algorithm.RSA_PSS_SHA512, lambda signature, data: rsa_verify(signature, data, _PSS, _SHA512)
    raise ValueError(f"keys of type {type(key).__name__} are not accepted")


def _private(key: PrivateKeyTypes) -> tuple[Algorithm, Sign]:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        curve = _curve(key.curve.name)
        return curve.algorithm, _ecdsa_signer(key, curve)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return Algorithm.ED25519, key.sign
    if isinstance(key, rsa.RSAPrivateKey):
        _check_rsa(key.key_size, key.public_key().public_numbers().e)
        rsa_sign = key.sign
        return Algorithm.RSA_PSS_SHA512, lambda data: rsa_sign(data, _PSS, _SHA512)
    raise ValueError(f"keys of type {type(key).__name__} are not accepted")


class PublicKey:
    """A key that signatures are verified with: P-256, P-384, Ed25519, or RSA of 2048 to 8192 bits.

    algorithm: the only one it verifies. keyid: what a signature names it by. Raises ValueError for any other key.
    """

    __slots__ = ("_key", "_verify", "_verify_xml", "algorithm", "keyid")

    def __init__(self, key: PublicKeyTypes, *, keyid: str) -> None:
        self.algorithm, self._verify = _public(key)
        self._key = key
        self._verify_xml = _xml_verifiers(key, self.algorithm, self._verify)
        self.keyid = _checked(keyid)

    @classmethod
    def from_certificate(cls, der: bytes) -> "PublicKey":
        """The key of an X.509 certificate in DER, under that certificate's keyid.

        Validity, chain and revocation are not looked at (``gateway.trust`` does that). Raises ValueError for bytes
        that are no certificate and for keys that are not accepted.
        """
        try:
            key = x509.load_der_x509_certificate(der).public_key()
        except Exception as error:  # the library raises half a dozen types for bad bytes and unknown key kinds
            raise ValueError("not a certificate with a usable public key") from error
        return cls(key, keyid=keyid_of(der))

    def verify(self, signature: bytes, data: bytes) -> None:
        """Return if ``signature`` (RFC 9421 form: ECDSA is raw r ‖ s) is this key's over ``data``.

        Raises ExchangeError SIGNATURE_INVALID otherwise.
        """
        try:
            self._verify(signature, data)
        except InvalidSignature:
            raise ExchangeError(SIGNATURE_INVALID) from None

    @property
    def jws_algorithm(self) -> str:
        """The only ``alg`` of a JWS that it verifies: ES256, ES384, EdDSA or PS256."""
        return _JWS[self.algorithm][0]

    def verify_jws(self, signature: bytes, data: bytes) -> None:
        """Return if ``signature`` is this key's over a JWS signing input, by ``jws_algorithm``.

        Raises ExchangeError SIGNATURE_INVALID otherwise.
        """
        if not _JWS[self.algorithm][1].verify(data, self._key, signature):
            raise ExchangeError(SIGNATURE_INVALID)

    @property
    def xml_algorithms(self) -> tuple[str, ...]:
        """The signature methods of XML Signature that it verifies (URIs); none for Ed25519."""
        return tuple(self._verify_xml)

    def verify_xml(self, algorithm: str, signature: bytes, data: bytes) -> None:
        """Return if ``signature`` is this key's over ``data`` by one of ``xml_algorithms``.

        Raises ExchangeError SIGNATURE_INVALID otherwise, and SIGNATURE_ALGORITHM for another method.
        """
        verify = self._verify_xml.get(algorithm)
        if verify is None:
            raise ExchangeError(SIGNATURE_ALGORITHM, "the signature method is not one of this key")
        try:
            verify(signature, data)
        except InvalidSignature:
            raise ExchangeError(SIGNATURE_INVALID) from None


class PrivateKey:
    """A key that signatures are made with, around a loaded key object; a ``gateway.ports.Signer``.

    algorithm: the only one it makes. keyid: that of its certificate. Its ``repr`` shows no key material. Raises
    ValueError as PublicKey does.
    """

    __slots__ = ("_key", "_sign", "_xml", "algorithm", "keyid")

    def __init__(self, key: PrivateKeyTypes, *, keyid: str) -> None:
        self.algorithm, self._sign = _private(key)
        self._key = key
        self._xml = _xml_signer(key, self.algorithm, self._sign)
        self.keyid = _checked(keyid)

    def sign(self, data: bytes) -> bytes:
        """The signature over ``data`` in RFC 9421 form (ECDSA: raw r ‖ s)."""
        return self._sign(data)

    @property
    def jws_algorithm(self) -> str:
        """Its ``alg`` in a JWS: ES256, ES384, EdDSA or PS256."""
        return _JWS[self.algorithm][0]

    def sign_jws(self, data: bytes) -> bytes:
        """The signature over a JWS signing input, by ``jws_algorithm``."""
        return _JWS[self.algorithm][1].sign(data, self._key)

    @property
    def xml_algorithm(self) -> str:
        """Its signature method in XML Signature (a URI). Raises ExchangeError SIGNATURE_ALGORITHM: Ed25519 has none."""
        return self._of_xml()[0]

    def sign_xml(self, data: bytes) -> bytes:
        """The signature over ``data`` by ``xml_algorithm``. Raises ExchangeError as that does."""
        return self._of_xml()[1](data)

    def _of_xml(self) -> tuple[str, Sign]:
        if self._xml is None:
            raise ExchangeError(SIGNATURE_ALGORITHM, "XML Signature needs an ECDSA or RSA key")
        return self._xml
