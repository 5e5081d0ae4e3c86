"""``motlan member``: members and subsystems, drafted for the trust list."""

import shlex
from pathlib import Path
from typing import Any

import click

from gateway.cli.drafts import as_values, open_draft
from gateway.cli.output import console, example, json_option, note, print_json, say, table, verb
from gateway.cli.values import SUBSYSTEM, File, NewFile
from gateway.keys.onboarding import read_draft, write_draft
from gateway.model.envelope import ProofScheme
from gateway.model.ids import ServiceId, SubsystemId
from gateway.model.usage import ServiceType
from gateway.trust.document import Service, TrustList
from gateway.trust.edit import with_member, with_service, with_subsystem

_SCHEMES = [scheme.value for scheme in ProofScheme if scheme is not ProofScheme.NONE]


@click.group(epilog=example("motlan member list trust/list.jws"))
def member() -> None:
    """Draft members and subsystems for the trust list."""


@member.command(
    epilog=example(
        "motlan member new VN/GOV/H41/portal --organization 'Ủy ban nhân dân tỉnh Nghệ An' \\",
        "  --name 'Cổng dịch vụ công Nghệ An' --draft draft.json --list trust/list.jws",
    )
)
@click.argument("subsystem", type=SUBSYSTEM)
@click.option("--organization", required=True, help="The member's name, as people know it.")
@click.option("--name", default="", help="The subsystem's name, as people know it.")
@click.option(
    "--scheme",
    "schemes",
    multiple=True,
    type=click.Choice(_SCHEMES),
    default=("http-sig", "jws"),
    show_default=True,
    help="How it may prove itself; repeat for several.",
)
@click.option("--never-calls", is_flag=True, help="It only provides services: no scheme at all.")
@click.option("--network", "networks", multiple=True, metavar="CIDR", help="Where its mTLS-only calls may come from.")
@click.option(
    "--service", "services", multiple=True, metavar="CODE[:TYPE[:TITLE]]", help="What it offers; TYPE is REST or SOAP."
)
@click.option("--draft", required=True, type=NewFile, help="The draft of the next list; made if it is not there.")
@click.option("--list", "in_force", type=File, help="The list in force, to begin a draft from.")
@click.option("--days", default=90, show_default=True, help="How long a draft that is begun here will be valid.")
@verb
def new(subsystem: SubsystemId, **options: Any) -> None:
    """Put a member, its subsystem and what it offers into the draft of the next trust list."""
    draft: Path = options["draft"]
    document = open_draft(draft, options["in_force"], options["days"])
    document = with_member(document, subsystem.member, options["organization"])
    schemes = () if options["never_calls"] else tuple(ProofScheme(scheme) for scheme in options["schemes"])
    document = with_subsystem(document, subsystem, name=options["name"], schemes=schemes, networks=options["networks"])
    for text in options["services"]:
        document = with_service(document, _service(subsystem, text))
    write_draft(draft, document)
    note(
        f"✓ {subsystem} is in the draft {draft} (serial {document.serial})",
        f"✓ {subsystem} đã có trong bản dự thảo {draft} (số {document.serial})",
    )
    click.echo(f"  → motlan cert request {subsystem} --organization {shlex.quote(options['organization'])}", err=True)


@member.command("list", epilog=example("motlan member list trust/list.jws --json"))
@click.argument("file", type=File)
@json_option
@verb
def list_(file: Path, *, as_json: bool) -> None:
    """Show the members, subsystems and services of a draft or list. Signatures are not looked at."""
    document = read_draft(file)
    if as_json:
        values = as_values(document)
        print_json({name: values[name] for name in ("serial", "members", "subsystems", "services")})
        return
    title = say(f"List {document.serial}", f"Danh sách số {document.serial}")
    columns = (
        say("subsystem", "hệ thống"),
        say("name", "tên"),
        say("organisation", "cơ quan"),
        say("proves itself by", "cách xác thực"),
        say("offers", "cung cấp"),
    )
    console().print(table(title, columns, _rows(document)))


def _rows(document: TrustList) -> list[tuple[str, ...]]:
    names = {each.id: each.name for each in document.members}
    offered: dict[SubsystemId, list[str]] = {}
    for service in document.services:
        offered.setdefault(service.id.subsystem, []).append(service.id.service_code)
    return [
        (
            str(each.id),
            each.name,
            names[each.id.member],
            ", ".join(sorted(each.schemes)),
            ", ".join(offered.get(each.id, ())),
        )
        for each in sorted(document.subsystems, key=lambda each: str(each.id))
    ]


def _service(subsystem: SubsystemId, text: str) -> Service:
    code, _, rest = text.partition(":")
    kind, _, title = rest.partition(":")
    parts = (subsystem.instance, subsystem.member_class, subsystem.member_code, subsystem.subsystem_code or "")
    return Service(id=ServiceId(*parts, code), type=ServiceType((kind or "REST").upper()), title=title)
