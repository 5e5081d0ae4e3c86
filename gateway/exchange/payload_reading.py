"""Reading a kept payload: recorded first, opened with the reader's own key, held against the record's digest."""

import hashlib
from typing import Any

from gateway.exchange.audit_desk import Desk, Reader, Reading
from gateway.exchange.audit_question import found_of, persons_in
from gateway.exchange.payloads import FIELD, PAYLOAD_TYP, SEALED, blob_id
from gateway.ledger.openings import Openings
from gateway.ledger.sealed import open_with
from gateway.model.errors import ExchangeError
from gateway.model.errors.erasure import PAYLOAD_ALTERED, PAYLOAD_MISSING
from gateway.model.ids import RecordId
from gateway.model.storage import Blob
from gateway.ports import Clock, Vault


async def read_payload(desk: Desk, vault: Vault, clock: Clock, record_id: RecordId, reader: Reader) -> bytes:
    """Record the reading, then open one record's payload with the reader's key.

    Raises ExchangeError: as ``Desk`` does; PAYLOAD_MISSING, PAYLOAD_ALTERED.
    """
    admitted = await desk.admit(reader)
    stored = await desk.log.record(record_id)
    found = [] if stored is None else [found_of(stored, admitted.epochs)]
    persons = sorted(persons_in(found))
    reading = Reading(
        action="payload",
        question={},
        found=len(found),
        persons=len(persons),
        about=tuple(persons),
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
