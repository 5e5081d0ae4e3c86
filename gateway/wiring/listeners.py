"""The listening sockets: callers' and operator's."""

import asyncio
import ssl

from cryptography.hazmat.primitives.serialization import Encoding
from msgspec import Struct

from gateway.config.load import Settings
from gateway.config.settings import ClientCertificates
from gateway.keys.tls import server_context
from gateway.model.errors import ExchangeError
from gateway.model.errors.exchange import PORT_UNAVAILABLE
from gateway.server.app import Handler
from gateway.server.protocol import EdgeServer, Failed, FramingRefused
from gateway.trust.store import TrustStore

_BACKLOG = 1024


class Listening:
    """One listener that is up. url: where it is reached on this machine."""

    def __init__(self, server: asyncio.Server, protocol: EdgeServer, url: str) -> None:
        self._server = server
        self._protocol = protocol
        self.url = url

    async def stop(self, seconds: float) -> None:
        """Take no new connections, let those with an exchange under way finish, close the rest."""
        self._server.close()
        self._protocol.pre_shutdown()
        await self._protocol.shutdown(seconds)
        await self._server.wait_closed()


class Opening(Struct, frozen=True, kw_only=True):
    """What a listener is opened with. shared: several processes listen on the port together."""

    host: str
    port: int
    handler: Handler
    framing_refused: FramingRefused
    failed: Failed
    head_seconds: float
    max_field: int = 8190
    max_headers: int = 128
    tls: ssl.SSLContext | None = None
    shared: bool = False


async def listen(opening: Opening) -> Listening:
    """Open a listener. Raises ExchangeError(PORT_UNAVAILABLE)."""
    protocol = EdgeServer(
        opening.handler,
        framing_refused=opening.framing_refused,
        failed=opening.failed,
        head_timeout=opening.head_seconds,
        max_line_size=opening.max_field,
        max_field_size=opening.max_field,
        max_headers=opening.max_headers,
    )
    try:
        server = await asyncio.get_running_loop().create_server(
            protocol,
            opening.host,
            opening.port,
            ssl=opening.tls,
            ssl_handshake_timeout=None if opening.tls is None else opening.head_seconds,
            backlog=_BACKLOG,
            reuse_port=opening.shared or None,
        )
    except OSError as error:
        detail = f"{opening.host}:{opening.port}: {error.strerror or 'cannot be used'}"
        raise ExchangeError(PORT_UNAVAILABLE, detail) from None
    port = server.sockets[0].getsockname()[1]
    scheme = "http" if opening.tls is None else "https"
    return Listening(server, protocol, f"{scheme}://{_authority(opening.host, port)}")


def _authority(host: str, port: int) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - named to be replaced, not listened on
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def public_tls(settings: Settings, trust: TrustStore) -> ssl.SSLContext | None:
    """The callers' listener's TLS; None for plain HTTP on loopback."""
    tls = settings.listener.tls
    if tls is None:
        return None
    asked = settings.listener.client_certificates
    authorities = (
        None if asked is ClientCertificates.NONE else [each.public_bytes(Encoding.DER) for each in trust.authorities()]
    )
    required = asked is ClientCertificates.REQUIRED
    return server_context(tls.certificate, tls.key, authorities, require_client_certificate=required)
