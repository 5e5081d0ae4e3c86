"""``motlan policy explain``: what the gateway would decide, and the grant that would change it."""

import pytest

from tests.support.cli import CASE, NEWCOMER, OFFICER, good, refused, run
from tests.support.gateways import BASIS, ECHO, PORTAL, PURPOSE, RECORD, make_site

_SERVICE = f"""
[[service]]
id = "{RECORD}"
response_schema = "insurance-lookup.response.json"

[[service]]
id = "VN/GOV/G15/registry/off"
enabled = false
"""
_GRANTS = f"""
[[grant]]
name = "portal-record"
client = "{PORTAL}"
service = "{RECORD}"
methods = ["POST"]
fields = ["/insurance_number", "/status"]
officer_required = true
case_required = true
purpose = [{{ code = "{PURPOSE}", bases = ["{BASIS}"] }}]
quota = {{ officer_per_day = 20 }}

[[grant]]
name = "past"
client = "VN/GOV/H26/one-stop"
service = "{RECORD}"
methods = ["POST"]
fields = ["*"]
valid_until = 2025-01-01
purpose = [{{ code = "{PURPOSE}", bases = ["{BASIS}"] }}]

[[grant]]
name = "of-what-is-off"
client = "{PORTAL}"
service = "VN/GOV/G15/registry/off"
methods = ["POST"]
fields = ["*"]
purpose = [{{ code = "{PURPOSE}", bases = ["{BASIS}"] }}]
"""

CALL = {
    "client": PORTAL,
    "service": RECORD,
    "method": "POST",
    "purpose": PURPOSE,
    "officer": OFFICER,
    "case": CASE,
    "path": "",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return make_site(tmp_path_factory.mktemp("site"), "http://127.0.0.1:9", services=_SERVICE, grants=_GRANTS)


def explain(site, *more, **changes):
    options = [each for name, value in (CALL | changes).items() if value is not None for each in (f"--{name}", value)]
    return ["policy", "explain", "--config", site.config, *options, *more]


def test_what_is_allowed(site):
    found = good(*explain(site, "--json")).values
    assert found["allowed"] is True
    assert found["refusal"] is None
    assert found["decision"] == {
        "grant": "portal-record",
        "purpose": PURPOSE,
        "basis": BASIS,
        "fields": ["/insurance_number", "/status"],
        "quotas": [{"limit_per_day": 20}],
    }
    assert {step["passed"] for step in found["steps"] if not step["code"].startswith("quota")} == {True}


REFUSED = [
    ({"client": NEWCOMER}, "access_denied", "client.granted"),
    ({"method": "PUT"}, "method_not_granted", "method.granted"),
    ({"path": "/of/another"}, "method_not_granted", "path.granted"),
    ({"purpose": "9.999"}, "purpose_not_granted", "purpose.granted"),
    ({"basis": "QD-1/2025"}, "basis_not_granted", "basis.granted"),
    ({"client": "VN/GOV/H26/one-stop"}, "grant_expired", "grant.in_force"),
]


@pytest.mark.parametrize(("changes", "code", "step"), REFUSED)
def test_the_grant_it_names_is_what_is_needed(site, tmp_path, changes, code, step):
    ran = run(*explain(site, "--json", **changes))
    assert ran.code == 1
    found = ran.values
    assert found["allowed"] is False
    assert found["refusal"]["code"].endswith(code)
    assert step in {each["code"] for each in found["steps"] if each["passed"] is False}
    pasted = site.folder / "policy/pasted.toml"
    pasted.write_text(found["refusal"]["needed_grant"].replace("LEGAL BASIS", "QD-2/2025"), encoding="utf-8")
    try:
        allowed = good(*explain(site, "--json", **changes)).values
        assert allowed["decision"]["grant"] not in {"portal-record", "past"}
    finally:
        pasted.unlink()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"officer": None}, "officer_missing"),
        ({"case": None}, "case_missing"),
        ({"purpose": None}, "purpose_missing"),
        ({"service": "VN/GOV/G15/registry/nothing"}, "unknown_service"),
        ({"service": "VN/GOV/G15/registry/off"}, "service_disabled"),
    ],
)
def test_no_grant_is_named_where_none_would_help(site, changes, code):
    ran = run(*explain(site, "--json", **changes))
    assert ran.code == 1
    assert ran.values["refusal"]["code"].endswith(code)
    assert ran.values["refusal"]["needed_grant"] is None


def test_a_service_without_schema_is_granted_whole(site):
    found = run(*explain(site, "--json", client=NEWCOMER, service=ECHO)).values
    assert '"*"' in found["refusal"]["needed_grant"]


def test_it_is_shown_to_people_in_their_language(site):
    english = run(*explain(site, client=NEWCOMER))
    assert "✗   the client has grants for it" in english.out
    assert "[[grant]]" in english.out
    vietnamese = run(*explain(site), lang="vi")
    assert "✓   mục đích được cho phép" in vietnamese.out
    assert "được phép theo portal-record" in vietnamese.out


def test_at_another_time(site):
    was = good(*explain(site, "--at", "2024-12-31", "--json", client="VN/GOV/H26/one-stop")).values
    assert was["decision"]["grant"] == "past"


def test_names_that_toml_could_misread_are_escaped(site):
    found = run(*explain(site, "--json", client='VN/GOV/H41/a"b', purpose="a\\b")).values
    assert 'client = "VN/GOV/H41/a\\"b"' in found["refusal"]["needed_grant"]
    assert 'code = "a\\\\b"' in found["refusal"]["needed_grant"]


def test_a_wrong_configuration_is_said_with_its_place(site, tmp_path):
    file = site.folder / "policy/wrong.toml"
    file.write_text("[[grant]]\nname = 3\n")
    try:
        said = refused(*explain(site))
        assert f"{file}:2:1" in said
    finally:
        file.unlink()
