"""Payloads of services that keep them: request and answer as JWE to the readers, committed with their records.

By default nothing of a payload is kept, only its digest. The gateway can seal and not open. What is too large stays
digest only, and the record says which: so a payload that is missing later was erased, or taken away.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from gateway.exchange.events import Event
from gateway.ledger.epoch import Recipient
from gateway.ledger.pseudonym import Subject
from gateway.ledger.record import Facts
from gateway.ledger.sealed import seal_to
from gateway.model.ids import RecordId
from gateway.model.instant import plus
from gateway.model.message import Body, Fields
from gateway.model.storage import Blob, Row

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

    def blobs(self, row: Row, facts: Facts, *, also: Iterable[bytes] = ()) -> tuple[Blob, ...]:
        """What the record's commit puts into the vault. also: pseudonyms of more persons that are in it."""
        if self.sealed is None:
            return ()
        persons = [mark for kind, mark in row.pseudonyms if kind == Subject.PERSON]
        blob = Blob(
            id=blob_id(row.id),
            owner=str(facts.client),
            subjects=tuple(dict.fromkeys((*persons, *also))),
            purpose=facts.purpose or "",
            expires=plus(facts.at, _NEVER),
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
