"""A running demo world, shared by the integration tests of one session, in an event loop and a thread of its own."""

import asyncio
import json
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from gateway.wiring.demo import World, demo_world

T = TypeVar("T")
_START_SECONDS = 30
_CALL_SECONDS = 60


class RunningWorld:
    """The world from outside. stop: ends it."""

    def __init__(self, world: World, loop: asyncio.AbstractEventLoop) -> None:
        self.world = world
        self.ended = asyncio.Event()
        self._loop = loop

    @property
    def contract(self) -> dict[str, Any]:
        """demo.json as outside programs read it."""
        document = json.loads(self.world.files.contract.read_bytes())
        assert isinstance(document, dict)
        return document

    def run(self, what: Coroutine[Any, Any, T]) -> T:
        """The result of a coroutine that runs where the world does, for what is not thread-safe."""
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(_CALL_SECONDS)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self.ended.set)


@contextmanager
def running_world(folder: Path) -> Iterator[RunningWorld]:
    """Start a world in ``folder``, publish its demo.json, stop it at the end."""
    started: Future[RunningWorld] = Future()
    thread = threading.Thread(target=lambda: asyncio.run(_live(folder, started)), name="demo world")
    thread.start()
    running = started.result(_START_SECONDS)
    try:
        yield running
    finally:
        running.stop()
        thread.join(_START_SECONDS)


async def _live(folder: Path, started: "Future[RunningWorld]") -> None:
    try:
        async with demo_world(folder) as world:
            world.publish()
            running = RunningWorld(world, asyncio.get_running_loop())
            started.set_result(running)
            await running.ended.wait()
    except BaseException as error:
        if started.done():
            raise
        started.set_exception(error)
