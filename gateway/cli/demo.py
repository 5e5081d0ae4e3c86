"""``motlan demo``: the story, played on a real gateway between simulated agencies."""

import asyncio
import json
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import click

from gateway.cli.output import example, fail, language, say, verb
from gateway.cli.story import Scene, Step, Teller, Told
from gateway.cli.story_attacks import wiretap
from gateway.cli.story_citizen import accesses
from gateway.cli.story_commands import keep
from gateway.cli.story_evidence import court, pack
from gateway.cli.story_log import finding, verification
from gateway.cli.story_page import render
from gateway.cli.story_proof import neighbour, proof, spared, who_looked
from gateway.cli.story_scenes import birth, browsing, freezing, refusals
from gateway.cli.story_soap import languages
from gateway.cli.story_witness import watching
from gateway.model.errors import ExchangeError
from gateway.wiring.demo import BIRTH, CITIZEN, PORTAL, UNGRANTED, Client, DemoError, World, demo_world
from gateway.wiring.demo_copies import back_up

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
            _leave(world)
            _finish(world, told, page, serve=serve)
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
        backup = await asyncio.to_thread(back_up, world)
        await refusals(teller, stranger, wire)
        curious = await browsing(teller, client)
        await languages(teller, client)
        await freezing(teller, client)
        found = await finding(teller, curious, registrar)
        await _prove(teller, client)
        await verification(teller, found)
        await watching(teller, backup, index=found.index if found is not None and found.index is not None else 0)
    return teller.told


async def _prove(teller: Teller, client: Client) -> None:
    """What the auditor and the neighbour find, and a court gets. The container is made while the others are told."""
    world, seen = teller.world, neighbour(teller.world)
    traced = await who_looked(teller, seen)
    if traced is None:
        return
    packing = asyncio.create_task(pack(world, traced))
    try:
        await proof(teller, seen, traced)
        await accesses(teller, client, seen=seen, spared=spared(world))
        await court(teller, await packing)
    finally:
        packing.cancel()


def _say(tongue: str) -> Callable[[Scene | Step], None]:
    number = 0

    def say_one(one: Scene | Step) -> None:
        nonlocal number
        if isinstance(one, Scene):
            number += 1
            click.secho(f"\n{number}. {one.title.in_language(tongue)}", bold=True)
        elif not (one.ok and one.aside):
            tick = click.style("✓", fg="green") if one.ok else click.style("✗", fg="red", bold=True)
            click.echo(f"  {tick} {one.text.in_language(tongue)}")

    return say_one


def _write_page(world: World, told: Told) -> Path:
    """The page names people, made up though they are: for the owner's eyes, like everything else here."""
    page = world.files.folder / "story.html"
    procedure = world.gateway.settings.procedures[BIRTH.code]
    keep(page, render(told, procedure, language()).encode())
    return page


def _leave(world: World) -> None:
    """What a reader needs to go on by hand (docs/demo.md): a neighbour's number, and the keys to verify with."""
    folder = world.files.folder
    keep(folder / "neighbour", f"{neighbour(world)}\n".encode())
    keep(folder / "log.vkey", f"{world.vkey}\n".encode())
    keep(folder / "witness.vkey", f"{world.witness.key.encode()}\n".encode())


def _finish(world: World, told: Told, page: Path, *, serve: bool) -> None:
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
    if serve:
        return
    click.echo(
        say(
            "What the auditor, the court and the witness have is there to be tried by hand: docs/demo.md",
            "Những gì kiểm toán viên, tòa án và bên chứng kiến nhận được vẫn còn đó để tự tay thử: docs/demo.md",
        )
    )
    click.echo(
        say(
            "Next: motlan demo --serve   (the gateway stays up, with a call to try)",
            "Tiếp theo: motlan demo --serve   (giữ cổng chạy, kèm lệnh gọi thử)",
        )
    )


def _invite(world: World) -> None:
    """URLs, a call that is answered and proved, and one that is refused."""
    files, identity = world.files, world.files.identity(PORTAL)
    ask = files.folder / "ask.json"
    keep(ask, json.dumps({"identity_number": world.people.story.father.identity_number}).encode() + b"\n")
    service = f"{world.url}/r1/{CITIZEN}"
    click.echo()
    click.secho(say("The gateway is up (Ctrl-C stops it)", "Cổng đang chạy (Ctrl-C để dừng)"), bold=True)
    click.echo(f"  {world.url}   {world.gateway.admin_url}/readyz   {world.url}/log/checkpoint")
    click.echo(say(f"  For programs: {files.contract}", f"  Cho chương trình: {files.contract}"))
    click.echo(say("A call, and the proof that the log has it:", "Gọi thử, kèm bằng chứng nhật ký đã ghi:"))
    click.echo(
        f"  motlan call POST {service} -d @{ask} --as {PORTAL} --key {identity.key} --cert {identity.certificate}"
        f" --gateway-cert {files.gateway_certificate} --ca {files.authorities} --purpose {BIRTH.code}"
        f" --officer {world.desk.officer('ht.ban')} --case {world.desk.case('00.H24')}"
        f" --receipt {files.folder / 'answer.tlog-proof'} --vkey {world.vkey}"
    )
    click.echo(say("Without a signature, it is refused:", "Không có chữ ký thì bị từ chối:"))
    click.echo(
        f"  curl --cacert {files.authorities} -H 'X-Road-Client: {PORTAL}' -H 'Content-Type: application/json'"
        f" -d @{ask} {service}"
    )
