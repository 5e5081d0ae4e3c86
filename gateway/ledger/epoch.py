"""An epoch: the period whose records' openings are sealed under one key, and searched with one pseudonym key.

The gateway holds the keys in memory only. At rest they are a JWE (RFC 7516) that only the auditors and the
data-protection officer can open, so the operator's disk alone shows nothing.
"""

import base64
import re
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct, field
from msgspec.structs import force_setattr

from gateway.ledger.canonical import canonical
from gateway.ledger.sealed import open_with, seal_to
from gateway.ledger.skeleton import FORMAT
from gateway.model.errors import ExchangeError
from gateway.model.errors.ledger import OPENING_UNREADABLE
from gateway.model.instant import Instant

KEY_BYTES = 32

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_TYPE = "motlan-epoch+jwe"


class Epoch(Struct, frozen=True, kw_only=True, eq=False):
    """One epoch's keys. Its representation shows none of them.

    id: 1 to 64 characters of ``A-Z a-z 0-9 . _ -``; it stands in every record sealed. key: 32 bytes, wraps the records'
    keys: with random nonces it may wrap 2^32 of them, so a busy gateway starts a new epoch at least monthly.
    pseudonym_key: 32 bytes. starts: when it came into use. Raises ValueError for others.
    """

    id: str
    key: bytes
    pseudonym_key: bytes
    starts: Instant
    wrapping: Any = field(default=None)
    """AES-256-GCM under ``key``; made at construction."""
    header: bytes = field(default=b"")
    """What sealed openings begin with: version, length of the id, id; made at construction."""

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise ValueError("an epoch's id is 1 to 64 letters, digits, dots, underscores and hyphens")
        if len(self.key) != KEY_BYTES or len(self.pseudonym_key) != KEY_BYTES or self.key == self.pseudonym_key:
            raise ValueError("an epoch has two different keys of 32 bytes")
        force_setattr(self, "wrapping", AESGCM(self.key))
        force_setattr(self, "header", bytes([FORMAT, len(self.id)]) + self.id.encode())

    def __repr__(self) -> str:
        return f"Epoch(id={self.id!r}, starts={self.starts})"


class Recipient(Struct, frozen=True):
    """Who may open an epoch: an id to find their part by, and their public key (P-256, P-384, P-521 or X25519)."""

    kid: str
    key: Any

    def __post_init__(self) -> None:
        if not isinstance(self.key, EllipticCurvePublicKey | X25519PublicKey):
            raise ValueError("a recipient of an epoch has an elliptic-curve public key")  # noqa: TRY004 - one type


class _Written(Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    key: str
    pseudonym_key: str
    starts: int
    version: int


def seal_epoch(epoch: Epoch, recipients: tuple[Recipient, ...]) -> bytes:
    """The epoch as a JWE in general JSON serialisation (RFC 7516 §7.2.1), ECDH-ES+A256KW and A256GCM.

    Any recipient can open it alone. Ephemeral keys are drawn by the library from the operating system. Raises
    ValueError without recipients, or when two share a kid.
    """
    if not recipients or len({recipient.kid for recipient in recipients}) != len(recipients):
        raise ValueError("an epoch is sealed to at least one recipient, each with its own kid")
    clear = canonical(
        {
            "id": epoch.id,
            "key": _text(epoch.key),
            "pseudonym_key": _text(epoch.pseudonym_key),
            "starts": epoch.starts,
            "version": FORMAT,
        }
    )
    return seal_to(_TYPE, clear, [(recipient.kid, recipient.key) for recipient in recipients])


def open_epoch(blob: bytes, private_key: EllipticCurvePrivateKey | X25519PrivateKey) -> Epoch:
    """Open an epoch with one recipient's private key.

    Raises ExchangeError (OPENING_UNREADABLE) for another's key, altered bytes, or another format.
    """
    try:
        written = msgspec.json.decode(open_with(_TYPE, blob, private_key), type=_Written)
        if written.version != FORMAT:
            raise ValueError("an unknown version")  # noqa: TRY301 - one place turns every failure into ours
        return Epoch(
            id=written.id,
            key=_bytes(written.key),
            pseudonym_key=_bytes(written.pseudonym_key),
            starts=Instant(written.starts),
        )
    except (msgspec.MsgspecError, ValueError):
        raise ExchangeError(OPENING_UNREADABLE, "this key opens no part of the sealed epoch") from None


def _text(key: bytes) -> str:
    return base64.urlsafe_b64encode(key).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
