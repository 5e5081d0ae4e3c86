"""The HTTP/1.1 server's protocol: aiohttp's, with our answers for what is not HTTP at all.

Framing errors (two Content-Lengths, CL with TE, folded lines, NUL) never reach a handler: they are answered here,
unsigned, saying nothing of what was sent, and the connection is closed.
"""

import asyncio
import sys
from collections.abc import Callable
from typing import Any

from aiohttp import hdrs, web

from gateway.model.errors.gateway import INTERNAL_ERROR
from gateway.model.errors.request import BAD_HEADER
from gateway.server.written import SERVER

FramingRefused = Callable[[str], None]
"""Told the address of a peer whose bytes were not HTTP."""

Failed = Callable[[BaseException], None]
"""Told what our own code raised. It may say where and of which type, never the text: that may quote a message."""

_FAILED = b'{"type":"%s","message":"internal error","detail":""}' % INTERNAL_ERROR.code.encode()
_BODY = b'{"type":"%s","message":"not a well-formed HTTP/1.1 request","detail":""}' % BAD_HEADER.code.encode()


class EdgeProtocol(web.RequestHandler):
    """One connection. client_certificate: the TLS certificate (DER) that the caller showed in the handshake, if any."""

    __slots__ = ("_failed", "_framing_refused", "client_certificate")

    def __init__(
        self, manager: "EdgeServer", *, framing_refused: FramingRefused, failed: Failed, **options: Any
    ) -> None:
        super().__init__(manager, **options)
        self._framing_refused = framing_refused
        self._failed = failed
        self.client_certificate: bytes | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Look once who is there: the handshake is over, and there is no other on this connection."""
        super().connection_made(transport)
        tls = transport.get_extra_info("ssl_object")
        if tls is not None:
            self.client_certificate = tls.getpeercert(binary_form=True)

    def log_exception(self, *_: Any, exc_info: Any = None, **__: Any) -> None:
        """Aiohttp's own way would write the exception's text to the log."""
        error = exc_info if isinstance(exc_info, BaseException) else sys.exception()
        if error is not None:
            self._failed(error)

    def log_debug(self, *_: Any, **__: Any) -> None:
        """As ``log_exception``; and nothing of it is of use."""

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - aiohttp's signature; its message quotes what was sent
    ) -> web.StreamResponse:
        """Answer a request that could not be parsed, or a handler that failed; nothing of the message is repeated."""
        own = status >= 500  # noqa: PLR2004 - a server error
        if own:
            self.log_exception(exc_info=exc)
        else:
            self._framing_refused(request.remote or "")
        response = web.Response(status=status, body=_FAILED if own else _BODY, content_type="application/json")
        response.headers["X-Road-Error"] = INTERNAL_ERROR.code if own else BAD_HEADER.code
        response.headers[hdrs.SERVER] = SERVER
        response.headers[hdrs.CONNECTION] = "close"
        response.force_close()
        return response


class EdgeServer(web.Server):
    """Builds ``EdgeProtocol`` connections. Bodies are never decompressed: they are digested as received."""

    def __init__(
        self, handler: Any, *, framing_refused: FramingRefused, failed: Failed, head_timeout: float, **options: Any
    ) -> None:
        super().__init__(handler)
        self._options = {
            # aiohttp closes a connection that has not sent a whole head this long after connecting, or after the
            # last answer: idle keep-alive and a slowly dripped head are the same thing to it.
            "keepalive_timeout": head_timeout,
            "auto_decompress": False,
            "access_log": None,
            "lingering_time": 0.5,
            **options,
        }
        self._framing_refused = framing_refused
        self._failed = failed

    def _make_request(self, message: Any, *parts: Any) -> web.BaseRequest:
        """Close the connection after a chunked request: of its trailer fields, which nobody signs, aiohttp's parser
        takes the last for a header field of the request that comes next.
        """
        return super()._make_request(message._replace(should_close=True) if message.chunked else message, *parts)

    def __call__(self) -> web.RequestHandler:
        """A protocol for a new connection."""
        return EdgeProtocol(
            self, loop=self._loop, framing_refused=self._framing_refused, failed=self._failed, **self._options
        )
