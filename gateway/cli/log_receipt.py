"""``motlan log prove`` and ``motlan log receipt``: receipts checked offline, and made from a gateway's own log."""

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import click

from gateway.cli.log_keys import demand_of, log_key_options, log_keys
from gateway.cli.output import console, example, json_option, needs_gateway, print_json, say, stop, table, verb, warn
from gateway.cli.values import File, NewFile, local
from gateway.ledger.canonical import canonical
from gateway.ledger.receipt import ProvedReceipt, verify_receipt_by
from gateway.model.errors import ExchangeError
from gateway.model.errors.receipt import RECEIPT_DIFFERS
from gateway.model.ids import RecordId

_LONGEST = 1 << 22


@click.command(
    epilog=example(
        "motlan log prove answer.tlog-proof --vkey 'gateway.example/log+4fd3…+AZ…'",
        "motlan log prove answer.request.tlog-proof --body ask.json --trust list.jws --signer 1.pub.pem",
    )
)
@click.argument("file", type=File)
@log_key_options
@click.option("--body", type=File, help="The message itself: the record must have its SHA-256.")
@json_option
@verb
def prove(file: Path, **options: Any) -> None:
    """Say what a receipt (.tlog-proof) proves, offline: nothing is believed but the log's key.

    The record's entry is computed from what the file shows of it, its place in the tree from that, and the root is the
    one that the log has signed, and --quorum of the witnesses, or those that --witness-policy names. Exit 0 only if all
    of it holds.
    """
    keys, demand = log_keys(options), demand_of(options)
    proved = verify_receipt_by(
        read_file(file), keys, witnesses=demand.witnesses, quorum=demand.quorum, policy=demand.policy
    )
    if options["body"] is not None:
        _check_body(proved, options["body"])
    if options["as_json"]:
        print_json(values_of(proved))
    else:
        show(proved)


@click.command(
    epilog=example("motlan log receipt 01a2016c-2478-7588-bb31-1885b3452b05 --config gateway.toml --out FILE")
)
@click.argument("record", metavar="ID")
@click.option("--config", required=True, type=File, help="The gateway's settings.")
@click.option("--out", required=True, type=NewFile, help="Where the receipt goes; nothing there is replaced.")
@click.option("--size", type=click.IntRange(min=1), help="Prove to the kept checkpoint of this tree size.")
@verb
def receipt(record: str, config: Path, out: Path, size: int | None) -> None:
    """Make the receipt of a record from a gateway's database, without its private fields.

    It proves that the record is in the log, to anybody, and shows of no person anything. Parties get receipts with
    their own fields from the gateway (GET /v1/receipts/ID); auditors export evidence.
    """
    made = asyncio.run(needs_gateway("gateway.wiring.tools").receipt_of(config, RecordId(record), size))
    with out.open("xb") as file:
        file.write(made)
    click.echo(say(f"✓ {out}", f"✓ {out}"))


def read_file(file: Path) -> bytes:
    """A receipt's bytes. Raises click.ClickException for a file that is far too long to be one."""
    with file.open("rb") as opened:
        data = opened.read(_LONGEST + 1)
    if len(data) > _LONGEST:
        raise stop(f"{file}: this is no receipt, it is over 4 MiB", f"{file}: không phải biên nhận, lớn hơn 4 MiB")
    return data


def show(proved: ProvedReceipt) -> None:
    """What was proved, for people, on standard output."""
    said, head = proved.skeleton, proved.checkpoint.checkpoint
    click.echo(
        say(
            f"✓ record {said.id} is entry {proved.index} of the log {head.origin} ({head.size} entries, signed by it)",
            f"✓ bản ghi {said.id} là mục {proved.index} của nhật ký {head.origin} ({head.size} mục, đã được ký)",
        )
    )
    told = [(name, value) for name, value in _public(proved).items() if value is not None]
    rows = [("", say("time", "thời gian"), local(said.instant)), *[("", name, _text(value)) for name, value in told]]
    rows += [("✓", opening.name, _text(opening.value)) for opening in proved.openings.shown]
    title = say("Each ✓ is a private field that the record commits to", "Mỗi dấu ✓ là trường riêng tư khớp với cam kết")
    console().print(table(title, ("", say("field", "trường"), say("value", "giá trị")), rows))
    hidden = len(proved.openings.fields) - len(proved.openings.shown)
    if hidden:
        click.echo(say(f"  {hidden} private fields are not shown", f"  {hidden} trường riêng tư không được hiển thị"))
    seen = proved.checkpoint.cosignatures
    for cosignature in seen:
        name = cosignature.key.name
        click.echo(say(f"✓ cosigned by {name}", f"✓ bên chứng kiến {name} đã đồng ký"))
    if not seen:
        warn(
            "no witness that you name has cosigned: others could be shown another history",
            "chưa có bên chứng kiến nào bạn nêu đồng ký: người khác vẫn có thể được cho xem một lịch sử khác",
        )


def values_of(proved: ProvedReceipt) -> dict[str, Any]:
    """What was proved, for programs."""
    head = proved.checkpoint.checkpoint
    return {
        "proved": True,
        "id": proved.skeleton.id,
        "index": proved.index,
        "log": {"origin": head.origin, "size": head.size, "root": head.root.hex()},
        "cosigned": [{"name": each.key.name, "time": each.time} for each in proved.checkpoint.cosignatures],
        "record": {"at": proved.skeleton.at, **_public(proved)},
        "private": [{"name": opening.name, "value": opening.value} for opening in proved.openings.shown],
        "hidden": len(proved.openings.fields) - len(proved.openings.shown),
    }


def _public(proved: ProvedReceipt) -> dict[str, Any]:
    said = proved.skeleton
    names = ("kind", "parent", "client", "service", "method", "purpose", "basis", "grant", "outcome", "signed_by")
    public = {name: getattr(said, name) for name in names}
    public["decision"] = None if said.decision is None else said.decision.ruling
    public["reasons"] = None if said.decision is None else list(said.decision.reasons)
    public["released"] = list(said.released) or None
    return public


def _check_body(proved: ProvedReceipt, file: Path) -> None:
    with file.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    recorded = [each.value for each in proved.openings.shown if each.name in {"body_sha256", "forwarded_sha256"}]
    if not recorded:
        raise stop("the receipt does not show the body's digest", "biên nhận không cho thấy giá trị băm của nội dung")
    if digest not in recorded:
        raise ExchangeError(RECEIPT_DIFFERS, f"{file.name} has SHA-256 {digest}", parts=("body",))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else canonical(value).decode()
