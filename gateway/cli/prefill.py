"""``motlan prefill``: fills a procedure's form from the registers, and proves the bundle that the gateway signs."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import click
import jwt
from cryptography import x509

from gateway import client as motlan
from gateway.cli.output import console, example, json_option, language, print_json, stop, table, verb
from gateway.keys.file import load_certificates
from gateway.model.envelope import Purpose
from gateway.signing.algorithms import Algorithm, PublicKey, keyid_of
from gateway.signing.jws import BUNDLE_TYP

_ALGORITHMS = {
    Algorithm.ECDSA_P256_SHA256: "ES256",
    Algorithm.ECDSA_P384_SHA384: "ES384",
    Algorithm.ED25519: "EdDSA",
    Algorithm.RSA_PSS_SHA512: "PS512",
}
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)

_HEADINGS = {
    "vi": ("Trường", "Giá trị", "Nguồn", "Tin cậy", "Kết quả"),
    "en": ("Element", "Value", "Source", "Confidence", "Outcome"),
}
_ASK = {"vi": "Còn phải hỏi người dân", "en": "Still to be asked of the citizen"}
_DIFFER = {"vi": "Hai nguồn khác nhau", "en": "Two sources differ"}
_SAVED = {"vi": "trường người dân không phải khai", "en": "fields that the citizen did not have to type"}
_PROVED = {"vi": "chữ ký và gói dữ liệu đã được kiểm tra", "en": "signature and bundle verified"}


@click.command(
    epilog=example(
        "motlan prefill https://127.0.0.1:8443 --procedure 1.001193 --person mother=@mother.txt",
        "  --person father=- --as VN/GOV/H24/portal --key sign.key.pem --cert sign.pem",
        "  --gateway-cert gateway.pem --ca ca.pem --officer ht.nam --case 000.00.00.H24-1 < father.txt",
    )
)
@click.argument("gateway")
@click.option("--procedure", required=True, help="Procedure code; it is the purpose of every call.")
@click.option(
    "--person",
    "people",
    multiple=True,
    required=True,
    metavar="ROLE=NUMBER|ROLE=@FILE|ROLE=-|@FILE|-",
    help="Whom to look up: a number, a file that holds it, - for a line of standard input; or JSON of all roles.",
)
@click.option("--as", "subsystem", required=True, metavar="SUBSYSTEM", help="instance/class/member/subsystem")
@click.option("--key", required=True, type=_FILE, help="Private key, PEM.")
@click.option("--cert", required=True, type=_FILE, help="Its certificate, PEM.")
@click.option("--gateway-cert", multiple=True, required=True, type=_FILE, help="What the gateway signs with.")
@click.option("--ca", type=_FILE, help="CA certificates for TLS.")
@click.option("--basis", help="Legal basis; the procedure's own if left out.")
@click.option("--officer", help="X-Road-UserId.")
@click.option("--case", required=True, help="X-Road-Issue: dossier code.")
@click.option("--deadline", type=click.IntRange(1, 120_000), help="Milliseconds to wait for the sources.")
@json_option
@verb
def prefill(**options: Any) -> None:
    """Fill a procedure's form: each element with its source, and what must still be asked.

    Numbers of persons in files or on standard input do not show in the list of processes.
    """
    answer = asyncio.run(_send(**options))
    form = answer.json()
    if answer.error_code is not None:
        print_json(form) if options["as_json"] else _refused(answer, form)
        raise click.exceptions.Exit(1)
    prove_bundle(form, options["gateway_cert"])
    if options["as_json"]:
        print_json(form)
    else:
        _print(form)


async def _send(**options: Any) -> motlan.Answer:
    body = {"procedure": options["procedure"], "people": read_people(options["people"]), "case": options["case"]}
    if options["basis"] is not None:
        body["basis"] = options["basis"]
    if options["deadline"] is not None:
        body["deadline_ms"] = options["deadline"]
    async with motlan.open(
        options["gateway"],
        subsystem=options["subsystem"],
        key=options["key"],
        certificate=options["cert"],
        gateway_certificates=options["gateway_cert"],
        authorities=options["ca"],
        language=language(),
    ) as client:
        return await client.send(
            motlan.Call(
                own_path="/v1/prefill",
                body=body,
                purpose=Purpose(options["procedure"], options["basis"]),
                officer=options["officer"],
                case=options["case"],
            )
        )


def read_people(stated: tuple[str, ...]) -> dict[str, Any]:
    """Role → what is known of the person. Raises click.UsageError; its text repeats no number."""
    people: dict[str, Any] = {}
    for text in stated:
        role, equals, value = text.partition("=")
        if equals:
            people[role] = {"identity_number": _value(role, value)}
            continue
        try:
            people |= json.loads(sys.stdin.read() if text == "-" else _read(text))
        except (ValueError, TypeError):
            raise click.UsageError("--person takes ROLE=NUMBER, or JSON of all roles from @FILE or -") from None
    return people


def _value(role: str, value: str) -> str:
    if value == "-":
        return sys.stdin.readline().strip()
    if not role:
        raise click.UsageError("--person names a role before the =")
    return _read(value).strip() if value.startswith("@") else value


def _read(text: str) -> str:
    if not text.startswith("@"):
        raise click.UsageError("--person takes ROLE=NUMBER, or JSON of all roles from @FILE or -")
    try:
        return Path(text[1:]).read_text(encoding="utf-8")
    except OSError as error:
        raise click.UsageError(f"{text[1:]}: {error.strerror}") from None


def prove_bundle(form: dict[str, Any], certificates: tuple[Path, ...]) -> None:
    """Check that ``bundle`` is a JWS by one of these certificates over all the rest of the form.

    Raises click.ClickException: nothing of such a form may be used.
    """
    known = {keyid_of(der): der for file in certificates for der in load_certificates(file)[:1]}
    try:
        bundle = form["bundle"]
        header = jwt.get_unverified_header(bundle)
        der = known[header["x5t#S256"]]
        algorithm = _ALGORITHMS[Algorithm(PublicKey.from_certificate(der).algorithm)]
        key: Any = x509.load_der_x509_certificate(der).public_key()
        payload = jwt.PyJWS().decode(bundle, key, algorithms=[algorithm])
        rest = {name: value for name, value in form.items() if name != "bundle"}
        same = header["typ"] == BUNDLE_TYP and json.loads(payload) == rest
    except (jwt.InvalidTokenError, KeyError, TypeError, ValueError):
        same = False
    if not same:
        raise stop(
            "the bundle is not the gateway's signature over this form: use nothing of it",
            "gói dữ liệu không phải do cổng ký cho tờ khai này: không sử dụng bất kỳ nội dung nào",
        )


def _print(form: dict[str, Any]) -> None:
    tongue = language()
    rows = [
        (name, _shown(one.get("value")), one.get("source", ""), one.get("confidence", ""), _end(one))
        for name, one in form["elements"].items()
    ]
    console().print(table(form["procedure"], _HEADINGS[tongue], rows))
    if form["ask_citizen"]:
        click.echo(f"{_ASK[tongue]}: {', '.join(form['ask_citizen'])}")
    for one in form["discrepancies"]:
        click.echo(f"{_DIFFER[tongue]}: {one['element']} ({' ≠ '.join(one['between'])})")
    click.echo(f"✓ {form['not_typed']} {_SAVED[tongue]}; {_PROVED[tongue]}")


def _end(one: dict[str, Any]) -> str:
    retry = f", Retry-After {one['retry_after']}" if "retry_after" in one else ""
    return f"{one['outcome']} ({one['reason']}{retry})" if "reason" in one else str(one["outcome"])


def _shown(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False)


def _refused(answer: motlan.Answer, problem: Any) -> None:
    click.echo(f"✗ {answer.status} {answer.error_code}", err=True)
    for name in ("title", "detail", "next"):
        if isinstance(problem, dict) and problem.get(name):
            click.echo(f"  {problem[name]}", err=True)
