"""What the operator's and the auditor's commands need composed: policy, trust and the log of a configuration."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from gateway.config.load import Settings, load
from gateway.exchange.receipts import Receipts
from gateway.keys.file import load_public_key
from gateway.keys.onboarding import read_draft
from gateway.ledger.epoch import Epoch, open_epoch
from gateway.ledger.erasure_check import ErasureCheck
from gateway.ledger.note import VerifierKey, parse_vkey
from gateway.ledger.openings import epoch_of, open_bytes
from gateway.ledger.tiles import WIDTH
from gateway.ledger.verify_record import StoredRecord
from gateway.model import storage
from gateway.model.errors import ExchangeError
from gateway.model.errors.receipt import RECEIPT_UNKNOWN
from gateway.model.ids import RecordId
from gateway.model.storage import JournalUnavailableError
from gateway.policy.policyset import PolicySet
from gateway.storage.sqlite.database import SchemaError
from gateway.storage.sqlite.store import SqliteStore
from gateway.trust.document import Signers
from gateway.trust.jws import LastSeen
from gateway.wiring.attesting import log_keys
from gateway.wiring.stored_files import StoredFiles
from gateway.wiring.trust import KIND as TRUST_KIND

T = TypeVar("T")

_PAGE = 2 * WIDTH
"""Records that are read at once."""


def policy_of(settings: Settings) -> PolicySet:
    """The policy that a gateway with these settings decides by."""
    from gateway.wiring.rules import terms_of  # noqa: PLC0415 - it brings every adapter along, which readers need not

    return PolicySet.compile(settings.grants, terms_of(settings))


def trust_of(config: Path) -> tuple[Path, Signers, LastSeen | None]:
    """Where a gateway reads its trust list, whom it pins as signers, and the list that it saw last.

    Raises ExchangeError and JournalUnavailableError.
    """
    settings = load(config)
    return settings.trust.list, pinned(settings), asyncio.run(_seen(settings))


def pinned(settings: Settings) -> Signers:
    """The signers that a configuration pins. Raises ExchangeError."""
    keys = tuple(load_public_key(file) for file in settings.trust.signers)
    return Signers(required=settings.trust.threshold, keys=keys)


async def _seen(settings: Settings) -> LastSeen | None:
    if not settings.ledger.database.exists():
        return None  # this gateway never ran
    async with _opened(settings) as store:
        document = await store.log.newest_document(TRUST_KIND)
    return None if document is None else msgspec.json.decode(document.note, type=LastSeen)


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[SqliteStore]:
    """The database of a gateway, which may be running. Raises JournalUnavailableError; never makes a new one."""
    file = settings.ledger.database
    if not file.exists():
        raise JournalUnavailableError(f"there is no database {file}: no gateway with this configuration ever ran")
    try:
        store = SqliteStore(file)
    except SchemaError as error:
        raise JournalUnavailableError(str(error)) from error
    try:
        yield store
    finally:
        await store.close()


async def receipt_of(config: Path, record_id: RecordId, size: int | None) -> bytes:
    """The receipt of a record out of a gateway's database, without its private fields. size: of the kept checkpoint.

    Raises ExchangeError and JournalUnavailableError.
    """
    async with _opened(load(config)) as store:
        try:
            return await Receipts(store.log).of(record_id, size=size)
        except ValueError:
            raise ExchangeError(RECEIPT_UNKNOWN, "a record's id is a UUID") from None


def log_keys_of(settings: Settings) -> tuple[VerifierKey, ...]:
    """The verifier keys of a gateway's log: all that the trust list names, else of the gateway's own private keys.

    Raises ExchangeError.
    """
    origin = settings.ledger.origin
    named = tuple(parse_vkey(log.vkey) for log in read_draft(settings.trust.list).logs if log.origin == origin)
    return named or log_keys(settings)


def log_key_of(settings: Settings) -> VerifierKey:
    """The first of ``log_keys_of``: the only one, unless the log changed its key."""
    return log_keys_of(settings)[0]


class StoredLog:
    """A gateway's log as its database has it, for verifiers, which are not asynchronous.

    fetch: a file of the log by its path, as ``StoredFiles`` gives it. altered: records whose private fields the key
    should open and does not, found while ``records`` went by. damaged: what the store itself found damaged of them.
    pending: erased records that nothing accounts for so far.
    """

    def __init__(self, store: SqliteStore, loop: asyncio.AbstractEventLoop, epochs: Mapping[str, Epoch]) -> None:
        self._log = store.log
        self._loop = loop
        self._epochs = epochs
        self.altered: list[str] = []
        self.damaged: list[str] = []
        self._erasures = ErasureCheck()
        self.fetch = StoredFiles(store.log, loop).fetch

    @property
    def pending(self) -> dict[RecordId, int]:
        """As above, with their indexes."""
        return self._erasures.pending

    def size(self) -> int:
        """How many records are in the tree."""
        return int(self._wait(self._log.state())[0])

    def records(self, start: int = 0, pending: dict[RecordId, int] | None = None) -> Iterator[StoredRecord]:
        """Every record that is in the tree from an index on, in the tree's order, its openings in clear where the key
        opens them. pending: as an earlier run that broke off left it.
        """
        erasures = self._erasures = ErasureCheck(pending)
        size = self.size()
        coming = self._ask(self._log.by_index(start, _PAGE))
        for first in range(start, size, _PAGE):
            # While the verifier works on a page, its rows' checksums and indexes are looked at, and the next is read.
            page, damaged = self._page(first, coming), self._ask(self._log.damaged_rows(first, _PAGE))
            if first + _PAGE < size:
                coming = self._ask(self._log.by_index(first + _PAGE, _PAGE))
            for stored in page:
                row = stored.row
                if stored.index is not None:
                    if not row.openings:
                        erasures.empty(row.id, stored.index)
                    opened = self._opened(stored)
                    erasures.saw(row.skeleton, opened)
                    yield StoredRecord(row.id, stored.index, row.skeleton, opened, row.opens, row.ends)
            self.damaged += damaged.result()
        if self._epochs:
            self.altered += erasures.unaccounted()

    def inspect(self) -> list[str]:
        """What is damaged beside the records: tables, indexes, the file. Takes as long as reading all of it."""
        return [*self._wait(self._log.damaged_tables()), *self._wait(self._log.damaged_file())]

    def _page(self, start: int, coming: "Future[Sequence[storage.StoredRecord]]") -> list[storage.StoredRecord]:
        try:
            return list(coming.result())
        except ValueError:
            return [found for index in range(start, start + _PAGE) for found in self._one(index)]

    def _one(self, index: int) -> list[storage.StoredRecord]:
        try:
            return list(self._wait(self._log.by_index(index, 1)))
        except ValueError:
            return []  # the verifier then misses this entry's record, and names it

    def _opened(self, stored: storage.StoredRecord) -> bytes | None:
        row = stored.row
        if not self._epochs or not row.openings:
            return None
        try:
            epoch = self._epochs.get(epoch_of(row.openings))
            return None if epoch is None else open_bytes(row.openings, epoch, row.id, row.entry)
        except ExchangeError as error:
            self.altered.append(f"record {row.id}: {error.detail}")
            return None

    def _wait(self, asked: Coroutine[Any, Any, T]) -> T:
        return self._ask(asked).result()

    def _ask(self, asked: Coroutine[Any, Any, T]) -> "Future[T]":
        return asyncio.run_coroutine_threadsafe(asked, self._loop)


def with_stored_log(settings: Settings, auditor_key: Any | None, work: Callable[[StoredLog], T]) -> T:
    """Do ``work``, in a thread of its own, with the log of a gateway's database.

    auditor_key: opens private fields; None leaves them closed. Raises what ``work`` raises, ExchangeError for a key
    that opens nothing, and JournalUnavailableError.
    """

    async def run() -> T:
        async with _opened(settings) as store:
            epochs = {} if auditor_key is None else await _epochs(store, auditor_key)
            log = StoredLog(store, asyncio.get_running_loop(), epochs)
            return await asyncio.to_thread(work, log)

    return asyncio.run(run())


async def _epochs(store: SqliteStore, key: Any) -> dict[str, Epoch]:
    opened: dict[str, Epoch] = {}
    refused: ExchangeError | None = None
    for epoch_id, _, sealed in await store.log.epochs():
        try:
            opened[epoch_id] = open_epoch(sealed, key)
        except ExchangeError as error:  # sealed before this reader's time
            refused = error
    if refused is not None and not opened:
        raise refused
    return opened
