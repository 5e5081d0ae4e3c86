"""A file that the kernel lets grow no more: what a full disk does, without a layer of ours between SQLite and it."""

import asyncio
import contextlib
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.model.storage import JournalUnavailableError
from gateway.storage.sqlite.store import SqliteStore
from tests.support.faulting_world import World, before, holds, works


@contextlib.contextmanager
def no_file_beyond(size: int) -> Iterator[None]:
    """RLIMIT_FSIZE: a write beyond it fails with EFBIG (Python ignores the signal that comes with it)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("room", [0, 4_000, 20_000, 50_000])
def test_a_file_that_may_not_grow(room: int, tmp_path: Path) -> None:
    path = tmp_path / "motlan.db"

    async def run() -> World:
        world = await before(path, None)
        with no_file_beyond((tmp_path / "motlan.db-wal").stat().st_size + room):
            failed = 0
            for number in range(100, 140):
                try:
                    await works(world, number)
                except JournalUnavailableError:
                    failed += 1
            assert failed > 5
            await world.look()  # what is there can still be read
        await works(world, 200)
        await world.store.close()
        return world

    asyncio.run(holds(path, asyncio.run(run())))


def test_a_database_that_cannot_be_opened_for_writing_is_said_to_be_so(tmp_path: Path) -> None:
    folder = tmp_path / "motlan.db"
    folder.mkdir()
    with pytest.raises(JournalUnavailableError, match=r"cannot open .*motlan\.db"):
        SqliteStore(folder)


def test_a_new_database_on_a_full_disk_leaves_nothing_half_made(tmp_path: Path) -> None:
    path = tmp_path / "motlan.db"
    with no_file_beyond(20_000), pytest.raises(JournalUnavailableError):
        SqliteStore(path)

    async def run() -> World:
        world = await before(path, None)
        await world.store.close()
        return world

    asyncio.run(holds(path, asyncio.run(run())))
    assert path.stat().st_mode & 0o777 == 0o600
