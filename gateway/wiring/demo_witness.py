"""The demo's witness: another agency's ``motlan witness serve``, a process of its own that holds its own key."""

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from msgspec import Struct

from gateway.ledger.note import KeyType, VerifierKey, parse_vkey
from gateway.model.errors.base import Text
from gateway.wiring.demo_files import DemoError
from gateway.wiring.witness import new_named_key

NAME: Final = "witness.hue.example/w1"
"""Its key's name: Huế watches the log of those who run the gateway."""

KEY: Final = "witness.key.pem"
"""Its private key's file."""

_LISTENING = b"listening on "
_START_SECONDS = 20.0
_STOP_SECONDS = 5.0


class DemoWitness(Struct, frozen=True, kw_only=True):
    """The witness that is up. url: its submission prefix. key: that it cosigns with. pid: of its process."""

    url: str
    key: VerifierKey
    pid: int


@asynccontextmanager
async def running_beside(folder: Path, log: VerifierKey) -> AsyncIterator[DemoWitness]:
    """Run it on a free port of this machine, with key and memory in ``folder`` (made, or found), and write the policy
    there that makes one gateway need its cosignature (``witnesses.policy``).

    Raises DemoError if it does not start.
    """
    key = _key(folder)
    files = ("--key", folder / KEY, "--state", folder / "witness.json")
    arguments = ("--listen", "127.0.0.1:0", *files, "--log", log.encode())
    command = ("-m", "gateway.cli", "--lang", "en", "witness", "serve", *map(str, arguments))
    process = await asyncio.create_subprocess_exec(sys.executable, *command, stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE)
    try:
        url = await _url(process)
        policy = f"log {log.encode()}\nwitness hue {key.encode()} {url}/\nquorum hue\n"
        (folder / "witnesses.policy").write_text(policy, encoding="utf-8")
        yield DemoWitness(url=url, key=key, pid=process.pid)
    finally:
        await _stop(process)


def _key(folder: Path) -> VerifierKey:
    """Made once."""
    folder.mkdir(mode=0o700, exist_ok=True)
    file = folder / KEY
    known = file.with_suffix(".vkey")
    if not known.exists():
        file.unlink(missing_ok=True)  # of a run that died between the two
        return new_named_key(file, NAME, KeyType.COSIGNATURE)
    return parse_vkey(known.read_text(encoding="utf-8").strip())


async def _url(process: Process) -> str:
    """Where it says that it listens."""
    assert process.stderr is not None
    said: list[str] = []
    with suppress(TimeoutError):
        async with asyncio.timeout(_START_SECONDS):
            async for line in process.stderr:
                if _LISTENING in line:
                    return line.partition(_LISTENING)[2].decode().strip()
                said.append(line.decode(errors="replace").strip())
    what = "; ".join(line for line in said if not line.startswith("→"))
    raise DemoError(
        Text(
            f"The demo's witness did not start ({what}): stop the one of a demo that was killed, if it still runs.",
            f"Bên chứng kiến của bản chạy thử không khởi động ({what}): nếu bên chứng kiến của một lần chạy bị ngắt đột"
            " ngột vẫn còn, hãy dừng nó.",
        )
    )


async def _stop(process: Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
