"""``motlan check`` and hosted keys: listed as such, for whom they are configured; and who would be refused for want."""

from pathlib import Path

import pytest

from tests.support.cli import good, run
from tests.support.gateways import Site, make_site
from tests.support.mtls import CONFINED, KEYLESS, LEGACY, PARTIES


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make_site(tmp_path, "http://127.0.0.1:9", tls=True, more_parties=PARTIES)


def complaint(site: Site) -> dict[str, str]:
    ran = run("check", "--config", site.config, "--json")
    assert ran.code == 1
    (wrong,) = [problem for problem in ran.values["problems"] if not problem["warning"]]
    return wrong


def replace(site: Site, old: str, new: str) -> None:
    text = site.config.read_text()
    assert old in text
    site.config.write_text(text.replace(old, new, 1))


def test_a_subsystem_without_a_key_is_named(site):
    said = good("check", "--config", site.config).out
    assert f"no hosted key for {KEYLESS}, which may prove itself by mtls: its calls are refused" in said
    assert str(LEGACY) not in said


def test_a_key_of_another_subsystem(site):
    first, second = (site.pki.hosted[each] for each in (LEGACY, CONFINED))
    text = site.config.read_text()
    for mine, other in zip(first, second, strict=True):
        text = text.replace(str(mine), str(other), 1)
    site.config.write_text(text)
    wrong = complaint(site)
    assert wrong["key"] == "keys.hosted[1].certificate"
    assert wrong["text"] == f"the trust list does not list it as hosted-sign of {LEGACY}"


def test_the_members_own_key_is_none(site):
    identity = site.pki.identities[LEGACY]
    key, certificate = site.pki.hosted[LEGACY]
    replace(site, str(key), str(identity.key))
    replace(site, str(certificate), str(identity.certificate))
    assert "does not list it as hosted-sign" in complaint(site)["text"]


def test_two_keys_for_one_subsystem(site):
    replace(site, f'subsystem = "{CONFINED}"', f'subsystem = "{LEGACY}"')
    assert "a subsystem has two hosted keys" in complaint(site)["text"]


def test_a_file_that_is_not_there(site):
    site.pki.hosted[LEGACY][1].unlink()
    wrong = complaint(site)
    assert (wrong["key"], wrong["text"][:16]) == ("keys.hosted[1].certificate", "there is no file")


@pytest.mark.parametrize("networks", ['["0.0.0.0/0"]', '["10.0.0.0/8", "::/0"]', '["10.0.0.1/8"]', '["proxy.example"]'])
def test_proxies_that_are_everybody_or_nobody(site, networks):
    replace(site, "[listener]", f"[listener]\ncertificate_proxies = {networks}")
    assert complaint(site)["key"].startswith("listener")


def test_mtls_that_no_certificate_can_reach(site):
    replace(site, "[listener]", '[listener]\nclient_certificates = "none"')
    assert "no TLS client certificate can reach it" in good("check", "--config", site.config).out
    replace(site, "[listener]", '[listener]\ncertificate_proxies = ["10.0.0.7/32"]')
    assert "no TLS client certificate can reach it" not in good("check", "--config", site.config).out
