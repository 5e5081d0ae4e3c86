"""A configuration is loaded whole, or everything that is wrong with it is said at once."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import get_args, get_type_hints

import msgspec
import pytest

from gateway.config.load import check, load
from gateway.config.problems import ConfigurationError
from gateway.config.product import product_folder
from gateway.config.settings import GatewayFile
from gateway.model.decision import EVERYTHING
from gateway.model.ids import parse_service, parse_subsystem
from gateway.policy.grants import ServiceTerms
from gateway.policy.policyset import PolicySet
from gateway.wiring.accesses import accesses_terms
from tests.support.config import write_configuration

ROOT = Path(__file__).parents[3]
CITIZEN = parse_service("VN/GOV/G01/population/citizen")


@pytest.fixture
def file(tmp_path):
    return write_configuration(tmp_path)


def change(file, old, new):
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def said(file, variables=None):
    """Every error, as ``name of file:line key: text``."""
    problems = [problem for problem in check(file, variables or {}) if not problem.warning]
    return [f"{problem.file.name}:{problem.line} {problem.key}: {problem.text}" for problem in problems]


def test_the_demo_configuration_is_right(file):
    settings = load(file, {})
    assert said(file) == []
    assert settings.listener.port == 18443
    assert settings.services[CITIZEN].response_schema == "citizen-lookup.response.json"
    assert settings.provider_of[CITIZEN] == "population"
    assert settings.providers["population"].auth.refs == ("population",)
    assert settings.procedures["1.001193"].basis == "ND-63/2024"
    assert settings.limits.nesting == 64
    assert settings.ledger.database.is_absolute()
    assert len(settings.policy_digest) == 64


def test_the_demo_policy_compiles_and_leaves_one_agency_out(file):
    settings = load(file, {})
    terms = [*(ServiceTerms(service=service) for service in settings.services), *accesses_terms(settings)]
    policy = PolicySet.compile(settings.grants, terms)
    clients = {grant.client for grant in policy.grants}
    assert parse_subsystem("VN/GOV/H24/portal") in clients
    assert parse_subsystem("VN/GOV/H31/portal") not in clients
    portal = next(
        grant for grant in policy.grants if grant.client.subsystem_code == "portal" and grant.service == CITIZEN
    )
    assert portal.quota.officer_per_day == 20


def test_the_policy_digest_follows_the_files(file):
    before = load(file, {})
    change(file.parent / "policy" / "others.toml", "officer_per_day = 500", "officer_per_day = 501")
    after = load(file, {})
    assert before.policy_digest != after.policy_digest
    assert before.services_digest == after.services_digest


def test_whole_answers_are_listed_as_warnings(file):
    warnings = [str(problem) for problem in check(file, {}) if problem.warning]
    assert len(warnings) == 2
    for warning, file_name in zip(warnings, ("birth-registration.toml", "others.toml"), strict=True):
        assert file_name in warning
        assert "the whole answer is granted" in warning


@pytest.mark.parametrize("clause", ["ledger", "keys", "trust"])
def test_ledger_keys_and_trust_list_have_no_default(file, clause):
    text = file.read_text(encoding="utf-8")
    file.write_text(re.sub(rf"(?m)^\[{clause}\]\n(.+\n)+", "", text), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=rf"\[{clause}\] is absent") as refused:
        load(file, {})
    assert refused.value.kind.code == "server.clientproxy.configuration_incomplete"


def test_all_problems_of_all_files_are_said_at_once(file):
    folder = file.parent
    change(file, 'host = "127.0.0.1"', 'hots = "127.0.0.1"')
    change(file, "threshold = 2", "")
    change(file, "drain = 8.0", 'drain = "8"')
    change(folder / "services/population.toml", 'adapter = "population"', 'adapter = "populaton"')
    change(folder / "services/social-insurance.toml", "timeout_seconds = 2.0", "timeout_seconds = 0")
    change(folder / "policy/birth-registration.toml", "/hometown", "/home_town")
    change(folder / "policy/others.toml", "G12/social-insurance/insurance", "G12/social-insurance/insurence")
    change(folder / "procedures/birth-registration.toml", 'roles = ["child"]', 'roles = ["chlid"]')
    problems = said(file)
    for expected in (
        "gateway.toml:8 listener.hots: is no setting here; did you mean host?",
        "gateway.toml:37 trust.threshold: is missing",
        "gateway.toml:48 timeouts.drain: must be a number",
        "population.toml:21 service[1].adapter: must be one of rest, mapping, population, insurance, entry-point, prefill, soap; did you mean population?",
        "social-insurance.toml:6 provider.timeout_seconds: must be more than 0",
        "others.toml:27 grant[3].service: there is no service VN/GOV/G12/social-insurance/insurence; did you mean VN/GOV/G12/social-insurance/insurance?",
    ):
        assert expected in problems, problems
    assert any("there is no role chlid" in problem for problem in problems)


def test_an_element_that_the_schema_has_not_is_named_with_the_nearest(file):
    change(file.parent / "policy/birth-registration.toml", "/hometown", "/home_town")
    assert said(file) == [
        "birth-registration.toml:17 grant[1].fields[8]: /home_town is no element of citizen-lookup.response.json; did you mean /hometown?"
    ]


def test_a_service_without_schema_can_only_be_granted_whole(file):
    change(file.parent / "services/population.toml", 'response_schema = "citizen-lookup.response.json"\n', "")
    change(file.parent / "procedures/birth-registration.toml", "/name/full", "/name/full")
    problems = said(file)
    assert len([problem for problem in problems if 'only "*" can be granted' in problem]) == 4


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        ("gateway.toml", "port = 18443", "port = 70000", "listener.port: must be at most 65535"),
        ("gateway.toml", "port = 18443", 'port = "18443"', "listener.port: must be a whole number"),
        ("gateway.toml", "port = 18443", "port = true", "listener.port: must be a whole number"),
        ("gateway.toml", "[gateway]", "[gateway", "not TOML"),
        ("gateway.toml", "threshold = 2", "threshold = 4", "trust: 4 signers must sign, but only 3 are named"),
        ("gateway.toml", "https://127.0.0.1:18443", "https://127.0.0.1:18443/path", "is not scheme://host[:port]"),
        ("gateway.toml", "VN/GOV/G22/motlan", "VN/GOV", "gateway.subsystem: a subsystem is written"),
        ("gateway.toml", 'services = "services"', 'services = "none"', "is no folder"),
        ("gateway.toml", "/trust/list.jws", "/trust/nothing.jws", "trust.list: there is no file"),
        ("gateway.toml", '"auditor", key', '"data-protection-officer", key', "two readers have the id"),
        ("gateway.toml", "[timeouts]", "[timeout]", "timeout: is no setting here; did you mean timeouts?"),
        ("services/population.toml", "http://127.0.0.1:18001", "http://10.0.0.1:18001", "plain HTTP beyond this machine"),
        ("services/population.toml", "http://127.0.0.1:18001", "ftp://127.0.0.1", "base_url is http(s)"),
        ("services/population.toml", "ref:population", "hunter2", 'secret must be "ref:NAME"'),
        ("services/population.toml", "ref:population", "ref:nothing", "ref:nothing is not in"),
        ("services/population.toml", 'user = "motlan"\n', "", "the scheme signed-basic needs user"),
        ("services/population.toml", "citizen-lookup.request.json", "citizen-lookup.req.json", "did you mean citizen-lookup.request.json?"),
        ("services/population.toml", '"/father/identity_number"', '"/father/number"', "/father/number is no element"),
        ("services/population.toml", 'name = "population"', 'name = "social-insurance"', "is the provider of"),
        ("services/social-insurance.toml", "G12/social-insurance/insurance", "G01/population/citizen", "is in "),
        ("services/gateway.toml", 'adapter = "prefill"', 'adapter = "rest"', "needs a [provider]"),
        ("policy/others.toml", '"h26-residence-citizen"', '"h24-birth-citizen"', "another grant is named"),
        ("policy/others.toml", "[[grant]]", "[grants]\n[[grant]]", "grants: is no setting here; did you mean grant?"),
        ("policy/others.toml", 'fields = ["/identity_number"', 'fields = ["*", "/identity_number"', "granted as"),
        ("policy/others.toml", 'bases = ["QD-06/2022"]', "bases = []", "bases: needs at least 1 of them"),
        ("policy/others.toml", "officer_per_day = 500 ", "officer_per_day = 0 ", "officer_per_day: must be at least 1"),
        ("policy/birth-registration.toml", "2025-07-01", '"2025-07-01"', "valid_from: must be a date"),
        ("policy/birth-registration.toml", "2025-07-01", "2028-07-01", "a grant ends before it begins"),
        ("procedures/birth-registration.toml", 'lookup = "insurance", pointer = "/name/full"', 'lookup = "insurance", pointer = "/name"', ""),
        ("procedures/birth-registration.toml", 'pointer = "/hometown"', 'pointer = "/hometwon"', "/hometwon is no element"),
        ("procedures/birth-registration.toml", "G01/population/citizen", "G01/population/citzen", "did you mean VN/GOV/G01/population/citizen?"),
        ("procedures/birth-registration.toml", '"sex"]', '"age"]', "there is no input age"),
        ("procedures/birth-registration.toml", 'name = "hometown"', 'name = "residence"', "is given twice"),
    ],
)  # fmt: skip
def test_said(file, name, old, new, expected):
    change(file.parent / name, old, new)
    problems = said(file)
    if expected:
        assert any(expected in problem for problem in problems), problems
        assert len(problems) == 1 or name in CONFUSED, problems
    else:
        assert problems == []


CONFUSED = {"services/social-insurance.toml", "procedures/birth-registration.toml"}
"""Where one change rightly makes more than one thing wrong."""


def test_a_wrong_service_file_does_not_make_its_grants_wrong(file):
    change(file.parent / "services/population.toml", "attempts = 2", "atempts = 2")
    assert [problem.partition(" ")[2] for problem in said(file)] == [
        "provider.atempts: is no setting here; did you mean attempts?"
    ]


def test_overlapping_grants_are_a_warning(file):
    policy = file.parent / "policy/birth-registration.toml"
    again = policy.read_text(encoding="utf-8").split("[[grant]]")[1].replace("h24-birth-citizen", "h24-again")
    policy.write_text(policy.read_text(encoding="utf-8") + "\n[[grant]]" + again, encoding="utf-8")
    assert said(file) == []
    assert any("are decided by that one" in problem.text for problem in check(file, {}) if problem.warning)


def test_plain_http_is_for_loopback_only(file):
    text = file.read_text(encoding="utf-8")
    text = re.sub(r"(?m)^\[listener.tls\]\n(.+\n)+", "", text)
    file.write_text(text, encoding="utf-8")
    assert said(file) == []
    file.write_text(text.replace('host = "127.0.0.1"', 'host = "0.0.0.0"', 1), encoding="utf-8")
    assert any("plain HTTP is for loopback only" in problem for problem in said(file))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load(tmp_path / "nothing.toml", {})


def test_the_environment_overrides_a_few_keys(file):
    settings = load(file, {"MOTLAN_LISTENER_PORT": "1234", "MOTLAN_LOG_LEVEL": "debug", "MOTLAN_LEDGER_ORIGIN": "x"})
    assert settings.listener.port == 1234
    assert settings.logging.level == "debug"
    assert settings.ledger.origin == "127.0.0.1/log"
    assert any(
        "listener.port: must be a whole number" in problem for problem in said(file, {"MOTLAN_LISTENER_PORT": "x"})
    )


def test_the_environment_cannot_stand_in_for_an_absent_ledger(file):
    text = file.read_text(encoding="utf-8")
    file.write_text(re.sub(r"(?m)^\[ledger\]\n(.+\n)+", "", text), encoding="utf-8")
    assert any("[ledger] is absent" in problem for problem in said(file, {"MOTLAN_LEDGER_DATABASE": "/tmp/x"}))


def test_the_examples_are_right_once_their_files_are_there(tmp_path):
    shutil.copytree(product_folder("config"), tmp_path / "config")
    folder = tmp_path / "config"
    file = folder / "gateway.toml"
    (folder / "data").mkdir()
    for name in re.findall(r'"((?:keys|readers|trust)/[^"]+)"', file.read_text(encoding="utf-8")):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("x")
    (folder / "secrets").mkdir()
    texts = [each.read_text(encoding="utf-8") for each in (folder / "services").glob("*.toml")]
    for name in re.findall(r'"ref:([^"]+)"', "".join(texts)):
        (folder / "secrets" / name).write_text("x")
        (folder / "secrets" / name).chmod(0o600)
    assert said(file) == []
    assert load(file, {}).grants[-1].fields == EVERYTHING


def test_the_example_has_every_key_and_says_the_defaults():
    text = (product_folder("config") / "gateway.toml").read_text(encoding="utf-8")
    tables = tomllib.loads(text)
    for clause, hint in get_type_hints(GatewayFile).items():
        if clause.startswith("_"):
            continue
        shape = next(part for part in (*get_args(hint), hint) if part is not type(None))
        for setting in msgspec.structs.fields(shape):
            name, given = f"{clause}.{setting.name}", tables.get(clause, {}).get(setting.name)
            if given is None:
                assert f"\n# {setting.name} = " in text or f"\n# [[{name}]]" in text, f"{name} is not in the example"
            elif setting.default not in {msgspec.NODEFAULT, None} and name not in EXAMPLES_OWN:
                assert given == setting.default or (given, setting.default) == ([], ()), name


EXAMPLES_OWN = {"listener.host", "secrets.directory"}
"""Where the example is not the default."""


def test_the_page_of_settings_is_what_the_generator_writes():
    written = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "make_configuration.py"), "--print"],
        capture_output=True,
        check=True,
        cwd=ROOT,
    ).stdout
    assert written.decode() == (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8"), (
        "run docs/make_configuration.py"
    )


def test_every_setting_is_described():
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert not re.findall(r"(?m)^\| `\w+` .*\|\s+\|$", page)
