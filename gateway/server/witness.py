"""A witness over HTTP: ``POST /add-checkpoint``, and who it is at ``GET /``. Everybody may ask; bodies are bounded."""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from gateway.ports import WitnessReply

_LARGEST = 64 * 1024
_MOST_AT_ONCE = 64
_BODY_SECONDS = 10.0

Answer = Callable[[bytes], Awaitable[WitnessReply]]


class WitnessApp:
    """answer: the witness. about: what it says of itself: its verifier key, and the logs that it watches."""

    def __init__(self, answer: Answer, about: str) -> None:
        self._answer = answer
        self._about = about
        self._busy = 0

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """One request."""
        path = request.raw_path.partition("?")[0]
        if path == "/" and request.method in {"GET", "HEAD"}:
            return web.Response(text=self._about)
        if path != "/add-checkpoint":
            return _closing(404, "POST /add-checkpoint (https://c2sp.org/tlog-witness)\n")
        if request.method != "POST":
            return _closing(405, "POST it\n")
        if self._busy >= _MOST_AT_ONCE:
            return _closing(503, "too many at once\n")
        self._busy += 1
        try:
            return await self._add(request)
        finally:
            self._busy -= 1

    async def _add(self, request: web.BaseRequest) -> web.Response:
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                body = await _read(request)
        except TimeoutError:
            return _closing(408, "the body took too long\n")
        if body is None:
            return _closing(413, "a request has at most 64 KiB\n")
        reply = await self._answer(body)
        headers = {"Content-Type": reply.content_type, "Cache-Control": "no-store"}
        return web.Response(status=reply.status, body=reply.body, headers=headers)


async def _read(request: web.BaseRequest) -> bytes | None:
    """The body; None if it is too large."""
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > _LARGEST:
            return None
    return bytes(body)


def _closing(status: int, text: str) -> web.Response:
    response = web.Response(status=status, text=text)
    response.force_close()
    return response
