"""Kept-alive connections to one origin: at most so many, the last used first, callers in a queue when all are busy."""

import asyncio
import ssl
from collections import deque

from adapters.rest.connection import Connection, Limits
from adapters.rest.failures import NotSentError


class Pool:
    """The connections to one host and port.

    connections: the most at once. queue: the most callers that may wait for one. idle: seconds a connection is kept
    unused. connect: seconds that connecting may take, with the TLS handshake.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        host: str,
        port: int,
        *,
        tls: ssl.SSLContext | None,
        limits: Limits,
        connections: int,
        queue: int,
        idle: float,
        connect: float,
    ) -> None:
        self._loop, self._host, self._port, self._tls, self._limits = loop, host, port, tls, limits
        self._most, self._queue, self._idle_seconds, self._connect_seconds = connections, queue, idle, connect
        self._idle: list[Connection] = []
        self._waiters: deque[asyncio.Future[Connection | None]] = deque()
        self._open = 0
        self._sweeper: asyncio.TimerHandle | None = None
        self._closed = False

    def take_idle(self) -> Connection | None:
        """A connection that is open and unused; None where there is none."""
        while self._idle:
            connection = self._idle.pop()
            if connection.reusable:
                return connection
            self._open -= 1  # it stopped being usable, and its connection_lost finds it gone from the list
        return None

    async def take(self, seconds: float) -> Connection:
        """A connection, opened if need be. Raises NotSentError."""
        connection = self.take_idle()
        if connection is not None:
            return connection
        if self._open < self._most:
            self._open += 1
            return await self._connect(seconds)
        if len(self._waiters) >= self._queue:
            raise NotSentError("too many calls already wait for a connection to the provider", busy=True)
        return await self._wait(seconds)

    async def _wait(self, seconds: float) -> Connection:
        end = self._loop.time() + seconds
        waiter: asyncio.Future[Connection | None] = self._loop.create_future()
        self._waiters.append(waiter)
        try:
            async with asyncio.timeout_at(end):
                connection = await waiter
        except TimeoutError:
            self._give_back(waiter)
            raise NotSentError("no connection to the provider came free in time", timed_out=True, busy=True) from None
        except asyncio.CancelledError:
            self._give_back(waiter)
            raise
        if connection is not None and connection.reusable:
            return connection
        return await self._connect(end - self._loop.time())  # its slot is ours

    def _give_back(self, waiter: "asyncio.Future[Connection | None]") -> None:
        """A waiter left; what it was handed in the same moment goes to the next one."""
        if waiter in self._waiters:
            self._waiters.remove(waiter)
        if waiter.done() and not waiter.cancelled():
            connection = waiter.result()
            if connection is None:
                self._free_slot()
            else:
                self.put(connection)

    async def _connect(self, seconds: float) -> Connection:
        try:
            async with asyncio.timeout(min(seconds, self._connect_seconds)):
                _, connection = await self._loop.create_connection(
                    lambda: Connection(self._loop, self._limits, self._lost), self._host, self._port, ssl=self._tls
                )
        except TimeoutError:
            self._free_slot()
            raise NotSentError("connecting to the provider took too long", timed_out=True) from None
        except OSError as error:  # ssl.SSLError too
            self._free_slot()
            raise NotSentError(f"no connection to the provider: {type(error).__name__}") from None
        except BaseException:
            self._free_slot()
            raise
        return connection

    def put(self, connection: Connection) -> None:
        """Give a connection back after use, in whatever state it is."""
        if self._closed or not connection.reusable:
            connection.abort()
            self._free_slot()
            return
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return
        connection.idle_since = self._loop.time()
        self._idle.append(connection)
        if self._sweeper is None:
            self._sweeper = self._loop.call_later(self._idle_seconds, self._sweep)

    def _free_slot(self) -> None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
        self._open -= 1

    def _lost(self, connection: Connection) -> None:
        if connection in self._idle:
            self._idle.remove(connection)
            self._free_slot()

    def _sweep(self) -> None:
        """Close what was idle too long; look again when the next one could be."""
        self._sweeper = None
        oldest = self._loop.time() - self._idle_seconds
        for connection in [each for each in self._idle if each.idle_since <= oldest]:
            self._idle.remove(connection)
            connection.abort()
            self._open -= 1
        if self._idle:
            wait = min(each.idle_since for each in self._idle) - oldest
            self._sweeper = self._loop.call_later(max(wait, 0.01), self._sweep)

    def close(self) -> None:
        """Keep nothing any more: what is idle is closed now, the rest as soon as it is given back.

        Calls that wait, or are still to come from exchanges begun before (a reload), get a connection of their own.
        """
        self._closed = True
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        while self._idle:
            self._idle.pop().abort()
            self._open -= 1
