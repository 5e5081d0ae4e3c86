"""A disk that fails as it is told to: an SQLite file layer, on real files, whose writes fail, persist though they are
said to have failed, or stop half-way; for once, until it is mended, or together with the process.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any

import apsw

MODES = ("fails", "fails but persisted", "torn")
SECTOR = 512


class FaultVFS(apsw.VFS):
    """Give its ``name`` to a store as ``vfs``. ``arm`` it before the write that is to fail.

    happened: whether it did. A disk that is dead takes nothing any more, as for a process that was killed: ``left``
    copies what it took until then.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.lock = Lock()
        self.mode: str | None = None
        self.error: Callable[[], Exception] = lambda: apsw.IOError("the disk failed")
        self.lasting = self.deadly = self.dead = self.happened = False
        self.until = 0
        self.suffix = ""
        super().__init__(name, "")

    def arm(
        self, mode: str, error: type[apsw.Error], *, nth: int, lasting: bool, deadly: bool, suffix: str = "-wal"
    ) -> None:
        """Fail the nth write (or the first fsync) of files with this suffix. lasting: and all that follow. deadly: the
        process is gone then.
        """
        with self.lock:
            self.mode, self.error, self.until, self.suffix = mode, lambda: error("injected"), nth, suffix
            self.lasting, self.deadly, self.happened = lasting, deadly, False

    def mend(self) -> None:
        """The disk works again."""
        with self.lock:
            self.mode = None

    def left(self, path: Path, directory: Path) -> Path:
        """What the disk holds of a database, copied to a directory; its path there."""
        directory.mkdir()
        for file in path.parent.glob(f"{path.name}*"):
            if not file.name.endswith(("-shm", ".opening")) and ".owner-" not in file.name:
                shutil.copy(file, directory)
        return directory / path.name

    def xOpen(self, name: Any, flags: list[int]) -> "_File":  # noqa: N802 - SQLite's name
        return _File(self, name, flags)

    def strike(self, name: str, *, sync: bool) -> str | None:
        """Under the lock: what is to happen to a write (or fsync) now."""
        if self.dead:
            return "fails"
        if self.mode is None or not name.endswith(self.suffix) or sync != (self.mode == "fails but persisted"):
            return None
        if not sync:
            self.until -= 1
            if self.until > 0:
                return None
        mode, self.happened = self.mode, True
        if not self.lasting:
            self.mode = None
        return mode


class _File(apsw.VFSFile):
    def __init__(self, vfs: FaultVFS, name: Any, flags: list[int]) -> None:
        super().__init__("", name, flags)
        self.vfs = vfs
        self.path = str(name.filename() if isinstance(name, apsw.URIFilename) else name)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        with self.vfs.lock:
            mode = self.vfs.strike(self.path, sync=False)
            if mode == "torn":
                half = data[: max(SECTOR, len(data) // 2 // SECTOR * SECTOR)][: max(1, len(data) - 1)]
                super().xWrite(half, offset)
            if mode is not None:
                self._fail()
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        if self.vfs.dead:
            raise self.vfs.error()
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:  # noqa: N802
        with self.vfs.lock:
            mode = self.vfs.strike(self.path, sync=True)
            if mode is not None:
                if not self.vfs.dead:
                    super().xSync(flags)
                self._fail()
        super().xSync(flags)

    def _fail(self) -> None:
        self.vfs.dead = self.vfs.dead or self.vfs.deadly
        raise self.vfs.error()
