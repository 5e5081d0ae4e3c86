"""The trust list out of its file: verified against the pinned signers and the last one seen, then compiled."""

from pathlib import Path

import msgspec

from gateway.config.settings import Trust
from gateway.keys.file import load_public_key
from gateway.model.errors import ExchangeError
from gateway.model.errors.trust import TRUST_LIST_INVALID
from gateway.model.instant import Instant
from gateway.ports import Document
from gateway.trust.document import Signers
from gateway.trust.jws import LastSeen, VerifiedList, verify
from gateway.trust.store import TrustStore

KIND = "trust-list"


def load_trust(settings: Trust, last: Document | None, now: Instant) -> tuple[TrustStore, Document]:
    """The store, and the document to keep and record before it is used.

    last: the list seen last, from the ledger. Raises ExchangeError: what is wrong with the list or its files.
    """
    signers = Signers(required=settings.threshold, keys=tuple(load_public_key(file) for file in settings.signers))
    seen = None if last is None else msgspec.json.decode(last.note, type=LastSeen)
    verified = verify(_read(settings.list), pinned=signers, last_seen=seen, now=now)
    store = TrustStore.load(verified, crls=[_read(file) for file in settings.crls])
    return store, _document(verified, now)


def _document(verified: VerifiedList, now: Instant) -> Document:
    note = msgspec.json.encode(verified.last_seen).decode()
    return Document(kind=KIND, digest=verified.digest, content=verified.data, note=note, at=now)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ExchangeError(TRUST_LIST_INVALID, f"{file}: {error.strerror}") from None
