"""Timestamps (RFC 3161) over checkpoints: what is asked for, what is kept, and how it is verified.

What is stamped is the checkpoint as it was first published: the whole signed note, before witnesses added to it. The
imprint is SHA-256 of exactly these bytes. What is kept (attestation kind ``timestamp``) is the authority's whole
answer, a DER ``TimeStampResp``, so that the ordinary command verifies it::

    openssl ts -verify -in timestamp.tsr -data checkpoint -CAfile roots.pem

``token_of`` gives the ``TimeStampToken`` in it (a CMS SignedData), which is what XAdES and CAdES embed, and what
``openssl ts -verify -token_in`` takes; ``response_of`` makes an answer of a token again.
"""

import hashlib
from collections.abc import Sequence

from cryptography.x509 import Certificate, ObjectIdentifier, load_der_x509_certificate
from msgspec import Struct
from rfc3161_client import TimeStampResponse, VerifierBuilder, decode_timestamp_response
from rfc3161_client.errors import VerificationError

from gateway.model.errors import ExchangeError
from gateway.model.errors.attesting import TIMESTAMP_INVALID
from gateway.model.instant import Instant, from_datetime

SHA256 = "2.16.840.1.101.3.4.2.1"

_SEQUENCE, _INTEGER, _BOOLEAN, _OCTETS, _NULL, _OID = 0x30, 0x02, 0x01, 0x04, 0x05, 0x06
_SHORT = 0x80
_LONGEST = 1 << 20
_LONGEST_LENGTH = 4
_MOST_CERTIFICATES = 32
_GRANTED = bytes.fromhex("3003020100")  # PKIStatusInfo {status granted}


class TimestampToken(Struct, frozen=True, kw_only=True):
    """What a timestamp says, which proves nothing before ``verify_token``.

    at: the time stamped. imprint: the hash that was stamped, SHA-256. serial, policy: the authority's number for it,
    and the OID of what it promises. nonce: of the request. certificates: those that it carries, DER, in no order.
    """

    at: Instant
    imprint: bytes
    serial: int
    policy: str
    nonce: int | None
    certificates: tuple[bytes, ...]


def imprint_of(text: bytes) -> bytes:
    """What an authority is shown of a checkpoint."""
    return hashlib.sha256(text).digest()


def timestamp_request(text: bytes, nonce: int, policy: str | None = None) -> bytes:
    """A DER ``TimeStampReq`` that asks for the certificates too. nonce: at least 64 random bits, positive.

    policy: an OID, if the authority has several. Raises ValueError.
    """
    if nonce <= 0:
        raise ValueError("a nonce is positive")
    algorithm = _der(_SEQUENCE, _der(_OID, _oid(SHA256)), _der(_NULL))
    parts = [_der(_INTEGER, b"\x01"), _der(_SEQUENCE, algorithm, _der(_OCTETS, imprint_of(text)))]
    if policy is not None:
        parts.append(_der(_OID, _oid(policy)))
    parts += [_der(_INTEGER, nonce.to_bytes(nonce.bit_length() // 8 + 1, "big")), _der(_BOOLEAN, b"\xff")]
    return _der(_SEQUENCE, *parts)


def parse_token(response: bytes) -> TimestampToken:
    """Read a ``TimeStampResp``. Raises ExchangeError (TIMESTAMP_INVALID) unless it grants a timestamp of SHA-256."""
    return _described(_decoded(response))


def verify_token(
    response: bytes,
    text: bytes,
    roots: Sequence[bytes],
    *,
    authority: bytes | None = None,
    policy: str | None = None,
    nonce: int | None = None,
) -> Instant:
    """When an authority whose certificate leads to one of ``roots`` has seen ``text``.

    response: DER ``TimeStampResp``. roots: certificates that are trusted, DER. authority: the authority's own
    certificate, if only one may be; policy, nonce: what the request asked for. The certificates are judged at the time
    stamped. Raises ExchangeError (TIMESTAMP_INVALID).
    """
    decoded = _decoded(response)
    described = _described(decoded)
    try:
        builder = VerifierBuilder(
            roots=[load_der_x509_certificate(root) for root in roots],
            tsa_certificate=None if authority is None else load_der_x509_certificate(authority),
            policy_id=None if policy is None else ObjectIdentifier(policy),
            nonce=nonce,
        )
        builder.build().verify(decoded, imprint_of(text))
    except VerificationError as error:
        raise ExchangeError(TIMESTAMP_INVALID, _plain(error)) from None
    except (ValueError, TypeError, OverflowError):
        raise ExchangeError(TIMESTAMP_INVALID, "one of the certificates is unusable") from None
    return described.at


def signer_of(response: bytes) -> bytes:
    """The certificate, DER, of the authority that signed: the only one in it of that issuer and serial number.

    Raises ExchangeError (TIMESTAMP_INVALID), also for many certificates: they are not signed, so whoever has a token
    can add some, behind which the right one, and its revocation, would not be seen.
    """
    signed = _decoded(response).signed_data
    if len(signed.certificates) > _MOST_CERTIFICATES:
        raise ExchangeError(TIMESTAMP_INVALID, f"the timestamp carries over {_MOST_CERTIFICATES} certificates")
    found = set()
    try:
        [signer] = signed.signer_infos
        for certificate in signed.certificates:
            parsed: Certificate = load_der_x509_certificate(certificate)
            if (parsed.issuer, parsed.serial_number) == (signer.issuer, signer.serial_number):
                found.add(bytes(certificate))
        [only] = found
    except ValueError:
        raise ExchangeError(
            TIMESTAMP_INVALID, "the timestamp does not carry its signer's certificate, or several"
        ) from None
    return only


def token_of(response: bytes) -> bytes:
    """The DER ``TimeStampToken`` in an answer, byte for byte. Raises ExchangeError (TIMESTAMP_INVALID)."""
    _decoded(response)
    body, end = _inside(response, 0)
    _, after_status = _inside(response, body)
    token, end_of_token = _inside(response, after_status)
    if end_of_token != end or end != len(response) or token == end_of_token:
        raise ExchangeError(TIMESTAMP_INVALID, "the answer is not a status and a token")
    return response[after_status:end]


def response_of(token: bytes) -> bytes:
    """The answer that grants this token."""
    return _der(_SEQUENCE, _GRANTED, token)


def _decoded(response: bytes) -> TimeStampResponse:
    if not response or len(response) > _LONGEST:
        raise ExchangeError(TIMESTAMP_INVALID, "the answer is empty or over 1 MiB")
    try:
        decoded = decode_timestamp_response(response)
        if decoded.status != 0:
            raise ExchangeError(TIMESTAMP_INVALID, f"the authority grants no timestamp: status {decoded.status}")
        decoded.tst_info  # noqa: B018 - parses it
    except (ValueError, TypeError, OverflowError):
        raise ExchangeError(TIMESTAMP_INVALID, "the answer is not a TimeStampResp in DER") from None
    return decoded


def _plain(error: VerificationError) -> str:
    """The library's message, without what OpenSSL adds."""
    text = str(error).rstrip(".")
    return "its signature or certificates do not verify" if text.startswith("Error while") else text


def _described(decoded: TimeStampResponse) -> TimestampToken:
    try:
        info = decoded.tst_info
        if info.message_imprint.hash_algorithm.dotted_string != SHA256:
            raise ExchangeError(TIMESTAMP_INVALID, "the timestamp is not of a SHA-256")
        return TimestampToken(
            at=from_datetime(info.gen_time),
            imprint=bytes(info.message_imprint.message),
            serial=info.serial_number,
            policy=info.policy.dotted_string,
            nonce=info.nonce,
            certificates=tuple(bytes(each) for each in decoded.signed_data.certificates),
        )
    except (ValueError, TypeError, OverflowError):
        raise ExchangeError(TIMESTAMP_INVALID, "the timestamp's content does not parse") from None


def _der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    if len(content) < _SHORT:
        return bytes([tag, len(content)]) + content
    size = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([tag, _SHORT | len(size)]) + size + content


def _inside(data: bytes, start: int) -> tuple[int, int]:
    """Where the content of the SEQUENCE at ``start`` begins and ends."""
    if len(data) < start + 2 or data[start] != _SEQUENCE:
        raise ExchangeError(TIMESTAMP_INVALID, "the answer is not a status and a token")
    length, begin = data[start + 1], start + 2
    if length >= _SHORT:
        size = length - _SHORT
        if not 1 <= size <= _LONGEST_LENGTH:
            raise ExchangeError(TIMESTAMP_INVALID, "the answer is not DER")
        length, begin = int.from_bytes(data[begin : begin + size], "big"), begin + size
    return begin, begin + length


def _oid(text: str) -> bytes:
    """An object identifier's content (X.690 §8.19). Raises ValueError."""
    numbers = [int(part) for part in ObjectIdentifier(text).dotted_string.split(".")]
    encoded = b""
    for number in (40 * numbers[0] + numbers[1], *numbers[2:]):
        digits = [number & 0x7F]
        while number := number >> 7:
            digits.append(_SHORT | number & 0x7F)
        encoded += bytes(reversed(digits))
    return encoded
