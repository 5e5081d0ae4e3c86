"""The auditor's part of the demo, on a real gateway: found by person, exported, proved, and an edited record caught."""

import pytest

from gateway.cli.story import Teller
from gateway.cli.story_proof import EXPORT, proof
from gateway.wiring.demo import PORTAL, demo_world
from tests.support.cli import good, run


@pytest.mark.asyncio
async def test_found_exported_proved_and_caught(tmp_path):
    said = []
    async with demo_world(tmp_path / "demo") as world:
        teller = Teller(world, "en", said.append)
        someone = world.people.story.neighbours[0].identity_number
        async with world.client(PORTAL) as client:
            portal = world.portal(client, officer="ht.to-mo")
            assert (await portal.citizen(someone)).outcome == "FOUND"
        await proof(teller, someone)
        vkey = world.gateway.log_key.encode()
    assert [step.ok for step in said[1:]] == [True] * 4
    # And with the command that anybody has.
    export = tmp_path / "demo" / EXPORT
    found = good("log", "verify", export, "--vkey", vkey, "--json").values
    assert found["rows"] >= 2
    export.write_bytes(export.read_bytes().replace(b"ht.to-mo", b"ht.khac"))
    assert run("log", "verify", export, "--vkey", vkey).code == 1
