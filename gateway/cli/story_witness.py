"""The end of the last scene: a witness of another agency, and what it does when the log is rewritten or cut."""

import asyncio
import urllib.request
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from urllib.error import HTTPError

from gateway.cli.story import Teller
from gateway.cli.story_commands import Ran, motlan
from gateway.cli.story_log import fetcher
from gateway.exchange.witnessing import WITNESS_AHEAD
from gateway.ledger.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from gateway.ledger.merkle import consistency_proof, leaf_hash, root
from gateway.ledger.note import parse_vkey
from gateway.ledger.witness import ADD_CHECKPOINT, AddCheckpoint
from gateway.wiring.attesting import ed25519_key
from gateway.wiring.demo import World
from gateway.wiring.demo_copies import restored

COPY = "copy"
"""The second copy of the log, in the demo's folder."""

_PATIENCE = 30.0
_ATTEMPTS = 5


async def watching(teller: Teller, backup: Path, *, index: int) -> None:
    """backup: of the database, from the story's beginning. index: the entry that the operator would rather not have."""
    world = teller.world
    size, _ = await world.gateway.core.store.log.state()
    mirrored = await _mirrored(world, size)
    copied = mirrored.values.get("size", 0)
    teller.step(
        mirrored.code == 0 and copied >= size,
        f"Huế's witness, a process of its own, has cosigned {copied} records; log mirror copies only what it has",
        f"Bên chứng kiến của Huế, tiến trình riêng, đã đồng ký {copied} bản ghi; log mirror chỉ sao phần đã đồng ký",
        by=(mirrored,),
    )
    status = await _rewritten(world, index)
    teller.step(
        status == HTTPStatus.UNPROCESSABLE_ENTITY,
        f"The operator rewrites entry {index} and signs all anew, with the right key: the witness refuses ({status})",
        f"Đơn vị vận hành viết lại mục {index} rồi ký lại bằng đúng khóa: bên chứng kiến từ chối ({status})",
    )
    alarms = await _alarms_of(world, backup)
    teller.step(
        alarms > 0,
        f"An old backup is put in place of the log: alarm {WITNESS_AHEAD}, for the witness remembers more",
        f"Thay nhật ký bằng một bản sao lưu cũ: báo động {WITNESS_AHEAD}, vì bên chứng kiến nhớ nhiều hơn",
    )


async def _mirrored(world: World, size: int) -> Ran:
    """The second copy, once the witness has cosigned so many records."""
    fetch, keys = fetcher(f"{world.url}/log", world.files.authorities), (parse_vkey(world.vkey),)

    def cosigned() -> int:
        try:
            return open_checkpoint(fetch("checkpoint.cosigned"), keys, witnesses=(world.witness.key,)).checkpoint.size
        except HTTPError:  # nothing yet
            return -1

    with suppress(TimeoutError):  # the command then says what is wrong
        async with asyncio.timeout(_PATIENCE):
            while await asyncio.to_thread(cosigned) < size:  # noqa: ASYNC110 - the witness's word is asked for, not told
                await asyncio.sleep(0.05)
    by = ("--vkey", world.vkey, "--witness", world.witness.key.encode(), "--quorum", "1")
    copy = world.files.folder / COPY
    return await motlan("log", "mirror", f"{world.url}/log", copy, *by, "--ca", world.files.authorities, "--json")


async def _rewritten(world: World, index: int) -> int:
    """What the witness answers to another history under the log's own key, with the best proof that there is for it."""
    log, signer = world.gateway.core.store.log, ed25519_key(world.files.log_key, world.gateway.log_key.name)
    old = 0
    status = 0
    for _ in range(_ATTEMPTS):
        size, _ = await log.state()
        entries = list(await log.entries(0, size))
        entries[index] = bytes(len(entries[index]))
        leaves = [leaf_hash(entry) for entry in (*entries, entries[0])]  # one more, so that it is not older
        head = Checkpoint(signer.key.name, len(leaves), root(leaves))
        asked = AddCheckpoint(old, _proof(old, leaves), sign_checkpoint(head, signer.key, signer.sign))
        status, said = await asyncio.to_thread(_ask, f"{world.witness.url}/{ADD_CHECKPOINT}", asked.encode())
        if status != HTTPStatus.CONFLICT:
            break
        old = int(said)  # it says what it has cosigned last
    return status


def _proof(old: int, leaves: list[bytes]) -> tuple[bytes, ...]:
    def node(level: int, number: int) -> bytes:
        return root(leaves[number << level : (number + 1) << level])

    return tuple(consistency_proof(old, len(leaves), node))


def _ask(url: str, body: bytes) -> tuple[int, bytes]:
    request = urllib.request.Request(url, data=body, headers={"Content-Type": "text/plain"})  # noqa: S310 - our witness
    try:
        with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:  # noqa: S310 - the same
            return answer.status, answer.read()
    except HTTPError as error:
        return error.code, error.read()


async def _alarms_of(world: World, backup: Path) -> int:
    """How often a gateway on the old backup has raised the alarm, as its operator reads it."""
    async with restored(world, backup) as gateway:
        found = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                while not (found := await asyncio.to_thread(_counted, f"{gateway.admin_url}/metrics")):  # noqa: ASYNC110 - as above
                    await asyncio.sleep(0.05)
        return found


def _counted(url: str) -> int:
    with urllib.request.urlopen(url, timeout=_PATIENCE) as answer:  # noqa: S310 - the operator's own
        lines = answer.read().decode().splitlines()
    start = f'motlan_alarms_total{{code="{WITNESS_AHEAD}"}} '
    return next((int(float(line.removeprefix(start))) for line in lines if line.startswith(start)), 0)
