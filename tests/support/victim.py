"""A process with a store, to be killed: ``python -m tests.support.victim DATABASE FIRST [FAILPOINT TIMES]``.

It says on standard output what it tries and what was acknowledged, one line each, and kills itself with SIGKILL when
the failpoint was reached so often. Without failpoint it works until its standard input ends.
"""

import asyncio
import os
import signal
import subprocess
import sys
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

from gateway.model import failpoints
from gateway.storage.sqlite import checkpointer
from gateway.storage.sqlite.store import SqliteStore
from tests.support.worlds import Told, answer, request, work

ROOT = Path(__file__).parents[2]


def start(database: Path, first: int, *failpoint: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "tests.support.victim", str(database), str(first), *failpoint]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)


def heard(output: bytes, told: Told) -> None:
    """Take over what a victim said, as far as it came."""
    for line in output.decode().split("\n")[:-1]:
        word, value = line.split(" ")
        if word == "note":
            told.notes.append(b64decode(value))
            continue
        number = int(value)
        made = request(number) if number < 1_000_000 else answer(number - 1_000_000)
        told.attempted[made.row.id] = made
        if word == "acknowledged":
            told.acknowledged[made.row.id] = made


class Saying(Told):
    """Told, that says it."""

    def __init__(self) -> None:
        super().__init__()
        self.attempted = _Lines("tried")  # type: ignore[assignment]
        self.acknowledged = _Lines("acknowledged")  # type: ignore[assignment]
        self.notes = _Notes()  # type: ignore[assignment]


class _Lines:
    def __init__(self, word: str) -> None:
        self._word = word

    def __setitem__(self, name: str, _: Any) -> None:
        os.write(1, f"{self._word} {int(name[-12:], 16)}\n".encode())


class _Notes:
    def append(self, note: bytes) -> None:
        os.write(1, b"note " + b64encode(note) + b"\n")


def main(database: str, first: str, name: str = "", times: str = "1") -> None:
    checkpointer.COPY_PAGES = 12
    left = int(times)

    def hook(reached: str) -> None:
        nonlocal left
        if reached == name:
            left -= 1
            if left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)

    async def run() -> None:
        store = SqliteStore(Path(database))
        os.write(1, b"tried %d\n" % int(first))
        working = asyncio.create_task(work(store, Saying(), first=int(first)))
        working.add_done_callback(lambda task: None if task.cancelled() else os._exit(1))
        if not name:
            await asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.read)
            working.cancel()
        await asyncio.wait([working])
        await store.close()

    failpoints.set_hook(hook)
    asyncio.run(run())


if __name__ == "__main__":
    main(*sys.argv[1:])
