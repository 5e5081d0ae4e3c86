"""One client connection, HTTP/1.1 (RFC 9112): requests go out one at a time, answers are parsed by llhttp.

Rules it keeps:

* A body's bytes are never changed: no decompression, no re-chunking that shows.
* Whatever arrives while nothing was asked closes the connection: it could only be mistaken for the next answer.
* Memory per answer is bounded: reading is paused while a sink is behind.
* After anything irregular the connection is not used again.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol, cast

import httptools

from adapters.rest.failures import (
    CallError,
    EndUnknownError,
    ReplyTooLargeError,
    TruncatedReplyError,
    UnreadableReplyError,
    UnstorableReplyError,
)
from gateway.model.message import Body, Fields

_HIGH_WATER = 256 * 1024
"""Bytes that may wait for a sink before reading is paused."""
_FIRST_FINAL = 200  # below are informational answers, RFC 9110 §15.2


class BodySink(Protocol):
    """Where a large answer is written while it arrives, such as a spool file."""

    async def write(self, data: bytes) -> None:
        """Take the next piece."""

    async def finish(self) -> Body:
        """The whole, with its digests. Called once, after the last piece."""

    def discard(self) -> None:
        """The answer broke off: give the space back."""


class Limits:
    """What an answer may be. head, body: the most bytes. spool_over: larger bodies go to a sink, if there is one."""

    __slots__ = ("body", "head", "open_sink", "spool_over")

    def __init__(self, *, head: int, body: int, spool_over: int, open_sink: Callable[[], BodySink] | None) -> None:
        self.head = head
        self.body = body
        self.spool_over = spool_over if open_sink is not None else body
        self.open_sink = open_sink


class Connection(asyncio.Protocol):
    """A connection to one origin. ``exchange`` once at a time; ``reusable`` says whether there may be another."""

    __slots__ = (
        "_body",
        "_complete",
        "_content_length",
        "_drain",
        "_error",
        "_fields",
        "_framed",
        "_head_size",
        "_keep",
        "_limits",
        "_loop",
        "_lost",
        "_on_lost",
        "_parser",
        "_paused",
        "_sent",
        "_size",
        "_status",
        "_to_end",
        "_transport",
        "_used",
        "_waiter",
        "_without_body",
        "idle_since",
    )

    def __init__(
        self, loop: asyncio.AbstractEventLoop, limits: Limits, on_lost: Callable[["Connection"], None]
    ) -> None:
        self._loop = loop
        self._limits = limits
        self._on_lost = on_lost
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._drain: asyncio.Future[None] | None = None
        self._lost = self._paused = self._used = False
        self.idle_since = 0.0
        self._reset(without_body=False)

    def _reset(self, *, without_body: bool) -> None:
        self._without_body = without_body
        self._fields: list[tuple[str, str]] = []
        self._body: bytes | bytearray = b""
        self._size = self._head_size = self._status = 0
        self._content_length = -1
        self._complete = self._framed = self._to_end = self._sent = False
        self._keep = True
        self._error: CallError | None = None

    # -- used by the pool and the client ------------------------------------------------------------------------------

    @property
    def reusable(self) -> bool:
        """Whether another request may be sent on it."""
        return self._keep and not self._lost and self._transport is not None and not self._transport.is_closing()

    def abort(self) -> None:
        """Close it at once."""
        self._keep = False
        if self._transport is not None:
            self._transport.abort()

    async def exchange(
        self, head: bytes, body: Body, *, without_body: bool, seconds: float
    ) -> tuple[int, Fields, Body]:
        """Send one request, return status, fields and body of its final answer. without_body: it answers a HEAD.

        Raises CallError; afterwards, and when cancelled, the connection is closed.
        """
        assert self._transport is not None
        self._reset(without_body=without_body)
        self._waiter = waiter = self._loop.create_future()
        timer = self._loop.call_later(seconds, self._expire)
        try:
            if body.data is not None:
                self._transport.write(head + body.data if body.size else head)
                self._sent = True
            else:
                await self._send_spooled(head, body)
            await waiter
            if self._error is None and not self._complete:
                reply = await self._receive_into_sink()
            else:
                reply = Body(bytes(self._body))
            self._check()
        except BaseException:
            self.abort()
            raise
        finally:
            timer.cancel()
            self._waiter = None
            self._used = True
        self._read_on()
        self._keep = self._keep and self._sent
        return self._status, tuple(self._fields), reply

    # -- sending ------------------------------------------------------------------------------------------------------

    async def _send_spooled(self, head: bytes, body: Body) -> None:
        """Write a body that is on disk piece by piece, no faster than the peer reads; stop if it answers early."""
        assert self._transport is not None
        assert body.spool is not None
        assert self._waiter is not None
        self._transport.write(head)
        async for chunk in body.spool.chunks():
            if self._waiter.done():
                return
            self._transport.write(chunk)
            if self._drain is not None:
                await self._drain
        self._sent = True

    def pause_writing(self) -> None:
        """The peer reads slower than we write."""
        self._drain = self._loop.create_future()

    def resume_writing(self) -> None:
        """The peer caught up, or nothing more needs to be written."""
        drain, self._drain = self._drain, None
        if drain is not None and not drain.done():
            drain.set_result(None)

    # -- receiving ----------------------------------------------------------------------------------------------------

    async def _receive_into_sink(self) -> Body:
        """Move a large body into a sink as it arrives."""
        assert self._limits.open_sink is not None
        sink = self._limits.open_sink()
        try:
            await self._pour(sink)
            return await sink.finish()
        except CallError:
            sink.discard()
            raise
        except Exception as error:  # whatever the sink's store raises
            sink.discard()
            raise UnstorableReplyError(f"the answer could not be stored: {type(error).__name__}") from error
        except BaseException:
            sink.discard()
            raise

    async def _pour(self, sink: BodySink) -> None:
        while True:
            self._check()  # first: what is too large is the provider's doing, not the sink's
            piece, self._body = self._body, bytearray()
            if piece:
                await sink.write(bytes(piece))
                continue
            if self._complete:
                return
            self._waiter = self._loop.create_future()
            self._read_on()
            await self._waiter

    def _read_on(self) -> None:
        """Read again where reading was paused: within an answer, or for the next one on this connection."""
        if self._paused:
            self._paused = False
            if self._transport is not None and not self._lost:
                self._transport.resume_reading()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asyncio: connected."""
        self._transport = cast("asyncio.Transport", transport)  # a stream, as create_connection makes

    def data_received(self, data: bytes) -> None:
        """Asyncio: bytes from the peer."""
        if self._waiter is None:
            self.abort()
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._fail(UnreadableReplyError("the provider switched protocols unasked"))
        except httptools.HttpParserError:
            if not self._complete:
                self._fail(UnreadableReplyError("the provider's answer is not HTTP/1.1"))
            self._keep = False
        else:
            if not self._status:
                self._head_size += len(data)
            if self._head_size > self._limits.head:
                self._fail(UnreadableReplyError("the head of the provider's answer is larger than allowed"))

    def eof_received(self) -> bool:
        """Asyncio: the peer sends no more."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Asyncio: the connection is gone."""
        self._lost = True
        self._keep = False
        if self._to_end and exc is None and not self._complete:
            self._finish()  # RFC 9112 §6.3: without length or chunks the body ends with the connection
        elif self._head_size or self._status:
            self._fail(TruncatedReplyError("the provider's answer broke off"))
        else:
            self._fail(EndUnknownError("the provider closed the connection unanswered", stale=self._used))
        self._on_lost(self)

    # -- llhttp's callbacks -------------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """Llhttp: an answer begins."""
        if self._complete:
            self._keep = False  # more than was asked for; RFC 9112 §9.3

    def on_header(self, name: bytes, value: bytes) -> None:
        """Llhttp: one field (also each trailer field, which is dropped)."""
        self._head_size += len(name) + len(value)
        if self._status:
            return
        size = len(name)
        if size == 14 and name.lower() == b"content-length":  # noqa: PLR2004 - the length of that name
            self._framed, self._content_length = True, int(value)
        elif size == 17 and name.lower() == b"transfer-encoding":  # noqa: PLR2004 - the length of that name
            self._framed = True
            if value.strip().lower() != b"chunked":
                self._fail(UnreadableReplyError("the provider's answer has a transfer coding other than chunked"))
        self._fields.append((name.decode("latin-1"), value.decode("latin-1").rstrip(" \t")))

    def on_headers_complete(self) -> None:
        """Llhttp: the head is there."""
        if self._complete:
            return
        status = self._parser.get_status_code()
        if status < _FIRST_FINAL:
            return
        self._status = status
        if self._head_size > self._limits.head:  # it came at once, so data_received had no say
            self._fail(UnreadableReplyError("the head of the provider's answer is larger than allowed"))
        elif self._without_body:
            self._keep = False  # llhttp does not know that this was a HEAD and waits for a body
            self._finish()
        elif self._content_length > self._limits.body:
            self._fail(ReplyTooLargeError("the provider's answer is larger than allowed"))
        else:
            self._to_end = not self._framed

    def on_body(self, data: bytes) -> None:
        """Llhttp: a piece of the body, without chunk framing."""
        if self._complete or self._error is not None:
            return
        self._size += len(data)
        if self._size == len(data):
            self._body = data
        elif isinstance(self._body, bytes):
            self._body = bytearray(self._body)
            self._body += data
        else:
            self._body += data
        if self._size > self._limits.body:
            self._fail(ReplyTooLargeError("the provider's answer is larger than allowed"))
        elif self._size > self._limits.spool_over:
            self._wake()
            if len(self._body) > _HIGH_WATER and not self._paused and self._transport is not None:
                self._paused = True
                self._transport.pause_reading()

    def on_message_complete(self) -> None:
        """Llhttp: the answer is complete."""
        if self._complete:
            self._keep = False
        elif not self._status:
            self._fields.clear()  # an informational answer: the final one follows
            self._framed, self._content_length = False, -1
        elif self._error is None:
            self._keep = self._keep and self._parser.should_keep_alive()
            self._finish()

    # -- ends ---------------------------------------------------------------------------------------------------------

    def _finish(self) -> None:
        self._complete = True
        self._wake()

    def _check(self) -> None:
        if self._error is not None:
            raise self._error

    def _expire(self) -> None:
        if self._head_size or self._status:
            self._fail(TruncatedReplyError("the end of the provider's answer did not come in time", timed_out=True))
        else:
            self._fail(EndUnknownError("the provider did not answer in time", timed_out=True))

    def _fail(self, error: CallError) -> None:
        if self._error is None and not self._complete:
            self._error = error
        self._wake()
        if not self._lost:
            self.abort()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
        if self._drain is not None:
            self.resume_writing()
