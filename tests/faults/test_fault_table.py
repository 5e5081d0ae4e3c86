"""Each write of log and store × how it fails × what comes with it, each cell on a real file.

``make test`` runs a third of the cells: every write with every circumstance, every write with every way of failing, and
every way with every circumstance; ``make acceptance`` runs the others, so that both together are the whole product.

Writes: a journal commit; the sequencer's (tree, tiles, checkpoint, indexes); saving an epoch; keeping a document; an
attestation; a redaction, struck in its transaction and while the old bytes are wiped; a blob put into the vault (with
a commit), and one forgotten.

How: the write *fails* and nothing of it is on the disk; it *fails but persisted*, since the error comes after the disk
has taken everything (a failing fsync); it is *torn*, a part of a page being on the disk.

With what:

- process killed: nothing is written any more after the fault; what the disk has taken is opened by another process.
- restarted: the process sees the error, ends in order, and another one opens the file.
- disk full, read-only disk: the disk says so, to this write and all that follow, until it is mended. Meanwhile
  exchanges are refused; afterwards the same process goes on by itself.
- clock back one hour: the disk fails once, and the clock is set back; the same process goes on.

After each: no acknowledged record is lost, none stands twice, none of which it was said that it does not stand; nonces
stay used; every checkpoint that anybody saw is extended; requests without an end get one; the whole log verifies, tiles,
records, order, indexes and file; and the write can be done again. Here faults come from a file layer below SQLite.
Real kills (SIGKILL) are in test_kill.py and test_kill_writes.py, lost power in test_power_cut.py, a file that may not
grow (a real full disk) in test_real_disk.py, whole gateways in test_gateway_faults.py.
"""

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

import apsw
import pytest

from gateway.model.instant import MICROSECONDS, Instant
from gateway.model.storage import JournalUnavailableError
from gateway.storage.sqlite import checkpointer, redacting
from gateway.storage.sqlite.store import SqliteStore
from tests.support.faulting import MODES, FaultVFS
from tests.support.faulting_world import ERRORS, LOST, WRITES, World, before, holds, works

CIRCUMSTANCES = ("process killed", "restarted", "disk full", "read-only disk", "clock back one hour")


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpointer, "_RETRY", 0.001)
    monkeypatch.setattr(redacting, "_RETRY", 0.001)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, World]:
    """A database as every cell begins with, and what was said of it."""
    path = tmp_path_factory.mktemp("template") / "motlan.db"

    async def make() -> World:
        world = await before(path, None)
        await world.store.close()
        return world

    return path, asyncio.run(make())


def _cells() -> Iterator[Any]:
    for row, write in enumerate(WRITES):
        for column, circumstance in enumerate(CIRCUMSTANCES):
            for place, mode in enumerate(MODES):
                sampled = (row + column) % len(MODES) == place
                yield pytest.param(write, mode, circumstance, marks=() if sampled else pytest.mark.acceptance)


@pytest.mark.parametrize(("write", "mode", "circumstance"), [*_cells()])
def test_what_was_said_stays_true(
    write: str, mode: str, circumstance: str, tmp_path: Path, template: tuple[Path, World]
) -> None:
    asyncio.run(_cell(write, mode, circumstance, tmp_path, template))


async def _cell(write: str, mode: str, circumstance: str, tmp_path: Path, template: tuple[Path, World]) -> None:
    path = Path(shutil.copy(template[0], tmp_path))
    vfs = FaultVFS(f"fault-{tmp_path.name}")
    world = template[1].copied_to(SqliteStore(path, vfs=vfs.name))
    do, suffix = WRITES[write]
    vfs.arm(
        mode,
        ERRORS.get(circumstance, apsw.IOError),
        nth=1 + crc32(f"{write} {mode} {circumstance}".encode()) % 2,
        lasting=circumstance in ERRORS,
        deadly=circumstance == "process killed",
        suffix=suffix,
    )
    with pytest.raises(JournalUnavailableError):
        await do(world)
    assert vfs.happened
    if circumstance == "process killed":
        path = await _killed(vfs, world, path, tmp_path)
    elif circumstance == "restarted":
        await _restarted(vfs, world, path, write)
    else:
        if circumstance in ERRORS:
            await _refuses(world, vfs, suffix)
            vfs.mend()
        else:
            world.clock.wall = Instant(world.clock.wall - 3600 * MICROSECONDS)
        await works(world, LOST + 2)
        await _again(world, write)
        await world.store.close()
    await holds(path, world)


async def _killed(vfs: FaultVFS, world: World, path: Path, tmp_path: Path) -> Path:
    left = vfs.left(path, tmp_path / "left")
    vfs.mend()
    await world.store.close()
    return left


async def _restarted(vfs: FaultVFS, world: World, path: Path, write: str) -> None:
    vfs.mend()
    await world.store.close()
    store = SqliteStore(path, vfs=vfs.name)
    next_one = world.told_to(store, "two")
    next_one.clock.pass_(60)
    await works(next_one, LOST + 2)
    await _again(next_one, write)
    await store.close()


async def _refuses(world: World, vfs: FaultVFS, suffix: str) -> None:
    """While nothing can be recorded, exchange is refused, and so is each further try."""
    if suffix != "-wal":
        return  # records can still be made durable: only copying them further fails
    for number in (LOST + 10, LOST + 11):
        with pytest.raises(JournalUnavailableError):
            await world.exchange(number)
    await world.look()  # reading goes on


async def _again(world: World, write: str) -> None:
    """The write that failed can be done, by whoever tries again."""
    if write == "vault put":
        return  # the record's number was tried: if it stands, it stands once, and ``holds`` sees to it
    if write not in {"journal commit", "sequencer write"}:
        world.holder += " again"
        await WRITES[write][0](world)
