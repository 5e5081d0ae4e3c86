"""HTTP/1.1 by hand: messages as they go on the wire, and connections byte by byte."""

import json
import socket
import ssl
import time
from contextlib import suppress
from typing import Any, Self

from msgspec import Struct
from msgspec.structs import replace

from gateway.model.errors import ExchangeError
from gateway.model.message import AnswerHead, Fields, Head
from gateway.signing.components import MemberTexts
from gateway.signing.http_sig import parse_signature
from gateway.signing.http_sig_sign import SentRequest, Signed
from gateway.signing.target import public_url

SECONDS = 10.0
CHUNKED: Fields = (("Transfer-Encoding", "chunked"),)


class Message(Struct, frozen=True, kw_only=True):
    """A request as it goes on the wire. url: scheme and authority that were signed."""

    head: Head
    body: bytes
    url: str

    def encode(self, *, framing: Fields | None = None) -> bytes:
        """The bytes; framing: instead of Content-Length."""
        lines = [f"{self.head.method} {self.head.target} HTTP/1.1"]
        if framing is None:
            framing = (("Content-Length", str(len(self.body))),) if self.body else ()
        lines += [f"{name}: {value}" for name, value in (*self.head.fields, *framing)]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + self.body

    def having(self, *added: tuple[str, str], body: bytes | None = None, **changed: str | None) -> "Message":
        """The same signature with other fields (names with ``_`` for ``-``; None removes) or another body."""
        names = {name.replace("_", "-").lower(): value for name, value in changed.items()}
        fields = [
            (name, value) if name.lower() not in names else (name, names[name.lower()])
            for name, value in self.head.fields
        ]
        present = {name.lower() for name, _ in self.head.fields}
        fields += [(name, value) for name, value in names.items() if name not in present]
        kept = tuple((name, value) for name, value in fields if value is not None)
        head = Head(method=self.head.method, target=self.head.target, fields=(*kept, *added))
        return replace(self, head=head, body=self.body if body is None else body)

    def at(self, target: str | None = None, method: str | None = None) -> "Message":
        """The same signature with another target or method."""
        head = Head(method=method or self.head.method, target=target or self.head.target, fields=self.head.fields)
        return replace(self, head=head)

    @property
    def sent(self) -> SentRequest:
        """As a client remembers what it sent."""
        try:
            members = parse_signature(self.head).members
        except ExchangeError:
            members = MemberTexts("none", "", "")
        signed = Signed(fields=(), base=b"", signature=b"", members=members)
        return SentRequest(head=self.head, url=public_url(self.url), signed=signed)


class Response(Struct, frozen=True, kw_only=True):
    """An answer off the wire."""

    head: AnswerHead
    body: bytes

    @property
    def status(self) -> int:
        return self.head.status

    @property
    def code(self) -> str | None:
        return self.head.get("x-road-error")

    def json(self) -> Any:
        return json.loads(self.body)


class Wire:
    """A connection, byte by byte."""

    def __init__(self, port: int, seconds: float = SECONDS, source: str = "127.0.0.1") -> None:
        self._socket: socket.socket = socket.create_connection(("127.0.0.1", port), seconds, (source, 0))
        self._buffer = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def secure(self, context: ssl.SSLContext) -> None:
        """Begin TLS. Raises ssl.SSLError."""
        self._socket = context.wrap_socket(self._socket, server_hostname="localhost")

    def impatient(self, seconds: float) -> None:
        """Wait only so long from now on; then TimeoutError."""
        self._socket.settimeout(seconds)

    def some(self) -> bytes:
        """What is there. Raises ConnectionError at the end."""
        self._more()
        data, self._buffer = self._buffer, b""
        return data

    def half_close(self) -> None:
        """Say that nothing more will be sent."""
        self._socket.shutdown(socket.SHUT_WR)

    def answer(self, method: str = "POST") -> Response:
        """The next answer. Raises ConnectionError if the connection ends before it."""
        while b"\r\n\r\n" not in self._buffer:
            self._more()
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        status_line, *lines = head.decode("latin-1").split("\r\n")
        fields = tuple((name, value) for name, _, value in (line.partition(": ") for line in lines))
        answer_head = AnswerHead(status=int(status_line.split(" ")[1]), fields=fields)
        if answer_head.status == 100:
            return Response(head=answer_head, body=b"")
        length = 0 if method == "HEAD" else int(answer_head.get("content-length") or 0)
        while len(self._buffer) < length:
            self._more()
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        return Response(head=answer_head, body=body)

    def rest(self) -> bytes:
        """Everything until the gateway closes the connection."""
        try:
            while True:
                self._more()
        except ConnectionError:
            rest, self._buffer = self._buffer, b""
            return rest

    def _more(self) -> None:
        data = self._socket.recv(65536)
        if not data:
            raise ConnectionError("the gateway closed the connection")
        self._buffer += data


def head_of(message: Message, framing: Fields = CHUNKED) -> bytes:
    """The head alone, framed so."""
    encoded = message.encode(framing=framing)
    return encoded[: len(encoded) - len(message.body)]


def send_all(wire: Wire, data: bytes) -> None:
    """Send as much as the gateway takes before it closes."""
    with suppress(ConnectionError):
        wire.send(data)


def drip(wire: Wire, piece: bytes, most: float = 8.0) -> tuple[float, bytes]:
    """Send a little twenty times a second until the gateway closes: after how many seconds, and what it said."""
    start, said = time.monotonic(), b""
    wire.impatient(0.05)
    while time.monotonic() - start < most:
        try:
            wire.send(piece)
            said += wire.some()
        except TimeoutError:
            continue
        except ConnectionError:
            break
    return time.monotonic() - start, said
