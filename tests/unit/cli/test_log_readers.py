"""Who may read the log, and how much: roles, quotas, and the record that comes before anything is shown."""

import contextlib
import json
import sqlite3

import pytest

from tests.support.audit import FATHER, list_roles, new_reader_key, reader, settle, tell_story
from tests.support.cli import good, refused, run
from tests.support.gateways import make_site


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A gateway whose list has an expired auditor, a second auditor, and one key under two names."""
    made = make_site(
        tmp_path_factory.mktemp("site"),
        "http://127.0.0.1:9",
        extra="[audit]\nreads_per_day = 1000\npersons_per_day = 40\n",
    )
    folder = made.folder
    first = next(path for name, path in made.pki.role_keys.items() if name == "auditor")
    list_roles(
        made,
        {"role": "auditor", "name": "Hai", "key": str(new_reader_key(folder / "second.pem"))},
        {
            "role": "auditor",
            "name": "Cu",
            "key": str(new_reader_key(folder / "ended.pem")),
            "until": "2026-01-01T00:00:00Z",
        },
        {"role": "auditor", "name": "auditor", "key": str(new_reader_key(folder / "namesake.pem"))},
        {"role": "auditor", "name": "Khac", "key": str(first)},
    )
    tell_story(made)
    return made


def counts(site):
    with contextlib.closing(sqlite3.connect(site.folder / "motlan.sqlite")) as connection:
        return [connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in ("journal", "epoch")]


def last_records(site, more=()):
    """What the newest audit records say, newest first."""
    settle(site)
    found = good("log", "search", *reader(site), "--kind", "audit", "--json", *more).values["records"]
    return [(each["record"], {one["name"]: one["value"] for one in each["private"]}) for each in found]


READS = (
    ("search",),
    ("export", "--format", "jsonl"),
    ("who-looked", "--person", "-"),
    ("officer", "--officer", "nv.an", "--of", "VN/GOV/H24/portal"),
    ("decided", "01932d3e-8f1c-7abc-8def-000000000001"),
    ("show", "01932d3e-8f1c-7abc-8def-000000000001"),
    (
        "affected", "--client", "VN/GOV/H24/portal", "--since", "2026-01-01", "--until", "2099-01-01",
        "--out", "never-written",
    ),
)  # fmt: skip
NOBODYS = [
    ("operator", "role_denied"),
    ("ended.pem", "role_ended"),
    ("stranger", "role_unknown"),
]


@pytest.mark.parametrize(("who", "why"), NOBODYS)
def test_whoever_holds_no_reading_role_reads_nothing_and_leaves_nothing(site, who, why, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    key = {"ended.pem": site.folder / "ended.pem", "stranger": site.pki.signers[0]}.get(who)
    options = reader(site, "operator", key=key)
    before = counts(site)
    for verb in READS:
        said = refused("log", *verb, *options, stdin=FATHER)
        assert f"client.{why}" in said
        assert FATHER not in said
    assert counts(site) == before
    assert list(tmp_path.iterdir()) == []


def test_the_data_protection_officer_has_the_role_but_only_what_is_sealed_to_them(site):
    # This gateway seals to the auditor alone: the officer's key is listed, and opens no epoch.
    assert "opening_unreadable" in refused("log", "search", *reader(site, "data-protection-officer"))


@pytest.mark.parametrize("missing", ["auditor", "case", "reason"])
@pytest.mark.parametrize("verb", READS, ids=[verb[0] for verb in READS])
def test_nobody_reads_without_saying_who_and_why(site, verb, missing):
    options = reader(site)
    at = options.index(f"--{missing}")
    refused("log", *verb, *options[:at], *options[at + 2 :], code=2, stdin=FATHER)
    assert "states a name, a case number and a reason" in refused(
        "log", *verb, *reader(site, **{missing: "  "}), stdin=FATHER
    )


def test_reading_begins_no_epoch_of_its_own(site):
    good("log", "search", *reader(site))
    _, epochs = counts(site)
    for _ in range(3):
        good("log", "search", *reader(site))
    assert counts(site)[1] == epochs


def test_the_record_says_by_which_role_and_how_much_was_shown(site):
    good("log", "search", *reader(site), "--person", "-", "--json", stdin=FATHER)
    asked = next(private for said, private in last_records(site) if private["question"].get("person") == FATHER)
    assert (asked["role"], asked["listed_as"]) == ("auditor", "auditor")
    assert asked["found"] > 0
    assert asked["persons"] == 3


def test_a_reader_over_quota_is_shown_nobody_and_that_is_recorded(site):
    """What an auditor asks in several ways comes out of one quota. What is over it is recorded as refused."""
    for _ in range(40):
        ran = run("log", "search", *reader(site), "--kind", "answer", "--json")
        if ran.code:
            break
        ran = run("log", "who-looked", "--person", "-", *reader(site), stdin=FATHER)
    assert "audit_quota_spent" in ran.said
    assert FATHER not in ran.said
    said = refused("log", "export", "--format", "csv", "--kind", "answer", *reader(site), "--second-key", second(site))
    assert "audit_quota_spent" in said
    assert FATHER not in said
    # Records that name nobody are still shown: the refused attempt is one. Those of searches for somebody name them.
    ((said, private),) = last_records(site, ("--limit", "1"))
    assert said["decision"] == {"ruling": "denied", "reasons": ["client.audit_quota_spent", "export"]}
    assert private["question"]["kind"] == "answer"
    assert "audit_quota_spent" in refused("log", "search", *reader(site), "--kind", "audit", "--json")


def second(site):
    return site.folder / "second.pem"


def test_many_persons_are_exported_by_two_auditors(tmp_path):
    site = make_site(tmp_path, "http://127.0.0.1:9", extra="[audit]\nsecond_auditor_persons = 2\n")
    second, namesake = new_reader_key(tmp_path / "second.pem"), new_reader_key(tmp_path / "namesake.pem")
    first = next(path for name, path in site.pki.role_keys.items() if name == "auditor")
    list_roles(
        site,
        {"role": "auditor", "name": "Hai", "key": str(second)},
        {"role": "auditor", "name": "auditor", "key": str(namesake)},
        {"role": "auditor", "name": "Khac", "key": str(first)},
    )
    tell_story(site)
    asked = ("log", "export", "--format", "jsonl", "--kind", "answer", *reader(site))
    operator = next(path for name, path in site.pki.role_keys.items() if name == "operator")
    out = tmp_path / "export.jsonl"
    for other, why in (
        (None, "second_auditor_needed"),
        (first, "second_auditor_needed"),
        (namesake, "second_auditor_needed"),
        (operator, "role_denied"),
        (site.pki.signers[0], "role_unknown"),
    ):
        more = () if other is None else ("--second-key", other)
        assert why in refused(*asked, *more, "--out", out)
        assert not out.exists()
    # Without the private fields nobody is named, and few persons need no second.
    good(*asked, "--without-private", "--out", tmp_path / "nobody.jsonl")
    good("log", "export", "--format", "jsonl", *reader(site), "--about-case", "none", "--out", tmp_path / "none.jsonl")
    good(*asked, "--second-key", second, "--out", out)
    settle(site)
    record = json.loads(good("log", "search", *reader(site), "--kind", "audit", "--limit", "2", "--json").out)[
        "records"
    ]
    fields = {one["name"]: one["value"] for one in record[0]["private"]}
    assert fields["second_auditor"] == "Hai"
    assert fields["rows"] == 4
