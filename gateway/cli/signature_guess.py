"""What a signature that does not verify was made over, or how: usual mistakes are tried until one verifies.

A guess that verifies is no guess any more: nobody but the key's owner can have made that signature over those bytes.
"""

from collections.abc import Callable, Iterator
from itertools import combinations

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from gateway.cli.signature_mistakes import Mistake
from gateway.model.errors.base import Text

Check = Callable[[bytes], bool]
"""Whether the signature verifies over these bytes."""

Key = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey


def find(
    base: bytes, key: Key, signature: bytes, mistakes: tuple[Mistake, ...], *, jws: bool = False
) -> tuple[list[Text], bytes] | None:
    """Which mistakes explain this signature, and the bytes that it is over; None: no two of those known."""
    for form, check in forms(key, signature, jws=jws):
        said = [] if form is None else [form]
        if form is not None and check(base):
            return said, base
        for texts, data in _variants(base, mistakes):
            if check(data):
                return [*texts, *said], data
    return None


def _variants(base: bytes, mistakes: tuple[Mistake, ...]) -> Iterator[tuple[list[Text], bytes]]:
    for mistake in mistakes:
        data = mistake.make(base)
        if data is not None and data != base:
            yield [mistake.text], data
    for first, second in combinations(mistakes, 2):
        one = first.make(base)
        both = None if one is None else second.make(one)
        if both is not None and both not in {one, base}:
            yield [first.text, second.text], both


# -- how a signature may be made and written --------------------------------------------------------------------------

_DER = Text(
    "The signature is in DER; send r and s one after the other (64 bytes for P-256, 96 for P-384). Java: "
    "SHA256withECDSAinP1363Format; .NET: DSASignatureFormat.IeeeP1363FixedFieldConcatenation; OpenSSL, PHP: convert.",
    "Chữ ký ở dạng DER; hãy gửi r và s nối liền (64 byte với P-256, 96 byte với P-384). Java: "
    "SHA256withECDSAinP1363Format; .NET: DSASignatureFormat.IeeeP1363FixedFieldConcatenation; OpenSSL, PHP: tự đổi.",
)
_HASHES: tuple[hashes.HashAlgorithm, ...] = (hashes.SHA256(), hashes.SHA384(), hashes.SHA512(), hashes.SHA1())  # noqa: S303 - recognised, to say that it is wrong


def forms(key: Key, signature: bytes, *, jws: bool = False) -> Iterator[tuple[Text | None, Check]]:
    """Ways to read a signature with this key; the right one comes first, with no text."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        yield from _ecdsa(key, signature)
    elif isinstance(key, rsa.RSAPublicKey):
        yield from _rsa(key, signature, jws=jws)
    else:
        yield None, _quiet(lambda data: key.verify(signature, data))


def _quiet(verify: Callable[[bytes], None]) -> Check:
    def check(data: bytes) -> bool:
        try:
            verify(data)
        except (InvalidSignature, ValueError, UnsupportedAlgorithm):
            return False
        return True

    return check


def _ecdsa(key: ec.EllipticCurvePublicKey, signature: bytes) -> Iterator[tuple[Text | None, Check]]:
    width = (key.curve.key_size + 7) // 8
    raw = len(signature) == 2 * width
    der = signature
    if raw:
        der = encode_dss_signature(int.from_bytes(signature[:width]), int.from_bytes(signature[width:]))
    usual = hashes.SHA256() if width == 32 else hashes.SHA384()  # noqa: PLR2004 - P-256
    for hashed in (usual, *[each for each in _HASHES if each.name != usual.name]):
        form = None if raw else _DER
        if hashed.name != usual.name:
            form = _hash_text(hashed, usual)
        yield form, _quiet(_ecdsa_check(key, der, hashed))


def _ecdsa_check(key: ec.EllipticCurvePublicKey, der: bytes, hashed: hashes.HashAlgorithm) -> Callable[[bytes], None]:
    return lambda data: key.verify(der, data, ec.ECDSA(hashed))


def _hash_text(hashed: hashes.HashAlgorithm, usual: hashes.HashAlgorithm) -> Text:
    return Text(
        f"It was signed with {hashed.name}; this key signs with {usual.name}.",
        f"Chữ ký dùng {hashed.name}; khóa này phải ký với {usual.name}.",
    )


def _rsa(key: rsa.RSAPublicKey, signature: bytes, *, jws: bool) -> Iterator[tuple[Text | None, Check]]:
    right: hashes.HashAlgorithm = hashes.SHA256() if jws else hashes.SHA512()
    pss = padding.PSS(mgf=padding.MGF1(right), salt_length=right.digest_size)
    yield None, _quiet(_rsa_check(key, signature, pss, right))
    for hashed in _HASHES:
        for name, scheme in _paddings(hashed):
            text = Text(
                f"It was signed with RSA {name} and {hashed.name}; RFC 9421 wants PSS with sha512 and a salt of 64 "
                "bytes, a JWS (PS256) PSS with sha256 and a salt of 32.",
                f"Chữ ký dùng RSA {name} với {hashed.name}; RFC 9421 cần PSS với sha512 và salt 64 byte, "
                "JWS (PS256) cần PSS với sha256 và salt 32 byte.",
            )
            yield text, _quiet(_rsa_check(key, signature, scheme, hashed))


def _rsa_check(
    key: rsa.RSAPublicKey, signature: bytes, scheme: padding.AsymmetricPadding, hashed: hashes.HashAlgorithm
) -> Callable[[bytes], None]:
    return lambda data: key.verify(signature, data, scheme, hashed)


def _paddings(hashed: hashes.HashAlgorithm) -> tuple[tuple[str, padding.AsymmetricPadding], ...]:
    own = padding.PSS(mgf=padding.MGF1(hashed), salt_length=padding.PSS.AUTO)
    other = padding.PSS(mgf=padding.MGF1(hashes.SHA1()), salt_length=padding.PSS.AUTO)  # noqa: S303 - Java's default
    return ("PKCS #1 v1.5", padding.PKCS1v15()), ("PSS", own), ("PSS with MGF1 over SHA-1", other)
