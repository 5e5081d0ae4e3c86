"""``motlan witness``: run a small witness for other agencies' logs, and make its key."""

import asyncio
import contextlib
import signal
from pathlib import Path
from typing import Any

import click

from gateway.cli.output import example, json_option, needs_gateway, note, print_json, say, verb, warn
from gateway.cli.values import File, NewFile
from gateway.ledger.note import KeyType, VerifierKey, parse_vkey
from gateway.model.errors import ExchangeError


@click.group(
    epilog=example(
        "motlan witness serve --listen 0.0.0.0:8460 --key witness.key.pem --state witness.json \\",
        "  --log 'gateway.example/log+4fd3…+AZ…'",
    )
)
def witness() -> None:
    """Watch other agencies' logs: cosign what extends what was seen before, and nothing else."""


@witness.command("key", epilog=example("motlan witness key witness.example/w1 --out witness.key.pem"))
@click.argument("name")
@click.option("--out", required=True, type=NewFile, help="The private key's file, PEM; it is not replaced.")
@json_option
@verb
def key_(name: str, out: Path, *, as_json: bool) -> None:
    """Make a witness's key. NAME is its name in cosignatures: a host and path, without scheme.

    Prints the verifier key, which goes into the witness policy of those who are watched; it is kept beside the private
    key, with the suffix .vkey.
    """
    made = needs_gateway("gateway.wiring.witness").new_named_key(out, name, KeyType.COSIGNATURE)
    if as_json:
        print_json({"name": name, "key": str(out), "vkey": made.encode()})
        return
    click.echo(made.encode())
    note(
        f"for a witness policy:  witness NAME {made.encode()} https://HOST/",
        f"dòng cho tệp chính sách chứng kiến:  witness TÊN {made.encode()} https://MÁY_CHỦ/",
    )


@witness.command(
    epilog=example(
        "motlan witness serve --listen 0.0.0.0:8460 --key witness.key.pem --state witness.json \\",
        "  --log 'gateway.example/log+4fd3…+AZ…'",
    )
)
@click.option("--listen", required=True, metavar="HOST:PORT", help="Where to listen; port 0 takes a free one.")
@click.option("--key", required=True, type=File, help="The witness's private key (motlan witness key).")
@click.option("--name", help="The key's name, if no .vkey file stands beside it.")
@click.option("--state", required=True, type=NewFile, help="What it has cosigned is kept here. Never lose it.")
@click.option(
    "--log",
    "logs",
    multiple=True,
    required=True,
    metavar="VKEY[@ORIGIN]",
    help="A log to watch, by its verifier key; two of one origin while a log changes its key.",
)
@click.option("--tls-certificate", type=File, help="PEM, with the CAs below the root; needs --tls-key.")
@click.option("--tls-key", type=File, help="Its private key, PEM.")
@verb
def serve(**options: Any) -> None:
    """Run a witness (C2SP tlog-witness) until SIGTERM or SIGINT: POST /add-checkpoint.

    It stores what it has seen before it signs, never signs a smaller or another history, and may be killed at any time.
    """
    if (options["tls_certificate"] is None) != (options["tls_key"] is None):
        raise click.UsageError("--tls-certificate and --tls-key belong together")
    wiring = needs_gateway("gateway.wiring.witness")
    host, port = _address(options["listen"])
    if not options["state"].exists():
        warn(
            f"{options['state']} is new: this witness remembers nothing of what its key may have cosigned before",
            f"{options['state']} là tệp mới: bên chứng kiến không nhớ gì về những điểm kiểm mà khóa này từng đồng ký",
        )
    plan = wiring.WitnessPlan(
        host=host,
        port=port,
        key=options["key"],
        name=options["name"] or _name(wiring, options["key"]),
        state=options["state"],
        logs=_logs(options["logs"]),
        tls=None if options["tls_key"] is None else (options["tls_certificate"], options["tls_key"]),
        failed=_failed,
    )
    asyncio.run(_serve(wiring, plan))


async def _serve(wiring: Any, plan: Any) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    async with wiring.running_witness(plan) as running:
        for number in (signal.SIGTERM, signal.SIGINT):
            with contextlib.suppress(NotImplementedError):  # Windows has no signal handlers of the loop
                loop.add_signal_handler(number, stop.set)
        note(
            f"witness {running.key.name} listening on {running.url}",
            f"bên chứng kiến {running.key.name} đang nghe tại {running.url}",
        )
        await stop.wait()


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal():
        raise click.UsageError("--listen is HOST:PORT, for instance 0.0.0.0:8460")
    return host.strip("[]"), int(port)


def _name(wiring: Any, key: Path) -> str:
    try:
        return str(wiring.named_beside(key))
    except OSError:
        raise click.UsageError(
            say("give --name: there is no .vkey file beside the key", "cần --name: không có tệp .vkey bên cạnh khóa")
        ) from None


def _logs(texts: tuple[str, ...]) -> dict[str, tuple[VerifierKey, ...]]:
    logs: dict[str, tuple[VerifierKey, ...]] = {}
    for text in texts:
        vkey, _, origin = text.partition("@")
        try:
            key = parse_vkey(vkey)
        except ExchangeError as error:
            raise click.UsageError(f"--log: {error.detail}") from error
        if key.type is not KeyType.ED25519:
            raise click.UsageError("--log: this is a witness's key, not a log's")
        logs[origin or key.name] = (*logs.get(origin or key.name, ()), key)
    return logs


def _failed(error: BaseException) -> None:
    note(f"an error of the witness's own: {type(error).__name__}", f"lỗi nội bộ: {type(error).__name__}")
