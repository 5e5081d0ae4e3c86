"""What is answered where: exchanges, the gateway's own services, the public log; and the operator's own listener."""

from collections.abc import Awaitable, Callable, Collection, Mapping

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest

from gateway.ports import Codec
from gateway.server.edge import Edge
from gateway.server.publiclog import PREFIX as LOG_PREFIX
from gateway.server.publiclog import PublicLog

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
Ready = Callable[[], str | None]
"""Why exchanges cannot be taken now; None if they can."""


class PublicApp:
    """The callers' listener. pages: documents by exact path (``/openapi.json`` …): content type and bytes. lists: what
    is written for everybody by exact path (``/listClients``). soap: the codec of ``/soap``, ``/soap/…``, ``POST /``.
    """

    def __init__(
        self,
        edge: Edge,
        codec: Codec,
        log: PublicLog,
        *,
        own: Collection[str],
        pages: dict[str, tuple[str, bytes]],
        lists: Mapping[str, Handler] | None = None,
        soap: Codec | None = None,
    ) -> None:
        self._edge = edge
        self._codec = codec
        self._log = log
        self._own = frozenset(own)
        self._pages = pages
        self._lists = dict(lists or {})
        self._soap = soap

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Route by the raw path; whatever is no document is an exchange, and refused there if it is none."""
        path = request.raw_path.partition("?")[0]
        if not path.startswith("/r1/") and path not in self._own:
            if path.startswith(LOG_PREFIX):
                return await self._log.handle(request)
            page = self._pages.get(path)
            if page is not None and request.method in {"GET", "HEAD"}:
                return web.Response(body=page[1], headers={"Content-Type": page[0], "Cache-Control": "no-cache"})
            listed = self._lists.get(path)
            if listed is not None and request.method in {"GET", "HEAD"}:
                return await listed(request)
            if self._soap is not None and is_soap(request.method, path):
                return await self._edge.handle(request, self._soap)
        return await self._edge.handle(request, self._codec)


def is_soap(method: str, path: str) -> bool:
    """Whether a request is a SOAP exchange. path: raw; in absolute form where the client takes us for a proxy, as those
    of X-Road do with the address that their WSDLs have (``http://example.org/xroad-endpoint``).
    """
    if not path.startswith("/"):
        _, _, rest = path.partition("://")
        path = "/" + rest.partition("/")[2]
        return method == "POST" and not path.startswith(("/r1/", "/v1/"))
    return path == "/soap" or path.startswith("/soap/") or (path == "/" and method == "POST")


class AdminApp:
    """The operator's listener: health, readiness, metrics. Nothing on it concerns a person."""

    def __init__(self, registry: CollectorRegistry, ready: Ready) -> None:
        self._registry = registry
        self._ready = ready

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """``/healthz``, ``/readyz``, ``/metrics``."""
        match request.raw_path.partition("?")[0]:
            case "/healthz":
                return web.Response(text="ok\n")
            case "/readyz":
                reason = self._ready()
                return web.Response(text="ready\n" if reason is None else f"{reason}\n", status=503 if reason else 200)
            case "/metrics":
                return web.Response(
                    body=generate_latest(self._registry), headers={"Content-Type": "text/plain; version=0.0.4"}
                )
            case _:
                return web.Response(status=404)
