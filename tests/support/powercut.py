"""A disk that loses power: an SQLite file layer that knows what was synchronised and what was not.

Everything is written to real files, so that the program runs as it always does. Beside them the layer keeps what each
file would hold if the power went now: the content at its last fsync, and the writes since, of which a disk keeps none,
some, or parts.
"""

import random
from pathlib import Path
from threading import Lock
from typing import Any

import apsw

SECTOR = 512
WAYS = ("nothing", "some", "torn")
"""What survives of the writes that were not synchronised: none, some of them, or some sectors of them."""


class PowerCutError(BaseException):
    """The power is gone. Not an Exception: no code may carry on as if it were one."""


class _Disk:
    """One file: its durable bytes, and the writes that are not. A write of None is a truncation at its offset."""

    def __init__(self, content: bytes) -> None:
        self.durable = bytearray(content)
        self.pending: list[tuple[int, bytes | None]] = []

    def sync(self) -> None:
        for offset, data in self.pending:
            _put(self.durable, offset, data)
        self.pending.clear()

    def after_the_cut(self, chance: random.Random, way: str) -> bytes:
        content = bytearray(self.durable)
        for offset, data in self.pending:
            if way == "nothing" or (way == "some" and chance.random() < 0.5):
                continue
            if way == "some" or data is None:
                _put(content, offset, data)
                continue
            for start in range(0, len(data), SECTOR):
                if chance.random() < 0.5:
                    _put(content, offset + start, data[start : start + SECTOR])
        return bytes(content)


def _put(content: bytearray, offset: int, data: bytes | None) -> None:
    if data is None:
        del content[offset:]
        return
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data


class PowerCutVFS(apsw.VFS):
    """Give its ``name`` to a store as ``vfs``. Close the store before the layer is unregistered."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lock = Lock()
        self.disks: dict[str, _Disk] = {}
        self.is_cut = False
        self.room: int | None = None
        """Bytes that can still be written before the disk is full."""
        self.failing_syncs = 0
        super().__init__(name, "")

    def cut(self) -> None:
        """The power goes. What the program still writes, until it is stopped, goes nowhere: it counts for nothing."""
        with self.lock:
            self.is_cut = True

    def restore(self, directory: Path, seed: int, way: str) -> Path:
        """Write what the disk holds after the cut to a directory; the database's path there."""
        chance = random.Random(seed)
        paths = []
        for name, disk in sorted(self.disks.items()):
            path = directory / Path(name).name
            path.write_bytes(disk.after_the_cut(chance, way))
            paths.append(path)
        return next(path for path in paths if path.suffix == ".db")

    def xOpen(self, name: Any, flags: list[int]) -> "_File":  # noqa: N802 - SQLite's name
        return _File(self, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        super().xDelete(filename, syncdir)
        with self.lock:
            if not self.is_cut:
                self.disks.pop(filename, None)


class _File(apsw.VFSFile):
    def __init__(self, vfs: PowerCutVFS, name: Any, flags: list[int]) -> None:
        super().__init__("", name, flags)
        self.vfs = vfs
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        with vfs.lock:
            if path not in vfs.disks:
                vfs.disks[path] = _Disk(Path(path).read_bytes())
            self.disk = vfs.disks[path]

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        with self.vfs.lock:
            if self.vfs.room is not None:
                self.vfs.room -= len(data)
                if self.vfs.room < 0:
                    raise apsw.FullError("disk full")
            if not self.vfs.is_cut:
                self.disk.pending.append((offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        with self.vfs.lock:
            if not self.vfs.is_cut:
                self.disk.pending.append((newsize, None))
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:  # noqa: N802
        with self.vfs.lock:
            if self.vfs.failing_syncs:
                self.vfs.failing_syncs -= 1
                raise apsw.IOError("fsync failed")
            if not self.vfs.is_cut:
                self.disk.sync()
