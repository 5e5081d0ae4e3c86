"""Reading request bodies and writing answers: memory stays bounded whatever is sent."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from aiohttp import HttpVersion11, StreamReader, hdrs, web
from msgspec import Struct, field
from multidict import CIMultiDict

from gateway.model.errors import ExchangeError
from gateway.model.errors import request as kinds
from gateway.model.errors.gateway import OVERLOADED
from gateway.model.message import EMPTY, Body, Part
from gateway.model.stages import Released
from gateway.server.written import SERVER, WrittenAnswer
from gateway.validation.mime import RELATED, Splitter


class BodySink(Protocol):
    """Takes a body too large for memory."""

    async def write(self, data: bytes) -> None:
        """The next piece."""

    async def finish(self) -> Body:
        """The whole, with its digests."""

    def discard(self) -> None:
        """Give the space back: the body will not be finished."""


NewSink = Callable[[], BodySink]

Vouch = Callable[[Part | None], None]
"""Raises unless what is there so far proves who sends it: the head, or the first MIME part."""

STALLED_SECONDS = 60.0
"""How long a caller may take to read a piece of a large answer before it is taken for gone."""

UNPROVED_BYTES = 64 * 1024
"""More of a body is only read once its head has proved who sends it: others cost neither disk nor much memory. A proof
that stands in an envelope is looked at before anything goes to disk.
"""

ROOM = 64 * 1024 * 1024
"""What all messages together may hold in memory before they are proved, beyond so much of each."""

_TE = hdrs.TRANSFER_ENCODING.lower()


class Room:
    """Bytes of memory that messages share while nobody has proved them. most: together."""

    def __init__(self, most: int = ROOM) -> None:
        self._free = most

    def take(self, size: int) -> None:
        """Raises ExchangeError where there is no more."""
        if size > self._free:
            raise ExchangeError(OVERLOADED, "large messages are arriving from too many callers", retry_after=1)
        self._free -= size

    def give(self, size: int) -> None:
        """It is free again."""
        self._free += size


class Reading(Struct, frozen=True, kw_only=True):
    """How a body is read. limit: most bytes; in_memory: above this it is spooled; seconds: for all of it. new_sink:
    where it is spooled to. enveloped: its proof is an envelope, in the whole body or its first MIME part; room: for
    envelopes until they are proved.
    """

    limit: int
    in_memory: int
    seconds: float
    new_sink: NewSink
    enveloped: bool = False
    room: Room = field(default_factory=Room)


async def read_body(request: web.BaseRequest, reading: Reading, vouch: Vouch) -> Body:
    """The request's body as received, split where it is an envelope with attachments.

    vouch: called once, before more is read or kept than anybody may send; what it raises is passed on. Raises
    ExchangeError for a body that is too large, too slow, breaks off or is no MIME.
    """
    if not request.body_exists:
        return EMPTY
    length = request.content_length
    if length is None and (request.version < HttpVersion11 or not _is_chunked(request)):  # RFC 9112 §6.1
        raise ExchangeError(kinds.BAD_HEADER, "Transfer-Encoding is chunked, and nothing else", parts=(_TE,))
    if length is not None and length > reading.limit:
        raise ExchangeError(kinds.BODY_TOO_LARGE)
    if reading.enveloped:
        incoming = _Incoming(reading, vouch, _splitter(request, reading.in_memory))
    else:
        if length is not None and length > UNPROVED_BYTES:
            vouch(None)
        # whoever announced less than that cannot send more
        incoming = _Incoming(reading, vouch if length is None else _content, None)
    if request.headers.get(hdrs.EXPECT, "").lower() == "100-continue" and request.transport is not None:
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    return await _receive(request, incoming, reading)


async def _receive(request: web.BaseRequest, incoming: "_Incoming", reading: Reading) -> Body:
    content = request.content
    try:
        if content.is_eof() and content.total_bytes <= reading.in_memory and incoming.splitter is None:
            return Body(content.read_nowait())
        async with asyncio.timeout(reading.seconds):
            return await incoming.read(content)
    except TimeoutError:
        raise ExchangeError(kinds.TIMEOUT, "the body did not arrive in time") from None
    except (web.RequestPayloadError, ConnectionError):
        raise ExchangeError(kinds.BODY_TRUNCATED) from None


def _is_chunked(request: web.BaseRequest) -> bool:
    return request.headers.get(hdrs.TRANSFER_ENCODING, "").lower() == "chunked"


def _splitter(request: web.BaseRequest, root_limit: int) -> Splitter | None:
    content_type = request.headers.get(hdrs.CONTENT_TYPE, "")
    if content_type.partition(";")[0].strip().lower() != RELATED:
        return None
    return Splitter(content_type, root_limit=root_limit)


def _content(_: Part | None) -> None:
    """Nothing more to ask."""


class _Incoming:
    """A body that is arriving: in memory until it is too large for that, then in a sink."""

    def __init__(self, reading: Reading, vouch: Vouch, splitter: Splitter | None) -> None:
        self.splitter = splitter
        self._reading = reading
        self._vouch: Vouch | None = vouch
        self._size = 0
        self._held = 0
        """Bytes of the room that it takes."""
        self._pieces: list[bytes] = []
        self._sink: BodySink | None = None

    async def read(self, content: StreamReader) -> Body:
        """The whole of it. Raises ExchangeError; then nothing is left of it."""
        try:
            async for piece in content.iter_any():
                await self._add(piece)
            body = Body(b"".join(self._pieces)) if self._sink is None else await self._sink.finish()
        except BaseException:
            if self._sink is not None:
                self._sink.discard()
            raise
        finally:
            self._give()
        if self.splitter is not None:
            try:
                body.parts = self.splitter.finish()
            except BaseException:
                body.close()
                raise
        return body

    async def _add(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self._reading.limit:
            raise ExchangeError(kinds.BODY_TOO_LARGE)
        if self._vouch is not None and self._reading.enveloped and self._size > UNPROVED_BYTES:
            self._hold(len(piece) if self.splitter is None else 2 * len(piece))  # it keeps the envelope too
        if self.splitter is not None:
            self.splitter.feed(piece)
        if self._vouch is not None and self._size > self._unproved:
            self._ask(self._vouch)
            self._vouch = None
            self._give()
        if self._sink is None:
            self._pieces.append(piece)
            if self._size <= self._reading.in_memory:
                return
            self._sink, pieces, self._pieces = self._reading.new_sink(), self._pieces, []
        else:
            pieces = [piece]
        for each in pieces:
            await self._sink.write(each)

    def _hold(self, size: int) -> None:
        self._reading.room.take(size)
        self._held += size

    def _give(self) -> None:
        self._reading.room.give(self._held)
        self._held = 0

    @property
    def _unproved(self) -> int:
        return self._reading.in_memory if self._reading.enveloped else UNPROVED_BYTES

    def _ask(self, vouch: Vouch) -> None:
        if not self._reading.enveloped:
            vouch(None)
        elif self.splitter is None or self.splitter.root is None:
            raise ExchangeError(
                kinds.BODY_TOO_LARGE, "an envelope must fit in memory; send large content as attachments"
            )
        else:
            vouch(self.splitter.root)


async def respond(request: web.BaseRequest, released: Released, *, close: bool = False) -> web.StreamResponse:
    """Send what may be released. Spooled bodies are streamed and then given up."""
    answer = released.answer
    body = answer.body
    if body.data is not None and WrittenAnswer.fits(request, answer.head.status):
        return WrittenAnswer(answer, body.data, close=close)
    headers = CIMultiDict(answer.head.fields)
    headers[hdrs.SERVER] = SERVER
    if body.spool is None:
        response: web.StreamResponse = web.Response(status=answer.head.status, headers=headers, body=body.data)
        if close:
            response.force_close()
        return response
    headers[hdrs.CONTENT_LENGTH] = str(body.size)
    response = web.StreamResponse(status=answer.head.status, headers=headers)
    if close:
        response.force_close()
    try:
        await response.prepare(request)
        async for chunk in body.spool.chunks():
            async with asyncio.timeout(STALLED_SECONDS):
                await response.write(chunk)
        await response.write_eof()
    except TimeoutError:
        if request.transport is not None:
            request.transport.abort()
        raise ConnectionResetError("the caller does not read") from None
    finally:
        body.close()
    return response
