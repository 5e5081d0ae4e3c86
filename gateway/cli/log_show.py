"""``motlan log show``: records whole, each private field verified against its commitment."""

from typing import Any

import click

from gateway.cli.log_reader import reader_of, reader_options, with_auditing
from gateway.cli.output import console, example, json_option, print_json, say, stop, table, verb, warn
from gateway.exchange.audit_question import Found, row_of
from gateway.ledger.canonical import canonical
from gateway.ledger.openings import Opening
from gateway.ledger.skeleton import Skeleton, check_opening, read_skeleton
from gateway.model.errors import ExchangeError
from gateway.model.ids import RecordId


@click.command(
    epilog=example(
        "motlan log show 01a2016c-2478-7588-bb31-1885b3452b05 --config gateway.toml \\",
        "  --auditor-key auditor.key.pem --auditor 'Lê Thị Kiểm' --case TT-2026-17 --reason 'complaint of 20 November'",
    )
)
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@reader_options
@json_option
@verb
def show(ids: tuple[str, ...], **options: Any) -> None:
    """Show records whole: the public part, and the private fields, each verified against its commitment.

    Each reading is recorded before it is done. Exit 1 if a record is not there or a field is not what was committed to.
    """
    reader = reader_of(options)

    async def work(auditing: Any) -> list[Found | None]:
        return [await auditing.audit.show(RecordId(name), reader) for name in ids]

    found = with_auditing(options["config"], work)
    shown = [(each, _checked(each)) for each in found if each is not None]
    if options["as_json"]:
        print_json([_as_values(each, checked) for each, checked in shown])
    else:
        for each, checked in shown:
            _print_record(each, checked)
    missing = [name for name, each in zip(ids, found, strict=True) if each is None]
    if missing:
        raise stop(f"no such record: {', '.join(missing)}", f"không có bản ghi: {', '.join(missing)}")
    if not all(good for _, checked in shown for _, good in checked):
        raise stop("a field is not what its record commits to", "có trường không khớp với cam kết trong bản ghi")


def _skeleton(each: Found) -> Skeleton:
    return read_skeleton(canonical(each.skeleton))


def _checked(each: Found) -> list[tuple[Opening, bool]]:
    """The private fields that the key opens, each with whether the record commits to it at its place."""
    if each.openings is None:
        return []
    skeleton = _skeleton(each)
    return [(opening, _commits(skeleton, opening)) for opening in each.openings.shown]


def _commits(skeleton: Skeleton, opening: Opening) -> bool:
    try:
        return check_opening(skeleton, opening.name, opening.value, opening.salt) == opening.position
    except ExchangeError:
        return False


def _as_values(each: Found, checked: list[tuple[Opening, bool]]) -> dict[str, Any]:
    fields = [{"name": opening.name, "value": opening.value, "verified": good} for opening, good in checked]
    return {**row_of(each), "private": None if each.openings is None else fields}


def _print_record(each: Found, checked: list[tuple[Opening, bool]]) -> None:
    value = say("value", "giá trị")
    public = [(name, _text(value)) for name, value in each.skeleton.items() if name != "private" and value is not None]
    place = say("not yet in the log", "chưa vào nhật ký") if each.index is None else str(each.index)
    rows = [(say("index in the log", "vị trí trong nhật ký"), place), *public]
    console().print(table(each.id, (say("public", "công khai"), value), rows))
    if each.openings is None:
        warn("this key opens nothing private of it", "khóa này không mở được trường riêng nào")
        return
    private = [("✓" if good else "✗", opening.name, _text(opening.value)) for opening, good in checked]
    title = say("Each ✓ is what the record commits to", "Mỗi dấu ✓ khớp với cam kết trong bản ghi")
    console().print(table(title, ("", say("private", "riêng tư"), value), private))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else canonical(value).decode()
