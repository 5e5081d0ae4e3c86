"""The log's files are what a published checkpoint covers, and nothing that was only committed."""

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from gateway.server.publiclog import PublicLog

pytestmark = pytest.mark.asyncio

ENTRY = b"\x01" + bytes(32)


class Store:
    """A log of 300 published entries, with 20 committed behind them, one of which is in a tile already."""

    published = 300

    async def checkpoint(self):
        return b"motlan.example/log\n300\n"

    async def state(self):
        return self.published, b""

    async def tile(self, level, number):
        return bytes(32) * {(0, 0): 256, (0, 1): 45, (1, 0): 1}.get((level, number), 0) or None

    async def entries(self, start, count):
        return [ENTRY] * min(count, 320 - start)


@pytest_asyncio.fixture
async def get():
    server = web.Server(PublicLog(Store()).handle)
    runner = web.ServerRunner(server)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}/log/"
    async with aiohttp.ClientSession() as session:

        async def fetch(path):
            async with session.get(url + path) as got:
                return got.status, await got.read()

        yield fetch
    await runner.cleanup()


@pytest.mark.parametrize(
    ("path", "size"),
    [
        ("checkpoint", 23),
        ("tile/0/000", 256 * 32),
        ("tile/0/000.p/7", 7 * 32),
        ("tile/0/001.p/44", 44 * 32),
        ("tile/1/000.p/1", 32),
        ("tile/entries/000", 256 * 35),
        ("tile/entries/001.p/44", 44 * 35),
    ],
)
async def test_what_is_published_is_served(get, path, size):
    status, data = await get(path)
    assert (status, len(data)) == (200, size)


@pytest.mark.parametrize(
    "path", ["tile/entries/001.p/45", "tile/entries/001", "tile/entries/002.p/1", "tile/0/001.p/46"]
)
async def test_what_is_not_published_is_not_there(get, path):
    assert (await get(path))[0] == 404
