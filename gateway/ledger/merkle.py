"""The Merkle tree of RFC 6962 §2.1 with SHA-256: roots, inclusion and consistency proofs, and their verification.

Trees are named by their size, nodes by (level, index): level 0 is the leaf hashes, and a node covers the 2^level
leaves from index * 2^level on. Proofs are made from a callable that gives such perfect nodes, wherever they are kept.
"""

import hashlib
from collections.abc import Callable, Sequence

from gateway.model.errors import ExchangeError
from gateway.model.errors.ledger import LOG_PROOF_INVALID

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
"""The root of the tree without leaves."""

NodeReader = Callable[[int, int], bytes]
"""(level, index) → the hash of a node whose leaves all exist."""

_LEAF = b"\x00"
_NODE = b"\x01"
_sha256 = hashlib.sha256


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256(0x00 ‖ entry)."""
    return _sha256(_LEAF + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 ‖ left ‖ right)."""
    return _sha256(_NODE + left + right).digest()


def root(hashes: Sequence[bytes]) -> bytes:
    """The root over hashes of one level, which are taken as leaves of the tree above them."""
    if not hashes:
        return EMPTY_ROOT
    level = list(hashes)
    while len(level) > 1:
        paired = [_sha256(_NODE + left + right).digest() for left, right in zip(level[::2], level[1::2], strict=False)]
        if len(level) % 2:
            # An odd one out goes up unchanged: RFC 6962 splits at the largest power of two below the size.
            paired.append(level[-1])
        level = paired
    return level[0]


def peaks_of(hashes: Sequence[bytes]) -> list[bytes]:
    """The roots of the largest perfect subtrees over hashes of one level, the largest (leftmost) first."""
    peaks: list[bytes] = []
    start = 0
    while start < len(hashes):
        span = 1 << ((len(hashes) - start).bit_length() - 1)
        peaks.append(root(hashes[start : start + span]))
        start += span
    return peaks


def fold(peaks: Sequence[bytes]) -> bytes:
    """The root of the tree whose perfect subtrees, from the left, have these roots."""
    if not peaks:
        return EMPTY_ROOT
    folded = peaks[-1]
    for peak in peaks[-2::-1]:
        folded = node_hash(peak, folded)
    return folded


def subtree_root(start: int, end: int, node: NodeReader) -> bytes:
    """The hash of leaves ``start`` to ``end`` (exclusive), where ``start`` is 0 or aligned as in a proof.

    Raises ValueError for an empty range.
    """
    if start >= end:
        raise ValueError("a range of leaves is not empty")
    peaks: list[bytes] = []
    while start < end:
        level = _largest_level(start, end)
        peaks.append(node(level, start >> level))
        start += 1 << level
    return fold(peaks)


def tree_root(size: int, node: NodeReader) -> bytes:
    """The root of the first ``size`` leaves."""
    return subtree_root(0, size, node) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, node: NodeReader) -> list[bytes]:
    """The proof (RFC 6962 §2.1.1) that leaf ``index`` is in the tree of ``size``, from the leaf's sibling upwards.

    Raises ValueError unless 0 ≤ index < size.
    """
    if not 0 <= index < size:
        raise ValueError("the tree holds no leaf of this index")
    return [subtree_root(start, end, node) for start, end in reversed(_path(index, 0, size))]


def consistency_proof(old: int, new: int, node: NodeReader) -> list[bytes]:
    """The proof (RFC 6962 §2.1.2) that the tree of size ``new`` extends the one of size ``old``.

    Empty where the sizes are equal, or the old tree is empty. Raises ValueError unless 0 ≤ old ≤ new.
    """
    if not 0 <= old <= new:
        raise ValueError("a tree is consistent with larger ones only")
    if old in {0, new}:
        return []
    ranges: list[tuple[int, int]] = []
    start, end = 0, new
    while old != end:
        split = start + _split(end - start)
        if old <= split:
            ranges.append((split, end))
            end = split
        else:
            ranges.append((start, split))
            start = split
    if start:
        ranges.append((start, end))
    return [subtree_root(first, last, node) for first, last in reversed(ranges)]


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], expected: bytes) -> None:
    """Check (RFC 9162 §2.1.3.2) that ``leaf``, a leaf hash, is at ``index`` of the tree with this size and root.

    Raises ExchangeError (LOG_PROOF_INVALID).
    """
    if not 0 <= index < size or any(len(step) != HASH_BYTES for step in proof):
        raise ExchangeError(LOG_PROOF_INVALID, "the inclusion proof is impossible for this index and size")
    position, last = index, size - 1
    computed = leaf
    for step in proof:
        if last == 0:
            raise ExchangeError(LOG_PROOF_INVALID, "the inclusion proof is too long")
        if position & 1 or position == last:
            computed = node_hash(step, computed)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            computed = node_hash(computed, step)
        position >>= 1
        last >>= 1
    if last or computed != expected:
        raise ExchangeError(LOG_PROOF_INVALID, "the inclusion proof does not lead to the root")


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Check (RFC 9162 §2.1.4.2) that the tree of size ``new`` extends the one of size ``old``.

    Raises ExchangeError (LOG_PROOF_INVALID).
    """
    if not 0 <= old <= new or any(len(step) != HASH_BYTES for step in proof):
        raise ExchangeError(LOG_PROOF_INVALID, "the consistency proof is impossible for these sizes")
    if old in {0, new}:
        known = old_root == (EMPTY_ROOT if old == 0 else new_root) and (new != 0 or new_root == EMPTY_ROOT)
        if proof or not known:
            raise ExchangeError(LOG_PROOF_INVALID, "the trees of these sizes have other roots")
        return
    if _roots_of(old, new, old_root, proof) != (old_root, new_root):
        raise ExchangeError(LOG_PROOF_INVALID, "the newer tree does not extend the older one")


def _roots_of(old: int, new: int, old_root: bytes, proof: Sequence[bytes]) -> tuple[bytes, bytes]:
    steps = list(proof)
    if old & (old - 1) == 0:
        steps.insert(0, old_root)  # a perfect old tree is itself the first node
    position, last = old - 1, new - 1
    while position & 1:
        position >>= 1
        last >>= 1
    if not steps:
        raise ExchangeError(LOG_PROOF_INVALID, "the consistency proof is too short")
    older = newer = steps[0]
    for step in steps[1:]:
        if last == 0:
            raise ExchangeError(LOG_PROOF_INVALID, "the consistency proof is too long")
        if position & 1 or position == last:
            older, newer = node_hash(step, older), node_hash(step, newer)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            newer = node_hash(newer, step)
        position >>= 1
        last >>= 1
    if last:
        raise ExchangeError(LOG_PROOF_INVALID, "the consistency proof is too short")
    return older, newer


def _path(index: int, start: int, end: int) -> list[tuple[int, int]]:
    """The siblings on the way from the root down to ``index``, as ranges of leaves."""
    ranges: list[tuple[int, int]] = []
    while end - start > 1:
        split = start + _split(end - start)
        if index < split:
            ranges.append((split, end))
            end = split
        else:
            ranges.append((start, split))
            start = split
    return ranges


def _split(size: int) -> int:
    """The largest power of two below ``size`` (which is at least 2)."""
    return 1 << ((size - 1).bit_length() - 1)


def _largest_level(start: int, end: int) -> int:
    """The level of the largest perfect node that begins at ``start`` and ends by ``end``."""
    fits = (end - start).bit_length() - 1
    if start == 0:
        return fits
    return min(fits, (start & -start).bit_length() - 1)
