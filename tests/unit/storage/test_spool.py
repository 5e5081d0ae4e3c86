import asyncio
import errno
import gc
import hashlib
import os
import resource
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model.errors import ExchangeError
from gateway.model.errors.gateway import INTERNAL_ERROR
from gateway.model.errors.request import BODY_TOO_LARGE, HEADER_TOO_LARGE
from gateway.model.message import Body
from gateway.storage.spool import CHUNK_BYTES, SpoolWriter

MEBIBYTE = 2**20


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def is_empty(directory: Path) -> bool:
    return not list(directory.iterdir())


async def spooled(directory: Path, pieces: list[bytes]) -> Body:
    writer = SpoolWriter(directory, os.urandom)
    for piece in pieces:
        await writer.write(piece)
    return await writer.finish()


async def content(body: Body) -> bytes:
    assert body.spool is not None
    return b"".join([chunk async for chunk in body.spool.chunks()])


@settings(max_examples=30, deadline=None)
@given(
    sizes=st.lists(
        st.sampled_from([0, 1, 1000, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES]), max_size=5
    )
)
def test_what_goes_in_comes_out_with_its_digests(tmp_path_factory: pytest.TempPathFactory, sizes: list[int]) -> None:
    pieces = [os.urandom(size) for size in sizes]
    whole = b"".join(pieces)

    async def there_and_back() -> None:
        body = await spooled(tmp_path_factory.getbasetemp(), pieces)
        assert (body.data, body.size) == (None, len(whole))
        assert body.sha256 == hashlib.sha256(whole).digest()
        assert body.sha512 == hashlib.sha512(whole).digest()
        assert await content(body) == whole
        assert await content(body) == whole
        body.close()
        body.close()

    asyncio.run(there_and_back())


@pytest.mark.asyncio
async def test_the_directory_stays_empty_and_the_disk_sees_no_plaintext(tmp_path: Path) -> None:
    secret = b"Nguyen Thi Anh 031090001234 " * 20_000
    body = await spooled(tmp_path, [secret])
    assert is_empty(tmp_path)
    descriptor = body.spool._descriptor  # type: ignore[union-attr]
    raw = os.pread(descriptor, 2 * len(secret), 0)
    assert len(raw) >= len(secret)
    assert b"031090001234" not in raw
    body.close()


@pytest.mark.asyncio
async def test_a_chunk_altered_cut_off_or_moved_on_disk_is_noticed(tmp_path: Path) -> None:
    def flip(descriptor: int) -> None:
        os.pwrite(descriptor, bytes([os.pread(descriptor, 1, 300_000)[0] ^ 1]), 300_000)

    def swap(descriptor: int) -> None:
        size = CHUNK_BYTES + 16
        first, second = os.pread(descriptor, size, 0), os.pread(descriptor, size, size)
        os.pwrite(descriptor, second + first, 0)

    harms: list[Callable[[int], None]] = [flip, swap, lambda descriptor: os.truncate(descriptor, 2 * CHUNK_BYTES)]
    for harm in harms:
        body = await spooled(tmp_path, [os.urandom(3 * CHUNK_BYTES)])
        harm(body.spool._descriptor)  # type: ignore[union-attr]
        with pytest.raises(ExchangeError) as error:
            await content(body)
        assert error.value.kind is INTERNAL_ERROR
        body.close()


@pytest.mark.asyncio
async def test_the_limit_is_kept_by_what_arrives(tmp_path: Path) -> None:
    writer = SpoolWriter(tmp_path, os.urandom, limit=1000)
    await writer.write(bytes(1000))
    with pytest.raises(ExchangeError) as error:
        await writer.write(b"1")
    assert error.value.kind is BODY_TOO_LARGE
    writer.discard()
    with pytest.raises(ExchangeError) as error:
        await SpoolWriter(tmp_path, os.urandom, limit=1, too_large=HEADER_TOO_LARGE).write(bytes(2))
    assert error.value.kind is HEADER_TOO_LARGE


@pytest.mark.asyncio
async def test_a_full_disk_is_told_and_gives_its_space_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "no space")

    gc.collect()
    before = open_files()
    writer = SpoolWriter(tmp_path, os.urandom)
    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(ExchangeError) as error:
        await writer.write(bytes(CHUNK_BYTES))
    assert error.value.kind is INTERNAL_ERROR
    writer.discard()
    writer.discard()
    assert open_files() == before
    with pytest.raises(ExchangeError):
        SpoolWriter(tmp_path / "missing", os.urandom)


@pytest.mark.asyncio
async def test_what_was_given_up_cannot_be_used(tmp_path: Path) -> None:
    writer = SpoolWriter(tmp_path, os.urandom)
    writer.discard()
    with pytest.raises(ExchangeError):
        await writer.write(bytes(CHUNK_BYTES))
    with pytest.raises(ExchangeError):
        await writer.finish()
    body = await spooled(tmp_path, [b"x"])
    body.close()
    with pytest.raises(ExchangeError):
        await content(body)


@pytest.mark.asyncio
async def test_memory_stays_flat(tmp_path: Path) -> None:
    writer = SpoolWriter(tmp_path, os.urandom)
    piece = bytes(64 * 1024)
    await writer.write(piece)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(96 * MEBIBYTE // len(piece)):
        await writer.write(piece)
    body = await writer.finish()
    assert body.spool is not None
    size = 0
    async for chunk in body.spool.chunks():
        size += len(chunk)
    assert size == body.size
    body.close()
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < 16 * MEBIBYTE
