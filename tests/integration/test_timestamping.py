import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from msgspec.structs import replace

from adapters.simulators.misbehave import Mode
from adapters.simulators.tsa import POLICY, TsaSimulator, Wrong
from adapters.simulators.wire import Answer
from gateway.exchange.attesting import COSIGNATURE, keep
from gateway.exchange.timestamping import STALE, TIMESTAMP_FAILED, Authority, Timestamping, TimestampPace
from gateway.ledger.checkpoint import open_checkpoint
from gateway.ledger.skeleton import entry_of
from gateway.ledger.timestamp import verify_token
from gateway.model import failpoints
from gateway.model.errors import ExchangeError
from gateway.model.errors.attesting import TIMESTAMPS_STALE
from gateway.model.instant import Instant, to_datetime
from gateway.model.storage import Commit, Row
from gateway.storage.sqlite.store import SqliteStore
from tests.support.attesting import Authority as Tsa
from tests.support.attesting import Seen, answering, authority, http_timestamper, now
from tests.support.ledger import built, record_id
from tests.support.storage import LOG_KEY, TestClock, sequencer, verified

pytestmark = pytest.mark.asyncio

PACE = TimestampPace(every=600, retry=15, stale=3600, skew=60)
TSA = authority()
OTHER = authority()


class World:
    """A log on disk whose records know their time, a clock, and a timestamp authority that follows it."""

    def __init__(self, folder: Path, tsa: TsaSimulator) -> None:
        self.store = SqliteStore(folder / "motlan.db")
        self.clock = TestClock()
        self.clock.wall = now()
        self.seen = Seen()
        self.one = sequencer(self.store, clock=self.clock)
        self.tsa = tsa
        self.tsa.clock = lambda: to_datetime(self.clock.now())
        self.number = 0

    async def record(self, count: int = 1) -> None:
        for _ in range(count):
            self.number += 1
            made = built(self.number, at=self.clock.now())
            row = Row(
                id=record_id(self.number),
                entry=entry_of(made.skeleton),
                skeleton=made.skeleton,
                openings=b"sealed",
                epoch="e",
            )
            await self.store.journal.commit(Commit(row=row), self.clock.now())
        while await self.one.step():
            pass

    def timestamping(self, *authorities: Authority, required: bool = True, asks: bool = True) -> Timestamping:
        return Timestamping(
            self.store.log,
            self.clock,
            lambda count: bytes(range(count)),
            self.seen,
            keys=LOG_KEY,
            authorities=authorities or (self.authority(),),
            pace=PACE,
            required=required,
            asks=asks,
        )

    def authority(self, name: str = "tsa", url: str | None = None, **changes: Any) -> Authority:
        client = http_timestamper(url or self.tsa.url, seconds=0.5)
        return replace(Authority(name=name, client=client, roots=TSA.roots, policy=POLICY), **changes)

    async def stamps(self) -> list[tuple[int, str]]:
        """(size, authority) of what is kept, each verified as an outsider would, oldest first."""
        found = []
        for each in await self.store.log.attestations("timestamp", size=0):
            [kept] = await self.store.log.attestations("checkpoint", size=each.size, limit=1)
            assert open_checkpoint(kept.content, LOG_KEY).checkpoint.size == each.size
            verify_token(each.content, kept.content, TSA.roots)
            found.append((each.size, each.name))
        return found


def is_open(stamping: Timestamping) -> bool:
    try:
        stamping.check()
    except ExchangeError as error:
        if error.kind is not TIMESTAMPS_STALE or not error.retry_after:
            raise
        return False
    return True


@pytest_asyncio.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with TSA.simulator() as tsa:
        made = World(tmp_path, tsa)
        yield made
        failpoints.set_hook(None)
        await made.store.close()


async def test_one_stamp_is_for_all_records_up_to_its_checkpoint(world: World) -> None:
    stamping = world.timestamping()
    for second in range(1300):
        if second % 100 == 0:
            await world.record(3)
        await stamping.step()
        world.clock.pass_(1)
    assert await world.stamps() == [(3, "tsa"), (21, "tsa"), (39, "tsa")]
    assert world.tsa.answers["granted"] == 3
    assert world.seen.alarms == []
    await stamping.close()


async def test_an_idle_log_asks_nobody_and_is_never_late(world: World) -> None:
    stamping = world.timestamping()
    await stamping.step()
    await world.record()
    await stamping.step()
    for _ in range(100):
        world.clock.pass_(600)
        await stamping.step()
        assert is_open(stamping)
    assert world.tsa.answers["granted"] == 1
    assert world.seen.alarms == []
    await stamping.close()


WRONG: list[tuple[str, Callable[[TsaSimulator], None]]] = [
    *((wrong.value, lambda tsa, wrong=wrong: setattr(tsa, "wrong", wrong)) for wrong in Wrong),  # type: ignore[misc]
    *(
        (mode.value, lambda tsa, mode=mode: tsa.misbehave(mode))  # type: ignore[misc]
        for mode in (Mode.BAD_GATEWAY, Mode.UNAUTHORIZED_TEXT, Mode.HALF, Mode.DROP, Mode.FREEZE, Mode.HUGE)
    ),
]


@pytest.mark.parametrize(("reason", "spoil"), WRONG, ids=[each[0] for each in WRONG])
async def test_a_wrong_answer_is_not_kept_and_the_right_one_comes_later(
    world: World, reason: str, spoil: Callable[[TsaSimulator], None]
) -> None:
    await world.record(2)
    stamping = world.timestamping()
    spoil(world.tsa)
    await stamping.step()
    assert await world.stamps() == [], reason
    assert world.seen.codes == [TIMESTAMP_FAILED]
    world.tsa.wrong = None
    world.tsa.behave()
    world.clock.pass_(5)
    await stamping.step()
    assert await world.stamps() == []  # not at once again: a broken authority is not hammered
    world.clock.pass_(11)
    await stamping.step()
    assert await world.stamps() == [(2, "tsa")]
    await stamping.close()


@pytest.mark.parametrize(
    ("reason", "answer"),
    [
        ("another type", lambda good: Answer(content_type="text/html", body=good)),
        ("another status", lambda good: Answer(status=201, content_type="application/timestamp-reply", body=good)),
        ("nothing", lambda _: Answer(content_type="application/timestamp-reply")),
        ("twice", lambda good: Answer(content_type="application/timestamp-reply", body=good + good)),
    ],
)
async def test_an_answer_that_is_no_timestamp_reply(
    world: World, reason: str, answer: Callable[[bytes], Answer]
) -> None:
    await world.record()
    async with answering(lambda got: answer(world.tsa.stamp(got.body))) as url:
        stamping = world.timestamping(world.authority(url=url))
        await stamping.step()
        assert await world.stamps() == [], reason
        await stamping.close()


async def test_an_answer_to_an_earlier_request_is_not_taken_again(world: World) -> None:
    await world.record()
    kept: list[bytes] = []

    def replay(got: Any) -> Answer:
        kept.append(world.tsa.stamp(got.body))
        return Answer(content_type="application/timestamp-reply", body=kept[0])

    async with answering(replay) as url:
        stamping = world.timestamping(world.authority(url=url))
        await stamping.step()
        await world.record()
        world.clock.pass_(601)
        await stamping.step()
        assert await world.stamps() == [(1, "tsa")]
        assert world.seen.codes == [TIMESTAMP_FAILED]
        await stamping.close()


async def test_the_next_authority_is_asked_where_one_does_not_answer(world: World) -> None:
    await world.record(4)
    dead = world.authority("dead", "http://127.0.0.1:9/tsa")
    stranger = world.authority("stranger", roots=OTHER.roots)
    other_certificate = world.authority("other", certificate=b"no certificate")
    stamping = world.timestamping(dead, stranger, other_certificate, world.authority("second"))
    await stamping.step()
    assert await world.stamps() == [(4, "second")]
    assert world.seen.alarms == []
    await stamping.close()


async def test_late_timestamps_stop_exchange_where_they_are_required_and_it_recovers_by_itself(world: World) -> None:
    lax, strict = world.timestamping(required=False), world.timestamping()
    await world.record()
    world.tsa.misbehave(Mode.BAD_GATEWAY)
    while world.clock.monotonic() < 1000 + 3600:
        await strict.step()
        assert is_open(strict)
        world.clock.pass_(60)
    world.clock.pass_(61)
    for stamping in (strict, lax):
        await stamping.step()
    assert (is_open(strict), is_open(lax)) == (False, True)
    assert STALE in world.seen.codes
    world.tsa.behave()
    world.clock.pass_(16)
    await strict.step()
    assert is_open(strict)
    assert await world.stamps() == [(1, "tsa")]
    await strict.close()
    await lax.close()


async def test_a_restart_does_not_forget_how_late_timestamps_are(world: World) -> None:
    await world.record()
    first = world.timestamping()
    await first.step()
    await first.close()
    await world.record(3)
    world.clock.pass_(5 * 3600)
    world.tsa.misbehave(Mode.DROP)
    again = world.timestamping()
    await again.step()
    assert not is_open(again)
    world.tsa.behave()
    world.clock.pass_(16)
    await again.step()
    assert is_open(again)
    await again.close()


async def test_a_clock_set_back_neither_hides_lateness_nor_passes_for_the_authoritys(world: World) -> None:
    await world.record()
    stamping = world.timestamping()
    truth = world.clock.now()
    started = world.clock.monotonic()
    world.tsa.clock = lambda: to_datetime(Instant(truth + int((world.clock.monotonic() - started) * 1_000_000)))
    world.clock.wall = Instant(world.clock.wall - 3_600_000_000)
    for _ in range(240):
        await stamping.step()
        world.clock.pass_(16)
    assert await world.stamps() == []
    assert TIMESTAMP_FAILED in world.seen.codes
    assert not is_open(stamping)  # over an hour by the clock that cannot be set
    world.clock.wall = Instant(truth + int((world.clock.monotonic() - started) * 1_000_000))
    await stamping.step()
    assert is_open(stamping)
    assert await world.stamps() == [(1, "tsa")]
    await stamping.close()


async def test_a_process_that_does_not_ask_sees_what_another_got(world: World) -> None:
    asking, watching = world.timestamping(), world.timestamping(asks=False)
    await world.record()
    for _ in range(61):
        await watching.step()
        world.clock.pass_(60)
    assert not is_open(watching)
    await asking.step()
    await watching.step()
    assert is_open(watching)
    assert world.tsa.answers["granted"] == 1
    await asking.close()
    await watching.close()


async def test_a_process_that_no_longer_looks_is_late_too(world: World) -> None:
    stamping = world.timestamping()
    await world.record()
    await stamping.step()
    world.clock.pass_(3601)
    assert not is_open(stamping)
    await stamping.close()


async def test_killed_between_the_timestamp_and_keeping_it(world: World) -> None:
    await world.record(2)

    def die(name: str) -> None:
        if name == "timestamping.answered":
            raise RuntimeError(name)

    failpoints.set_hook(die)
    stamping = world.timestamping()
    with pytest.raises(RuntimeError):
        await stamping.step()
    await stamping.close()
    failpoints.set_hook(None)
    again = world.timestamping()
    await again.step()
    assert await world.stamps() == [(2, "tsa")]
    assert await verified(world.store.log) == 2
    await again.close()


async def test_what_is_stamped_is_the_checkpoint_as_it_was_first_published(world: World) -> None:
    """A witness has cosigned it before: the kept note, which the stamp is of, stays as it was."""
    await world.record(2)
    note = await world.store.log.checkpoint()
    assert note is not None
    stamping = world.timestamping()
    await stamping.step()
    [stamp] = await world.store.log.attestations("timestamp")
    assert verify_token(stamp.content, note, TSA.roots)
    await stamping.close()


async def test_the_newest_checkpoint_that_a_witness_has_cosigned_is_stamped_too(world: World) -> None:
    """In a log that grows, witnesses and authority see different checkpoints; evidence wants one that both have seen."""
    await world.record(3)
    note = await world.store.log.checkpoint()
    assert note is not None
    await keep(world.store.log, world.clock, 3, note, kind=COSIGNATURE, name="w", content=b"line")
    stamping = world.timestamping()
    await world.record(2)
    await stamping.step()
    assert await world.stamps() == [(3, "tsa"), (5, "tsa")]
    for _ in range(700):  # nothing has been cosigned since
        await world.record(1)
        await stamping.step()
        world.clock.pass_(1)
    assert [size for size, _ in await world.stamps()][:2] == [3, 5]
    assert world.tsa.answers["granted"] == 3
    await stamping.close()


@pytest.mark.acceptance
async def test_openssl_verifies_what_is_kept(world: World, tmp_path: Path) -> None:
    tsa: Tsa = TSA
    await world.record(2)
    stamping = world.timestamping()
    await stamping.step()
    await stamping.close()
    [stamp] = await world.store.log.attestations("timestamp")
    [kept] = await world.store.log.attestations("checkpoint")
    (tmp_path / "timestamp.tsr").write_bytes(stamp.content)
    (tmp_path / "checkpoint").write_bytes(kept.content)
    roots = tsa.write_roots(tmp_path)
    command = ["openssl", "ts", "-verify", "-in", "timestamp.tsr", "-data", "checkpoint", "-CAfile", str(roots)]
    done = await asyncio.create_subprocess_exec(
        *command, cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await done.communicate()
    assert b"Verification: OK" in said, said


async def test_a_stamp_of_the_past_or_future_within_the_skew_is_taken(world: World) -> None:
    stamping = world.timestamping()
    for seconds in (-59, 59):
        world.tsa.clock = lambda seconds=seconds: (
            datetime.fromtimestamp(  # type: ignore[misc]
                world.clock.now() / 1_000_000, UTC
            )
            + timedelta(seconds=seconds)
        )
        await world.record()
        world.clock.pass_(601)
        await stamping.step()
    assert await world.stamps() == [(1, "tsa"), (2, "tsa")]
    await stamping.close()
