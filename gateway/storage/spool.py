"""Bodies too large for memory: on disk, but readable by nobody, under no name, and gone with the process.

A spool is an unlinked temporary file of chunks, each sealed with AES-256-GCM under a random key that exists in memory
only. Digests run along while it is written. Hashing, sealing and disk work happen in the loop's thread pool, a chunk
at a time, so that the event loop never waits for them and memory stays flat.
"""

import asyncio
import hashlib
import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.model.errors import ErrorKind, ExchangeError
from gateway.model.errors.gateway import INTERNAL_ERROR
from gateway.model.errors.request import BODY_TOO_LARGE
from gateway.model.message import Body
from gateway.ports import Entropy

CHUNK_BYTES = 256 * 1024
"""Plaintext in one sealed chunk."""
_KEY_BYTES = 32
_NONCE_BYTES = 12
_TAG_BYTES = 16
_STORED_BYTES = CHUNK_BYTES + _TAG_BYTES


class EncryptedSpool:
    """The Spool of a body, as ``SpoolWriter.finish`` makes it. One reader at a time; may be read again."""

    def __init__(self, descriptor: int, cipher: AESGCM, size: int) -> None:
        self._descriptor: int | None = descriptor
        self._cipher = cipher
        self._size = size

    async def chunks(self) -> AsyncIterator[bytes]:
        """The plaintext from the start, in pieces of up to CHUNK_BYTES.

        Raises ExchangeError (INTERNAL_ERROR) if what the disk gives back is not what was written.
        """
        loop = asyncio.get_running_loop()
        for number in range(-(-self._size // CHUNK_BYTES)):
            yield await loop.run_in_executor(None, self._chunk, number)

    def close(self) -> None:
        """Give the space back. May be called more than once."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def __del__(self) -> None:
        self.close()

    def _chunk(self, number: int) -> bytes:
        if self._descriptor is None:
            raise ExchangeError(INTERNAL_ERROR, "a spooled body was given up before it was read")
        expected = min(CHUNK_BYTES, self._size - number * CHUNK_BYTES)
        try:
            stored = os.pread(self._descriptor, expected + _TAG_BYTES, number * _STORED_BYTES)
            return self._cipher.decrypt(_nonce(number), stored, None)
        except (OSError, InvalidTag) as error:
            raise ExchangeError(INTERNAL_ERROR, "a spooled body cannot be read back") from error


class SpoolWriter:
    """Takes a body piece by piece and gives it back as a ``Body`` on disk. For one body; ``discard`` it on any failure.

    directory: where the file lies, on a disk with room. entropy: where the key comes from. limit: most bytes;
    too_large: the kind of error beyond it. Raises ExchangeError (INTERNAL_ERROR) where there is no file to be had.
    """

    def __init__(
        self, directory: Path, entropy: Entropy, *, limit: int | None = None, too_large: ErrorKind = BODY_TOO_LARGE
    ) -> None:
        self._limit = limit
        self._too_large = too_large
        self._cipher = AESGCM(entropy(_KEY_BYTES))
        self._sha256 = hashlib.sha256()
        self._sha512 = hashlib.sha512()
        self._buffer = bytearray()
        self._written = 0
        self._size = 0
        try:
            self._descriptor: int | None = _unlinked_file(directory)
        except OSError as error:
            raise ExchangeError(INTERNAL_ERROR, "a large body cannot be kept on disk") from error

    async def write(self, data: bytes) -> None:
        """Take the next piece. Raises ExchangeError: too_large, or INTERNAL_ERROR for a failing or full disk."""
        self._size += len(data)
        if self._limit is not None and self._size > self._limit:
            raise ExchangeError(self._too_large)
        self._buffer += data
        while len(self._buffer) >= CHUNK_BYTES:
            chunk = bytes(self._buffer[:CHUNK_BYTES])
            del self._buffer[:CHUNK_BYTES]
            await self._seal(chunk)

    async def finish(self) -> Body:
        """The whole body, its digests computed. The writer is done then."""
        if self._buffer:
            chunk = bytes(self._buffer)
            self._buffer.clear()
            await self._seal(chunk)
        if self._descriptor is None:
            raise ExchangeError(INTERNAL_ERROR, "a spooled body was given up before it was complete")
        spool = EncryptedSpool(self._descriptor, self._cipher, self._size)
        self._descriptor = None
        return Body.spooled(spool, size=self._size, sha256=self._sha256.digest(), sha512=self._sha512.digest())

    def discard(self) -> None:
        """Give the space back: the body will not be finished. May be called more than once, and after ``finish``."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def __del__(self) -> None:
        if hasattr(self, "_descriptor"):
            self.discard()

    async def _seal(self, chunk: bytes) -> None:
        if self._descriptor is None:
            raise ExchangeError(INTERNAL_ERROR, "a spooled body was given up before it was complete")
        # A copy of the descriptor: a caller that is cancelled discards this one while the thread still writes.
        descriptor = os.dup(self._descriptor)
        await asyncio.get_running_loop().run_in_executor(None, self._write, descriptor, self._written, chunk)
        self._written += 1

    def _write(self, descriptor: int, number: int, chunk: bytes) -> None:
        try:
            self._sha256.update(chunk)
            self._sha512.update(chunk)
            sealed = memoryview(self._cipher.encrypt(_nonce(number), chunk, None))
            offset = number * _STORED_BYTES
            while sealed:
                written = os.pwrite(descriptor, sealed, offset)
                sealed, offset = sealed[written:], offset + written
        except OSError as error:
            raise ExchangeError(INTERNAL_ERROR, "a large body cannot be kept on disk") from error
        finally:
            os.close(descriptor)


def _nonce(number: int) -> bytes:
    # A key seals one file, so a chunk's number is used once.
    return number.to_bytes(_NONCE_BYTES, "big")


def _unlinked_file(directory: Path) -> int:
    with tempfile.TemporaryFile(dir=directory, buffering=0) as file:
        return os.dup(file.fileno())
