"""A gateway as operators run it: ``motlan serve`` in a process of its own, to be signalled, measured and killed."""

import asyncio
import contextlib
import json
import queue
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvloop
from msgspec import Struct

from adapters.simulators import pki
from gateway.keys.file import load_private_key
from tests.support.attacks import Message, Response, Wire, World
from tests.support.exchanges import Provider, make_office
from tests.support.gateways import Site

ROOT = Path(__file__).parents[2]
_SECONDS = 20.0


class Process:
    """One ``motlan serve``. pid: for psutil."""

    def __init__(self, site: Site) -> None:
        command = [sys.executable, "-m", "gateway.cli", "serve", "--config", str(site.config)]
        self._process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
        self._lines: queue.Queue[dict[str, Any]] = queue.Queue()
        self.pid = self._process.pid
        self.said: list[str] = []
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self.said.append(line)
            with contextlib.suppress(ValueError):
                self._lines.put(json.loads(line))
        self._lines.put({"event": "ended"})

    def until(self, event: str) -> dict[str, Any]:
        """Wait for its log to say something."""
        while True:
            line = self._lines.get(timeout=_SECONDS)
            if line.get("event", "").startswith(event):
                return line
            assert line.get("event") != "ended", self.said

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait(self) -> int:
        return self._process.wait(timeout=_SECONDS)

    def kill(self) -> None:
        """SIGKILL, now."""
        self._process.kill()
        self._process.wait()


@contextmanager
def serving(site: Site) -> Iterator[Process]:
    """The site's gateway in its own process, up; killed at the end if it still runs."""
    process = Process(site)
    try:
        process.until("serving")
        yield process
    finally:
        process.kill()


@contextmanager
def outside(folder: Path, **site: Any) -> Iterator[World]:
    """A provider and a configured site without a gateway: start one with ``serving(world.site)``."""
    loop = uvloop.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    provider = Provider()

    def run(work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result(_SECONDS)

    try:
        run(provider.start())
        yield World(make_office(folder, provider.url, **site), provider, loop)
        run(provider.stop())
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


class Acknowledged(Struct):
    """A message, and the answer that its caller got; None if the connection ended before it."""

    message: Message
    response: Response | None = None


class Load:
    """Callers that send one signed request after the other, each on its kept-alive connection, until it breaks."""

    def __init__(self, world: World, callers: int = 8, **message: Any) -> None:
        self.calls: list[Acknowledged] = []
        self._enough = threading.Event()
        self._wanted = 0
        self._stop = threading.Event()
        self._message = message
        self._threads = [threading.Thread(target=self._call, args=(world,)) for _ in range(callers)]
        for thread in self._threads:
            thread.start()

    def _call(self, world: World) -> None:
        with contextlib.suppress(ConnectionError, socket.timeout), world.connect() as wire:
            while not self._stop.is_set():
                call = Acknowledged(message=world.message(**self._message))
                self.calls.append(call)
                wire.send(call.message.encode())
                call.response = wire.answer()
                if len(self.answered) >= self._wanted:
                    self._enough.set()

    @property
    def answered(self) -> list[Acknowledged]:
        return [call for call in self.calls if call.response is not None]

    def until(self, count: int) -> None:
        """Until so many calls are answered."""
        self._enough.clear()
        self._wanted = count
        assert self._enough.wait(_SECONDS)

    def stop(self) -> list[Acknowledged]:
        """Let the callers end; all their calls."""
        self._stop.set()
        for thread in self._threads:
            thread.join(_SECONDS)
        return self.calls


def publish(site: Site, **changed: Any) -> None:
    """Publish the trust list again with other members; the old file is replaced whole."""
    draft = site.folder / "pki/trust/draft.json"
    document = json.loads(draft.read_bytes()) | changed
    keys = [load_private_key(path) for path in site.pki.signers[: pki.SIGNERS_REQUIRED]]
    payload = json.dumps(document, ensure_ascii=False).encode()
    new = site.pki.trust_list.with_suffix(".new")
    new.write_bytes(pki._signed(payload, keys))
    new.replace(site.pki.trust_list)


__all__ = ["Load", "Process", "Wire", "outside", "publish", "serving"]
