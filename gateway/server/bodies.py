"""Reading request bodies and writing answers: memory stays bounded whatever is sent."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from aiohttp import HttpVersion11, hdrs, web
from multidict import CIMultiDict

from gateway.model.errors import ExchangeError
from gateway.model.errors import request as kinds
from gateway.model.message import EMPTY, Body
from gateway.model.stages import Released
from gateway.server.written import SERVER, WrittenAnswer


class BodySink(Protocol):
    """Takes a body too large for memory."""

    async def write(self, data: bytes) -> None:
        """The next piece."""

    async def finish(self) -> Body:
        """The whole, with its digests."""

    def discard(self) -> None:
        """Give the space back: the body will not be finished."""


NewSink = Callable[[], BodySink]

Vouch = Callable[[], None]
"""Raises unless the head proves who sends it."""

STALLED_SECONDS = 60.0
"""How long a caller may take to read a piece of a large answer before it is taken for gone."""

UNPROVED_BYTES = 64 * 1024
"""More of a body is only read once its head has proved who sends it: others cost neither disk nor much memory."""

_TE = hdrs.TRANSFER_ENCODING.lower()


async def read_body(
    request: web.BaseRequest, *, limit: int, in_memory: int, seconds: float, new_sink: NewSink, vouch: Vouch
) -> Body:
    """The request's body as received. limit: most bytes; in_memory: above this it is spooled; seconds: for all of it.
    vouch: called once, before more than UNPROVED_BYTES are read; what it raises is passed on.

    Raises ExchangeError for a body that is too large, too slow or breaks off.
    """
    if not request.body_exists:
        return EMPTY
    length = request.content_length
    if length is None and (request.version < HttpVersion11 or not _is_chunked(request)):  # RFC 9112 §6.1
        raise ExchangeError(kinds.BAD_HEADER, "Transfer-Encoding is chunked, and nothing else", parts=(_TE,))
    if length is not None and length > limit:
        raise ExchangeError(kinds.BODY_TOO_LARGE)
    if length is not None and length > UNPROVED_BYTES:
        vouch()
    if request.headers.get(hdrs.EXPECT, "").lower() == "100-continue" and request.transport is not None:
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    try:
        if request.content.is_eof() and request.content.total_bytes <= in_memory:
            return Body(request.content.read_nowait())
        async with asyncio.timeout(seconds):
            return await _collect(request, limit, in_memory, new_sink, vouch)
    except TimeoutError:
        raise ExchangeError(kinds.TIMEOUT, "the body did not arrive in time") from None
    except (web.RequestPayloadError, ConnectionError):
        raise ExchangeError(kinds.BODY_TRUNCATED) from None


def _is_chunked(request: web.BaseRequest) -> bool:
    return request.headers.get(hdrs.TRANSFER_ENCODING, "").lower() == "chunked"


async def _collect(request: web.BaseRequest, limit: int, in_memory: int, new_sink: NewSink, vouch: Vouch) -> Body:
    pieces: list[bytes] = []
    size = 0
    vouched = request.content_length is not None  # whoever announced less cannot send more
    async for piece in request.content.iter_any():
        size += len(piece)
        pieces.append(piece)
        if size > UNPROVED_BYTES and not vouched:
            vouch()
            vouched = True
        if size > in_memory:
            return await _spool(request, pieces, limit, new_sink())
    if size > limit:
        raise ExchangeError(kinds.BODY_TOO_LARGE)
    return Body(b"".join(pieces))


async def _spool(request: web.BaseRequest, pieces: list[bytes], limit: int, sink: BodySink) -> Body:
    size = 0

    async def add(piece: bytes) -> None:
        nonlocal size
        size += len(piece)
        if size > limit:
            raise ExchangeError(kinds.BODY_TOO_LARGE)
        await sink.write(piece)

    try:
        for piece in pieces:
            await add(piece)
        async for piece in request.content.iter_any():
            await add(piece)
        return await sink.finish()
    except BaseException:
        sink.discard()
        raise


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
