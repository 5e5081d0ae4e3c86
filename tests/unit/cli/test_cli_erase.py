"""``motlan log order``, ``erase`` and ``hold``: two sign, one carries it out, and what stays verifies."""

import asyncio
import contextlib
import sqlite3
import stat

import pytest

from gateway.config.load import load
from gateway.exchange.events import Event
from gateway.exchange.ids import new_record_id
from gateway.ledger.record import Facts, RecordKind
from gateway.model.ids import RecordId
from gateway.model.instant import plus
from gateway.model.usage import RoleName
from gateway.wiring.gateway import Gateway
from tests.support.cli import PERSONS, auditor, good, refused, run
from tests.support.gateways import ECHO, PORTAL, PURPOSE, make_site
from tests.support.storage import copied

DAYS = 86_400.0
LOG = "motlan.example/log"


async def _fill(site) -> list[RecordId]:
    gateway = await Gateway.start(site.config)
    made = []
    try:
        core = gateway.core
        for person in PERSONS:
            now = core.clock.now()
            named = new_record_id(now, core.entropy)
            facts = Facts(
                id=named,
                at=plus(now, -200 * DAYS),
                kind=RecordKind.REFUSAL,
                in_force=gateway.pipeline.rules.in_force,
                client=PORTAL,
                service=ECHO,
                purpose=PURPOSE,
                private=(("person", person), ("case", "H24-1")),
            )
            await core.recorder.commit(Event(facts=facts, persons=(person,), case="H24-1"))
            made.append(named)
    finally:
        await gateway.stop()
    return made


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    site = make_site(tmp_path_factory.mktemp("site"), "http://127.0.0.1:9")
    text = site.config.read_text()
    dpo = site.pki.role_keys[RoleName.DATA_PROTECTION_OFFICER].with_name("data-protection-officer.pub.pem")
    readers = f', {{ id = "dpo", key = "{dpo}" }}]'
    text = text.replace('auditor.pub.pem" }]', 'auditor.pub.pem" }' + readers, 1)
    site.config.write_text(text + "\n[retention]\nlevel = 3\n")
    return site, asyncio.run(_fill(site))


@pytest.fixture
def site(filled, monkeypatch, tmp_path):
    found, _ = filled
    copy = copied(found.folder / "motlan.sqlite", tmp_path / "copy.sqlite")
    monkeypatch.setenv("MOTLAN_LEDGER_DATABASE", str(copy))
    return found


@pytest.fixture
def ids(filled):
    return filled[1]


def key(site, role: RoleName):
    return site.pki.role_keys[role]


def dpo(site):
    return key(site, RoleName.DATA_PROTECTION_OFFICER)


def drafted(site, path, *what, signer=None, stdin=""):
    why = ("--reason", "asked", "--legal-basis", "Luật 91/2025/QH15", "--case", "XD-1", "--log", LOG)
    good("log", "order", *what, *why, "--key", signer or dpo(site), "--out", path, stdin=stdin)
    return path


def signed(site, path, *what, stdin=""):
    drafted(site, path, *what, stdin=stdin)
    good("log", "order", "--sign", path, "--key", key(site, RoleName.AUDITOR))
    return path


def erasing(site, order, *more):
    return ["log", "erase", "--order", order, "--config", site.config, "--dpo-key", dpo(site), *more]


def private(site, record):
    shown = good("log", "show", record, *auditor(site), "--json").values[0]["private"]
    return None if shown is None else {field["name"]: field["value"] for field in shown}


def leaders(site):
    """How many sequencers there were."""
    with contextlib.closing(sqlite3.connect(load(site.config).ledger.database)) as database:
        return database.execute("SELECT fence FROM tree").fetchone()[0]


def test_a_person_is_erased_and_the_log_still_verifies(site, ids, tmp_path) -> None:
    order = signed(site, tmp_path / "order.jws", "--person", "-", stdin=PERSONS[0] + "\n")
    assert stat.S_IMODE(order.stat().st_mode) == 0o600
    led = leaders(site)
    done = good(*erasing(site, order, "--json")).values
    assert leaders(site) == led + 1  # one for the whole command: a second would wait until the first one's lease ends
    assert done["erased"] == [ids[0]]
    assert {each["place"] for each in done["places"]} >= {"records", "backups", "epoch-keys", "handed-out"}
    assert private(site, ids[0]) is None
    assert private(site, ids[1])["person"] == PERSONS[1]
    found = good("log", "search", *auditor(site), "--person", "-", "--json", stdin=PERSONS[0]).values["records"]
    assert [each["id"] for each in found if each["record"]["kind"] == "refusal"] == []
    again = good(*erasing(site, order))
    assert "backups" in again.out
    checked = good("log", "verify", "--config", site.config, "--auditor-key", key(site, RoleName.AUDITOR), "--json")
    assert checked.values["valid"]


def test_one_signature_is_not_enough(site, ids, tmp_path) -> None:
    order = drafted(site, tmp_path / "order.jws", "--record", ids[0])
    assert "another role is missing" in refused(*erasing(site, order))
    twice = drafted(site, tmp_path / "twice.jws", "--record", ids[0])
    good("log", "order", "--sign", twice, "--key", dpo(site))
    assert "another role is missing" in refused(*erasing(site, twice))
    assert private(site, ids[0])["person"] == PERSONS[0]


def test_an_auditor_does_not_carry_it_out(site, ids, tmp_path) -> None:
    order = signed(site, tmp_path / "order.jws", "--record", ids[0])
    command = ["log", "erase", "--order", order, "--config", site.config]
    assert "may not do this" in refused(*command, "--dpo-key", key(site, RoleName.AUDITOR))


def test_a_hold_is_placed_listed_and_lifted(site, ids, tmp_path) -> None:
    why = ("--case", "TT-9", "--reason", "court file 12", "--config", site.config, "--key", key(site, RoleName.AUDITOR))
    hold = good("log", "hold", "add", "--person", "-", *why, stdin=PERSONS[0]).out.strip()
    order = signed(site, tmp_path / "order.jws", "--record", ids[0])
    ran = run(*erasing(site, order))
    assert ran.code == 1
    assert "a legal hold" in ran.out
    listed = good("log", "hold", "list", "--config", site.config, "--json").values
    assert [(each["id"], each["reason"]) for each in listed] == [(hold, None)]
    assert "--auditor, --case and --reason" in refused("log", "hold", "list", *why, "--json", code=2)
    listed = good("log", "hold", "list", *why, "--auditor", "Kiem", "--json").values
    assert [(each["case"], each["reason"]) for each in listed] == [("TT-9", "court file 12")]
    assert "lifted by that role" in refused("log", "hold", "lift", hold, *why[:6], "--key", dpo(site))
    good("log", "hold", "lift", hold, *why)
    shown = good("log", "search", *auditor(site), "--kind", "audit", "--json").values["records"]
    assert shown[0]["record"]["decision"]["reasons"] == ["holds"]
    fields = {each["name"]: each["value"] for each in shown[0]["private"]}
    assert (fields["auditor"], fields["audit_case"], fields["reason"]) == ("Kiem", "TT-9", "court file 12")
    assert good("log", "hold", "list", "--config", site.config, "--json").values == []
    good(*erasing(site, order))
    assert private(site, ids[0]) is None


def test_a_private_part_that_somebody_wiped_is_named(site, ids, tmp_path) -> None:
    import msgspec  # noqa: PLC0415 - here only

    with contextlib.closing(sqlite3.connect(tmp_path / "copy.sqlite")) as connection, connection:
        for number, packed in connection.execute("SELECT seq, row FROM journal").fetchall():
            row = msgspec.msgpack.decode(packed)
            if row[2] == ids[0]:
                row[5] = b""
                connection.execute("UPDATE journal SET row = ? WHERE seq = ?", (msgspec.msgpack.encode(row), number))
    ran = run("log", "verify", "--config", site.config, "--auditor-key", key(site, RoleName.AUDITOR))
    assert ran.code == 1
    assert f"record {ids[0]}: its private part is gone, and nothing in the log accounts for it" in ran.said


@pytest.mark.parametrize(
    ("missing", "named"), [("--reason", "--reason"), ("--legal-basis", "--legal-basis"), ("--log", "--log")]
)
def test_a_draft_says_why_and_for_which_log(site, ids, tmp_path, missing, named) -> None:
    options = {"--record": ids[0], "--reason": "r", "--legal-basis": "l", "--case": "c", "--log": LOG}
    options.pop(missing)
    words = [word for pair in options.items() for word in pair]
    assert named in refused("log", "order", *words, "--key", dpo(site), "--out", tmp_path / "order.jws", code=2)
    assert not (tmp_path / "order.jws").exists()
