"""Whatever is erased, by order or by retention: the log, its receipts and what is left of each record still verify."""

import asyncio
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.ledger.receipt import Disclosure
from gateway.ledger.skeleton import read_skeleton
from tests.support.erasing import DAY, HOA, LAN, MINH, Office, office, order_of

PEOPLE = st.lists(st.sampled_from([LAN, MINH, HOA]), max_size=3, unique=True).map(tuple)


@settings(max_examples=25, deadline=None)
@given(
    exchanges=st.lists(st.tuples(PEOPLE, PEOPLE), min_size=1, max_size=5),
    erasures=st.lists(st.tuples(st.sampled_from(["person", "record", "field", "wait"]), st.integers(0, 9)), max_size=4),
)
def test_every_proof_holds_whatever_is_erased(tmp_path_factory, exchanges, erasures) -> None:
    asyncio.run(_whatever_is_erased(tmp_path_factory.mktemp("log"), exchanges, erasures))


async def _whatever_is_erased(folder: Path, exchanges, erasures) -> None:
    async with office(folder, "memory") as log:
        ids = [each for asked, released in exchanges for each in await log.exchange(asked, released)]
        checkpoint = await log.store.log.checkpoint()
        receipts = {each: await _shown(log, each) for each in ids}
        log.clock.pass_(100 * DAY)
        for what, number in erasures:
            if what == "wait":
                log.clock.pass_(number * 40 * DAY)
                await log.retain()
                continue
            said = {
                "person": {"persons": ((LAN, MINH, HOA)[number % 3],)},
                "record": {"records": (ids[number % len(ids)],)},
                "field": {"records": (ids[number % len(ids)],), "fields": ("person", "officer", "body_sha256")},
            }[what]
            await log.erase(order_of(clock=log.clock, **said))
        assert await log.verify(checkpoint) >= len(ids)
        for each, receipt in receipts.items():
            stored = await log.store.log.record(each)
            shown = await _shown(log, each)
            assert shown.skeleton == receipt.skeleton == stored.row.skeleton
            kept = () if shown.openings is None else shown.openings.shown
            assert set(map(repr, kept)) <= set(map(repr, receipt.openings.shown))


async def _shown(log: Office, record: str) -> Disclosure:
    stored = await log.store.log.record(record)
    read_skeleton(stored.row.skeleton)
    return Disclosure(stored.row.skeleton, await log.openings(record))
