"""How a record is packed into a journal row, and read back: a MessagePack array, to which fields may be added at the
end.
"""

import msgspec
from msgspec import Struct, structs

from gateway.model.ids import RecordId
from gateway.model.instant import Instant
from gateway.model.storage import Redaction, Row, StoredRecord

_encode = msgspec.msgpack.Encoder().encode


class PackedRow(Struct, frozen=True, array_like=True, gc=False):
    """A row as it is packed. at: when it was committed. owner: the number of the process that committed it."""

    at: Instant
    owner: int
    id: RecordId
    entry: bytes
    skeleton: bytes
    openings: bytes
    epoch: str
    pseudonyms: tuple[tuple[str, bytes], ...]
    opens: bool
    ends: RecordId | None


_decode = msgspec.msgpack.Decoder(PackedRow).decode


def pack(row: Row, at: Instant, owner: int) -> bytes:
    """The bytes of a row."""
    return _encode(
        (
            at,
            owner,
            row.id,
            row.entry,
            row.skeleton,
            row.openings,
            row.epoch,
            row.pseudonyms,
            row.opens,
            row.ends,
        )
    )


def pack_again(packed: PackedRow, redaction: Redaction) -> bytes:
    """The bytes of a row with less in its private part; nothing else of it may change."""
    return _encode(structs.replace(packed, openings=redaction.openings, pseudonyms=redaction.pseudonyms))


def unpack(packed: bytes) -> PackedRow:
    """The row of some bytes. Raises ValueError where they are no row: the file is damaged."""
    try:
        return _decode(packed)
    except msgspec.MsgspecError as error:
        raise ValueError("a journal row does not parse") from error


def stored(seq: int, packed: PackedRow, size: int) -> StoredRecord:
    """The record of a row, in a log whose tree holds ``size`` records. seq has no gaps: index = seq - 1."""
    row = Row(
        id=packed.id,
        entry=packed.entry,
        skeleton=packed.skeleton,
        openings=packed.openings,
        epoch=packed.epoch,
        pseudonyms=packed.pseudonyms,
        opens=packed.opens,
        ends=packed.ends,
    )
    return StoredRecord(row=row, seq=seq, index=seq - 1 if seq <= size else None)


def id_key(record: str) -> bytes:
    """What a record is indexed by: the 16 bytes of a UUID, or any other text as it is, after a zero byte."""
    digits = record.replace("-", "")
    if len(digits) == 32 and len(record) == 36:  # noqa: PLR2004 - the canonical form of a UUID, RFC 9562 §4
        try:
            return bytes.fromhex(digits)
        except ValueError:
            pass
    return b"\x00" + record.encode()
