"""Auditors beside a running gateway: what callers really sent is found by person, officer, message id; and exported."""

import json
import time

import apsw
import pytest

from tests.support.audit import reader
from tests.support.cli import good
from tests.support.exchanges import HOLDING, Caller, json_answer, office, records
from tests.support.gateways import PORTAL

ASKED, OWNER = "031090001234", "031060000017"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """One look-up that names its message, and one without officer and case; both release a relative's data."""
    with office(tmp_path_factory.mktemp("audited")) as made:
        document = {"owner": {"identity_number": OWNER, "full_name": "Đặng Thị Ánh"}, "area": 61.5}
        made.provider.reply = json_answer(document)
        body = {"identity_number": ASKED}
        named = {"officer": "cb.07", "case": "H24-1", "message_id": "audit-1"}
        Caller(made).post(body, service=HOLDING, **named)
        Caller(made).post(body, service=HOLDING, officer="cb.07")
        _settled(made)
        yield made


def _settled(place):
    for _ in range(200):
        found = good("log", "search", *reader(place.site), "--kind", "answer", "--json").values["records"]
        if len(found) >= 2:
            return
        time.sleep(0.05)
    raise AssertionError("the gateway does not put its records into the log")


def values(place, *arguments, stdin=""):
    return good("log", *arguments, *reader(place.site), "--json", stdin=stdin).values


def test_by_the_message_id_that_the_caller_sent(place):
    (found,) = values(place, "search", "--message", "audit-1", "--with-answers")["records"]
    fields = {one["name"]: one["value"] for one in found["private"]}
    assert (fields["message_id"], fields["case"]) == ("audit-1", "H24-1")
    assert found["answer"]["record"]["outcome"] == "FOUND"
    assert b"audit-1" not in (place.site.folder / "motlan.sqlite").read_bytes()


def test_whose_data_was_released_without_being_asked_about(place):
    looks = values(place, "who-looked", "--person", "-", stdin=OWNER)["looks"]
    requests = [each for each in looks if each["kind"] == "request"]
    assert [(each["asked"], each["released"], each["officer"]) for each in requests] == [(False, True, "cb.07")] * 2
    assert requests[0]["elements"] == ["/owner/full_name", "/area"]


def test_an_officer_without_a_case(place):
    (look,) = values(place, "officer", "--officer", "cb.07", "--of", str(PORTAL), "--without-case")["looks"]
    assert (look["case"], look["persons"]) == (None, [ASKED, OWNER])


def test_what_decided_it(place):
    (found,) = values(place, "search", "--message", "audit-1")["records"]
    decided = values(place, "decided", found["id"])
    assert all(each["genuine"] for each in decided["documents"])
    assert decided["record"]["grant"] == "portal-holding"


def test_an_export_while_the_gateway_runs_is_closed_by_its_checkpoint(place, tmp_path):
    out = tmp_path / "export.jsonl"
    good("log", "export", "--format", "jsonl", "--out", out, "--service", str(HOLDING), *reader(place.site))
    found = good("log", "verify", out, "--vkey", place.site.pki.log_vkey, "--json").values
    assert (found["rows"], found["opened"]) == (4, 4)
    assert json.loads(found["question"])["service"] == str(HOLDING)


def test_readers_leave_the_gateway_its_epoch(place):
    """One epoch for the gateway's whole day, however often somebody reads."""
    assert "audit" in {each["kind"] for each in records(place.site)}
    database = apsw.Connection(str(place.site.folder / "motlan.sqlite"), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        assert database.execute("SELECT count(*) FROM epoch").get == 1
    finally:
        database.close()
