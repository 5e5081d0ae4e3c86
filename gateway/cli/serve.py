"""``motlan serve``: runs a gateway, in one process or several on one database."""

import asyncio
import contextlib
import gc
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click
import structlog

from gateway.cli.output import verb
from gateway.cli.values import now
from gateway.config.load import load
from gateway.exchange.siblings import SECRET_BYTES, Siblings
from gateway.model.errors import ExchangeError
from gateway.model.errors.gateway import RECORD_FAILED
from gateway.model.instant import vietnam_day
from gateway.model.storage import JournalUnavailableError
from gateway.wiring.gateway import Gateway

_RESTART_SECONDS = 1.0
_COLLECT_AFTER = 50_000
"""Objects between collections: the hot path makes few cycles, and each collection visits all that lives."""


@click.command(epilog="Example:  motlan serve --config config/gateway.toml")
@click.option("--config", "file", required=True, type=click.Path(path_type=Path, dir_okay=False), help="gateway.toml")
@click.option("--worker", type=int, hidden=True, help="Which of several processes this is; their secret is on stdin.")
@verb
def serve(file: Path, worker: int | None) -> None:
    """Run a gateway until SIGTERM or SIGINT; SIGHUP takes up a changed trust list, policy and services."""
    settings = load(file)
    configure_logging(settings.logging.level)
    if worker is None and settings.gateway.workers > 1:
        sys.exit(_supervise(file, settings.gateway.workers))
    siblings = None if worker is None else Siblings.parse(sys.stdin.readline())
    _loop(_run(file, worker or 0, siblings))


def configure_logging(level: str) -> None:
    """JSON lines on standard error, from this level on."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(level),
        processors=[
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.add_log_level,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )


def _loop(main: object) -> None:
    try:
        import uvloop  # noqa: PLC0415 - not there on Windows

        run: Callable[..., None] = uvloop.run
    except ModuleNotFoundError:
        run = asyncio.run
    run(main)


async def _run(file: Path, worker: int, siblings: Siblings | None) -> None:
    log = structlog.get_logger("motlan")
    gateway = await Gateway.start(file, worker=worker, siblings=siblings)
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    # The loop's own way would write the text of an exception that nobody took, and it may quote a message.
    loop.set_exception_handler(lambda _, context: gateway.observer.failed(context.get("exception") or RuntimeError()))
    reloading: set[asyncio.Task[None]] = set()

    async def reload() -> None:
        try:
            await gateway.reload()
            log.info("reloaded", trust_list=gateway.pipeline.rules.trust.document.serial)
        except ExchangeError as error:
            log.warning("not reloaded; what was in force stays", code=error.kind.code, detail=error.detail)
        except JournalUnavailableError as error:  # a change that cannot be recorded does not come into force
            log.warning("not reloaded; what was in force stays", code=RECORD_FAILED.code, detail=str(error))

    def hang_up() -> None:
        task = loop.create_task(reload())
        reloading.add(task)
        task.add_done_callback(reloading.discard)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, hang_up)
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, 20, 20)
    if siblings is not None:
        loop.add_reader(sys.stdin.fileno(), stop.set)  # nothing more comes there but its end
    log.info("serving", url=gateway.url, admin=gateway.admin_url, worker=worker)
    await stop.wait()
    if siblings is not None:
        loop.remove_reader(sys.stdin.fileno())
    log.info("stopping", in_flight=gateway.edge.in_flight)
    await gateway.stop()


def _supervise(file: Path, workers: int) -> int:
    """Keep ``workers`` processes running; pass signals on. A worker that dies is started again; when this process
    dies, the workers' standard input ends, and they stop.
    """
    stopping = False
    processes: dict[int, subprocess.Popen[bytes]] = {}
    siblings = Siblings(vietnam_day(now()), secrets.token_bytes(SECRET_BYTES))

    def start(number: int) -> None:
        command = [sys.executable, "-m", "gateway.cli", "serve", "--config", str(file), "--worker", str(number)]
        processes[number] = subprocess.Popen(command, stdin=subprocess.PIPE)  # noqa: S603 - our own program
        stdin = processes[number].stdin
        assert stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it died at once; it will be started again
            stdin.write(f"{siblings.inherited(vietnam_day(now()))}\n".encode())
            stdin.flush()

    def pass_on(number: int, _: object) -> None:
        nonlocal stopping
        stopping = stopping or number != signal.SIGHUP
        for process in processes.values():
            process.send_signal(number)

    for number in range(workers):
        start(number)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, pass_on)
    while not stopping:
        time.sleep(_RESTART_SECONDS)
        for number, process in list(processes.items()):
            if process.poll() is not None and not stopping:
                if process.returncode == 1:  # it refused to start, and said why
                    pass_on(signal.SIGTERM, None)
                    break
                start(number)
    return max((process.wait() for process in processes.values()), default=0)
