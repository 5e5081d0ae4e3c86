"""``motlan check``: everything that would keep a gateway from starting, found without starting one."""

import re

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway.keys.issue import KeyKind, new_key
from gateway.model.instant import plus
from gateway.wiring.core import SystemClock
from tests.support.cli import fill, good, refused, run
from tests.support.gateways import OTHER, PORTAL, make_site

DAY = 86_400


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return make_site(tmp_path_factory.mktemp("site"), "http://127.0.0.1:9")


@pytest.fixture
def site(whole):
    """The site, put back as it was after the test."""
    before = {path: (path.read_bytes(), path.stat().st_mode) for path in whole.folder.rglob("*") if path.is_file()}
    yield whole
    for path in whole.folder.rglob("*"):
        if path.is_file() and path not in before:
            path.unlink()
    for path, (content, mode) in before.items():
        path.write_bytes(content)
        path.chmod(mode)


def test_a_right_configuration(site):
    found = good("check", "--config", site.config, "--json").values
    assert found["valid"] is True
    assert all(problem["warning"] for problem in found["problems"])
    texts = " ".join(problem["text"] for problem in found["problems"])
    assert "the whole answer is granted" in texts
    assert "plain HTTP on loopback" in texts


def test_it_starts_and_writes_nothing(site):
    before = sorted(site.folder.rglob("*"))
    good("check", "--config", site.config)
    assert sorted(site.folder.rglob("*")) == before


def _pem(path, kind):
    path.write_bytes(new_key(kind).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def _other_signing_key(site):
    _pem(site.folder / "pki/gateway/sign.key.pem", KeyKind.P256)


def _readable_key(site):
    (site.folder / "pki/gateway/sign.key.pem").chmod(0o644)


def _certificate_of_a_member(site):
    theirs = site.pki.identities[PORTAL]
    (site.folder / "pki/gateway/sign.pem").write_bytes(theirs.certificate.read_bytes())
    (site.folder / "pki/gateway/sign.key.pem").write_bytes(theirs.key.read_bytes())


def _log_key_of_another_kind(site):
    _pem(site.folder / "pki/gateway/log.key.pem", KeyKind.P256)


def _another_log_key(site):
    _pem(site.folder / "pki/gateway/log.key.pem", KeyKind.ED25519)


def _short_vault_key(site):
    (site.folder / "vault.key").write_text("00" * 31)


def _reader_that_signs_only(site):
    public = site.pki.identities[OTHER].key  # a private key is no public key either
    (site.folder / "pki/roles/auditor.pub.pem").write_bytes(public.read_bytes())


def _operator_as_reader(site):
    roles = site.folder / "pki/roles"
    (roles / "auditor.pub.pem").write_bytes((roles / "operator.pub.pem").read_bytes())


def _tampered_list(site):
    data = site.pki.trust_list.read_bytes()
    site.pki.trust_list.write_bytes(
        data.replace(b'"payload":"', b'"payload":"x', 1).replace(b'"payload": "', b'"payload": "x', 1)
    )


def _too_many_signers(site):
    text = site.config.read_text()
    site.config.write_text(text.replace("threshold = 2", "threshold = 3"))


def _database_of_another_program(site):
    (site.folder / "motlan.sqlite").write_bytes(b"SQLite format 3\x00" + bytes(100))


WRONG = [
    (_other_signing_key, "keys.signing_key", "is not the certificate of"),
    (_readable_key, "keys.signing_key", "chmod 600"),
    (_certificate_of_a_member, "keys.signing_certificate", "does not list it as gateway-sign of VN/GOV/G22/motlan"),
    (_log_key_of_another_kind, "ledger.log_key", "a log's key is Ed25519"),
    (_another_log_key, "ledger.log_key", "names another key for the log motlan.example/log"),
    (_short_vault_key, "keys.vault_key", "64 hexadecimal digits"),
    (_reader_that_signs_only, "ledger.readers[1].key", "no public key in PEM"),
    (_operator_as_reader, "ledger.readers[1].key", "this is an operator's key"),
    (_tampered_list, "trust.list", ""),
    (_too_many_signers, "trust.list", "2 of the signers in force have signed, 3 must"),
    (_database_of_another_program, "ledger.database", "is no database of this gateway"),
]


@pytest.mark.parametrize(("spoil", "key", "why"), WRONG)
def test_what_is_wrong_is_named_with_its_place(site, spoil, key, why):
    spoil(site)
    ran = run("check", "--config", site.config, "--json")
    assert ran.code == 1
    wrong = [problem for problem in ran.values["problems"] if not problem["warning"]]
    assert [problem["key"] for problem in wrong] == [key]
    assert why in wrong[0]["text"]
    line = site.config.read_text().splitlines()[wrong[0]["line"] - 1]
    assert re.match(r"\s*(\[?)" + re.escape(re.sub(r"\[\d+\]", "", key).split(".")[1]), line), line


def test_all_of_it_at_once(site):
    for spoil in (_readable_key, _short_vault_key, _database_of_another_program):
        spoil(site)
    said = refused("check", "--config", site.config)
    for key in ("keys.signing_key", "keys.vault_key", "ledger.database"):
        assert key in said
    assert "3 to mend" in said


def test_a_grant_of_somebody_whom_nobody_vouches_for(site):
    text = (site.folder / "policy/grants.toml").read_text()
    (site.folder / "policy/grants.toml").write_text(text.replace(str(OTHER), "VN/GOV/H99/nobody"))
    said = good("check", "--config", site.config).out
    assert "VN/GOV/H99/nobody is not in the trust list: it cannot call" in said
    assert re.search(r"grants\.toml:\d+:1: grant\[3\]\.client", said)


def test_what_is_about_to_end(tmp_path):
    """A revocation list, then certificates and the list itself: said before they stop the exchange."""
    (tmp_path / "monthly").mkdir()
    monthly = make_site(tmp_path / "monthly", "http://127.0.0.1:9", now=plus(SystemClock().now(), -29.5 * DAY))
    assert "a revocation list ends within 1 days" in good("check", "--config", monthly.config).out
    (tmp_path / "old").mkdir()
    old = make_site(tmp_path / "old", "http://127.0.0.1:9", now=plus(SystemClock().now(), -84.5 * DAY))
    said = refused("check", "--config", old.config)  # its revocation lists have ended by now
    assert "the list ends within 7 days" in said
    assert f"sign certificate of {PORTAL} ends in 5 days" in said
    assert "keys.signing_certificate: The revocation list is out of date: for keyid" in said


def test_a_list_that_has_ended(tmp_path):
    old = make_site(tmp_path, "http://127.0.0.1:9", now=plus(SystemClock().now(), -100 * DAY))
    assert "no longer valid" in refused("check", "--config", old.config)


def test_an_older_list_than_the_one_seen_last(site, tmp_path):
    """As a gateway would refuse it at its start, so it is refused here."""
    fill(site)
    good("check", "--config", site.config)
    draft, older = tmp_path / "draft.json", site.pki.trust_list.read_bytes()
    good("trust", "draft", draft, "--list", site.pki.trust_list)
    for number, source in enumerate((draft, draft.with_suffix(".jws"))):
        good("trust", "sign", source, "--key", site.pki.signers[number], "--yes")
    good("trust", "publish", draft.with_suffix(".jws"), "--config", site.config)
    fill(site)
    site.pki.trust_list.write_bytes(older)
    assert "serial 1 after 2" in refused("check", "--config", site.config)


def test_a_file_that_is_not_there(tmp_path):
    assert "cannot be read" in refused("check", "--config", tmp_path / "nothing.toml")


def test_it_speaks_vietnamese(site):
    assert "sẵn sàng phục vụ" in run("check", "--config", site.config, lang="vi").out
