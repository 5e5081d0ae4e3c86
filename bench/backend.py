"""A provider that costs next to nothing: parses with httptools and answers every request with the same bytes."""

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import cast

import httptools
import uvloop

ANSWER = json.dumps(
    {
        "insurance_number": "0123456789",
        "card": {"number": "DN4010123456789", "valid_from": "2026-01-01", "valid_to": "2026-12-31"},
        "history": [{"month": f"2026-{month:02}", "employer": "H37.DN.001", "paid": True} for month in range(1, 13)],
        "note": "Người tham gia bảo hiểm xã hội tại thành phố Hải Phòng " * 3,
    },
    ensure_ascii=False,
).encode()
"""About 1 KB of JSON."""


class Provider(asyncio.Protocol):
    """One keep-alive connection."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._parser = httptools.HttpRequestParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        self._transport.write(self._answer)


def _answer(body: bytes, content_type: str) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode("ascii") + body


async def _serve(port: int, answer: bytes) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: Provider(answer), "127.0.0.1", port, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main() -> None:
    """Serve until killed; prints the port."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--port", type=int, default=0)
    options.add_argument("--body", type=Path, help="file that holds the answer's body")
    options.add_argument("--content-type", default="application/json")
    given = options.parse_args()
    body = given.body.read_bytes() if given.body else ANSWER
    uvloop.run(_serve(given.port, _answer(body, given.content_type)))


if __name__ == "__main__":
    sys.exit(main())
