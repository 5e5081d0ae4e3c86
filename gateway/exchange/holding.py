"""Legal holds: kept as documents, each recorded before it counts, and never fewer than the log knows of."""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from gateway.exchange.site import Site
from gateway.ledger.epoch import Epoch, Recipient
from gateway.ledger.order_hold import HOLD_TYP, Hold, authorise_hold, check_lifting, in_force, parse_hold
from gateway.ledger.order_jws import payload_of, sign
from gateway.ledger.pseudonym import Subject, pseudonym
from gateway.ledger.record import PrivateField, RecordKind
from gateway.ledger.sealed import open_with, seal_to
from gateway.ledger.skeleton import read_skeleton
from gateway.model import failpoints
from gateway.model.errors import ExchangeError
from gateway.model.errors.erasure import HOLD_LOST
from gateway.model.ids import RecordId
from gateway.model.instant import Instant, plus
from gateway.model.log import Document, LogQuery
from gateway.model.storage import StoredRecord
from gateway.ports import LogStore
from gateway.trust.document import Role

KIND = "hold"
"""The kind of their documents, and the first reason of the records that they came into force by."""

_DRAFT = "hold-draft"
"""The kind of documents that are about to be recorded: so none is lost where the process ends right after that."""

_WHY_TYP = "motlan-hold-why+jwe"
_FRESH_SECONDS = 2 * 86_400
"""Epochs that began so shortly before a hold may still be in use: the hold does not claim to know them."""
_ALL = 2**31


class Why(Struct, frozen=True, kw_only=True):
    """Why somebody or something is under a hold."""

    case: str
    reason: str

    def __post_init__(self) -> None:
        if not (self.case.strip() and self.reason.strip()):
            raise ValueError("a hold states a case and a reason")


class Held(Struct, frozen=True, kw_only=True):
    """What a hold is on. persons: numbers. cases: dossiers' codes."""

    records: tuple[RecordId, ...] = ()
    persons: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()


async def holds_in_force(log: LogStore, roles: tuple[Role, ...], now: Instant) -> tuple[Hold, ...]:
    """Every hold that nobody lifted who may. roles: those of the trust list in force. A lifting that the log does not
    record lifts nothing: who writes to the database and holds the role would leave no trace of it.

    Raises ExchangeError(HOLD_LOST) where the log records one whose document is gone or altered: nothing may be erased
    then.
    """
    recorded = await _recorded(log)
    documents = list(await log.documents(KIND))
    for document in documents:
        if not _is_whole(document):
            raise ExchangeError(HOLD_LOST, f"the document {document.digest} was altered")
    kept = {document.digest for document in documents}
    documents += [each for each in await log.documents(_DRAFT) if each.digest in recorded - kept and _is_whole(each)]
    lost = recorded - {document.digest for document in documents}
    if lost:
        raise ExchangeError(HOLD_LOST, f"missing: {', '.join(sorted(lost))}")
    counted = [each.content for each in documents if each.digest in recorded or not _lifts(each)]
    return in_force(counted, roles, now)


def _lifts(document: Document) -> bool:
    return parse_hold(payload_of(document.content)).lifts is not None


def _is_whole(document: Document) -> bool:
    return hashlib.sha256(payload_of(document.content)).hexdigest() == document.digest


async def _recorded(log: LogStore) -> set[str]:
    """The digests of all holds and liftings that the log records."""
    found = set()
    async for stored in log.search(LogQuery(kind=RecordKind.CONFIGURATION.value, limit=_ALL)):
        decision = read_skeleton(stored.row.skeleton).decision
        if decision is not None and decision.reasons[:1] == (KIND,):
            found.add(decision.reasons[1])
    return found


def is_held(stored: StoredRecord, holds: Iterable[Hold]) -> bool:
    """Whether one of these holds is on a record itself. Its partner is asked about apart."""
    row = stored.row
    marks = [mark for _, mark in row.pseudonyms]
    return any(hold.covers(row.id, row.epoch, marks) for hold in holds)


async def with_partners(log: LogStore, found: Sequence[StoredRecord]) -> list[StoredRecord]:
    """These records, with the answer of each request and the request of each answer among them; each once."""
    together = {each.row.id: each for each in found}
    for each in await log.endings([each.row.id for each in found]):
        together.setdefault(each.row.id, each)
    for each in found:
        if each.row.ends is not None and each.row.ends not in together:
            partner = await log.record(each.row.ends)
            if partner is not None:
                together[partner.row.id] = partner
    return list(together.values())


async def about(
    log: LogStore, epochs: Collection[Epoch], persons: tuple[str, ...], cases: tuple[str, ...] = ()
) -> list[StoredRecord]:
    """Every record of the tree that is about these persons or cases, as far as these epochs tell, with its partner."""
    marks = [(mark, epoch.id) for epoch in epochs for mark in _marks(epoch, persons, cases)]
    if not marks:
        return []
    query = LogQuery(pseudonyms=tuple(mark for mark, _ in marks), epochs=tuple(epoch for _, epoch in marks), limit=_ALL)
    return await with_partners(log, [each async for each in log.search(query)])


def _marks(epoch: Epoch, persons: tuple[str, ...], cases: tuple[str, ...]) -> list[bytes]:
    key = epoch.pseudonym_key
    return [
        *(pseudonym(key, Subject.PERSON, person) for person in persons),
        *(pseudonym(key, Subject.CASE, case) for case in cases),
    ]


class Holding:
    """Places and lifts holds."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def draft(
        self,
        held: Held,
        why: Why,
        *,
        epochs: Mapping[str, Epoch],
        role: Role,
        key: Any,
    ) -> bytes:
        """A hold, signed. epochs: those that the signer's key opens."""
        site, now = self._site, self._site.clock.now()
        known = {name: epoch for name, epoch in epochs.items() if epoch.starts < plus(now, -_FRESH_SECONDS)}
        partners = await about(site.log, epochs.values(), held.persons, held.cases)
        subjects = {name: _hex(_marks(epoch, held.persons, held.cases)) for name, epoch in known.items()}
        if (held.persons or held.cases) and not subjects:
            subjects = {"none": ()}  # it knows no period yet: everything is held
        hold = Hold(
            id=site.entropy(16).hex(),
            log=site.origin,
            issued=now,
            role=role.role.value,
            records=tuple(dict.fromkeys((*held.records, *(each.row.id for each in partners)))),
            subjects=subjects if held.persons or held.cases else {},
            why=sealed_why(why, site.recipients),
        )
        return sign(HOLD_TYP, hold.encode(), key)

    def draft_lifting(self, hold: str, why: Why, *, role: Role, key: Any) -> bytes:
        """The end of a hold, signed."""
        site = self._site
        lifting = Hold(
            id=site.entropy(16).hex(),
            log=site.origin,
            issued=site.clock.now(),
            role=role.role.value,
            lifts=hold,
            why=sealed_why(why, site.recipients),
        )
        return sign(HOLD_TYP, lifting.encode(), key)

    async def place(
        self, data: bytes, roles: tuple[Role, ...], *, why: Why | None = None, persons: tuple[str, ...] = ()
    ) -> Hold:
        """Record a hold or a lifting, then let it count. Doing it again completes what a crash left undone.

        why, persons: known to whoever drafted it, for the record. Raises ExchangeError, JournalUnavailableError.
        """
        site, now = self._site, self._site.clock.now()
        hold, endorsed = authorise_hold(data, roles, log=site.origin, now=now)
        kept = {document.digest for document in await site.log.documents(KIND)}
        recorded = await _recorded(site.log)
        if endorsed.digest in kept & recorded:
            return hold
        if hold.lifts is not None and endorsed.digest not in recorded:
            check_lifting(hold, await holds_in_force(site.log, roles, now), endorsed)
        if endorsed.digest not in recorded:
            private: list[PrivateField] = [("signed_by", each.name) for each in endorsed.signers]
            private += [] if why is None else [("case", why.case), ("reason", why.reason)]
            private += [("person", person) for person in persons]
            reasons = (KIND, endorsed.digest, "add" if hold.lifts is None else "lift")
            await site.log.keep_document(Document(kind=_DRAFT, digest=endorsed.digest, content=data, at=now))
            await site.record(RecordKind.CONFIGURATION, reasons, tuple(private), persons=persons)
            failpoints.reached("hold.recorded")
        await site.log.keep_document(Document(kind=KIND, digest=endorsed.digest, content=data, at=now))
        return hold


def why_of(sealed: str, key: Any) -> Why | None:
    """Why, for a reader's private key; None for another's. sealed: as the document has it."""
    try:
        return Why(**json.loads(open_with(_WHY_TYP, sealed.encode(), key)))
    except (ValueError, TypeError):
        return None


def sealed_why(why: Why, recipients: Sequence[Recipient]) -> str:
    """Why, as a JWE to the readers."""
    clear = json.dumps({"case": why.case, "reason": why.reason}, ensure_ascii=False).encode()
    return seal_to(_WHY_TYP, clear, [(each.kid, each.key) for each in recipients]).decode()


def _hex(marks: Sequence[bytes]) -> tuple[str, ...]:
    return tuple(mark.hex() for mark in marks)
