"""A provider on a real socket that does exactly what a script says, one script per request."""

import asyncio
import hashlib
import re
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Self

from gateway.model.message import Body

CLOSE = object()
"""Close the connection properly."""
RESET = object()
"""Cut it."""
HANG = object()
"""Send nothing more."""

Step = bytes | object
Script = tuple[Step, ...]


def answer(body: bytes = b"{}", *, status: int = 200, fields: tuple[str, ...] = ()) -> Script:
    lines = [f"HTTP/1.1 {status} x", f"Content-Length: {len(body)}", *fields]
    return ("\r\n".join(lines).encode() + b"\r\n\r\n" + body,)


async def until(condition: Callable[[], object], seconds: float = 5.0) -> None:
    """Let the loop run until something is so; fails after some seconds."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - the condition belongs to code that has no event for it
            await asyncio.sleep(0.001)


async def settles(value: Callable[[], object]) -> None:
    """Let the loop run until something has not changed for a while."""
    before, same = value(), 0
    while same < 50:
        await asyncio.sleep(0.001)
        before, same = value(), same + 1 if value() == before else 0


class ScriptedProvider:
    """``async with ScriptedProvider(script, …) as provider: provider.url``; after the last script it repeats it."""

    def __init__(self, *scripts: Script, tls=None) -> None:
        self.scripts = deque(scripts)
        self.requests: list[bytes] = []
        self.connections = 0
        self.written = 0
        self._tls = tls
        self._tasks: set[asyncio.Task[None]] = set()
        self.writers: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        for writer in self.writers:
            writer.transport.abort()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        match = re.search(rb"\r\ncontent-length: (\d+)", head, re.IGNORECASE)
        body = await reader.readexactly(int(match[1])) if match else b""
        self.requests.append(head + body)
        script = self.scripts.popleft() if len(self.scripts) > 1 else self.scripts[0]
        for step in script:
            if isinstance(step, bytes):
                writer.write(step)
                await writer.drain()
                self.written += len(step)
            elif step is CLOSE:
                writer.close()
                return False
            elif step is RESET:
                writer.transport.abort()
                return False
            else:
                await asyncio.Event().wait()
        return True


class MemorySpool:
    """What a sink kept, as a spooled body reads it."""

    def __init__(self, pieces: list[bytes]) -> None:
        self.pieces = pieces
        self.closed = False

    async def chunks(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            yield piece

    def close(self) -> None:
        self.closed = True


class MemorySink:
    """A sink that keeps what it was given. gate: it takes nothing before; room: more bytes than that fail."""

    def __init__(self, gate: asyncio.Event | None = None, room: int = 2**30) -> None:
        self.pieces: list[bytes] = []
        self.spool = MemorySpool(self.pieces)
        self.aborted = False
        self.finished = False
        self._gate, self._room = gate, room

    async def write(self, data: bytes) -> None:
        if self._gate is not None:
            await self._gate.wait()
        self._room -= len(data)
        if self._room < 0:
            raise OSError("no space left")
        self.pieces.append(data)

    async def finish(self) -> Body:
        self.finished = True
        whole = b"".join(self.pieces)
        return Body.spooled(
            self.spool, size=len(whole), sha256=hashlib.sha256(whole).digest(), sha512=hashlib.sha512(whole).digest()
        )

    def discard(self) -> None:
        self.aborted = True
