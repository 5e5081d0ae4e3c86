"""``motlan log``: auditors search and read records; anybody verifies the log."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from gateway.cli.log_receipt import prove, receipt
from gateway.cli.log_verify import verify_
from gateway.cli.output import (
    console,
    example,
    json_option,
    needs_gateway,
    note,
    print_json,
    say,
    stop,
    table,
    verb,
    warn,
)
from gateway.cli.values import ASK, File, Moment, local, passphrase_of, private_value
from gateway.exchange.audit import Found, Question, Reader, rows_of
from gateway.keys.file import load_private_key
from gateway.ledger.canonical import canonical
from gateway.ledger.openings import Opening
from gateway.ledger.record import Ruling
from gateway.ledger.skeleton import Skeleton, check_opening, read_skeleton
from gateway.model.errors import ExchangeError
from gateway.model.ids import RecordId


@click.group(
    epilog=example("motlan log verify --url https://gateway.example/log --vkey 'gateway.example/log+4fd3…+AZ…'")
)
def log() -> None:
    """Search, show and verify the log."""


log.add_command(verify_)
log.add_command(prove)
log.add_command(receipt)


def _auditor(function: Any) -> Any:
    """The options of every verb that reads what is private: who reads, and why. They become a record."""
    for option in reversed(
        (
            click.option("--config", required=True, type=File, help="The gateway's settings."),
            click.option("--auditor-key", required=True, type=File, help="The auditor's private key, PEM."),
            click.option("--auditor", required=True, help="Who reads; stands in the record of this reading."),
            click.option("--case", required=True, help="The investigation's number; stands there too."),
            click.option("--reason", required=True, help="Why, in words; stands there too."),
        )
    ):
        function = option(function)
    return function


@log.command(
    epilog=example(
        "motlan log search --config gateway.toml --auditor-key auditor.key.pem --auditor 'Lê Thị Kiểm' \\",
        "  --case TT-2026-17 --reason 'complaint of 20 November' --person - --since 2026-11-01",
    )
)
@_auditor
@click.option(
    "--person",
    is_flag=False,
    flag_value=ASK,
    help="Records about a person. '-' reads the number from standard input; without a value it is asked for.",
)
@click.option("--officer", metavar="SUBSYSTEM:CODE", help="Records of an officer's calls.")
@click.option("--about-case", help="Records of a dossier.")
@click.option("--client", help="Of this calling subsystem.")
@click.option("--service", help="Of this service.")
@click.option("--purpose", help="For this procedure code.")
@click.option("--kind", help="request, answer, refusal, audit, configuration …")
@click.option("--outcome", help="FOUND, NOT_FOUND, DENIED …")
@click.option("--since", type=Moment(), help="Not before this time (Vietnamese, unless it says an offset).")
@click.option("--until", type=Moment(end=True), help="Before this time; of a day, its end.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 100_000), help="How many at most.")
@click.option("--before", type=int, metavar="SEQ", help="Only records committed before this one: the next page.")
@json_option
@verb
def search(**options: Any) -> None:
    """Find records, newest first. The search itself is recorded before anything is read."""
    question = Question(
        person=_person(options["person"]),
        officer=_officer(options["officer"]),
        case=options["about_case"],
        before_seq=options["before"],
        **{
            name: options[name]
            for name in ("client", "service", "purpose", "kind", "outcome", "since", "until", "limit")
        },
    )
    found = asyncio.run(_search(options["config"], question, _reader(options)))
    if options["as_json"]:
        print_json({"records": rows_of(found), "next_before": found[-1].seq if len(found) == question.limit else None})
        return
    _print_found(found)
    if len(found) == question.limit:
        note(f"there may be more: --before {found[-1].seq}", f"có thể còn nữa: --before {found[-1].seq}")


async def _search(config: Path, question: Question, reader: Reader) -> Sequence[Found]:
    async with needs_gateway("gateway.wiring.tools").open_audit(config) as audit:
        found: list[Found] = await audit.search(question, reader)
        return found


@log.command(
    epilog=example(
        "motlan log show 01a2016c-2478-7588-bb31-1885b3452b05 --config gateway.toml \\",
        "  --auditor-key auditor.key.pem --auditor 'Lê Thị Kiểm' --case TT-2026-17 --reason 'complaint of 20 November'",
    )
)
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@_auditor
@json_option
@verb
def show(ids: tuple[str, ...], **options: Any) -> None:
    """Show records whole: the public part, and the private fields, each verified against its commitment.

    Each reading is recorded before it is done. Exit 1 if a record is not there or a field is not what was committed to.
    """
    found = asyncio.run(_show(options["config"], ids, _reader(options)))
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


async def _show(config: Path, ids: tuple[str, ...], reader: Reader) -> list[Found | None]:
    async with needs_gateway("gateway.wiring.tools").open_audit(config) as audit:
        return [await audit.show(RecordId(name), reader) for name in ids]


def _reader(options: dict[str, Any]) -> Reader:
    key = load_private_key(options["auditor_key"], passphrase=passphrase_of(options["auditor_key"]))
    return Reader(name=options["auditor"], case=options["case"], reason=options["reason"], key=key)


def _person(given: str | None) -> str | None:
    if given not in {None, "-", ASK}:
        warn(
            "other users of this machine can see a number on the command line; better:  --person -",
            "người khác trên máy này có thể thấy số ghi trên dòng lệnh; nên dùng:  --person -",
        )
    return private_value(given, say("Identity number", "Số định danh"))


def _officer(given: str | None) -> tuple[str, str] | None:
    if given is None:
        return None
    subsystem, colon, code = given.partition(":")
    if not colon or not code:
        raise click.UsageError("an officer is written SUBSYSTEM:CODE, for instance VN/GOV/H24/portal:ht.nam")
    return subsystem, code


def _print_found(found: Sequence[Found]) -> None:
    columns = (
        say("record", "bản ghi"),
        say("time", "thời gian"),
        say("what", "việc"),
        say("who", "bên gọi, cán bộ"),
        say("service, purpose, case", "dịch vụ, mục đích, hồ sơ"),
        say("persons", "người được tra cứu"),
    )
    made = table(say(f"{len(found)} records", f"{len(found)} bản ghi"), columns, [_row(each) for each in found])
    for column in made.columns[:2]:
        column.no_wrap = True
    console().print(made)


def _row(each: Found) -> tuple[str, ...]:
    said, decision = each.skeleton, each.skeleton["decision"]
    why = decision["reasons"][:1] if decision and decision["ruling"] != Ruling.ALLOWED else []
    return (
        each.id,
        local(_skeleton(each).instant),
        _lines(said["kind"], said["outcome"], *why),
        _lines(said["client"], *_private(each, "officer"), *_private(each, "auditor")),
        _lines(said["service"], said["purpose"], *_private(each, "case")),
        _lines(*_private(each, "person")),
    )


def _lines(*texts: str | None) -> str:
    return "\n".join(text for text in texts if text)


def _private(each: Found, name: str) -> list[str]:
    shown = () if each.openings is None else each.openings.shown
    return [str(opening.value) for opening in shown if opening.name == name]


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
    (values,) = rows_of([each])
    fields = [{"name": opening.name, "value": opening.value, "verified": good} for opening, good in checked]
    return {**values, "private": None if each.openings is None else fields}


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
