"""Keys: which are accepted, and that each does its own algorithm only."""

import base64
import datetime as dt
import hashlib

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, padding, rsa, x25519
from cryptography.x509.oid import NameOID

from gateway.model.errors import ExchangeError
from gateway.model.errors.signature import SIGNATURE_INVALID
from gateway.signing.algorithms import Algorithm, PrivateKey, PublicKey, keyid_of
from tests.support.signing import ALL, ED25519, P256, P384, RSA

DATA = b'"@method": GET\n"@signature-params": ("@method")'


@pytest.mark.parametrize("pair", ALL, ids=lambda pair: pair.algorithm)
def test_signature_verifies_with_its_key_only(pair):
    signature = pair.private.sign(DATA)
    pair.public.verify(signature, DATA)
    for key, data in ((pair.public, DATA + b"."), *[(other.public, DATA) for other in ALL if other is not pair]):
        with pytest.raises(ExchangeError) as caught:
            key.verify(signature, data)
        assert caught.value.kind is SIGNATURE_INVALID


@pytest.mark.parametrize(
    ("pair", "algorithm", "length"),
    [
        (P256, Algorithm.ECDSA_P256_SHA256, 64),
        (P384, Algorithm.ECDSA_P384_SHA384, 96),
        (ED25519, Algorithm.ED25519, 64),
        (RSA, Algorithm.RSA_PSS_SHA512, 256),
    ],
)
def test_key_decides_its_algorithm(pair, algorithm, length):
    assert pair.public.algorithm is pair.private.algorithm is algorithm
    assert len(pair.private.sign(DATA)) == length


def test_pss_salt_has_64_octets():
    signature = RSA.private.sign(DATA)
    key = RSA.raw.public_key()
    key.verify(signature, DATA, padding.PSS(padding.MGF1(hashes.SHA512()), 64), hashes.SHA512())
    other = RSA.raw.sign(DATA, padding.PSS(padding.MGF1(hashes.SHA512()), 32), hashes.SHA512())
    with pytest.raises(ExchangeError):
        RSA.public.verify(other, DATA)


@pytest.mark.parametrize(
    "make",
    [
        lambda: rsa.generate_private_key(public_exponent=65_537, key_size=1024),
        lambda: rsa.generate_private_key(public_exponent=3, key_size=2048),
        lambda: ec.generate_private_key(ec.SECP521R1()),
        lambda: ec.generate_private_key(ec.SECP256K1()),
        lambda: ec.generate_private_key(ec.SECP224R1()),
        ed448.Ed448PrivateKey.generate,
        x25519.X25519PrivateKey.generate,
        lambda: dsa.generate_private_key(2048),
    ],
    ids=["rsa-1024", "rsa-e3", "p521", "secp256k1", "p224", "ed448", "x25519", "dsa"],
)
def test_weak_and_foreign_keys_are_refused(make):
    key = make()
    with pytest.raises(ValueError, match="not accepted"):
        PublicKey(key.public_key(), keyid="k")
    with pytest.raises(ValueError, match="not accepted"):
        PrivateKey(key, keyid="k")


@pytest.mark.parametrize("pair", [P256, P384], ids=["p256", "p384"])
def test_malformed_ecdsa_signatures_are_refused(pair):
    width = len(pair.private.sign(DATA)) // 2
    order = {
        32: 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
        48: 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
    }[width].to_bytes(width)
    zero, one = bytes(width), (1).to_bytes(width)
    scheme = ec.ECDSA(hashes.SHA256() if width == 32 else hashes.SHA384())
    der = pair.raw.sign(DATA, scheme)
    good = pair.private.sign(DATA)
    table = [der, b"", good[:-1], good + b"\0", zero + zero, zero + one, one + zero, order + one, one + order]
    for signature in table:
        with pytest.raises(ExchangeError) as caught:
            pair.public.verify(signature, DATA)
        assert caught.value.kind is SIGNATURE_INVALID


def test_private_key_shows_nothing_of_itself():
    assert "PRIVATE" not in repr(P256.private)
    with pytest.raises(AttributeError):
        _ = P256.private.key


def _certificate(key) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 7, start, start + dt.timedelta(days=1))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def test_keyid_is_the_certificate_thumbprint():
    der = _certificate(P256.raw)
    key = PublicKey.from_certificate(der)
    assert key.keyid == keyid_of(der)
    assert len(key.keyid) == 43
    assert base64.urlsafe_b64decode(key.keyid + "=") == hashlib.sha256(der).digest()
    key.verify(P256.private.sign(DATA), DATA)


def test_bytes_that_are_no_certificate_are_refused():
    with pytest.raises(ValueError, match="not a certificate"):
        PublicKey.from_certificate(b"\x30\x03\x02\x01\x01")
    weak = _certificate(rsa.generate_private_key(public_exponent=65_537, key_size=1024))
    with pytest.raises(ValueError, match="1024 bits"):
        PublicKey.from_certificate(weak)


@pytest.mark.parametrize("keyid", ["", 'a"b', "a b", "x" * 257, "é"])
def test_keyid_that_needs_escaping_is_refused(keyid):
    with pytest.raises(ValueError, match="keyid"):
        PublicKey(P256.raw.public_key(), keyid=keyid)


def test_library_still_raises_what_we_translate():
    with pytest.raises(InvalidSignature):
        ED25519.raw.public_key().verify(bytes(64), DATA)
