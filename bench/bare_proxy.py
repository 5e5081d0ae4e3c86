"""The yardstick: a reverse proxy as anyone would write it with aiohttp and uvloop, which signs and records nothing."""

import argparse
import asyncio
import os
import sys

import aiohttp
import uvloop
from aiohttp import web
from multidict import CIMultiDict

HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "host"}
)
ROUTE = web.AppKey("backend", str)
SESSION = web.AppKey("session", aiohttp.ClientSession)


def _end_to_end(headers: "aiohttp.typedefs.LooseHeaders") -> CIMultiDict[str]:
    kept: CIMultiDict[str] = CIMultiDict()
    for name, value in headers.items():
        if name.lower() not in HOP_BY_HOP:
            kept.add(name, value)
    return kept


async def _forward(request: web.Request) -> web.Response:
    body = await request.read()
    async with request.app[SESSION].request(
        request.method,
        request.app[ROUTE] + request.raw_path,
        headers=_end_to_end(request.headers),
        data=body,
        allow_redirects=False,
    ) as reply:
        content = await reply.read()
        return web.Response(status=reply.status, headers=_end_to_end(reply.headers), body=content)


async def _serve(port: int, backend: str) -> None:
    app = web.Application(client_max_size=1 << 30)
    app[ROUTE] = backend
    app[SESSION] = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
    )
    app.router.add_route("*", "/{tail:.*}", _forward)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, reuse_port=True, backlog=1024).start()
    await asyncio.Event().wait()


def main() -> None:
    """Serve until killed, with one process per worker on the same port."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--port", type=int, required=True)
    options.add_argument("--backend", required=True, help="http://host:port")
    options.add_argument("--workers", type=int, default=1)
    given = options.parse_args()
    for _ in range(given.workers - 1):
        if os.fork() == 0:
            break
    uvloop.run(_serve(given.port, given.backend))


if __name__ == "__main__":
    sys.exit(main())
