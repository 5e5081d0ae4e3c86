"""``motlan log decided``: under which policy, trust list and mapping a record was decided."""

from pathlib import Path
from typing import Any

import click

from gateway.cli.log_reader import reader_of, reader_options, with_auditing
from gateway.cli.output import console, example, json_option, print_json, say, stop, table, verb
from gateway.cli.values import local
from gateway.exchange.audit_decided import Decided, InForceThen
from gateway.model.ids import RecordId
from gateway.model.instant import rfc3339

_SUFFIX = {"policy": "policy.bundle", "trust": "trust-list.jws", "mapping": "services.bundle"}


@click.command(
    "decided",
    epilog=example(
        "motlan log decided 01a2016c-2478-7588-bb31-1885b3452b05 --out documents --config gateway.toml \\",
        "  --auditor-key auditor.key.pem --auditor 'Lê Thị Kiểm' --case TT-2026-17 --reason 'complaint of 20 November'",
    ),
)
@click.argument("record", metavar="ID")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="A folder to write the documents to.")
@reader_options
@json_option
@verb
def decided(record: str, out: Path | None, **options: Any) -> None:
    """Under which policy, trust list and services (with their mappings) a record was decided, by which grant and why.

    The documents are those that the gateway kept when they came into force, found by the digests in the record; each is
    digested again. Exit 1 if the record is not there, or a document is missing or altered.
    """
    reader = reader_of(options)
    found: Decided | None = with_auditing(
        options["config"], lambda auditing: auditing.deciding.of(RecordId(record), reader)
    )
    if found is None:
        raise stop(f"no such record: {record}", f"không có bản ghi: {record}")
    if out is not None:
        _write(out, found)
    if options["as_json"]:
        print_json(_values(found))
    else:
        _print(found)
    wrong = [each.name for each in found.documents if each.digest and not each.genuine]
    if wrong:
        names = ", ".join(wrong)
        raise stop(f"missing, or not what the record names: {names}", f"bị thiếu hoặc không khớp bản ghi: {names}")


def _write(folder: Path, found: Decided) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for each in found.documents:
        if each.document is not None:
            with (folder / _SUFFIX[each.name]).open("xb") as file:
                file.write(each.document.content)


def _print(found: Decided) -> None:
    said = found.found.skeleton
    decision = said["decision"] or {"ruling": None, "reasons": []}
    rows: list[tuple[str, object]] = [
        (say("decision", "quyết định"), decision["ruling"]),
        (say("reasons", "lý do"), "\n".join(decision["reasons"])),
        (say("grant", "quyền được cấp"), said["grant"]),
        (say("purpose, basis", "mục đích, căn cứ"), " · ".join(filter(None, (said["purpose"], said["basis"])))),
        (say("schema", "lược đồ"), said["digests"]["schema"]),
        (say("gateway", "cổng"), said["build"]),
    ]
    out = console()
    out.print(table(found.found.id, (say("decided", "được quyết định"), ""), rows))
    columns = (
        "",
        say("document", "tài liệu"),
        say("in force since", "có hiệu lực từ"),
        say("bytes", "byte"),
        "SHA-256",
    )
    out.print(table(say("Under", "Theo"), columns, [_row(each) for each in found.documents]))


def _row(each: InForceThen) -> tuple[object, ...]:
    document = each.document
    if document is None:
        return "✗" if each.digest else "", each.name, say("not kept", "không được lưu"), "", each.digest
    mark = "✓" if each.genuine else "✗"
    return mark, document.kind, local(document.at), len(document.content), each.digest


def _values(found: Decided) -> dict[str, Any]:
    return {
        "record": found.found.skeleton,
        "documents": [
            {
                "name": each.name,
                "digest": each.digest or None,
                "genuine": each.genuine,
                "in_force_since": None if each.document is None else rfc3339(each.document.at),
                "content": None if each.document is None else each.document.content.decode(errors="replace"),
            }
            for each in found.documents
        ],
    }
