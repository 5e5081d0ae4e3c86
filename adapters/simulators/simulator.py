"""What every simulated system has: a socket, counters, authentication, and a switch for misbehaviour."""

import asyncio
import ssl
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any, ClassVar, Final, Self

from msgspec.structs import replace

from adapters.simulators.misbehave import Misbehaviour, Mode
from adapters.simulators.wire import Answer, Received, Server

_BAD_GATEWAY: Final = b"<html><body><h1>502 Bad Gateway</h1></body></html>"


class Simulator(ABC):
    """``async with PopulationSimulator(people) as sim: sim.url``.

    requests: how many requests each operation got; answers: how many ended how. Neither holds anybody's data.
    watch: called with every request before it is answered, for tests that check headers.
    """

    PATH: ClassVar[str]
    """Where the service is, below the server's root."""
    UNSUPPORTED: ClassVar[frozenset[Mode]] = frozenset()
    """Modes that mean nothing for this system."""

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        self.answers: Counter[str] = Counter()
        self.watch: Callable[[Received], None] | None = None
        self.server = Server(self._handle)
        self._root: str | None = None
        self._misbehaviour: Misbehaviour | None = None
        self._left: int | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self, *, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        """Listen; port 0 takes a free one."""
        bound = await self.server.start(host=host, port=port, tls=tls)
        self._root = f"{'https' if tls else 'http'}://{host}:{bound}"

    async def stop(self) -> None:
        """Stop listening and cut every connection, frozen ones too."""
        await self.server.stop()

    @property
    def root(self) -> str:
        """Scheme, host and port. Raises RuntimeError before the start."""
        if self._root is None:
            raise RuntimeError("the simulator is not started")
        return self._root

    @property
    def url(self) -> str:
        """Where the service is."""
        return self.root + self.PATH

    def misbehave(
        self, mode: Mode | str, *, count: int | None = None, seconds: float = 1.0, megabytes: int = 8
    ) -> None:
        """Go wrong in that way for the next ``count`` requests, or until ``behave``. ValueError: no such mode here."""
        misbehaviour = Misbehaviour(mode=Mode(mode), seconds=seconds, megabytes=megabytes)
        if misbehaviour.mode in self.UNSUPPORTED:
            raise ValueError(f"{mode} means nothing for this system")
        self._misbehaviour, self._left = misbehaviour, count

    def behave(self) -> None:
        """Be well again."""
        self._misbehaviour = self._left = None

    @abstractmethod
    def operation(self, received: Received) -> str:
        """What is asked, as ``requests`` counts it."""

    @abstractmethod
    def answer(self, received: Received) -> Answer:
        """The right answer."""

    @abstractmethod
    def twist(self, received: Received, right: Answer, how: Misbehaviour) -> Answer:
        """The answer that misbehaves in a way that depends on the document's format; ``right`` is a 200."""

    def _handle(self, received: Received) -> Answer | Coroutine[Any, Any, Answer]:
        self.requests[self.operation(received)] += 1
        if self.watch:
            self.watch(received)
        how = self._take()
        return self.answer(received) if how is None else self._misbehave(received, how)

    def _take(self) -> Misbehaviour | None:
        how = self._misbehaviour
        if how is not None and self._left is not None:
            self._left -= 1
            if self._left <= 0:
                self.behave()
        return how

    def _misbehave(self, received: Received, how: Misbehaviour) -> Answer | Coroutine[Any, Any, Answer]:
        self.answers[how.mode] += 1
        if how.mode is Mode.SLOW:
            return self._slow(received, how.seconds)
        return _freeze() if how.mode is Mode.FREEZE else self._broken(received, how)

    def _broken(self, received: Received, how: Misbehaviour) -> Answer:
        if how.mode is Mode.DROP:
            return Answer(drop=True)
        if how.mode is Mode.BAD_GATEWAY:
            return Answer(status=502, content_type="text/html", body=_BAD_GATEWAY)
        right = self.answer(received)
        if how.mode is Mode.UNAUTHORIZED_TEXT:
            return replace(right, status=200, body=b"Unauthorized")
        if how.mode is Mode.HALF:
            return replace(right, cut=len(right.body) // 2)
        return self.twist(received, right, how) if right.status == HTTPStatus.OK else right

    async def _slow(self, received: Received, seconds: float) -> Answer:
        await asyncio.sleep(seconds)
        return self.answer(received)


async def _freeze() -> Answer:
    await asyncio.Event().wait()
    raise AssertionError("nobody sets that event")
