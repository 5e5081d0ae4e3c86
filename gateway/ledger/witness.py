"""C2SP tlog-witness: what a log asks a witness, what a witness makes of it, and what the log makes of the answer.

A witness cosigns a tree only if it extends the one it cosigned last, so nobody can be shown two histories that both
carry its cosignature. It keeps one size and root for each log.
"""

import re
from collections.abc import Mapping, Sequence
from enum import IntEnum

from msgspec import Struct

from gateway.ledger.base64text import from_base64, to_base64
from gateway.ledger.checkpoint import Checkpoint, LogKeys, open_checkpoint
from gateway.ledger.merkle import EMPTY_ROOT, HASH_BYTES, verify_consistency
from gateway.ledger.note import Signature, Signer, VerifierKey, cosign, open_note
from gateway.ledger.proofs import consistency_proof
from gateway.ledger.tiles import TileId
from gateway.model.errors import ExchangeError
from gateway.model.errors.attesting import WITNESS_REFUSED
from gateway.model.errors.ledger import LOG_MALFORMED, LOG_SIGNATURE_INVALID
from gateway.ports import WitnessReply

ADD_CHECKPOINT = "add-checkpoint"
"""The call, below a witness's submission prefix."""
SIZE_TYPE = "text/x.tlog.size"
"""Content type of a 409's body."""
LONGEST_REQUEST = 64 * 1024
"""Bytes; 63 hashes and a checkpoint need less than 10 KiB."""

_MOST_HASHES = 63
_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})")
_SIZE = re.compile(r"(0|[1-9][0-9]{0,18})\n")


class Status(IntEnum):
    """What a witness answers, as HTTP status."""

    COSIGNED = 200
    MALFORMED = 400
    UNSIGNED = 403
    UNKNOWN_LOG = 404
    CONFLICT = 409
    INCONSISTENT = 422


class AddCheckpoint(Struct, frozen=True):
    """The request. old: the size that the witness cosigned last. proof: from there. checkpoint: the signed note.

    Raises ValueError.
    """

    old: int
    proof: tuple[bytes, ...]
    checkpoint: bytes

    def __post_init__(self) -> None:
        if self.old < 0 or len(self.proof) > _MOST_HASHES or any(len(step) != HASH_BYTES for step in self.proof):
            raise ValueError("a request has an old size, and at most 63 hashes of 32 bytes")

    def encode(self) -> bytes:
        """The body of the POST."""
        lines = [f"old {self.old}\n", *(f"{to_base64(step)}\n" for step in self.proof), "\n"]
        return "".join(lines).encode() + self.checkpoint


def parse_add_checkpoint(body: bytes) -> AddCheckpoint:
    """Read the request's body. Raises ExchangeError (LOG_MALFORMED)."""
    head, blank, checkpoint = body.partition(b"\n\n")
    if not blank or not head.isascii() or len(body) > LONGEST_REQUEST:
        raise ExchangeError(LOG_MALFORMED, "a request is an old size, a proof, an empty line and a checkpoint")
    old, *proof = head.decode().split("\n")
    found = _OLD.fullmatch(old)
    if found is None or len(proof) > _MOST_HASHES:
        raise ExchangeError(LOG_MALFORMED, "the old size or the number of hashes is impossible")
    try:
        return AddCheckpoint(int(found[1]), tuple(from_base64(line) for line in proof), checkpoint)
    except ValueError:
        raise ExchangeError(LOG_MALFORMED, "a hash is 32 bytes") from None


# -- the witness's side ------------------------------------------------------------------------------------------------


class Seen(Struct, frozen=True):
    """What a witness keeps of a log: the largest tree that it cosigned, and the time that it said it at (seconds)."""

    size: int = 0
    root: bytes = EMPTY_ROOT
    time: int = 0


class Refusal(Struct, frozen=True):
    """Why a witness does not cosign. size: with CONFLICT, of the tree that it cosigned last."""

    status: Status
    why: str
    size: int | None = None


def consider(
    request: AddCheckpoint, logs: Mapping[str, Sequence[VerifierKey]], seen: Mapping[str, Seen]
) -> Checkpoint | Refusal:
    """The checkpoint that may be stored as seen, and then cosigned; or why not. logs: keys by origin."""
    origin = request.checkpoint.partition(b"\n")[0].decode(errors="replace")
    keys = logs.get(origin)
    if not keys:
        return Refusal(Status.UNKNOWN_LOG, "this log is not watched here")
    head = _opened(request.checkpoint, origin, keys)
    if isinstance(head, Checkpoint):
        return _compared(request, head, seen.get(origin, Seen())) or head
    return head


def _compared(request: AddCheckpoint, head: Checkpoint, last: Seen) -> Refusal | None:
    if request.old > head.size:
        return Refusal(Status.MALFORMED, "the old tree is larger than the new one")
    if request.old != last.size:
        return Refusal(Status.CONFLICT, "another tree was cosigned last", last.size)
    if request.old == head.size and head.root != last.root:
        return Refusal(Status.CONFLICT, "a tree of this size with another root was cosigned", last.size)
    try:
        verify_consistency(last.size, head.size, last.root, head.root, request.proof)
    except ExchangeError as error:
        return Refusal(Status.INCONSISTENT, error.detail)
    return None


def _opened(note: bytes, origin: str, keys: LogKeys) -> Checkpoint | Refusal:
    try:
        return open_checkpoint(note, keys, origin=origin).checkpoint
    except ExchangeError as error:
        status = Status.UNSIGNED if error.kind is LOG_SIGNATURE_INVALID else Status.MALFORMED
        return Refusal(status, error.detail)


def cosignature(note: bytes, key: VerifierKey, sign: Signer, time: int) -> bytes:
    """The signature line of a witness on a checkpoint, with its newline. time: seconds since the Unix epoch."""
    return cosign(note, key, sign, time)[len(note) :]


# -- the log's side ----------------------------------------------------------------------------------------------------


def read_cosignature(note: bytes, reply: bytes, key: VerifierKey) -> tuple[bytes, Signature]:
    """The line of a witness with ``key`` out of its 200, and what it proves; lines by others are left out.

    Raises ExchangeError: LOG_MALFORMED; LOG_SIGNATURE_INVALID if there is none, or it is wrong.
    """
    for line in reply.splitlines(keepends=True):
        try:
            opened = open_note(note + line, (key,))
        except ExchangeError:
            continue
        return line, opened.signatures[0]
    raise ExchangeError(LOG_SIGNATURE_INVALID, f"{key.name} answered without a cosignature of its own")


def size_in(reply: WitnessReply) -> int:
    """The size that a 409 names. Raises ExchangeError (WITNESS_REFUSED) where it names none."""
    text = reply.body[:32].decode("ascii", errors="replace")
    found = _SIZE.fullmatch(text)
    if reply.content_type != SIZE_TYPE or found is None:
        raise ExchangeError(WITNESS_REFUSED, "it answered 409 without a tree size")
    return int(found[1])


def tiles_for(old: int, new: int) -> tuple[TileId, ...]:
    """The tiles that a consistency proof between trees of these sizes is made from; few, whatever the sizes."""
    needed: dict[TileId, None] = {}

    def ask(level: int, index: int, width: int) -> bytes:
        needed[TileId(level, index, width)] = None
        return bytes(width * HASH_BYTES)

    consistency_proof(old, new, ask)
    return tuple(needed)
