"""``motlan log affected`` with several processes: the same as one finds, and nothing of the keys where others can look."""

import asyncio
import os
import time
from pathlib import Path

import apsw
import psutil
import pytest

from gateway.config.load import load
from gateway.exchange.audit_affected import Disclosed, in_turn
from gateway.exchange.audit_desk import Reader
from gateway.keys.file import load_private_key
from gateway.ledger.export_sealed import open_rows
from gateway.model.instant import Instant
from gateway.model.log import LogQuery
from gateway.model.storage import JournalUnavailableError
from gateway.wiring import affected
from gateway.wiring.affected import in_processes
from gateway.wiring.audit import open_auditing
from tests.support.audit import CHILD, FATHER, MOTHER, Entry, reader, tell_story
from tests.support.cli import good, refused
from tests.support.gateways import OTHER, PORTAL, make_site

MORE = tuple(
    Entry(
        name=f"more {number}",
        asked=(FATHER, MOTHER)[: number % 3],
        released=() if number % 5 == 0 else (FATHER, MOTHER, CHILD)[: 1 + number % 3],
        outcome=None if number % 7 == 0 else "FOUND",
        client=OTHER if number % 4 == 0 else PORTAL,
    )
    for number in range(40)
)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    made = make_site(tmp_path_factory.mktemp("site"), "http://127.0.0.1:9")
    text = made.config.read_text()
    officer = officers_file(made)
    public = officer.with_name(officer.name.replace(".key.", ".pub."))
    made.config.write_text(text.replace('pub.pem" }]', f'pub.pem" }}, {{ id = "dpo", key = "{public}" }}]', 1))
    tell_story(made, MORE)
    return made


def officers_file(site):
    return next(path for name, path in site.pki.role_keys.items() if name == "data-protection-officer")


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Runs of a few records, and several processes for them."""
    monkeypatch.setattr(affected, "RUN", 7)
    monkeypatch.setattr(affected, "FEW", 0)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})


def workers():
    """The processes that were begun; not the one that Python itself begins beside them, nor those of other tests."""
    children = psutil.Process().children(recursive=True)
    return [child for child in children if "spawn_main" in " ".join(child.cmdline())]


async def gathered(site, pieces=None):
    """What it comes to, and the rows, opened."""
    async with open_auditing(site.config) as auditing:
        use, rows = auditing.affected, []
        if pieces is not None:
            use = use.over(pieces(auditing))
        async for each in use.of(str(PORTAL), Instant(0), Instant(2**60), auditor(site)):
            if isinstance(each, Disclosed):
                return each, rows
            rows += open_rows(each, load_private_key(officers_file(site)))
    raise AssertionError


def auditor(site):
    path = next(path for name, path in site.pki.role_keys.items() if name == "auditor")
    return Reader(name="a", case="1", reason="test", key=load_private_key(path))


def database(site):
    return load(site.config).ledger.database


@pytest.mark.parametrize("processes", [1, 2])
def test_the_same_as_one_record_after_the_other(site, processes):
    found, rows = asyncio.run(gathered(site, lambda _: in_processes(database(site), most=processes)))
    wanted, known = asyncio.run(gathered(site, lambda auditing: in_turn(auditing.audit.desk.log)))
    assert found == wanted
    assert found.answers > 10
    assert found.persons == 3
    assert sorted(rows, key=repr) == sorted(known, key=repr)
    assert [row.at for row in rows] == sorted(row.at for row in rows)


def test_the_command_spreads_it(site, tmp_path):
    out = tmp_path / "affected.jwe"
    arguments = ("--client", str(PORTAL), "--since", "2026-01-01", "--until", "2099-01-01", "--out", out)
    found = good("log", "affected", *arguments, *reader(site), "--json").values
    wanted, rows = asyncio.run(gathered(site))
    assert (found["answers"], found["persons"]) == (wanted.answers, wanted.persons)
    assert len(good("log", "unseal", out, "--key", officers_file(site)).out.splitlines()) == len(rows)


def test_keys_stand_in_no_arguments_and_no_environment(site):
    async def looked():
        async with open_auditing(site.config) as auditing:
            desk = auditing.audit.desk
            admitted = await desk.admit(auditor(site))
            secrets = [key for each in admitted.epochs.values() for key in (each.key, each.pseudonym_key)]
            query = LogQuery(client=str(PORTAL), kind="answer")
            coming = in_processes(database(site), most=2)(query, admitted.epochs, auditing.affected._officers())
            await anext(coming)
            children = workers()
            shown = [Path(f"/proc/{child.pid}/{name}") for child in children for name in ("cmdline", "environ")]
            seen = b"".join([path.read_bytes() for path in shown])
            await coming.aclose()
            return children, seen, secrets

    children, seen, secrets = asyncio.run(looked())
    assert children
    assert secrets
    for secret in secrets:
        assert secret not in seen
        assert secret.hex().encode() not in seen
    end = time.monotonic() + 10
    while any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children):
        assert time.monotonic() < end, "a process is left that holds keys"


def test_a_process_that_ends_before_its_time_is_an_error_and_no_shorter_list(site):
    async def ended():
        async with open_auditing(site.config) as auditing:
            admitted = await auditing.audit.desk.admit(auditor(site))
            query = LogQuery(client=str(PORTAL), kind="answer")
            coming = in_processes(database(site), most=2)(query, admitted.epochs, auditing.affected._officers())
            await anext(coming)
            for child in workers():
                child.kill()
            async for _ in coming:
                pass

    with pytest.raises(JournalUnavailableError, match="before its time"):
        asyncio.run(ended())


def test_a_row_that_does_not_parse_is_an_error_and_no_shorter_list(site, tmp_path):
    connection = apsw.Connection(str(database(site)))
    answer = "SELECT seq FROM posting JOIN term ON term.id = posting.term WHERE value = 'answer' LIMIT 1 OFFSET 8"
    seq = connection.execute(answer).get
    row = connection.execute("SELECT row FROM journal WHERE seq = ?", (seq,)).get
    connection.execute("UPDATE journal SET row = x'00' WHERE seq = ?", (seq,))
    out = tmp_path / "affected.jwe"
    arguments = ("--client", str(PORTAL), "--since", "2026-01-01", "--until", "2099-01-01", "--out", out)
    try:
        assert "does not parse" in refused("log", "affected", *arguments, *reader(site))
    finally:
        connection.execute("UPDATE journal SET row = ? WHERE seq = ?", (row, seq))
        connection.close()
    assert not list(tmp_path.iterdir())
