"""A commit made ready to be written by the caller's own hand, so that nothing in it can fail the batch it joins."""

from msgspec import Struct
from msgspec.msgpack import Encoder

from gateway.model.decision import Charge
from gateway.model.instant import Instant
from gateway.model.storage import Blob, Commit, IdempotencyEnd, IdempotencyStart, Nonce
from gateway.storage.sqlite.nonces import NonceEntry, nonce_key
from gateway.storage.sqlite.rows import pack

_MOST_BYTES = 256 * 2**20
_LARGEST = 2**63 - 1
_NONCE = b"nonce\n"
_MESSAGE_ID = b"message-id\n"
_subjects = Encoder().encode


class PreparedBlob(Struct, frozen=True, gc=False):
    """The values of a vault row, in the order of its statement."""

    id: str
    owner: str
    subjects: bytes
    purpose: str
    expires: Instant
    sealed: bytes


class Prepared(Struct, frozen=True, gc=False):
    """A commit whose texts encode and whose numbers fit. packed: its row."""

    now: Instant
    packed: bytes
    nonces: tuple[NonceEntry, ...]
    message_id: NonceEntry | None
    charges: tuple[Charge, ...]
    idempotency: IdempotencyStart | IdempotencyEnd | None
    blobs: tuple[PreparedBlob, ...]


def prepare(commit: Commit, now: Instant, owner: int) -> Prepared:
    """The commit, ready. Raises ValueError for what no storage could hold (lone surrogates, numbers over 64 bits)."""
    packed = pack(commit.row, now, owner)
    if len(packed) > _MOST_BYTES:
        raise ValueError("a record is at most 256 MiB")
    message_id = commit.message_id
    prepared = Prepared(
        now,
        packed,
        tuple([_entry(_NONCE, nonce) for nonce in commit.nonces]),
        None if message_id is None else _entry(_MESSAGE_ID, message_id),
        commit.charges,
        commit.idempotency,
        tuple([_blob(blob) for blob in commit.blobs]) if commit.blobs else (),
    )
    if commit.charges or commit.idempotency is not None:
        _check(commit)
    return prepared


def _entry(scope: bytes, nonce: Nonce) -> NonceEntry:
    return nonce_key(scope, nonce.key), _within(nonce.expires)


def _within(number: int) -> Instant:
    if not 0 <= number <= _LARGEST:
        raise ValueError("a time or number is outside 64 bits")
    return Instant(number)


def _blob(blob: Blob) -> PreparedBlob:
    if len(blob.sealed) > _MOST_BYTES:
        raise ValueError("a blob is at most 256 MiB")
    for text in (blob.id, blob.owner, blob.purpose):
        text.encode()
    return PreparedBlob(
        blob.id, blob.owner, _subjects(blob.subjects), blob.purpose, _within(blob.expires), bytes(blob.sealed)
    )


def _check(commit: Commit) -> None:
    for charge in commit.charges:
        charge.key.encode()
        for number in (charge.window, charge.limit, charge.amount):
            _within(number)
    idempotency = commit.idempotency
    if isinstance(idempotency, IdempotencyStart):
        idempotency.key.encode()
        _within(idempotency.expires)
    elif idempotency is not None:
        idempotency.key.encode()
        (idempotency.answer or "").encode()
