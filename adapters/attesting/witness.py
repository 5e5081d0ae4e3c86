"""A witness over HTTP (C2SP tlog-witness)."""

from adapters.attesting.http import Poster
from gateway.ports import WitnessReply


class HttpWitness:
    """poster: to ``{submission prefix}/add-checkpoint``."""

    def __init__(self, poster: Poster) -> None:
        self._poster = poster

    async def add_checkpoint(self, body: bytes) -> WitnessReply:
        """Ask it to cosign. Raises ExchangeError (ATTESTING_UNAVAILABLE)."""
        return await self._poster.post("text/plain; charset=utf-8", "*/*", body)

    async def close(self) -> None:
        """Let go of connections."""
        await self._poster.close()
