"""The power goes at each named failpoint; what was acknowledged or published must still be true afterwards."""

import asyncio
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import apsw
import pytest

from gateway.exchange.recovery import abandon_open_requests
from gateway.model import failpoints
from gateway.storage.sqlite import checkpointer
from gateway.storage.sqlite.store import SqliteStore
from tests.support.powercut import WAYS, PowerCutError, PowerCutVFS
from tests.support.storage import NOW, at
from tests.support.worlds import Told, abandoned, check, request, until_it_ends, work

SEEDS = range(20)
FAILPOINTS = (
    "journal.begun",
    "journal.checked",
    "journal.written",
    "journal.committed",
    "log.writing",
    "log.written",
    "log.committed",
    "wal.checkpointing",
    "wal.checkpointed",
    "sequencer.read",
    "sequencer.appended",
    "sequencer.signed",
    "sequencer.published",
)


@pytest.fixture(autouse=True)
def _ends_with_the_test(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Failpoints do nothing afterwards; and the log is copied often, so that the cut meets it."""
    monkeypatch.setattr(checkpointer, "COPY_PAGES", 12)
    yield
    failpoints.set_hook(None)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("empty") / "motlan.db"

    async def make() -> None:
        await SqliteStore(path).close()

    asyncio.run(make())
    return path


def cutting(vfs: PowerCutVFS, name: str, times: int) -> Callable[[str], None]:
    left = times

    def hook(reached: str) -> None:
        nonlocal left
        if reached == name:
            left -= 1
            if left <= 0:
                vfs.cut()
        if vfs.is_cut:
            raise PowerCutError

    return hook


async def until_the_power_goes(store: SqliteStore, vfs: PowerCutVFS, told: Told) -> None:
    try:
        await until_it_ends(lambda: work(store, told))
    except* PowerCutError:
        pass
    assert vfs.is_cut, "the failpoint was never reached"
    await store.close()


@pytest.mark.parametrize("name", FAILPOINTS)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_nothing_that_was_said_becomes_untrue(name: str, empty: Path, tmp_path: Path) -> None:
    for seed in SEEDS:
        chance = random.Random(f"{name} {seed}")
        before, after = tmp_path / f"{seed}-before", tmp_path / f"{seed}-after"
        before.mkdir()
        after.mkdir()
        shutil.copy(empty, before)
        vfs = PowerCutVFS(f"cut-{name}-{seed}")
        store = SqliteStore(before / empty.name, vfs=vfs.name)
        told = Told()
        told.is_over = lambda vfs=vfs: vfs.is_cut
        failpoints.set_hook(cutting(vfs, name, chance.randint(1, 12)))
        asyncio.run(until_the_power_goes(store, vfs, told))
        failpoints.set_hook(None)
        path = vfs.restore(after, seed, WAYS[seed % len(WAYS)])
        asyncio.run(check(path, told))


@pytest.mark.parametrize("name", ["recovery.found", "recovery.abandoned"])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_recovery_that_is_cut_off_is_finished_by_the_next(name: str, empty: Path, tmp_path: Path) -> None:
    async def world(store: SqliteStore, told: Told, vfs: PowerCutVFS) -> None:
        for number in range(1, 11):
            made = request(number)
            told.attempted[made.row.id] = told.acknowledged[made.row.id] = made
            await store.journal.commit(made, NOW)
        for record in await store.journal.open_requests(at(1)):
            told.attempted[abandoned(record).row.id] = abandoned(record)
        with suppress(PowerCutError):
            await abandon_open_requests(store.journal, abandoned, at(1), NOW)
        assert vfs.is_cut
        await store.close()

    for seed in SEEDS:
        before, after = tmp_path / f"{seed}-before", tmp_path / f"{seed}-after"
        before.mkdir()
        after.mkdir()
        shutil.copy(empty, before)
        vfs = PowerCutVFS(f"cut-{name}-{seed}")
        told = Told()
        failpoints.set_hook(cutting(vfs, name, 1 + seed % 8 if name == "recovery.abandoned" else 1))
        asyncio.run(world(SqliteStore(before / empty.name, vfs=vfs.name), told, vfs))
        failpoints.set_hook(None)
        asyncio.run(check(vfs.restore(after, seed, WAYS[seed % len(WAYS)]), told))


def test_the_disk_forgets_what_was_not_synchronised(tmp_path: Path) -> None:
    """The shim itself: without fsync, a commit is lost with the power; with it, it is not."""
    for synchronous, expected in (("OFF", 0), ("FULL", 5)):
        vfs = PowerCutVFS(f"shim-{synchronous}")
        (tmp_path / synchronous).mkdir()
        connection = apsw.Connection(str(tmp_path / f"{synchronous}.db"), vfs=vfs.name)
        connection.pragma("journal_mode", "WAL")
        connection.execute("CREATE TABLE t (x); PRAGMA wal_checkpoint(TRUNCATE)")
        connection.pragma("synchronous", synchronous)
        for number in range(5):
            connection.execute("INSERT INTO t VALUES (?)", (number,))
        vfs.cut()
        left = apsw.Connection(str(vfs.restore(tmp_path / synchronous, 1, "nothing")))
        assert left.execute("SELECT count(*) FROM t").get == expected
        left.close()
        connection.close(force=True)
