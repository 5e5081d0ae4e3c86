"""``motlan log withhold``: entries that citizens' own lists do not show for a while."""

import asyncio
from pathlib import Path
from typing import Any

import click

from gateway.cli.log_reader import person_of
from gateway.cli.output import example, json_option, needs_gateway, note, print_json, verb
from gateway.cli.values import ASK, SUBSYSTEM, File, Moment, local, passphrase_of
from gateway.exchange.holding import Why
from gateway.exchange.withholding import Entries
from gateway.keys.file import load_private_key
from gateway.ledger.order_withheld import Withheld
from gateway.model.ids import RecordId, SubsystemId
from gateway.model.instant import Instant


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

    It is recorded first, counts at once, and ends by itself; the list says nothing of it. Auditors see the entries all
    the same, and the withholding too.
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
    withheld = _withhold(options["config"], entries, until, why, key)
    if options["as_json"]:
        print_json({"id": withheld.id, "until": local(withheld.until), "records": list(withheld.records)})
        return
    click.echo(withheld.id)
    note(f"✓ withheld until {local(withheld.until)}", f"✓ tạm giữ đến {local(withheld.until)}")


def _withhold(config: Path, entries: Entries, until: Instant, why: Why, key: Any) -> Withheld:
    tools = needs_gateway("gateway.wiring.withholding")

    async def run() -> Withheld:
        async with tools.open_withholder(config) as withholder:
            withheld: Withheld = await withholder.withhold(entries, until, why, key)
            return withheld

    return asyncio.run(run())
