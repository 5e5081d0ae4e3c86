"""Nonces: the short-lived ones looked up in memory, the lasting ones on disk.

A signature's nonce lives for minutes. In a table on disk each would dirty a page of its own, at random, four times what
the record itself writes; in a table in memory, SQLite's, it would still cost more than the record. So a transaction
appends its nonces to ``nonce_log`` as one row, and dictionaries, filled from there, answer whether one is known;
processes on one file take over each other's at the beginning of each transaction. A nonce takes about 150 bytes of
memory for up to 13 minutes (its own six, and those that the watermark stays behind the clock): 12 MB at 100 signatures
a second. Nonces that live longer, such as callers' message ids, go to
an indexed table.
"""

import hashlib
from typing import Any

import apsw

from gateway.model.instant import MICROSECONDS, Instant
from gateway.storage.sqlite.statements import SQL

KEY_BYTES = 14
"""112 bits: two are confused by nobody's luck; and an object of this size wastes nothing of its block of memory."""
_EXPIRY_BYTES = 8
_ENTRY = KEY_BYTES + _EXPIRY_BYTES
_FRESH = 15 * 60 * MICROSECONDS
_SHARDS = 256
_NEVER = Instant(0)

NonceEntry = tuple[bytes, Instant]
"""The key, hashed, and when it may be forgotten."""


def nonce_key(scope: bytes, key: str) -> bytes:
    """What a nonce is known by: the beginning of its SHA-256."""
    return hashlib.sha256(scope + key.encode()).digest()[:KEY_BYTES]


class Nonces:
    """The nonces of one writing connection. Used inside its transactions only.

    watermark: nonces that expire at or before it may have been forgotten.
    """

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._read = 0
        # In shards, since a dictionary that grows stops the whole process for as long as it takes to move.
        self._shards: list[dict[bytes, Instant]] = [{} for _ in range(_SHARDS)]
        self._due: dict[int, list[bytes]] = {}
        self._written: tuple[int, dict[bytes, Instant]] | None = None
        self.watermark = Instant(0)

    def catch_up(self) -> None:
        """Begin a transaction's work: learn what others have written since."""
        self._written = None
        newest, self.watermark = self._connection.execute(SQL["nonce_state"]).get
        if (newest or 0) != self._read:
            rows: list[Any] = self._connection.execute(SQL["nonce_log_after"], (self._read,)).fetchall()
            for number, keys in rows:
                for start in range(0, len(keys), _ENTRY):
                    cut = start + KEY_BYTES
                    self._know(keys[start:cut], Instant(int.from_bytes(keys[cut : start + _ENTRY], "big")))
                self._read = number

    def find(self, keys: list[bytes]) -> dict[bytes, Instant]:
        """Until when each of the keys that are known is known."""
        if not keys:
            return {}
        shards = self._shards
        found = {key: shards[key[0]][key] for key in keys if key in shards[key[0]]}
        for key, expires in self._connection.execute(SQL["nonce_lasting_find"], (apsw.carray(tuple(keys)),)):
            found[key] = max(Instant(int.from_bytes(expires, "big")), found.get(key, _NEVER))
        return found

    def add(self, entries: dict[bytes, Instant], now: Instant) -> None:
        """Write these; they are known once the transaction is committed."""
        bound = now + _FRESH
        fresh = {key: expires for key, expires in entries.items() if expires <= bound}
        if fresh:
            joined = b"".join([key + expires.to_bytes(_EXPIRY_BYTES, "big") for key, expires in fresh.items()])
            self._connection.execute(SQL["nonce_log_append"], (max(fresh.values()), joined))
            self._written = (self._connection.last_insert_rowid(), fresh)
        if len(fresh) < len(entries):
            lasting = [key + expiry(expires) for key, expires in entries.items() if expires > bound]
            self._connection.execute(SQL["nonce_lasting_add"], (apsw.carray(tuple(lasting)),))

    def committed(self) -> None:
        """What the transaction added is known from now on."""
        if self._written is not None:
            self._read, fresh = self._written
            self._written = None
            for key, expires in fresh.items():
                self._know(key, expires)

    def forget_fresh(self, watermark: Instant, most: int) -> int:
        """Drop expired ones from memory, about ``most`` at a time; how many. They may stay for a second too long."""
        forgotten = 0
        for second in sorted(second for second in self._due if (second + 1) * MICROSECONDS <= watermark):
            for key in self._due.pop(second):
                shard = self._shards[key[0]]
                if shard.get(key, watermark) < watermark:
                    del shard[key]
                    forgotten += 1
            if forgotten >= most:
                break
        return forgotten

    def _know(self, key: bytes, expires: Instant) -> None:
        shard = self._shards[key[0]]
        if shard.get(key, _NEVER) < expires:
            keys = self._due.get(expires // MICROSECONDS)
            if keys is None:
                keys = self._due[expires // MICROSECONDS] = []
            keys.append(key)
            shard[key] = expires


def expiry(instant: Instant) -> bytes:
    """An instant as lasting nonces are ordered by it."""
    return max(instant, 0).to_bytes(_EXPIRY_BYTES, "big")
