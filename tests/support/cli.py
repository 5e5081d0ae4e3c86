"""The ``motlan`` command, run as its users run it; and a gateway's configuration with a few records to look at."""

import asyncio
import contextlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec import Struct

from gateway.cli.main import main
from gateway.exchange.events import Event
from gateway.exchange.ids import new_record_id
from gateway.ledger.record import Facts, RecordKind, Ruling, SignedBy
from gateway.model.ids import RecordId, parse_subsystem
from tests.support.gateways import ECHO, PORTAL, PURPOSE, Site, running

NEWCOMER = parse_subsystem("VN/GOV/H41/portal")
ORGANIZATION = "Ủy ban nhân dân tỉnh Nghệ An"

PERSONS = ("031093271828", "040195889861")
OFFICER = "ht.nam"
CASE = "000.00.01.H24-261122-0001"


class Ran(Struct, frozen=True):
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        return self.out + self.err

    @property
    def values(self) -> Any:
        """Its JSON."""
        return json.loads(self.out)


def run(*arguments: object, stdin: str = "", lang: str = "en") -> Ran:
    """Run ``motlan`` in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), _input(stdin):
        try:
            code = main(["--lang", lang, *map(str, arguments)])
        except SystemExit as stop:
            code = stop.code
    return Ran(code or 0, out.getvalue(), err.getvalue())


def good(*arguments: object, stdin: str = "") -> Ran:
    """Run what must succeed."""
    ran = run(*arguments, stdin=stdin)
    assert ran.code == 0, ran.said
    return ran


def refused(*arguments: object, stdin: str = "", code: int = 1) -> str:
    """Run what must fail in this way; what it said."""
    ran = run(*arguments, stdin=stdin)
    assert ran.code == code, ran.said
    assert "Traceback" not in ran.said
    return ran.said


@contextlib.contextmanager
def _input(text: str) -> Iterator[None]:
    import sys  # noqa: PLC0415 - replaced here only

    before = sys.stdin
    sys.stdin = io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8")
    try:
        yield
    finally:
        sys.stdin = before


def fill(site: Site) -> list[RecordId]:
    """Let the site's gateway run for a moment and record two exchanges and a refusal; ids of these five records."""

    async def work() -> list[RecordId]:
        async with running(site) as gateway:
            core, in_force = gateway.core, gateway.pipeline.rules.in_force
            made: list[RecordId] = []

            async def record(kind: RecordKind, persons: tuple[str, ...], private: Any, **said: Any) -> None:
                now = core.clock.now()
                named = new_record_id(now, core.entropy)
                facts = Facts(
                    id=named,
                    at=now,
                    kind=kind,
                    in_force=in_force,
                    client=PORTAL,
                    service=ECHO,
                    method="POST",
                    purpose=PURPOSE,
                    signed_by=SignedBy.CALLER,
                    private=(*(("person", person) for person in persons), *private),
                    **said,
                )
                marks = {"opens": kind is RecordKind.REQUEST, "ends": said.get("parent")}
                event = Event(facts=facts, persons=persons, officer=(str(PORTAL), OFFICER), case=CASE, **marks)
                await core.recorder.commit(event)
                made.append(named)

            for person in PERSONS:
                asked = (("officer", OFFICER), ("case", CASE))
                await record(RecordKind.REQUEST, (person,), asked, ruling=Ruling.ALLOWED, grant="portal-echo")
                await record(RecordKind.ANSWER, (person,), (), outcome="FOUND", parent=made[-1])
            await record(RecordKind.REFUSAL, (), (("officer", OFFICER),), ruling=Ruling.DENIED, reasons=("denied",))
            return made

    return asyncio.run(work())


def auditor(site: Site) -> list[object]:
    """The options of an auditor who reads the site's log."""
    key = next(path for role, path in site.pki.role_keys.items() if role == "auditor")
    return [
        "--config",
        site.config,
        "--auditor-key",
        key,
        "--auditor",
        "Kiem",
        "--case",
        "TT-1",
        "--reason",
        "complaint",
    ]


def signer_options(site: Site) -> list[object]:
    """The pinned signers, as options of ``trust publish``."""
    return [*(each for file in site.pki.signer_keys for each in ("--signer", file)), "--required", 2]


def request_and_issue(site: Site, folder: Path) -> tuple[Path, Path]:
    """A newcomer's key and certificate."""
    good("cert", "request", NEWCOMER, "--organization", ORGANIZATION, "--out", folder)
    authority = site.folder / "pki/ca"
    asked = folder / "sign.csr.pem"
    good("cert", "issue", asked, "--ca", authority / "issuing.pem", "--ca-key", authority / "issuing.key.pem")
    return folder / "sign.key.pem", folder / "sign.pem"
