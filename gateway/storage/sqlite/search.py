"""Searching the log, newest first, in pages that begin where the last one ended (keyset pagination).

A search by pseudonym goes back segment by segment (pseudonyms.py); one by client, service and so on walks the rarest
value's list and looks the others up; one by time alone walks the records of those minutes.
"""

import asyncio
import heapq
from collections.abc import AsyncIterator, Iterator
from typing import Any

import apsw
from msgspec import Struct

from gateway.model.log import LogQuery
from gateway.model.storage import StoredRecord
from gateway.storage.sqlite.engine import Engine
from gateway.storage.sqlite.indexing import FIELDS, minute_of, service_of
from gateway.storage.sqlite.pseudonyms import ALSO, by_pseudonym
from gateway.storage.sqlite.rows import PackedRow, stored, unpack
from gateway.storage.sqlite.statements import SQL

_PAGE = 500
_LAST_MINUTE = 2**62
_WHOLE_FILE = 2**46

BY_TERM = """
SELECT journal.seq, journal.row FROM posting AS found CROSS JOIN journal ON journal.seq = found.seq
WHERE found.term = ? AND found.seq >= ? AND found.seq <= ?{also} ORDER BY found.seq DESC
"""
BY_TIME = "SELECT seq, row FROM journal WHERE seq >= ? AND seq <= ? ORDER BY seq DESC"


class Plan(Struct):
    """Where to look: rows first to last, of which every term must hold, and one of the services, if any are named."""

    first: int
    last: int
    terms: list[int]
    services: list[int] | None
    size: int


async def search(engine: Engine, query: LogQuery) -> AsyncIterator[StoredRecord]:
    """The records that match, newest first, at most ``query.limit``. While a page is in use the next is being read."""
    left = query.limit
    coming = _coming(engine, query, query.before_seq, left)
    try:
        while coming is not None:
            wanted = min(left, _PAGE)
            page = await coming
            left -= len(page)
            coming = _coming(engine, query, page[-1].seq, left) if len(page) == wanted else None
            for record in page:
                yield record
    finally:
        if coming is not None:
            coming.cancel()


def _coming(
    engine: Engine, query: LogQuery, before: int | None, left: int
) -> "asyncio.Task[list[StoredRecord]] | None":
    if left <= 0:
        return None
    page = asyncio.ensure_future(engine.read(_page_of(query, before, min(left, _PAGE), mapped=engine.mapped)))
    page.add_done_callback(_seen)
    return page


def _seen(page: "asyncio.Task[list[StoredRecord]]") -> None:
    """Nobody may wait for the last page any more: that it failed is no news then."""
    if not page.cancelled():
        page.exception()


class _page_of:  # noqa: N801 - a function with its arguments bound
    def __init__(self, query: LogQuery, before: int | None, wanted: int, *, mapped: bool) -> None:
        self._query = query
        self._before = before
        self._wanted = wanted
        self._mapped = mapped

    def __call__(self, connection: apsw.Connection) -> list[StoredRecord]:
        if self._mapped:
            # Of thousands of places far apart, reading each page costs more than looking at it. Where rows come one
            # after the other it does not, and all that was looked at would count as this process's memory.
            connection.pragma("mmap_size", _WHOLE_FILE if self._query.pseudonyms else 0)
        plan = planned(connection, self._query, self._before)
        if plan is None:
            return []
        page: list[StoredRecord] = []
        for seq, row in _candidates(connection, self._query, plan):
            if in_time(row, self._query) and _by_provider(row, self._query):
                page.append(stored(seq, row, plan.size))
                if len(page) == self._wanted:
                    break
        return page


def in_time(row: PackedRow, query: LogQuery) -> bool:
    """Whether a row, of a minute that the query looks at, is of its time."""
    return (query.since is None or row.at >= query.since) and (query.until is None or row.at < query.until)


def _by_provider(row: PackedRow, query: LogQuery) -> bool:
    if query.provider is None or not query.pseudonyms:
        return True
    return (service_of(row.skeleton) or "").startswith(f"{query.provider}/")


def _by_services(connection: apsw.Connection, plan: Plan, services: list[int]) -> Iterator[tuple[int, bytes]]:
    statement = BY_TERM.format(also=ALSO * len(plan.terms))
    rows: list[Any] = [
        connection.cursor().execute(statement, (service, plan.first, plan.last, *plan.terms)) for service in services
    ]
    return heapq.merge(*rows, key=lambda row: -row[0])


def planned(connection: apsw.Connection, query: LogQuery, before: int | None) -> Plan | None:
    """Where to look, before a row if one is named. None: nothing can match."""
    size = connection.execute(SQL["tree"]).get[0]
    first, last = 1, size if before is None else min(size, before - 1)
    if query.since is not None or query.until is not None:
        since = 0 if query.since is None else minute_of(query.since)
        until = _LAST_MINUTE if query.until is None else minute_of(query.until)
        low, high = connection.execute(SQL["minutes_span"], (since, until)).get
        if low is None:
            return None
        first, last = max(first, low), min(last, high)
    found = []
    for name in FIELDS:
        value = getattr(query, name)
        if value is not None:
            term = connection.execute(SQL["term_find"], (name, value)).get
            if term is None:
                return None
            found.append(term)
    found.sort(key=lambda term: term[1])
    services = None
    if query.provider is not None:
        services = [term for (term,) in connection.execute(SQL["services_of"], (query.provider,))]
        if not services:
            return None
    return Plan(first, last, [term for term, _ in found], services, size)


def _candidates(connection: apsw.Connection, query: LogQuery, plan: Plan) -> Iterator[tuple[int, PackedRow]]:
    if query.pseudonyms:
        rows = by_pseudonym(connection, query, (plan.first, plan.last), plan.terms)
    elif plan.services is not None:
        rows = _by_services(connection, plan, plan.services)
    elif plan.terms:
        statement = BY_TERM.format(also=ALSO * (len(plan.terms) - 1))
        rows = connection.execute(statement, (plan.terms[0], plan.first, plan.last, *plan.terms[1:]))
    else:
        rows = connection.execute(BY_TIME, (plan.first, plan.last))
    for seq, packed in rows:
        yield seq, unpack(packed)
