"""Withholdings from citizens' lists: kept as documents, each recorded before it counts, and over by themselves, or
sooner where an officer lifts them.
"""

import hashlib
from collections.abc import Iterable
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from gateway.exchange.holding import Why, sealed_why
from gateway.exchange.marks import citizen_mark
from gateway.exchange.site import Site
from gateway.ledger.order_jws import Endorsed, payload_of, sign
from gateway.ledger.order_withheld import (
    LIFTING_TYP,
    WITHHELD_TYP,
    Lifting,
    Withheld,
    authorise_lifting,
    authorise_withheld,
    scope_of,
)
from gateway.ledger.record import PrivateField, RecordKind
from gateway.ledger.skeleton import read_skeleton
from gateway.model import failpoints
from gateway.model.errors import ExchangeError
from gateway.model.errors.citizen import WITHHELD_LOST, WITHHELD_UNKNOWN, WITHHOLDING_REFUSED
from gateway.model.errors.erasure import ORDER_MALFORMED, ORDER_SIGNATURES
from gateway.model.ids import RecordId
from gateway.model.instant import Instant, rfc3339
from gateway.model.log import Document, LogQuery
from gateway.model.storage import StoredRecord
from gateway.ports import LogStore
from gateway.trust.document import Role

KIND = "withheld"
"""The kind of their documents, and the first reason of the records that they came into force by."""

_DRAFT = "withheld-draft"
"""The kind of documents that are about to be recorded: so none is lost where the process ends right after that."""

_ALL = 2**31
_MOST_WAITING = 10_000
_NOT_OURS = (ORDER_MALFORMED, ORDER_SIGNATURES, WITHHOLDING_REFUSED)


class Entries(Struct, frozen=True, kw_only=True):
    """What is to be withheld. clients: of the persons' entries those of these subsystems only."""

    records: tuple[RecordId, ...] = ()
    persons: tuple[str, ...] = ()
    clients: tuple[str, ...] = ()


async def withheld_in_force(log: LogStore, roles: tuple[Role, ...], origin: str, now: Instant) -> tuple[Withheld, ...]:
    """Every withholding that a data-protection officer signed and that is neither over nor lifted.

    roles: those of the trust list in force. One that nobody of them signed, or that nothing records, withholds nothing:
    else whoever writes to the database, an officer among them, could hide who looked and leave no trace of that; nor
    does such a lifting lift. Raises ExchangeError(WITHHELD_LOST) where the log records one whose document is gone or
    altered: then it is not known what may be shown.
    """
    recorded = await _recorded(log, now)
    drafts = [each for each in await log.documents(_DRAFT) if each.digest in recorded]
    documents = {_digest(each.content): each.content for each in (*await log.documents(KIND), *drafts)}
    if recorded - documents.keys():
        raise ExchangeError(WITHHELD_LOST)
    given = {digest: _read(content, roles, origin, now) for digest, content in documents.items()}
    if any(isinstance(each, Withheld) and now < each.until for name, each in given.items() if name not in recorded):
        recorded |= _digests(await log.unsequenced(_MOST_WAITING), now)
    counted = [each for digest, each in given.items() if digest in recorded]
    lifted = {each.lifts for each in counted if isinstance(each, Lifting)}
    found = {each.id: each for each in counted if isinstance(each, Withheld) and now < each.until}
    return tuple(each for name, each in found.items() if name not in lifted)


def _digest(content: bytes) -> str:
    return hashlib.sha256(payload_of(content)).hexdigest()


def _read(data: bytes, roles: tuple[Role, ...], origin: str, now: Instant) -> Withheld | Lifting | None:
    """What an officer of the list signed; None for anything else."""
    for authorise in (authorise_withheld, authorise_lifting):
        try:
            return authorise(data, roles, log=origin, now=now)[0]
        except ExchangeError as error:
            if error.kind not in _NOT_OURS:
                raise
    return None


async def _recorded(log: LogStore, now: Instant) -> set[str]:
    """The digests of all withholdings that the log records and that are not over."""
    query = LogQuery(kind=RecordKind.CONFIGURATION.value, limit=_ALL)
    return _digests([stored async for stored in log.search(query)], now)


def _digests(records: Iterable[StoredRecord], now: Instant) -> set[str]:
    """Of what these records say came into force and is not over."""
    found = set()
    for stored in records:
        said = read_skeleton(stored.row.skeleton)
        reasons = () if said.decision is None else said.decision.reasons
        if said.kind == RecordKind.CONFIGURATION and reasons[:1] == (KIND,) and reasons[2] > rfc3339(now):
            found.add(reasons[1])
    return found


class Withholding:
    """Withholds entries, and lifts that. key: the gateway's for citizens' lists. roles: of the trust list in force."""

    def __init__(self, site: Site, key: bytes, roles: tuple[Role, ...]) -> None:
        self._site = site
        self._key = key
        self._roles = roles

    async def withhold(self, entries: Entries, until: Instant, why: Why, signing: Any) -> Withheld:
        """Sign, record and keep a withholding. signing: the data-protection officer's private key.

        Raises ExchangeError, ValueError for one that cannot be, JournalUnavailableError.
        """
        site, name = self._site, self._site.entropy(16).hex()
        marks = (citizen_mark(self._key, scope_of(name), person) for person in entries.persons)
        drafted = Withheld(
            id=name,
            log=site.origin,
            issued=site.clock.now(),
            until=until,
            records=entries.records,
            persons=tuple(mark.hex() for mark in marks),
            clients=entries.clients,
            why=sealed_why(why, site.recipients),
        )
        data = sign(WITHHELD_TYP, drafted.encode(), signing)
        withheld, endorsed = authorise_withheld(data, self._roles, log=site.origin, now=site.clock.now())
        await self._keep(data, endorsed, until, why, entries.persons)
        return withheld

    async def lift(self, withheld_id: str, why: Why, signing: Any) -> Withheld:
        """End a withholding in force before its time: sign, record and keep that. What was withheld.

        Raises ExchangeError: WITHHELD_UNKNOWN for one that is not in force, and as ``withhold``.
        """
        site = self._site
        for withheld in await self.in_force():
            if withheld.id == withheld_id:
                break
        else:
            raise ExchangeError(WITHHELD_UNKNOWN)
        drafted = Lifting(
            id=site.entropy(16).hex(),
            log=site.origin,
            issued=site.clock.now(),
            lifts=withheld_id,
            why=sealed_why(why, site.recipients),
        )
        data = sign(LIFTING_TYP, drafted.encode(), signing)
        _, endorsed = authorise_lifting(data, self._roles, log=site.origin, now=site.clock.now())
        await self._keep(data, endorsed, withheld.until, why, lifts=withheld_id)
        return withheld

    async def in_force(self) -> tuple[Withheld, ...]:
        """Those in force. Raises ExchangeError(WITHHELD_LOST)."""
        site = self._site
        return await withheld_in_force(site.log, self._roles, site.origin, site.clock.now())

    async def _keep(
        self,
        data: bytes,
        endorsed: Endorsed,
        until: Instant,
        why: Why,
        persons: tuple[str, ...] = (),
        *,
        lifts: str | None = None,
    ) -> None:
        """Record a document, and only then let it count. until: when it is of no more use."""
        private: tuple[PrivateField, ...] = (
            *(("signed_by", each.name) for each in endorsed.signers),
            ("case", why.case),
            ("reason", why.reason),
            *(("person", person) for person in persons),
            *(() if lifts is None else (("lifts", lifts),)),
        )
        reasons = (KIND, endorsed.digest, rfc3339(until), *(() if lifts is None else ("lift",)))
        document = Document(kind=_DRAFT, digest=endorsed.digest, content=data, at=self._site.clock.now())
        await self._site.log.keep_document(document)
        await self._site.record(RecordKind.CONFIGURATION, reasons, private, persons=persons)
        failpoints.reached("withheld.recorded")
        await self._site.log.keep_document(replace(document, kind=KIND))
