"""What an auditor does with the log: who looked at somebody, exported, proved offline; and an edited record caught."""

import asyncio
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from gateway.cli.story import Teller
from gateway.cli.story_log import settled
from gateway.exchange.audit_people import Look
from gateway.exchange.audit_question import Question
from gateway.exchange.exporting import Wanted
from gateway.ledger.export import Trailer, csv_header, csv_row, csv_trailer
from gateway.ledger.export_verify import VerifiedExport, verify_export
from gateway.ledger.note import VerifierKey, parse_vkey
from gateway.ledger.verify import verify_records
from gateway.model.errors import ExchangeError
from gateway.wiring.demo import World
from gateway.wiring.tools import edited_copy_of, with_stored_log

EXPORT = "who-looked.csv"
"""What is exported, in the demo's folder."""


async def proof(teller: Teller, person: str) -> None:
    """Find who looked at a person, export that, verify it offline, and catch a record edited in the database.

    person: somebody whom an officer looked at.
    """
    teller.scene("The auditor proves it", "Kiểm toán viên chứng minh")
    world = teller.world
    await settled(world)
    looks = await _who_looked(world, person)
    officers = {look.officer for look in looks if look.officer}
    teller.step(
        any(look.asked for look in looks),
        f"Who looked at this neighbour, found by number: {', '.join(sorted(officers))}, with case and record",
        f"Tra theo số định danh, ai đã xem người hàng xóm này: {', '.join(sorted(officers))}, kèm hồ sơ, bản ghi",
    )
    file = world.files.folder / EXPORT
    await _export(world, person, file)
    key = parse_vkey(world.gateway.log_key.encode())
    verified = await asyncio.to_thread(_verify, file, key)
    teller.step(
        verified.rows >= len(looks) > 0,
        f"Exported, and verified offline with the log's key alone: {verified.rows} rows",
        f"Xuất ra tệp và kiểm chứng ngoại tuyến chỉ bằng khóa của nhật ký: {verified.rows} dòng",
    )
    look = next(look for look in looks if look.asked)
    row, said = await asyncio.to_thread(_edited_export, file, key, look.officer or "")
    teller.step(
        f"row {row} " in said,
        f"One officer is exchanged for another in the file: the verifier names row {row}",
        f"Đổi tên một cán bộ trong tệp: trình kiểm chứng chỉ đúng dòng {row}",
    )
    named = await asyncio.to_thread(_edited_database, world, look)
    teller.step(
        look.first.id in named,
        f"Somebody edits that record in the database: the verifier names record …{look.first.id[-12:]}",
        f"Có người sửa bản ghi đó trong cơ sở dữ liệu: trình kiểm chứng nêu đúng bản ghi …{look.first.id[-12:]}",
    )


async def _who_looked(world: World, person: str) -> tuple[Look, ...]:
    reader = world.auditor(case="KT-2026-018", reason="Khiếu nại của người dân")
    found = await world.auditing().people.who_looked(Question(person=person), reader)
    return tuple(look for look in found.looks if look.first.skeleton["kind"] == "request")


async def _export(world: World, person: str, file: Path) -> None:
    exporting = world.auditing().exporting
    reader = world.auditor(case="KT-2026-018", reason="Khiếu nại của người dân")
    prepared = await exporting.prepare(Wanted(question=Question(person=person, limit=0)), reader)
    rows = [csv_trailer(row) if isinstance(row, Trailer) else csv_row(row) async for row in exporting.rows(prepared)]
    _write(file, "".join([csv_header("vi"), *rows]))


def _write(file: Path, text: str) -> None:
    """For the owner only: it names people."""
    with suppress(FileNotFoundError):
        file.unlink()
    file.touch(mode=0o600)
    file.write_text(text, encoding="utf-8", newline="")


def _verify(file: Path, key: VerifierKey) -> VerifiedExport:
    with file.open(encoding="utf-8", newline="") as lines:
        return verify_export(lines, (key,))


def _edited_export(file: Path, key: VerifierKey, officer: str) -> tuple[int, str]:
    """The row in which the officer is replaced, and what the verifier says of it."""
    lines = file.read_bytes().decode().splitlines(keepends=True)
    row = next(number for number, line in enumerate(lines) if officer in line)
    lines[row] = lines[row].replace(officer, "ht.khac")
    try:
        verify_export(lines, (key,))
    except ExchangeError as error:
        return row, "; ".join(error.parts)
    return row, ""


def _edited_database(world: World, look: Look) -> str:
    """What the verifier of stored records says of a copy of the database in which a record was edited."""
    purpose = str(look.first.skeleton["purpose"]).encode()
    change = b'"purpose":"%b"' % purpose, b'"purpose":"9.999999"'

    def work(stored: Any) -> str:
        try:
            verify_records(stored.records(), stored.fetch, stored.size(), complete=True)
        except ExchangeError as error:
            return "; ".join(error.parts)
        return ""

    with tempfile.TemporaryDirectory() as folder:
        copied = edited_copy_of(world.gateway.settings, Path(folder) / "copy.sqlite", look.first.seq, change)
        return with_stored_log(copied, None, work)
