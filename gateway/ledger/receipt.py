"""Receipts (C2SP tlog-proof): a record's proof in one file, verified offline with the log's verifier key alone.

Ours carry, as ``extra``, the record's skeleton and those openings that the holder may see; the entry and its leaf hash
are computed from these, never taken from the file.
"""

import re
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from gateway.ledger.base64text import from_base64, to_base64
from gateway.ledger.canonical import canonical
from gateway.ledger.checkpoint import SignedCheckpoint, open_checkpoint
from gateway.ledger.cosignature_policy import Demand, WitnessPolicy
from gateway.ledger.merkle import HASH_BYTES, leaf_hash, verify_inclusion
from gateway.ledger.note import VerifierKey
from gateway.ledger.openings import Openings, check_openings, parse_openings
from gateway.ledger.skeleton import Skeleton, entry_of, read_skeleton
from gateway.model.errors import ExchangeError
from gateway.model.errors.ledger import LOG_MALFORMED, LOG_PROOF_INVALID, LOG_SIGNATURE_INVALID

_HEADER = "c2sp.org/tlog-proof@v1"
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})")
_MOST_HASHES = 63
_LONGEST = 1 << 22


class Receipt(Struct, frozen=True):
    """A proof as it was read, which proves nothing yet. checkpoint: the note, verbatim. extra: opaque, if there is any.

    Raises ValueError for an impossible index or hash.
    """

    index: int
    proof: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None

    def __post_init__(self) -> None:
        if self.index < 0 or len(self.proof) > _MOST_HASHES or any(len(step) != HASH_BYTES for step in self.proof):
            raise ValueError("a receipt has an index, and at most 63 hashes of 32 bytes")

    def encode(self) -> bytes:
        """The ``.tlog-proof`` file."""
        lines = [_HEADER]
        if self.extra is not None:
            lines.append(f"extra {to_base64(self.extra)}")
        lines.append(f"index {self.index}")
        lines += [to_base64(step) for step in self.proof]
        return "".join([f"{line}\n" for line in lines]).encode() + b"\n" + self.checkpoint


class Disclosure(Struct, frozen=True):
    """What a receipt shows of its record: the skeleton's exact bytes, and the openings that this party may see."""

    skeleton: bytes
    openings: Openings

    def encode(self) -> bytes:
        """The ``extra`` of a receipt: canonical JSON of the skeleton, as a text, and the openings, as an object."""
        openings = msgspec.json.decode(self.openings.encode())
        return canonical({"openings": openings, "skeleton": self.skeleton.decode()})


class ProvedReceipt(Struct, frozen=True):
    """What a receipt proved: that this record is at this index of the log that this checkpoint is of.

    openings: the private fields shown, each checked against its commitment. Without witnesses' cosignatures the log
    may still show others another history; with them it cannot.
    """

    index: int
    skeleton: Skeleton
    openings: Openings
    checkpoint: SignedCheckpoint


def parse_receipt(data: bytes) -> Receipt:
    """Read a ``.tlog-proof`` file. Raises ExchangeError (LOG_MALFORMED)."""
    head, blank, checkpoint = data.partition(b"\n\n")
    if not blank or not checkpoint or len(data) > _LONGEST or not head.isascii():
        raise ExchangeError(LOG_MALFORMED, "a receipt is a proof, an empty line and a checkpoint")
    lines = head.decode().split("\n")
    if lines.pop(0) != _HEADER:
        raise ExchangeError(LOG_MALFORMED, f"the receipt does not begin with {_HEADER}")
    extra = from_base64(lines.pop(0)[len("extra ") :]) if lines and lines[0].startswith("extra ") else None
    index = _INDEX.fullmatch(lines.pop(0)) if lines else None
    if index is None:
        raise ExchangeError(LOG_MALFORMED, "the receipt has no index line at its place")
    try:
        return Receipt(int(index[1]), tuple(from_base64(line) for line in lines), checkpoint, extra)
    except ValueError:
        raise ExchangeError(LOG_MALFORMED, "the receipt has too many hashes, or one of another length") from None


def verify_receipt(
    data: bytes,
    key: VerifierKey,
    *,
    origin: str | None = None,
    witnesses: Sequence[VerifierKey] = (),
    quorum: int = 0,
    policy: WitnessPolicy | None = None,
) -> ProvedReceipt:
    """Verify a receipt of ours offline. ``quorum``: how many of ``witnesses`` must have cosigned the checkpoint.
    policy: which ones must.

    Raises ExchangeError: LOG_MALFORMED; LOG_SIGNATURE_INVALID if the log (or too few witnesses) signed;
    LOG_PROOF_INVALID if the record is not in the tree, or an opening is not the record's.
    """
    receipt = parse_receipt(data)
    if receipt.extra is None:
        raise ExchangeError(LOG_MALFORMED, "the receipt does not carry its record")
    # (1) The checkpoint is the log's, and enough witnesses saw the same.
    demand = Demand(witnesses=tuple(witnesses), quorum=quorum, policy=policy)
    signed = open_checkpoint(receipt.checkpoint, key, origin=origin, witnesses=demand.keys)
    demand.check((key,), [each.key for each in signed.cosignatures])
    # (2) The entry of this very skeleton is in the tree.
    disclosure = parse_disclosure(receipt.extra)
    check_inclusion(receipt, signed, entry_of(disclosure.skeleton))
    # (3) What the receipt opens is what the skeleton commits to.
    skeleton = read_skeleton(disclosure.skeleton)
    check_openings(skeleton, disclosure.openings)
    return ProvedReceipt(receipt.index, skeleton, disclosure.openings, signed)


def verify_receipt_by(
    data: bytes,
    keys: Sequence[VerifierKey],
    *,
    witnesses: Sequence[VerifierKey] = (),
    quorum: int = 0,
    policy: WitnessPolicy | None = None,
) -> ProvedReceipt:
    """As ``verify_receipt``, by whichever of these logs' keys has the name that the checkpoint begins with: a log that
    changed its key has several.
    """
    origin = parse_receipt(data).checkpoint.partition(b"\n")[0].decode(errors="replace")
    unsigned = ExchangeError(LOG_SIGNATURE_INVALID, "the receipt is of a log that you have no key of")
    for key in keys:
        if key.name != origin:
            continue
        try:
            return verify_receipt(data, key, witnesses=witnesses, quorum=quorum, policy=policy)
        except ExchangeError as error:
            if error.kind is not LOG_SIGNATURE_INVALID:
                raise
            unsigned = error
    raise unsigned


def check_inclusion(receipt: Receipt, signed: SignedCheckpoint, entry: bytes) -> None:
    """Check that ``entry`` is at the receipt's index in the tree of a verified checkpoint.

    Raises ExchangeError (LOG_PROOF_INVALID).
    """
    if signed.note != receipt.checkpoint:
        raise ExchangeError(LOG_PROOF_INVALID, "the checkpoint verified is not the receipt's own")
    head = signed.checkpoint
    verify_inclusion(receipt.index, head.size, leaf_hash(entry), receipt.proof, head.root)


def parse_disclosure(extra: bytes) -> Disclosure:
    """Read the ``extra`` of one of our receipts. Raises ExchangeError (LOG_MALFORMED)."""
    try:
        parts = msgspec.json.decode(extra, type=dict[str, Any])
        skeleton = parts.pop("skeleton").encode()
        openings = canonical(parts.pop("openings"))
    except (msgspec.MsgspecError, KeyError, AttributeError, ValueError, RecursionError):
        raise ExchangeError(LOG_MALFORMED, "the receipt's extra is not a skeleton with openings") from None
    disclosure = Disclosure(skeleton, parse_openings(openings))
    if disclosure.encode() != extra:
        raise ExchangeError(LOG_MALFORMED, "the receipt's extra has unknown parts, or is not in canonical form")
    return disclosure
