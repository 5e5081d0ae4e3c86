"""The gateway's own service that tells citizens who asked about them, or was given something of theirs.

A portal calls it, as any service that it is granted, with the citizen's own token: that proves whose list it is. The
reading is a record about that person, committed with the token's single use before anything is looked up. What is told
of an exchange stands in the records' public parts alone, so nothing of anybody else can come with it. Entries that are
withheld are left out, and pages are filled as if they had never been.
"""

import re
from collections.abc import AsyncIterator, Callable
from typing import Any

from msgspec import Struct

from gateway.exchange.accesses_question import AccessQuestion, Cursor, parse_question
from gateway.exchange.judging import ProviderFailedError
from gateway.exchange.marks import citizen_mark
from gateway.exchange.receipts import Receipts
from gateway.exchange.withholding import withheld_in_force
from gateway.ledger.order_withheld import Withheld
from gateway.ledger.record import RecordKind
from gateway.ledger.skeleton import Skeleton, read_skeleton
from gateway.model.citizen import Citizen
from gateway.model.errors import ExchangeError
from gateway.model.errors.receipt import RECEIPT_PENDING, RECEIPT_UNKNOWN
from gateway.model.ids import RecordId, SubsystemId, parse_subsystem
from gateway.model.instant import Instant, plus, rfc3339
from gateway.model.jsontext import encode
from gateway.model.log import LogQuery
from gateway.model.message import Body
from gateway.model.outcomes import Outcome
from gateway.model.stages import Recorded, Reply, Verified
from gateway.model.storage import StoredRecord
from gateway.ports import Clock, Countersign, LogStore
from gateway.trust.store import TrustStore

PATH = "/v1/accesses"
RECEIPT_PATH = "/v1/accesses/"
"""What a record's id follows."""

_MARGIN_SECONDS = 2 * 86_400
"""An epoch is changed daily; the rest is for clocks that were set."""
_ALL = 2**31
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_ENDS = frozenset({RecordKind.ANSWER, RecordKind.ABANDONED})
_NO_STORE = ("Cache-Control", "no-store")


class Listing(Struct, frozen=True, kw_only=True):
    """What lists are made of. citizen: proves whose token came with a call. key: under which persons find their
    records. origin: the log's. months: how far back a list goes that names no beginning.
    """

    log: LogStore
    clock: Clock
    trust: TrustStore
    citizen: Callable[[Verified], Citizen]
    key: bytes
    origin: str
    months: int


class _Exchange(Struct, frozen=True):
    """One exchange, or what is in the log of it. asked, released: of the person. at: the seq it is listed under."""

    request: StoredRecord | None
    ending: StoredRecord | None
    asked: bool
    released: bool
    at: int

    @property
    def first(self) -> Skeleton:
        found = self.request or self.ending
        assert found is not None
        return read_skeleton(found.row.skeleton)

    @property
    def ids(self) -> tuple[RecordId, ...]:
        return tuple(each.row.id for each in (self.request, self.ending) if each is not None)


class AccessTarget:
    """Answers ``GET /v1/accesses`` and ``GET /v1/accesses/{id}``."""

    def __init__(self, listing: Listing) -> None:
        self._of = listing
        self._receipts = Receipts(listing.log)

    async def send(self, request: Recorded, countersign: Countersign, deadline: float) -> Reply:  # noqa: ARG002 - port
        """A page of the list, or a receipt. Raises ExchangeError; ProviderFailedError for a receipt that cannot be."""
        verified = request.authorized.verified
        number = self._of.citizen(verified).number
        head = verified.parts.head
        now = self._of.clock.now()
        looking = _Looking(self._of, number, await self._withheld(now), request.id)
        if head.path != PATH:
            return _replied("text/plain; charset=utf-8", await self._receipt(looking, head.path))
        question = parse_question(head.query, now, self._of.months)
        return _replied("application/json", encode(await looking.page(question)))

    async def close(self) -> None:
        """Nothing is held."""

    async def _withheld(self, now: Instant) -> tuple[Withheld, ...]:
        of = self._of
        return await withheld_in_force(of.log, of.trust.document.roles, of.origin, now)

    async def _receipt(self, looking: "_Looking", path: str) -> bytes:
        """The receipt of a record that is in the person's list, with nothing opened."""
        name = path.removeprefix(RECEIPT_PATH)
        try:
            stored = await looking.shown(name)
            return await self._receipts.of_stored(stored, openings=None)
        except ExchangeError as error:
            outcome = {RECEIPT_UNKNOWN: Outcome.NOT_FOUND, RECEIPT_PENDING: Outcome.UNAVAILABLE}.get(error.kind)
            if outcome is None:
                raise
            raise ProviderFailedError(error.kind, outcome, error.detail, retry_after=error.retry_after) from error


class _Looking:
    """One reading of one person's list. this: the request that asks, which is not told to itself."""

    def __init__(self, of: Listing, number: str, withheld: tuple[Withheld, ...], this: RecordId) -> None:
        self._of = of
        self._number = number
        self._withheld = [(each, citizen_mark(of.key, each.scope, number)) for each in withheld]
        self._this = this

    async def page(self, question: AccessQuestion) -> dict[str, Any]:
        """A page, newest first, as the JSON that it becomes."""
        size, _ = await self._of.log.state()
        begin = question.cursor or Cursor(size + 1, size)
        shown: list[_Exchange] = []
        following: str | None = None
        async for each in self._exchanges(question, begin):
            if len(shown) == question.limit:
                following = str(Cursor(shown[-1].at, begin.top))
                break
            shown.append(each)
        return {
            "since": rfc3339(question.since),
            "until": rfc3339(question.until),
            "accesses": [self._told(each) for each in shown],
            "next": following,
        }

    async def shown(self, name: str) -> StoredRecord:
        """The record of an id, if it is one of an exchange in the list. Raises ExchangeError(RECEIPT_UNKNOWN)."""
        stored = await self._of.log.record(RecordId(name)) if _ID.fullmatch(name) else None
        if stored is None or not await self._shows(stored):
            raise ExchangeError(RECEIPT_UNKNOWN)
        return stored

    async def _shows(self, stored: StoredRecord) -> bool:
        request = stored if stored.row.ends is None else await self._of.log.record(stored.row.ends)
        found = await self._of.log.endings([stored.row.id if request is None else request.row.id])
        together = [each for each in (request, *found) if each is not None]
        if stored.row.id not in {each.row.id for each in together} or not any(map(self._mine, together)):
            return False
        exchange = _Exchange(request, found[0] if found else None, asked=True, released=True, at=stored.seq)
        return not self._is_withheld(exchange)

    async def _exchanges(self, question: AccessQuestion, begin: Cursor) -> AsyncIterator[_Exchange]:
        query = await self._query(question, begin)
        if query is None:
            return
        async for stored in self._of.log.search(query):
            found = await self._exchange(stored, question, begin)
            if found is not None and self._this not in found.ids and not self._is_withheld(found):
                yield found

    async def _query(self, question: AccessQuestion, begin: Cursor) -> LogQuery | None:
        early = plus(question.since, -_MARGIN_SECONDS)
        late = plus(question.until, _MARGIN_SECONDS)
        epochs = [name for name, starts, _ in await self._of.log.epochs() if early <= starts <= late]
        if not epochs:
            return None  # without a mark to look for everything would match
        return LogQuery(
            pseudonyms=tuple(citizen_mark(self._of.key, epoch, self._number) for epoch in epochs),
            epochs=tuple(epochs),
            since=question.since,
            until=question.until,
            before_seq=begin.before,
            limit=_ALL,
        )

    async def _exchange(self, stored: StoredRecord, question: AccessQuestion, begin: Cursor) -> _Exchange | None:
        """The exchange that a found record is listed as; None where its answer is found too, and told of it.

        What came after the first page is as if it were not there: else later pages would tell twice, or not at all.
        """
        log, row = self._of.log, stored.row
        if row.ends is not None:
            request = await log.record(row.ends)
            asked = request is not None and self._mine(request)
            return _Exchange(request, stored, asked, released=True, at=stored.seq)
        endings = [each for each in await log.endings([row.id]) if each.seq <= begin.top]
        ending = endings[0] if endings else None
        if ending is not None and self._mine(ending) and _within(ending, question):
            return None
        released = ending is not None and self._mine(ending)
        return _Exchange(stored, ending, asked=True, released=released, at=stored.seq)

    def _mine(self, stored: StoredRecord) -> bool:
        mark = citizen_mark(self._of.key, stored.row.epoch, self._number)
        return any(value == mark for _, value in stored.row.pseudonyms)

    def _is_withheld(self, exchange: _Exchange) -> bool:
        ids, client = exchange.ids, exchange.first.client
        return any(each.covers(ids, client, mark) for each, mark in self._withheld)

    def _told(self, each: _Exchange) -> dict[str, Any]:
        said = each.first
        ended = None if each.ending is None else read_skeleton(each.ending.row.skeleton)
        return {
            "at": said.at,
            "client": said.client,
            "name": self._name(said.client),
            "service": said.service,
            "purpose": said.purpose,
            "basis": said.basis,
            "asked": each.asked,
            "released": each.released,
            "fields": [] if ended is None else list(ended.released),
            "outcome": None if ended is None else ended.outcome,
            "receipts": [{"id": found, "href": RECEIPT_PATH + found} for found in each.ids],
        }

    def _name(self, client: str | None) -> str | None:
        """The client's member, as people know it; None where the trust list in force does not name it any more."""
        try:
            found: SubsystemId | None = None if client is None else parse_subsystem(client)
        except ValueError:
            return None
        member = None if found is None else self._of.trust.member(found.member)
        return None if member is None else member.name


def _within(stored: StoredRecord, question: AccessQuestion) -> bool:
    return question.since <= read_skeleton(stored.row.skeleton).instant < question.until


def _replied(media: str, body: bytes) -> Reply:
    return Reply(
        outcome=Outcome.FOUND,
        status=200,
        fields=(("Content-Type", media), _NO_STORE),
        body=Body(body),
        confidence="signed_by_source",
    )
