"""One stored record against its entry in the log, and its private fields against what it commits to."""

import hashlib

import msgspec
from msgspec import Raw, Struct

from gateway.ledger.openings import check_openings, parse_openings
from gateway.ledger.skeleton import FORMAT, Skeleton, entry_of, read_skeleton
from gateway.model.errors import ExchangeError
from gateway.model.errors.ledger import LOG_INVALID
from gateway.model.ids import RecordId

_PREFIX = b"motlan/field/v1\n"
_NULL = b"null"
_sha256 = hashlib.sha256


class StoredRecord(Struct, frozen=True):
    """A record as a gateway stores it.

    index: its place in the log. openings: in clear, where they can be had. opens, ends: what the store says of it,
    where it says anything: whether it is a request that needs an end, and which request it ends.
    """

    id: RecordId
    index: int
    skeleton: bytes
    openings: bytes | None = None
    opens: bool | None = None
    ends: RecordId | None = None


def check_record(record: StoredRecord, entry: bytes) -> Skeleton:
    """Check that a record is the one that the log has at its index; its skeleton, parsed.

    Raises ExchangeError: LOG_INVALID, LOG_MALFORMED, LOG_PROOF_INVALID.
    """
    if entry_of(record.skeleton) != entry:
        raise ExchangeError(LOG_INVALID, f"its skeleton is not that of entry {record.index}")
    skeleton = read_skeleton(record.skeleton)
    if skeleton.id != record.id:
        raise ExchangeError(LOG_INVALID, "it is stored under another record's id")
    if record.openings is not None and not _opens(skeleton, record.openings):
        check_openings(skeleton, parse_openings(record.openings))  # says what is wrong
    return skeleton


class _Written(Struct, frozen=True, forbid_unknown_fields=True):
    fields: list[Raw]
    id: str
    salts: list[str | None]
    version: int


_decode = msgspec.json.Decoder(_Written).decode


def _opens(skeleton: Skeleton, openings: bytes) -> bool:
    """Whether these canonical openings are the record's: the same answer as ``check_openings`` gives, a third of the
    time, since a field whose very bytes hash to its commitment need not be parsed. May deny it wrongly.
    """
    try:
        written = _decode(openings)
        salts = [None if salt is None else bytes.fromhex(salt) for salt in written.salts]
    except (msgspec.MsgspecError, ValueError):
        return False
    if written.id != skeleton.id or not len(written.fields) == len(salts) == len(skeleton.private):
        return False
    fields = [bytes(field) for field in written.fields]
    for field, salt, committed in zip(fields, salts, skeleton.private, strict=True):
        if salt is None:
            if field != _NULL:
                return False
        elif _sha256(_PREFIX + salt + field).hexdigest() != committed:
            return False
    listed = ",".join([_quoted(salt) for salt in written.salts])
    return openings == b'{"fields":[%b],"id":"%b","salts":[%b],"version":%d}' % (
        b",".join(fields),
        skeleton.id.encode(),
        listed.encode(),
        FORMAT,
    )


def _quoted(salt: str | None) -> str:
    return "null" if salt is None else f'"{salt}"'
