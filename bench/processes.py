"""Processes of the bench: started on chosen cores, waited for, their CPU time read, stopped."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]
PIN = (
    "import os, sys; cores = {int(core) for core in sys.argv[1].split(',') if core};"
    "hasattr(os, 'sched_setaffinity') and cores and os.sched_setaffinity(0, cores);"
    "os.execvp(sys.argv[2], sys.argv[2:])"
)
"""Pins before the program starts, so that every thread it makes inherits the cores."""


def cores() -> list[int]:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def split_cores(workers: int) -> tuple[list[int], list[int]]:
    """(cores of a server with so many workers, cores of all others); nothing is pinned where they do not suffice."""
    usable = cores()
    return (usable[:workers], usable[workers:]) if len(usable) > workers else (usable, usable)


def pinned(argv: Sequence[str], on: Sequence[int]) -> list[str]:
    """The command, to be started on these cores only."""
    return [sys.executable, "-c", PIN, ",".join(map(str, on)), *argv]


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def running(
    argv: Sequence[str], port: int, *, on: Sequence[int] = (), seconds: float = 30.0
) -> Iterator[psutil.Process]:
    """Start a server, wait until its port answers, stop it and its children at the end."""
    process = subprocess.Popen(pinned(argv, on), cwd=ROOT, start_new_session=True, stdout=subprocess.DEVNULL)
    try:
        _wait(process, port, seconds)
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, 15)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.wait()


def _wait(process: "subprocess.Popen[bytes]", port: int, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
            return
        time.sleep(0.05)
    raise RuntimeError(f"nothing listens on port {port} after {seconds} s")


def cpu_seconds(process: psutil.Process) -> float:
    """User and system time of a process and its children so far."""
    family = [process, *process.children(recursive=True)]
    times = [member.cpu_times() for member in family]
    return float(sum(spent.user + spent.system for spent in times))


def resident(process: psutil.Process) -> int:
    """Resident bytes of a process and its children."""
    return int(sum(member.memory_info().rss for member in [process, *process.children(recursive=True)]))
