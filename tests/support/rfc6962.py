"""RFC 6962 as pymerkle has it, for what the reader of the C2SP formats has read (tests/support/tlog_proof.py)."""

from collections.abc import Iterable
from typing import Any

from pymerkle import InclusionProof, InmemoryTree, verify_inclusion

from tests.support.tlog_proof import Log, Proof


def tree_of(entries: Iterable[bytes]) -> InmemoryTree:
    """Their tree of these entries."""
    tree = InmemoryTree(algorithm="sha256")
    tree.append_entries(entries)
    return tree


def check_receipt(proof: Proof, **changes: Any) -> None:
    """A receipt's inclusion proof, by their verifier. changes: of ``size``, ``index`` (from one) and ``path``.

    Raises pymerkle.InvalidProof.
    """
    shape = tree_of([b""] * proof.size).prove_inclusion(proof.index + 1)
    leaf = shape.hasher.hash_buff(proof.entry)
    said = {"index": proof.index + 1, "size": proof.size, "rule": shape.rule, "path": proof.path} | changes
    claimed = InclusionProof("sha256", security=True, **(said | {"path": [leaf, *said["path"]]}))
    verify_inclusion(leaf, proof.root, claimed, index=proof.index + 1, size=proof.size, algorithm="sha256")


def check_log(log: Log) -> None:
    """A whole log: the signed root, and the hashes in its tiles, are those of its entries."""
    tree = tree_of(log.entries)
    assert len(log.entries) == log.size
    assert tree.get_root() == log.root
    assert log.leaves == [tree.get_leaf(number + 1) for number in range(log.size)]
    full = range(0, log.size - log.size % 256, 256)
    assert log.above == [tree_of(log.entries[start : start + 256]).get_root() for start in full]
