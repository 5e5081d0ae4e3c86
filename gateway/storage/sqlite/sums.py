"""What SQL asks of this program: checksums of rows, ``motlan_sum(column, …)``; and what stands in a journal row.

A row whose checksum is wrong was damaged, by a bit that flipped or a hand that did not know. Who alters a row on
purpose can write the right one: that is found by what is signed and sealed, not by this.
"""

from typing import Any
from zlib import crc32

import apsw
import msgspec

from gateway.storage.sqlite.rows import id_key, unpack

_encode = msgspec.msgpack.Encoder().encode

SUMMED = {
    "nonce_log": ("expires", "keys"),
    "nonce_lasting": ("key", "expires"),
    "nonce_mark": ("watermark",),
    "charge": ("quota_window", "key", "used"),
    "idempotency": ("key", "fingerprint", "answer", "expires"),
    "vault": ("id", "owner", "subjects", "purpose", "expires", "sealed"),
    "tree": ("size", "frontier", "checkpoint", "fence", "holder", "holder_owner", "lease_until"),
    "epoch": ("id", "starts", "sealed"),
    "document": ("kind", "digest", "content", "note", "at"),
    "attestation": ("size", "kind", "name", "content", "at"),
}
"""The tables whose rows have one, and the columns that it is of. The journal's rows carry theirs within (rows.py)."""


def row_sum(*values: Any) -> int:
    """CRC-32 of the values, framed."""
    return crc32(_encode(values))


def register(connection: apsw.Connection) -> None:
    """Let a connection's statements use them."""
    connection.create_scalar_function("motlan_sum", row_sum, deterministic=True)
    connection.create_scalar_function("motlan_ends", _ends, 1, deterministic=True)
    connection.create_scalar_function("motlan_epoch", _epoch, 1, deterministic=True)


def _ends(*columns: Any) -> Any:
    """The key (bytes) of the request that a journal row ends. None for a damaged row too, which is found elsewhere."""
    try:
        ends = unpack(*columns).ends
    except (ValueError, TypeError):
        return None
    return None if ends is None else id_key(ends)


def _epoch(*columns: Any) -> Any:
    """The epoch of a journal row, as text. None for a damaged one."""
    try:
        return unpack(*columns).epoch
    except (ValueError, TypeError):
        return None
