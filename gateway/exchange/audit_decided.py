"""Under which policy, trust list and mapping a record was decided: the documents, by the digests that it names."""

import hashlib

import msgspec
from msgspec import Struct

from gateway.exchange.audit import Audit
from gateway.exchange.audit_desk import Reader, Reading
from gateway.exchange.audit_question import Found, found_of
from gateway.model.errors import ExchangeError
from gateway.model.ids import RecordId
from gateway.model.log import Document
from gateway.trust.jws import payload_of

KINDS = {"policy": "policy", "trust": "trust-list", "mapping": "services"}
"""What a record calls a digest → the kind of document that it is of."""


class InForceThen(Struct, frozen=True, kw_only=True):
    """A document that a record names. digest: hex. document: None where none with this digest is kept. genuine: its
    content has this digest.
    """

    name: str
    digest: str
    document: Document | None
    genuine: bool


class Decided(Struct, frozen=True, kw_only=True):
    """A record, and what was in force when it was made."""

    found: Found
    documents: tuple[InForceThen, ...]


class Deciding:
    """Finds what decided a record."""

    def __init__(self, audit: Audit) -> None:
        self._desk = audit.desk

    async def of(self, record_id: RecordId, reader: Reader) -> Decided | None:
        """Record the question, then answer it; None without such a record. Raises as ``Audit.search`` does."""
        admitted = await self._desk.admit(reader)
        stored = await self._desk.log.record(record_id)
        reading = Reading(
            action="decided", question={}, found=int(stored is not None), persons=0, more=(("record", record_id),)
        )
        await self._desk.record(admitted, reading)
        if stored is None:
            return None
        found = found_of(stored, {})
        return Decided(found=found, documents=tuple([await self._in_force(found, name) for name in KINDS]))

    async def _in_force(self, found: Found, name: str) -> InForceThen:
        digest = found.skeleton["digests"][name] or ""
        for document in await self._desk.log.documents(KINDS[name]):
            if document.digest == digest:
                return InForceThen(name=name, digest=digest, document=document, genuine=_genuine(document))
        return InForceThen(name=name, digest=digest, document=None, genuine=False)


def _genuine(document: Document) -> bool:
    try:
        content = payload_of(document.content) if document.kind == KINDS["trust"] else document.content
    except (ExchangeError, msgspec.MsgspecError):
        return False
    return hashlib.sha256(content).hexdigest() == document.digest
