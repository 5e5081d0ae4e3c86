"""``motlan log withhold`` and ``motlan log withheld``: entries that citizens' own lists do not show for a while."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from gateway.cli.log_reader import person_of, reader_of, reader_options
from gateway.cli.output import console, example, json_option, needs_gateway, note, print_json, say, table, verb
from gateway.cli.values import ASK, SUBSYSTEM, File, Moment, local, passphrase_of
from gateway.exchange.holding import Why
from gateway.exchange.withholding import Entries
from gateway.keys.file import load_private_key
from gateway.ledger.order_withheld import Withheld
from gateway.model.ids import RecordId, SubsystemId
from gateway.model.instant import Instant

T = TypeVar("T")


@click.command(
    epilog=example(
        "motlan log withhold 01a2016c-2478-7588-bb31-1885b3452b05 --until 2027-03-01 --config gateway.toml \\",
        "  --dpo-key dpo.key.pem --case TT-2026-17 --reason 'investigation 44/2026'",
        "motlan log withhold --person - --client VN/GOV/G01/police --until 2027-03-01 --config gateway.toml \\",
        "  --dpo-key dpo.key.pem --case TT-2026-17 --reason 'investigation 44/2026'",
    )
)
@click.argument("records", metavar="[ID]...", nargs=-1)
@click.option(
    "--person",
    is_flag=False,
    flag_value=ASK,
    help="Withhold from this person's list. '-' reads the number from standard input; without a value, asks.",
)
@click.option(
    "--client", "clients", multiple=True, type=SUBSYSTEM, help="With --person: entries of this subsystem only."
)
@click.option("--until", required=True, type=Moment(end=True), help="When it ends by itself; at most 366 days ahead.")
@click.option("--config", required=True, type=File, help="The gateway's settings.")
@click.option("--dpo-key", required=True, type=File, help="The data-protection officer's private key, PEM.")
@click.option("--case", required=True, help="The file's number.")
@click.option("--reason", required=True, help="Why, in words; sealed to the readers.")
@json_option
@verb
def withhold(
    records: tuple[str, ...], person: str | None, clients: tuple[SubsystemId, ...], until: Instant, **options: Any
) -> None:
    """Withhold entries from citizens' lists of accesses (docs/accesses.md) while somebody is investigated.

    It is recorded first, counts at once, and ends by itself, or sooner:  motlan log withheld lift.  The list says
    nothing of it. Auditors see the entries all the same, and the withholding too.
    """
    number = person_of(person)
    entries = Entries(
        records=tuple(RecordId(each) for each in records),
        persons=() if number is None else (number,),
        clients=tuple(str(each) for each in clients),
    )
    if not (entries.records or entries.persons):
        raise click.UsageError("name records, or --person")
    why = Why(case=options["case"], reason=options["reason"])
    key = load_private_key(options["dpo_key"], passphrase=passphrase_of(options["dpo_key"]))
    withheld: Withheld = _run(options["config"], lambda withholder: withholder.withhold(entries, until, why, key))
    if options["as_json"]:
        print_json({"id": withheld.id, "until": local(withheld.until), "records": list(withheld.records)})
        return
    click.echo(withheld.id)
    note(f"✓ withheld until {local(withheld.until)}", f"✓ tạm giữ đến {local(withheld.until)}")


_WHO = (
    "--config gateway.toml --auditor-key dpo.key.pem --auditor 'Trần Bảo Vệ' \\",
    "  --case TT-2026-17 --reason 'yearly review'",
)


@click.group(epilog=example(f"motlan log withheld list {_WHO[0]}", _WHO[1]))
def withheld() -> None:
    """Withholdings in force: list, lift. motlan log withhold  gives one."""


@withheld.command("list", epilog=example(f"motlan log withheld list {_WHO[0]}", _WHO[1]))
@reader_options
@json_option
@verb
def list_(**options: Any) -> None:
    """List the withholdings in force, and why. The reading is recorded before it is shown.

    Persons are not named: the document has them under marks that only the gateway makes.
    """
    reader = reader_of(options)
    found: list[tuple[Withheld, Why | None]] = _run(options["config"], lambda withholder: withholder.list(reader))
    if options["as_json"]:
        print_json([_values(each, why) for each, why in found])
        return
    columns = (
        say("withholding", "lệnh"),
        say("since, until", "từ, đến"),
        say("records, persons", "bản ghi, số người"),
        say("only of", "chỉ của"),
        say("why", "lý do"),
    )
    rows = [
        (
            each.id,
            f"{local(each.issued)}\n{local(each.until)}",
            f"{len(each.records)}, {len(each.persons)}",
            "\n".join(each.clients),
            "" if why is None else f"{why.case}: {why.reason}",
        )
        for each, why in found
    ]
    title = say(f"{len(found)} withholdings in force", f"{len(found)} lệnh tạm giữ đang có hiệu lực")
    console().print(table(title, columns, rows))


@withheld.command(
    "lift",
    epilog=example(
        "motlan log withheld lift 5d0c0f… --config gateway.toml --dpo-key dpo.key.pem --case TT-2026-17 \\",
        "  --reason 'investigation closed'",
    ),
)
@click.argument("withheld_id", metavar="WITHHOLDING")
@click.option("--config", required=True, type=File, help="The gateway's settings.")
@click.option("--dpo-key", required=True, type=File, help="The data-protection officer's private key, PEM.")
@click.option("--case", required=True, help="The file's number.")
@click.option("--reason", required=True, help="Why it ends, in words; sealed to the readers.")
@json_option
@verb
def lift(withheld_id: str, **options: Any) -> None:
    """End a withholding before its time: recorded first, then the entries are in citizens' lists again, at once."""
    why = Why(case=options["case"], reason=options["reason"])
    key = load_private_key(options["dpo_key"], passphrase=passphrase_of(options["dpo_key"]))
    lifted: Withheld = _run(options["config"], lambda withholder: withholder.lift(withheld_id, why, key))
    if options["as_json"]:
        print_json(_values(lifted, why))
        return
    note(
        f"✓ {lifted.id} is lifted; it would have lasted until {local(lifted.until)}",
        f"✓ đã gỡ {lifted.id}; lệnh này lẽ ra kéo dài đến {local(lifted.until)}",
    )


def _values(each: Withheld, why: Why | None) -> dict[str, Any]:
    return {
        "id": each.id,
        "issued": local(each.issued),
        "until": local(each.until),
        "records": list(each.records),
        "persons": len(each.persons),
        "clients": list(each.clients),
        "case": None if why is None else why.case,
        "reason": None if why is None else why.reason,
    }


def _run(config: Path, work: Callable[[Any], Awaitable[T]]) -> T:
    tools = needs_gateway("gateway.wiring.withholding")

    async def run() -> T:
        async with tools.open_withholder(config) as withholder:
            return await work(withholder)

    return asyncio.run(run())
