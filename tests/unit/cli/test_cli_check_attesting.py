"""``motlan check`` on witnesses, timestamps and replaced log keys."""

from pathlib import Path

import pytest

from gateway.ledger.note import KeyType
from tests.support.cli import run
from tests.support.gateways import Site, make_site
from tests.support.ledger import signing_key

WITNESS, _ = signing_key("witness", "witness.example/w1", KeyType.COSIGNATURE)
OTHER_LOG, _ = signing_key("other log", "other.example/log")
RIGHT = f"witness a {WITNESS.encode()} https://witness.example/\nquorum a\n"
TSA = '[[timestamps.authorities]]\nname = "tsa"\nurl = "https://tsa.example/"\nroots = "pki/ca/root.pem"\n'


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make_site(tmp_path, "http://127.0.0.1:9")


def complaints(site: Site, text: str) -> list[tuple[str, str]]:
    site.config.write_text(site.config.read_text() + "\n" + text)
    found = run("check", "--config", site.config, "--json").values
    problems = found["problems"] if isinstance(found, dict) else found
    return [(each["key"], each["text"]) for each in problems if not each["warning"]]


def test_what_is_right_is_not_complained_about(site: Site) -> None:
    (site.folder / "w.policy").write_text(RIGHT)
    assert complaints(site, f'[witnesses]\npolicy = "w.policy"\n[timestamps]\nrequired = true\n{TSA}') == []


@pytest.mark.parametrize(
    ("policy", "why"),
    [
        ("quorum b\n", "line 1"),
        (RIGHT.replace(" https://witness.example/", ""), "too few for the quorum"),
        (f"log {OTHER_LOG.encode()}\n{RIGHT}", "for other logs"),
        (None, "there is no file"),
    ],
)
def test_a_policy_that_is_of_no_use(site: Site, policy: str | None, why: str) -> None:
    if policy is not None:
        (site.folder / "w.policy").write_text(policy)
    [(key, text)] = complaints(site, '[witnesses]\npolicy = "w.policy"\n')
    assert key == "witnesses.policy"
    assert why in text


@pytest.mark.parametrize(
    ("text", "key", "why"),
    [
        ("[timestamps]\nstale_seconds = 600.0\n" + TSA, "timestamps", "more than interval_seconds"),
        ("[timestamps]\n" + TSA + TSA, "timestamps", "one name"),
        ("[timestamps]\nauthorities = []\n", "timestamps.authorities", "at least 1"),
        ("[timestamps]\n" + TSA.replace("https", "ftp"), "timestamps.authorities[0]", "http(s)"),
        ("[timestamps]\n" + TSA + 'policy = "1.two"\n', "timestamps.authorities[0]", "no OID"),
        ("[timestamps]\n" + TSA.replace("root.pem", "none.pem"), "timestamps.authorities[0].roots", "there is no file"),
        ("[timestamps]\n" + TSA.replace("root.pem", "root.crl"), "timestamps.authorities[0].roots", ""),
    ],
)
def test_timestamps_that_would_not_work(site: Site, text: str, key: str, why: str) -> None:
    found = complaints(site, text)
    assert [place for place, _ in found] in ([key], [key.replace("[0]", "[1]")]), found
    assert why in found[0][1]


def test_a_former_key_that_is_the_key_itself(site: Site) -> None:
    key = site.pki.folder / "gateway/log.key.pem"
    text = site.config.read_text()
    site.config.write_text(text.replace("log_key = ", f'former_log_keys = ["{key}"]\nlog_key = '))
    [(place, why)] = complaints(site, "")
    assert (place, "twice" in why) == ("ledger.log_key", True)
