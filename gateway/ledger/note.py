"""Signed notes (C2SP signed-note) with Ed25519, and the cosignatures of witnesses on them (C2SP tlog-cosignature).

A note is text and signature lines; the text means nothing until a key that the reader already trusts has signed it, so
``open_note`` gives back the text together with the keys that were proved to have signed it, and nothing else.
"""

import hashlib
import re
from collections.abc import Callable, Sequence
from enum import IntEnum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import Struct

from gateway.ledger.base64text import from_base64, to_base64
from gateway.model.errors import ExchangeError
from gateway.model.errors.ledger import LOG_MALFORMED, LOG_SIGNATURE_INVALID

Signer = Callable[[bytes], bytes]
"""Signs with Ed25519 (RFC 8032): message → 64 bytes."""

_KEY_BYTES = 32
_ID_BYTES = 4
_SIGNATURE_BYTES = 64
_TIME_BYTES = 8
_MOST_SIGNATURES = 64
_LONGEST_NOTE = 1 << 20
_LATEST_TIME = 2**63
_DASH = "— "
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


class KeyType(IntEnum):
    """The signature type identifiers that are understood here."""

    ED25519 = 0x01
    COSIGNATURE = 0x04
    """A witness's timestamped Ed25519 cosignature."""


class VerifierKey(Struct, frozen=True):
    """A public key that notes are verified with: its name, its 32 bytes, and how it signs.

    Raises ValueError for a name with spaces or ``+``, or a key of another length.
    """

    name: str
    public: bytes
    type: KeyType = KeyType.ED25519

    def __post_init__(self) -> None:
        if not _is_name(self.name) or len(self.public) != _KEY_BYTES:
            raise ValueError("a verifier key has a name without spaces or plus, and 32 bytes")

    @property
    def id(self) -> bytes:
        """The key ID: SHA-256(name ‖ newline ‖ type ‖ key), its first 4 bytes."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.type]) + self.public).digest()[:_ID_BYTES]

    def encode(self) -> str:
        """The vkey: ``name+id in hex+base64(type ‖ key)``."""
        return f"{self.name}+{self.id.hex()}+{to_base64(bytes([self.type]) + self.public)}"


class Signature(Struct, frozen=True):
    """A signature that was proved: by which key, and, of a witness, when (seconds since the Unix epoch)."""

    key: VerifierKey
    time: int | None = None


class OpenedNote(Struct, frozen=True):
    """The text of a note, and the signatures on it that were proved; there is at least one."""

    text: str
    signatures: tuple[Signature, ...]

    def signed_by(self, key: VerifierKey) -> bool:
        """Whether this key signed it."""
        return any(signature.key == key for signature in self.signatures)


def parse_vkey(vkey: str) -> VerifierKey:
    """Read a vkey. Raises ExchangeError (LOG_MALFORMED), also where the id is not the key's own."""
    name, _, rest = vkey.partition("+")
    key_id, _, encoded = rest.partition("+")
    data = from_base64(encoded)
    try:
        key = VerifierKey(name, data[1:], KeyType(data[0]))
    except (ValueError, IndexError):
        raise ExchangeError(LOG_MALFORMED, "this is not an Ed25519 verifier key (C2SP vkey)") from None
    if key.id.hex() != key_id:
        raise ExchangeError(LOG_MALFORMED, "the verifier key's id is not that of its name and key")
    return key


def sign_note(text: str, key: VerifierKey, sign: Signer) -> bytes:
    """The note of ``text``, signed with the private half of ``key`` by ``sign``. Raises ValueError for a bad text."""
    _check_text(text)
    if key.type is not KeyType.ED25519:
        raise ValueError("a cosignature is added to a note with cosign")
    return f"{text}\n{_line(key, sign(text.encode()))}".encode()


def add_signature(note: bytes, key: VerifierKey, sign: Signer) -> bytes:
    """The note, signed with another plain key too. Raises ExchangeError (LOG_MALFORMED) if it is not a note."""
    if key.type is not KeyType.ED25519:
        raise ValueError("a cosignature is added to a note with cosign")
    text, _ = _split(note)
    return note + _line(key, sign(text.encode())).encode()


def cosign(note: bytes, key: VerifierKey, sign: Signer, time: int) -> bytes:
    """The note with a witness's cosignature of ``time`` (seconds since the Unix epoch) added.

    Raises ExchangeError (LOG_MALFORMED) if it is not a note.
    """
    text, _ = _split(note)
    signature = time.to_bytes(_TIME_BYTES, "big") + sign(_cosigned(text, time))
    return note + _line(key, signature).encode()


def open_note(note: bytes, keys: Sequence[VerifierKey]) -> OpenedNote:
    """Verify a note against the keys that the caller trusts; signatures by others are ignored, as the standard says.

    Raises ExchangeError: LOG_MALFORMED if it is not a note, LOG_SIGNATURE_INVALID if none of the keys signed it, or if
    a signature in the name of one of them is wrong.
    """
    text, lines = _split(note)
    known = {(key.name, key.id): key for key in keys}
    proved: dict[VerifierKey, Signature] = {}
    for name, data in lines:
        key = known.get((name, data[:_ID_BYTES]))
        if key is not None:
            proved.setdefault(key, _verified(text, key, data[_ID_BYTES:]))
    if not proved:
        raise ExchangeError(LOG_SIGNATURE_INVALID, "no key that you trust has signed this")
    return OpenedNote(text, tuple(proved.values()))


def _verified(text: str, key: VerifierKey, signature: bytes) -> Signature:
    time = None
    message = text.encode()
    if key.type is KeyType.COSIGNATURE:
        time = int.from_bytes(signature[:_TIME_BYTES], "big")
        signature = signature[_TIME_BYTES:]
        message = _cosigned(text, time)
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, message)
    except (InvalidSignature, ValueError):
        raise ExchangeError(LOG_SIGNATURE_INVALID, f"the signature by {key.name} is wrong") from None
    if time is not None and time >= _LATEST_TIME:
        raise ExchangeError(LOG_MALFORMED, f"the cosignature by {key.name} has an impossible time")
    return Signature(key, time)


def _split(note: bytes) -> tuple[str, list[tuple[str, bytes]]]:
    """The text, and each signature line's name and bytes. Raises ExchangeError (LOG_MALFORMED)."""
    if len(note) > _LONGEST_NOTE:
        raise ExchangeError(LOG_MALFORMED, "the note is over 1 MiB")
    try:
        decoded = note.decode()
    except UnicodeDecodeError:
        raise ExchangeError(LOG_MALFORMED, "the note is not UTF-8") from None
    text, blank, signatures = decoded.rpartition("\n\n")
    if not blank or not signatures.endswith("\n") or _CONTROL.search(decoded):
        raise ExchangeError(
            LOG_MALFORMED, "a note is text, an empty line and signature lines, without control characters"
        )
    lines = signatures[:-1].split("\n")
    if len(lines) > _MOST_SIGNATURES:
        raise ExchangeError(LOG_MALFORMED, "the note has over 64 signatures")
    return text + "\n", [_parse_line(line) for line in lines]


def _parse_line(line: str) -> tuple[str, bytes]:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    data = from_base64(encoded)
    if not line.startswith(_DASH) or not _is_name(name) or len(data) <= _ID_BYTES:
        raise ExchangeError(LOG_MALFORMED, "a signature line is a dash, a key name and base64")
    return name, data


def _line(key: VerifierKey, signature: bytes) -> str:
    expected = _SIGNATURE_BYTES + (_TIME_BYTES if key.type is KeyType.COSIGNATURE else 0)
    if len(signature) != expected:
        raise ValueError("an Ed25519 signature is 64 bytes")
    return f"{_DASH}{key.name} {to_base64(key.id + signature)}\n"


def _cosigned(text: str, time: int) -> bytes:
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def _check_text(text: str) -> None:
    if not text.endswith("\n") or _CONTROL.search(text):
        raise ValueError("a note's text ends with a newline and has no other control characters")
    text.encode()


def _is_name(name: str) -> bool:
    return bool(name) and "+" not in name and name.isprintable() and not any(map(str.isspace, name))
