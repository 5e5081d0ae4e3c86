"""A certificate signed with SHA-1, which no library makes any more: to show that it is refused.

A right certificate is taken apart, its algorithm identifier exchanged, and signed again. Just enough DER for that.
"""

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.hashes import SHA1

_SEQUENCE = 0x30
_BIT_STRING = 0x03
_ECDSA_WITH_SHA1 = bytes.fromhex("300906072a8648ce3d0401")  # AlgorithmIdentifier, RFC 3279 §2.2.3
_ALGORITHM_IN_TBS = 2  # version, serialNumber, signature (RFC 5280 §4.1)


def sign_with_sha1(certificate: bytes, issuer_key: EllipticCurvePrivateKey) -> bytes:
    """The same certificate (DER), signed by its issuer with ecdsa-with-SHA1."""
    body, _, _ = _children(_content(certificate))
    fields = _children(_content(body))
    fields[_ALGORITHM_IN_TBS] = _ECDSA_WITH_SHA1
    weak_body = _element(_SEQUENCE, b"".join(fields))
    signature = issuer_key.sign(weak_body, ECDSA(SHA1()))  # noqa: S303 - the point of this module
    return _element(_SEQUENCE, weak_body + _ECDSA_WITH_SHA1 + _element(_BIT_STRING, b"\0" + signature))


def _element(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:  # noqa: PLR2004 - X.690 §8.1.3.4, short form
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(length))) + length + content


def _split(data: bytes) -> tuple[int, int]:
    """Where the first element's content starts and ends."""
    first = data[1]
    if first < 0x80:  # noqa: PLR2004 - as above
        return 2, 2 + first
    start = 2 + (first & 0x7F)
    return start, start + int.from_bytes(data[2:start])


def _content(element: bytes) -> bytes:
    start, end = _split(element)
    return element[start:end]


def _children(content: bytes) -> list[bytes]:
    found = []
    while content:
        _, end = _split(content)
        found.append(content[:end])
        content = content[end:]
    return found
