"""What one command each must answer, at real gateways: lists, relatives, forms that fill themselves, withheld entries."""

import asyncio
import json
import time

import pytest

from adapters.simulators.parties import PORTAL as DEMO_PORTAL
from adapters.simulators.portal import BIRTH, CITIZEN
from gateway.client import Call
from gateway.model.ids import parse_service
from gateway.wiring.demo import demo_world
from tests.support.attacks import world
from tests.support.citizens import Citizen, make_citizens_office
from tests.support.cli import good
from tests.support.exchanges import STATED, Caller, Provider, grant, json_answer, records
from tests.support.gateways import OTHER, PORTAL

ALICE, WIFE, SON = "031090001234", "031060000017", "031224000555"
HOUSEHOLD = parse_service("VN/GOV/G15/registry/household")
SERVICE = f"""
[[service]]
id = "{HOUSEHOLD}"
path = "/household"
asked = ["/identity_number"]
released = ["/members/*/identity_number"]
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A portal that was given a household's list, for a dossier and without one; with a citizens' list beside it."""

    def make(folder, backend, **site):
        site["services"] = site.get("services", "") + SERVICE
        made = make_citizens_office(folder, backend, **site)
        policy = next((folder / "policy").glob("*.toml"))
        policy.write_text(policy.read_text() + grant("household", PORTAL, HOUSEHOLD))
        dpo = folder / "pki/roles/data-protection-officer.pub.pem"
        text = made.config.read_text()
        made.config.write_text(text.replace('pub.pem" }]', f'pub.pem" }}, {{ id = "dpo", key = "{dpo}" }}]', 1))
        return made

    with world(tmp_path_factory.mktemp("answers"), provider=Provider(), make=make) as made:
        members = [{"identity_number": each, "full_name": "…"} for each in (ALICE, WIFE, SON)]
        made.provider.reply = json_answer({"members": members})
        for case in ("H24-1", None):
            call = Call(service=HOUSEHOLD, purpose=STATED, body={"identity_number": ALICE}, officer="ht.nam", case=case)
            answer = Caller(made).send(call)
            assert answer.status == 200
            settled(made, answer.receipt)
        yield made


def settled(place, record):
    until = time.monotonic() + 10
    while place.run(place.gateway.core.store.log.record(record)).index is None:
        assert time.monotonic() < until


def who(place, role="auditor"):
    file = place.site.folder / f"pki/roles/{role}.key.pem"
    said = ("--auditor", "Kiem", "--case", "TT-1", "--reason", "complaint of 3 January")
    return ("--config", place.site.config, "--auditor-key", file, *said)


def asked(place, *arguments, stdin="", role="auditor"):
    """What a command gives, which is on record first, with who, case and reason."""
    before = len(records(place.site))
    found = good("log", *arguments, *who(place, role), "--json", stdin=stdin).values
    [reading] = [each for each in records(place.site, before) if each["kind"] == "audit"]
    said = [reading.shown(name) for name in ("auditor", "audit_case", "reason", "role")]
    assert said == ["Kiem", "TT-1", "complaint of 3 January", role]
    return found, reading


@pytest.mark.parametrize(("person", "was_asked"), [(ALICE, True), (WIFE, False), (SON, False)])
def test_who_looked_at_somebody_in_a_list(place, person, was_asked):
    found, reading = asked(place, "who-looked", "--person", "-", stdin=person)
    looks = [each for each in found["looks"] if each["service"] == str(HOUSEHOLD)]
    assert [(each["asked"], each["released"]) for each in looks] == [(was_asked, True)] * 2
    assert [each["case"] for each in looks] == [None, "H24-1"]
    assert reading["decision"]["reasons"] == ["who-looked"]
    assert reading.shown("persons") == 3


def test_what_an_officer_looked_at_names_the_whole_list(place):
    of = ("officer", "--officer", "ht.nam", "--of", str(PORTAL))
    found, reading = asked(place, *of)
    assert [each["persons"] for each in found["looks"]] == [[ALICE, WIFE, SON]] * 2
    assert reading.shown("persons") == 3
    bare, reading = asked(place, *of, "--without-case")
    assert [each["case"] for each in bare["looks"]] == [None]
    assert reading["decision"]["reasons"] == ["officer-without-case"]


def test_which_data_of_whom_went_to_a_client(place, tmp_path):
    out = tmp_path / "affected.jwe"
    span = ("--since", "2026-01-01", "--until", "2099-01-01")
    found, reading = asked(place, "affected", "--client", str(PORTAL), *span, "--out", out)
    assert (found["answers"], found["persons"], found["unopened"], found["unnamed"]) == (2, 3, 0, 0)
    assert (reading.shown("affected_persons"), reading.shown("persons")) == (3, 0)
    assert not any(each.encode() in out.read_bytes() for each in (ALICE, WIFE, SON))
    dpo = place.site.folder / "pki/roles/data-protection-officer.key.pem"
    rows = [json.loads(line) for line in good("log", "unseal", out, "--key", dpo).out.splitlines()]
    assert {each["person"] for each in rows} == {ALICE, WIFE, SON}


def test_an_auditor_who_opened_a_record_of_theirs_looked_at_them(place, tmp_path):
    found, _ = asked(place, "who-looked", "--person", "-", stdin=WIFE)
    record = next(each["answer"]["id"] for each in found["looks"] if each["service"] == str(HOUSEHOLD))
    good("log", "show", record, *who(place))
    good("evidence", "export", record, *who(place), "--out", tmp_path / "x.asice")
    settled(place, records(place.site)[-1]["id"])
    found, _ = asked(place, "who-looked", "--person", "-", stdin=WIFE)
    readings = [each for each in found["looks"] if each["kind"] == "audit"]
    assert [each["case"] for each in readings[:2]] == ["TT-1"] * 2
    table = good("log", "who-looked", "--person", "-", *who(place), stdin=WIFE).out
    assert "evidence" in table
    assert "show" in table


def test_under_what_it_was_decided(place):
    found, _ = asked(place, "who-looked", "--person", "-", stdin=SON)
    record = next(each["answer"]["id"] for each in found["looks"] if each["service"] == str(HOUSEHOLD))
    decided, reading = asked(place, "decided", record)
    names = {each["name"]: each["genuine"] for each in decided["documents"]}
    assert names == {"policy": True, "trust": True, "mapping": True}
    assert reading.shown("record") == record


def test_what_is_withheld_from_the_citizen_an_auditor_sees_all_the_same(place):
    [first, *_] = Citizen(place, SON, OTHER).list()
    until = time.strftime("%Y-%m-%d", time.gmtime(place.clock.now() / 1e6 + 30 * 86_400))
    key = place.site.folder / "pki/roles/data-protection-officer.key.pem"
    why = ("--config", place.site.config, "--dpo-key", key, "--case", "TT-2", "--reason", "inquiry")
    good("log", "withhold", first["receipts"][1]["id"], "--until", until, *why)
    assert first["receipts"] not in [each["receipts"] for each in Citizen(place, SON, OTHER).list()]
    found, _ = asked(place, "who-looked", "--person", "-", stdin=SON)
    assert first["receipts"][1]["id"] in [each["answer"]["id"] for each in found["looks"] if each["answer"]]


@pytest.mark.asyncio
async def test_a_form_that_filled_itself_is_told_as_every_call_that_it_made(tmp_path):
    """Parents and relatives of a birth: found by each of them, and by the officer at whose desk it was."""
    async with demo_world(tmp_path, count=200) as made, made.client(DEMO_PORTAL) as client:
        story, case = made.people.story, made.desk.case("00.H24")
        people = {"mother": {"identity_number": story.mother.identity_number}, "child": {}}
        people["father"] = {"identity_number": story.father.identity_number}
        document = {"procedure": BIRTH.code, "people": people, "case": case}
        call = Call(own_path="/v1/prefill", body=document, purpose=BIRTH, officer="ht.bien", case=case)
        answer = await client.send(call)
        assert answer.error_code is None, answer.body.data
        await client.fetch_receipt(answer.receipt)  # so that all of it is in the tree
        key = ("--config", made.files.config, "--auditor-key", made.files.auditor_key)
        said = (*key, "--auditor", "Kiem", "--case", "TT-1", "--reason", "complaint", "--json")

        def ask(*arguments, stdin=""):
            return asyncio.to_thread(lambda: good("log", *arguments, *said, stdin=stdin).values["looks"])

        looked = await ask("who-looked", "--person", "-", stdin=story.father.identity_number)
        of_officer = await ask("officer", "--officer", "ht.bien", "--of", str(DEMO_PORTAL))
        bare = await ask("officer", "--officer", "ht.bien", "--of", str(DEMO_PORTAL), "--without-case")
    services = {each["service"] for each in looked if each["kind"] == "request"}
    assert {"VN/GOV/G22/motlan/prefill", str(CITIZEN)} <= services
    assert all(each["officer"] == "ht.bien" and each["case"] == case for each in looked if each["kind"] == "request")
    assert any(each["released"] for each in looked)
    assert {each["service"] for each in of_officer} >= services
    assert bare == []
