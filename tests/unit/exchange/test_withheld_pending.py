"""A withholding counts as soon as its record is committed; what else waits for the tree beside it is no such record."""

import os
from pathlib import Path

import pytest

from gateway.exchange.events import Event
from gateway.exchange.holding import Why
from gateway.exchange.ids import new_record_id
from gateway.exchange.withholding import KIND, Entries, Withholding, withheld_in_force
from gateway.ledger.record import Facts, RecordKind
from gateway.model.instant import plus
from gateway.model.storage import Commit
from tests.support.erasing import DAY, DPO, LAN, office
from tests.support.ledger import IN_FORCE, ORIGIN

pytestmark = pytest.mark.asyncio


async def test_it_counts_before_it_is_in_the_tree_and_readings_beside_it_do_not(tmp_path: Path) -> None:
    async with office(tmp_path, "memory") as log:
        _, answer = await log.exchange((LAN,), (LAN,))
        now = log.clock.now()
        reading = Facts(
            id=new_record_id(now, os.urandom), at=now, kind=RecordKind.AUDIT, in_force=IN_FORCE, reasons=(KIND,)
        )
        await log.store.journal.commit(Commit(row=log.recorder.row(Event(facts=reading))), now)
        withholding = Withholding(log.holding._site, os.urandom(32), log.roles)
        until = plus(now // 1000 * 1000, DAY)
        given = await withholding.withhold(Entries(records=(answer,)), until, Why(case="c", reason="r"), DPO)
        assert len(await log.store.log.unsequenced(9)) == 2
        for sequenced in (False, True):
            if sequenced:
                await log.sequence()
            found = await withheld_in_force(log.store.log, log.roles, ORIGIN, log.clock.now())
            assert [each.id for each in found] == [given.id]
