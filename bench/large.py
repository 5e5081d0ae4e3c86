"""An answer of 200 MB: how much more memory the gateway holds while it passes one on."""

import socket
import tempfile
import threading
import time
from pathlib import Path
from typing import Self

import psutil
from msgspec import Struct

from bench.exchange import python
from bench.gateways import rest_gateway, signed
from bench.processes import free_port, resident, running
from tests.support.gateways import ECHO

SIZE = 200_000_000
_TURNS = 3
_PIECE = 1 << 20


class Large(Struct, frozen=True):
    """grown: by how many bytes the resident memory grew at the most. seconds: for one answer, the median. size: of it
    in bytes.
    """

    grown: int
    seconds: float
    size: int


def run() -> Large:
    """Ask for it a few times over, one after the other."""
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        content = folder / "large"
        content.write_bytes(b"\0" * SIZE)
        argv = python("bench.backend", "--port", port, "--body", content, "--content-type", "application/octet-stream")
        server, site = rest_gateway(folder / "gateway", port, body=b"")
        asked = iter(signed(site, ECHO, "/large", b"", method="GET")(_TURNS))
        with running(argv, port), running(server.argv, server.port) as process:
            before = resident(process)
            with Watch(process) as watch:
                seconds = sorted(_download(server.port, request) for request in asked)
    return Large(watch.most - before, seconds[_TURNS // 2], SIZE)


def _download(port: int, request: bytes) -> float:
    """Seconds for one answer, which is thrown away. Raises RuntimeError if it is not the whole."""
    started = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port), 60) as connection:
        connection.sendall(request)
        piece = connection.recv(_PIECE)
        if not piece.startswith(b"HTTP/1.1 200 "):
            raise RuntimeError(f"the large answer was refused: {piece[:200]!r}")
        received = len(piece)
        while received < SIZE and (piece := connection.recv(_PIECE)):
            received += len(piece)
    if received < SIZE:
        raise RuntimeError(f"the large answer ended after {received} bytes")
    return time.perf_counter() - started


class Watch:
    """Notes the most memory that a process holds meanwhile."""

    def __init__(self, process: psutil.Process) -> None:
        self._process = process
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.most = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(0.01):
            self.most = max(self.most, resident(self._process))
