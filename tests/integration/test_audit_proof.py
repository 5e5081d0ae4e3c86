"""The demo's proofs where the story would not be true: they say so. That they hold is test_demo's."""

import asyncio

import pytest

from gateway.cli.story import Step, Teller
from gateway.cli.story_citizen import accesses
from gateway.cli.story_commands import Ran, motlan, typed
from gateway.cli.story_evidence import Packed, court
from gateway.cli.story_proof import neighbour, spared, who_looked
from gateway.cli.story_witness import _rewritten
from gateway.wiring.demo import PORTAL, demo_world


@pytest.mark.asyncio
async def test_what_is_not_true_is_not_told_as_if_it_were(tmp_path):
    said = []
    async with demo_world(tmp_path / "demo", count=200) as world, world.client(PORTAL) as client:
        teller = Teller(world, "en", said.append)
        teller.scene("", "")

        def steps() -> list[bool]:
            told = [step.ok for step in said if isinstance(step, Step)]
            said.clear()
            return told

        assert await who_looked(teller, neighbour(world)) is None  # nobody has, so far
        await accesses(teller, client, seen=neighbour(world), spared=spared(world))
        assert steps() == [False, False, True]
        portal = world.portal(client, officer="ht.to-mo")
        for person in (neighbour(world), spared(world)):
            assert (await portal.citizen(person)).outcome == "FOUND"
        traced = await who_looked(teller, neighbour(world))
        await accesses(teller, client, seen=neighbour(world), spared=spared(world))
        assert steps() == [True, True, False]  # somebody has looked at the one whom nobody should have
        # A container that was never written proves nothing.
        nothing = Ran(line="motlan", code=1, out="", err="no such record")
        await court(teller, Packed(exported=nothing, verified=nothing))
        assert [step.text.en for step in said if isinstance(step, Step) and "[1: no such record]" in step.text.en]
        assert steps() == [False, False]
        # The witness refuses what was rewritten, and that alone: the log itself goes on being cosigned.
        witnessing = world.gateway.attesting.witnessing
        await cosigned(witnessing, traced.index)
        assert await _rewritten(world, traced.index) == 422
        before, _ = await world.gateway.core.store.log.state()
        await portal.citizen(world.people.story.plain.identity_number)
        await cosigned(witnessing, before)


async def cosigned(witnessing, index):
    """Wait until the witness has cosigned an entry."""
    async with asyncio.timeout(20):
        while witnessing.cosigned <= index:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.05)


@pytest.mark.asyncio
async def test_a_command_that_fails_says_why(tmp_path):
    ran = await motlan("log", "verify", tmp_path / "nothing", "--vkey", "x", "--json")
    assert ran.code != 0
    assert ran.values == {}
    assert "nothing" in ran.why


def test_what_is_shown_can_be_typed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert typed("log", "verify", tmp_path / "a b.csv", "--url", "x") == "motlan log verify 'a b.csv' --url x"
    assert typed("log", tmp_path.parent / "c.csv") == f"motlan log {tmp_path.parent / 'c.csv'}"
