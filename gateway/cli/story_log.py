"""What the log tells: the auditor finds the curious officer, and anybody verifies the whole of it."""

import asyncio
import time
import urllib.request
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from gateway.cli.story import Finding, LogState, Lookup, Teller, seconds
from gateway.exchange.audit_question import Found, Question
from gateway.keys.file import load_certificates
from gateway.keys.tls import client_context
from gateway.ledger.note import VerifierKey, parse_vkey
from gateway.ledger.skeleton import ENTRY_BYTES
from gateway.ledger.tiles import ENTRIES, WIDTH, TileId
from gateway.ledger.verify import Fetch, VerifiedLog, verify_log
from gateway.model.errors import ExchangeError, policy
from gateway.wiring.demo import PORTAL, Portal, World

_CLIENT = str(PORTAL)
_MOST = 500
_SETTLED_SECONDS = 10.0


async def settled(world: World) -> None:
    """Wait until every record has its place in the log (within a second, as promised)."""
    store = world.gateway.core.store.log
    async with asyncio.timeout(_SETTLED_SECONDS):
        while await store.unsequenced(1):  # noqa: ASYNC110 - the database says so, there is no event
            await asyncio.sleep(0.05)


async def finding(teller: Teller, curious: Portal, registrar: Portal) -> Found | None:
    """The auditor opens the log with a key that the gateway's operator does not have; the refusal they start from."""
    teller.scene("The auditor looks into it", "Kiểm toán viên vào cuộc")
    world, told = teller.world, teller.told
    await settled(world)
    audit, reader = world.audit(), world.auditor(case="KT-2026-017", reason="Kiểm tra định kỳ lời gọi bị từ chối")
    asked = Question(client=_CLIENT, kind="refusal", outcome="DENIED", since=told.started, limit=_MOST)
    refused = await audit.search(asked, reader)
    spent = next((one for one in refused if policy.QUOTA_SPENT.code in one.skeleton["decision"]["reasons"]), None)
    if spent is not None:
        officer = _opened(spent, "officer")[0]
        asked = Question(officer=(_CLIENT, officer), kind="request", since=told.started, limit=_MOST)
        told.finding = _finding(officer, spent, await audit.search(asked, reader))
    found = told.finding
    persons = found.persons if found else 0
    teller.step(
        found is not None
        and (found.officer, found.case) == (curious.officer, curious.case)
        and found.persons == found.looked_up,
        f"The auditor opens the log with a key of their own: {curious.officer}, {persons} persons, one dossier",
        f"Kiểm toán viên mở nhật ký bằng khóa riêng: {curious.officer}, {persons} người, một hồ sơ",
    )
    await settled(world)
    own = await audit.search(Question(kind="audit", since=told.started), reader)
    teller.step(
        len(own) > 1,
        "The auditor's own searches are records too, with name, case and reason",
        "Chính các lượt tra cứu của kiểm toán viên cũng được ghi lại, kèm tên, vụ việc và lý do",
        aside=True,
    )
    asked = Question(case=registrar.case, kind="request", since=told.started, limit=_MOST)
    answered = Question(client=_CLIENT, kind="answer", since=told.started, limit=_MOST)
    told.lookups = _lookups(await audit.search(asked, reader), await audit.search(answered, reader))
    return spent


def _finding(officer: str, spent: Found, looked: list[Found]) -> Finding | None:
    """What the records of one officer come to. None: there are none, or of several dossiers."""
    cases = {case for one in looked for case in _opened(one, "case")}
    if len(cases) != 1:
        return None
    return Finding(
        officer=officer,
        client=_CLIENT,
        case=cases.pop(),
        looked_up=len(looked),
        persons=len({person for one in looked for person in _opened(one, "person")}),
        first=looked[-1].skeleton["at"],
        last=looked[0].skeleton["at"],
        record=spent.id,
    )


async def verification(teller: Teller, altered: Found | None) -> None:
    """The whole log over HTTP, with its public key alone; then once more, with one entry altered."""
    teller.scene("The log is verified, and watched", "Nhật ký được kiểm chứng và giám sát")
    world = teller.world
    await settled(world)
    kept = world.files.folder / "checkpoint"
    older = kept.read_bytes() if kept.exists() else None
    fetch = fetcher(f"{world.url}/log", world.files.authorities)
    key = parse_vkey(world.gateway.log_key.encode())
    start = time.perf_counter()
    checkpoint, verified = await asyncio.to_thread(_verify, fetch, key, older)
    took = time.perf_counter() - start
    head = verified.checkpoint.checkpoint
    extends = None if older is None else int(older.split(b"\n")[1])
    told = seconds(took, teller.language)
    teller.step(
        head.size > 0,
        f"{head.size} records, every hash and the signature right, in {told}, with the public key alone",
        f"{head.size} bản ghi, mọi mã băm và chữ ký đều đúng, sau {told}, chỉ cần khóa công khai",
    )
    if extends is not None:
        teller.step(
            head.size >= extends,
            f"It extends the checkpoint kept from last time ({extends} records): nothing was rewritten",
            f"Nối tiếp đúng điểm kiểm đã giữ từ lần trước ({extends} bản ghi): không gì bị viết lại",
        )
    forged = ""
    if altered is not None and altered.index is not None:
        forged = await asyncio.to_thread(_verify_altered, fetch, key, altered.index)
        teller.step(
            f"entry {altered.index} " in forged,
            f"An insider alters the entry of that refusal: the verifier names entry {altered.index}",
            f"Thử sửa mục ghi lời từ chối đó: trình kiểm chứng chỉ đúng mục {altered.index}",
        )
    kept.write_bytes(checkpoint)
    teller.told.log = LogState(
        checkpoint=checkpoint.decode(), size=head.size, seconds=took, forged=forged, extends=extends
    )


def _verify(fetch: Fetch, key: VerifierKey, older: bytes | None) -> tuple[bytes, VerifiedLog]:
    """The checkpoint, and what hangs from it: both as they were at one moment."""
    checkpoint = fetch("checkpoint")
    verified = verify_log(lambda path: checkpoint if path == "checkpoint" else fetch(path), key, older=older)
    return checkpoint, verified


def _verify_altered(fetch: Fetch, key: VerifierKey, index: int) -> str:
    bundle = TileId(ENTRIES, index // WIDTH, WIDTH).path
    # Each entry stands after its length, a big-endian uint16 (C2SP tlog-tiles); one byte in its middle is changed.
    place = index % WIDTH * (ENTRY_BYTES + 2) + 2 + ENTRY_BYTES // 2

    def altered(path: str) -> bytes:
        data = fetch(path)
        if path.startswith(bundle):
            data = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        return data

    try:
        verify_log(altered, key)
    except ExchangeError as error:
        return "; ".join(error.parts)
    return ""


def fetcher(url: str, authorities: Path) -> Callable[[str], bytes]:
    """Fetches files of the public log, as anybody does. It raises urllib.error.HTTPError for one that is not there."""
    context = client_context(load_certificates(authorities))

    def fetch(path: str) -> bytes:
        with urllib.request.urlopen(f"{url}/{path}", context=context, timeout=10) as answer:  # noqa: S310 - https
            data = answer.read()
        assert isinstance(data, bytes)
        return data

    return fetch


def _opened(found: Found, name: str) -> list[str]:
    return [] if found.openings is None else [str(one.value) for one in found.openings.shown if one.name == name]


def _lookups(asked: list[Found], answered: list[Found]) -> list[Lookup]:
    """The first prefill of a dossier and the calls made for it, by time."""
    requests = {one.id: one.skeleton for one in reversed(asked)}
    ends = {one.skeleton["parent"]: one.skeleton for one in answered}
    whole = next((name for name, one in requests.items() if one["parent"] is None), None)
    if whole is None:
        return []
    begin = _time(requests[whole]["at"])
    return [
        Lookup(
            service=str(one["service"]),
            start=_time(one["at"]) - begin,
            seconds=_time(ends[name]["at"]) - _time(one["at"]),
            outcome=str(ends[name]["outcome"]),
            record=name,
            inner=name != whole,
        )
        for name, one in requests.items()
        if name in ends and (name == whole or one["parent"] == whole)
    ]


def _time(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
