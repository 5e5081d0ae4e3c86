"""After a crash: every request that has no end gets one, an ABANDONED record."""

import asyncio
from collections.abc import Callable

from msgspec.structs import replace

from gateway.model import failpoints
from gateway.model.instant import Instant, plus
from gateway.model.storage import Commit, Nonce, NonceUsedError, StoredRecord
from gateway.ports import Journal

MakeAbandoned = Callable[[StoredRecord], Commit]
"""Builds the ABANDONED record's commit of a request; its row ``ends`` the request."""

_GUARD_SECONDS = 86_400
_AT_ONCE = 64


async def abandon_open_requests(journal: Journal, make: MakeAbandoned, before: Instant, now: Instant) -> int:
    """Give an end to every request that was committed before an instant and has none; how many were.

    Call it at start, with the instant of the start, before the first request is taken; and from time to time, with an
    instant that no request of this process can still be running from (one whose answer could not be recorded stays
    open until then). Requests of other processes are theirs while they live, whoever calls; two callers at once do
    not end a request twice. Raises JournalUnavailableError.
    """
    found = list(await journal.open_requests(before))
    failpoints.reached("recovery.found")
    latest = max(now, await journal.nonce_watermark())
    abandoned = 0
    for start in range(0, len(found), _AT_ONCE):
        ends = [_abandon(journal, record, make, latest, now) for record in found[start : start + _AT_ONCE]]
        abandoned += sum(await asyncio.gather(*ends))
    return abandoned


async def _abandon(journal: Journal, record: StoredRecord, make: MakeAbandoned, latest: Instant, now: Instant) -> bool:
    commit = make(record)
    if commit.row.ends != record.row.id:
        raise ValueError("an ABANDONED record ends the request it is made for")
    # Used once, so that of two who recover at the same time one writes the end.
    guard = Nonce(key=f"abandoned {record.row.id}", expires=plus(latest, _GUARD_SECONDS))
    try:
        await journal.commit(replace(commit, nonces=(*commit.nonces, guard)), now)
    except NonceUsedError:
        return False
    failpoints.reached("recovery.abandoned")
    return True
