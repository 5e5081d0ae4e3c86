"""``motlan demo``: the story, played on a real gateway between simulated agencies."""

import asyncio
import json
import os
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import click

from gateway.cli.output import example, fail, language, say, verb
from gateway.cli.story import Scene, Step, Teller, Told
from gateway.cli.story_attacks import wiretap
from gateway.cli.story_log import finding, verification
from gateway.cli.story_page import render
from gateway.cli.story_proof import proof
from gateway.cli.story_scenes import birth, browsing, freezing, refusals
from gateway.cli.story_soap import languages
from gateway.model.errors import ExchangeError
from gateway.wiring.demo import BIRTH, CITIZEN, PORTAL, UNGRANTED, DemoError, World, demo_world

DEFAULT_FOLDER = Path("var/demo")
_INTERRUPTED = 130


@click.command(epilog=example("motlan demo --serve --port 8443"))
@click.option(
    "--dir",
    "folder",
    default=DEFAULT_FOLDER,
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Where it keeps keys, configuration, log and page.",
)
@click.option("--port", type=click.IntRange(1, 65_535), help="The gateway's port; otherwise a free one.")
@click.option("--serve", is_flag=True, help="Stay up after the story, for calls of your own.")
@verb
def demo(folder: Path, port: int | None, *, serve: bool) -> None:
    """Start simulated agencies and a gateway on this machine, play the story, write DIR/story.html."""
    try:
        code = _loop(_demo(folder, port, serve=serve))
    except DemoError as error:
        raise click.ClickException(error.text.in_language(language())) from error
    raise click.exceptions.Exit(code)


def _loop(main: Coroutine[Any, Any, int]) -> int:
    try:
        import uvloop  # noqa: PLC0415 - not there on Windows

        run: Callable[[Coroutine[Any, Any, int]], int] = uvloop.run
    except ModuleNotFoundError:
        run = asyncio.run
    return run(main)


async def _demo(folder: Path, port: int | None, *, serve: bool) -> int:
    loop, task, stop = asyncio.get_running_loop(), asyncio.current_task(), asyncio.Event()
    assert task is not None
    reloading: list[asyncio.Task[None]] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    try:
        async with demo_world(folder, port=port, log=True) as world:
            told = await _play(world)
            page = _write_page(world, told)
            world.publish()
            _finish(world, told, page)
            if serve:
                for number in (signal.SIGINT, signal.SIGTERM):
                    loop.add_signal_handler(number, stop.set)
                loop.add_signal_handler(signal.SIGHUP, lambda: reloading.append(loop.create_task(_reload(world))))
                _invite(world)
                await stop.wait()
                click.echo(say("Stopped.", "Đã dừng."))
            return 0 if told.ok else 1
    except asyncio.CancelledError:
        return _INTERRUPTED


async def _reload(world: World) -> None:
    """As ``motlan serve`` does on SIGHUP."""
    try:
        await world.gateway.reload()
        click.echo(
            say("Reloaded: trust list, policy, services.", "Đã nạp lại: danh sách tin cậy, chính sách, dịch vụ.")
        )
    except ExchangeError as error:
        fail(error)


async def _play(world: World) -> Told:
    click.secho(say("Motlan: told once, not again", "Motlan: khai một lần"), bold=True)
    click.echo(
        say(
            f"Simulated agencies, a real gateway: {world.url}. Everything is kept in {world.files.folder}",
            f"Cơ quan mô phỏng, cổng thật: {world.url}. Mọi thứ nằm trong {world.files.folder}",
        )
    )
    tongue = language()
    teller = Teller(world, tongue, _say(tongue))
    async with (
        world.client(PORTAL, language=tongue) as client,
        world.client(UNGRANTED, language=tongue) as stranger,
        wiretap(world, PORTAL, tongue) as wire,
    ):
        registrar = await birth(teller, client)
        await refusals(teller, stranger, wire)
        curious = await browsing(teller, client)
        found = await finding(teller, curious, registrar)
        await languages(teller, client)
        await freezing(teller, client)
        await proof(teller, world.people.story.neighbours[0].identity_number)
        await verification(teller, found)
    return teller.told


def _say(tongue: str) -> Callable[[Scene | Step], None]:
    number = 0

    def say_one(one: Scene | Step) -> None:
        nonlocal number
        if isinstance(one, Scene):
            number += 1
            click.secho(f"\n{number}. {one.title.in_language(tongue)}", bold=True)
        else:
            tick = click.style("✓", fg="green") if one.ok else click.style("✗", fg="red", bold=True)
            click.echo(f"  {tick} {one.text.in_language(tongue)}")

    return say_one


def _write_page(world: World, told: Told) -> Path:
    """The page names people, made up though they are: for the owner's eyes, like everything else here."""
    page = world.files.folder / "story.html"
    procedure = world.gateway.settings.procedures[BIRTH.code]
    _write(page, render(told, procedure, language()))
    return page


def _finish(world: World, told: Told, page: Path) -> None:
    saved, fields = told.form["not_typed"], len(told.form["elements"])
    click.echo()
    click.secho(
        say(
            f"The citizen did not have to type {saved} of {fields} fields.",
            f"Người dân không phải khai lại {saved} trên {fields} trường.",
        ),
        bold=True,
    )
    click.echo(say(f"The whole story as a page: {page}", f"Toàn bộ câu chuyện trên một trang: {page}"))
    if not told.ok:
        click.secho(
            say(
                f"Not everything turned out as told: see ✗ above, and {world.files.folder}/gateway.log.",
                f"Có bước không đúng như mô tả: xem dấu ✗ ở trên và {world.files.folder}/gateway.log.",
            ),
            fg="red",
        )
    click.echo(
        say(
            "Next: motlan demo --serve   (the gateway stays up, with a call to try)",
            "Tiếp theo: motlan demo --serve   (giữ cổng chạy, kèm lệnh gọi thử)",
        )
    )


def _invite(world: World) -> None:
    """URLs, a call that is answered and one that is refused."""
    files, identity = world.files, world.files.identity(PORTAL)
    ask = files.folder / "ask.json"
    _write(ask, json.dumps({"identity_number": world.people.story.father.identity_number}) + "\n")
    service = f"{world.url}/r1/{CITIZEN}"
    click.echo()
    click.secho(say("The gateway is up (Ctrl-C stops it)", "Cổng đang chạy (Ctrl-C để dừng)"), bold=True)
    click.echo(f"  {world.url}   {world.gateway.admin_url}/readyz   {world.url}/log/checkpoint")
    click.echo(say(f"  For programs: {files.contract}", f"  Cho chương trình: {files.contract}"))
    click.echo(say("A call:", "Gọi thử:"))
    click.echo(
        f"  motlan call POST {service} -d @{ask} --as {PORTAL} --key {identity.key} --cert {identity.certificate}"
        f" --gateway-cert {files.gateway_certificate} --ca {files.authorities} --purpose {BIRTH.code}"
        f" --officer {world.desk.officer('ht.ban')} --case {world.desk.case('00.H24')}"
    )
    click.echo(say("Without a signature, it is refused:", "Không có chữ ký thì bị từ chối:"))
    click.echo(
        f"  curl --cacert {files.authorities} -H 'X-Road-Client: {PORTAL}' -H 'Content-Type: application/json'"
        f" -d @{ask} {service}"
    )


def _write(path: Path, text: str) -> None:
    """For the owner only."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
