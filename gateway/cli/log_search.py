"""``motlan log search``: records by whom they are about, who asked, which service, how it ended, and when."""

from collections.abc import Sequence
from typing import Any

import click

from gateway.cli.log_reader import (
    condition_options,
    page_options,
    question_of,
    reader_of,
    reader_options,
    with_auditing,
)
from gateway.cli.output import console, example, json_option, note, print_json, say, table, verb
from gateway.cli.values import local
from gateway.exchange.audit_question import Found, rows_of
from gateway.ledger.canonical import canonical
from gateway.ledger.record import Ruling
from gateway.ledger.skeleton import read_skeleton


@click.command(
    epilog=example(
        "motlan log search --config gateway.toml --auditor-key auditor.key.pem --auditor 'Lê Thị Kiểm' \\",
        "  --case TT-2026-17 --reason 'complaint of 20 November' --person - --since 2026-11-01",
    )
)
@reader_options
@condition_options
@page_options
@click.option("--with-answers", is_flag=True, help="With each request the record that ended it.")
@json_option
@verb
def search(**options: Any) -> None:
    """Find records, newest first. The search, and how much it found, is recorded before anything is shown.

    Officer, case and message stand with the request: --with-answers shows how it ended.
    """
    question, reader = question_of(options), reader_of(options)
    found: Sequence[Found] = with_auditing(
        options["config"],
        lambda auditing: auditing.audit.search(question, reader, with_answers=options["with_answers"]),
    )
    if options["as_json"]:
        print_json({"records": rows_of(found), "next_before": found[-1].seq if len(found) == question.limit else None})
        return
    _print_found(found)
    if len(found) == question.limit:
        note(f"there may be more: --before {found[-1].seq}", f"có thể còn nữa: --before {found[-1].seq}")


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
    ending = each.ending
    outcome = None if ending is None else f"→ {ending.skeleton['outcome']}"
    return (
        _lines(each.id, None if ending is None else ending.id),
        local(read_skeleton(canonical(said)).instant),
        _lines(said["kind"], said["outcome"], *why, outcome),
        _lines(said["client"], *each.private("officer"), *each.private("auditor")),
        _lines(said["service"], said["purpose"], *each.private("case")),
        _lines(*each.private("person")),
    )


def _lines(*texts: Any) -> str:
    return "\n".join(str(text) for text in texts if text)
