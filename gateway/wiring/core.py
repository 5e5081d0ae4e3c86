"""What a gateway and the operator's tools share: clock, randomness, storage, and the recorder on it."""

import os
import time
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import load_der_public_key
from msgspec import Struct

from gateway.config.load import Settings
from gateway.config.secrets import read_vault_key
from gateway.config.settings import Reader
from gateway.exchange.epochs import Epochs
from gateway.exchange.ids import EntropyPool
from gateway.exchange.payloads import Payloads
from gateway.exchange.recording import Recorder
from gateway.exchange.retrying import Retries
from gateway.exchange.siblings import Siblings
from gateway.keys.file import load_public_key
from gateway.ledger.epoch import Recipient
from gateway.ledger.pseudonym import Subject, pseudonym
from gateway.model.errors import ExchangeError
from gateway.model.errors.trust import KEY_FILE_UNUSABLE
from gateway.model.instant import Instant
from gateway.ports import Clock, Entropy
from gateway.storage.sqlite.store import SqliteStore

_KEY_BYTES = 32


class SystemClock:
    """The machine's clocks."""

    def now(self) -> Instant:
        """The wall clock."""
        return Instant(time.time_ns() // 1000)

    def monotonic(self) -> float:
        """Seconds since some start."""
        return time.monotonic()


class Core(Struct, frozen=True, kw_only=True):
    """The parts under every use case, on one database. citizens: the key for citizens' own lists."""

    clock: Clock
    entropy: Entropy
    store: SqliteStore
    epochs: Epochs
    retries: Retries
    recorder: Recorder
    quota_pseudonym: Callable[[str, str], bytes]
    citizens: bytes


async def build_core(
    settings: Settings,
    committed: Callable[[], None] = lambda: None,
    clock: Clock | None = None,
    siblings: Siblings | None = None,
    *,
    begin: bool = True,
    mapped: bool = False,
) -> Core:
    """Open the database. committed: called after each commit. clock: the machine's, if None. siblings: what the
    processes share. begin: an epoch; else the caller does, before the first record. mapped: see SqliteStore. Raises
    ExchangeError and JournalUnavailableError.
    """
    clock, entropy = clock or SystemClock(), EntropyPool(os.urandom)
    vault_key, readers = read_vault_key(settings.keys.vault_key), tuple(map(recipient_of, settings.ledger.readers))
    store = SqliteStore(settings.ledger.database, mapped=mapped)
    epochs = Epochs(store.log, clock, entropy, readers, siblings)
    try:
        if begin:
            await epochs.renew()
    except BaseException:
        await store.close()
        raise
    quota_key, citizens = _derived(vault_key, b"quota"), _derived(vault_key, b"citizens")
    retries = Retries(store.vault, _derived(vault_key, b"vault"), entropy, seconds=settings.timeouts.idempotency)
    shared: dict[str, Any] = {"clock": clock, "entropy": entropy, "epochs": epochs, "retries": retries}
    recorder = Recorder(
        **shared,
        journal=store.journal,
        committed=committed,
        payloads=Payloads(readers, most=settings.retention.payload_bytes),
        citizens=None if settings.citizens is None else citizens,
    )
    return Core(
        **shared,
        store=store,
        recorder=recorder,
        quota_pseudonym=lambda kind, value: pseudonym(quota_key, Subject(kind), value),
        citizens=citizens,
    )


def recipient_of(reader: Reader) -> Recipient:
    """Who may open what is private, with their public key. Raises ExchangeError(KEY_FILE_UNUSABLE)."""
    try:
        return Recipient(reader.id, load_der_public_key(load_public_key(reader.key)))
    except ValueError as error:
        raise ExchangeError(KEY_FILE_UNUSABLE, f"{reader.key}: {error}") from None


def _derived(key: bytes, use: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=_KEY_BYTES, salt=None, info=b"motlan/" + use + b"/v1").derive(key)
