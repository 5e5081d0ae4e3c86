"""``motlan log hold``: what may not be erased, whoever asks; and ``motlan log payload``."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from gateway.cli.log_reader import person_of, reader_of, reader_options
from gateway.cli.output import console, example, json_option, needs_gateway, note, print_json, say, table, verb
from gateway.cli.values import ASK, File, NewFile, local, passphrase_of
from gateway.exchange.holding import Held, Why
from gateway.keys.file import load_private_key
from gateway.ledger.order_hold import Hold
from gateway.model.ids import RecordId

T = TypeVar("T")


@click.group(epilog=example("motlan log hold list --config gateway.toml --key auditor.key.pem"))
def hold() -> None:
    """Legal holds: add, lift, list. A hold goes before the law's minimum, orders to erase and retention."""


def _signed(function: Any) -> Any:
    for option in reversed(
        (
            click.option("--config", required=True, type=File, help="The gateway's settings."),
            click.option("--key", required=True, type=File, help="Private key, PEM, of a role in the trust list."),
            click.option("--case", help="The file's number."),
            click.option("--reason", help="Why, in words; sealed to the readers."),
            click.option("--out", type=NewFile, help="Keep the signed document here too."),
        )
    ):
        function = option(function)
    return function


@hold.command(
    "add",
    epilog=example(
        "motlan log hold add --config gateway.toml --key auditor.key.pem --person --case TT-2027-4 \\",
        "  --reason 'court file 12/2027' --out hold.jws",
    ),
)
@_signed
@click.option("--file", "given", type=File, help="A hold or lifting that was signed before.")
@click.option("--record", "records", multiple=True, metavar="ID", help="Hold this record.")
@click.option(
    "--person",
    is_flag=False,
    flag_value=ASK,
    help="Hold everything about a person. '-' reads the number from standard input; without a value, asks.",
)
@click.option("--about-case", "cases", multiple=True, help="Hold everything of this dossier.")
@json_option
@verb
def add(**options: Any) -> None:
    """Place a hold: recorded first, then in force until a holder of the same role lifts it.

    A hold on a person or dossier knows the periods that there are now. What is recorded later is held whole, whoever it
    is about, until the hold is given again and this one is lifted.
    """
    key = _key(options["key"])
    if options["given"] is not None:
        data = options["given"].read_bytes()
        placed: Hold = _run(options["config"], lambda erasing: erasing.place(data, key))
    else:
        person = person_of(options["person"])
        held = Held(
            records=tuple(RecordId(each) for each in options["records"]),
            persons=() if person is None else (person,),
            cases=options["cases"],
        )
        why = _why(options)
        placed, data = _run(options["config"], lambda erasing: erasing.hold(held, why, key))
    _tell(placed, data, options)


@hold.command(
    "lift",
    epilog=example("motlan log hold lift 5d0c… --config gateway.toml --key auditor.key.pem --case … --reason closed"),
)
@click.argument("hold_id", metavar="HOLD")
@_signed
@json_option
@verb
def lift(hold_id: str, **options: Any) -> None:
    """Lift a hold, as a holder of the role that placed it."""
    key, why = _key(options["key"]), _why(options)
    placed, data = _run(options["config"], lambda erasing: erasing.lift(hold_id, why, key))
    _tell(placed, data, options)


@hold.command(
    "list",
    epilog=example(
        "motlan log hold list --config gateway.toml",
        "motlan log hold list --config gateway.toml --key auditor.key.pem --case TT-2027-4 --reason 'yearly review'",
    ),
)
@click.option("--config", required=True, type=File, help="The gateway's settings.")
@click.option("--key", "auditor_key", type=File, help="A reader's private key, PEM: shows why.")
@click.option("--auditor", help="With --key: who reads; stands in the record of this reading.")
@click.option("--case", help="With --key: of the investigation; stands in the record of this reading.")
@click.option("--reason", help="With --key: why, in words; stands there too.")
@json_option
@verb
def list_(*, config: Path, as_json: bool, **options: Any) -> None:
    """List the holds in force. With --key also why: that is a reading like any other, and recorded before it is shown.

    Without it nothing private is shown, and nothing recorded.
    """
    reader = None
    if options["auditor_key"] is not None:
        if not (options["auditor"] and options["case"] and options["reason"]):
            raise click.UsageError("why there are holds is shown to who states --auditor, --case and --reason")
        reader = reader_of({**options, "second_key": None})
    found: list[tuple[Hold, Why | None]] = _run(config, lambda erasing: erasing.holds(reader))
    if as_json:
        print_json([_values(each, why) for each, why in found])
        return
    columns = (
        say("hold", "lệnh"),
        say("since", "từ"),
        say("role", "vai trò"),
        say("records, periods known", "bản ghi, kỳ đã biết"),
        say("why", "lý do"),
    )
    rows = [
        (
            each.id,
            local(each.issued),
            each.role,
            f"{len(each.records)}, {len(each.subjects)}",
            "" if why is None else f"{why.case}: {why.reason}",
        )
        for each, why in found
    ]
    console().print(table(say(f"{len(found)} holds in force", f"{len(found)} lệnh đang có hiệu lực"), columns, rows))


@click.command(
    epilog=example(
        "motlan log payload 01a2016c-2478-7588-bb31-1885b3452b05 --config gateway.toml \\",
        "  --auditor-key auditor.key.pem --auditor 'Lê Thị Kiểm' --case TT-2026-17 --reason complaint --out body.json",
    )
)
@click.argument("record", metavar="ID")
@reader_options
@click.option("--out", type=NewFile, help="Write it here, not to standard output.")
@verb
def payload(record: str, **options: Any) -> None:
    """Show the body that was kept of a request or answer, where its service keeps them (payload = "sealed").

    The reading is recorded first. The body is held against the digest that the record commits to.
    """
    reader = reader_of(options)
    body: bytes = _run(options["config"], lambda erasing: erasing.payload(RecordId(record), reader))
    if options["out"] is not None:
        with options["out"].open("xb") as file:
            file.write(body)
        note(f"✓ {len(body)} bytes: {options['out']}", f"✓ {len(body)} byte: {options['out']}")
        return
    sys.stdout.buffer.write(body)
    sys.stdout.flush()


def _run(config: Path, work: Callable[[Any], Awaitable[T]]) -> T:
    tools = needs_gateway("gateway.wiring.erasing")

    async def run() -> T:
        async with tools.open_erasing(config) as erasing:
            return await work(erasing)

    return asyncio.run(run())


def _why(options: dict[str, Any]) -> Why:
    if not options["case"] or not options["reason"]:
        raise click.UsageError("a hold states --case and --reason")
    return Why(case=options["case"], reason=options["reason"])


def _tell(placed: Hold, data: bytes, options: dict[str, Any]) -> None:
    if options["out"] is not None:
        with options["out"].open("xb") as file:
            file.write(data)
    if options["as_json"]:
        print_json(_values(placed, None))
    elif placed.lifts is not None:
        note(f"✓ hold {placed.lifts} is lifted", f"✓ đã gỡ lệnh {placed.lifts}")
    else:
        click.echo(placed.id)
        note(
            f"✓ in force, on {len(placed.records)} records and what is recorded from now on",
            f"✓ có hiệu lực với {len(placed.records)} bản ghi và những gì được ghi từ nay",
        )


def _values(each: Hold, why: Why | None) -> dict[str, Any]:
    return {
        "id": each.id,
        "issued": local(each.issued),
        "role": each.role,
        "lifts": each.lifts,
        "records": list(each.records),
        "periods": len(each.subjects),
        "case": None if why is None else why.case,
        "reason": None if why is None else why.reason,
    }


def _key(file: Path) -> Any:
    return load_private_key(file, passphrase=passphrase_of(file))
