"""The generator: N keep-alive connections send requests made beforehand, each once, and time every answer.

A process of its own, on raw asyncio with a parser for nothing but what is measured, so that it is never the bottleneck
(the harness measures its ceiling against the backend). Reads a file of length-prefixed requests, prints one JSON line.
"""

import argparse
import asyncio
import contextlib
import json
import struct
import sys
import time
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, cast

import uvloop

LENGTH = struct.Struct("!I")
PATIENCE = 10.0
"""Seconds after the end in which an answer may still come; what has not come by then is not waited for."""


def write_requests(file: BinaryIO, requests: Iterable[bytes]) -> int:
    """Write requests as ``load`` reads them; how many."""
    count = 0
    for request in requests:
        file.write(LENGTH.pack(len(request)) + request)
        count += 1
    return count


def read_requests(content: bytes) -> list[bytes]:
    """The requests of a file's content."""
    found, at = [], 0
    while at < len(content):
        (length,) = LENGTH.unpack_from(content, at)
        found.append(content[at + LENGTH.size : at + LENGTH.size + length])
        at += LENGTH.size + length
    return found


class Run:
    """What all connections share. Answers that come before ``counted_from`` warm everything up and are not counted."""

    def __init__(self, requests: list[bytes], *, repeat: bool) -> None:
        self._requests = requests
        self._repeat = repeat
        self._next: Iterator[bytes] = iter(requests)
        self.total = 0
        self.latencies = array("d")
        self.statuses: Counter[str] = Counter()
        self.lost = 0
        self.bytes = 0
        self.counted_from = self.stop_at = float("inf")
        self.last_answer = 0.0

    def take(self) -> bytes | None:
        """The next request; None when it is time to stop."""
        if time.perf_counter() >= self.stop_at:
            return None
        request = next(self._next, None)
        if request is None and self._repeat:
            self._next = iter(self._requests)
            request = next(self._next)
        return request

    def answered(self, status: str, sent_at: float) -> None:
        """Count an answer."""
        now = time.perf_counter()
        self.total += 1
        self.statuses[status] += 1
        if now >= self.counted_from:
            self.latencies.append(now - sent_at)
            self.last_answer = now


class Connection(asyncio.Protocol):
    """One request at a time; an answer's body is counted, not kept."""

    def __init__(self, run: Run, done: asyncio.Future[None]) -> None:
        self._run = run
        self._done = done
        self._head = b""
        self._left = -1
        self._status = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def _send(self) -> None:
        request = self._run.take()
        self._sent_at = time.perf_counter()
        if request is None:
            self._sent_at = 0.0
            self._transport.close()
        else:
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._run.bytes += len(data)
        if self._left < 0:
            data = self._head + data
            end = data.find(b"\r\n\r\n")
            if end < 0:
                self._head = data
                return
            self._head = b""
            self._status = data[9:12].decode("ascii")
            self._left = _content_length(data[:end]) + end + 4
        self._left -= len(data)
        if self._left <= 0:
            self._left = -1
            self._run.answered(self._status, self._sent_at)
            self._send()

    def connection_lost(self, _: Exception | None) -> None:
        if self._sent_at:
            self._run.lost += 1
        if not self._done.done():
            self._done.set_result(None)


def _content_length(head: bytes) -> int:
    lower = head.lower()
    at = lower.find(b"\r\ncontent-length:")
    if at < 0:
        raise ValueError("an answer without Content-Length")
    return int(lower[at + 17 :].split(b"\r\n", 1)[0])


async def _connection(run: Run, host: str, port: int) -> None:
    """One connection after another until there is nothing to send: a server may close one at any time."""
    loop = asyncio.get_running_loop()
    while time.perf_counter() < run.stop_at:
        done = loop.create_future()
        before = run.total
        await loop.create_connection(lambda done=done: Connection(run, done), host, port)
        await done
        if run.total == before:
            return


async def _generate(run: Run, given: argparse.Namespace) -> None:
    run.counted_from = time.perf_counter() + given.warm_up
    run.stop_at = run.counted_from + given.seconds
    connections = (_connection(run, given.host, given.port) for _ in range(given.connections))
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.gather(*connections), given.warm_up + given.seconds + PATIENCE)


def _result(run: Run) -> dict[str, object]:
    latencies = sorted(run.latencies)
    seconds = max(run.last_answer - run.counted_from, 1e-9)
    count = len(latencies)
    return {
        "total": run.total,
        "counted": count,
        "seconds": seconds,
        "rate": count / seconds,
        "p50": latencies[count // 2] if count else None,
        "p99": latencies[min(count - 1, count * 99 // 100)] if count else None,
        "statuses": dict(run.statuses),
        "lost": run.lost,
        "bytes": run.bytes,
    }


def main() -> None:
    """Run once and print the result as JSON."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--host", default="127.0.0.1")
    options.add_argument("--port", type=int, required=True)
    options.add_argument("--requests", type=Path, required=True)
    options.add_argument("--connections", type=int, default=32)
    options.add_argument("--seconds", type=float, default=3.0)
    options.add_argument("--warm-up", type=float, default=0.5)
    options.add_argument("--repeat", action="store_true", help="start over when the requests are used up")
    given = options.parse_args()
    run = Run(read_requests(given.requests.read_bytes()), repeat=given.repeat)
    uvloop.run(_generate(run, given))
    print(json.dumps(_result(run)))


if __name__ == "__main__":
    sys.exit(main())
