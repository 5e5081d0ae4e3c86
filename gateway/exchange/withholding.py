"""Withholdings from citizens' lists: kept as documents, each recorded before it counts, and over by themselves."""

import hashlib
from typing import Any

from msgspec import Struct

from gateway.exchange.events import Event
from gateway.exchange.holding import Why, sealed_why
from gateway.exchange.ids import new_record_id
from gateway.exchange.marks import citizen_mark
from gateway.exchange.recording import Recorder
from gateway.ledger.epoch import Recipient
from gateway.ledger.order_jws import Endorsed, payload_of, sign
from gateway.ledger.order_withheld import WITHHELD_TYP, Withheld, authorise_withheld, scope_of
from gateway.ledger.record import Facts, InForce, PrivateField, RecordKind
from gateway.ledger.skeleton import read_skeleton
from gateway.model.errors import ExchangeError
from gateway.model.errors.citizen import WITHHELD_LOST, WITHHOLDING_REFUSED
from gateway.model.errors.erasure import ORDER_MALFORMED, ORDER_SIGNATURES
from gateway.model.ids import RecordId
from gateway.model.instant import Instant, rfc3339
from gateway.model.log import Document, LogQuery
from gateway.ports import Clock, Entropy, LogStore
from gateway.trust.document import Role

KIND = "withheld"
"""The kind of their documents, and the first reason of the records that they came into force by."""

_ALL = 2**31
_NOT_OURS = (ORDER_MALFORMED, ORDER_SIGNATURES, WITHHOLDING_REFUSED)


class Entries(Struct, frozen=True, kw_only=True):
    """What is to be withheld. clients: of the persons' entries those of these subsystems only."""

    records: tuple[RecordId, ...] = ()
    persons: tuple[str, ...] = ()
    clients: tuple[str, ...] = ()


async def withheld_in_force(log: LogStore, roles: tuple[Role, ...], origin: str, now: Instant) -> tuple[Withheld, ...]:
    """Every withholding that a data-protection officer signed and that is not over.

    roles: those of the trust list in force. One that nobody of them signed withholds nothing: else whoever writes to
    the database could hide who looked. Raises ExchangeError(WITHHELD_LOST) where the log records one whose document is
    gone or altered: then it is not known what may be shown.
    """
    documents = await log.documents(KIND)
    known = {hashlib.sha256(payload_of(document.content)).hexdigest() for document in documents}
    if await _recorded(log, now) - known:
        raise ExchangeError(WITHHELD_LOST)
    found = []
    for document in documents:
        try:
            withheld, _ = authorise_withheld(document.content, roles, log=origin, now=now)
        except ExchangeError as error:
            if error.kind not in _NOT_OURS:
                raise
            continue
        if now < withheld.until:
            found.append(withheld)
    return tuple(found)


async def _recorded(log: LogStore, now: Instant) -> set[str]:
    """The digests of all withholdings that the log records and that are not over."""
    found = set()
    async for stored in log.search(LogQuery(kind=RecordKind.CONFIGURATION.value, limit=_ALL)):
        decision = read_skeleton(stored.row.skeleton).decision
        if decision is not None and decision.reasons[:1] == (KIND,) and decision.reasons[2] > rfc3339(now):
            found.add(decision.reasons[1])
    return found


class Withholding:
    """Withholds entries. key: the gateway's for citizens' lists. origin: the log's."""

    def __init__(
        self,
        log: LogStore,
        recorder: Recorder,
        *,
        clock: Clock,
        entropy: Entropy,
        in_force: InForce,
        origin: str,
        key: bytes,
    ) -> None:
        self._log = log
        self._recorder = recorder
        self._clock = clock
        self._entropy = entropy
        self._in_force = in_force
        self._origin = origin
        self._key = key

    async def withhold(
        self,
        entries: Entries,
        until: Instant,
        why: Why,
        *,
        roles: tuple[Role, ...],
        recipients: tuple[Recipient, ...],
        signing: Any,
    ) -> Withheld:
        """Sign, record and keep a withholding. signing: the data-protection officer's private key. recipients: who may
        read why. Raises ExchangeError, ValueError for one that cannot be, JournalUnavailableError.
        """
        now, name = self._clock.now(), self._entropy(16).hex()
        marks = (citizen_mark(self._key, scope_of(name), person) for person in entries.persons)
        drafted = Withheld(
            id=name,
            log=self._origin,
            issued=now,
            until=until,
            records=entries.records,
            persons=tuple(mark.hex() for mark in marks),
            clients=entries.clients,
            why=sealed_why(why, recipients),
        )
        data = sign(WITHHELD_TYP, drafted.encode(), signing)
        withheld, endorsed = authorise_withheld(data, roles, log=self._origin, now=now)
        await self._record(withheld, endorsed, why, entries.persons)
        await self._log.keep_document(Document(kind=KIND, digest=endorsed.digest, content=data, at=now))
        return withheld

    async def _record(self, withheld: Withheld, endorsed: Endorsed, why: Why, persons: tuple[str, ...]) -> None:
        private: tuple[PrivateField, ...] = (
            *(("signed_by", each.name) for each in endorsed.signers),
            ("case", why.case),
            ("reason", why.reason),
            *(("person", person) for person in persons),
        )
        facts = Facts(
            id=new_record_id(withheld.issued, self._entropy),
            at=withheld.issued,
            kind=RecordKind.CONFIGURATION,
            in_force=self._in_force,
            reasons=(KIND, endorsed.digest, rfc3339(withheld.until)),
            private=private,
        )
        await self._recorder.commit(Event(facts=facts, persons=persons))
