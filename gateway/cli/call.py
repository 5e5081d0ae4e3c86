"""``motlan call``: a signed call from the command line, its answer verified."""

import asyncio
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from gateway import client as motlan
from gateway.cli.call_receipt import print_proof, proof_values, prove
from gateway.cli.log_keys import demand_of, has_log_key, log_key_options, log_keys
from gateway.cli.output import json_option, print_json, verb
from gateway.cli.values import NewFile
from gateway.model.envelope import Purpose
from gateway.model.ids import parse_service


@click.command(
    epilog="""Example:

    motlan call POST https://127.0.0.1:8443/r1/VN/GOV/G01/population/citizen -d @ask.json
      --as VN/GOV/H31/portal --key sign.key.pem --cert sign.pem --gateway-cert gateway.pem --ca ca.pem
      --purpose 1.001193 --officer ht.nam --case 000.00.01.H31-261122-0001

    The same, with --receipt answer.tlog-proof --vkey 'gateway.example/log+4fd3…+AZ…', proves that the log has it."""
)
@click.argument("method", type=click.Choice(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]))
@click.argument("url")
@click.option("-d", "--data", help="Body: JSON text, or @FILE.")
@click.option("--content-type", default="application/json", show_default=True)
@click.option("--as", "subsystem", required=True, metavar="SUBSYSTEM", help="instance/class/member/subsystem")
@click.option("--key", required=True, type=click.Path(exists=True, dir_okay=False), help="Private key, PEM.")
@click.option("--cert", required=True, type=click.Path(exists=True, dir_okay=False), help="Its certificate, PEM.")
@click.option(
    "--gateway-cert",
    multiple=True,
    required=True,
    type=click.Path(exists=True, dir_okay=False),
    help="Certificate that the gateway signs answers with.",
)
@click.option("--ca", type=click.Path(exists=True, dir_okay=False), help="CA certificates for TLS.")
@click.option("--purpose", help="Procedure code.")
@click.option("--basis", help="Legal basis.")
@click.option("--officer", help="X-Road-UserId.")
@click.option("--case", help="X-Road-Issue: dossier code.")
@click.option("--idempotency-key", help="Repeat the same call safely with the same key.")
@click.option(
    "--citizen-token", type=click.File(), help="A file with the citizen's own token (- for stdin): Motlan-Citizen."
)
@click.option(
    "--scheme",
    type=click.Choice([each.value for each in motlan.Scheme]),
    default=motlan.Scheme.HTTP_SIGNATURE.value,
    show_default=True,
    help="How to sign: RFC 9421, or Motlan-JWS.",
)
@click.option("--audience", metavar="SERVICE", help="The service behind one of the gateway's own paths, for a JWS.")
@click.option(
    "--receipt",
    type=NewFile,
    help="Fetch, verify and keep receipts: the answer's record here, the request's in NAME.request.tlog-proof.",
)
@click.option(
    "--receipt-seconds",
    type=click.FloatRange(min=0),
    default=30.0,
    show_default=True,
    help="How long cosignatures are waited for, where --quorum or --witness-policy demands them.",
)
@click.option("--receipt-audience", metavar="SERVICE", help="The gateway's own …/receipts service, for a JWS.")
@log_key_options
@json_option
@verb
@click.pass_context
def call(ctx: click.Context, /, **options: Any) -> None:
    """Sign a call, send it, verify the answer and print it.

    With --receipt also prove, by the log's key alone, that the gateway has recorded this very exchange: each part of
    the record is compared with what was sent and with what came. Exit 1 if any of it differs or is not shown.
    """
    if options["receipt"] is not None and not has_log_key(options):
        raise click.UsageError("--receipt needs the log's key: --vkey, or --trust with --signer")
    if options["receipt"] is not None:
        demand_of(options)  # what is wrong with it is said before the call is made
    answer, proved, error = asyncio.run(_send(str(ctx.obj or "vi"), **options))
    if options["as_json"]:
        print_json(
            {
                "status": answer.status,
                "outcome": answer.outcome,
                "receipt": answer.receipt,
                "error": answer.error_code,
                "verified": True,
                "headers": list(answer.head.fields),
                "body": _readable(answer),
                **({} if options["receipt"] is None else {"proved": proof_values(proved, error)}),
            }
        )
    else:
        _print(answer)
        print_proof(proved, error)
    unproved = options["receipt"] is not None and (proved is None or bool(proved.unopened))
    if answer.error_code is not None or answer.status >= 400 or unproved:  # noqa: PLR2004 - HTTP errors
        ctx.exit(1)


async def _send(language: str, **options: Any) -> tuple[motlan.Answer, motlan.ProvedExchange | None, Exception | None]:
    """The answer; if asked for, what receipts proved of it, or why they did not."""
    parts = urlsplit(options["url"])
    purpose = None if options["purpose"] is None else Purpose(options["purpose"], options["basis"])
    shared = {
        "method": options["method"],
        "query": parts.query or None,
        "content_type": options["content_type"],
        "purpose": purpose,
        "officer": options["officer"],
        "case": options["case"],
        "idempotency_key": options["idempotency_key"],
        "audience": None if options["audience"] is None else parse_service(options["audience"]),
    }
    if options["citizen_token"] is not None:
        shared["extra"] = (("Motlan-Citizen", options["citizen_token"].read().strip()),)
    body = _body(options["data"])
    if body is not None:
        shared["body"] = body
    async with motlan.open(
        f"{parts.scheme}://{parts.netloc}",
        subsystem=options["subsystem"],
        key=options["key"],
        certificate=options["cert"],
        gateway_certificates=options["gateway_cert"],
        authorities=options["ca"],
        language=language,
        scheme=motlan.Scheme(options["scheme"]),
        logs=[key.encode() for key in log_keys(options)] if options["receipt"] is not None else (),
    ) as client:
        answer = await client.send(_call(parts.path, shared))
        if options["receipt"] is None:
            return answer, None, None
        proved, error = await prove(client, answer, options)
        return answer, proved, error


def _call(path: str, shared: dict[str, Any]) -> motlan.Call:
    if not path.startswith("/r1/"):
        return motlan.Call(own_path=path, **shared)
    segments = path.removeprefix("/r1/").split("/", 5)
    try:
        service = parse_service("/".join(segments[:5]))
    except ValueError as error:
        raise click.UsageError(f"the URL must name a service after /r1/: {error}") from error
    return motlan.Call(service=service, path="/" + segments[5] if len(segments) > 5 else "", **shared)  # noqa: PLR2004


def _body(data: str | None) -> bytes | None:
    if data is None:
        return None
    return Path(data[1:]).read_bytes() if data.startswith("@") else data.encode()


def _readable(answer: motlan.Answer) -> Any:
    try:
        return answer.json()
    except ValueError:
        return (answer.body.data or b"").decode("utf-8", "replace")


def _print(answer: motlan.Answer) -> None:
    mark = "✓" if answer.error_code is None else "✗"
    click.echo(f"{mark} {answer.status} {answer.outcome or answer.error_code or ''}  (signature verified)", err=True)
    if answer.receipt:
        click.echo(f"  record {answer.receipt}", err=True)
    body = _readable(answer)
    click.echo(body if isinstance(body, str) else json.dumps(body, ensure_ascii=False, indent=2))
