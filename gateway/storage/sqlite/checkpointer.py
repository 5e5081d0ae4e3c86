"""Copies the write-ahead log into the database, in a thread of its own, so that commits hardly wait for it.

Copying goes on beside the writers (PASSIVE). But the log starts again from its beginning only when all of it was
copied, and under load there is always more: so once it is long, what little came meanwhile is copied with the writers
held (RESTART), which takes a few milliseconds. A log that is written over also synchronises twice as fast as one that
grows.
"""

import threading
import time
from contextlib import suppress

import apsw

from gateway.model import failpoints
from gateway.storage.sqlite.database import Database

COPY_PAGES = 2_000
"""Start copying when the log has so many pages (8 KiB each)."""
RESTART_PAGES = 4_000
"""Bring the log to its end, so that it starts over, when it has so many."""
_MOST_WAIT_MS = 20
_RETRY = 0.05


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
            self._wake.clear()
            try:
                connection = connection or self._open()
                self._copy(connection)
            except apsw.Error:
                # A full or failing disk: the log keeps growing, and the commits themselves will say so.
                time.sleep(_RETRY)
        if connection is not None:
            with suppress(apsw.Error):
                connection.close(force=True)

    def _open(self) -> apsw.Connection:
        connection = self._database.writer()
        connection.set_busy_timeout(_MOST_WAIT_MS)
        return connection

    def _copy(self, connection: apsw.Connection) -> None:
        failpoints.reached("wal.checkpointing")
        pages, _ = connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        if pages >= RESTART_PAGES:
            connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_RESTART)
        failpoints.reached("wal.checkpointed")
