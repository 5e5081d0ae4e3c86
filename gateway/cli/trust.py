"""``motlan trust``: the next trust list is drafted, signed by each signer, and published where gateways read it."""

from pathlib import Path
from typing import Any

import click
from msgspec.structs import replace

from gateway.cli.drafts import as_values, draft_at, facts, is_signed, open_draft, signatures
from gateway.cli.output import (
    console,
    example,
    json_option,
    needs_gateway,
    note,
    print_json,
    say,
    table,
    verb,
    visible,
    warn,
)
from gateway.cli.values import DAY, SUBSYSTEM, File, Moment, NewFile, now, passphrase_of
from gateway.keys.file import load_certificates, load_public_key
from gateway.keys.onboarding import load_list_key, publish, read_draft, sign_file, write_draft
from gateway.ledger.note import parse_vkey
from gateway.model.ids import SubsystemId
from gateway.model.instant import plus
from gateway.model.usage import RoleName, Usage
from gateway.trust.document import Log, Role, Signers, TrustList
from gateway.trust.edit import differences, with_certificate, with_revocations, with_signers, without_certificate
from gateway.trust.jws import LastSeen, VerifiedList, verify
from gateway.trust.store import TrustStore

_USAGES = [usage.value for usage in Usage]


@click.group(epilog=example("motlan trust show draft.json --against trust/list.jws"))
def trust() -> None:
    """Draft, sign, publish and inspect the trust list."""


@trust.command(
    "draft",
    epilog=example(
        "motlan trust draft draft.json --list trust/list.jws --days 90",
        "motlan trust draft draft.json --signer 1.pub.pem --signer 2.pub.pem --required 2 \\",
        "  --authority ca.pem --crl ca.crl",
    ),
)
@click.argument("draft", type=NewFile)
@click.option("--list", "in_force", type=File, help="The list in force, to begin the next one from.")
@click.option("--days", default=90, show_default=True, help="How long a draft that is begun here will be valid.")
@click.option("--signer", "signers", multiple=True, type=File, help="Public key (PEM) of a signer from this list on.")
@click.option("--required", type=click.IntRange(min=1), help="How many of the signers must sign.")
@click.option("--authority", "authorities", multiple=True, type=File, help="CA certificates to add, PEM.")
@click.option("--crl", "crls", multiple=True, type=File, help="Revocation lists (DER), in place of those it has.")
@click.option(
    "--role",
    "roles",
    multiple=True,
    metavar="ROLE[:NAME][@UNTIL]=FILE",
    help="Public key (PEM) of an auditor, data-protection-officer or operator; their name, and until when.",
)
@click.option("--log", "logs", multiple=True, metavar="VKEY", help="Verifier key of a gateway's log to add.")
@click.option("--drop-log", "dropped", multiple=True, metavar="VKEY", help="Verifier key of a log to take out.")
@verb
def draft_(draft: Path, **options: Any) -> None:
    """Begin the next list from the one in force, or the first list of all; or change what a draft says."""
    signers = _signers(options["signers"], options["required"])
    if draft.exists() or options["in_force"] is not None or signers is None:
        document = open_draft(draft, options["in_force"], options["days"])
    else:
        moment = now()
        valid_until = plus(moment, options["days"] * DAY)
        document = TrustList(serial=1, issued=moment, valid_until=valid_until, signers=signers)
    document = _changed(document, signers, options)
    write_draft(draft, document)
    note(f"✓ draft {draft}, serial {document.serial}", f"✓ bản dự thảo {draft}, số {document.serial}")


def _changed(document: TrustList, signers: Signers | None, options: dict[str, Any]) -> TrustList:
    if signers is not None:
        document = with_signers(document, signers)
    added = [der for file in options["authorities"] for der in load_certificates(file)]
    authorities = tuple(dict.fromkeys((*document.authorities, *added)))
    roles = tuple(dict.fromkeys((*document.roles, *(_role(text) for text in options["roles"]))))
    keys = [parse_vkey(text) for text in options["logs"]]
    # A log that changes its key has two for a while: what the old one signed stays valid.
    logs = dict.fromkeys((*document.logs, *(Log(origin=key.name, vkey=key.encode()) for key in keys)))
    kept = tuple(each for each in logs if each.vkey not in options["dropped"])
    document = replace(document, authorities=authorities, roles=roles, logs=kept)
    crls = [file.read_bytes() for file in options["crls"]]
    return with_revocations(document, crls) if crls else document


def _signers(files: tuple[Path, ...], required: int | None) -> Signers | None:
    if not files:
        return None
    if required is None:
        raise click.UsageError("--signer needs --required: how many of them must sign")
    return Signers(required=required, keys=tuple(load_public_key(file) for file in files))


def _role(text: str) -> Role:
    said, _, file = text.partition("=")
    said, _, until = said.partition("@")
    role, _, name = said.partition(":")
    return Role(
        role=RoleName(role),
        name=name or role,
        key=load_public_key(Path(file)),
        until=Moment(end=True).convert(until, None, None) if until else None,
    )


@trust.command("add-cert", epilog=example("motlan trust add-cert draft.json keys/sign.pem --owner VN/GOV/H41/portal"))
@click.argument("draft", type=File)
@click.argument("certificate", type=File)
@click.option("--owner", required=True, type=SUBSYSTEM, help="The subsystem that it belongs to.")
@click.option("--usage", type=click.Choice(_USAGES), default=Usage.SIGN.value, show_default=True, help="Its one usage.")
@verb
def add_cert(draft: Path, certificate: Path, *, owner: SubsystemId, usage: str) -> None:
    """List a certificate in a draft. One that no gateway could ever accept is refused, saying why."""
    document = with_certificate(draft_at(draft), load_certificates(certificate)[0], Usage(usage), owner)
    write_draft(draft, document)
    keyid = document.certificates[-1].keyid
    note(f"✓ {keyid} is listed for {owner} ({usage})", f"✓ {keyid} đã được ghi cho {owner} ({usage})")


@trust.command("drop-cert", epilog=example("motlan trust drop-cert draft.json o6bn…KEYID…"))
@click.argument("draft", type=File)
@click.argument("keyid")
@verb
def drop_cert(draft: Path, keyid: str) -> None:
    """Take a certificate out of a draft: once published, the quickest way to lock a lost key out."""
    write_draft(draft, without_certificate(draft_at(draft), keyid))
    note(f"✓ {keyid} is no longer listed", f"✓ {keyid} không còn trong danh sách")


@trust.command("sign", epilog=example("motlan trust sign draft.json --key signers/1.key.pem --against trust/list.jws"))
@click.argument("source", type=File)
@click.option("--key", required=True, type=File, help="The signer's private key, PEM. Never on a gateway.")
@click.option("--out", type=NewFile, help="Where to write the signed list; DRAFT.jws, or in place if signed already.")
@click.option("--against", type=File, help="The list in force, to show what would change.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@verb
def sign(source: Path, *, key: Path, out: Path | None, against: Path | None, yes: bool) -> None:
    """Add one signer's signature to a draft or to a list that others have signed, after showing what it says."""
    document = read_draft(source)
    _show(document, against)
    if not yes:
        click.confirm(say("Sign this?", "Ký danh sách này?"), abort=True, err=True)
    target = out or (source if source.suffix == ".jws" else source.with_suffix(".jws"))
    sign_file(source, target, load_list_key(key, passphrase=passphrase_of(key)))
    signed, missing = signatures(target.read_bytes(), document)
    note(
        f"✓ signed: {target}  ({missing or f'{len(signed)} signatures, enough'})",
        f"✓ đã ký: {target}  ({missing or f'{len(signed)} chữ ký, đủ'})",
    )


@trust.command(
    "publish",
    epilog=example(
        "motlan trust publish draft.jws --config gateway.toml",
        "motlan trust publish draft.jws --to list.jws --signer 1.pub.pem --signer 2.pub.pem --required 2",
    ),
)
@click.argument("signed", type=File)
@click.option("--config", type=File, help="The gateway's settings: its list, its signers, and the list it saw last.")
@click.option("--to", "target", type=NewFile, help="Where gateways read the list (without --config).")
@click.option("--signer", "signers", multiple=True, type=File, help="Public key of a pinned signer (without --config).")
@click.option("--required", type=click.IntRange(min=1), help="How many of them must have signed (without --config).")
@verb
def publish_(signed: Path, **options: Any) -> None:
    """Check a signed list as a gateway would, and only then put it in place, in one step."""
    if (options["config"] is None) == (options["target"] is None):
        raise click.UsageError("name the gateway's --config; or --to, --signer and --required")
    if options["config"] is not None:
        target, pinned, seen = needs_gateway("gateway.wiring.tools").trust_of(options["config"])
    else:
        target, chosen = options["target"], _signers(options["signers"], options["required"])
        if chosen is None:
            raise click.UsageError("--to needs --signer and --required: who must have signed the list")
        pinned, seen = chosen, _seen(options["target"], chosen)
    verified, store = publish(signed, target, pinned=pinned, last_seen=seen, now=now())
    _tell(target, verified, store)


def _seen(target: Path, pinned: Signers) -> LastSeen | None:
    """What is remembered of the list that stands there now, if there is one."""
    if not target.exists():
        return None
    issued = read_draft(target).issued
    return verify(target.read_bytes(), pinned=pinned, last_seen=None, now=issued).last_seen


def _tell(target: Path, verified: VerifiedList, store: TrustStore) -> None:
    document = verified.document
    note(
        f"✓ list {document.serial} is published: {target}, signed by {len(verified.signed_by)}",
        f"✓ đã công bố danh sách số {document.serial}: {target}, {len(verified.signed_by)} người ký",
    )
    for problem in store.problems(now()):
        warn(
            f"cannot be used: {problem.usage} of {problem.owner} ({problem.kind.title.en}; {problem.detail})",
            f"không dùng được: {problem.usage} của {problem.owner} ({problem.kind.title.vi}; {problem.detail})",
        )
    note(
        "  → a running gateway takes it up on SIGHUP (kill -HUP PID); others at their next start",
        "  → cổng đang chạy nhận danh sách khi có SIGHUP (kill -HUP PID); cổng khác nhận khi khởi động",
    )


@trust.command("show", epilog=example("motlan trust show draft.json --against trust/list.jws"))
@click.argument("file", type=File)
@click.option("--against", type=File, help="The list in force: shows what differs from it.")
@json_option
@verb
def show(file: Path, *, against: Path | None, as_json: bool) -> None:
    """Show what a draft or list says, who has signed it, and what differs from the list in force."""
    document = read_draft(file)
    data = file.read_bytes()
    signed, missing = signatures(data, document) if is_signed(data) else ((), "")
    if as_json:
        changed = None if against is None else list(differences(read_draft(against), document))
        print_json({**as_values(document), "signed_by": list(signed), "differences": changed})
        return
    _show(document, against)
    if is_signed(data):
        note(f"signatures: {missing or ', '.join(signed)}", f"chữ ký: {missing or ', '.join(signed)}")
    else:
        note("a draft: not signed", "bản dự thảo: chưa ký")


def _show(document: TrustList, against: Path | None) -> None:
    title = say(f"List {document.serial}", f"Danh sách số {document.serial}")
    console().print(table(title, (say("what", "mục"), say("value", "giá trị")), facts(document)))
    if against is None:
        return
    in_force = read_draft(against)
    lines = differences(in_force, document)
    title = say(f"What differs from list {in_force.serial}", f"Khác với danh sách số {in_force.serial}")
    click.echo(title + (":" if lines else say(": nothing", ": không có gì")))
    for line in lines:
        click.secho(f"  {visible(line)}", fg={"+": "green", "-": "red"}.get(line[0], "yellow"))
    if document.serial <= in_force.serial:
        warn(
            f"serial {document.serial} does not follow {in_force.serial}: gateways will refuse it",
            f"số {document.serial} không tiếp sau {in_force.serial}: các cổng sẽ từ chối",
        )
