"""Retention: what is due goes unasked, in batches that are recorded, never what is held; epochs lose their keys."""

from pathlib import Path

import pytest

from gateway.exchange.holding import Held
from gateway.exchange.payloads import blob_id
from gateway.exchange.retention import KIND
from gateway.ledger.erasure import Retention, Verdict, months_after, verdict
from gateway.ledger.record import RecordKind
from gateway.model import failpoints
from gateway.model.instant import from_datetime
from gateway.model.storage import JournalUnavailableError
from tests.support.erasing import AUDITOR, DAY, HOA, LAN, MINH, YEAR, office
from tests.support.storage import blob

pytestmark = pytest.mark.asyncio


def moment(text: str):
    from datetime import datetime  # noqa: PLC0415 - here only

    return from_datetime(datetime.fromisoformat(text))


@pytest.mark.parametrize(
    ("at", "months", "then"),
    [
        ("2026-11-22T09:00:00+07:00", 12, "2027-11-22T09:00:00+07:00"),
        ("2026-11-30T09:00:00+07:00", 3, "2027-02-28T09:00:00+07:00"),
        ("2027-11-30T09:00:00+07:00", 3, "2028-02-29T09:00:00+07:00"),
        ("2099-11-30T09:00:00+07:00", 3, "2100-02-28T09:00:00+07:00"),
        ("2026-12-31T23:59:59+07:00", 1, "2027-01-31T23:59:59+07:00"),
        ("2026-08-31T00:00:00+07:00", 1, "2026-09-30T00:00:00+07:00"),
        # The Vietnamese day counts: in UTC it is still the month before.
        ("2026-02-28T18:00:00+00:00", 1, "2026-03-31T18:00:00+00:00"),
    ],
)
async def test_months(at, months, then) -> None:
    assert months_after(moment(at), months) == moment(then)


@pytest.mark.parametrize(
    ("held", "ordered", "months", "said"),
    [
        (True, True, 30, Verdict.HELD),
        (False, True, 2, Verdict.MINIMUM),
        (False, True, 4, Verdict.ERASE),
        (False, False, 4, Verdict.KEPT),
        (False, False, 12, Verdict.ERASE),
        (True, False, 12, Verdict.HELD),
    ],
)
async def test_precedence(held, ordered, months, said) -> None:
    at = moment("2026-11-22T09:00:00+07:00")
    now = months_after(at, months)
    assert verdict(at, now, Retention(minimum=3, months=12), held=held, ordered=ordered) is said


@pytest.mark.parametrize(("minimum", "months"), [(12, 6), (0, 12)])
async def test_no_retention_below_the_minimum(minimum, months) -> None:
    with pytest.raises(ValueError, match="minimum"):
        Retention(minimum=minimum, months=months)


@pytest.mark.parametrize("engine", ["sqlite", "memory"])
async def test_what_is_due_goes_in_recorded_batches(tmp_path: Path, engine) -> None:
    async with office(tmp_path, engine) as log:
        old = [each for _ in range(3) for each in await log.exchange((LAN,), (LAN,))]
        await log.record(RecordKind.INBOX, blobs=(blob(blob_id(old[0]), seconds=99 * YEAR, subjects=()),))
        await log.sequence()
        log.clock.pass_(200 * DAY)
        young = await log.exchange((MINH,))
        assert [done.erased for done in await log.retain()] == [0]
        log.clock.pass_(166 * DAY)
        before = await log.store.log.checkpoint()
        assert [(done.looked, done.erased, done.more) for done in await log.retain()] == [(4, 4, True), (4, 3, False)]
        for each in old:
            assert (await log.store.log.record(each)).row.openings == b""
            assert await log.marks(each) == []
        assert (await log.left(young[0]))["person"] == [MINH]
        assert await log.store.vault.get(blob_id(old[0]), log.clock.now()) is None
        assert await log.kinds(RecordKind.ERASURE) == [
            (KIND, "records 0 to 3", "erased 4", "held 0"),
            (KIND, "records 4 to 6", "erased 3", "held 0"),
        ]
        assert [done.erased for done in await log.retain()] == [0]
        assert await log.verify(before) == 11


async def test_a_hold_is_passed_over_and_comes_again(tmp_path: Path) -> None:
    async with office(tmp_path) as log:
        first = await log.exchange((LAN,))
        held = await log.exchange((MINH,), (HOA,))
        last = await log.exchange((LAN,))
        log.clock.pass_(3 * DAY)
        hold = await log.hold(Held(persons=(HOA,)))
        log.clock.pass_(YEAR)
        await log.retain()
        for each in (*first, *last):
            assert await log.left(each) == {}
        assert (await log.left(held[0]))["person"] == [MINH]
        assert (await log.left(held[1]))["person"] == [HOA]
        assert "held 2" in {reason for each in await log.kinds(RecordKind.ERASURE) for reason in each}
        await log.lift(hold)
        await log.retain()
        assert await log.left(held[0]) == await log.left(held[1]) == {}
        await log.verify()


async def test_what_a_hold_cannot_know_is_held_whole(tmp_path: Path) -> None:
    async with office(tmp_path) as log:
        log.clock.pass_(3 * DAY)
        hold = await log.hold(Held(cases=("TT-1",)))
        log.clock.pass_(DAY)
        await log.epochs.renew()
        request, _ = await log.exchange((LAN,))
        log.clock.pass_(YEAR)
        await log.retain()
        assert (await log.left(request))["person"] == [LAN]
        # Given again, the hold knows that it does not mean this one.
        again = await log.hold(Held(cases=("TT-1",)))
        await log.lift(hold)
        await log.retain()
        assert await log.left(request) == {}
        assert again != hold


async def test_epochs_lose_their_keys_when_nothing_needs_them(tmp_path: Path) -> None:
    async with office(tmp_path) as log:
        old = await log.exchange((LAN,))
        log.clock.pass_(DAY)
        await log.epochs.renew()
        held = await log.exchange((MINH,))
        await log.hold(Held(records=(held[0],)))
        log.clock.pass_(30 * DAY)
        await log.epochs.renew()
        await log.exchange((LAN,))
        assert len(await log.opened(AUDITOR)) == 3
        log.clock.pass_(YEAR)
        await log.retain()
        (_, _, first), *others = await log.store.log.epochs()
        # The first ended a day before the one that is held: within the margin.
        assert first
        assert all(sealed for _, _, sealed in others)
        (hold,) = await log.store.log.documents("hold")
        assert hold
        assert await log.left(old[0]) == {}


async def test_after_the_margin_the_oldest_keys_are_gone_from_the_files(tmp_path: Path) -> None:
    async with office(tmp_path) as log:
        await log.exchange((LAN,))
        (_, _, sealed), *_ = await log.store.log.epochs()
        log.clock.pass_(20 * DAY)
        await log.epochs.renew()
        await log.exchange((LAN,))
        log.clock.pass_(360 * DAY)
        await log.retain()
        assert [bool(each) for _, _, each in await log.store.log.epochs()] == [False, True]
        assert sealed[100:140] not in everything_in(tmp_path)


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


@pytest.mark.parametrize("place", ["retention.recorded", "log.redacting", "retention.destroyed"])
async def test_a_crash_is_made_good(tmp_path: Path, place) -> None:
    class PowerCutError(Exception):
        pass

    def fail(reached: str) -> None:
        if reached == place:
            raise PowerCutError

    async with office(tmp_path) as log:
        old = await log.exchange((LAN,))
        log.clock.pass_(YEAR + 5 * DAY)
        failpoints.set_hook(fail)
        try:
            with pytest.raises((PowerCutError, JournalUnavailableError)):
                await log.chore().step()
        finally:
            failpoints.set_hook(None)
        # What another process has just recorded is left to it for a while.
        assert (await log.chore().step()).erased == 0
        log.clock.pass_(700)
        await log.retain()
        assert await log.left(old[0]) == {}
        assert await log.left(old[1]) == {}
        await log.verify()
