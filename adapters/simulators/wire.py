"""A small HTTP/1.1 server on httptools: fast, and able to break its answers exactly where a test wants.

Keep-alive, pipelining (answered in order), chunked requests, ``Expect: 100-continue``, TLS by an ``ssl`` context. An
answer is bytes, or pieces streamed under back-pressure. Not for production: there are no limits on what is read.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from http import HTTPStatus
from typing import Any, Final, cast
from urllib.parse import parse_qsl, urlsplit

import httptools
from msgspec import Struct

_REASONS: Final = {status.value: status.phrase for status in HTTPStatus}


class Received(Struct, frozen=True):
    """A request as it arrived: raw target, headers in order with their case, body."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def path(self) -> str:
        """The target without its query."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        """The query's parameters, the last of each name; ``?wsdl`` gives ``{"wsdl": ""}``."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    def header(self, name: str) -> str | None:
        """The first header of that name, in whatever case."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)


class Answer(Struct, frozen=True, kw_only=True):
    """What is sent back.

    pieces: streamed instead of ``body``; ``length``: their total, sent as Content-Length (chunked without it).
    cut: so many bytes of the body are sent after a head that promises all; then the connection closes.
    drop: the connection is cut without an answer.
    """

    status: int = 200
    content_type: str | None = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    pieces: Iterable[bytes] | None = None
    length: int | None = None
    cut: int | None = None
    drop: bool = False


Handler = Callable[[Received], "Answer | Coroutine[Any, Any, Answer]"]
"""Answers at once, or as a coroutine where it must wait."""


class Server:
    """Listens on a loopback socket and gives every request to ``handler``."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.connections = 0
        """How many connections were ever opened: shows whether a client keeps them."""
        self.open: set[Connection] = set()
        self._server: asyncio.Server | None = None

    async def start(self, *, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None) -> int:
        """Listen; port 0 takes a free one. Returns the port. Raises OSError when it is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Connection(self), host, port, ssl=tls, backlog=1024)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Stop listening, cut what is open, and wait for unfinished answers to end."""
        if self._server is None:
            return
        self._server.close()
        tasks = [connection.abort() for connection in tuple(self.open)]
        await asyncio.gather(*(task for task in tasks if task), return_exceptions=True)
        await self._server.wait_closed()
        self._server = None


class Connection(asyncio.Protocol):
    """One connection: httptools calls the ``on_…`` methods; answers leave in the order of the requests."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._waiting: deque[tuple[Received, bool]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._target = b""
        self._headers: list[tuple[str, str]] = []
        self._body: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asyncio: it is open."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance
        self._server.connections += 1
        self._server.open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Asyncio: it is closed."""
        del exc
        self._transport = None
        self._server.open.discard(self)
        if self._task:
            self._task.cancel()

    def data_received(self, data: bytes) -> None:
        """Asyncio: bytes came."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._write(Answer(status=400, content_type="text/plain", body=b"Bad Request"), keep=False)

    def pause_writing(self) -> None:
        """Asyncio: the peer reads too slowly."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Asyncio: it caught up."""
        self._writable.set()

    def on_url(self, url: bytes) -> None:
        """Part of the target."""
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        self._headers.append((name.decode("latin-1"), value.decode("latin-1")))
        if name.lower() == b"expect" and self._transport:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """Part of the body."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        received = Received(
            self._parser.get_method().decode("ascii"),
            self._target.decode("latin-1"),
            tuple(self._headers),
            b"".join(self._body),
        )
        keep = bool(self._parser.should_keep_alive())
        self._target, self._headers, self._body = b"", [], []
        if self._task:
            self._waiting.append((received, keep))
        else:
            self._handle(received, keep=keep)

    def abort(self) -> asyncio.Task[None] | None:
        """Cut it; the task that was answering, if any."""
        task = self._task
        if self._transport:
            self._transport.abort()
        if task:
            task.cancel()
        return task

    def _handle(self, received: Received, *, keep: bool) -> None:
        answer = self._server.handler(received)
        head_only = received.method == "HEAD"
        if isinstance(answer, Answer) and answer.pieces is None:
            self._write(answer, keep=keep, head_only=head_only)
        else:
            self._task = asyncio.ensure_future(self._later(answer, keep=keep, head_only=head_only))
            self._task.add_done_callback(self._done)

    def _done(self, _: object) -> None:
        self._task = None
        self._next()

    def _next(self) -> None:
        while self._waiting and self._task is None and self._transport:
            received, keep = self._waiting.popleft()
            self._handle(received, keep=keep)

    async def _later(self, answer: "Answer | Coroutine[Any, Any, Answer]", *, keep: bool, head_only: bool) -> None:
        done = answer if isinstance(answer, Answer) else await answer
        if done.pieces is None:
            self._write(done, keep=keep, head_only=head_only)
        else:
            await self._stream(done, keep=keep)

    def _write(self, answer: Answer, *, keep: bool, head_only: bool = False) -> None:
        if self._transport is None:
            return
        if answer.drop:
            self._transport.abort()
            return
        body = b"" if head_only else answer.body if answer.cut is None else answer.body[: answer.cut]
        keep = keep and answer.cut is None
        self._transport.write(_head(answer, len(answer.body), keep=keep) + body)
        if not keep:
            self._transport.close()

    async def _stream(self, answer: Answer, *, keep: bool) -> None:
        chunked = answer.length is None
        if self._transport:
            self._transport.write(_head(answer, answer.length, keep=keep))
        for piece in answer.pieces or ():
            await self._writable.wait()
            if self._transport is None:
                return
            self._transport.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
            await asyncio.sleep(0)
        if self._transport:
            self._transport.write(b"0\r\n\r\n" if chunked else b"")
            if not keep:
                self._transport.close()


def _head(answer: Answer, length: int | None, *, keep: bool) -> bytes:
    lines = [f"HTTP/1.1 {answer.status} {_REASONS.get(answer.status, 'Unknown')}"]
    if answer.content_type is not None:
        lines.append(f"Content-Type: {answer.content_type}")
    lines += [f"{name}: {value}" for name, value in answer.headers]
    lines.append("Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}")
    if not keep:
        lines.append("Connection: close")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
