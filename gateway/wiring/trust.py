"""The trust list out of its file: verified against the pinned signers and the last one seen, then compiled; and the
keys that are hosted for subsystems of it.
"""

from pathlib import Path

import msgspec

from gateway.config.settings import Keys, Trust
from gateway.keys.file import FileKey, load_public_key, load_signing_key
from gateway.model.errors import ExchangeError
from gateway.model.errors.trust import TRUST_LIST_INVALID
from gateway.model.ids import SubsystemId
from gateway.model.instant import Instant
from gateway.model.log import Document
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


def load_hosted(keys: Keys) -> dict[SubsystemId, FileKey]:
    """The keys that sign on subsystems' mutual-TLS evidence. Raises ExchangeError(KEY_FILE_UNUSABLE).

    Whether the trust list lists them is asked at each use (``TrustStore.hosted_key``), so that a list which withdraws
    one comes into force; ``motlan check`` asks it too.
    """
    return {each.subsystem: load_signing_key(each.key, each.certificate) for each in keys.hosted}


def _document(verified: VerifiedList, now: Instant) -> Document:
    note = msgspec.json.encode(verified.last_seen).decode()
    return Document(kind=KIND, digest=verified.digest, content=verified.data, note=note, at=now)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ExchangeError(TRUST_LIST_INVALID, f"{file}: {error.strerror}") from None
