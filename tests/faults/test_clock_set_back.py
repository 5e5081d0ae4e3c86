"""The clock is set back, also across a restart: no replay gets through, nothing stands still."""

from pathlib import Path

import pytest

from gateway.exchange.recovery import abandon_open_requests
from gateway.exchange.sequencer import Sequencer
from gateway.model.storage import IdempotencySeenError, IdempotencyStart, MessageIdUsedError, Nonce, NonceUsedError
from gateway.storage.sqlite.store import SqliteStore
from tests.support.storage import LOG_KEY, LOG_SIGN, QUICK, Alarms, TestClock, at, commit, numbers, record_id, verified
from tests.support.worlds import abandoned

pytestmark = pytest.mark.asyncio

AHEAD = at(3 * 86_400)


async def test_the_clock_goes_back_three_days_over_a_restart(tmp_path: Path) -> None:
    message_id = Nonce(key="m", expires=at(4 * 86_400))
    idempotency = IdempotencyStart(key="i", fingerprint=b"f" * 32, expires=at(4 * 86_400))
    store = SqliteStore(tmp_path / "motlan.db")
    await store.journal.commit(commit(1, nonce="old"), at(0))
    late = Nonce(key="late", expires=at(3 * 86_400 + 360))
    await store.journal.commit(
        commit(2, nonces=(late,), message_id=message_id, idempotency=idempotency, opens=True), AHEAD
    )
    await store.journal.purge(AHEAD)
    clock = TestClock()
    clock.wall = AHEAD
    first = Sequencer(store.log, clock, Alarms(), key=LOG_KEY, sign=LOG_SIGN, holder="first", pace=QUICK)
    await first.step()
    older = await store.log.checkpoint()
    await store.close()

    store = SqliteStore(tmp_path / "motlan.db")
    with pytest.raises(NonceUsedError):  # purged, and fresh by the new clock
        await store.journal.commit(commit(3, nonce="old"), at(1))
    with pytest.raises(NonceUsedError):
        await store.journal.commit(commit(3, nonces=(late,)), at(1))
    with pytest.raises(MessageIdUsedError):
        await store.journal.commit(commit(3, message_id=message_id), at(1))
    with pytest.raises(IdempotencySeenError):
        await store.journal.commit(commit(3, idempotency=idempotency), at(1))
    assert numbers(await store.journal.open_requests(at(1))) == [2]
    assert await abandon_open_requests(store.journal, abandoned, at(1), at(1)) == 1
    found = await store.log.record(record_id(2_000_002))
    assert found is not None
    assert found.row.ends == record_id(2)
    clock.wall = at(2)
    second = Sequencer(store.log, clock, Alarms(), key=LOG_KEY, sign=LOG_SIGN, holder="second", pace=QUICK)
    await second.step()
    assert await verified(store.log, older=older) == 3
    await store.close()
