"""Role × command, by the real commands on a real database: who may, who may not, and what is on record of it.

"An operator cannot read openings, an auditor cannot change anything, needs a case number, has a daily quota, and an
export over so many persons needs a second auditor": each of these is attacked here.
"""

import asyncio
import contextlib
import json
import sqlite3
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.exchange.audit_desk import Reader
from gateway.exchange.audit_question import Question
from gateway.keys.file import load_private_key
from gateway.model import failpoints
from gateway.model.errors import ExchangeError
from gateway.model.errors.audit import SECOND_AUDITOR_NEEDED
from gateway.wiring.audit import open_auditing
from tests.support.audit import FATHER, list_roles, new_reader_key, settle, tell_story
from tests.support.cli import Ran, good, refused, run
from tests.support.exchanges import read_records
from tests.support.gateways import PORTAL, make_site
from tests.support.storage import copied

DPO = "data-protection-officer"
WHY = ("--case", "TT-1", "--reason", "complaint")
LATER = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 30 * 86_400))


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """A gateway with every role, its DPO among the readers, a second auditor, and one whose time is over."""
    made = make_site(
        tmp_path_factory.mktemp("roles"), "http://127.0.0.1:9", extra="[audit]\nsecond_auditor_persons = 4\n"
    )
    public = made.folder / "pki/roles/data-protection-officer.pub.pem"
    text = made.config.read_text()
    made.config.write_text(text.replace('pub.pem" }]', f'pub.pem" }}, {{ id = "dpo", key = "{public}" }}]', 1))
    ended = {"role": "auditor", "name": "Cu", "until": "2026-01-01T00:00:00Z"}
    list_roles(
        made,
        {"role": "auditor", "name": "Hai", "key": str(new_reader_key(made.folder / "second.pem"))},
        {**ended, "key": str(new_reader_key(made.folder / "ended.pem"))},
    )
    ids = tell_story(made)
    hold = good("log", "hold", "add", "--record", ids.answers["nobody"], *_signed(made, "auditor")).out.strip()
    withheld = good(
        "log", "withhold", ids.answers["curious"], "--until", LATER, "--config", made.config,
        "--dpo-key", _key(made, DPO), *WHY,
    ).out.strip()  # fmt: skip
    settle(made)
    return made, ids, hold, withheld


@pytest.fixture
def site(told, monkeypatch, tmp_path):
    """The same, with a database of the test's own."""
    copy = copied(told[0].folder / "motlan.sqlite", tmp_path / "copy.sqlite")
    monkeypatch.setenv("MOTLAN_LEDGER_DATABASE", str(copy))
    monkeypatch.chdir(tmp_path)
    return told[0]


def _key(site, who: str) -> Path:
    own = {"ended": site.folder / "ended.pem", "stranger": site.pki.signers[0], "second": site.folder / "second.pem"}
    return own.get(who, site.folder / f"pki/roles/{who}.key.pem")


def _reader(site, who: str, **more: str):
    said = {"auditor": "Kiem", "case": "TT-1", "reason": "complaint", **more}
    return ("--config", site.config, "--auditor-key", _key(site, who), *(
        word for name, value in said.items() for word in (f"--{name}", value)
    ))  # fmt: skip


def _signed(site, who: str):
    return ("--config", site.config, "--key", _key(site, who), *WHY)


def rows(tmp_path) -> tuple[int, int, int]:
    with contextlib.closing(sqlite3.connect(tmp_path / "copy.sqlite")) as connection:
        tables = ("journal", "epoch", "document")
        return tuple(connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables)


READING = {
    "search": ("search", "--message", "H24-1"),
    "show": ("show", "{father}"),
    "who-looked": ("who-looked", "--person", "-"),
    "officer": ("officer", "--officer", "nv.an", "--of", str(PORTAL)),
    "decided": ("decided", "{father}"),
    "affected": (
        "affected", "--client", str(PORTAL), "--since", "2026-01-01", "--until", "2099-01-01", "--out", "affected.jwe",
    ),
    "export": ("export", "--format", "jsonl", "--message", "H24-1", "--out", "export.jsonl"),
    "payload": ("payload", "{father}"),
    "withheld": ("withheld", "list"),
}  # fmt: skip
"""The action that is on record → how it is asked."""
UNHEARD = {"operator": "role_denied", "ended": "role_ended", "stranger": "role_unknown"}


def _asked(told, site, action: str, options) -> list[object]:
    words = [word.format(**told[1].answers) for word in READING[action]]
    return ["log", *words, *options]


@pytest.mark.parametrize("who", ["auditor", DPO])
@pytest.mark.parametrize("action", READING)
def test_readers_read_and_each_reading_is_on_record(told, site, tmp_path, action, who):
    before = rows(tmp_path)[0]
    ran = run(*_asked(told, site, action, _reader(site, who)), stdin=FATHER)
    assert ran.code == 0 or "payload_missing" in ran.said
    [said] = recorded(site, tmp_path, before)
    assert (said["kind"], said["decision"]["reasons"], said["decision"]["ruling"]) == ("audit", [action], None)
    fields = [said.shown(name) for name in ("auditor", "audit_case", "reason", "role")]
    assert fields == ["Kiem", "TT-1", "complaint", who]


def recorded(site, tmp_path, before: int):
    return read_records(tmp_path / "copy.sqlite", site.folder / "pki", before)


@pytest.mark.parametrize("who", UNHEARD)
@pytest.mark.parametrize("action", READING)
def test_whoever_is_no_reader_reads_nothing_and_leaves_nothing(told, site, tmp_path, action, who):
    before = rows(tmp_path)
    said = refused(*_asked(told, site, action, _reader(site, who)), stdin=FATHER)
    assert UNHEARD[who] in said
    assert FATHER not in said
    assert rows(tmp_path) == before
    assert not (tmp_path / "affected.jwe").exists()


@pytest.mark.parametrize("who", UNHEARD)
def test_nor_do_they_open_evidence_holds_or_the_log_to_verify(told, site, tmp_path, who):
    before = rows(tmp_path)
    options = _reader(site, who)
    assert UNHEARD[who] in refused("evidence", "export", told[1].answers["father"], *options, "--out", "x.asice")
    why = ("--key", _key(site, who), "--auditor", "Kiem", *WHY)
    assert UNHEARD[who] in refused("log", "hold", "list", "--config", site.config, *why)
    opened = run("log", "verify", "--config", site.config, "--auditor-key", _key(site, who), "--json")
    assert opened.code == 1
    assert "opening_unreadable" in opened.said
    assert rows(tmp_path) == before
    assert not (tmp_path / "x.asice").exists()


def test_what_an_operator_can_list_says_nothing_of_why(told, site, tmp_path):
    before = rows(tmp_path)
    [hold] = good("log", "hold", "list", "--config", site.config, "--json").values
    assert (hold["id"], hold["case"], hold["reason"]) == (told[2], None, None)
    assert rows(tmp_path) == before


# -- changing ---------------------------------------------------------------------------------------------------------


def _order(site, tmp_path, record: str, *signers: str) -> Path:
    out = tmp_path / "order.jws"
    why = ("--reason", "asked", "--legal-basis", "Luật 91/2025/QH15", "--case", "XD-1", "--log", "motlan.example/log")
    good("log", "order", "--record", record, *why, "--key", _key(site, signers[0]), "--out", out)
    for other in signers[1:]:
        good("log", "order", "--sign", out, "--key", _key(site, other))
    return out


CHANGING = {
    "withhold": ("withhold", "{father}", "--until", LATER, "--config", "{config}", "--dpo-key", "{key}", *WHY),
    "withheld lift": ("withheld", "lift", "{withheld}", "--config", "{config}", "--dpo-key", "{key}", *WHY),
    "erase": ("erase", "--order", "{order}", "--config", "{config}", "--dpo-key", "{key}"),
    "hold add": ("hold", "add", "--record", "{father}", "--config", "{config}", "--key", "{key}", *WHY),
    "hold lift": ("hold", "lift", "{hold}", "--config", "{config}", "--key", "{key}", *WHY),
}
MAY = {
    "withhold": {DPO},
    "withheld lift": {DPO},
    "erase": {DPO},
    "hold add": {DPO, "auditor"},
    "hold lift": {"auditor"},
}
"""Who may. An auditor erases nothing, withholds nothing and releases nothing; holds keep data, they change none."""


@pytest.mark.parametrize("who", [DPO, "auditor", *UNHEARD])
@pytest.mark.parametrize("action", CHANGING)
def test_who_may_change_what(told, site, tmp_path, action, who):
    _, ids, hold, withheld = told
    order = _order(site, tmp_path, ids.answers["father"], DPO, "auditor")
    named = {"config": site.config, "key": _key(site, who), "hold": hold, "withheld": withheld, "order": order}
    before = rows(tmp_path)
    ran = run("log", *(word.format(**named, father=ids.answers["father"]) for word in CHANGING[action]))
    if who in MAY[action]:
        # The statutory minimum keeps what the order is on; it is on record all the same.
        assert ran.code == (1 if action == "erase" else 0), ran.said
        assert rows(tmp_path)[0] > before[0]
        return
    assert ran.code == 1
    why = "role_denied" if MAY[action] == {DPO} and who == "ended" else UNHEARD.get(who, "role_denied")
    assert why in ran.said or "lifted by that role" in ran.said
    assert rows(tmp_path)[0] == before[0]
    assert rows(tmp_path)[2] == before[2]
    if who in UNHEARD:
        assert rows(tmp_path) == before


def test_an_order_that_an_auditor_and_an_operator_sign_erases_nothing(told, site, tmp_path):
    order = _order(site, tmp_path, told[1].answers["father"], "auditor", "operator")
    before = rows(tmp_path)
    said = refused("log", "erase", "--order", order, "--config", site.config, "--dpo-key", _key(site, DPO))
    assert "the data-protection officer is missing" in said
    assert rows(tmp_path)[0] == before[0]


# -- a case number ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("blank", ["", "  ", "\u200b", "\u00a0", "--", "…"])
@pytest.mark.parametrize("missing", ["auditor", "case", "reason"])
def test_a_case_number_says_something(told, site, tmp_path, missing, blank):
    before = rows(tmp_path)
    said = refused(*_asked(told, site, "search", _reader(site, "auditor", **{missing: blank})))
    assert "states a name, a case number and a reason" in said
    assert rows(tmp_path) == before


# -- recorded before it is shown --------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", READING)
def test_what_cannot_be_recorded_is_not_shown(told, site, tmp_path, action):
    def full(name: str) -> None:
        if name == "journal.written":
            raise OSError(28, "No space left on device")

    good(*_asked(told, site, "search", _reader(site, "auditor")))  # so that today's period is there
    before = rows(tmp_path)[0]
    failpoints.set_hook(full)
    try:
        ran = run(*_asked(told, site, action, _reader(site, "auditor")), stdin=FATHER)
    finally:
        failpoints.set_hook(None)
    assert ran.code == 1
    assert ran.out.strip() == ""
    assert FATHER not in ran.said
    assert "payload_missing" not in ran.said
    assert rows(tmp_path)[0] == before
    assert not (tmp_path / "affected.jwe").exists()


# -- many persons, in small portions ----------------------------------------------------------------------------------

ONE_PERSON = {
    "export": ("export", "--format", "jsonl", "--message", "H24-1", "--out", "{out}.jsonl"),
    "search --json": ("search", "--message", "H24-1", "--json"),
    "pages": ("search", "--kind", "answer", "--limit", "1", "--before", "6", "--json"),
    "show": ("show", "{father}"),
    "who-looked": ("who-looked", "--person", "-", "--limit", "1", "--json"),
}
"""Each shows few people; four in a day are shown to one reader alone."""


def _portion(told, how: str) -> list[str]:
    return [word.format(**told[1].answers, out=time.monotonic_ns()) for word in ONE_PERSON[how]]


def _until_refused(told, site, how: str) -> Ran:
    for _ in range(5):
        ran = run("log", *_portion(told, how), *_reader(site, "auditor"), stdin=FATHER)
        if ran.code:
            return ran
    raise AssertionError("it can go on for ever")


@pytest.mark.parametrize("how", ONE_PERSON)
def test_no_number_of_small_portions_gets_around_the_second_auditor(told, site, tmp_path, how):
    ran = _until_refused(told, site, how)
    assert "second_auditor_needed" in ran.said
    assert FATHER not in ran.said
    last = recorded(site, tmp_path, rows(tmp_path)[0] - 1)[-1]
    assert last["decision"]["ruling"] == "denied"
    assert last["decision"]["reasons"][0] == "client.second_auditor_needed"
    # Nor does it help to ask in another way, as another process, after a restart: it is one day.
    for other in set(ONE_PERSON) - {"show"}:
        said = refused("log", *_portion(told, other), *_reader(site, "auditor"), stdin=FATHER)
        assert "second_auditor_needed" in said
    # What names nobody is shown, and with a second auditor the rest is.
    good("log", "search", "--kind", "epoch", *_reader(site, "auditor"))
    second = ("--second-key", _key(site, "second"))
    good("log", *_portion(told, how), *_reader(site, "auditor"), *second, stdin=FATHER)
    # Another reader has a day of their own.
    good("log", *_portion(told, "search --json"), *_reader(site, DPO))


def _clock(monkeypatch, days: int) -> None:
    """The machine's clock is so many days off."""
    clock = SimpleNamespace(time_ns=lambda: time.time_ns() + days * 86_400 * 10**9, monotonic=time.monotonic)
    monkeypatch.setattr("gateway.wiring.core.time", clock)


@pytest.mark.parametrize("days", [0, 1])
def test_a_clock_that_is_set_back_gives_no_second_day(told, site, monkeypatch, days):
    """Read until it is enough, then set the clock back: to yesterday, or to the day before that."""
    _clock(monkeypatch, 2)
    assert "second_auditor_needed" in _until_refused(told, site, "search --json").said
    _clock(monkeypatch, days)
    assert "second_auditor_needed" in refused("log", *_portion(told, "search --json"), *_reader(site, "auditor"))
    _clock(monkeypatch, 3)  # time goes on, and a new day comes
    good("log", *_portion(told, "search --json"), *_reader(site, "auditor"))


def test_under_which_limits_it_was_read_is_on_record(told, site, tmp_path):
    """Whoever can open the database can bring settings of their own; that these allowed more is then seen."""
    own = site.config.with_name("own.toml")
    own.write_text(site.config.read_text().replace("second_auditor_persons = 4", "second_auditor_persons = 1000"))
    before = rows(tmp_path)[0]
    for config in (site.config, own):
        options = [config if word == site.config else word for word in _reader(site, "auditor")]
        good("log", *_portion(told, "search --json"), *options)
    limits = [each.shown("quota")["second"] for each in recorded(site, tmp_path, before)]
    assert limits == [4, 1000]
    other = [own if word == site.config else word for word in _reader(site, "auditor")]
    own.write_text(own.read_text().replace("= 1000", "= 1001"))
    assert "must be at most 1000" in refused("log", "search", *other)


def test_one_person_is_no_second_auditor_however_the_name_is_written(tmp_path):
    site = make_site(tmp_path, "http://127.0.0.1:9", extra="[audit]\nsecond_auditor_persons = 1\n")
    names = {"first": "Lê Thị Kiểm", "again": "LÊ  THỊ KIỂM"}
    keys = {who: new_reader_key(tmp_path / f"{who}.pem") for who in names}
    list_roles(site, *({"role": "auditor", "name": names[who], "key": str(keys[who])} for who in names))
    tell_story(site)
    options = ("--config", site.config, "--auditor", "Kiem", *WHY)
    shown = ("log", "search", "--message", "H24-2", "--json", *options)
    for one, other in (("first", "again"), ("again", "first")):
        said = refused(*shown, "--auditor-key", keys[one], "--second-key", keys[other])
        assert "the second key is of the same person" in said


def test_an_officer_alone_is_not_sealed_a_list_of_many(told, site, tmp_path):
    """An auditor is shown nobody by it; the officer can open it, so a large one takes two people."""
    tell = ("log", *READING["affected"])
    good(*tell, *_reader(site, "auditor"))
    (tmp_path / "affected.jwe").unlink()
    text = site.config.read_text()
    strict = site.config.with_name("strict.toml")
    strict.write_text(text.replace("second_auditor_persons = 4", "second_auditor_persons = 2"))
    options = [strict if word == site.config else word for word in _reader(site, DPO)]
    assert "second_auditor_needed" in refused(*tell, *options)
    assert list(tmp_path.glob("affected*")) == []
    good(*tell, *options, "--second-key", _key(site, "auditor"))
    rows = good("log", "unseal", "affected.jwe", "--key", _key(site, DPO)).out.splitlines()
    assert FATHER in {json.loads(line)["person"] for line in rows}


def test_an_officer_who_is_an_auditor_too_is_alone_with_either_key(tmp_path):
    site = make_site(tmp_path, "http://127.0.0.1:9", extra="[audit]\nsecond_auditor_persons = 1\n")
    names = {"auditor": "Trần Bảo Vệ", DPO: "TRẦN  BẢO VỆ"}
    keys = {role: new_reader_key(tmp_path / f"{role}.pem") for role in names}
    list_roles(site, *({"role": role, "name": names[role], "key": str(keys[role])} for role in names))
    public = tmp_path / "own.pub.pem"
    key = load_private_key(keys["auditor"]).public_key()
    public.write_bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    text = site.config.read_text()
    site.config.write_text(text.replace('pub.pem" }]', f'pub.pem" }}, {{ id = "own", key = "{public}" }}]', 1))
    tell_story(site)
    tell = (
        "log",
        *READING["affected"][:-1],
        tmp_path / "affected.jwe",
        "--config",
        site.config,
        "--auditor",
        "a",
        *WHY,
    )
    assert "second_auditor_needed" in refused(*tell, "--auditor-key", keys["auditor"])
    good(*tell, "--auditor-key", _key(site, "auditor"))


@pytest.mark.asyncio
async def test_processes_that_read_at_once_share_one_day(told, site):
    """Eight at once, each with a database connection of its own: four persons are shown, no more."""
    key = load_private_key(_key(site, "auditor"))
    question = Question(message="H24-1")

    async def ask() -> object:
        async with open_auditing(site.config) as auditing:
            try:
                return len(await auditing.audit.search(question, Reader(name="K", case="1", reason="r", key=key)))
            except ExchangeError as error:
                return error.kind

    found = await asyncio.gather(*(ask() for _ in range(8)))
    assert (found.count(1), found.count(SECOND_AUDITOR_NEEDED)) == (4, 4)
