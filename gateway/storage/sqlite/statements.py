"""The statements of ``queries.sql`` by name, and inserting many rows in few steps."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import apsw

_HERE = Path(__file__).parent
_HEADER = "-- name: "
_CHUNKS = (64, 8, 1)


def _named(text: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for block in text.split(_HEADER)[1:]:
        name, _, statement = block.partition("\n")
        found[name.strip()] = statement.strip()
    return found


SQL = _named((_HERE / "queries.sql").read_text(encoding="utf-8"))
"""Every statement of ``queries.sql``."""


@lru_cache(maxsize=64)
def _repeated(statement: str, times: int) -> str:
    head, values, row = statement.rpartition("VALUES ")
    return head + values + ", ".join([row] * times)


def insert_many(connection: apsw.Connection, name: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Run a statement that ends in ``VALUES (?, …)`` for many rows.

    A statement for each row would let go of the interpreter's lock and wait for it again each time, which costs more
    than the row when the event loop is busy.
    """
    start = 0
    for size in _CHUNKS:
        while len(rows) - start >= size:
            values = [value for row in rows[start : start + size] for value in row]
            connection.execute(_repeated(SQL[name], size), values)
            start += size
