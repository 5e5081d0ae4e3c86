"""The folder of a second copy: laid out as the log's own files are, so that any web server can serve it.

::

    checkpoint           the newest that was copied whole      checkpoint.cosigned   with witnesses' cosignatures
    tile/…               as below the log's URL
    checkpoints/DAY/N    every checkpoint that was copied      forked/N              one that excludes our copy
    .copy/target         the checkpoint that is being copied   .copy/verified        entries that are safely on disk
"""

import os
from contextlib import suppress
from pathlib import Path

from gateway.cli.output import stop
from gateway.ledger.tiles import WIDTH

_SAFE_EVERY = 512
"""Files that are written before they are made safe, and the mark moves on."""


class CopyFolder:
    """One process uses it at a time. Raises click.ClickException if another does, or it holds something else."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        if folder.is_dir() and any(folder.iterdir()) and not (folder / ".copy").is_dir():
            raise stop(
                f"{folder} holds something else than a copy of a log; choose another folder",
                f"{folder} đang chứa dữ liệu khác, không phải bản sao nhật ký; hãy chọn thư mục khác",
            )
        (folder / ".copy").mkdir(parents=True, exist_ok=True)
        self._lock = os.open(folder / ".copy/lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            _hold(self._lock)
        except OSError:
            os.close(self._lock)
            raise stop(
                f"another  motlan log mirror  is at work in {folder}",
                f"một tiến trình  motlan log mirror  khác đang chạy trong {folder}",
            ) from None
        self._unsafe: list[Path] = []

    def fetch(self, path: str) -> bytes:
        """A file of the copy, as verifiers take it. Raises FileNotFoundError."""
        return (self._folder / path).read_bytes()

    def has(self, path: str) -> bytes | None:
        """A small file, if it is there."""
        try:
            return self.fetch(path)
        except FileNotFoundError:
            return None

    @property
    def verified(self) -> int:
        """Entries that were verified and are safely on disk: whole tiles."""
        mark = self.has(".copy/verified") or b"0"
        return int(mark) if mark.isdigit() else 0

    def keep(self, path: str, data: bytes) -> None:
        """Write a verified file; safe after ``reached``."""
        file = self._folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        _replace(file, data)
        self._unsafe.append(file)

    def reached(self, entries: int, *, end: bool = False) -> None:
        """So many entries are written. Every now and then, and at the ``end``, they are made safe and marked."""
        if len(self._unsafe) < _SAFE_EVERY and not end:
            return
        for file in self._unsafe:
            _sync(file)
        for folder in {file.parent for file in self._unsafe}:
            _sync_folder(folder)
        self._unsafe.clear()
        self.put(".copy/verified", b"%d" % (entries // WIDTH * WIDTH))

    def put(self, path: str, data: bytes) -> None:
        """Replace a small file, safely."""
        file = self._folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        _replace(file, data)
        _sync(file)
        _sync_folder(file.parent)

    def forget(self, path: str) -> None:
        """Remove a file that a wider one has replaced."""
        (self._folder / path).unlink(missing_ok=True)
        parent = (self._folder / path).parent
        if parent.name.endswith(".p") and not any(parent.iterdir()):
            parent.rmdir()

    def close(self) -> None:
        """Let another process use it."""
        os.close(self._lock)


def _hold(descriptor: int) -> None:
    with suppress(ModuleNotFoundError):  # Windows: whoever copies twice at once copies the same bytes
        import fcntl  # noqa: PLC0415 - not there on Windows

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _replace(file: Path, data: bytes) -> None:
    beside = file.with_name(f".{file.name}.new")
    beside.write_bytes(data)
    beside.replace(file)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder(path: Path) -> None:
    with suppress(PermissionError):  # Windows opens no folders
        _sync(path)
