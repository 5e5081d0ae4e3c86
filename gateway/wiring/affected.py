"""``motlan log affected`` with all cores: each process reads, opens and seals a part of the log after the other.

They are given the epochs' keys, which the reader's key opened, over a pipe: never the reader's key, and nothing by way
of arguments, environment or disk.
"""

import asyncio
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import aclosing
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from msgspec import Struct

from gateway.config.load import load
from gateway.exchange.affected_rows import Gathered, Piece, runs_of
from gateway.exchange.audit_affected import AffectedPersons, Pieces
from gateway.ledger.epoch import Epoch, Recipient
from gateway.model.instant import Instant
from gateway.model.log import LogQuery
from gateway.model.storage import JournalUnavailableError
from gateway.storage.sqlite.scanning import Scan

RUN = 32_768
"""Records that a process looks through at a time."""
FEW = 8 * RUN
"""Up to so many there is one process: another would take longer to begin."""
_MOST_PROCESSES = 4
_AHEAD = 2


class _Work(Struct, frozen=True):
    """What a process is given at its start, pickled, over its pipe."""

    database: str
    query: LogQuery
    epochs: list[tuple[str, bytes, bytes, int]]
    officers: list[tuple[str, bytes]]


def over_all_cores(affected: AffectedPersons, config: Path) -> AffectedPersons:
    """The same use case, with all cores. config: of the gateway whose log it is. Raises ExchangeError."""
    return affected.over(in_processes(load(config).ledger.database))


def in_processes(database: Path, *, most: int | None = None) -> Pieces:
    """Gathers with as many processes as there are cores, at most four, or ``most``: by itself where the log is small.

    Raises JournalUnavailableError, also where a process ended before its time.
    """
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    count = min(_MOST_PROCESSES, usable) if most is None else most

    async def pieces(
        query: LogQuery, epochs: Mapping[str, Epoch], officers: Sequence[Recipient]
    ) -> AsyncGenerator[Piece]:
        work = _Work(
            str(database), query, [_bare(epoch) for epoch in epochs.values()], [_der(each) for each in officers]
        )
        first, last = await asyncio.to_thread(_span, work)
        runs = runs_of(RUN, first, last)
        several = count > 1 and last - first >= FEW
        async with aclosing(_spread(work, runs, count) if several else _alone(work, runs)) as each:
            async for piece in each:
                yield piece

    return pieces


async def _alone(work: _Work, runs: Iterator[tuple[int, int]]) -> AsyncGenerator[Piece]:
    part = _Part(work)
    try:
        for first, last in runs:
            yield await asyncio.to_thread(part.piece, first, last)
    finally:
        part.close()


async def _spread(work: _Work, runs: Iterator[tuple[int, int]], count: int) -> AsyncGenerator[Piece]:
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(count, mp_context=context, initializer=_begin, initargs=(work,))
    try:
        coming: deque[Future[Piece]] = deque()
        for first, last in runs:
            coming.append(pool.submit(_piece, first, last))
            if len(coming) >= count + _AHEAD:
                yield await asyncio.wrap_future(coming.popleft())
        for each in coming:
            yield await asyncio.wrap_future(each)
    except BrokenProcessPool as error:
        raise JournalUnavailableError("a process that read the log ended before its time") from error
    finally:
        await asyncio.to_thread(pool.shutdown, cancel_futures=True)


def _span(work: _Work) -> tuple[int, int]:
    scan = Scan(Path(work.database), work.query)
    try:
        return scan.span()
    finally:
        scan.close()


class _Part:
    """The log as one process reads it."""

    def __init__(self, work: _Work) -> None:
        epochs = {
            name: Epoch(id=name, key=key, pseudonym_key=pseudonym_key, starts=Instant(starts))
            for name, key, pseudonym_key, starts in work.epochs
        }
        officers = [Recipient(kid, load_der_public_key(key)) for kid, key in work.officers]
        self._gathered = Gathered(epochs, officers)
        self._scan = Scan(Path(work.database), work.query)

    def piece(self, first: int, last: int) -> Piece:
        """What is to be gathered from some rows."""
        for row in self._scan.rows(first, last):
            parent = self._gathered.add(row)
            if parent is not None:
                self._gathered.add_asked(row, self._scan.record(parent))
        return self._gathered.taken()

    def close(self) -> None:
        """Let go of the file."""
        self._scan.close()


_part: _Part


def _begin(work: _Work) -> None:
    """In a new process."""
    global _part  # noqa: PLW0603 - a process of a pool has nothing else to keep it in
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process ends the others
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _part = _Part(work)


def _end_with_parent() -> None:
    """It holds keys: so it does not outlive who began it, however that ended."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _piece(first: int, last: int) -> Piece:
    return _part.piece(first, last)


def _bare(epoch: Epoch) -> tuple[str, bytes, bytes, int]:
    return epoch.id, epoch.key, epoch.pseudonym_key, epoch.starts


def _der(officer: Recipient) -> tuple[str, bytes]:
    return officer.kid, officer.key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
