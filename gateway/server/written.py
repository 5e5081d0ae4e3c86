"""An answer that is in memory, written to its connection in one piece."""

import time
from email.utils import formatdate
from functools import lru_cache

from aiohttp import HttpVersion11, web

from gateway.model.stages import Answer

SERVER = "motlan"
"""What the gateway calls itself: no versions for those who look for known holes."""

_WITHOUT_CONTENT = frozenset({204, 304})  # RFC 9110 §6.4.1
_FIRST_FINAL = 200
_WRITTEN_HERE = frozenset({"connection", "content-length", "keep-alive", "server", "transfer-encoding"})


class WrittenAnswer(web.StreamResponse):
    """Head and body in one write. aiohttp's own response copies the fields into a multi-dictionary, looks at each for
    compression, cookies and chunks, which no answer of ours has, and serialises it again.
    """

    def __init__(self, answer: Answer, data: bytes, *, close: bool) -> None:
        super().__init__(status=answer.head.status)
        self._fields = answer.head.fields
        self._data = data
        self._close = close

    @staticmethod
    def fits(request: web.BaseRequest, status: int) -> bool:
        """Whether an answer to this request has a head and a body in the usual way."""
        return (
            request.version == HttpVersion11
            and request.method != "HEAD"
            and status >= _FIRST_FINAL
            and status not in _WITHOUT_CONTENT
        )

    async def prepare(self, request: web.BaseRequest) -> None:
        """Write all of it; aiohttp calls this once. Raises ConnectionError if the peer is gone."""
        self._req = request
        self._keep_alive = request.keep_alive and not self._close
        transport = request.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the peer is gone")
        transport.write(self._head() + self._data)
        self._body_length = len(self._data)
        self._eof_sent = True

    async def write_eof(self, _: bytes = b"") -> None:
        """Nothing is left to write: wait until the peer has read enough."""
        if self._req is not None:
            await self._req.writer.drain()

    def _head(self) -> bytes:
        lines = [f"HTTP/1.1 {self.status} {self.reason}"]
        names = set()
        for name, value in self._fields:
            lower = name.lower()
            if lower not in _WRITTEN_HERE:
                names.add(lower)
                lines.append(f"{name}: {value}")
        if "date" not in names:
            lines.append(_date(int(time.time())))
        if self._data and "content-type" not in names:
            lines.append("Content-Type: application/octet-stream")  # RFC 9110 §8.3
        lines.append(f"Server: {SERVER}\r\nContent-Length: {len(self._data)}")
        if not self._keep_alive:
            lines.append("Connection: close")
        text = "\r\n".join(lines)
        if text.count("\r") != len(lines) or text.count("\n") != len(lines) or "\0" in text:
            raise ValueError("a field of an answer holds CR, LF or NUL")
        return f"{text}\r\n\r\n".encode("latin-1")


@lru_cache(maxsize=1)
def _date(seconds: int) -> str:
    return f"Date: {formatdate(seconds, usegmt=True)}"
