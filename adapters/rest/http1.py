"""A lean HTTP/1.1 client for calls to providers: kept-alive connections, one deadline per call, bytes untouched.

It exists because a general client costs more per call than all of this gateway's cryptography (``bench/README.md``).
No redirects, no cookies, no decompression, no proxies, no environment variables.
"""

import asyncio
import re
import ssl
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from msgspec import Struct, field
from msgspec.structs import force_setattr

from adapters.rest.connection import BodySink, Limits
from adapters.rest.failures import EndUnknownError, NotSentError, UnsendableRequestError
from adapters.rest.pool import Pool
from gateway.model.message import EMPTY, Body, Fields

__all__ = ["BodySink", "Client", "ClientOptions", "Origin", "Response"]

IDEMPOTENT_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
"""RFC 9110 §9.2.2, as far as the exchange carries them."""
_SEND_LENGTH = frozenset({"POST", "PUT", "PATCH"})  # RFC 9110 §8.6: send Content-Length: 0 where content is expected
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110 §5.6.2
_TARGET = re.compile(r"/[\x21-\x7e]*")
_FRAMING = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer", "expect", "keep-alive"}
)
_KNOWN_NAMES_LIMIT = 1024
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Origin(Struct, frozen=True, kw_only=True):
    """Scheme, host and port of a provider. authority: as the Host field names it. Raises ValueError."""

    scheme: str
    host: str
    port: int
    authority: str = field(default="")

    def __post_init__(self) -> None:
        if self.scheme not in _DEFAULT_PORTS or not re.fullmatch(r"[0-9A-Za-z.:_-]+", self.host):
            raise ValueError("an origin is http or https with a host name or address")
        host = f"[{self.host}]" if ":" in self.host else self.host
        default = self.port == _DEFAULT_PORTS[self.scheme]
        force_setattr(self, "authority", host if default else f"{host}:{self.port}")

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"


def split_url(url: str) -> tuple[Origin, str]:
    """Origin and raw path of a configured base URL. Raises ValueError for user information, query or fragment."""
    parts = urlsplit(url)
    if not parts.hostname or parts.username is not None or parts.query or parts.fragment or "?" in url or "#" in url:
        raise ValueError("a base URL is http(s)://host[:port][/path], without user, query or fragment")
    port = parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)
    return Origin(scheme=parts.scheme, host=parts.hostname, port=port), parts.path


class ClientOptions(Struct, frozen=True, kw_only=True):
    """How a provider is called.

    connections: the most at once to an origin. queue: the most calls that may wait for one. connect_seconds: for
    connecting with TLS. idle_seconds: how long an unused connection is kept; less than the provider keeps it.
    head_limit, body_limit: bytes of an answer. spool_over: a body larger than this goes to the sink.
    """

    connections: int = 64
    queue: int = 1024
    connect_seconds: float = 5.0
    idle_seconds: float = 15.0
    head_limit: int = 32 * 1024
    body_limit: int = 64 * 1024 * 1024
    spool_over: int = 1024 * 1024

    def __post_init__(self) -> None:
        if min(self.connections, self.head_limit, self.body_limit, self.spool_over) < 1 or self.queue < 0:
            raise ValueError("limits of a client are positive")
        if self.connect_seconds <= 0 or self.idle_seconds <= 0:
            raise ValueError("time-outs of a client are positive")


class Response(Struct, frozen=True):
    """What came back: status, every field as received, the body's bytes as received."""

    status: int
    fields: Fields
    body: Body


class Client:
    """Calls origins over pooled connections.

    tls: for https origins. open_sink: makes the place for a body over ``spool_over``; without it such bodies stay in
    memory up to ``body_limit``. monotonic: the clock that deadlines are given in.
    """

    def __init__(
        self,
        options: ClientOptions,
        *,
        tls: ssl.SSLContext | None = None,
        open_sink: Callable[[], BodySink] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._options = options
        self._tls = tls
        self._monotonic = monotonic
        self._limits = Limits(
            head=options.head_limit, body=options.body_limit, spool_over=options.spool_over, open_sink=open_sink
        )
        self._pools: dict[Origin, Pool] = {}

    async def request(
        self,
        method: str,
        origin: Origin,
        target: str,
        fields: Fields = (),
        body: Body = EMPTY,
        *,
        deadline: float,
        repeatable: bool = False,
    ) -> Response:
        """Send a request, return its final answer.

        target: raw path with query. fields: without Host and what frames the message. deadline: monotonic seconds.
        repeatable: it may be sent twice; then one that went out on a connection which the provider was just closing
        is sent again on a fresh one, within the same deadline. Raises CallError, UnsendableRequestError.
        """
        head = render_head(method, origin, target, fields, body)
        pool = self._pools.get(origin) or self._pool(origin)
        while True:
            connection = pool.take_idle() or await pool.take(self._left(deadline))
            try:
                seconds = self._left(deadline)
                status, answer_fields, answer_body = await connection.exchange(
                    head, body, without_body=method == "HEAD", seconds=seconds
                )
            except EndUnknownError as error:
                if not (repeatable and error.stale):
                    raise
            else:
                return Response(status, answer_fields, answer_body)
            finally:
                pool.put(connection)

    def _left(self, deadline: float) -> float:
        left = deadline - self._monotonic()
        if left <= 0:
            raise NotSentError("no time was left to call the provider", timed_out=True, busy=True)
        return left

    def _pool(self, origin: Origin) -> Pool:
        tls = None
        if origin.scheme == "https":
            if self._tls is None:
                raise NotSentError("the provider is called over TLS and no TLS context was given")
            tls = self._tls
        options = self._options
        pool = self._pools[origin] = Pool(
            asyncio.get_running_loop(),
            origin.host,
            origin.port,
            tls=tls,
            limits=self._limits,
            connections=options.connections,
            queue=options.queue,
            idle=options.idle_seconds,
            connect=options.connect_seconds,
        )
        return pool

    async def close(self) -> None:
        """Close every connection that is not in use; the others close after their call."""
        for pool in self._pools.values():
            pool.close()
        await asyncio.sleep(0)  # lets aborted transports end


_known_names: set[str] = set()


def render_head(method: str, origin: Origin, target: str, fields: Fields, body: Body) -> bytes:
    """A request's head as bytes. Raises UnsendableRequestError rather than write what could be read in another way."""
    if not _TARGET.fullmatch(target) or not _TOKEN.fullmatch(method):
        raise UnsendableRequestError("the method or target holds characters that HTTP/1.1 does not allow there")
    lines = [f"{method} {target} HTTP/1.1", f"Host: {origin.authority}"]
    for name, value in fields:
        if name not in _known_names:
            _check_name(name)
        lines.append(f"{name}: {value}")
    if body.size or method in _SEND_LENGTH:
        lines.append(f"Content-Length: {body.size}")
    count = len(lines)
    text = "\r\n".join(lines) + "\r\n\r\n"
    if text.count("\r") != count + 1 or text.count("\n") != count + 1 or "\0" in text:  # RFC 9110 §5.5
        raise UnsendableRequestError("a field value holds CR, LF or NUL")
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        raise UnsendableRequestError("a field value holds a character that is not one byte") from None


def _check_name(name: str) -> None:
    if not _TOKEN.fullmatch(name):
        raise UnsendableRequestError("a field name holds characters that HTTP/1.1 does not allow there")
    if name.lower() in _FRAMING:
        raise UnsendableRequestError(f"the field {name} is written by the client itself")
    if len(_known_names) < _KNOWN_NAMES_LIMIT:
        _known_names.add(name)
