"""A small file that is replaced whole (``gateway.ports.KeptFile``): written beside, synced, renamed."""

import fcntl
import os
from pathlib import Path

from gateway.model import failpoints


class AtomicFile:
    """Held by a lock file beside it until ``close``. Raises BlockingIOError if another process holds it, OSError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise

    def read(self) -> bytes | None:
        """What it holds."""
        try:
            return self._path.read_bytes()
        except FileNotFoundError:
            return None

    def write(self, data: bytes) -> None:
        """Replace it; durable on return. Raises OSError."""
        beside = self._path.with_name(self._path.name + ".new")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            with open(descriptor, "wb", closefd=False) as file:
                file.write(data)
            failpoints.reached("kept_file.written")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        failpoints.reached("kept_file.synced")
        beside.replace(self._path)
        failpoints.reached("kept_file.replaced")
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def close(self) -> None:
        """Let another process have it."""
        os.close(self._lock)
