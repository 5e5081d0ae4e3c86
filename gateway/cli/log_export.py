"""``motlan log export``: records as a file that proves itself; and the verification of such a file."""

import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import click

from gateway.cli.log_reader import condition_options, question_of, reader_of, reader_options, with_auditing
from gateway.cli.output import example, note, print_json, say, verb
from gateway.cli.progress import counting
from gateway.cli.values import NewFile
from gateway.exchange.exporting import Prepared, Wanted
from gateway.ledger.cosignature_policy import Demand
from gateway.ledger.export import (
    BOM,
    ExportRow,
    Trailer,
    csv_header,
    csv_row,
    csv_trailer,
    json_line,
    json_trailer,
)
from gateway.ledger.export_verify import VerifiedExport, verify_export
from gateway.ledger.note import VerifierKey
from gateway.model.errors import ExchangeError
from gateway.model.errors.ledger import LOG_MALFORMED

_LONGEST_LINE = 1 << 24
_REPORT_EVERY = 1024
_AT_ONCE = 512


@click.command(
    "export",
    epilog=example(
        "motlan log export --format csv --bom --out calls.csv --client VN/GOV/H24/portal --since 2026-11-01 \\",
        "  --config gateway.toml --auditor-key auditor.key.pem --auditor 'Lê Thị Kiểm' \\",
        "  --case TT-2026-17 --reason 'complaint of 20 November'",
        "motlan log verify calls.csv --vkey 'gateway.example/log+4fd3…+AZ…'",
    ),
)
@click.option("--format", "kind_of_file", type=click.Choice(["csv", "jsonl"]), required=True, help="Of the file.")
@click.option("--out", type=NewFile, help="The file; nothing there is replaced. Without it: standard output.")
@click.option("--without-private", is_flag=True, help="Without the private fields: nobody is named.")
@click.option("--bom", is_flag=True, help="CSV with a byte order mark, so that Excel reads it as UTF-8.")
@click.option("--limit", default=0, type=click.IntRange(min=0), help="How many at most; 0: all that match.")
@reader_options
@condition_options
@verb
def export(kind_of_file: str, out: Path | None, *, without_private: bool, bom: bool, **options: Any) -> None:
    """Export records, newest first, to a file that anybody can verify offline with the log's key.

    Each row has its index in the log and its leaf hash; the end has a checkpoint of the log, and the receipt of the
    record that says what was exported. Edited, missing or reordered rows are found by  motlan log verify FILE.
    """
    wanted = Wanted(question=question_of(options), private=not without_private)
    reader, tongue = reader_of(options), say("en", "vi")

    async def work(auditing: Any) -> Prepared:
        with counting(say("counting", "đang đếm")) as report:
            prepared: Prepared = await auditing.exporting.prepare(wanted, reader, report)
        with _target(out) as file, counting(say("rows", "dòng"), prepared.rows) as report:
            writer = _csv(file, tongue, bom=bom) if kind_of_file == "csv" else _jsonl(file)
            await _write(auditing.exporting.rows(prepared), writer, report)
            file.flush()
        return prepared

    prepared = with_auditing(options["config"], work)
    note(
        f"✓ {prepared.rows} records, {prepared.persons} persons; recorded as {prepared.record}",
        f"✓ {prepared.rows} bản ghi, {prepared.persons} người; lượt xuất được ghi lại: {prepared.record}",
    )


def verify_file(file: Path, keys: Sequence[VerifierKey], demand: Demand, *, as_json: bool) -> None:
    """Verify an export offline, and say what it proves. Raises ExchangeError, whose parts name each wrong row."""
    with file.open(encoding="utf-8", errors="replace", newline="") as lines, counting(say("rows", "dòng")) as report:
        found = verify_export(
            _lines(lines),
            keys,
            witnesses=demand.witnesses,
            quorum=demand.quorum,
            policy=demand.policy,
            progress=report,
        )
    if as_json:
        print_json(_values(found))
        return
    head = found.checkpoint
    click.echo(
        say(
            f"✓ {found.rows} rows are records of {head.origin} as they were; {found.opened} with private fields",
            f"✓ {found.rows} dòng đúng là bản ghi của {head.origin}; đã kiểm trường riêng tư của {found.opened} dòng",
        )
    )
    click.echo(
        say(
            f"✓ they are all that was exported, says record {found.record} of the log ({head.size} entries)",
            f"✓ đây là toàn bộ những gì đã xuất, theo bản ghi {found.record} của nhật ký ({head.size} mục)",
        )
    )
    if found.question is not None:
        click.echo(say(f"  the question was {found.question}", f"  câu hỏi là {found.question}"))


def _lines(file: IO[str]) -> Iterator[str]:
    while line := file.readline(_LONGEST_LINE + 1):
        if len(line) > _LONGEST_LINE:
            raise ExchangeError(LOG_MALFORMED, "a line is longer than any of an export")
        yield line


async def _write(
    rows: AsyncIterator[ExportRow | Trailer],
    writer: Callable[[Sequence[ExportRow | Trailer]], None],
    report: Callable[[int], None],
) -> None:
    waiting: list[ExportRow | Trailer] = []
    done = 0
    async for row in rows:
        waiting.append(row)
        if len(waiting) == _AT_ONCE:
            writer(waiting)
            done += len(waiting)
            waiting = []
            if done % _REPORT_EVERY == 0:
                report(done)
    writer(waiting)


def _jsonl(file: IO[bytes]) -> Callable[[Sequence[ExportRow | Trailer]], None]:
    def write(rows: Sequence[ExportRow | Trailer]) -> None:
        file.write(b"".join([json_trailer(row) if isinstance(row, Trailer) else json_line(row) for row in rows]))

    return write


def _csv(file: IO[bytes], tongue: str, *, bom: bool) -> Callable[[Sequence[ExportRow | Trailer]], None]:
    file.write(((BOM if bom else "") + csv_header(tongue)).encode())

    def write(rows: Sequence[ExportRow | Trailer]) -> None:
        lines = [csv_trailer(row) if isinstance(row, Trailer) else csv_row(row) for row in rows]
        file.write("".join(lines).encode())

    return write


@contextmanager
def _target(out: Path | None) -> Iterator[IO[bytes]]:
    """The file, for its owner alone, there only once it is whole."""
    if out is None:
        yield sys.stdout.buffer
        return
    part = out.with_name(out.name + ".part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            yield file
        os.link(part, out)  # unlike a rename it replaces nothing
    finally:
        with suppress(FileNotFoundError):
            part.unlink()


def _values(found: VerifiedExport) -> dict[str, Any]:
    return {
        "valid": True,
        "rows": found.rows,
        "opened": found.opened,
        "origin": found.checkpoint.origin,
        "size": found.checkpoint.size,
        "root": found.checkpoint.root.hex(),
        "record": found.record,
        "question": found.question,
    }
