"""Holds and liftings that somebody wrote into the database beside the real ones."""

import hashlib
from pathlib import Path

import pytest
from msgspec.structs import replace

from gateway.exchange.holding import KIND, Held, holds_in_force
from gateway.ledger.order_hold import HOLD_TYP, parse_hold
from gateway.ledger.order_jws import payload_of, sign
from gateway.model.log import Document
from gateway.model.usage import RoleName
from tests.support.erasing import AUDITOR, LAN, OPERATOR, ROLES, STRANGER, WHY, YEAR, office, order_of

pytestmark = pytest.mark.asyncio


def whole(document: Document, content: bytes) -> Document:
    return replace(document, content=content, digest=hashlib.sha256(payload_of(content)).hexdigest())


async def test_a_hold_that_was_written_into_the_database_takes_no_others_place(tmp_path: Path) -> None:
    async with office(tmp_path, "memory") as log:
        request, _ = await log.exchange((LAN,))
        await log.hold(Held(records=(request,)))
        documents = log.store.log._documents
        real = next(each for each in documents if each.kind == KIND)
        of_nothing = replace(parse_hold(payload_of(real.content)), records=("01a2016c-2478-7588-bb31-1885b3452b05",))
        documents.insert(0, whole(real, sign(HOLD_TYP, of_nothing.encode(), STRANGER)))
        of_another = replace(of_nothing, role=RoleName.OPERATOR.value)
        documents.insert(0, whole(real, sign(HOLD_TYP, of_another.encode(), OPERATOR)))
        lifting = log.holding.draft_lifting(of_another.id, WHY, role=ROLES[3], key=OPERATOR)
        await log.holding.place(lifting, log.roles, why=WHY)
        await log.sequence()
        log.clock.pass_(YEAR)
        report = await log.erase(order_of(records=(request,), clock=log.clock))
        assert [each.why for each in report.kept] == ["held"]


async def test_a_lifting_by_the_right_role_that_nothing_records_lifts_nothing(tmp_path: Path) -> None:
    async with office(tmp_path, "memory") as log:
        request, _ = await log.exchange((LAN,))
        hold = await log.hold(Held(records=(request,)))
        lifting = log.holding.draft_lifting(hold, WHY, role=ROLES[2], key=AUDITOR)
        await log.store.log.keep_document(whole(log.store.log._documents[-1], lifting))
        assert [each.id for each in await holds_in_force(log.store.log, log.roles, log.clock.now())] == [hold]
        await log.holding.place(lifting, log.roles, why=WHY)
        await log.sequence()
        assert await holds_in_force(log.store.log, log.roles, log.clock.now()) == ()
