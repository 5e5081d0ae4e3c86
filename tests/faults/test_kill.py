"""A real process is killed with SIGKILL at each failpoint, and others go on or start again."""

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.model.storage import NonceUsedError
from gateway.storage.sqlite.store import SqliteStore
from tests.faults.test_power_cut import FAILPOINTS
from tests.support.storage import NOW, at, commit, numbers, record_id
from tests.support.victim import heard, start
from tests.support.worlds import Told, check, request


@pytest.mark.parametrize("name", FAILPOINTS)
def test_after_a_kill_all_that_was_said_is_true(name: str, tmp_path: Path) -> None:
    told = Told()
    times = random.Random(name).randint(1, 12)
    victim = start(tmp_path / "motlan.db", 1, name, str(times))
    output, _ = victim.communicate(timeout=30)
    assert victim.returncode == -9, "the failpoint was never reached"
    heard(output, told)
    asyncio.run(check(tmp_path / "motlan.db", told))


def read_until(victim: "object", enough: Callable[[bytes], bool]) -> bytes:
    output = b""
    while not enough(output):
        line = victim.stdout.readline()  # type: ignore[attr-defined]
        assert line
        output += line
    return output


def test_two_processes_share_a_file_and_one_is_killed(tmp_path: Path) -> None:
    """Both work at once; one dies; the other's requests stay its own, and it goes on; then all is as it was said."""
    path = tmp_path / "motlan.db"
    one, two = start(path, 1), start(path, 500_000)
    said_one = read_until(one, lambda output: output.count(b"acknowledged") >= 100)
    said_two = read_until(two, lambda output: output.count(b"acknowledged") >= 100)
    one.kill()
    rest, _ = one.communicate()
    said_one += rest
    told = Told()
    heard(said_one, told)
    asyncio.run(living_and_dead(path))
    said_two += read_until(two, lambda output: output.count(b"acknowledged") >= 50)
    rest, _ = two.communicate()
    assert two.returncode == 0
    heard(said_two + rest, told)
    told.attempted[commit(900_000).row.id] = told.acknowledged[commit(900_000).row.id] = commit(900_000)
    asyncio.run(check(path, told))


async def living_and_dead(path: Path) -> None:
    store = SqliteStore(path)
    try:
        open_now = await store.journal.open_requests(at(10**6))
        there = [*await store.log.by_index(0, 10**6), *await store.log.unsequenced(10**6)]
        ended = {record.row.ends for record in there}
        of_the_dead = [record for record in there if record.row.opens and record.row.id < record_id(500_000)]
        assert set(numbers(open_now)) == set(numbers(r for r in of_the_dead if r.row.id not in ended))
        await store.journal.commit(commit(900_000), NOW)
        for nonce in request(1).nonces:
            with pytest.raises(NonceUsedError):
                await store.journal.commit(commit(900_001, nonces=(nonce,)), at(1))
    finally:
        await store.close()
