"""One bounded POST: what a witness and a timestamp authority have in common."""

import time
from collections.abc import Callable

from adapters.rest.failures import CallError
from adapters.rest.http1 import Client, split_url
from gateway.model.errors import ExchangeError
from gateway.model.errors.attesting import ATTESTING_UNAVAILABLE
from gateway.model.message import Body
from gateway.ports import WitnessReply

LARGEST_REPLY = 1 << 20
"""Bytes of an answer: a timestamp with its certificates has a few kilobytes. ``client`` is made with this limit."""


class Poster:
    """POSTs to one URL. client: its own. seconds: for a whole call. Raises ValueError for no URL."""

    def __init__(
        self, url: str, client: Client, *, seconds: float, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._origin, path = split_url(url)
        self._target = path or "/"
        self._client = client
        self._seconds = seconds
        self._monotonic = monotonic

    async def post(self, content_type: str, accept: str, body: bytes) -> WitnessReply:
        """Send and read. Raises ExchangeError (ATTESTING_UNAVAILABLE)."""
        fields = (("Content-Type", content_type), ("Accept", accept), ("Accept-Encoding", "identity"))
        deadline = self._monotonic() + self._seconds
        try:
            # Both calls may be repeated: a witness cosigns again, an authority stamps again.
            response = await self._client.request(
                "POST", self._origin, self._target, fields, Body(body), deadline=deadline, repeatable=True
            )
        except CallError as error:
            raise ExchangeError(ATTESTING_UNAVAILABLE, str(error)) from None
        named = next((value for name, value in response.fields if name.lower() == "content-type"), "")
        return WitnessReply(response.status, named.partition(";")[0].strip().lower(), response.body.data or b"")

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.close()
