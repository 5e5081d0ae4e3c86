"""Request bodies are read within their limits, in whatever pieces they come."""

import asyncio

import pytest
from aiohttp import StreamReader, web
from aiohttp.base_protocol import BaseProtocol
from aiohttp.test_utils import make_mocked_request

from gateway.model.errors import ExchangeError
from gateway.model.message import Body
from gateway.server.bodies import Reading, read_body

LIMIT, IN_MEMORY = 200_000, 100_000


class Sink:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.data = b""
        self.discarded = False

    async def write(self, data: bytes) -> None:
        self.data += data

    async def finish(self) -> Body:
        return Body(self.data)

    def discard(self) -> None:
        self.discarded = True


async def chunked(pieces: list[bytes]) -> web.Request:
    """A chunked request whose pieces have all arrived."""
    loop = asyncio.get_running_loop()
    content = StreamReader(BaseProtocol(loop), 2**20, loop=loop)
    for piece in pieces:
        content.feed_data(piece)
    content.feed_eof()
    return make_mocked_request("POST", "/", headers={"Transfer-Encoding": "chunked"}, payload=content)


async def read(request: web.Request, sink: Sink) -> Body:
    reading = Reading(limit=LIMIT, in_memory=IN_MEMORY, seconds=5, new_sink=lambda: sink)
    return await read_body(request, reading, lambda _: None)


@pytest.mark.asyncio
@pytest.mark.parametrize("pieces", [[b"x" * (LIMIT + 1)], [b"x" * LIMIT, b"x"], [b"x" * 10, b"x" * LIMIT]])
async def test_a_body_over_the_limit_is_refused_in_whatever_pieces_it_comes(pieces: list[bytes]) -> None:
    sink = Sink()
    with pytest.raises(ExchangeError) as refused:
        await read(await chunked(pieces), sink)
    assert refused.value.kind.code == "client.body_too_large"
    assert sink.discarded or not sink.data
    assert len(sink.data) <= LIMIT


@pytest.mark.asyncio
async def test_a_body_at_the_limit_is_spooled_whole() -> None:
    sink = Sink()
    assert (await read(await chunked([b"x" * LIMIT]), sink)).size == LIMIT
    assert not sink.discarded
