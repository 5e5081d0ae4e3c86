"""Finding rows by pseudonym, newest first: each epoch's pseudonym among the records of that epoch only.

Without that, a search in a log of a year would look for every day's pseudonym in every part of the log.
"""

import heapq
from array import array
from collections.abc import Iterator, Sequence
from typing import Any

import apsw
from msgspec import Struct

from gateway.model.log import LogQuery
from gateway.storage.sqlite.indexing import SEGMENT_BITS
from gateway.storage.sqlite.statements import SQL

ALSO = " AND EXISTS (SELECT 1 FROM posting AS other WHERE other.term = ? AND other.seq = found.seq)"
"""A further term that a found row must have."""

_IN_SEGMENTS = """
SELECT found.seq FROM carray(?) AS asked CROSS JOIN pseudonym AS found
ON found.segment = asked.value AND found.pseudonym = ? WHERE found.seq >= ? AND found.seq <= ?{also}
"""
_SEGMENTS = 128
"""How many segments are looked through at a time."""


class _Span(Struct):
    """Where a pseudonym can stand: rows first to last."""

    pseudonym: bytes
    first: int
    last: int


def by_pseudonym(
    connection: apsw.Connection, query: LogQuery, bounds: tuple[int, int], terms: Sequence[int]
) -> Iterator[tuple[int, bytes]]:
    """Rows (seq, packed) within bounds that have one of the pseudonyms and all terms, newest first."""
    statement = _IN_SEGMENTS.format(also=ALSO * len(terms))
    for seq in _merged(connection, statement, _spans(connection, query, bounds), terms):
        yield seq, connection.execute(SQL["row"], (seq,)).get


def _spans(connection: apsw.Connection, query: LogQuery, bounds: tuple[int, int]) -> list[_Span]:
    first, last = bounds
    epochs = query.epochs or (None,) * len(query.pseudonyms)
    known = {epoch: (low, high) for epoch, low, high in connection.execute(SQL["epoch_spans"])} if query.epochs else {}
    found = []
    for pseudonym, epoch in zip(query.pseudonyms, epochs, strict=True):
        low, high = (first, last) if epoch is None else known.get(epoch, (1, 0))
        high = min(high, last)
        if max(first, low) <= high:
            found.append(_Span(pseudonym, max(first, low), high))
    return sorted(found, key=lambda span: span.last)


def _merged(connection: apsw.Connection, statement: str, spans: list[_Span], terms: Sequence[int]) -> Iterator[int]:
    """Rows of all spans, newest first, each once. A span is begun only when its newest could be the next.

    spans: the one that ends last at the end.
    """
    begun: list[tuple[int, int, Iterator[int]]] = []
    before = None
    while begun or spans:
        while spans and (not begun or spans[-1].last >= -begun[0][0]):
            _push(begun, len(spans), _stream(connection, statement, spans.pop(), terms))
        if not begun:
            return
        newest, number, stream = heapq.heappop(begun)
        if -newest != before:
            before = -newest
            yield before
        _push(begun, number, stream)


def _push(begun: list[tuple[int, int, Iterator[int]]], number: int, stream: Iterator[int]) -> None:
    seq = next(stream, None)
    if seq is not None:
        heapq.heappush(begun, (-seq, number, stream))


def _stream(connection: apsw.Connection, statement: str, span: _Span, terms: Sequence[int]) -> Iterator[int]:
    high, lowest = span.last >> SEGMENT_BITS, span.first >> SEGMENT_BITS
    while high >= lowest:
        low = max(lowest, high - _SEGMENTS + 1)
        asked: Any = apsw.carray(array("q", range(low, high + 1)))
        rows: Any = connection.execute(statement, (asked, span.pseudonym, span.first, span.last, *terms))
        yield from sorted([seq for (seq,) in rows], reverse=True)
        high = low - 1
