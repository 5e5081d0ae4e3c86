"""Whom answers name that name nobody themselves: their requests say, or nobody knows."""

import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from gateway.exchange.affected_rows import Gathered
from gateway.exchange.events import Event
from gateway.exchange.ids import new_record_id
from gateway.ledger.epoch import open_epoch
from gateway.ledger.record import Facts, RecordKind
from tests.support.erasing import CLIENT, DPO, LAN, SERVICE, office
from tests.support.ledger import IN_FORCE

pytestmark = pytest.mark.asyncio


@pytest.mark.parametrize(
    ("asked", "erased", "counts"),
    [((LAN,), False, (1, 0, 0)), ((), False, (0, 0, 1)), ((LAN,), True, (0, 1, 0))],
)
async def test_an_answer_that_names_nobody(tmp_path: Path, asked, erased, counts) -> None:
    async with office(tmp_path, "memory") as log:
        request_id = new_record_id(log.clock.now(), os.urandom)
        common = {"at": log.clock.now(), "in_force": IN_FORCE, "client": CLIENT, "service": SERVICE}
        private = tuple(("person", each) for each in asked)
        request = log.recorder.row(
            Event(facts=Facts(id=request_id, kind=RecordKind.REQUEST, private=(*private, ("case", "H31-1")), **common))
        )
        answer = log.recorder.row(
            Event(
                facts=Facts(
                    id=new_record_id(log.clock.now(), os.urandom),
                    kind=RecordKind.ANSWER,
                    parent=request_id,
                    released=("land.area",),
                    private=(("body_sha256", "aa"),),
                    **common,
                ),
                ends=request_id,
            )
        )
        epochs = {name: open_epoch(sealed, DPO) for name, _, sealed in await log.store.log.epochs()}
        gathered = Gathered(epochs, log.recipients)
        assert gathered.add(answer) == request_id
        gathered.add_asked(answer, replace(request, openings=b"") if erased else request)
        piece = gathered.taken()
        assert piece.answers == 1
        assert (len(piece.persons), piece.unopened, piece.unnamed) == counts
