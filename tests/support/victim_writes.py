"""A process that is killed in the middle of one write: ``python -m tests.support.victim_writes DATABASE WRITE FAILPOINT``.

It kills itself with SIGKILL at the failpoint.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from gateway.model import failpoints
from gateway.storage.sqlite.store import SqliteStore
from tests.support.faulting_world import WRITES, World


async def run(database: str, write: str, failpoint: str) -> None:
    world = World(SqliteStore(Path(database)))

    def hook(reached: str) -> None:
        if reached == failpoint:
            os.kill(os.getpid(), signal.SIGKILL)

    failpoints.set_hook(hook)
    await WRITES[write][0](world)
    await world.store.close()


if __name__ == "__main__":
    asyncio.run(run(*sys.argv[1:]))
