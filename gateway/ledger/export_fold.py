"""Folding a tree from its right end to its left, out of leaves that are shown and hashes that stand for the rest.

An export shows some leaves of a log, the newest first. Before each, and after the last, stand the hashes of the perfect
subtrees that cover what lies between. Folded together they give the log's root, whatever was left out: so no row can be
altered, added or moved, in one pass and with a handful of hashes in memory.
"""

from collections.abc import Iterable, Sequence

from gateway.ledger.merkle import fold, node_hash

Node = tuple[int, int]
"""(level, index) of a perfect subtree."""


def cover(start: int, end: int) -> list[Node]:
    """The largest perfect subtrees over leaves ``start`` to ``end`` (exclusive), from the right to the left."""
    nodes = []
    while start < end:
        fits = (end - start).bit_length() - 1
        level = fits if start == 0 else min(fits, (start & -start).bit_length() - 1)
        nodes.append((level, start >> level))
        start += 1 << level
    return nodes[::-1]


class LeftwardFold:
    """Nodes are pushed from the right to the left, without gap; ``root`` is what they come to."""

    def __init__(self) -> None:
        self._nodes: list[tuple[int, int, bytes]] = []

    def push(self, level: int, index: int, digest: bytes) -> None:
        """The next node to the left."""
        while self._nodes and index % 2 == 0 and self._nodes[-1][:2] == (level, index + 1):
            digest = node_hash(digest, self._nodes.pop()[2])
            level, index = level + 1, index >> 1
        self._nodes.append((level, index, digest))

    def push_gap(self, start: int, end: int, hashes: Sequence[bytes]) -> bool:
        """The nodes that cover leaves ``start`` to ``end``; False if there are more or fewer hashes than these take."""
        nodes = cover(start, end)
        for (level, index), digest in zip(nodes, hashes, strict=False):
            self.push(level, index, digest)
        return len(nodes) == len(hashes)

    def push_before(self, nodes: Iterable[tuple[int, int, bytes]]) -> "LeftwardFold":
        """The fold of ``nodes``, which lie to the right of everything here, and of what is here."""
        whole = LeftwardFold()
        for level, index, digest in (*nodes, *self._nodes):
            whole.push(level, index, digest)
        return whole

    def root(self, size: int) -> bytes | None:
        """The root of the tree of this size; None if what was pushed is not all of it."""
        if [(level, index) for level, index, _ in self._nodes] != cover(0, size):
            return None
        return fold([digest for _, _, digest in reversed(self._nodes)])
