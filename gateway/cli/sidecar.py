"""``motlan sidecar``: plain HTTP and SOAP in from this machine, signed calls out."""

import asyncio
import contextlib
import functools
import signal
from pathlib import Path
from typing import Any

import aiohttp
import click
from aiohttp import web
from msgspec import Struct

from gateway.cli.output import example, language, note, say, verb
from gateway.cli.values import SERVICE, SUBSYSTEM, File, now, passphrase_of
from gateway.client import Scheme
from gateway.client.believed import Believed, CurrentKeys, KnownGateways, ListedGateways
from gateway.client.session import DEFAULT_SECONDS, Client, transport
from gateway.client.sidecar import Sidecar, check_gateway, check_loopback
from gateway.client.sidecar_settings import Plain, Settings, stated_purpose
from gateway.client.sidecar_soap import SoapSidecar
from gateway.keys.file import FileKey, load_certificates, load_public_key, load_signing_key
from gateway.model.errors import ExchangeError
from gateway.signing.xml import MAX_SIZE
from gateway.trust.document import Signers
from gateway.validation.mime import split

_MEBIBYTE = 1024 * 1024


@click.command(
    epilog=example(
        "motlan sidecar --listen 127.0.0.1:8080 --gateway https://gateway.example --as VN/GOV/H31/portal \\",
        "  --key sign.key.pem --cert sign.pem --ca ca.pem --trust list.jws --signer 1.pub.pem --signer 2.pub.pem \\",
        "  --required 2 --purpose 1.001193",
        'curl http://127.0.0.1:8080/r1/VN/GOV/G01/population/citizen -d @ask.json -H "Content-Type: application/json"',
        "",
        "For a client of the population database that nobody can change, add to the command:",
        "  --service VN/GOV/G01/population/national --basis ND-63/2024 \\",
        "  --purpose-element MaDVC --officer-element MaCanBo",
        'curl http://127.0.0.1:8080/ -d @ask.xml -H "Content-Type: text/xml; charset=utf-8"',
    )
)
@click.option("--listen", required=True, metavar="HOST:PORT", help="A loopback address.")
@click.option("--gateway", required=True, metavar="URL", help="The gateway's public URL.")
@click.option("--as", "subsystem", required=True, type=SUBSYSTEM, help="In whose name calls are signed.")
@click.option("--key", required=True, type=File, help="Its private key, PEM.")
@click.option("--cert", required=True, type=File, help="The key's certificate, PEM.")
@click.option("--ca", type=File, help="CA certificates for TLS.")
@click.option("--trust", type=File, help="The trust list; its gateways are believed. Needs --signer and --required.")
@click.option("--signer", "signers", multiple=True, type=File, help="Public key of a signer of the trust list, PEM.")
@click.option("--required", type=click.IntRange(min=1), default=1, show_default=True, help="How many must have signed.")
@click.option("--gateway-cert", multiple=True, type=File, help="Or: the certificate that the gateway signs with.")
@click.option("--service", type=SERVICE, help="Called by envelopes to / and /soap that have no X-Road header blocks.")
@click.option("--purpose", metavar="CODE", help="Procedure of calls that state none.")
@click.option("--basis", help="Its legal basis, and of procedures that --purpose-element finds.")
@click.option("--officer", metavar="ID", help="Officer of calls that name none.")
@click.option(
    "--purpose-element", metavar="PATH", help="Element of a plain SOAP request that holds the procedure code."
)
@click.option("--officer-element", metavar="PATH", help="Element that holds the officer.")
@click.option("--case-element", metavar="PATH", help="Element that holds the case.")
@click.option("--scheme", type=click.Choice([each.value for each in Scheme]), default=Scheme.HTTP_SIGNATURE.value)
@click.option(
    "--max-body",
    type=click.IntRange(min=1),
    default=16,
    show_default=True,
    help="Largest message, attachments included, MiB.",
)
@click.option("--seconds", type=float, default=DEFAULT_SECONDS, show_default=True, help="For a whole call.")
@verb
def sidecar(**options: Any) -> None:
    """Sign what programs on this machine send, and hand them only answers that are proved.

    /r1/… and /v1/… are REST. POST / and /soap take SOAP envelopes with X-Road header blocks; POST
    /soap/INSTANCE/CLASS/MEMBER/SUBSYSTEM/SERVICE takes plain ones, and adds the blocks. A PATH is names of elements
    with / between them, below the one in Body. Every program on this machine can call in the system's name: let nobody
    else log in there.
    """
    host, port = _address(options["listen"])
    key = load_signing_key(options["key"], options["cert"], passphrase=passphrase_of(options["key"]))
    plan = _Plan(settings=_settings(options), key=key, believed=_believed(options), options=options)
    asyncio.run(_serve(host, port, plan))


class _Plan(Struct, frozen=True, kw_only=True):
    """What a sidecar needs beside its address."""

    settings: Settings
    key: FileKey
    believed: Believed
    options: dict[str, Any]


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    try:
        return check_loopback(host.strip("[]")), int(port)
    except ValueError as error:
        raise click.UsageError(f"--listen: {error}") from error


def _believed(options: dict[str, Any]) -> Believed:
    if options["trust"] is not None and options["signers"]:
        signers = Signers(
            required=options["required"], keys=tuple(load_public_key(file) for file in options["signers"])
        )
        return ListedGateways(Path(options["trust"]), signers, now())
    if options["trust"] is None and options["gateway_cert"]:
        return KnownGateways(tuple(load_certificates(file)[0] for file in options["gateway_cert"]))
    raise click.UsageError(
        say("give --trust with --signer, or --gateway-cert", "cần --trust cùng --signer, hoặc --gateway-cert")
    )


def _settings(options: dict[str, Any]) -> Settings:
    try:
        plain = Plain(**{name: options[name] for name in Plain.__struct_fields__})
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    try:
        gateway = check_gateway(options["gateway"])
    except ValueError as error:
        raise click.UsageError(f"--gateway: {error}") from error
    return Settings(
        gateway=gateway,
        subsystem=options["subsystem"],
        purpose=stated_purpose(plain.purpose, plain.basis),
        officer=plain.officer,
        plain=plain,
        language=language(),
        limit=options["max_body"] * _MEBIBYTE,
        needs_service=options["scheme"] == Scheme.JWS.value,
    )


async def _serve(host: str, port: int, plan: _Plan) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    async with transport(plan.options["ca"], seconds=plan.options["seconds"]) as http:
        # What is compressed stays so: Content-Encoding is signed, and says it of these very bytes.
        server = web.Server(_sidecar(http, plan).handle, access_log=None, auto_decompress=False)
        runner = web.ServerRunner(server)
        await runner.setup()
        await web.TCPSite(runner, host, port).start()
        for number in (signal.SIGTERM, signal.SIGINT):
            with contextlib.suppress(NotImplementedError):  # Windows has no signal handlers of the loop
                loop.add_signal_handler(number, stop.set)
        where = f"http://{host if ':' not in host else f'[{host}]'}:{runner.addresses[0][1]}"
        note(
            f"listening on {where} for {plan.settings.subsystem}",
            f"đang nghe tại {where} cho {plan.settings.subsystem}",
        )
        await stop.wait()
        await runner.cleanup()


def _sidecar(http: aiohttp.ClientSession, plan: _Plan) -> Sidecar:
    settings = plan.settings
    client = Client(
        http,
        gateway=settings.gateway,
        subsystem=settings.subsystem,
        key=plan.key,
        keys=CurrentKeys(plan.believed, now),
        language=settings.language,
        scheme=Scheme(plan.options["scheme"]),
        limit=settings.limit,
    )
    return Sidecar(client, settings, soap=_soap(http, plan), failed=_failed)


def _failed(error: BaseException) -> None:
    note(f"an error of the sidecar's own: {type(error).__name__}", f"lỗi nội bộ của sidecar: {type(error).__name__}")


def _soap(http: aiohttp.ClientSession, plan: _Plan) -> SoapSidecar:
    try:
        _ = plan.key.xml_algorithm
    except ExchangeError:
        note(
            "SOAP needs an RSA or ECDSA key: this one signs REST only",
            "SOAP cần khóa RSA hoặc ECDSA: khóa này chỉ ký REST",
        )
    split_within = functools.partial(split, root_limit=MAX_SIZE)
    return SoapSidecar(http, plan.settings, plan.key, plan.believed, split_within)
