"""Payloads of services that keep them: request and answer as JWE to the readers, committed with their records.

By default nothing of a payload is kept, only its digest. The gateway can seal and not open. What is too large stays
digest only, and the record says which: so a payload that is missing later was erased, or taken away.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from gateway.exchange.audit_desk import Desk, Reader, Reading
from gateway.exchange.audit_question import found_of, persons_in
from gateway.exchange.events import Event
from gateway.ledger.epoch import Recipient
from gateway.ledger.openings import Openings
from gateway.ledger.pseudonym import Subject
from gateway.ledger.sealed import open_with, seal_to
from gateway.model.errors import ExchangeError
from gateway.model.errors.erasure import PAYLOAD_ALTERED, PAYLOAD_MISSING
from gateway.model.ids import RecordId
from gateway.model.instant import Instant, plus
from gateway.model.message import Body, Fields
from gateway.model.storage import Blob, Row
from gateway.ports import Clock, Vault

FIELD = "payload"
"""The private field that says what was kept of a body."""
SEALED = "sealed"
TOO_LARGE = "digest only: too large"

PAYLOAD_TYP = "motlan-payload+jwe"
"""The ``typ`` of a kept payload."""

_NEVER = 100 * 365 * 86_400.0
"""Seconds. Retention, which knows of legal holds, destroys a payload with its record's private part; the vault's own
clock does not.
"""


class Kept(Struct, frozen=True, kw_only=True):
    """What is kept of one body. note: the private field's value. sealed: the JWE; None where it was too large."""

    note: str
    sealed: bytes | None

    def noted(self, event: Event) -> Event:
        """The event, with what is kept in its private fields."""
        facts = replace(event.facts, private=(*event.facts.private, (FIELD, self.note)))
        return replace(event, facts=facts)

    def blobs(self, row: Row, at: Instant, *, owner: str, purpose: str, also: Iterable[bytes] = ()) -> tuple[Blob, ...]:
        """What the record's commit puts into the vault. also: pseudonyms of more persons that are in it."""
        if self.sealed is None:
            return ()
        persons = [mark for kind, mark in row.pseudonyms if kind == Subject.PERSON]
        blob = Blob(
            id=blob_id(row.id),
            owner=owner,
            subjects=tuple(dict.fromkeys((*persons, *also))),
            purpose=purpose,
            expires=plus(at, _NEVER),
            sealed=self.sealed,
        )
        return (blob,)


class Payloads:
    """Seals bodies to the readers. most: bytes of a body; a larger one, and one on disk, stays digest only."""

    def __init__(self, recipients: Sequence[Recipient], *, most: int) -> None:
        self._readers = [(each.kid, each.key) for each in recipients]
        self._most = most

    def kept(self, body: Body, fields: Fields) -> Kept | None:
        """What is kept of a body; None of one that is empty. fields: of its message, for its media type."""
        if not body.size:
            return None
        if body.data is None or body.size > self._most:
            return Kept(note=TOO_LARGE, sealed=None)
        media = next((value for name, value in fields if name.lower() == "content-type"), None)
        return Kept(note=SEALED, sealed=seal_to(PAYLOAD_TYP, body.data, self._readers, content=media))


def blob_id(record: RecordId) -> str:
    """What a record's payload is called in the vault."""
    return f"payload {record}"


def blob_ids(records: Iterable[RecordId]) -> list[str]:
    """All that the vault may hold of these records: payloads, and answers kept for retries."""
    return [name for record in records for name in (blob_id(record), record)]


async def read_payload(desk: Desk, vault: Vault, clock: Clock, record_id: RecordId, reader: Reader) -> bytes:
    """Record the reading, then open one record's payload with the reader's key.

    Raises ExchangeError: as ``Desk`` does; PAYLOAD_MISSING, PAYLOAD_ALTERED.
    """
    admitted = await desk.admit(reader)
    stored = await desk.log.record(record_id)
    found = [] if stored is None else [found_of(stored, admitted.epochs)]
    reading = Reading(
        action="payload",
        question={},
        found=len(found),
        persons=len(persons_in(found)),
        more=(("record", record_id),),
    )
    await desk.record(admitted, reading)
    blob = await vault.get(blob_id(record_id), clock.now())
    if not found or blob is None:
        raise ExchangeError(PAYLOAD_MISSING, "the record is not there" if not found else _why(found[0].openings))
    return _opened(blob, found[0].openings, reader.key)


def _opened(blob: Blob, openings: Openings | None, key: Any) -> bytes:
    digest = None if openings is None else _field(openings, "body_sha256")
    try:
        clear = open_with(PAYLOAD_TYP, blob.sealed, key)
    except ValueError:
        raise ExchangeError(PAYLOAD_ALTERED, "this key opens no part of it") from None
    if hashlib.sha256(clear).hexdigest() != digest:
        raise ExchangeError(PAYLOAD_ALTERED, "its digest is not the record's")
    return clear


def _why(openings: Openings | None) -> str:
    note = None if openings is None else _field(openings, FIELD)
    if note == SEALED:
        return "one was kept, and is gone: erased, past its retention, or taken away"
    return "the record says: " + note if note else "nothing says that one was kept"


def _field(openings: Openings, name: str) -> str | None:
    return next((str(each.value) for each in openings.shown if each.name == name), None)
