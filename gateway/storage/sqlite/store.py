"""The three ports on one SQLite file."""

from pathlib import Path

from gateway.storage.sqlite.engine import Engine
from gateway.storage.sqlite.journal import SqliteJournal
from gateway.storage.sqlite.logstore import SqliteLogStore
from gateway.storage.sqlite.vault import SqliteVault
from gateway.storage.sqlite.writer import Tally


class SqliteStore:
    """An open file: ``journal``, ``vault`` and ``log``.

    Build it in the process that uses it (after any fork); several processes may open one file, which must lie on a
    local disk. vfs: the name of an SQLite file layer, for tests. mapped: people are looked for in the file as memory,
    three times as fast in a log of ten million records; a disk that fails then ends the process, so it is for commands
    and not for a gateway. Raises SchemaError for a file that is not ours or newer than this program,
    JournalUnavailableError for one that cannot be opened.
    """

    def __init__(self, path: Path, *, vfs: str | None = None, mapped: bool = False) -> None:
        self._engine = Engine(path, vfs=vfs, mapped=mapped)
        self.journal = SqliteJournal(self._engine)
        self.vault = SqliteVault(self._engine)
        self.log = SqliteLogStore(self._engine)

    @property
    def tally(self) -> Tally:
        """Commits, transactions (each one fsync) and waits for other processes so far."""
        return self._engine.tally

    async def close(self) -> None:
        """Finish what was begun and let go of the file."""
        await self._engine.close()
