"""The transparency log over HTTP: C2SP tlog-tiles, public, with static-file semantics (protocols.md §4)."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from gateway.ledger.tiles import ENTRIES, WIDTH, TileId, encode_entries, narrow, parse_path
from gateway.model.errors import ExchangeError
from gateway.ports import LogStore

PREFIX = "/log/"
_FOREVER = "public, max-age=31536000, immutable"
_FRESH = "no-cache"
_HEADERS = {"Access-Control-Allow-Origin": "*", "X-Content-Type-Options": "nosniff"}


class PublicLog:
    """Serves the checkpoint, hash tiles and entry bundles. Reads only what a published checkpoint covers.

    cosigned: gives the newest checkpoint that enough witnesses have cosigned, where there are witnesses.
    """

    def __init__(self, store: LogStore, cosigned: Callable[[], Awaitable[bytes | None]] | None = None) -> None:
        self._store = store
        self._cosigned = cosigned

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """``GET /log/checkpoint``, ``GET /log/checkpoint.cosigned`` and ``GET /log/tile/…``."""
        if request.method not in {"GET", "HEAD"}:
            return web.Response(status=405, headers={"Allow": "GET, HEAD", **_HEADERS})
        path = request.raw_path.partition("?")[0].removeprefix(PREFIX)
        if path == "checkpoint":
            return _answer(await self._store.checkpoint(), "text/plain; charset=utf-8", _FRESH)
        if path == "checkpoint.cosigned":
            note = None if self._cosigned is None else await self._cosigned()
            return _answer(note, "text/plain; charset=utf-8", _FRESH)
        try:
            tile = parse_path(path)
            data = await self._bytes(tile)
        except ExchangeError:
            data = None
        return _answer(data, "application/octet-stream", _FOREVER)

    async def _bytes(self, tile: TileId) -> bytes | None:
        if tile.level != ENTRIES:
            data = await self._store.tile(tile.level, tile.index)
            return None if data is None else narrow(data, tile.level, tile.width)
        published, _ = await self._store.state()
        if tile.index * WIDTH + tile.width > published:
            return None
        entries = await self._store.entries(tile.index * WIDTH, tile.width)
        return encode_entries(list(entries))


def _answer(data: bytes | None, media: str, caching: str) -> web.Response:
    if data is None:
        return web.Response(status=404, headers=_HEADERS)
    return web.Response(body=data, headers={"Content-Type": media, "Cache-Control": caching, **_HEADERS})
