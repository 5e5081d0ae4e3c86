"""Our own commands, run by the demo as anybody runs them: in a process of their own, with files and options alone."""

import asyncio
import json
import os
import shlex
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

from msgspec import Struct

from gateway.wiring.demo import World

AUDITOR = "kiem-toan.01"
"""Who reads, in the demo."""

_SECONDS = 60.0


class Ran(Struct, frozen=True, kw_only=True):
    """A command that has ended. line: as it is typed. code: its exit code. out, err: what it printed."""

    line: str
    code: int
    out: str
    err: str

    @property
    def values(self) -> dict[str, Any]:
        """What it printed with ``--json``; nothing where that is no JSON object."""
        try:
            found = json.loads(self.out)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def why(self) -> str:
        """Its last words, for people who look for what went wrong."""
        return next((line.strip() for line in reversed((self.err or self.out).splitlines()) if line.strip()), "")


async def motlan(*arguments: str | Path, stdin: str = "", language: str = "en") -> Ran:
    """Run ``motlan ARGUMENTS``. stdin: what it reads there, such as a person's number, which no command line shows."""
    words = [str(each) for each in arguments]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway.cli", "--lang", language, *words, stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    try:
        async with asyncio.timeout(_SECONDS):
            out, err = await process.communicate(stdin.encode())
    except BaseException:
        if process.returncode is None:
            process.kill()
            await process.wait()
        raise
    code = process.returncode
    assert code is not None
    return Ran(line=typed(*arguments), code=code, out=out.decode(), err=err.decode())


def typed(*arguments: str | Path) -> str:
    """The command as it is typed in the folder where the demo was started."""
    here = Path.cwd()
    words = [
        str(each.relative_to(here) if isinstance(each, Path) and each.is_relative_to(here) else each)
        for each in arguments
    ]
    return shlex.join(("motlan", *words))


def keep(file: Path, data: bytes) -> None:
    """Write a file of the demo's for its owner only: it names people."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as opened:
        opened.write(data)


def reading(world: World, *, case: str, reason: str) -> tuple[str | Path, ...]:
    """Who reads, and why: what every command wants that reads records."""
    files = world.files
    who = ("--auditor", AUDITOR, "--case", case, "--reason", reason)
    return ("--config", files.config, "--auditor-key", files.auditor_key, *who)
