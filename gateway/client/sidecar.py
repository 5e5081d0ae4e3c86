"""The sidecar: plain HTTP and SOAP in from programs of the same machine, signed calls out, answers believed only after
their signature. The key stays at the agency.

It listens on loopback only. Whatever runs on the machine may call through it, so it refuses what a web page in a
browser could send: another Host than its own address, anything with Origin or Sec-Fetch-Site.
"""

import asyncio
import ipaddress
import json
from collections.abc import Callable
from typing import Final, Protocol

import aiohttp
from aiohttp import web

from gateway.client.session import Answer, Client
from gateway.client.sidecar_settings import Settings
from gateway.model.errors import ExchangeError
from gateway.model.errors import request as kinds
from gateway.model.errors.gateway import INTERNAL_ERROR
from gateway.model.errors.sidecar import GATEWAY_UNREACHABLE, SIDECAR_LOCAL_ONLY
from gateway.model.forwarding import forwarded
from gateway.model.ids import ServiceId, SubsystemId, encode, parse_service, parse_subsystem
from gateway.model.message import Body, Fields, Head
from gateway.ports import Outbound
from gateway.signing.sf import purpose_item
from gateway.signing.target import split_url

_METHODS: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
_AT_ONCE: Final = 32
_SERVICE_PARTS: Final = 5
_OURS: Final = frozenset({"accept-encoding", "content-digest", "cookie", "authorization", "x-road-client"})
"""Not passed on from the local program: ours to say, or nobody's business but the program's."""
_NOT_BACK: Final = frozenset({"date", "motlan-jws", "set-cookie", "signature", "signature-input"})
"""Not passed back: signatures of a request that the local program never saw, and what belongs to one connection."""
_OF_BROWSERS: Final = ("origin", "sec-fetch-site", "referer")


class Soap(Protocol):
    """Takes SOAP requests."""

    async def __call__(self, head: Head, body: Body) -> web.Response:
        """The answer to a message."""

    def fault(self, head: Head, error: ExchangeError) -> web.Response:
        """An error of the sidecar's own as such a caller reads it."""


def check_loopback(host: str) -> str:
    """The address to listen on. Raises ValueError for anything but loopback: what comes in here is not proved."""
    address = "127.0.0.1" if host == "localhost" else host
    if not ipaddress.ip_address(address).is_loopback:
        raise ValueError("a sidecar listens on loopback only (127.0.0.1 or ::1): whoever reaches it may call")
    return address


class Sidecar:
    """Answers local requests with the gateway's verified answers. soap: takes SOAP; None: REST only. failed: told
    what our own code raised; it may say of which type, never the text, which may quote a message.
    """

    def __init__(
        self,
        client: Client,
        settings: Settings,
        *,
        soap: Soap | None = None,
        failed: Callable[[BaseException], None] = lambda _: None,
    ) -> None:
        self._failed = failed
        self._client = client
        self._settings = settings
        self._soap = soap
        self._free = asyncio.Semaphore(_AT_ONCE)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """One request, from whoever is on this machine."""
        head = _head(request)
        soap = self._soap if is_soap(head) else None
        try:
            _check_local(request)
            async with self._free:
                body = Body(await self._body(request))
                if soap is not None:
                    return await soap(head, body)
                return passed_back(await self._exchange(head, body))
        except ExchangeError as caught:
            error = caught
        except (aiohttp.ClientError, TimeoutError):
            error = ExchangeError(GATEWAY_UNREACHABLE)
        except Exception as caught:  # noqa: BLE001 - the server's own way would log its text
            self._failed(caught)
            error = ExchangeError(INTERNAL_ERROR)
        return self.problem(error) if soap is None else soap.fault(head, error)

    async def _body(self, request: web.BaseRequest) -> bytes:
        limit = self._settings.limit
        pieces, size = [], 0
        if (request.content_length or 0) > limit:
            raise ExchangeError(kinds.BODY_TOO_LARGE, f"a body may have {limit} bytes")
        if request.headers.get("expect", "").lower() == "100-continue":  # .NET waits for it with every POST
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            request.writer.output_size = 0
        async for piece in request.content.iter_any():
            size += len(piece)
            if size > limit:
                raise ExchangeError(kinds.BODY_TOO_LARGE, f"a body may have {limit} bytes")
            pieces.append(piece)
        return b"".join(pieces)

    async def _exchange(self, head: Head, body: Body) -> Answer:
        if head.method not in _METHODS:
            raise ExchangeError(kinds.INVALID_HTTP_METHOD, "a method of the r1 protocol is needed")
        service = _service(head)
        if service is None and self._settings.needs_service:
            raise ExchangeError(kinds.NOT_FOUND, "the gateway's own paths need the scheme http-sig")
        named = head.get("x-road-client")
        if named is not None and _subsystem(named) != self._settings.subsystem:
            raise ExchangeError(kinds.INCONSISTENT_HEADERS, "X-Road-Client is not whom this sidecar signs for")
        url = self._settings.gateway.rstrip("/") + head.target
        plain = Outbound(method=head.method, url=url, fields=self._fields(head, body), body=body)
        return await self._client.exchange(plain, service=service)

    def _fields(self, head: Head, body: Body) -> Fields:
        kept = tuple(pair for pair in forwarded(head) if pair[0].lower() not in _OURS)
        added: list[tuple[str, str]] = [("X-Road-Client", encode(self._settings.subsystem))]
        if self._settings.purpose is not None and "motlan-purpose" not in head.index:
            added.append(("Motlan-Purpose", purpose_item(self._settings.purpose)))
        if self._settings.officer is not None and "x-road-userid" not in head.index:
            added.append(("X-Road-UserId", self._settings.officer))
        if body.size and "content-type" not in head.index:
            added.append(("Content-Type", "application/octet-stream"))
        return (*kept, *added)

    def problem(self, error: ExchangeError) -> web.Response:
        """An error of the sidecar's own as problem details (RFC 9457), in the gateway's words."""
        kind, wanted = error.kind, self._settings.language
        document = {
            "type": "about:blank",
            "title": kind.title.in_language(wanted),
            "status": kind.status,
            "detail": error.detail,
            "code": kind.code,
            "fault": kind.fault.value,
            "retryable": kind.retryable,
            "next": kind.next.in_language(wanted),
        }
        headers = {"X-Road-Error": kind.code, "Content-Type": "application/problem+json"}
        content = json.dumps(document, ensure_ascii=False).encode()
        return web.Response(status=kind.status, headers=headers, body=content)


def check_gateway(url: str) -> str:
    """The gateway's URL. Raises ValueError unless it is https, or http on this very machine."""
    public, target = split_url(url.rstrip("/"))
    if target != "/":
        raise ValueError("the gateway's URL has no path")
    if public.scheme != "https" and public.authority.partition(":")[0] not in {"127.0.0.1", "localhost"}:
        raise ValueError("the gateway's URL begins with https://: what is sent there is personal data")
    return public.origin


def is_soap(head: Head) -> bool:
    """Whether it is for the gateway's SOAP edge."""
    return head.method == "POST" and (head.path in {"/", "/soap"} or head.path.startswith("/soap/"))


def passed_back(answer: Answer) -> web.Response:
    """A verified answer without what only the gateway's connection and signature needed."""
    response = web.Response(status=answer.status, body=answer.body.data or None)
    fields = forwarded(Head(method="-", target="/", fields=answer.head.fields))
    for name, value in fields:
        if name.lower() not in _NOT_BACK:
            response.headers.add(name, value)
    for name in ("motlan-receipt", "x-road-request-id", "x-road-request-hash"):
        for value in answer.head.all(name):
            response.headers[name] = value
    return response


def _head(request: web.BaseRequest) -> Head:
    fields = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.raw_headers)
    return Head(method=request.method, target=request.raw_path, fields=fields)


def _check_local(request: web.BaseRequest) -> None:
    """Refuse what a web page could send from a browser on this machine, whatever name it reached us by."""
    if any(name in request.headers for name in _OF_BROWSERS):
        raise ExchangeError(SIDECAR_LOCAL_ONLY, "it comes from a web page")
    host = request.headers.get("host", "")
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    if name.strip("[]").lower() == "localhost":
        return
    try:
        local = ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        local = False
    if not local:
        raise ExchangeError(SIDECAR_LOCAL_ONLY, "Host is not a loopback address")


def _service(head: Head) -> ServiceId | None:
    if head.path.startswith("/v1/"):
        return None
    if not head.path.startswith("/r1/"):
        raise ExchangeError(kinds.NOT_FOUND, "services are under /r1/, the gateway's own under /v1/, SOAP is at /soap")
    parts = head.path.removeprefix("/r1/").split("/", _SERVICE_PARTS)
    try:
        return parse_service("/".join(parts[:_SERVICE_PARTS]))
    except ValueError:
        detail = "the path must name instance/class/member/subsystem/service"
        raise ExchangeError(kinds.TARGET_REFUSED, detail) from None


def _subsystem(text: str) -> SubsystemId | None:
    try:
        return parse_subsystem(text)
    except ValueError:
        return None
