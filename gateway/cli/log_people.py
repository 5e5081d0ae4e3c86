"""``motlan log who-looked`` and ``motlan log officer``: the two questions that are asked most, each in one command."""

from collections.abc import Sequence
from typing import Any

import click

from gateway.cli.log_reader import page_options, person_of, reader_of, reader_options, time_options, with_auditing
from gateway.cli.output import console, example, json_option, note, print_json, say, table, verb
from gateway.cli.values import ASK, SUBSYSTEM, local
from gateway.exchange.audit_people import Look, Looks
from gateway.exchange.audit_question import Question
from gateway.ledger.canonical import canonical
from gateway.ledger.record import RecordKind
from gateway.ledger.skeleton import read_skeleton
from gateway.model.ids import SubsystemId


@click.command(
    "who-looked",
    epilog=example(
        "motlan log who-looked --person - --config gateway.toml --auditor-key auditor.key.pem \\",
        "  --auditor 'Lê Thị Kiểm' --case TT-2026-17 --reason 'complaint of 20 November'",
    ),
)
@click.option(
    "--person",
    required=True,
    is_flag=False,
    flag_value=ASK,
    help="The person's number. '-' reads it from standard input; without a value, asks.",
)
@reader_options
@time_options
@page_options
@json_option
@verb
def who_looked(**options: Any) -> None:
    """Who looked at this person: asked about them, or was given something of theirs, as a relative or in a list too.

    Newest first, one line for each exchange; auditors who searched by the number, or opened a record of theirs, are
    there as well.
    """
    person = person_of(options["person"])
    if person is None:
        raise click.UsageError("a person's number is needed")
    question = Question(person=person, **_page(options))
    reader = reader_of(options)
    looks: Looks = with_auditing(options["config"], lambda auditing: auditing.people.who_looked(question, reader))
    title = say(f"{len(looks.looks)} times", f"{len(looks.looks)} lượt")
    _print(looks, title, options, persons=False)


@click.command(
    "officer",
    epilog=example(
        "motlan log officer --officer ht.nam --of VN/GOV/H24/portal --without-case --config gateway.toml \\",
        "  --auditor-key auditor.key.pem --auditor 'Lê Thị Kiểm' --case TT-2026-17 --reason 'yearly review'",
    ),
)
@click.option("--officer", "code", required=True, help="The officer's code.")
@click.option("--of", required=True, type=SUBSYSTEM, help="The subsystem that they work at.")
@click.option("--without-case", is_flag=True, help="Only what names no dossier.")
@reader_options
@time_options
@page_options
@json_option
@verb
def officer(code: str, of: SubsystemId, *, without_case: bool, **options: Any) -> None:
    """What this officer looked at, and how it ended; what was refused too. Newest first."""
    question = Question(officer=(str(of), code), **_page(options))
    reader = reader_of(options)
    looks: Looks = with_auditing(
        options["config"],
        lambda auditing: auditing.people.of_officer(question, reader, without_case=without_case),
    )
    persons = {person for look in looks.looks for person in _persons(look)}
    bare = sum(look.case is None for look in looks.looks)
    title = say(
        f"{len(looks.looks)} calls, {len(persons)} persons, {bare} without a case",
        f"{len(looks.looks)} lượt, {len(persons)} người, {bare} lượt không có hồ sơ",
    )
    _print(looks, title, options, persons=True)


def _page(options: dict[str, Any]) -> dict[str, Any]:
    return {
        "since": options["since"],
        "until": options["until"],
        "before_seq": options["before"],
        "limit": options["limit"],
    }


def _print(looks: Looks, title: str, options: dict[str, Any], *, persons: bool) -> None:
    if options["as_json"]:
        print_json({"looks": [_values(look) for look in looks.looks], "next_before": looks.next_before})
        return
    columns = [
        say("time", "thời gian"),
        say("client, officer", "bên gọi, cán bộ"),
        say("case", "hồ sơ"),
        say("service, purpose", "dịch vụ, mục đích"),
        say("persons", "số định danh") if persons else say("person was", "người này được"),
        say("outcome, elements released", "kết quả, trường đã cung cấp"),
        say("record", "bản ghi"),
    ]
    made = table(title, columns, [_row(look, persons=persons) for look in looks.looks])
    made.columns[0].no_wrap = made.columns[-1].no_wrap = True
    console().print(made)
    if looks.next_before is not None:
        note(f"there may be more: --before {looks.next_before}", f"có thể còn nữa: --before {looks.next_before}")


def _row(look: Look, *, persons: bool) -> tuple[str, ...]:
    said = look.first.skeleton
    return (
        local(read_skeleton(canonical(said)).instant),
        _lines(said["client"] or said["kind"], look.officer),
        look.case or say("none", "không có"),
        _lines(said["service"], said["purpose"]),
        _lines(*_persons(look)) if persons else _how(look),
        _lines(_outcome(look), ", ".join(look.elements)),
        look.first.id,
    )


def _how(look: Look) -> str:
    asked = look.asked and look.first.skeleton["kind"] == RecordKind.REQUEST
    if look.first.skeleton["kind"] == RecordKind.AUDIT:
        return say("looked for, or read of, by an auditor", "kiểm toán viên tra cứu hoặc đọc")
    return _lines(
        say("asked about", "tra cứu") if asked else None, say("released", "cung cấp dữ liệu") if look.released else None
    )


def _outcome(look: Look) -> str | None:
    said = (look.ending or look.first).skeleton
    if said["outcome"] is not None:
        return str(said["outcome"])
    if said["kind"] == RecordKind.REQUEST:
        return say("no end recorded", "chưa có kết thúc")
    return None if said["decision"] is None else ", ".join(said["decision"]["reasons"][:1])


def _persons(look: Look) -> Sequence[str]:
    found = (*look.first.private("person"), *(() if look.ending is None else look.ending.private("person")))
    return tuple(dict.fromkeys(found))


def _values(look: Look) -> dict[str, Any]:
    said = look.first.skeleton
    return {
        "at": said["at"],
        "kind": said["kind"],
        "client": said["client"],
        "officer": look.officer,
        "case": look.case,
        "service": said["service"],
        "purpose": said["purpose"],
        "basis": said["basis"],
        "asked": look.asked,
        "released": look.released,
        "persons": list(_persons(look)),
        "outcome": (look.ending or look.first).skeleton["outcome"],
        "elements": list(look.elements),
        "request": None if look.request is None else {"id": look.request.id, "index": look.request.index},
        "answer": None if look.ending is None else {"id": look.ending.id, "index": look.ending.index},
    }


def _lines(*texts: str | None) -> str:
    return "\n".join(text for text in texts if text)
