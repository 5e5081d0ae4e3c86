"""The questions that one command answers: who looked, what an officer did, what went to a client, what decided."""

import json
import re

import pytest

from tests.support.audit import AN, CHILD, FATHER, MOTHER, STORY, reader, settle, tell_story
from tests.support.cli import good, refused
from tests.support.gateways import ECHO, OTHER, PORTAL, RECORD, make_site


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    site = make_site(tmp_path_factory.mktemp("site"), "http://127.0.0.1:9")
    text = site.config.read_text()
    officer = next(path for name, path in site.pki.role_keys.items() if name == "data-protection-officer")
    public = officer.with_name(officer.name.replace(".key.", ".pub."))
    site.config.write_text(text.replace('pub.pem" }]', f'pub.pem" }}, {{ id = "dpo", key = "{public}" }}]', 1))
    return site, tell_story(site)


@pytest.fixture
def site(told):
    return told[0]


@pytest.fixture
def ids(told):
    return told[1]


def looks(site, *arguments, stdin=""):
    return good("log", *arguments, *reader(site), "--json", stdin=stdin).values["looks"]


def searched(site, *conditions, stdin=""):
    found = good("log", "search", *reader(site), *conditions, "--json", stdin=stdin).values["records"]
    return [each for each in found if each["record"]["kind"] != "audit"]


# -- search -----------------------------------------------------------------------------------------------------------


def test_by_the_callers_own_message_id(site, ids):
    (found,) = searched(site, "--message", "H24-2")
    assert found["id"] == ids.requests["family"]
    assert searched(site, "--message", "H24") == []


def test_requests_come_with_their_answers(site, ids):
    found = searched(site, "--officer", f"{PORTAL}:{AN}", "--with-answers")
    ends = {each["id"]: each.get("answer", {}).get("id") for each in found}
    assert ends == {ids.requests[each.name]: ids.answers.get(each.name) for each in STORY if each.officer == AN}
    assert ids.answers["father"] in good("log", "search", *reader(site), "--message", "H24-1", "--with-answers").out


@pytest.mark.parametrize(
    ("provider", "count"), [("VN/GOV/G15", 9), ("VN/GOV/G15/registry", 9), ("VN/GOV/G1", 0), (str(ECHO), 0)]
)
def test_by_provider(site, provider, count):
    found = searched(site, "--provider", provider)
    assert len([each for each in found if each["record"]["kind"] in {"request", "answer"}]) == count


# -- who looked -------------------------------------------------------------------------------------------------------


def test_whoever_asked_or_was_given_something_relatives_included(site, ids):
    found = [each for each in looks(site, "who-looked", "--person", "-", stdin=FATHER) if each["kind"] == "request"]
    said = {each["request"]["id"]: (each["asked"], each["released"], each["officer"]) for each in found}
    assert said == {
        ids.requests["unended"]: (True, False, AN),
        ids.requests["curious"]: (True, True, AN),
        ids.requests["family"]: (False, True, "nv.binh"),
        ids.requests["father"]: (True, True, AN),
    }
    family = next(each for each in found if each["request"]["id"] == ids.requests["family"])
    assert (family["answer"]["id"], family["outcome"]) == (ids.answers["family"], "FOUND")
    assert family["elements"] == ["citizen.full_name"]


def test_an_auditor_who_searched_by_the_number_is_there_too(site):
    looks(site, "who-looked", "--person", "-", stdin=CHILD)
    settle(site)
    again = looks(site, "who-looked", "--person", "-", stdin=CHILD)
    assert [each["officer"] for each in again if each["kind"] == "audit"] == ["Kiem"]


def test_pages_tell_each_exchange_once(site):
    whole = [each["request"] or each["answer"] for each in looks(site, "who-looked", "--person", "-", stdin=MOTHER)]
    whole = [each["id"] for each in whole]
    paged, before = [], ()
    while True:
        asked = ("log", "who-looked", "--person", "-", "--limit", "1", *before, *reader(site), "--json")
        page = good(*asked, stdin=MOTHER).values
        paged += [(each["request"] or each["answer"])["id"] for each in page["looks"] if each["kind"] != "audit"]
        if page["next_before"] is None:
            break
        before = ("--before", page["next_before"])
    assert paged == [each for each in whole if each in paged]
    assert len(paged) == len(set(paged)) == 1


def test_a_table_for_people(site):
    said = good("log", "who-looked", "--person", "-", *reader(site), stdin=FATHER).out
    assert "asked about" in said
    assert "released" in said
    assert "no end recorded" in said


# -- officer ----------------------------------------------------------------------------------------------------------


def test_what_an_officer_looked_at(site, ids):
    found = looks(site, "officer", "--officer", AN, "--of", str(PORTAL))
    assert [each["request"]["id"] for each in found] == [
        ids.requests[name] for name in ("unended", "nobody", "curious", "father")
    ]
    assert [each["outcome"] for each in found] == [None, "NOT_FOUND", "FOUND", "FOUND"]
    assert looks(site, "officer", "--officer", AN, "--of", str(OTHER)) == []


def test_and_without_a_case(site, ids):
    (found,) = looks(site, "officer", "--officer", AN, "--of", str(PORTAL), "--without-case")
    assert (found["request"]["id"], found["case"], found["persons"]) == (ids.requests["curious"], None, [FATHER])
    assert "1 without a case" in good("log", "officer", "--officer", AN, "--of", str(PORTAL), *reader(site)).out


# -- affected ---------------------------------------------------------------------------------------------------------


def affected(site, out, *more):
    return (
        "log", "affected", "--client", str(PORTAL), "--since", "2026-01-01", "--until", "2099-01-01",
        "--out", out, *reader(site), *more,
    )  # fmt: skip


def officers_key(site):
    return next(path for name, path in site.pki.role_keys.items() if name == "data-protection-officer")


def test_which_data_of_whom_went_to_a_client(site, ids, tmp_path):
    out = tmp_path / "affected.jwe"
    found = good(*affected(site, out, "--json")).values
    assert (found["answers"], found["persons"], found["unopened"], found["unnamed"]) == (3, 3, 0, 0)
    assert {each["service"]: each["answers"] for each in found["released"]} == {str(ECHO): 2, str(RECORD): 1}
    assert FATHER not in json.dumps(found)
    assert FATHER.encode() not in out.read_bytes()
    rows = [json.loads(line) for line in good("log", "unseal", out, "--key", officers_key(site)).out.splitlines()]
    assert {(row["person"], row["record"]) for row in rows} == {
        (person, ids.answers[entry.name]) for entry in STORY for person in entry.released
    }
    people = [
        json.loads(line)
        for line in good("log", "unseal", out, "--key", officers_key(site), "--by-person").out.splitlines()
    ]
    assert {each["person"]: each["answers"] for each in people} == {FATHER: 3, MOTHER: 1, CHILD: 1}


def test_the_auditor_cannot_open_the_list(site, tmp_path):
    out = tmp_path / "affected.jwe"
    good(*affected(site, out))
    auditor = next(path for name, path in site.pki.role_keys.items() if name == "auditor")
    assert "opening_unreadable" in refused("log", "unseal", out, "--key", auditor)
    out.write_bytes(out.read_bytes().replace(b'"ciphertext":"', b'"ciphertext":"AA'))
    assert "opening_unreadable" in refused("log", "unseal", out, "--key", officers_key(site))


def test_nothing_is_replaced(site, tmp_path):
    out = tmp_path / "affected.jwe"
    out.write_text("mine")
    assert "is there already" in refused(*affected(site, out))
    assert out.read_text() == "mine"


# -- decided ----------------------------------------------------------------------------------------------------------


def test_under_which_policy_trust_list_and_mapping(site, ids, tmp_path):
    out = tmp_path / "documents"
    found = good("log", "decided", ids.requests["father"], "--out", out, *reader(site), "--json").values
    assert [(each["name"], each["genuine"]) for each in found["documents"]] == [
        ("policy", True),
        ("trust", True),
        ("mapping", True),
    ]
    assert "portal-echo" in (out / "policy.bundle").read_text()
    assert (out / "trust-list.jws").read_bytes() == site.pki.trust_list.read_bytes()
    said = good("log", "decided", ids.requests["father"], *reader(site)).out
    assert len(re.findall(r"^ *✓", said, re.MULTILINE)) == 3
    assert "grant portal-echo" in said


def test_decided_says_no_more_than_that(site, ids):
    """It names nobody, so it needs no more than the public part."""
    assert FATHER not in good("log", "decided", ids.requests["father"], *reader(site), "--json").out
    assert "no such record" in refused("log", "decided", "01932d3e-8f1c-7abc-8def-000000000001", *reader(site))
