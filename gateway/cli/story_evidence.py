"""The scene of the court: the exchange in one container that other people's tools verify."""

import asyncio
import re
import zipfile
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from gateway.cli.story import Teller
from gateway.cli.story_commands import Ran, motlan, reading
from gateway.cli.story_proof import CASE, Traced
from gateway.exchange.attesting import COSIGNATURE, TIMESTAMP
from gateway.wiring.demo import World

CONTAINER = "evidence.asice"
"""The container, in the demo's folder."""

_TOOLS = ("openssl", "xmlsec1", "go")
_PATIENCE = 30.0


class Packed(Struct, frozen=True, kw_only=True):
    """A container that was written, and then verified: by these commands."""

    exported: Ran
    verified: Ran


async def pack(world: World, traced: Traced) -> Packed:
    """Export the exchange that the auditor found, and verify the container offline."""
    files, container = world.files, world.files.folder / CONTAINER
    await _attested(world, traced.index)
    await asyncio.to_thread(container.unlink, missing_ok=True)
    who = reading(world, case=CASE, reason="Chuyển hồ sơ cho tòa án")
    exported = await motlan("evidence", "export", traced.id, *who, "--out", container, "--json")
    signers = [each for file in files.signers for each in ("--signer", file)]
    trust = ("--trust", files.trust_list, *signers, "--required", "2", "--tsa-ca", files.root)
    witness = ("--witness", world.witness.key.encode(), "--quorum", "1")
    verified = await motlan("evidence", "verify", container, *trust, *witness, "--json")
    return Packed(exported=exported, verified=verified)


async def court(teller: Teller, packed: Packed) -> None:
    """What the container is, and what it proves."""
    teller.scene("For a court, with other people's tools", "Trước tòa, bằng công cụ của bên thứ ba")
    exported, verified = packed.exported, packed.verified
    names, tools = await asyncio.to_thread(_inside, teller.world.files.folder / CONTAINER)
    teller.step(
        exported.code == 0 and exported.values.get("log_stamped") is True and set(_TOOLS) <= set(tools),
        f"evidence export: {CONTAINER}, {len(names)} files; VERIFY.md in it checks them with {', '.join(tools)}",
        f"evidence export: {CONTAINER}, {len(names)} tệp; VERIFY.md bên trong kiểm bằng {', '.join(tools)}",
        by=(exported,),
    )
    verdicts = [each["verdict"] for each in verified.values.get("findings", ())]
    proved, failed = verdicts.count("proved"), verdicts.count("failed")
    teller.step(
        verified.code == 0 and proved > 0 and failed == 0,
        f"evidence verify, offline: {proved} things proved (who asked, when, under which grant …), none in doubt",
        f"evidence verify, ngoại tuyến: {proved} điều đúng (ai hỏi, lúc nào, theo quyền nào …), không điều nào sai",
        by=(verified,),
    )


async def _attested(world: World, index: int) -> None:
    """Wait until the authority has stamped, and the witness has cosigned, one checkpoint that covers an entry."""
    log = world.gateway.core.store.log
    with suppress(TimeoutError):  # the container then says what is missing
        async with asyncio.timeout(_PATIENCE):
            while True:
                kept = [await log.attestations(kind, size=index + 1) for kind in (TIMESTAMP, COSIGNATURE)]
                if set.intersection(*({each.size for each in of_a_kind} for of_a_kind in kept)):
                    return
                await asyncio.sleep(0.05)


def _inside(container: Path) -> tuple[list[str], list[str]]:
    """The container's files, and the tools of others that its guide names."""
    if not container.exists():
        return [], []
    with zipfile.ZipFile(container) as opened:
        guide = opened.read("VERIFY.md").decode()
        return opened.namelist(), [tool for tool in _TOOLS if re.search(rf"^\s*{tool}\b", guide, re.MULTILINE)]
