"""A timestamp authority over HTTP (RFC 3161 §3.4)."""

from http import HTTPStatus

from adapters.attesting.http import Poster
from gateway.model.errors import ExchangeError
from gateway.model.errors.attesting import ATTESTING_UNAVAILABLE

_QUERY, _REPLY = "application/timestamp-query", "application/timestamp-reply"


class HttpTimestamper:
    """poster: to the authority's address."""

    def __init__(self, poster: Poster) -> None:
        self._poster = poster

    async def stamp(self, request: bytes) -> bytes:
        """The answer, not verified. Raises ExchangeError (ATTESTING_UNAVAILABLE)."""
        reply = await self._poster.post(_QUERY, _REPLY, request)
        if reply.status != HTTPStatus.OK or reply.content_type != _REPLY:
            raise ExchangeError(ATTESTING_UNAVAILABLE, f"no timestamp but status {reply.status}")
        return reply.body

    async def close(self) -> None:
        """Let go of connections."""
        await self._poster.close()
