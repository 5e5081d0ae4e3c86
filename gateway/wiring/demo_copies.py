"""Copies of the demo's database and configuration, for what an attacker or a mishap makes of them."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from gateway.config.demo import write_demo
from gateway.storage.sqlite.tampering import edited_copy, plain_copy
from gateway.wiring.demo import World
from gateway.wiring.demo_files import free_ports
from gateway.wiring.gateway import Gateway

DATABASE = "motlan.sqlite"


def back_up(world: World) -> Path:
    """Copy the database as it is now; the copy's path."""
    copy = world.files.folder / "backup.sqlite"
    copy.unlink(missing_ok=True)
    plain_copy(world.files.state / DATABASE, copy)
    return copy


def edited(world: World, seq: int, change: tuple[bytes, bytes]) -> Path:
    """A configuration in ``edited/`` with a copy of the database in which somebody edited the public part of a record;
    its gateway.toml. seq: the record's commit number. change: what stands in it, and what is to.
    """
    folder = _folder(world, "edited")
    edited_copy(world.files.state / DATABASE, folder / "state" / DATABASE, seq, *change)
    return write_demo(folder / "config", {**world.variables, "state": folder / "state"})


@asynccontextmanager
async def restored(world: World, backup: Path) -> AsyncIterator[Gateway]:
    """The gateway as it is after somebody put an old backup of its database in place: beside the other one, on ports
    of its own, and gone afterwards.
    """
    folder = _folder(world, "restored")
    shutil.move(backup, folder / "state" / DATABASE)
    port, admin = free_ports()
    own: dict[str, str | int | Path] = {"state": folder / "state", "gateway_port": port, "admin_port": admin}
    gateway = await Gateway.start(write_demo(folder / "config", {**world.variables, **own}))
    try:
        yield gateway
    finally:
        await gateway.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _folder(world: World, name: str) -> Path:
    """A new folder with what a gateway needs beside its database."""
    folder = world.files.folder / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    shutil.copytree(
        world.files.state, folder / "state", ignore=shutil.ignore_patterns(f"{DATABASE}*", "witness.json", "*.pem")
    )
    return folder
