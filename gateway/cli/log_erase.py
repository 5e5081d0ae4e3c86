"""``motlan log order``: an order to erase is drafted and signed; ``motlan log erase`` carries it out."""

import asyncio
import os
from pathlib import Path
from typing import Any

import click

from gateway.cli.log_reader import person_of
from gateway.cli.output import console, example, json_option, needs_gateway, note, print_json, say, table, verb, warn
from gateway.cli.progress import counting
from gateway.cli.values import ASK, File, NewFile, local, now, passphrase_of
from gateway.exchange.erasing import Kept, Place, Reached, Report
from gateway.keys.file import load_private_key
from gateway.ledger.order import ID_BYTES, ORDER_TYP, Order, beside, committed, parse_order
from gateway.ledger.order_jws import add_signature, payload_of, sign
from gateway.ledger.skeleton import SALT_BYTES
from gateway.model.ids import RecordId


@click.command(
    epilog=example(
        "motlan log order --log gateway.example/log --person --reason 'request of 3 January' \\",
        "  --legal-basis 'Luật 91/2025/QH15, Điều 14' --case XD-2027-3 --key dpo.key.pem --out order.jws",
        "motlan log order --sign order.jws --key auditor.key.pem",
    )
)
@click.option("--sign", "signed", type=File, help="Add a signature to this order instead of drafting one.")
@click.option("--log", "origin", help="The log's origin, as its checkpoints name it.")
@click.option("--record", "records", multiple=True, metavar="ID", help="Erase the private part of this record.")
@click.option(
    "--person",
    is_flag=False,
    flag_value=ASK,
    help="Erase a person from all records made before now. '-' reads the number from standard input; "
    "without a value, asks.",
)
@click.option("--field", "fields", multiple=True, help="Only private fields of this name; without it, everything.")
@click.option("--reason", help="Why, in words.")
@click.option("--legal-basis", help="By which provision.")
@click.option("--case", help="The file's number.")
@click.option("--key", required=True, type=File, help="The signer's private key, PEM, of a role in the trust list.")
@click.option("--out", type=NewFile, help="Where the order is written; it names the person, so keep it safe.")
@verb
def order(**options: Any) -> None:
    """Draft an order to erase and sign it; or, with --sign, add a signature to one.

    It takes two: the data-protection officer, and another person of another role.
    """
    key = _key(options["key"])
    if options["signed"] is not None:
        file: Path = options["signed"]
        data = file.read_bytes()
        said = parse_order(payload_of(data))
        _replace(file, add_signature(ORDER_TYP, data, key))
        what = ", ".join(said.records) or say(f"{len(said.persons)} person", f"{len(said.persons)} người")
        note(f"✓ signed: {what}; {said.reason}", f"✓ đã ký: {what}; {said.reason}")
        return
    missing = [name for name in ("origin", "reason", "legal_basis", "case", "out") if not options[name]]
    if missing:
        raise click.UsageError(f"a draft needs {', '.join('--' + _NAMES.get(name, name) for name in missing)}")
    person = person_of(options["person"])
    persons = () if person is None else (person,)
    salts = tuple(os.urandom(SALT_BYTES) for _ in persons)
    drafted = Order(
        id=os.urandom(ID_BYTES).hex(),
        log=options["origin"],
        issued=now(),
        records=tuple(RecordId(each) for each in options["records"]),
        persons=tuple(committed(number, salt) for number, salt in zip(persons, salts, strict=True)),
        fields=tuple(options["fields"]),
        reason=options["reason"],
        legal_basis=options["legal_basis"],
        case=options["case"],
    )
    _new(options["out"], sign(ORDER_TYP, drafted.encode(), key, beside(persons, salts)))
    note(
        f"✓ {options['out']}: signed once; the other signer:  motlan log order --sign {options['out']} --key …",
        f"✓ {options['out']}: đã có một chữ ký; người ký thứ hai:  motlan log order --sign {options['out']} --key …",
    )


_NAMES = {"origin": "log", "legal_basis": "legal-basis"}


@click.command(epilog=example("motlan log erase --order order.jws --config gateway.toml --dpo-key dpo.key.pem"))
@click.option("--order", "file", required=True, type=File, help="The order, signed by two.")
@click.option("--config", required=True, type=File, help="The gateway's settings.")
@click.option("--dpo-key", required=True, type=File, help="The data-protection officer's private key, PEM.")
@json_option
@click.pass_context
@verb
def erase(ctx: click.Context, /, *, file: Path, config: Path, dpo_key: Path, as_json: bool) -> None:
    """Carry out an order: destroy private fields with their salts, pseudonyms and payloads, never what is public.

    The order is verified and recorded before anything is destroyed. Given again, it completes what a crash left
    undone. Exit 1 where a record could not be erased (legal hold, statutory minimum, unreadable), which is listed.
    """
    tools, data, key = needs_gateway("gateway.wiring.erasing"), file.read_bytes(), _key(dpo_key)

    async def work() -> Report:
        with counting(say("records", "bản ghi"), quiet=as_json) as report:
            async with tools.open_erasing(config) as erasing:
                done: Report = await erasing.erase(data, key, report)
                return done

    report = asyncio.run(work())
    if as_json:
        print_json(_values(report))
    else:
        _print(report)
    if not report.complete:
        ctx.exit(1)


def _values(report: Report) -> dict[str, Any]:
    return {
        "order": report.digest,
        "again": report.again,
        "complete": report.complete,
        "erased": list(report.erased),
        "kept": [{"id": each.id, "why": each.why, "until": _time(each)} for each in report.kept],
        "missing": list(report.missing),
        "unopened_periods": report.unopened,
        "places": [
            {"place": each.place.value, "count": each.count, "gone": None if each.gone is None else local(each.gone)}
            for each in report.places
        ],
    }


def _time(each: Kept) -> str | None:
    return None if each.until is None else local(each.until)


def _print(report: Report) -> None:
    done = say(f"{len(report.erased)} records erased", f"đã xóa {len(report.erased)} bản ghi")
    columns = (say("where", "ở đâu"), say("how many", "số lượng"), say("gone by", "hết vào"), say("what", "nội dung"))
    console().print(table(done, columns, [_row(each) for each in report.places]))
    if report.kept:
        why = {name: say(*texts) for name, texts in _WHY.items()}
        rows = [(each.id, why.get(each.why, each.why), _time(each)) for each in report.kept]
        named = (say("record", "bản ghi"), say("why", "lý do"), say("until", "đến"))
        console().print(table(say("Not erased", "Chưa xóa"), named, rows))
    if report.unopened:
        warn(
            f"{report.unopened} periods are sealed to others than this officer: nobody was looked for in them",
            f"{report.unopened} kỳ được niêm phong cho người khác: chưa tìm được ai trong các kỳ đó",
        )
    for each in report.missing:
        note(f"not in the log: {each}", f"không có trong nhật ký: {each}")


def _row(each: Reached) -> tuple[str, ...]:
    name, what = _PLACES[each.place]
    gone = say("not ours to say", "ngoài tầm kiểm soát") if each.gone is None else local(each.gone)
    return say(*name), str(each.count), gone, say(*what)


_WHY = {
    "held": ("a legal hold", "đang bị lưu giữ pháp lý"),
    "minimum": ("the law wants it kept for now; repeat the order then", "chưa hết thời hạn lưu tối thiểu theo luật"),
    "altered": ("its sealed fields were altered: tell the auditors", "trường niêm phong đã bị sửa: hãy báo kiểm toán"),
    "unreadable": ("this key opens nothing of its period", "khóa này không mở được kỳ của bản ghi"),
}
_PLACES = {
    Place.RECORDS: (
        ("database", "cơ sở dữ liệu"),
        ("fields and salts overwritten, write-ahead log cut", "đã ghi đè trường và muối, đã cắt nhật ký ghi trước"),
    ),
    Place.INDEX: (("search index", "chỉ mục tìm kiếm"), ("pseudonyms removed", "đã gỡ bút danh")),
    Place.VAULT: (("vault", "kho nội dung"), ("payloads and stored answers", "nội dung và trả lời đã lưu")),
    Place.EPOCH_KEYS: (
        ("epoch keys", "khóa kỳ"),
        ("needed by other records until then", "còn cần cho bản ghi khác đến lúc đó"),
    ),
    Place.BACKUPS: (
        ("backups", "bản sao lưu"),
        (
            "hold it until they are deleted, sealed to the readers' keys",
            "còn giữ đến khi bị xóa, niêm phong bằng khóa người đọc",
        ),
    ),
    Place.MIRRORS: (("mirrors", "bản sao nhật ký"), ("never had it: hashes only", "chưa từng có: chỉ có giá trị băm")),
    Place.HANDED_OUT: (
        ("exports, evidence", "bản xuất, chứng cứ"),
        ("handed out since; ask who has them", "đã giao ra; hãy hỏi bên giữ"),
    ),
}


def _key(file: Path) -> Any:
    return load_private_key(file, passphrase=passphrase_of(file))


def _new(path: Path, data: bytes) -> None:
    """A new file that only its owner may read: it names a person."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)


def _replace(path: Path, data: bytes) -> None:
    """In one step, readable by its owner only."""
    beside_it = path.with_name(f"{path.name}.new")
    _new(beside_it, data)
    beside_it.replace(path)
