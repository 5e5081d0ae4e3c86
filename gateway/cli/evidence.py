"""``motlan evidence``: export one exchange as a container that proves itself, and verify such a container offline."""

import asyncio
import os
from pathlib import Path
from typing import Any

import click
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_crl, load_pem_x509_crl

from gateway.cli.log_reader import reader_of, reader_options
from gateway.cli.output import (
    console,
    example,
    json_option,
    language,
    needs_gateway,
    note,
    print_json,
    say,
    table,
    verb,
    visible,
    warn,
)
from gateway.cli.values import File, NewFile
from gateway.keys.file import load_certificates, load_public_key
from gateway.ledger.evidence_conclusion import conclude
from gateway.ledger.evidence_findings import Finding, Verdict
from gateway.ledger.evidence_trust import Anchors
from gateway.ledger.evidence_verify import Verified, verify_evidence
from gateway.ledger.note import KeyType, VerifierKey, parse_vkey
from gateway.model.errors import ExchangeError
from gateway.model.errors.trust import KEY_FILE_UNUSABLE
from gateway.model.ids import RecordId
from gateway.signing.asice import MAX_SIZE
from gateway.trust.document import Signers

_MARKS = {Verdict.PROVED: "✓", Verdict.FAILED: "✗", Verdict.ABSENT: "–"}
_ROLES = ("request", "answer", "refusal")


@click.group(epilog=example("motlan evidence verify 01a2016c….asice --trust list.jws --tsa-ca tsa-roots.pem"))
def evidence() -> None:
    """Evidence of one exchange: export it, verify it."""


@evidence.command(
    epilog=example(
        "motlan evidence export 01a2016c-2478-7588-bb31-1885b3452b05 --config gateway.toml \\",
        "  --auditor-key auditor.key.pem --auditor 'Lê Thị Kiểm' --case TT-2026-17 --reason 'complaint of 20 November'",
    )
)
@click.argument("record", metavar="ID")
@reader_options
@click.option(
    "--hide",
    multiple=True,
    metavar="NAME",
    help="A private field that is not to be shown, e.g. person. Bodies that the gateway kept then stay out too.",
)
@click.option("--unstamped", is_flag=True, help="Do not ask the timestamp authority for a timestamp of the container.")
@click.option(
    "--body",
    "bodies",
    multiple=True,
    metavar="ROLE=FILE",
    help="The body of a message that somebody kept: request=FILE, answer=FILE or refusal=FILE.",
)
@click.option("--out", type=NewFile, help="The container's file; ID.asice if not given.")
@json_option
@verb
def export(record: str, **options: Any) -> None:
    """Export the exchange that a record is of: request and end, signatures, certificates, decision, receipts.

    The export is recorded before anything is written. Whoever gets the container checks it with  motlan evidence
    verify, or with other people's tools as VERIFY.md in it says. It holds what the auditor's key opens: personal data,
    unless hidden.
    """
    file: Path = options["out"] or Path(f"{record}.asice")
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
        try:
            made = asyncio.run(_export(record, options))
            opened.write(made.data)
        except BaseException:
            file.unlink()
            raise
    if options["as_json"]:
        fields = ("records", "log_stamped", "stamped", "opened", "private", "wrong")
        print_json({"file": str(file), **{name: getattr(made, name) for name in fields}})
        return
    for each in made.wrong:
        warn(f"a verifier will find: {each}", f"bên xác minh sẽ thấy: {each}")
    roles = ", ".join(f"{role} {each}" for role, each in made.records.items())
    click.echo(say(f"✓ {file}: {roles}", f"✓ {file}: {roles}"))
    if made.opened < made.private:
        note(
            f"{made.opened} of {made.private} private fields are shown; the others are withheld or erased",
            f"hiển thị {made.opened}/{made.private} trường riêng tư; phần còn lại bị giữ lại hoặc đã xóa",
        )
    if not made.log_stamped:
        note(
            "no authority has stamped the log since: its time is the gateway's own word",
            "chưa có dấu thời gian nào cho nhật ký từ đó: thời điểm chỉ do cổng tự khai",
        )


async def _export(record: str, options: dict[str, Any]) -> Any:
    wiring, reader = needs_gateway("gateway.wiring.evidence"), reader_of(options)
    wanted = wiring.Wanted(
        record=RecordId(record),
        hide=frozenset(options["hide"]),
        bodies=dict(map(_body, options["bodies"])),
        stamped=not options["unstamped"],
    )
    async with wiring.open_evidence(options["config"]) as exporter:
        return await exporter.export(wanted, reader)


def _body(given: str) -> tuple[str, bytes]:
    role, equals, file = given.partition("=")
    if not equals or role not in _ROLES:
        raise click.UsageError("a body is given as ROLE=FILE, the role one of request, answer and refusal")
    return role, Path(file).read_bytes()


@evidence.command(
    epilog=example(
        "motlan evidence verify 01a2016c….asice --trust list.jws --tsa-ca tsa-roots.pem",
        "motlan evidence verify old.asice --trust list.jws --signer 1.pub.pem --signer 2.pub.pem --required 2",
    )
)
@click.argument("file", type=File)
@click.option("--trust", required=True, multiple=True, type=File, help="A trust list (JWS) from a source you trust.")
@click.option(
    "--signer",
    "signers",
    multiple=True,
    type=File,
    help="Public key (PEM) of who signs lists; else the lists' own word.",
)
@click.option("--required", type=click.IntRange(1), help="How many of these must have signed; all, if not given.")
@click.option("--tsa-ca", multiple=True, type=File, help="Root certificates (PEM) of timestamp authorities.")
@click.option("--vkey", "vkeys", multiple=True, help="Verifier key (C2SP) of the log, if no list names it any more.")
@click.option(
    "--crl",
    "crls",
    multiple=True,
    type=File,
    help="A newer revocation list (DER or PEM) of any of the CAs, also of the timestamp authority's.",
)
@click.option(
    "--witness", "witnesses", multiple=True, metavar="VKEY", help="Verifier key of a witness, if no list names it."
)
@click.option(
    "--quorum",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="How many witnesses must have cosigned the log.",
)
@json_option
@click.pass_context
@verb
def verify(ctx: click.Context, /, file: Path, **options: Any) -> None:
    """Say what a container proves and what not; exit 0 only if all that it claims holds.

    Needs no network and no server. Nothing in the container is believed for itself: its trust lists must be signed by
    the signers of yours, and certificates are judged at the time of what they signed, with every revocation list at
    hand. At the end stands in words what is proved, and what is left open.
    """
    found = verify_evidence(_read(file), _anchors(options))
    if options["as_json"]:
        print_json(_values(found))
    else:
        _print(found)
    if not found.holds:
        ctx.exit(1)


def _read(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(MAX_SIZE + 1)


def _anchors(options: dict[str, Any]) -> Anchors:
    keys = tuple(load_public_key(file) for file in options["signers"])
    if options["required"] is not None and not keys:
        raise click.UsageError("--required says how many of the keys given with --signer must have signed")
    return Anchors(
        lists=tuple(file.read_bytes() for file in options["trust"]),
        signers=Signers(required=options["required"] or len(keys), keys=keys) if keys else None,
        authorities=tuple(each for file in options["tsa_ca"] for each in load_certificates(file)),
        vkeys=tuple(parse_vkey(each).encode() for each in options["vkeys"]),
        crls=tuple(map(_crl, options["crls"])),
        witnesses=tuple(map(_witness, options["witnesses"])),
        quorum=options["quorum"],
    )


def _witness(vkey: str) -> VerifierKey:
    key = parse_vkey(vkey)
    if key.type is not KeyType.COSIGNATURE:
        raise click.UsageError(f"{key.name}: this is a log's key, a witness cosigns with another kind")
    return key


def _crl(file: Path) -> bytes:
    data = file.read_bytes()
    try:
        load = load_pem_x509_crl if data.lstrip().startswith(b"-----BEGIN") else load_der_x509_crl
        return load(data).public_bytes(Encoding.DER)
    except ValueError:
        raise ExchangeError(KEY_FILE_UNUSABLE, f"{file}: no revocation list in DER or PEM") from None


def _values(found: Verified) -> dict[str, Any]:
    concluded = conclude(found)
    return {
        "valid": found.holds,
        "findings": [
            {"subject": each.subject, "verdict": each.verdict, "what": each.what.en, "detail": each.detail}
            for each in found.findings
        ],
        "records": [
            {"role": each.role, "id": each.skeleton.id, "index": each.index, "at": each.skeleton.at}
            for each in found.records
        ],
        "proves": [each.en for each in concluded.proved],
        "leaves_open": [each.en for each in concluded.left_open],
    }


def _print(found: Verified) -> None:
    columns = ("", say("about", "về"), say("what", "nội dung"), say("detail", "chi tiết"))
    title = say("✓ proved  ✗ not proved, though claimed  – not claimed", "✓ đã chứng minh  ✗ không đúng  – không nêu")
    console().print(table(title, columns, [_row(each) for each in found.findings]))
    _conclude(found)
    if found.holds:
        click.echo(say("✓ all that the container claims holds", "✓ mọi điều gói nêu ra đều đúng"))
    else:
        click.secho(
            say("✗ the container does not prove all that it claims", "✗ gói không chứng minh được mọi điều đã nêu"),
            fg="red",
        )


def _conclude(found: Verified) -> None:
    concluded, wanted = conclude(found), language()
    for mark, title, texts in (
        ("✓", say("It proves:", "Gói chứng minh:"), concluded.proved),
        ("–", say("It leaves open:", "Gói không chứng minh:"), concluded.left_open),
    ):
        if texts:
            click.echo(title)
        for each in texts:
            click.echo(visible(f"  {mark} {each.in_language(wanted)}"))


def _row(each: Finding) -> tuple[str, ...]:
    return _MARKS[each.verdict], each.subject, each.what.in_language(language()), each.detail
