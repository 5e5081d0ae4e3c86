import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from msgspec.structs import replace

from adapters.simulators.wire import Answer, Received
from gateway.exchange.witnessing import (
    UNCOSIGNED,
    WITNESS_AHEAD,
    WITNESS_FAILED,
    WITNESS_FORK,
    Witnessing,
    WitnessPace,
    cosigned_checkpoint,
)
from gateway.ledger.checkpoint import open_checkpoint
from gateway.ledger.cosignature_policy import Group, Witness, WitnessPolicy
from gateway.ledger.note import KeyType, VerifierKey
from gateway.ledger.witness import SIZE_TYPE, cosignature
from gateway.model import failpoints
from gateway.model.errors import ExchangeError
from gateway.model.errors.attesting import WITNESS_STATE_UNUSABLE
from gateway.model.instant import to_seconds
from gateway.ports import WitnessClient
from gateway.storage.memory import MemoryStore
from tests.support.attesting import Seen, answering, http_witness, witness
from tests.support.ledger import ORIGIN, signing_key
from tests.support.storage import LOG_KEY, NOW, TestClock, commit, sequencer, verified

pytestmark = pytest.mark.asyncio

LOGS = {ORIGIN: (LOG_KEY,)}
PACE = WitnessPace(every=10, idle=60, alarm=120)


class KilledError(Exception):
    """Stands for the end of the process."""


class World:
    """A log that grows when told, and its witnesses."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.clock = TestClock()
        self.seen = Seen()
        self.one = sequencer(self.store, clock=self.clock)
        self.size = 0

    async def grow(self, size: int, *, start: int = 1) -> None:
        numbers = range(start + self.size, start + size)
        await asyncio.gather(*(self.store.journal.commit(commit(number), NOW) for number in numbers))
        while await self.one.step():
            pass
        self.size = size

    def witnessing(self, policy: WitnessPolicy, clients: dict[str, WitnessClient], **pace: Any) -> Witnessing:
        return Witnessing(
            self.store.log,
            self.clock,
            self.seen,
            keys=LOG_KEY,
            policy=policy,
            clients=clients,
            pace=replace(PACE, **pace),
        )

    async def cosigned(self, policy: WitnessPolicy) -> tuple[int, set[VerifierKey]]:
        """What an outsider gets, verified."""
        note = await cosigned_checkpoint(self.store.log, LOG_KEY, policy)()
        if note is None:
            return -1, set()
        signed = open_checkpoint(note, LOG_KEY, witnesses=policy.keys)
        return signed.checkpoint.size, {each.key for each in signed.cosignatures}


@pytest_asyncio.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    yield made
    failpoints.set_hook(None)
    await made.store.close()


def one_of(key: VerifierKey, name: str = "w") -> WitnessPolicy:
    return WitnessPolicy(witnesses=(Witness(name, key),), quorum=name)


async def test_a_growing_log_is_cosigned_and_an_outsider_verifies_it(world: World, tmp_path: Path) -> None:
    async with witness(tmp_path, "w", LOGS, world.clock) as running:
        policy = one_of(running.key)
        asking = world.witnessing(policy, {"w": http_witness(running.url)})
        for size in (0, 1, 2, 255, 256, 257, 700):
            await world.grow(size)
            world.clock.pass_(61)
            await asking.step()
            assert asking.cosigned == size
            assert await world.cosigned(policy) == (size, {running.key})
        assert running.cosigner.seen[ORIGIN].size == 700
        await asking.close()
    assert world.seen.alarms == []


async def test_it_is_asked_no_oftener_than_told_and_also_when_nothing_grows(world: World, tmp_path: Path) -> None:
    async with witness(tmp_path, "w", LOGS, world.clock) as running:
        asked = []

        class Counting:
            inner = http_witness(running.url)

            async def add_checkpoint(self, body: bytes) -> Any:
                asked.append(world.clock.monotonic())
                return await self.inner.add_checkpoint(body)

            async def close(self) -> None:
                await self.inner.close()

        asking = world.witnessing(one_of(running.key), {"w": Counting()})
        for second in range(150):
            if second < 50:
                await world.grow(second + 1)
            await asking.step()
            world.clock.pass_(1)
        await asking.close()
    starts = [round(at - asked[0]) for at in asked]
    assert starts == [0, 10, 20, 30, 40, 50, 110]


async def test_a_quorum_counts_and_a_dead_witness_is_an_alarm_of_its_own(world: World, tmp_path: Path) -> None:
    async with witness(tmp_path, "a", LOGS, world.clock) as a, witness(tmp_path, "b", LOGS, world.clock) as b:
        dead, _ = signing_key("dead", "witness.example/dead", KeyType.COSIGNATURE)
        policy = WitnessPolicy(
            witnesses=(Witness("a", a.key), Witness("b", b.key), Witness("c", dead)),
            groups={"g": Group(2, ("a", "b", "c"))},
            quorum="g",
        )
        clients = {"a": http_witness(a.url), "b": http_witness(b.url), "c": http_witness("http://127.0.0.1:9")}
        asking = world.witnessing(policy, dict(clients))
        await world.grow(5)
        await asking.step()
        assert asking.cosigned == 5
        assert await world.cosigned(policy) == (5, {a.key, b.key})
        assert world.seen.codes == [WITNESS_FAILED]
        await asking.close()
        # With one more dead, the older one stays the newest that is cosigned enough, and after a while it is an alarm.
        asking = world.witnessing(policy, {"a": http_witness(a.url), "c": clients["c"]})
        await world.grow(9)
        for _ in range(14):
            world.clock.pass_(10)
            await asking.step()
        assert asking.cosigned == -1
        assert await world.cosigned(policy) == (5, {a.key, b.key})
        assert UNCOSIGNED in world.seen.codes
        await asking.close()
    assert await verified(world.store.log) == 9


async def test_a_restarted_gateway_goes_on_from_what_it_kept(world: World, tmp_path: Path) -> None:
    async with witness(tmp_path, "w", LOGS, world.clock) as running:
        policy = one_of(running.key)
        await world.grow(7)
        first = world.witnessing(policy, {"w": http_witness(running.url)})
        await first.step()
        await first.close()
        await world.grow(11)
        bodies: list[bytes] = []
        inner = http_witness(running.url)

        class Watching:
            async def add_checkpoint(self, body: bytes) -> Any:
                bodies.append(body)
                return await inner.add_checkpoint(body)

            async def close(self) -> None:
                await inner.close()

        second = world.witnessing(policy, {"w": Watching()})
        await second.step()
        assert [body.partition(b"\n")[0] for body in bodies] == [b"old 7"]
        await second.close()
    assert world.seen.alarms == []


async def test_a_gateway_killed_between_the_cosignature_and_keeping_it(world: World, tmp_path: Path) -> None:
    async with witness(tmp_path, "w", LOGS, world.clock) as running:
        policy = one_of(running.key)
        await world.grow(7)

        def die(name: str) -> None:
            if name == "witnessing.answered":
                raise KilledError

        failpoints.set_hook(die)
        asking = world.witnessing(policy, {"w": http_witness(running.url)})
        with pytest.raises(KilledError):
            await asking.step()
        await asking.close()
        failpoints.set_hook(None)
        assert running.cosigner.seen[ORIGIN].size == 7
        await world.grow(9)
        asking = world.witnessing(policy, {"w": http_witness(running.url)})
        await asking.step()
        assert await world.cosigned(policy) == (9, {running.key})
        await asking.close()
    assert world.seen.alarms == []


@pytest.mark.parametrize("place", ["kept_file.written", "kept_file.synced", "kept_file.replaced", "witness.remembered"])
async def test_a_witness_killed_anywhere_never_cosigns_two_histories(world: World, tmp_path: Path, place: str) -> None:
    """It dies while it takes up tree 9; then it is shown a fork of 9, and then the right one again."""
    await world.grow(5)
    async with witness(tmp_path, "w", LOGS, world.clock) as running:
        policy = one_of(running.key)
        asking = world.witnessing(policy, {"w": http_witness(running.url)})
        await asking.step()
        await asking.close()
        await world.grow(9)
        world.clock.pass_(60)

        def die(name: str) -> None:
            if name == place:
                raise OSError(name)

        failpoints.set_hook(die)
        asking = world.witnessing(policy, {"w": http_witness(running.url)})
        if place == "witness.remembered":
            answered: list[bytes] = []

            def keep(name: str) -> None:
                if name == place:
                    answered.append((tmp_path / "w.json").read_bytes())

            failpoints.set_hook(keep)
            await asking.step()
            assert b'"size": 9' in answered[0]  # promised before it was signed
        else:
            await asking.step()
            assert asking.cosigned == -1
        await asking.close()
        failpoints.set_hook(None)
    async with witness(tmp_path, "w", LOGS, world.clock) as running:
        fork = World()
        fork.clock = world.clock
        fork.one = sequencer(fork.store, clock=world.clock)
        await fork.grow(9, start=1000)
        forked = fork.witnessing(policy, {"w": http_witness(running.url)})
        await forked.step()
        assert forked.cosigned == -1
        assert WITNESS_FORK in fork.seen.codes
        await forked.close()
        asking = world.witnessing(policy, {"w": http_witness(running.url)})
        await asking.step()
        assert await world.cosigned(policy) == (9, {running.key})
        await asking.close()


async def test_two_histories_of_one_log_are_found_out(world: World, tmp_path: Path) -> None:
    async with witness(tmp_path, "w", LOGS, world.clock) as running:
        policy = one_of(running.key)
        await world.grow(300)
        asking = world.witnessing(policy, {"w": http_witness(running.url)})
        await asking.step()
        await asking.close()
        for size, code in ((400, WITNESS_FORK), (300, WITNESS_FORK), (200, WITNESS_AHEAD)):
            fork = World()
            await fork.grow(size, start=5000)
            forked = fork.witnessing(policy, {"w": http_witness(running.url)})
            await forked.step()
            assert code in fork.seen.codes, size
            assert await fork.cosigned(policy) == (-1, set())
            await forked.close()
        assert running.cosigner.seen[ORIGIN].size == 300


async def test_a_log_restored_from_an_old_backup_is_found_out(world: World, tmp_path: Path) -> None:
    async with witness(tmp_path, "w", LOGS, world.clock) as running:
        policy = one_of(running.key)
        await world.grow(20)
        asking = world.witnessing(policy, {"w": http_witness(running.url)})
        await asking.step()
        await asking.close()
        restored = World()
        await restored.grow(12)  # the same records, only fewer
        again = restored.witnessing(policy, {"w": http_witness(running.url)})
        await again.step()
        assert WITNESS_AHEAD in restored.seen.codes
        await again.close()


W_KEY, W_SIGN = signing_key("w", "witness.example/w", KeyType.COSIGNATURE)


def _line(request: Received, *, time: int = to_seconds(NOW), sign: Callable[[bytes], bytes] = W_SIGN) -> bytes:
    return cosignature(request.body.partition(b"\n\n")[2], W_KEY, sign, time)


def _size(text: bytes, content_type: str = SIZE_TYPE) -> Answer:
    return Answer(status=409, content_type=content_type, body=text)


_MORE = iter(range(1, 1000))
WRONG: list[tuple[str, Callable[[Received], Answer], str]] = [
    ("internal error", lambda _: Answer(status=500), WITNESS_FAILED),
    ("unknown log", lambda _: Answer(status=404), WITNESS_FAILED),
    ("unknown key", lambda _: Answer(status=403), WITNESS_FAILED),
    ("bad request", lambda _: Answer(status=400), WITNESS_FAILED),
    ("redirect", lambda _: Answer(status=307, headers=(("Location", "/elsewhere"),)), WITNESS_FAILED),
    ("nothing", lambda _: Answer(body=b""), WITNESS_FAILED),
    ("a page", lambda _: Answer(body=b"<html>\n"), WITNESS_FAILED),
    ("binary", lambda _: Answer(body=bytes(range(256))), WITNESS_FAILED),
    ("of another key", lambda got: Answer(body=_line(got, sign=signing_key("x", "x")[1])), WITNESS_FAILED),
    ("of another note", lambda got: Answer(body=_line(replace(got, body=b"x\n\na\n1\nA\n\n"))), WITNESS_FAILED),
    ("an hour ahead", lambda got: Answer(body=_line(got, time=to_seconds(NOW) + 3600)), WITNESS_FAILED),
    ("an hour behind", lambda got: Answer(body=_line(got, time=to_seconds(NOW) - 3600)), WITNESS_FAILED),
    ("too large", lambda _: Answer(body=b"x" * (1 << 21)), WITNESS_FAILED),
    ("cut", lambda got: Answer(body=_line(got), cut=10), WITNESS_FAILED),
    ("dropped", lambda _: Answer(drop=True), WITNESS_FAILED),
    ("a size that is none", lambda _: _size(b"many\n"), WITNESS_FAILED),
    ("a size as text", lambda _: _size(b"3\n", "text/plain"), WITNESS_FAILED),
    ("another size each time", lambda _: _size(b"%d\n" % (next(_MORE) % 4 + 1)), WITNESS_FAILED),
    ("more than we have", lambda _: _size(b"6\n"), WITNESS_AHEAD),
    ("far more", lambda _: _size(b"999999999999999999\n"), WITNESS_AHEAD),
    ("the size it was told", lambda _: _size(b"0\n"), WITNESS_FORK),
    ("inconsistent", lambda _: Answer(status=422), WITNESS_FORK),
]


@pytest.mark.parametrize(("reason", "answer", "code"), WRONG, ids=[each[0] for each in WRONG])
async def test_a_witness_that_answers_wrongly(
    world: World, reason: str, answer: Callable[[Received], Answer], code: str
) -> None:
    await world.grow(5)
    policy = one_of(W_KEY)
    async with answering(answer) as url:
        asking = world.witnessing(policy, {"w": http_witness(url)})
        await asking.step()
        assert code in world.seen.codes, reason
        assert asking.cosigned == -1
        assert await world.cosigned(policy) == (-1, set())
        await asking.close()
    await world.grow(8)
    assert await verified(world.store.log) == 8  # the log itself goes on


async def test_a_frozen_witness_holds_up_nobody(world: World, tmp_path: Path) -> None:
    async def freeze(_: Received) -> Answer:
        await asyncio.Event().wait()
        raise AssertionError

    await world.grow(3)
    async with witness(tmp_path, "w", LOGS, world.clock) as running, answering(freeze) as url:
        policy = WitnessPolicy(witnesses=(Witness("w", running.key), Witness("frozen", W_KEY)), quorum="w")
        clients = {"w": http_witness(running.url), "frozen": http_witness(url, seconds=0.2)}
        asking = world.witnessing(policy, dict(clients))
        await asyncio.wait_for(asking.step(), 5)
        assert asking.cosigned == 3
        assert world.seen.codes == [WITNESS_FAILED]
        await asking.close()


async def test_a_witness_whose_clock_is_set_back_never_says_an_earlier_time(world: World, tmp_path: Path) -> None:
    async with witness(tmp_path, "w", LOGS, world.clock) as running:
        await world.grow(2)
        asking = world.witnessing(one_of(running.key), {"w": http_witness(running.url)}, skew=10_000)
        await asking.step()
        before = running.cosigner.seen[ORIGIN].time
        world.clock.pass_(60)
        world.clock.wall = type(world.clock.wall)(world.clock.wall - 3_600_000_000)
        await world.grow(3)
        await asking.step()
        assert running.cosigner.seen[ORIGIN].time == before
        assert asking.cosigned == 3
        await asking.close()


async def test_one_state_one_witness(tmp_path: Path) -> None:
    async with witness(tmp_path, "w", LOGS):
        with pytest.raises(ExchangeError, match="another witness"):
            async with witness(tmp_path, "w", LOGS):
                raise AssertionError


async def test_the_state_of_another_witness_or_of_nobody_is_not_used(world: World, tmp_path: Path) -> None:
    await world.grow(2)
    async with witness(tmp_path, "w", LOGS, world.clock) as running:
        asking = world.witnessing(one_of(running.key), {"w": http_witness(running.url)})
        await asking.step()
        await asking.close()
    whole = (tmp_path / "w.json").read_bytes()
    for state in (whole, whole[: len(whole) // 2], b"", b"{}", b"[]", b'{"version": 1}'):
        (tmp_path / "other.json").write_bytes(state)
        with pytest.raises(ExchangeError) as refused:
            async with witness(tmp_path, "other", LOGS):
                raise AssertionError
        assert refused.value.kind is WITNESS_STATE_UNUSABLE


async def test_two_submissions_at_once_are_taken_one_after_the_other(world: World, tmp_path: Path) -> None:
    await world.grow(4)
    async with witness(tmp_path, "w", LOGS, world.clock) as running:
        client = http_witness(running.url)
        note = await world.store.log.checkpoint()
        assert note is not None
        replies = await asyncio.gather(*(client.add_checkpoint(b"old 0\n\n" + note) for _ in range(8)))
        assert sorted(reply.status for reply in replies) == [200] + [409] * 7
        await client.close()


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/", b"", 200),
        ("GET", "/add-checkpoint", b"", 405),
        ("POST", "/", b"", 404),
        ("POST", "/elsewhere", b"", 404),
        ("POST", "/add-checkpoint", b"", 400),
        ("POST", "/add-checkpoint", b"x" * 70_000, 413),
        ("POST", "/add-checkpoint", bytes(range(256)), 400),
    ],
)
async def test_what_strangers_send_to_a_witness(
    tmp_path: Path, method: str, path: str, body: bytes, status: int
) -> None:
    async with (
        witness(tmp_path, "w", LOGS) as running,
        aiohttp.ClientSession() as http,
        http.request(method, running.url + path, data=body) as response,
    ):
        assert response.status == status
        if path == "/" and method == "GET":
            assert (await response.text()).splitlines() == [running.key.encode(), f"log {ORIGIN}"]
