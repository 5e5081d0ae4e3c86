"""A real process is killed with SIGKILL in the middle of each write of log and store, and others go on.

``make test`` kills each write once, ``make acceptance`` at each of its failpoints. Kills under load are in test_kill.py.
"""

import asyncio
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gateway.storage.sqlite.store import SqliteStore
from tests.support.faulting_world import LOST, WRITES, World, before, exchange, holds, record_id, with_all, works
from tests.support.storage import NOW
from tests.support.victim import ROOT

JOB = ("journal.begun", "job.written", "job.committed")
COMMIT = ("journal.begun", "journal.checked", "journal.written", "journal.committed")
WIPED = (*JOB, "wal.scrubbing")
FAILPOINTS: dict[str, tuple[str, ...]] = {
    "journal commit": COMMIT,
    "sequencer write": (*JOB, "log.writing", "log.written", "log.committed", "sequencer.signed", "sequencer.published"),
    "epoch save": JOB,
    "document keep": JOB,
    "attest": JOB,
    "redact": (*WIPED, "log.redacting"),
    "vault put": COMMIT,
    "vault destroy": WIPED,
}


def cells() -> list[Any]:
    found = []
    for row, (write, names) in enumerate(FAILPOINTS.items()):
        for column, name in enumerate(names):
            sampled = column == (row + 1) % len(names)
            found.append(pytest.param(write, name, marks=() if sampled else pytest.mark.acceptance))
    return found


def test_every_write_is_killed() -> None:
    assert FAILPOINTS.keys() == {write.partition(",")[0] for write in WRITES}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, World]:
    path = tmp_path_factory.mktemp("template") / "motlan.db"

    async def make() -> World:
        world = await before(path, None)
        await world.store.close()
        return world

    return path, asyncio.run(make())


@pytest.mark.parametrize(("write", "name"), cells())
def test_a_process_killed_in_a_write_leaves_nothing_untrue(
    write: str, name: str, tmp_path: Path, template: tuple[Path, World]
) -> None:
    path = Path(shutil.copy(template[0], tmp_path))
    command = [sys.executable, "-m", "tests.support.victim_writes", str(path), write, name]
    ended = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, timeout=60)
    assert ended.returncode == -9, ended.stderr
    asyncio.run(_after(path, template[1], write))


async def _after(path: Path, told: World, write: str) -> None:
    store = SqliteStore(path)
    world = told.copied_to(store)
    world.redacted.add(record_id(4))
    asked = with_all(exchange(LOST)[0], LOST)
    world.attempted[asked.row.id] = asked  # nobody was told that it is recorded; it may be
    if write == "vault put":
        there = await store.log.record(record_id(990))
        assert (there is None) == (await store.vault.get("big", NOW) is None), "a record without its blob, or so"
        if there is not None:
            world.attempted[record_id(990)] = type(asked)(row=there.row)
    await works(world, LOST + 5)
    await store.close()
    await holds(path, world)
