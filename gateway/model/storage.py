"""What is stored: rows of the journal and sealed blobs of the vault. Values that cross the storage ports."""

from msgspec import Struct

from gateway.model.decision import Charge
from gateway.model.ids import RecordId
from gateway.model.instant import Instant


class Row(Struct, frozen=True, kw_only=True):
    """A log record as it is stored.

    entry: the 33 bytes that become the log's leaf. skeleton: its public canonical JSON. openings: the sealed private
    fields. pseudonyms: pairs (kind, 16-byte keyed pseudonym) to search by, kind one of person, officer, case, message.
    opens: it is a request that needs an end. ends: the request that this record ends.
    """

    id: RecordId
    entry: bytes
    skeleton: bytes
    openings: bytes
    epoch: str
    pseudonyms: tuple[tuple[str, bytes], ...] = ()
    opens: bool = False
    ends: RecordId | None = None


class Nonce(Struct, frozen=True, kw_only=True):
    """May be used once. key: scope and value, at most 512 characters. expires: when it may be forgotten."""

    key: str
    expires: Instant


class IdempotencyStart(Struct, frozen=True, kw_only=True):
    """The first call with an idempotency key. key: client and key. fingerprint: SHA-256 over what must be the same."""

    key: str
    fingerprint: bytes
    expires: Instant


class IdempotencyEnd(Struct, frozen=True, kw_only=True):
    """The call's end. answer: the vault id of its stored answer; None: it came to nothing, and the key is free again:
    for any call, and the same one (by its fingerprint) may repeat its message id.
    """

    key: str
    answer: str | None


class Commit(Struct, frozen=True, kw_only=True):
    """Everything that one record's commit does, or none of it.

    message_id: the caller's own message id as a use-once value; checked after ``idempotency``, since a retry with the
    same idempotency key may repeat it.
    """

    row: Row
    nonces: tuple[Nonce, ...] = ()
    message_id: Nonce | None = None
    charges: tuple[Charge, ...] = ()
    idempotency: IdempotencyStart | IdempotencyEnd | None = None
    blobs: tuple["Blob", ...] = ()


class Blob(Struct, frozen=True, kw_only=True):
    """A sealed payload in the vault. sealed: ciphertext; the vault never sees what is in it.

    owner: the subsystem it belongs to. subjects: pseudonyms of the persons in it, for erasure. purpose: its code.
    """

    id: str
    owner: str
    subjects: tuple[bytes, ...]
    purpose: str
    expires: Instant
    sealed: bytes


class Attestation(Struct, frozen=True, kw_only=True):
    """What somebody said of the tree at one size.

    kind: ``checkpoint`` (the signed note itself, kept since somebody said something of it), ``cosignature`` (a note's
    signature line by the witness ``name``), ``timestamp`` (a token of the authority ``name``). content: its bytes.
    """

    size: int
    kind: str
    name: str = ""
    content: bytes
    at: Instant


class Redaction(Struct, frozen=True, kw_only=True):
    """What is left of a record's private part. openings: sealed anew without what is erased; empty: nothing is left.
    pseudonyms: those that it may still be found by.
    """

    id: RecordId
    openings: bytes
    pseudonyms: tuple[tuple[str, bytes], ...] = ()


class StoredRecord(Struct, frozen=True, kw_only=True):
    """A row read back. index: its place in the log; None while the sequencer has not given one. seq: commit order."""

    row: Row
    seq: int
    index: int | None


class NonceUsedError(Exception):
    """A nonce of the commit was used before: a replay. Nothing was written."""


class MessageIdUsedError(Exception):
    """The commit's message id was used before by this client. Nothing was written."""


class QuotaSpentError(Exception):
    """A charge would overdraw its quota. Nothing was written. key: the charge's."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class IdempotencySeenError(Exception):
    """The idempotency key exists. Nothing was written. answer: the vault id; None while the first call still runs."""

    def __init__(self, fingerprint: bytes, answer: str | None) -> None:
        super().__init__("idempotency key seen")
        self.fingerprint = fingerprint
        self.answer = answer


class JournalUnavailableError(Exception):
    """The journal cannot make anything durable now (disk full, read-only, closed). Nothing of the commit is durable,
    unless ``uncertain``: then it may or may not be, and the caller must treat it as not acknowledged.
    """

    def __init__(self, reason: str, *, uncertain: bool = False) -> None:
        super().__init__(reason)
        self.uncertain = uncertain
