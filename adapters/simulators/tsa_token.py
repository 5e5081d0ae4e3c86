"""Making RFC 3161 timestamps: the token as CMS SignedData (RFC 5652), with ESSCertIDv2 (RFC 5816). Development only."""

import hashlib
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from msgspec import Struct

_SEQUENCE, _SET, _INTEGER, _OCTETS, _OID, _NULL = 0x30, 0x31, 0x02, 0x04, 0x06, 0x05
_TIME, _TEXT, _BITS = 0x18, 0x0C, 0x03
_EXPLICIT_0 = 0xA0

SHA256: Final = "2.16.840.1.101.3.4.2.1"
_TST_INFO: Final = "1.2.840.113549.1.9.16.1.4"
_SIGNED_DATA: Final = "1.2.840.113549.1.7.2"
_CONTENT_TYPE: Final = "1.2.840.113549.1.9.3"
_MESSAGE_DIGEST: Final = "1.2.840.113549.1.9.4"
_SIGNING_CERTIFICATE_V2: Final = "1.2.840.113549.1.9.16.2.47"
_ECDSA_SHA256: Final = "1.2.840.10045.4.3.2"


class Asked(Struct, frozen=True, kw_only=True):
    """A ``TimeStampReq`` as it was read. algorithm: OID of the hash. policy, nonce: where it names them."""

    algorithm: str
    imprint: bytes
    policy: str | None = None
    nonce: int | None = None
    certificates: bool = False


class Stamp(Struct, frozen=True, kw_only=True):
    """What a token is to say."""

    at: datetime
    imprint: bytes
    serial: int
    policy: str
    nonce: int | None = None
    algorithm: str = SHA256


def read_request(data: bytes) -> Asked:
    """Read a DER ``TimeStampReq``. Raises ValueError."""
    try:
        [(tag, body)] = _split(data)
        (_, _), (_, imprint), *rest = _split(body)
        (_, algorithm), (_, hashed) = _split(imprint)
    except (IndexError, ValueError):
        raise ValueError("not a TimeStampReq") from None
    if tag != _SEQUENCE:
        raise ValueError("not a TimeStampReq")
    given = dict(rest)
    return Asked(
        algorithm=_dotted(_split(algorithm)[0][1]),
        imprint=hashed,
        policy=_dotted(given[_OID]) if _OID in given else None,
        nonce=int.from_bytes(given[_INTEGER], "big") if _INTEGER in given else None,
        certificates=given.get(0x01, b"\0") != b"\0",
    )


def granted(token: bytes) -> bytes:
    """A ``TimeStampResp`` with a token."""
    return der(_SEQUENCE, der(_SEQUENCE, integer(0)), token)


def rejected(text: str, bit: int) -> bytes:
    """A ``TimeStampResp`` without one. bit: of PKIFailureInfo (RFC 3161 §2.4.2)."""
    failure = bytearray(bit // 8 + 1)
    failure[bit // 8] = 0x80 >> bit % 8
    unused = 7 - bit % 8
    status = der(
        _SEQUENCE,
        integer(2),
        der(_SEQUENCE, der(_TEXT, text.encode())),
        der(_BITS, bytes([unused]), bytes(failure)),
    )
    return der(_SEQUENCE, status)


def token(
    stamp: Stamp, certificate: x509.Certificate, key: EllipticCurvePrivateKey, chain: tuple[x509.Certificate, ...] = ()
) -> bytes:
    """The signed token. chain: further certificates to carry."""
    info = _info(stamp)
    attributes = _attributes(info, certificate)
    signature = key.sign(der(_SET, attributes), ECDSA(hashes.SHA256()))
    digest = der(_SEQUENCE, oid(SHA256))
    signer = der(
        _SEQUENCE,
        integer(1),
        der(_SEQUENCE, certificate.issuer.public_bytes(), integer(certificate.serial_number)),
        digest,
        der(_EXPLICIT_0, attributes),
        der(_SEQUENCE, oid(_ECDSA_SHA256)),
        der(_OCTETS, signature),
    )
    carried = sorted(each.public_bytes(Encoding.DER) for each in (certificate, *chain))
    signed = der(
        _SEQUENCE,
        integer(3),
        der(_SET, digest),
        der(_SEQUENCE, oid(_TST_INFO), der(_EXPLICIT_0, der(_OCTETS, info))),
        der(_EXPLICIT_0, *carried),
        der(_SET, signer),
    )
    return der(_SEQUENCE, oid(_SIGNED_DATA), der(_EXPLICIT_0, signed))


def _info(stamp: Stamp) -> bytes:
    at = stamp.at.strftime("%Y%m%d%H%M%S")
    if stamp.at.microsecond:
        at += f".{stamp.at.microsecond:06d}".rstrip("0")  # X.690 §11.7: no trailing zeros
    parts = [
        integer(1),
        oid(stamp.policy),
        der(_SEQUENCE, der(_SEQUENCE, oid(stamp.algorithm), der(_NULL)), der(_OCTETS, stamp.imprint)),
        integer(stamp.serial),
        der(_TIME, f"{at}Z".encode()),
        der(_SEQUENCE, integer(1)),  # accuracy: one second
    ]
    if stamp.nonce is not None:
        parts.append(integer(stamp.nonce))
    return der(_SEQUENCE, *parts)


def _attributes(info: bytes, certificate: x509.Certificate) -> bytes:
    hashed = hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest()
    issuer = der(_SEQUENCE, der(0xA4, certificate.issuer.public_bytes()))
    name = der(_SEQUENCE, issuer, integer(certificate.serial_number))
    identified = der(_SEQUENCE, der(_SEQUENCE, der(_SEQUENCE, der(_OCTETS, hashed), name)))
    attributes = [
        _attribute(_CONTENT_TYPE, oid(_TST_INFO)),
        _attribute(_MESSAGE_DIGEST, der(_OCTETS, hashlib.sha256(info).digest())),
        _attribute(_SIGNING_CERTIFICATE_V2, identified),
    ]
    return b"".join(sorted(attributes))  # DER: a SET OF in order


def _attribute(kind: str, value: bytes) -> bytes:
    return der(_SEQUENCE, oid(kind), der(_SET, value))


def der(tag: int, *parts: bytes) -> bytes:
    """One element (X.690)."""
    content = b"".join(parts)
    if len(content) < 0x80:  # noqa: PLR2004 - the short form's limit
        return bytes([tag, len(content)]) + content
    size = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + content


def integer(number: int) -> bytes:
    """A whole number that is not negative."""
    return der(_INTEGER, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def oid(dotted: str) -> bytes:
    """An object identifier."""
    first, second, *rest = [int(part) for part in dotted.split(".")]
    content = b""
    for number in (40 * first + second, *rest):
        groups = [number & 0x7F]
        while number := number >> 7:
            groups.insert(0, 0x80 | number & 0x7F)
        content += bytes(groups)
    return der(_OID, content)


def _dotted(content: bytes) -> str:
    numbers, number = [], 0
    for byte in content:
        number = number << 7 | byte & 0x7F
        if byte < 0x80:  # noqa: PLR2004 - the last group of a number
            numbers.append(number)
            number = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(str(each) for each in (first, numbers[0] - 40 * first, *numbers[1:]))


def _split(data: bytes) -> list[tuple[int, bytes]]:
    """The elements that follow one another in ``data``."""
    elements, at = [], 0
    while at < len(data):
        tag, length, at = data[at], data[at + 1], at + 2
        if length >= 0x80:  # noqa: PLR2004 - the long form
            size = length & 0x7F
            length, at = int.from_bytes(data[at : at + size], "big"), at + size
        if at + length > len(data):
            raise ValueError("cut off")
        elements.append((tag, data[at : at + length]))
        at += length
    return elements
