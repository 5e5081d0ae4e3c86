"""When the running gateway looks for what is due, and when it destroys nothing."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from gateway.config.settings import RetentionSettings
from gateway.exchange.holding import Held
from gateway.model.errors import ExchangeError
from gateway.model.errors.trust import TRUST_LIST_EXPIRED
from gateway.wiring.erasing import retention_step
from tests.support.erasing import LAN, YEAR, Office, office
from tests.support.ledger import IN_FORCE
from tests.support.storage import Alarms

pytestmark = pytest.mark.asyncio


class Trust:
    """A trust list that may have ended."""

    def __init__(self, log: Office) -> None:
        self.document = SimpleNamespace(roles=log.roles)
        self.ended = False

    def check_current(self, _at) -> None:
        if self.ended:
            raise ExchangeError(TRUST_LIST_EXPIRED)


def stepping(log: Office):
    """The step, what it is told of the trust list, and the alarms."""
    trust, alarms = Trust(log), Alarms()
    core = SimpleNamespace(store=log.store, recorder=log.recorder, clock=log.clock, entropy=log.epochs._entropy)
    rules = SimpleNamespace(in_force=IN_FORCE, trust=trust)
    settings = SimpleNamespace(retention=RetentionSettings(level=3, months=12))
    return retention_step(settings, core, lambda: rules, alarms), trust, alarms


async def test_it_looks_once_a_minute_and_destroys_what_is_due(tmp_path: Path) -> None:
    async with office(tmp_path, "memory") as log:
        request, _ = await log.exchange((LAN,))
        log.clock.pass_(YEAR)
        step, _, alarms = stepping(log)
        await step()
        assert (await log.left(request))["person"] == [LAN]
        log.clock.pass_(61)
        await step()
        assert await log.left(request) == {}
        assert alarms.raised == []


async def test_it_stops_with_the_trust_list(tmp_path: Path) -> None:
    async with office(tmp_path, "memory") as log:
        request, _ = await log.exchange((LAN,))
        step, trust, alarms = stepping(log)
        trust.ended = True
        log.clock.pass_(YEAR)
        await step()
        assert (await log.left(request))["person"] == [LAN]
        assert alarms.raised == [("retention_stopped", TRUST_LIST_EXPIRED.code)]


async def test_it_stops_while_a_hold_is_missing(tmp_path: Path) -> None:
    async with office(tmp_path, "memory") as log:
        request, _ = await log.exchange((LAN,))
        await log.hold(Held(records=(request,)))
        log.store.log._documents.clear()
        step, _, alarms = stepping(log)
        log.clock.pass_(YEAR)
        await step()
        assert (await log.left(request))["person"] == [LAN]
        assert [code for code, _ in alarms.raised] == ["hold_lost"]
