"""Nonces: the short-lived ones looked up in memory, the lasting ones on disk.

A signature's nonce lives for minutes. Kept in a table on disk each would dirty a page of its own at random, four times
what the record itself writes. So a transaction appends its nonces to ``nonce_log`` as one row, and a table in memory,
in the same transaction, answers whether one is known; other processes' are taken over from ``nonce_log`` first. Nonces
that live longer, such as callers' message ids, would fill the memory: they go to an indexed table.
"""

import hashlib
from typing import Any

import apsw

from gateway.model.instant import MICROSECONDS, Instant
from gateway.storage.sqlite.statements import SQL

KEY_BYTES = 16
_EXPIRY_BYTES = 8
_ENTRY = KEY_BYTES + _EXPIRY_BYTES
_FRESH = 15 * 60 * MICROSECONDS
_PREFIXES = 16

NonceEntry = tuple[bytes, Instant]
"""The key, hashed, and when it may be forgotten."""


def nonce_key(scope: bytes, key: str) -> bytes:
    """What a nonce is known by: 16 bytes of SHA-256, so that two are confused by nobody's luck or work."""
    return hashlib.sha256(scope + key.encode()).digest()[:KEY_BYTES]


class Nonces:
    """The nonces of one writing connection. Used inside its transactions only.

    watermark: nonces that expire at or before it may have been forgotten.
    """

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._read = self._read_before = 0
        self.watermark = Instant(0)
        connection.execute("ATTACH ':memory:' AS fresh")
        connection.execute(SQL["nonce_fresh_create"])

    def catch_up(self) -> None:
        """Begin a transaction's work: learn what others have written since."""
        self._read_before = self._read
        newest, watermark = self._connection.execute(SQL["nonce_state"]).get
        self.watermark = watermark
        if (newest or 0) != self._read:
            rows: list[Any] = self._connection.execute(SQL["nonce_log_after"], (self._read,)).fetchall()
            for number, keys in rows:
                entries = tuple(keys[start : start + _ENTRY] for start in range(0, len(keys), _ENTRY))
                self._connection.execute(SQL["nonce_fresh_add"], (apsw.carray(entries),))
                self._read = number

    def find(self, keys: tuple[bytes, ...]) -> dict[bytes, Instant]:
        """Until when each of the keys that are known is known."""
        if not keys:
            return {}
        found: dict[bytes, Instant] = {}
        for key, expires in self._connection.execute(SQL["nonce_find"], (apsw.carray(keys),)):
            until = Instant(int.from_bytes(expires, "big"))
            found[key] = max(until, found.get(key, until))
        return found

    def add(self, entries: dict[bytes, Instant], now: Instant) -> None:
        """Remember these."""
        bound = now + _FRESH
        fresh = tuple([_entry(key, expires) for key, expires in entries.items() if expires <= bound])
        lasting = tuple([_entry(key, expires) for key, expires in entries.items() if expires > bound])
        if fresh:
            self._connection.execute(SQL["nonce_fresh_add"], (apsw.carray(fresh),))
            latest = max(expires for expires in entries.values() if expires <= bound)
            self._connection.execute(SQL["nonce_log_append"], (latest, b"".join(fresh)))
            self._read = self._connection.last_insert_rowid()
        if lasting:
            self._connection.execute(SQL["nonce_lasting_add"], (apsw.carray(lasting),))

    def rolled_back(self) -> None:
        """The transaction came to nothing."""
        self._read = self._read_before

    def forget_fresh(self, prefix: int, watermark: Instant) -> int:
        """Drop one sixteenth (``prefix`` 0 to 15) of the expired ones from memory; how many."""
        step = 256 // _PREFIXES
        low = bytes([prefix * step])
        high = bytes([(prefix + 1) * step]) if prefix + 1 < _PREFIXES else b"\xff" * (KEY_BYTES + 1)
        self._connection.execute(SQL["nonce_fresh_forget"], (low, high, watermark.to_bytes(_EXPIRY_BYTES, "big")))
        return self._connection.changes()


def expiry(instant: Instant) -> bytes:
    """An instant as lasting nonces are ordered by it."""
    return max(instant, 0).to_bytes(_EXPIRY_BYTES, "big")


def _entry(key: bytes, expires: Instant) -> bytes:
    return key + expires.to_bytes(_EXPIRY_BYTES, "big")
