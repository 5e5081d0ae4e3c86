"""What an auditor does with the log, by the commands that every auditor has: who looked at somebody, exported, proved
offline; and an edited record caught.
"""

import asyncio
from pathlib import Path

from msgspec import Struct

from gateway.cli.story import Teller
from gateway.cli.story_commands import Ran, keep, motlan, reading
from gateway.cli.story_log import settled
from gateway.wiring.demo import CITIZEN, World
from gateway.wiring.demo_copies import edited

EXPORT = "who-looked.csv"
"""What is exported, in the demo's folder."""
EDITED = "who-looked-edited.csv"
"""The same after somebody has edited it."""

CASE = "KT-2026-018"
_REASON = "Khiếu nại của người dân"


class Traced(Struct, frozen=True, kw_only=True):
    """A look-up that the auditor found. id, index, seq: of its request's record; seq is its commit number."""

    id: str
    index: int
    seq: int
    officer: str
    purpose: str


async def proof(teller: Teller, person: str, traced: Traced) -> None:
    """Export who looked at a person, verify that offline, and catch a record edited in the database.

    traced: one of these look-ups, as ``who_looked`` found it.
    """
    world = teller.world
    export, forged = world.files.folder / EXPORT, world.files.folder / EDITED
    exported = await _export(teller, person, export)
    row = await asyncio.to_thread(_edit, export, forged, traced.officer)
    change = b'"purpose":"%b"' % traced.purpose.encode(), b'"purpose":"9.999999"'
    config = await asyncio.to_thread(edited, world, traced.seq, change)
    verified, wrong, caught = await asyncio.gather(
        motlan("log", "verify", export, "--vkey", world.vkey, "--json"),
        motlan("log", "verify", forged, "--vkey", world.vkey, "--json"),
        motlan("log", "verify", "--config", config, "--json"),
    )
    rows = verified.values.get("rows", 0)
    teller.step(
        exported.code == verified.code == 0 and rows > 1,
        f"log export, then log verify: {rows} rows proved offline, with the log's key alone",
        f"log export, rồi log verify: {rows} dòng được kiểm chứng ngoại tuyến, chỉ bằng khóa của nhật ký",
        by=(exported, verified),
    )
    teller.step(
        wrong.code == 1 and f"row {row} " in _said(wrong),
        f"One officer is exchanged for another in the file: log verify names row {row}",
        f"Đổi tên một cán bộ trong tệp: log verify chỉ đúng dòng {row}",
        by=(wrong,),
    )
    teller.step(
        caught.code == 1 and traced.id in _said(caught),
        f"Somebody edits that record in the database: log verify names record …{traced.id[-12:]}",
        f"Có người sửa bản ghi đó trong cơ sở dữ liệu: log verify nêu đúng bản ghi …{traced.id[-12:]}",
        by=(caught,),
    )


async def who_looked(teller: Teller, person: str) -> Traced | None:
    """Find who looked at a person, by number: the newest look-up, or None. person: whom an officer looked at."""
    world = teller.world
    await settled(world)
    who = reading(world, case=CASE, reason=_REASON)
    ran = await motlan("log", "who-looked", "--person", "-", *who, "--json", stdin=person)
    looks = [look for look in ran.values.get("looks", ()) if look["asked"] and look["service"] == CITIZEN]
    officer = looks[0]["officer"] if looks else ""
    teller.step(
        bool(looks) and all(look["officer"] and look["case"] and look["elements"] for look in looks),
        f"log who-looked, by a neighbour's number: {officer}, with dossier, fields and record of each look-up",
        f"log who-looked, tra theo số của một người hàng xóm: {officer}, kèm hồ sơ, trường và bản ghi từng lượt",
        by=(ran,),
    )
    if not looks:
        return None
    look, request = looks[0], looks[0]["request"]
    stored = await world.gateway.core.store.log.record(request["id"])
    assert stored is not None
    return Traced(
        id=request["id"], index=request["index"], seq=stored.seq, officer=look["officer"], purpose=look["purpose"]
    )


async def _export(teller: Teller, person: str, file: Path) -> Ran:
    await asyncio.to_thread(file.unlink, missing_ok=True)
    who = reading(teller.world, case=CASE, reason=_REASON)
    language = teller.language
    return await motlan(
        "log", "export", "--format", "csv", "--out", file, "--person", "-", *who, stdin=person, language=language
    )


def _edit(export: Path, forged: Path, officer: str) -> int:
    """Write the export with another officer in its first row that names this one; which row that is."""
    lines = export.read_bytes().decode().splitlines(keepends=True)
    row = next((number for number, line in enumerate(lines) if officer in line), 0)
    lines[row] = lines[row].replace(officer, "ht.khac")
    keep(forged, "".join(lines).encode())
    return row


def _said(ran: Ran) -> str:
    return "; ".join(ran.values.get("faults", ()))


def neighbour(world: World) -> str:
    """The number of the one whom the curious officer looked at first."""
    return world.people.story.neighbours[0].identity_number


def spared(world: World) -> str:
    """The number of the one whom the quota has spared."""
    return world.people.story.neighbours[-1].identity_number
