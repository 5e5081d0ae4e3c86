"""One SQLite file: how connections to it are opened, and which schema it has."""

import os
from contextlib import suppress
from pathlib import Path

import apsw

from gateway.storage.sqlite.sums import register

SCHEMA_VERSION = 5
"""The version that this code reads and writes: the number of the last migration."""

APPLICATION_ID = 0x4D4F544C
"""``MOTL`` in the file's header: another program's file is not taken for ours (SQLite file format §1.3.15)."""

_PAGE_BYTES = 8192
"""Measured with records of 1.3 KB: a fifth less CPU for a commit than pages of 4096, and no more with 16384."""
_HERE = Path(__file__).parent
_WRITER_CACHE_KIB = 32 * 1024
_READER_CACHE_KIB = 8 * 1024
_PATIENCE_MS = 5_000


class SchemaError(Exception):
    """The file is not ours, or its schema is newer than this program. Nothing was changed."""


class Database:
    """A file and how it is opened.

    vfs: the name of an SQLite file layer; None for the normal one. Durable means: in the write-ahead log, and that
    log synchronised (``synchronous=FULL``), before a commit returns.
    """

    def __init__(self, path: Path, *, vfs: str | None = None) -> None:
        self.path = path
        self._vfs = vfs

    def writer(self) -> apsw.Connection:
        """A connection that may write. Copying the log into the database is the checkpointer's business, not its.

        How it waits for other writers is its user's business too.
        """
        connection = self._open()
        connection.pragma("synchronous", "FULL")
        # What is erased is overwritten; measured, it costs a commit nothing (see redacting.py).
        connection.pragma("secure_delete", value=True)
        connection.pragma("cache_size", -_WRITER_CACHE_KIB)
        connection.pragma("temp_store", "MEMORY")
        connection.set_busy_timeout(0)
        return connection

    def reader(self) -> apsw.Connection:
        """A connection that only reads."""
        connection = self._open()
        connection.pragma("cache_size", -_READER_CACHE_KIB)
        connection.pragma("query_only", value=True)
        return connection

    def file(self) -> apsw.VFSFile:
        """The file below SQLite. Opened and closed by SQLite's own layer, since closing any other descriptor of it
        would let go of this process's locks.
        """
        flags = [apsw.SQLITE_OPEN_MAIN_DB | apsw.SQLITE_OPEN_READWRITE, 0]
        return apsw.VFSFile(self._vfs or "", str(self.path), flags)

    def prepare(self) -> None:
        """Create the file, readable by its owner only, or bring its schema up to date. One process at a time may do it.

        Raises SchemaError, apsw.Error and OSError.
        """
        # SQLite gives its log and index files the mode of this one. A file that is there is not touched: closing it
        # would let go of the locks that this process holds on it.
        with suppress(FileExistsError):
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        connection = self._open()
        try:
            version = self._version(connection)
            if version < SCHEMA_VERSION:
                connection.execute("PRAGMA page_size = %d" % _PAGE_BYTES)  # noqa: UP031 - pragmas take no binding
                connection.pragma("journal_mode", "WAL")
                connection.pragma("synchronous", "FULL")
                connection.pragma("secure_delete", value=True)  # a migration may write rows again
                self._upgrade(connection)
        finally:
            connection.close()
        if self._vfs is None:
            _sync_directory(self.path.parent)

    def _open(self) -> apsw.Connection:
        connection = apsw.Connection(str(self.path), vfs=self._vfs)
        # Another process that opens or closes the file may hold all of it for a moment.
        connection.set_busy_timeout(_PATIENCE_MS)
        connection.pragma("wal_autocheckpoint", 0)
        # There are no triggers and views in this file. One that somebody put there does nothing: it could keep what is
        # erased, or undo what is written.
        connection.config(apsw.SQLITE_DBCONFIG_ENABLE_TRIGGER, 0)
        connection.config(apsw.SQLITE_DBCONFIG_ENABLE_VIEW, 0)
        connection.pragma("trusted_schema", value=False)
        register(connection)
        return connection

    def _version(self, connection: apsw.Connection) -> int:
        version = int(connection.pragma("user_version"))
        application = int(connection.pragma("application_id"))
        empty = connection.execute("SELECT count(*) FROM sqlite_schema").get == 0
        if application != APPLICATION_ID and not (empty and version == 0):
            raise SchemaError(f"{self.path} is another program's file")
        if version > SCHEMA_VERSION:
            raise SchemaError(f"{self.path} has schema {version}; this program knows {SCHEMA_VERSION}. Update it.")
        return version

    def _upgrade(self, connection: apsw.Connection) -> None:
        with connection:
            version = self._version(connection)
            connection.execute("PRAGMA application_id = %d" % APPLICATION_ID)  # noqa: UP031 - as above
            for number, script in enumerate(migrations(), start=1):
                if number > version:
                    connection.execute(script)
            connection.execute("PRAGMA user_version = %d" % SCHEMA_VERSION)  # noqa: UP031 - as above


def migrations() -> list[str]:
    """The migrations in order; the first makes the schema."""
    return [path.read_text(encoding="utf-8") for path in sorted((_HERE / "migrations").glob("*.sql"))]


def fresh_schema() -> str:
    """The whole schema as it is now, for readers; a test compares it with what the migrations make."""
    return (_HERE / "schema.sql").read_text(encoding="utf-8")


def _sync_directory(directory: Path) -> None:
    """A new file survives a power cut only if its directory is synchronised too."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
