"""A record's skeleton: the canonical JSON that a log entry is the hash of. The wire form, and how it is read back."""

import hashlib
import hmac
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Raw, Struct

from gateway.ledger.canonical import canonical, is_nfc
from gateway.model.errors import ExchangeError
from gateway.model.errors.ledger import LOG_MALFORMED, LOG_PROOF_INVALID
from gateway.model.instant import Instant, from_datetime, rfc3339

FORMAT = 1
"""The version that skeletons and openings name."""
SALT_BYTES = 16
DIGEST_BYTES = 32
ENTRY_BYTES = 33

_FIELD_DOMAIN = b"motlan/field/v1\n"
_RECORD_DOMAIN = b"motlan/record/v1\n"
_ENTRY_VERSION = b"\x01"
_HEX_DIGEST = 2 * DIGEST_BYTES
_TIME_CHARACTERS = len("2026-11-22T02:51:00.123Z")
_sha256 = hashlib.sha256
_encoder = msgspec.json.Encoder()


class Decision(Struct, frozen=True, forbid_unknown_fields=True):
    """What policy said, and why; of a refusal, its error code is the first reason."""

    reasons: tuple[str, ...]
    ruling: str | None


class Digests(Struct, frozen=True, forbid_unknown_fields=True):
    """SHA-256, in hex, of what was in force; None where there was none."""

    mapping: str | None
    policy: str | None
    schema: str | None
    trust: str | None


class Written(Struct, frozen=True, forbid_unknown_fields=True):
    """The same as ``Skeleton``, as it is put together. Its order is RFC 8785's, so that encoding it is canonical."""

    at: str
    basis: str | None
    build: str
    client: str | None
    decision: Decision | None
    digests: Raw
    grant: str | None
    id: str
    kind: str
    method: str | None
    outcome: str | None
    parent: str | None
    private: list[str]
    purpose: str | None
    released: tuple[str, ...]
    salt: str
    service: str | None
    signed_by: str | None
    version: int


class Skeleton(Struct, frozen=True, forbid_unknown_fields=True):
    """A skeleton as it was read. Texts as written; ``record.Facts`` says what each means.

    at: RFC 3339, UTC, milliseconds. private: the commitments, in hex, in the order of the openings.
    """

    at: str
    basis: str | None
    build: str
    client: str | None
    decision: Decision | None
    digests: Digests
    grant: str | None
    id: str
    kind: str
    method: str | None
    outcome: str | None
    parent: str | None
    private: tuple[str, ...]
    purpose: str | None
    released: tuple[str, ...]
    salt: str
    service: str | None
    signed_by: str | None
    version: int

    def __post_init__(self) -> None:
        if self.version != FORMAT:
            raise ValueError("an unknown version of the format")
        if len(self.salt) != 2 * SALT_BYTES or not {_HEX_DIGEST}.issuperset(map(len, self.private)):
            raise ValueError("a salt or a commitment has another length")
        digits = self.salt + "".join(self.private)
        if bytes.fromhex(digits).hex() != digits or self.instant < 0:
            raise ValueError("a salt or commitment is not lower-case hex, or the time is before 1970")

    @property
    def instant(self) -> Instant:
        """``at`` as an instant. Raises ValueError if it is not a time in its one form."""
        at = self.at
        if len(at) != _TIME_CHARACTERS or at[19] != "." or at[23] != "Z" or not (at.isascii() and at[20:23].isdigit()):
            raise ValueError("the time has another form")
        return Instant(_second(at[:19]) + int(at[20:23]) * 1000)


@lru_cache(maxsize=64)
def _second(text: str) -> Instant:
    """The instant of a second, as in RFC 3339 without its offset. A log's records share them."""
    second = from_datetime(datetime.fromisoformat(f"{text}+00:00"))
    if rfc3339(second)[: len(text)] != text:
        raise ValueError("the time has another form")
    return second


_decoder = msgspec.json.Decoder(Skeleton)


def encoded(written: Written) -> bytes:
    """The canonical bytes of a skeleton. Raises ValueError for a lone surrogate, without quoting it."""
    try:
        skeleton = _encoder.encode(written)
    except UnicodeEncodeError:
        raise ValueError("the text holds a lone surrogate") from None
    # Nothing in it is a float, a large integer or an object of free keys: only NFC can make a difference.
    return skeleton if is_nfc(skeleton) else canonical(msgspec.json.decode(skeleton))


def read_skeleton(skeleton: bytes) -> Skeleton:
    """Parse a skeleton. Raises ExchangeError (LOG_MALFORMED) unless it is a canonical one of a known version."""
    try:
        parsed = _decoder.decode(skeleton)
        # As ``encoded`` writes it; the long way round where that is not the same.
        is_canonical = (_encoder.encode(parsed) == skeleton and is_nfc(skeleton)) or (
            canonical(msgspec.json.decode(skeleton)) == skeleton
        )
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise ExchangeError(LOG_MALFORMED, "the skeleton does not parse") from None
    if not is_canonical:
        raise ExchangeError(LOG_MALFORMED, "the skeleton is not in canonical form (RFC 8785)")
    return parsed


def entry_of(skeleton: bytes) -> bytes:
    r"""The log entry of a skeleton: ``0x01`` ‖ SHA-256(``motlan/record/v1\n`` ‖ skeleton), 33 bytes."""
    return _ENTRY_VERSION + _sha256(_RECORD_DOMAIN + skeleton).digest()


def commitment(name: str, value: Any, salt: bytes) -> bytes:
    r"""SHA-256(``motlan/field/v1\n`` ‖ salt ‖ canonical ``[name, value]``): hides the field, and binds to it.

    Raises ValueError for a salt that is not 16 bytes, or a value that is not JSON.
    """
    if len(salt) != SALT_BYTES:
        raise ValueError("a salt is 16 bytes")
    return _sha256(_FIELD_DOMAIN + salt + canonical([name, value])).digest()


def check_opening(skeleton: bytes | Skeleton, name: str, value: Any, salt: bytes) -> int:
    """The position, among the private fields, of the one that (name, value, salt) opens.

    Raises ExchangeError: LOG_PROOF_INVALID if the skeleton commits to no such field, LOG_MALFORMED for bytes that are
    no skeleton.
    """
    parsed = skeleton if isinstance(skeleton, Skeleton) else read_skeleton(skeleton)
    try:
        opened = commitment(name, value, salt).hex()
    except ValueError:
        raise ExchangeError(LOG_MALFORMED, "the opening is not a name, a JSON value and a salt of 16 bytes") from None
    for position, committed in enumerate(parsed.private):
        if hmac.compare_digest(committed, opened):
            return position
    raise ExchangeError(LOG_PROOF_INVALID, "the record commits to no such field")
