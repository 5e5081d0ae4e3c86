"""Copies the write-ahead log into the database, in a thread of its own, so that commits hardly wait for it.

Copying goes on beside the writers (PASSIVE). But the log starts again from its beginning only when all of it was
copied, and under load there is always more: so what little came meanwhile is copied with the writers held (RESTART),
which takes a millisecond or two. A log that is written over also synchronises faster than one that grows.
"""

import threading
import time
from contextlib import suppress

import apsw

from gateway.model import failpoints
from gateway.storage.sqlite.database import Database

COPY_PAGES = 4_000
"""Copy when the log has so many pages (8 KiB each)."""
_POLL = 0.0001
_POLLS = 50
_RETRY = 0.25


class Checkpointer:
    """``grew`` is told of the log's length after each commit, in the writing thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._wake = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="journal-checkpointer", daemon=True)
        self._thread.start()

    def grew(self, pages: int) -> None:
        """The log now has so many pages."""
        if pages >= COPY_PAGES and not self._wake.is_set():
            self._wake.set()

    def close(self) -> None:
        """Copy what is there and end. Blocks for as long as that takes."""
        self._closing = True
        self._wake.set()
        self._thread.join()

    def _run(self) -> None:
        connection: apsw.Connection | None = None
        while not self._closing:
            self._wake.wait()
            try:
                connection = connection or self._open()
                self._copy(connection)
            except apsw.Error:
                # A full or failing disk: the log keeps growing, and the commits themselves will say so.
                self._wake.clear()
                time.sleep(_RETRY)
        if connection is not None:
            with suppress(apsw.Error):
                connection.close(force=True)

    def _open(self) -> apsw.Connection:
        connection = self._database.writer()
        connection.set_busy_handler(_waiting)
        return connection

    def _copy(self, connection: apsw.Connection) -> None:
        failpoints.reached("wal.checkpointing")
        connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        try:
            connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_RESTART)
        except apsw.BusyError:
            # A search still reads the log. Trying again at once would only hold the writers up.
            time.sleep(_RETRY)
        self._wake.clear()
        failpoints.reached("wal.checkpointed")


def _waiting(polls: int) -> bool:
    """A writer holds its lock for less than a millisecond and takes it again at once: poll as fast as it does."""
    time.sleep(_POLL)
    return polls < _POLLS
