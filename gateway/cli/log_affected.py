"""``motlan log affected`` and ``motlan log unseal``: whose data went to a client, and the list of them opened."""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
import msgspec

from gateway.cli.log_reader import reader_of, reader_options, with_auditing
from gateway.cli.output import console, example, json_option, needs_gateway, note, print_json, say, table, verb
from gateway.cli.progress import counting
from gateway.cli.values import SUBSYSTEM, File, Moment, NewFile, passphrase_of
from gateway.exchange.audit_affected import Disclosed
from gateway.keys.file import load_private_key
from gateway.ledger.export_sealed import Affected, open_rows
from gateway.model.ids import SubsystemId
from gateway.model.instant import Instant


@click.command(
    "affected",
    epilog=example(
        "motlan log affected --client VN/GOV/H24/portal --since 2026-11-01 --until 2026-11-03 --out affected.jwe \\",
        "  --config gateway.toml --auditor-key auditor.key.pem --auditor 'Lê Thị Kiểm' \\",
        "  --case SC-2026-4 --reason 'lost key'",
    ),
)
@click.option("--client", required=True, type=SUBSYSTEM, help="The client.")
@click.option("--since", required=True, type=Moment(), help="Not before this time.")
@click.option("--until", required=True, type=Moment(end=True), help="Before this time; of a day, its end.")
@click.option("--out", required=True, type=NewFile, help="Where the list of persons goes, sealed.")
@reader_options
@json_option
@verb
def affected(client: SubsystemId, since: Instant, until: Instant, out: Path, **options: Any) -> None:
    """Which data of whom went to a client between two times: after a key was lost, or a system broken into.

    Prints how many answers, persons and elements. The persons themselves are sealed to the data-protection officer, who
    opens the file with  motlan log unseal.
    """
    if out.exists():
        raise FileExistsError(17, "", str(out))
    reader = reader_of(options)
    part = out.with_name(out.name + ".part")
    over_all_cores = needs_gateway("gateway.wiring.affected").over_all_cores

    async def work(auditing: Any) -> Disclosed:
        what = say("blocks of persons", "khối danh sách")
        with part.open("xb") as file, counting(what, quiet=options["as_json"]) as report:
            written = 0
            gathering = over_all_cores(auditing.affected, options["config"])
            async for each in gathering.of(str(client), since, until, reader):
                if isinstance(each, Disclosed):
                    return each
                file.write(each)
                written += 1
                report(written)
        raise AssertionError

    try:
        found: Disclosed = with_auditing(options["config"], work)
        part.rename(out)
    finally:
        with suppress(FileNotFoundError):
            part.unlink()
    if options["as_json"]:
        print_json(_values(found, out))
    else:
        _print(found, out)


@click.command(
    "unseal", epilog=example("motlan log unseal affected.jwe --key data-protection-officer.key.pem > persons.jsonl")
)
@click.argument("file", type=File)
@click.option("--key", "key_file", required=True, type=File, help="The data-protection officer's private key, PEM.")
@click.option("--by-person", is_flag=True, help="One line for each person: what went out, how often, first and last.")
@verb
def unseal(file: Path, key_file: Path, *, by_person: bool) -> None:
    """Open the list of persons that  motlan log affected  sealed: a line of JSON for each person and answer."""
    key = load_private_key(key_file, passphrase=passphrase_of(key_file))
    rows = _rows(file, key)
    if by_person:
        for line in _by_person(rows):
            click.echo(json.dumps(line, ensure_ascii=False))
        return
    for row in rows:
        click.echo(msgspec.json.encode(row).decode())


def _rows(file: Path, key: Any) -> Iterator[Affected]:
    with file.open("rb") as lines:
        for line in lines:
            yield from open_rows(line, key)


def _by_person(rows: Iterator[Affected]) -> Iterator[dict[str, Any]]:
    gathered: dict[str, dict[str, Any]] = {}
    for row in rows:
        one = gathered.setdefault(
            row.person, {"person": row.person, "answers": 0, "first": row.at, "last": row.at, "released": {}}
        )
        one["answers"] += 1
        one["first"], one["last"] = min(one["first"], row.at), max(one["last"], row.at)
        one["released"].setdefault(row.service or "", set()).update(row.released)
    for one in gathered.values():
        released = {service: sorted(elements) for service, elements in one["released"].items()}
        yield {**one, "released": released}


def _print(found: Disclosed, out: Path) -> None:
    title = say(
        f"{found.answers} answers, {found.persons} persons", f"{found.answers} câu trả lời, {found.persons} người"
    )
    columns = (say("service", "dịch vụ"), say("elements released", "trường đã cung cấp"), say("answers", "câu trả lời"))
    rows = [(service, ", ".join(elements), count) for (service, elements), count in found.groups.items()]
    console().print(table(title, columns, rows))
    if found.unopened or found.unnamed:
        note(
            f"{found.unopened} answers could not be opened (erased, or sealed to others), {found.unnamed} name nobody",
            f"{found.unopened} câu trả lời không mở được (đã xóa hoặc niêm phong cho người khác),"
            f" {found.unnamed} câu không nêu người nào",
        )
    note(
        f"the persons are in {out}, sealed to the data-protection officer: motlan log unseal",
        f"danh sách người nằm trong {out}, niêm phong cho cán bộ bảo vệ dữ liệu: motlan log unseal",
    )


def _values(found: Disclosed, out: Path) -> dict[str, Any]:
    return {
        "answers": found.answers,
        "persons": found.persons,
        "unopened": found.unopened,
        "unnamed": found.unnamed,
        "released": [
            {"service": service, "elements": list(elements), "answers": count}
            for (service, elements), count in found.groups.items()
        ],
        "sealed_to": list(found.officers),
        "file": str(out),
    }
