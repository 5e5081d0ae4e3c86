"""What the use cases need of the outside world, as protocols with their contracts.

An implementation is right if it passes the contract suite of its port (``tests/contract``); who builds which one is
``gateway.wiring``'s business alone.
"""

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from typing import Any, Protocol, TypeVar

from msgspec import Struct, UnsetType

from gateway.model.envelope import Claim, Envelope, MessageProtocol, ProvedParts
from gateway.model.errors import ExchangeError
from gateway.model.ids import MemberId, RecordId
from gateway.model.instant import Instant
from gateway.model.log import Document, LogQuery, TreeWrite
from gateway.model.message import Body, Fields, Head, Part
from gateway.model.stages import Answer, Minimised, Recorded, Reply
from gateway.model.storage import Attestation, Blob, Commit, Redaction, StoredRecord
from gateway.model.written import WrittenEnvelope


class Clock(Protocol):
    """The time. Contract: ``now`` may go back (an operator sets the clock); ``monotonic`` never does."""

    def now(self) -> Instant:
        """The wall clock, UTC."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary start, for durations and deadlines."""


Work = TypeVar("Work")
"""What a piece of work returns."""

Entropy = Callable[[int], bytes]
"""``entropy(n)``: n bytes that nobody can predict."""


class Signer(Protocol):
    """A private key that signs and stays where it is."""

    @property
    def keyid(self) -> str:
        """base64url SHA-256 of its certificate."""

    @property
    def algorithm(self) -> str:
        """Its RFC 9421 algorithm name."""

    @property
    def certificate(self) -> bytes:
        """Its certificate, DER."""

    def sign(self, data: bytes) -> bytes:
        """The signature in RFC 9421 form (ECDSA: raw r‖s)."""

    @property
    def jws_algorithm(self) -> str:
        """Its ``alg`` in a JWS (RFC 7518 §3.1): ES256, ES384, EdDSA or PS256."""

    def sign_jws(self, data: bytes) -> bytes:
        """The signature over a JWS signing input, by ``jws_algorithm``."""

    @property
    def xml_algorithm(self) -> str:
        """Its signature method in XML Signature: ECDSA with SHA-256 or SHA-384, RSA with SHA-256 (a URI). Raises
        ExchangeError for a key that XML Signature has none for (Ed25519).
        """

    def sign_xml(self, data: bytes) -> bytes:
        """The signature by ``xml_algorithm`` (ECDSA: raw r‖s; RSA: PKCS #1 v1.5). Raises ExchangeError as that does."""


class Secret(Protocol):
    """A provider's password or key: opaque, shown to nobody but the code that authenticates with it."""

    def reveal(self) -> str:
        """The value. Never logged, never part of an exception."""


class Codec(Protocol):
    """A protocol at the rim, in two phases, so that wrapping attacks fail by type: ``open`` sees only proved bytes.

    Pure. ``claim`` and ``open`` raise ExchangeError.
    """

    @property
    def protocol(self) -> MessageProtocol:
        """What it speaks; its answers are sealed accordingly."""

    def is_strange(self, head: Head, body: Body) -> bool:
        """Whether reading it would leave something behind in this thread for good (names in libxml2's dictionary)."""

    def apart(self, work: Callable[[], Work]) -> Work:
        """Do what reads a strange message so that nothing is left behind. Raises what it raises, and ExchangeError."""

    def remember(self, body: Body, member: MemberId) -> None:
        """A strange message was proved to be a member's, and may leave that. Raises ExchangeError where it is too much,
        of this member or of all.
        """

    def claim(self, head: Head, body: Body) -> Claim:
        """What the message says of itself; nothing of it is trusted."""

    def claim_proved(self, head: Head, body: Body) -> Claim:
        """What an envelope says that was made of the proved parts of a message which was claimed before."""

    def open(self, parts: ProvedParts) -> Envelope:
        """The canonical envelope of what was proved."""

    def answer(self, minimised: Minimised, record_id: RecordId, request_hash: str) -> Answer:
        """The answer without its seal. record_id: its record's. request_hash: ``X-Road-Request-Hash``, base64."""

    def with_root(self, answer: Answer, root: bytes) -> Answer:
        """An enveloped answer of this codec with another envelope in its place, the attachments as they were."""

    def refuse(self, head: Head, claim: Claim | None, error: ExchangeError, record_id: RecordId) -> Answer:
        """The error as this protocol writes it, without seal. record_id: where the log has it (problem instance)."""


class Outbound(Struct, frozen=True, kw_only=True):
    """A request that is about to be sent to a provider. url: absolute. fields: as they will be sent, in order."""

    method: str
    url: str
    fields: Fields
    body: Body


class Countersign(Protocol):
    """The gateway's signatures towards one provider for one recorded request, and its eyes on what comes back.

    It keeps what it signed and proved: that is in the record of the answer.
    """

    def __call__(self, outbound: Outbound) -> Fields:
        """Sign what the provider receives (RFC 9421): the fields to add."""

    def envelope(self, envelope: bytes | WrittenEnvelope, attachments: tuple[Part, ...] = ()) -> bytes:
        """A SOAP request with our WS-Security header in it. attachments: parts that it shall cover."""

    def opened(self, answer: bytes, attachments: tuple[Part, ...] = ()) -> bytes:
        """What a provider's WS-Security signature proves of its SOAP answer, as an envelope of its own.

        attachments: the parts that came with it, all of which it must cover. Raises ExchangeError.
        """


class Interface(Protocol):
    """How a service is spoken over SOAP: its operations, and their elements as JSON documents and back. Pure.

    An element's name is written ``{namespace}name``.
    """

    def called(self, element: str, payload: Callable[[], bytes]) -> tuple[str, str, str | None] | None:
        """The service's own method, path and query for a request element; None: it has no such operation. payload:
        gives the element, where parts of it stand in the path.
        """

    def document(self, payload: bytes) -> Any | UnsetType:
        """A request element as the service's JSON document; UNSET where the service's elements are opaque to us.

        Raises ExchangeError(SCHEMA_MISMATCH) with the places that do not fit, never with values.
        """

    def payload(self, element: str, document: Any) -> bytes:
        """The answer element to a request element, of a JSON document. Raises ValueError for what it cannot hold."""

    def wsdl(self, address: str) -> bytes:
        """Its WSDL 1.1, with the gateway's address, self-contained."""


class Target(Protocol):
    """Where a service is answered: an adapter, a service of our own, later a peer gateway or the outbox.

    Contract: takes only ``Recorded``; never raises for what a provider does (that is a Reply with its outcome), raises
    only asyncio.CancelledError; ends within ``deadline`` (monotonic seconds); never returns NOT_FOUND for a time-out.
    """

    async def send(self, request: Recorded, countersign: Countersign, deadline: float) -> Reply:
        """Forward a recorded request and return what came of it."""

    async def close(self) -> None:
        """Let go of connections."""


class Journal(Protocol):
    """The durable memory of the exchange.

    Contract of ``commit``: when it returns, the row and everything with it survives a power cut; when it raises, none
    of it does (JournalUnavailableError.uncertain apart). Checks go in the order nonces, idempotency, message id,
    charges. Commits of many callers are grouped. An expired nonce or idempotency key is as if it were not there, except
    that a nonce is never forgotten before ``expires`` of it passed by the journal's own highest seen ``now``.
    """

    async def commit(self, commit: Commit, now: Instant) -> None:
        """Make it durable.

        Raises NonceUsedError, IdempotencySeenError, MessageIdUsedError, QuotaSpentError, JournalUnavailableError.
        """

    async def open_requests(self, before: Instant) -> Sequence[StoredRecord]:
        """Requests committed before an instant that have no end: after a crash each gets an ABANDONED record."""

    async def nonce_watermark(self) -> Instant:
        """Nonces that expire before it may have been forgotten, so whatever carries one is refused (the clock may have
        been set back since). It only grows.
        """

    async def purge(self, now: Instant) -> int:
        """Forget expired nonces, idempotency keys, past quota windows and expired blobs; how many."""

    async def close(self) -> None:
        """Flush and let go."""


class Vault(Protocol):
    """Sealed payloads with owner, subjects, purpose and expiry. Blobs are put by ``Commit.blobs``."""

    async def get(self, blob_id: str, now: Instant) -> Blob | None:
        """The blob, unless it is gone or expired."""

    async def delete(self, blob_id: str) -> None:
        """Destroy it."""

    async def destroy(self, blob_ids: Collection[str]) -> int:
        """Destroy these blobs, in small steps: giving it again completes it. How many there were. Durable on return."""


class LogStore(Protocol):
    """The tree of the transparency log, beside the journal's rows.

    Contract: one sequencer at a time, fenced: a write with a stale fence or another ``old_size`` than the stored one
    raises StaleSequencerError and changes nothing. A stored checkpoint is never replaced by a smaller one.
    """

    async def acquire(self, holder: str, now: Instant, lease_seconds: float) -> int | None:
        """Become (or stay) the sequencer: a fence number that only grows; None while another one holds the lease."""

    async def state(self) -> tuple[int, bytes]:
        """Stored tree size and frontier."""

    async def unsequenced(self, limit: int) -> Sequence[StoredRecord]:
        """Committed rows without index, in commit order."""

    async def write(self, step: TreeWrite, fence: int, now: Instant) -> None:
        """Compare-and-swap the tree forward, and fill the search indexes for its rows, in one transaction."""

    async def checkpoint(self) -> bytes | None:
        """The newest published checkpoint (signed note)."""

    async def tile(self, level: int, number: int) -> bytes | None:
        """The hashes of a tile that are there (1 to 256 × 32 bytes)."""

    async def entries(self, start: int, count: int) -> Sequence[bytes]:
        """Entries by index."""

    async def record(self, record_id: RecordId) -> StoredRecord | None:
        """A row by its id, sequenced or not."""

    async def by_index(self, start: int, count: int) -> Sequence[StoredRecord]:
        """Rows by index."""

    async def save_epoch(self, epoch_id: str, starts: Instant, sealed: bytes) -> None:
        """Keep an epoch's keys, sealed to the auditors and the data-protection officer. Durable on return."""

    async def epochs(self) -> Sequence[tuple[str, Instant, bytes]]:
        """All epochs, oldest first."""

    async def keep_document(self, document: "Document") -> None:
        """Keep a document that comes into force (trust list, policy, services), for as long as the log. Durable on
        return; keeping the same kind and digest again makes it the newest.
        """

    async def newest_document(self, kind: str) -> "Document | None":
        """The document of a kind that came into force last."""

    async def documents(self, kind: str) -> Sequence["Document"]:
        """Every document of a kind, in the order in which they came into force."""

    async def attest(self, attestation: Attestation) -> None:
        """Keep what somebody said of the tree. One of a kind and name for a size: the first stays."""

    async def attestations(self, kind: str, *, size: int | None = None, limit: int = 100) -> Sequence[Attestation]:
        """Of a kind: those of trees of at least ``size``, smallest first; without it the newest, largest first."""

    async def redact(self, redactions: Sequence[Redaction]) -> int:
        """Replace private parts and pseudonyms of records in the tree by what is left of them, and nothing else.

        The old bytes are overwritten, not only unlinked. All or none; durable on return. How many records there were.
        Without any, what earlier calls may have left unwiped is wiped. Raises JournalUnavailableError: ``uncertain``
        where the change is made and the old bytes could not be wiped yet.
        """

    async def destroy_epochs(self, through: int, before: Instant) -> Sequence[str]:
        """Destroy the sealed keys of epochs that began before an instant and have no record from index ``through`` on;
        their ids. The epochs stay, with empty keys. Durable on return, wiped as by ``redact``.
        """

    async def damaged_rows(self, start: int, count: int) -> Sequence[str]:
        """Of the records in the tree from an index on: what is damaged of them, or of what leads to them, in words, as
        far as the store can tell without keys.
        """

    async def damaged_tables(self) -> Sequence[str]:
        """What else of the store is damaged, as far as it is quick to see."""

    def search(self, query: "LogQuery") -> AsyncIterator[StoredRecord]:
        """Rows that match, newest first."""

    async def endings(self, requests: Sequence[RecordId]) -> Sequence[StoredRecord]:
        """The records in the tree that ended these requests, in no order."""


class WitnessReply(Struct, frozen=True):
    """What a witness answered. content_type: in lower case, without parameters."""

    status: int
    content_type: str
    body: bytes


class WitnessClient(Protocol):
    """A witness of the log, reached over the network (C2SP tlog-witness)."""

    async def add_checkpoint(self, body: bytes) -> WitnessReply:
        """Ask it to cosign. Whatever it answers is given back. Raises ExchangeError where nothing usable came."""

    async def close(self) -> None:
        """Let go of connections."""


class KeptFile(Protocol):
    """A small document that is replaced whole and never half, and that one process holds at a time."""

    def read(self) -> bytes | None:
        """What it holds; None while it was never written."""

    def write(self, data: bytes) -> None:
        """Replace it; durable on return. Raises OSError."""


class Timestamper(Protocol):
    """A timestamp authority, reached over the network (RFC 3161)."""

    async def stamp(self, request: bytes) -> bytes:
        """The ``TimeStampResp`` to a ``TimeStampReq``, DER, not verified. Raises ExchangeError where none came."""

    async def close(self) -> None:
        """Let go of connections."""


class StaleSequencerError(Exception):
    """Another sequencer took over, or the tree is not where this one thought. It must re-read and start over."""


class Observer(Protocol):
    """Told of what happens, for metrics and logs. Never given payloads, identifiers of persons or raw targets."""

    def exchanged(self, *, service: str, outcome: str, provider_seconds: float) -> None:
        """An exchange ended with a recorded answer."""

    def refused(self, *, code: str, proved: bool) -> None:
        """A request was refused."""

    def failed(self, error: BaseException) -> None:
        """Our own code failed: its type and place are told, never its text, which may quote a message."""

    def alarm(self, code: str, detail: str) -> None:
        """Something an operator must look at."""
