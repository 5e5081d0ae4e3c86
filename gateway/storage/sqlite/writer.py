"""The one thread that writes: commits in batches, and other work between them.

Commits gather while the event loop runs a tick, and are handed over together at its end. Those handed over while a
transaction is being synchronised join the next one, so batches grow with the wait; all callers of a batch are woken by
one call into the loop.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

import apsw
from msgspec import Struct

from gateway.model import failpoints
from gateway.model.storage import JournalUnavailableError
from gateway.storage.sqlite.batch import apply
from gateway.storage.sqlite.database import Database
from gateway.storage.sqlite.nonces import Nonces
from gateway.storage.sqlite.prepared import Prepared

T = TypeVar("T")

_POLL = 0.0001
_LONGEST_WAIT = 10.0
_MOST_COMMITS = 2048
_ENVIRONMENT = (
    apsw.FullError,
    apsw.IOError,
    apsw.ReadOnlyError,
    apsw.CantOpenError,
    apsw.BusyError,
    apsw.NoMemError,
    apsw.CorruptError,
    apsw.NotADBError,
    apsw.PermissionsError,
    apsw.InterruptError,
)
"""Failures of the file or the machine; any other could be one commit's own."""

_Waiting = tuple[Prepared, "asyncio.Future[None]"]


class Job(Struct, gc=False):
    """Work for the writing thread in a transaction of its own."""

    work: Callable[[apsw.Connection, Nonces], Any]
    future: asyncio.Future[Any]


class Tally(Struct):
    """What the writer did since it began: for the bench and the metrics. busy: times that another process wrote."""

    commits: int = 0
    transactions: int = 0
    busy: int = 0


class Writer:
    """Owns the writing connection. Its methods are for the event loop, its thread is its own."""

    def __init__(self, database: Database, wal_grew: Callable[[int], None]) -> None:
        self._database = database
        self._wal_grew = wal_grew
        self._queue: SimpleQueue[list[_Waiting] | Job | None] = SimpleQueue()
        self._gathering: list[_Waiting] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._connection: apsw.Connection | None = None
        self._nonces: Nonces | None = None
        self._batch: list[_Waiting] = []
        self._jobs: deque[Job] = deque()
        self._going = True
        self._closed = False
        self._ended = threading.Event()
        self.tally = Tally()
        self._thread = threading.Thread(target=self._run, name="journal-writer", daemon=True)
        self._thread.start()

    async def commit(self, prepared: Prepared) -> None:
        """Make it durable with others. Raises what the Journal port says."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        if self._closed:
            raise JournalUnavailableError("closed")
        if not self._gathering:
            self._loop = loop
            loop.call_soon(self._hand_over)
        self._gathering.append((prepared, future))
        await future

    async def run(self, work: Callable[[apsw.Connection, Nonces], T]) -> T:
        """Do ``work`` in a transaction of its own, after what was handed over before it."""
        loop = asyncio.get_running_loop()
        if self._closed:
            raise JournalUnavailableError("closed")
        future: asyncio.Future[T] = loop.create_future()
        self._loop = loop
        self._put(Job(work, future))
        return await future

    async def close(self) -> None:
        """Finish what was handed over, then end the thread."""
        if not self._closed:
            self._hand_over()
            self._closed = True
            self._queue.put(None)
        await asyncio.get_running_loop().run_in_executor(None, self._thread.join)

    def _hand_over(self) -> None:
        if self._gathering:
            batch, self._gathering = self._gathering, []
            self._put(batch)

    def _put(self, item: "list[_Waiting] | Job | None") -> None:
        self._queue.put(item)
        if self._ended.is_set():
            self._fail_the_rest()

    # From here on: the writing thread.

    def _run(self) -> None:
        try:
            while self._going:
                self._turn()
        finally:
            # A BaseException gets here in tests only (a failpoint ends the world); nobody may wait for ever.
            self._closed = True
            self._ended.set()
            self._drop_connection()
            self._fail_the_rest()

    def _turn(self) -> None:
        self._take(self._queue.get())
        if self._batch:
            self._write_batch()
        while self._jobs:
            self._do(self._jobs[0])
            self._jobs.popleft()

    def _take(self, item: "list[_Waiting] | Job | None") -> None:
        """Put an item and all that wait behind it where they belong."""
        while True:
            if item is None:
                self._going = False
            elif isinstance(item, Job):
                self._jobs.append(item)
            else:
                self._batch += item
            if len(self._batch) > _MOST_COMMITS:
                return
            try:
                item = self._queue.get_nowait()
            except Empty:
                return

    def _take_more(self) -> None:
        """Waiting for another process's transaction may have taken long: take along who came meanwhile."""
        try:
            self._take(self._queue.get_nowait())
        except Empty:
            return

    def _write_batch(self) -> None:
        try:
            connection, nonces = self._begin()
            self._take_more()
            results = self._transact(connection, nonces, self._batch)
        except _ENVIRONMENT as error:
            results = [_unavailable(error, uncertain=False)] * len(self._batch)
        except _CommitFailedError as error:
            results = [_unavailable(error.__cause__, uncertain=True)] * len(self._batch)
        except Exception as error:  # noqa: BLE001 - whatever it is, every caller must be told something
            # One of them may be at fault: each by itself.
            single = len(self._batch) == 1
            unavailable = _unavailable(error, uncertain=False)
            results = [unavailable if single else self._write_one(waiting) for waiting in self._batch]
        batch, self._batch = self._batch, []
        self._tell(batch, results)

    def _write_one(self, waiting: _Waiting) -> Exception | None:
        try:
            connection, nonces = self._begin()
            return self._transact(connection, nonces, [waiting])[0]
        except _CommitFailedError as error:
            return _unavailable(error.__cause__, uncertain=True)
        except Exception as error:  # noqa: BLE001 - as above
            return _unavailable(error, uncertain=False)

    def _transact(self, connection: apsw.Connection, nonces: Nonces, batch: list[_Waiting]) -> list[Exception | None]:
        try:
            results = apply(connection, nonces, [prepared for prepared, _ in batch])
        except BaseException:
            self._roll_back()
            raise
        self._finish(connection)
        nonces.committed()
        self.tally.commits += len(batch)
        failpoints.reached("journal.committed")
        return results

    def _do(self, job: Job) -> None:
        result: object = None
        error: Exception | None = None
        try:
            connection, nonces = self._begin()
            try:
                result = job.work(connection, nonces)
                failpoints.reached("job.written")
            except BaseException:
                self._roll_back()
                raise
            self._finish(connection)
            failpoints.reached("job.committed")
        except _CommitFailedError as failed:
            error = _unavailable(failed.__cause__, uncertain=True)
        except (apsw.Error, OSError) as failed:
            error = _unavailable(failed, uncertain=False)
        except Exception as failed:  # noqa: BLE001 - belongs to whoever asked for the work
            error = failed
        self._answer(job, result, error)

    def _answer(self, job: Job, result: object, error: BaseException | None) -> None:
        self._call(lambda: _settle(job.future, result, error))

    def _begin(self) -> tuple[apsw.Connection, Nonces]:
        if self._connection is None or self._nonces is None:
            self._connection = self._database.writer()
            self._nonces = Nonces(self._connection)
            self._connection.set_wal_hook(self._grew)
        connection = self._connection
        patience = time.monotonic() + _LONGEST_WAIT
        while True:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except apsw.BusyError:
                # Another process writes, for as long as its fsync takes. SQLite's own handler sleeps far longer.
                self.tally.busy += 1
                if time.monotonic() > patience:
                    raise
                time.sleep(_POLL)
            else:
                break
        try:
            failpoints.reached("journal.begun")
        except BaseException:
            self._roll_back()
            raise
        return connection, self._nonces

    def _finish(self, connection: apsw.Connection) -> None:
        try:
            connection.execute("COMMIT")
        except apsw.Error as error:
            # Its frames may be in the log or not. After a failed write or fsync, only a new connection is trusted.
            if isinstance(error, apsw.IOError):
                self._drop_connection()
            else:
                self._roll_back()
            raise _CommitFailedError from error
        self.tally.transactions += 1

    def _roll_back(self) -> None:
        connection = self._connection
        if connection is None:
            return
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except apsw.Error:
            self._drop_connection()

    def _drop_connection(self) -> None:
        connection, self._connection, self._nonces = self._connection, None, None
        if connection is not None:
            try:
                connection.close(force=True)
            except apsw.Error:
                return

    def _grew(self, _connection: apsw.Connection, _database: str, pages: int) -> int:
        self._wal_grew(pages)
        return apsw.SQLITE_OK

    def _tell(self, batch: list[_Waiting], results: list[Exception | None]) -> None:
        futures = [future for _, future in batch]
        self._call(lambda: _wake(futures, results))

    def _call(self, callback: Callable[[], None]) -> None:
        loop = self._loop
        if loop is None or loop.is_closed():
            return
        try:
            loop.call_soon_threadsafe(callback)
        except RuntimeError:
            return  # the loop closed meanwhile: nobody waits

    def _fail_the_rest(self) -> None:
        self._take_more()
        batch, self._batch = self._batch, []
        self._tell(batch, [JournalUnavailableError("the writer ended", uncertain=True)] * len(batch))
        while self._jobs:
            self._answer(self._jobs.popleft(), None, JournalUnavailableError("the writer ended", uncertain=True))


class _CommitFailedError(Exception):
    """COMMIT itself failed."""


def _unavailable(error: BaseException | None, *, uncertain: bool) -> JournalUnavailableError:
    # SQLite's messages name files and constraints, never bound values.
    return JournalUnavailableError(f"{type(error).__name__}: {error}", uncertain=uncertain)


def _wake(futures: list["asyncio.Future[None]"], results: list[Exception | None]) -> None:
    for future, result in zip(futures, results, strict=True):
        if not future.done():  # a caller that was cancelled is not told
            if result is None:
                future.set_result(None)
            else:
                future.set_exception(result)


def _settle(future: "asyncio.Future[Any]", result: object, error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
