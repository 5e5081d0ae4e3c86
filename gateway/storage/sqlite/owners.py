"""Which processes that wrote to the file are still alive.

Each holds a lock on a small file named after its number, for as long as it lives; the kernel lets go of it however
the process ends. Clocks and leases have no part in it.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Owners:
    """The processes on one database file; ``claim`` says that this is one of them."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._descriptor: int | None = None
        self.number = 0
        """This process's number, once claimed."""

    def _file(self, number: int) -> Path:
        return self._database.with_name(f"{self._database.name}.owner-{number}")

    def claim(self, number: int) -> None:
        """Be owner ``number``, a number that nobody had before. Clears away the files of the dead."""
        self._descriptor = _locked(self._file(number))
        self.number = number
        for file in self._database.parent.glob(f"{self._database.name}.owner-*"):
            if file != self._file(number):
                _remove_if_free(file)

    @contextmanager
    def opening(self) -> Iterator[None]:
        """One process at a time opens the file: what SQLite does then (a journal mode, a schema) waits for nobody."""
        descriptor = os.open(self._database.with_name(f"{self._database.name}.opening"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def alive(self, number: int) -> bool:
        """Whether the process of that number still runs. This one does."""
        if number == self.number:
            return True
        try:
            descriptor = os.open(self._file(number), os.O_RDONLY)
        except FileNotFoundError:
            return False
        try:
            # Shared, so that two who ask at once do not take each other for the owner.
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def release(self) -> None:
        """This process is done with the file."""
        if self._descriptor is not None:
            self._file(self.number).unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = None


def _locked(file: Path) -> int:
    while True:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            if os.fstat(descriptor).st_ino == file.stat().st_ino:
                return descriptor
        except FileNotFoundError:
            pass
        os.close(descriptor)  # somebody cleared it away between opening and locking


def _remove_if_free(file: Path) -> None:
    try:
        descriptor = os.open(file, os.O_RDWR)
    except FileNotFoundError:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        file.unlink(missing_ok=True)
    except BlockingIOError:
        pass
    finally:
        os.close(descriptor)
