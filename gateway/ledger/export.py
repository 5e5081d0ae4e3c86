"""An export of records: rows as JSON Lines or CSV, each with its index and leaf hash, and the trailer that closes it.

What makes it provable (docs/audit.md): every row carries its record's skeleton, whose hash is the leaf; the hashes
between the rows lead to the root of the checkpoint in the trailer; and the trailer's receipt is of the record, in the
same log, which says how many rows were exported and what their leaves were, so that none can be left out.
"""

import hashlib
import re
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Raw, Struct

from gateway.ledger.base64text import from_base64, to_base64
from gateway.ledger.export_columns import COLUMNS, HEADINGS, cells_of
from gateway.ledger.merkle import HASH_BYTES
from gateway.model.errors import ExchangeError
from gateway.model.errors.ledger import LOG_MALFORMED

FORMAT = "motlan-export/1"
MARK = f"#{FORMAT}"
"""The first cell of a CSV export's last row; the trailer is in the second."""
ROWS_FIELD = "rows"
DIGEST_FIELD = "rows_sha256"
"""Private fields of an export's record: how many rows, and the digest over their indexes and leaves."""
BOM = "\ufeff"

_LARGEST_INDEX = 2**63
_SPECIAL = re.compile('[",\r\n]')
_UNREADABLE = (msgspec.MsgspecError, ValueError, LookupError, TypeError, AttributeError, RecursionError)


class ExportRow(Struct, frozen=True, kw_only=True):
    """One record. index, leaf: in the log. skeleton: canonical. openings: in clear, canonical; None where they are
    withheld, erased or sealed to others. gap: the hashes between it and the row before it (which has a higher index).
    """

    index: int
    leaf: bytes
    skeleton: bytes
    openings: bytes | None = None
    gap: tuple[bytes, ...] = ()


class Trailer(Struct, frozen=True, kw_only=True):
    """gap: the hashes below the last row. receipt: the ``.tlog-proof`` of the export's own record; its checkpoint is
    the one that the rows lead to.
    """

    gap: tuple[bytes, ...]
    receipt: bytes


class RowsDigest:
    """The digest that an export's record holds: SHA-256 over each row's index (8 bytes, big-endian) and leaf."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self.rows = 0

    def add(self, index: int, leaf: bytes) -> None:
        """The next row."""
        self._digest.update(index.to_bytes(8, "big") + leaf)
        self.rows += 1

    def hex(self) -> str:
        """Of the rows so far."""
        return self._digest.hexdigest()


class _Line(Struct, frozen=True, forbid_unknown_fields=True):
    gap: str
    index: int
    leaf: str
    openings: Raw
    skeleton: Raw


class _Last(Struct, frozen=True, forbid_unknown_fields=True):
    format: str
    gap: str
    receipt: str


_encode = msgspec.json.Encoder().encode
_decode_line = msgspec.json.Decoder(_Line).decode
_decode_last = msgspec.json.Decoder(_Last).decode


def json_line(row: ExportRow) -> bytes:
    """A row as a line of JSON."""
    return b'{"gap":"%b","index":%d,"leaf":"%b","openings":%b,"skeleton":%b}\n' % (
        to_base64(b"".join(row.gap)).encode(),
        row.index,
        row.leaf.hex().encode(),
        row.openings or b"null",
        row.skeleton,
    )


def json_trailer(trailer: Trailer) -> bytes:
    """The last line of an export as JSON Lines."""
    return _encode(_last(trailer)) + b"\n"


def parse_json_line(line: bytes) -> ExportRow | Trailer:
    """A line of an export. Raises ExchangeError (LOG_MALFORMED)."""
    try:
        if line.startswith(b'{"format"'):
            return _trailer(_decode_last(line))
        found = _decode_line(line)
        openings = bytes(found.openings)
        return _row(
            found.index, found.leaf, bytes(found.skeleton), None if openings == b"null" else openings, found.gap
        )
    except _UNREADABLE:
        raise ExchangeError(LOG_MALFORMED, "the line is none of an export") from None


def csv_header(language: str) -> str:
    """The first line of an export as CSV (RFC 4180). language: of its headings."""
    return csv_text(HEADINGS.get(language, HEADINGS["vi"]))


def csv_row(row: ExportRow) -> str:
    """A row as CSV."""
    shown = _line((str(row.index), *cells_of(row.skeleton, row.openings), row.leaf.hex()))
    openings = _quoted(row.openings.decode()) if row.openings else ""
    return ",".join((shown, _quoted(row.skeleton.decode()), openings, to_base64(b"".join(row.gap)))) + "\r\n"


def csv_trailer(trailer: Trailer) -> str:
    """The last line of an export as CSV."""
    return csv_text((MARK, _encode(_last(trailer)).decode()))


def csv_text(cells: Sequence[str]) -> str:
    """Cells as a line. By hand: the library takes ten times as long for long cells."""
    return _line(cells) + "\r\n"


def _line(cells: Sequence[str]) -> str:
    if not _SPECIAL.search("".join(cells)):
        return ",".join(cells)
    return ",".join([_quoted(cell) if _SPECIAL.search(cell) else cell for cell in cells])


def _quoted(cell: str) -> str:
    doubled = cell.replace('"', '""')
    return f'"{doubled}"'


def parse_csv_row(cells: Sequence[str]) -> ExportRow | Trailer:
    """The cells of a line. Raises ExchangeError: LOG_MALFORMED, also where the cells for people are not those of the
    record beside them.
    """
    try:
        if cells[:1] == [MARK]:
            return _trailer(_decode_last(cells[1].encode()))
        index, *told, leaf, skeleton, openings, gap = cells
        if len(told) != len(COLUMNS) or str(int(index)) != index:
            raise ValueError("another number of cells")
        row = _row(int(index), leaf, skeleton.encode(), openings.encode() or None, gap)
        altered = [name for name, cell, right in zip(COLUMNS, told, cells_of(row.skeleton, row.openings), strict=True)
                   if cell != right]  # fmt: skip
    except _UNREADABLE:
        raise ExchangeError(LOG_MALFORMED, "the line is none of an export") from None
    if altered:
        raise ExchangeError(LOG_MALFORMED, f"{', '.join(altered)}: not what its record says")
    return row


def _row(index: int, leaf: str, skeleton: bytes, openings: bytes | None, gap: str) -> ExportRow:
    digest = bytes.fromhex(leaf)
    if not 0 <= index < _LARGEST_INDEX or len(digest) != HASH_BYTES or digest.hex() != leaf:
        raise ValueError("an index or a leaf has another form")
    return ExportRow(index=index, leaf=digest, skeleton=skeleton, openings=openings, gap=_hashes(gap))


def _last(trailer: Trailer) -> dict[str, Any]:
    return {"format": FORMAT, "gap": to_base64(b"".join(trailer.gap)), "receipt": trailer.receipt.decode()}


def _trailer(last: _Last) -> Trailer:
    if last.format != FORMAT:
        raise ValueError("an unknown format")
    return Trailer(gap=_hashes(last.gap), receipt=last.receipt.encode())


def _hashes(text: str) -> tuple[bytes, ...]:
    data = from_base64(text) if text else b""
    if len(data) % HASH_BYTES:
        raise ValueError("hashes have 32 bytes each")
    return tuple(data[start : start + HASH_BYTES] for start in range(0, len(data), HASH_BYTES))
