"""What the ports on one SQLite file share: its writing thread, its readers and its checkpointer."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import apsw

from gateway.model.storage import JournalUnavailableError
from gateway.storage.sqlite.checkpointer import Checkpointer
from gateway.storage.sqlite.database import Database
from gateway.storage.sqlite.gaps import Touched
from gateway.storage.sqlite.nonces import Nonces
from gateway.storage.sqlite.owners import Owners
from gateway.storage.sqlite.redacting import UnscrubbedError, scrub
from gateway.storage.sqlite.statements import SQL
from gateway.storage.sqlite.writer import Tally, Writer

T = TypeVar("T")

_READERS = 2


class Engine:
    """An open database file. Build one per file and process, and never use it across ``fork``. mapped: see SqliteStore.

    Raises SchemaError, and JournalUnavailableError where the file cannot be opened.
    """

    def __init__(self, path: Path, *, vfs: str | None = None, mapped: bool = False) -> None:
        self.mapped = mapped
        self._database = Database(path, vfs=vfs)
        self.owners = Owners(path)
        try:
            with self.owners.opening():
                self._database.prepare()
                self.owners.claim(self._new_owner())
        except (apsw.Error, OSError) as error:
            raise JournalUnavailableError(f"cannot open {path}: {type(error).__name__}: {error}") from error
        self._checkpointer = Checkpointer(self._database)
        self.writer = Writer(self._database, self._checkpointer.grew)
        self._closed = False
        self._local = threading.local()
        self._readers: list[apsw.Connection] = []
        self._pool = ThreadPoolExecutor(_READERS, thread_name_prefix="journal-reader")

    @property
    def tally(self) -> Tally:
        """What the writer did so far."""
        return self.writer.tally

    async def read(self, work: Callable[[apsw.Connection], T]) -> T:
        """Do ``work`` on one consistent state of the file, off the event loop. Raises JournalUnavailableError."""
        if self._closed:
            raise JournalUnavailableError("closed")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, self._on_snapshot, work)
        except apsw.Error as error:
            raise JournalUnavailableError(f"{type(error).__name__}: {error}") from error

    async def write(self, work: Callable[[apsw.Connection, Nonces], T]) -> T:
        """Do ``work`` in a transaction of its own; durable on return. Raises JournalUnavailableError."""
        return await self.writer.run(work)

    async def wipe(self, work: Callable[[apsw.Connection, Touched], T]) -> T:
        """Do ``work`` in a transaction, and leave nothing of what it replaced or removed in the file or beside it. It
        says what it touched.

        Raises JournalUnavailableError: ``uncertain`` where the work is done and durable, and wiping it must be tried
        again.
        """
        touched = Touched()
        done = await self.write(lambda connection, _: work(connection, touched))
        try:
            await asyncio.get_running_loop().run_in_executor(None, scrub, self._database, touched)
        except (UnscrubbedError, apsw.Error) as error:
            raise JournalUnavailableError(
                "what was erased still stands in the write-ahead log, which something reads: try again", uncertain=True
            ) from error
        return done

    async def close(self) -> None:
        """Finish what was begun, copy the log into the database, let go of the file."""
        await self.writer.close()
        self._closed = True
        await asyncio.get_running_loop().run_in_executor(None, self._close)

    def _close(self) -> None:
        self._pool.shutdown()
        self._checkpointer.close()
        for connection in self._readers:
            with suppress(apsw.Error):  # the last to close copies the log: a full disk is no reason to fail here
                connection.close(force=True)
        self._readers.clear()
        self.owners.release()

    def _on_snapshot(self, work: Callable[[apsw.Connection], T]) -> T:
        connection: apsw.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._database.reader()
            self._readers.append(connection)
        try:
            connection.execute("BEGIN")
            try:
                return work(connection)
            finally:
                if connection.in_transaction:  # some failures end it by themselves
                    connection.execute("COMMIT")
        except apsw.Error:
            # As in the writer: after a failure only a new connection is trusted.
            self._local.connection = None
            self._readers.remove(connection)
            with suppress(apsw.Error):
                connection.close(force=True)
            raise

    def _new_owner(self) -> int:
        connection = self._database.writer()
        try:
            connection.set_busy_timeout(5_000)
            return int(connection.execute(SQL["owner_add"]).get)
        finally:
            connection.close()
