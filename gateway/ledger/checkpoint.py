"""Checkpoints (C2SP tlog-checkpoint): the signed statement of a log's size and root, from which all proofs hang."""

import binascii
import re
from collections.abc import Sequence

from msgspec import Struct

from gateway.ledger.merkle import EMPTY_ROOT, HASH_BYTES
from gateway.ledger.note import KeyType, Signature, Signer, VerifierKey, open_note, sign_note
from gateway.model.errors import ExchangeError
from gateway.model.errors.ledger import LOG_MALFORMED, LOG_SIGNATURE_INVALID

LogKeys = VerifierKey | Sequence[VerifierKey]
"""The key of a log, or its keys while one replaces another."""

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_LARGEST = 2**63
_FIXED_LINES = 3


class Checkpoint(Struct, frozen=True):
    """A log's head: origin (its unique name), size (entries), root (32 bytes); ``extensions`` are opaque lines.

    Raises ValueError for an empty or multi-line origin, an impossible size, or a root that an empty tree cannot have.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.origin or any(not line or "\n" in line for line in (self.origin, *self.extensions)):
            raise ValueError("a checkpoint's lines are not empty")
        if not 0 <= self.size < _LARGEST or len(self.root) != HASH_BYTES:
            raise ValueError("a checkpoint has a size below 2^63 and a root of 32 bytes")
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise ValueError("the empty tree has another root")

    @property
    def text(self) -> str:
        """The exact text that is signed."""
        root = binascii.b2a_base64(self.root, newline=False).decode()
        return "".join([f"{line}\n" for line in (self.origin, str(self.size), root, *self.extensions)])


class SignedCheckpoint(Struct, frozen=True):
    """A checkpoint that was proved to be the log's. ``cosignatures``: those of the witnesses that the reader trusts.

    note: the bytes as they were published.
    """

    checkpoint: Checkpoint
    note: bytes
    cosignatures: tuple[Signature, ...] = ()


def sign_checkpoint(checkpoint: Checkpoint, key: VerifierKey, sign: Signer) -> bytes:
    """The checkpoint as a signed note; the key's name should be the checkpoint's origin."""
    return sign_note(checkpoint.text, key, sign)


def parse_checkpoint(text: str) -> Checkpoint:
    """Read a checkpoint's text, which proves nothing. Raises ExchangeError (LOG_MALFORMED)."""
    lines = text.split("\n")
    if len(lines) <= _FIXED_LINES or lines.pop() or not _SIZE.fullmatch(lines[1]):
        raise ExchangeError(LOG_MALFORMED, "a checkpoint is an origin, a size and a root, each on its line")
    try:
        root = binascii.a2b_base64(lines[2].encode(), strict_mode=True)
        checkpoint = Checkpoint(lines[0], int(lines[1]), root, tuple(lines[_FIXED_LINES:]))
    except (ValueError, binascii.Error):
        raise ExchangeError(LOG_MALFORMED, "the checkpoint has an impossible line") from None
    if checkpoint.text != text:
        raise ExchangeError(LOG_MALFORMED, "the checkpoint is not in its one form")
    return checkpoint


def open_checkpoint(
    note: bytes, key: LogKeys, *, origin: str | None = None, witnesses: Sequence[VerifierKey] = ()
) -> SignedCheckpoint:
    """Verify that the log with ``key`` signed this checkpoint, under this origin (by default the signing key's name).

    key: several, of a log whose key is being replaced: one of them must have signed. Raises ExchangeError:
    LOG_MALFORMED; LOG_SIGNATURE_INVALID if the log did not sign it, if a signature by it or by one of ``witnesses`` is
    wrong, or if it is another log's. ValueError for keys of the wrong type.
    """
    keys = log_keys(key)
    if any(witness.type is not KeyType.COSIGNATURE for witness in witnesses):
        raise ValueError("a witness signs with a cosignature key")
    opened = open_note(note, (*keys, *witnesses))
    signed_by = [each for each in keys if opened.signed_by(each)]
    if not signed_by:
        raise ExchangeError(LOG_SIGNATURE_INVALID, "the log itself has not signed this checkpoint")
    checkpoint = parse_checkpoint(opened.text)
    if all(checkpoint.origin != (origin or each.name) for each in signed_by):
        raise ExchangeError(LOG_SIGNATURE_INVALID, "the checkpoint is of a log with another origin")
    by_witnesses = tuple(signature for signature in opened.signatures if signature.key not in keys)
    return SignedCheckpoint(checkpoint, note, by_witnesses)


def log_keys(key: LogKeys) -> tuple[VerifierKey, ...]:
    """The keys of a log, at least one. Raises ValueError for none, or one of another type."""
    keys = (key,) if isinstance(key, VerifierKey) else tuple(key)
    if not keys or any(each.type is not KeyType.ED25519 for each in keys):
        raise ValueError("a log signs with plain Ed25519 keys")
    return keys
