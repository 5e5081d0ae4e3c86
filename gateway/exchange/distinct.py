"""How many different values there are, counted in bounded memory."""

import tempfile
from collections.abc import Iterable
from hashlib import blake2b
from types import TracebackType
from typing import IO, Self

_MOST = 1_000_000
_BYTES = 16
_PARTS = 256


class Distinct:
    """A set that is only counted. Beyond ``most`` values it goes to a file without a name, as keyed digests: what is on
    the disk tells nobody anything. key: random, used for this count only. Close it.
    """

    def __init__(self, key: bytes, *, most: int = _MOST) -> None:
        self._key = key
        self._most = most
        self._held: set[int | str] = set()
        self._file: IO[bytes] | None = None
        self._places: list[list[tuple[int, int]]] = [[] for _ in range(_PARTS)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, values: Iterable[int | str]) -> None:
        """Count these too. Raises OSError where the disk is full."""
        self._held.update(values)
        if len(self._held) > self._most:
            self._spill()

    def count(self) -> int:
        """How many different ones there were."""
        if self._file is None:
            return len(self._held)
        self._spill()
        return sum(len(self._part(part)) for part in range(_PARTS))

    def _spill(self) -> None:
        parts: list[list[bytes]] = [[] for _ in range(_PARTS)]
        for value in self._held:
            digest = blake2b(repr(value).encode(), key=self._key, digest_size=_BYTES).digest()
            parts[digest[0]].append(digest)
        self._held = set()
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with this object
        for part, digests in enumerate(parts):
            if digests:
                self._places[part].append((self._file.seek(0, 2), len(digests) * _BYTES))
                self._file.write(b"".join(digests))

    def _part(self, part: int) -> set[bytes]:
        assert self._file is not None
        found: set[bytes] = set()
        for start, size in self._places[part]:
            self._file.seek(start)
            data = self._file.read(size)
            found.update([data[place : place + _BYTES] for place in range(0, size, _BYTES)])
        return found
