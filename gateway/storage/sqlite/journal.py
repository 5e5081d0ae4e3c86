"""The Journal port on SQLite."""

from collections.abc import Callable, Sequence
from contextlib import suppress

import apsw

from gateway.model.instant import MICROSECONDS, Instant, vietnam_day
from gateway.model.storage import Commit, StoredRecord
from gateway.storage.sqlite.engine import Engine
from gateway.storage.sqlite.nonces import Nonces, expiry
from gateway.storage.sqlite.prepared import prepare
from gateway.storage.sqlite.rows import PackedRow, stored, unpack
from gateway.storage.sqlite.statements import SQL

KEPT_BEYOND_EXPIRY = 420 * MICROSECONDS
"""How far the watermark stays behind the clock. Signatures live at most 300 s, and clocks differ by at most 60 s: so a
watermark this far back never refuses one that is in time, unless the clock was set back.
"""
_AT_ONCE = 2_000


class SqliteJournal:
    """The Journal on an engine: commits of many callers in one transaction and one fsync."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def commit(self, commit: Commit, now: Instant) -> None:
        """As the port says. Also raises ValueError for what cannot be stored at all.

        A caller that is cancelled while it waits may or may not have committed.
        """
        await self._engine.writer.commit(prepare(commit, now, self._engine.owners.number))

    async def open_requests(self, before: Instant) -> Sequence[StoredRecord]:
        """As the port says. Another process's requests are left out while that process lives; those of a process that
        is gone count as committed before any instant, since the clock may have been set back.
        """
        rows, size = await self._engine.read(_without_end)
        owners = self._engine.owners
        dead = {owner for owner in {row.owner for _, row in rows} if not owners.alive(owner)}
        if dead:
            # One that ended between being read and being found dead may have ended its requests first: now it cannot.
            rows, size = await self._engine.read(_without_end)
        return [
            stored(seq, row, size)
            for seq, row in rows
            if row.owner in dead or (row.owner == owners.number and row.at < before)
        ]

    async def nonce_watermark(self) -> Instant:
        """As the port says. Commits check it themselves, in their transaction; nobody has to ask for each."""
        return await self._engine.read(lambda connection: Instant(connection.execute(SQL["nonce_mark"]).get))

    async def purge(self, now: Instant) -> int:
        """As the port says, in small transactions, so that commits go on between them."""
        watermark = Instant(now - KEPT_BEYOND_EXPIRY)
        if watermark > 0:
            await self._engine.write(lambda connection, _: connection.execute(SQL["nonce_mark_raise"], (watermark,)))
        watermark = await self.nonce_watermark()
        forgotten = await self._forget_nonces(watermark)
        past_window = vietnam_day(now) - 1
        for name, bound in (
            ("idempotency_forget", now),
            ("vault_forget", now),
            ("charges_forget", past_window),
        ):
            forgotten += await self._forget(name, bound)
        return forgotten

    async def close(self) -> None:
        """As the port says; the vault and the log on the same engine are closed with it."""
        await self._engine.close()

    async def _forget_nonces(self, watermark: Instant) -> int:
        forgotten = await self._repeat(lambda _, nonces: nonces.forget_fresh(watermark, _AT_ONCE))
        await self._forget("nonce_log_forget", watermark)
        return forgotten + await self._forget("nonce_lasting_forget", expiry(watermark))

    async def _forget(self, name: str, bound: int | bytes) -> int:
        def work(connection: apsw.Connection, _: Nonces) -> int:
            connection.execute(SQL[name], (bound, _AT_ONCE))
            return connection.changes()

        return await self._repeat(work)

    async def _repeat(self, work: Callable[[apsw.Connection, Nonces], int]) -> int:
        forgotten = 0
        while True:
            count = await self._engine.write(work)
            forgotten += count
            if count < _AT_ONCE:
                return forgotten


def _without_end(connection: apsw.Connection) -> tuple[list[tuple[int, PackedRow]], int]:
    """Open requests: those the index knows, and those of rows that it does not yet hold. With the tree's size.

    One in the tree that is damaged is left out: it is named by who reads the log, and keeps no other from its end.
    Raises ValueError for one behind the tree, since it might end any of them.
    """
    size = connection.execute(SQL["tree"]).get[0]
    found = {}
    for seq, packed in connection.execute(SQL["open_rows"]):
        with suppress(ValueError, TypeError):
            row = unpack(packed)
            found[row.id] = (seq, row)
    for seq, packed in connection.execute(SQL["rows_after"], (size, -1)):
        row = unpack(packed)
        if row.ends is not None:
            found.pop(row.ends, None)
        if row.opens:
            found[row.id] = (seq, row)
    return list(found.values()), size
