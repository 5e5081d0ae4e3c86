"""The readers of a log that is measured, and what fills it."""

import os
import time
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from msgspec import Struct

from bench.log_events import IN_FORCE, START
from gateway.exchange.audit_desk import Desk, Quota, Reader
from gateway.exchange.epochs import Epochs
from gateway.exchange.ids import EntropyPool
from gateway.exchange.recording import Recorder
from gateway.exchange.retrying import Retries
from gateway.exchange.sequencer import Pace, Sequencer
from gateway.ledger.epoch import Recipient
from gateway.ledger.note import VerifierKey
from gateway.model.instant import Instant
from gateway.model.usage import RoleName
from gateway.storage.sqlite.store import SqliteStore
from gateway.trust.document import Role, Signers, TrustList

ORIGIN = "bench.example/log"


class Keys(Struct, frozen=True, kw_only=True):
    """Private keys: of an auditor, of a data-protection officer, of the log."""

    auditor: Any
    officer: Any
    log: Ed25519PrivateKey

    @property
    def recipients(self) -> tuple[Recipient, ...]:
        """Who opens epochs."""
        return (Recipient("auditor", self.auditor.public_key()), Recipient("officer", self.officer.public_key()))

    @property
    def key(self) -> VerifierKey:
        """The log's."""
        return VerifierKey(ORIGIN, self.log.public_key().public_bytes_raw())


def fresh_keys() -> Keys:
    """New ones."""
    curve = ec.SECP256R1()
    return Keys(
        auditor=ec.generate_private_key(curve), officer=ec.generate_private_key(curve), log=Ed25519PrivateKey.generate()
    )


class Clock:
    """Stands still until it is moved."""

    def __init__(self, at: Instant = START) -> None:
        self.at = at

    def now(self) -> Instant:
        """In the log's time."""
        return self.at

    def monotonic(self) -> float:
        """Of the machine."""
        return time.monotonic()


class Quiet:
    """An observer of nothing."""

    def alarm(self, code: str, detail: str) -> None:
        """Must not be."""
        raise RuntimeError(f"{code}: {detail}")


class World(Struct):
    """A log, and its auditor."""

    store: SqliteStore
    clock: Clock
    recorder: Recorder
    epochs: Epochs
    sequencer: Sequencer
    reader: Reader
    desk: Desk
    key: VerifierKey

    async def sequenced(self, _: Any = None) -> None:
        """Bring into the tree what is not there yet."""
        while await self.sequencer.step():
            pass


def world(database: Path, keys: Keys, clock: Clock, *, citizens: bytes | None = None) -> World:
    """Open a log."""
    entropy, store = EntropyPool(os.urandom), SqliteStore(database, mapped=True)
    epochs = Epochs(store.log, clock, entropy, keys.recipients)
    recorder = Recorder(
        journal=store.journal,
        epochs=epochs,
        retries=Retries(store.vault, bytes(32), entropy, seconds=60),
        clock=clock,
        entropy=entropy,
        committed=lambda: None,
        citizens=citizens,
    )
    observer: Any = Quiet()
    sequencer = Sequencer(
        store.log, clock, observer, key=keys.key, sign=keys.log.sign, holder="bench", pace=Pace(rows=4096)
    )
    quota = Quota(reads=10**6, persons=10**9, second=10**9)
    desk = Desk(store.log, recorder, clock=clock, entropy=entropy, in_force=IN_FORCE, trust=_trust(keys), quota=quota)
    reader = Reader(name="bench", case="B-1", reason="measure", key=keys.auditor)
    return World(store, clock, recorder, epochs, sequencer, reader, desk, keys.key)


def _trust(keys: Keys) -> TrustList:
    roles = tuple(
        Role(
            role=role,
            name=role.value,
            key=private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        )
        for role, private in ((RoleName.AUDITOR, keys.auditor), (RoleName.DATA_PROTECTION_OFFICER, keys.officer))
    )
    return TrustList(
        serial=1,
        issued=Instant(0),
        valid_until=Instant(2**60),
        signers=Signers(required=1, keys=(b"k",)),
        roles=roles,
    )
