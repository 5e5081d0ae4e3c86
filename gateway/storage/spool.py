"""Bodies too large for memory: an unlinked temporary file, encrypted under a key that exists in memory only.

Nobody can open the file by name, and what is left of it on the disk is noise once the process ends. Digests run along,
so the record and the signature can be made before the first byte is released.
"""

import asyncio
import hashlib
import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from gateway.model.message import Body
from gateway.ports import Entropy

CHUNK = 256 * 1024
"""Bytes that are encrypted and written, or read back, at once."""

_KEY_BYTES = 32
_COUNTER = bytes(16)  # a key encrypts one file, so the counter may start at zero


class SpoolFullError(Exception):
    """The body is larger than it may be, or the disk is full. What was written is gone."""


class SpoolWriter:
    """Takes a body piece by piece and becomes a ``Body``; or is aborted, and leaves nothing.

    folder: where the file lies; None: the system's. limit: most bytes.
    """

    def __init__(self, folder: Path | None, *, limit: int, entropy: Entropy) -> None:
        self._limit = limit
        self._key = entropy(_KEY_BYTES)
        self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 - lives as long as the body
        self._encryptor = Cipher(AES(self._key), CTR(_COUNTER)).encryptor()
        self._sha256, self._sha512 = hashlib.sha256(), hashlib.sha512()
        self._waiting: list[bytes] = []
        self._waiting_size = 0
        self._size = 0

    async def write(self, data: bytes) -> None:
        """The next piece. Raises SpoolFullError."""
        self._size += len(data)
        if self._size > self._limit:
            self.abort()
            raise SpoolFullError
        self._waiting.append(data)
        self._waiting_size += len(data)
        if self._waiting_size >= CHUNK:
            await asyncio.to_thread(self._flush)

    def finish(self) -> Body:
        """The whole body. Raises SpoolFullError. Called once, after the last piece."""
        self._flush()
        spool = _Spool(self._file, self._key, self._size)
        return Body.spooled(spool, size=self._size, sha256=self._sha256.digest(), sha512=self._sha512.digest())

    def abort(self) -> None:
        """Give the space back."""
        self._file.close()

    def _flush(self) -> None:
        data = b"".join(self._waiting)
        self._waiting, self._waiting_size = [], 0
        self._sha256.update(data)
        self._sha512.update(data)
        sealed = memoryview(self._encryptor.update(data))
        try:
            while sealed:
                sealed = sealed[self._file.write(sealed) or 0 :]
        except (OSError, ValueError):  # ValueError: aborted meanwhile
            self.abort()
            raise SpoolFullError from None


class _Spool:
    """Reads a finished spool back (``gateway.model.message.Spool``)."""

    def __init__(self, file: IO[bytes], key: bytes, size: int) -> None:
        self._file = file
        self._key = key
        self._size = size

    async def chunks(self) -> AsyncIterator[bytes]:
        """The plaintext, from the start."""
        decryptor = Cipher(AES(self._key), CTR(_COUNTER)).decryptor()
        descriptor = self._file.fileno()
        for start in range(0, self._size, CHUNK):
            sealed = await asyncio.to_thread(os.pread, descriptor, min(CHUNK, self._size - start), start)
            yield decryptor.update(sealed)

    def close(self) -> None:
        """Give the space back."""
        self._file.close()
