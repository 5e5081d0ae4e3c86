"""Which rows beside the journal are not what was written, by their checksums: a table at a time, in small pieces.

Tables may be large (kept payloads are), and as long as one reading lasts, the write-ahead log cannot be cut: it would
grow, and what is erased would go on standing in it. So each piece can be a reading of its own.
"""

from typing import Any

import apsw

from gateway.storage.sqlite.sums import SUMMED

_MOST = 100
_AT_ONCE = 250
_KEYS = {
    "nonce_log": ("id",),
    "nonce_lasting": ("key",),
    "nonce_mark": ("one",),
    "charge": ("quota_window", "key"),
    "idempotency": ("key",),
    "vault": ("rowid",),
    "tree": ("one",),
    "epoch": ("id",),
    "document": ("id",),
    "attestation": ("kind", "size", "name"),
}
"""The columns that a table is ordered by."""
_NAMES = {
    "nonce_lasting": "hex(key)",
    "charge": "quota_window",
    "vault": "id",
    "document": "kind || ' ' || digest",
    "attestation": "kind || ' of size ' || size",
}
"""What names a row in a finding, where it is not its key: nothing of it is about a person."""


class TableWalk:
    """Through the rows of one table. done: there is nothing more to look at."""

    def __init__(self, table: str) -> None:
        self._table = table
        self._last: tuple[Any, ...] | None = None
        self._found = 0
        self.done = False

    def piece(self, connection: apsw.Connection) -> list[str]:
        """What is damaged of the next rows. A table that cannot be read is named, and done with."""
        faults: list[str] = []
        try:
            self._look(connection, faults)
        except (apsw.Error, ValueError, TypeError) as error:
            self.done = True
            faults.append(f"table {self._table}: cannot be read: {type(error).__name__}: {error}")
        self._found += len(faults)
        self.done = self.done or self._found >= _MOST
        return faults

    def _look(self, connection: apsw.Connection, faults: list[str]) -> None:
        statement = _statement(self._table, "" if self._last is None else _beyond(self._table))
        rows: list[Any] = connection.execute(statement, self._last or ()).fetchall()
        for *key, damaged, name in rows:
            if self._last is not None and tuple(key) <= self._last:
                raise ValueError("its rows are out of order")
            self._last = tuple(key)
            if damaged:
                faults.append(f"table {self._table}: its row {name} is not what was written: its checksum is another")
        self.done = len(rows) < _AT_ONCE


def damaged_sums(connection: apsw.Connection) -> list[str]:
    """All tables, within one transaction."""
    faults: list[str] = []
    for table in SUMMED:
        walk = TableWalk(table)
        while not walk.done:
            faults += walk.piece(connection)
    return faults


def _statement(table: str, where: str) -> str:
    keys = ", ".join(_KEYS[table])
    damaged, name = f"sum IS NOT motlan_sum({', '.join(SUMMED[table])})", _NAMES.get(table, keys)
    return f"SELECT {keys}, {damaged}, {name} FROM {table} {where} ORDER BY {keys} LIMIT {_AT_ONCE}"  # noqa: S608 - names of ours


def _beyond(table: str) -> str:
    keys = _KEYS[table]
    return f"WHERE ({', '.join(keys)}) > ({', '.join('?' * len(keys))})"
