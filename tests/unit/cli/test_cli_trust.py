"""A newcomer is drafted, certified, signed for and published; what must not be published is not."""

import json
import stat
import subprocess
import sys

import pytest
from click.testing import CliRunner

from gateway.cli.main import cli
from gateway.keys.onboarding import read_draft
from gateway.model.instant import rfc3339
from gateway.model.usage import Usage
from tests.support.cli import NEWCOMER, ORGANIZATION, good, refused, request_and_issue, run, signer_options
from tests.support.gateways import PORTAL, make_site

NAME = "Cổng dịch vụ công Nghệ An"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return make_site(tmp_path_factory.mktemp("site"), "http://127.0.0.1:9", bad=True)


@pytest.fixture
def published(site, tmp_path):
    """Where gateways read the list in force."""
    target = tmp_path / "published.jws"
    target.write_bytes(site.pki.trust_list.read_bytes())
    return target


@pytest.fixture
def draft(published, tmp_path):
    file = tmp_path / "draft.json"
    good(
        "member", "new", NEWCOMER, "--organization", ORGANIZATION, "--name", NAME,
        "--service", "registry:SOAP:Sổ hộ tịch", "--draft", file, "--list", published,
    )  # fmt: skip
    return file


def sign(site, source, *numbers):
    for number in numbers:
        good("trust", "sign", source, "--key", site.pki.signers[number], "--yes")
        source = source.with_suffix(".jws")
    return source


def test_from_nothing_to_a_published_certificate(site, published, draft, tmp_path):
    _, certificate = request_and_issue(site, tmp_path / "keys")
    good("trust", "add-cert", draft, certificate, "--owner", NEWCOMER)
    shown = good("trust", "show", draft, "--against", published, "--json").values
    keyid = good("cert", "show", certificate, "--json").values[0]["keyid"]
    assert shown["differences"] == [
        f"+ certificate sign of {NEWCOMER} {keyid}",
        "+ member VN/GOV/H41",
        f"+ service {NEWCOMER}/registry",
        f"+ subsystem {NEWCOMER}",
    ]
    signed = sign(site, draft, 0, 2)
    good("trust", "publish", signed, "--to", published, *signer_options(site))
    assert len(good("trust", "show", published, "--json").values["signed_by"]) == 2
    listed = {each["id"]: each for each in good("member", "list", published, "--json").values["subsystems"]}
    assert listed[str(NEWCOMER)] == {
        "id": str(NEWCOMER), "name": NAME, "schemes": ["http-sig", "jws"], "networks": [],
    }  # fmt: skip


def test_the_operator_publishes_with_the_gateways_own_settings(site, tmp_path):
    before = site.pki.trust_list.read_bytes()
    file = tmp_path / "next.json"
    good("trust", "draft", file, "--list", site.pki.trust_list)
    try:
        said = good("trust", "publish", sign(site, file, 0, 1), "--config", site.config).err
        assert "SIGHUP" in said
        assert said.count("cannot be used") == len(site.pki.bad) + len(site.pki.bad_tls)
        assert read_draft(site.pki.trust_list).serial == 2
    finally:
        site.pki.trust_list.write_bytes(before)


@pytest.mark.parametrize(
    ("signers", "why"), [((0,), "1 of the signers in force have signed, 2 must"), ((1, 1), "1 of the signers")]
)
def test_too_few_signers(site, published, draft, signers, why):
    before = published.read_bytes()
    signed = sign(site, draft, *signers)
    assert why in refused("trust", "publish", signed, "--to", published, *signer_options(site))
    assert published.read_bytes() == before


def test_an_older_list_is_not_published_again(site, published, draft):
    older = published.with_name("older.jws")
    older.write_bytes(published.read_bytes())
    good("trust", "publish", sign(site, draft, 0, 1), "--to", published, *signer_options(site))
    assert "trust_list_replayed" in refused("trust", "publish", older, "--to", published, *signer_options(site))


def test_a_signer_sees_what_changes_and_may_decline(site, published, draft):
    ran = run("trust", "sign", draft, "--key", site.pki.signers[0], "--against", published, stdin="n\n")
    assert ran.code == 130
    assert f"+ subsystem {NEWCOMER}" in ran.out
    assert not draft.with_suffix(".jws").exists()


def test_a_signer_is_warned_of_a_serial_that_does_not_follow(draft):
    ran = run("trust", "show", draft, "--against", draft)
    assert "gateways will refuse it" in ran.err


def test_a_signed_list_is_never_overwritten_by_a_draft(published):
    before = published.read_bytes()
    said = refused("member", "new", NEWCOMER, "--organization", ORGANIZATION, "--draft", published)
    assert "is a signed list, not a draft" in said
    assert published.read_bytes() == before


def test_a_draft_begins_somewhere(tmp_path):
    said = refused("member", "new", NEWCOMER, "--organization", "x", "--draft", tmp_path / "draft.json")
    assert "--list" in said


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("other-ca", "no path leads from it to a listed root"),
        ("wrong-usage", "it is for TLS only"),
        ("sha1", "signed with sha1"),
        ("revoked", "is listed twice"),
    ],
)
def test_a_certificate_that_could_never_be_used_is_not_listed(site, draft, name, why):
    before = draft.read_bytes()
    said = refused("trust", "add-cert", draft, site.pki.bad[name].certificate, "--owner", NEWCOMER)
    assert why in said
    assert draft.read_bytes() == before


def test_a_lost_key_is_locked_out(site, draft):
    keyid = good("cert", "show", site.pki.identities[PORTAL].certificate, "--json").values[0]["keyid"]
    good("trust", "drop-cert", draft, keyid)
    assert keyid not in {each["keyid"] for each in good("trust", "show", draft, "--json").values["certificates"]}
    assert "no certificate with the keyid" in refused("trust", "drop-cert", draft, keyid)


def test_the_first_list_of_all(site, tmp_path):
    """Signers, authorities, the gateway itself, a member: nothing is there before."""
    pki, first, target = site.folder / "pki", tmp_path / "first.json", tmp_path / "list.jws"
    own = "VN/GOV/G22/motlan"
    good(
        "trust", "draft", first, *signer_options(site), "--authority", pki / "ca/bundle.pem",
        "--crl", pki / "ca/root.crl", "--crl", pki / "ca/issuing.crl", "--log", site.pki.log_vkey,
        "--role", f"auditor:Lê Thị Kiểm@2027-06-30={pki}/roles/auditor.pub.pem",
        "--role", f"operator={pki}/roles/operator.pub.pem",
    )  # fmt: skip
    good("member", "new", own, "--organization", "Văn phòng Chính phủ", "--never-calls", "--draft", first)
    good("trust", "add-cert", first, pki / "gateway/sign.pem", "--owner", own, "--usage", Usage.GATEWAY_SIGN)
    good("trust", "publish", sign(site, first, 0, 1), "--to", target, *signer_options(site))
    document = read_draft(target)
    assert (document.serial, len(document.authorities), len(document.crls), len(document.roles)) == (1, 2, 2, 2)
    auditor, operator = document.roles
    assert (auditor.name, operator.name, operator.until) == ("Lê Thị Kiểm", "operator", None)
    assert auditor.until is not None
    assert rfc3339(auditor.until) == "2027-06-30T17:00:00.000Z"  # the day's end in Vietnam
    assert [log.vkey for log in document.logs] == [site.pki.log_vkey]


def test_new_signers_are_agreed_to_by_the_old_ones(site, published, tmp_path):
    file = tmp_path / "next.json"
    good("trust", "draft", file, "--list", published, "--signer", site.pki.signer_keys[2], "--required", 1)
    one = sign(site, file, 2)
    assert "trust_list_signers" in refused("trust", "publish", one, "--to", published, *signer_options(site))
    good("trust", "publish", sign(site, one, 0), "--to", published, *signer_options(site))


def test_a_private_key_is_for_its_owner_and_never_replaced(tmp_path):
    arguments = ("cert", "request", NEWCOMER, "--organization", ORGANIZATION, "--out", tmp_path)
    good(*arguments)
    key = tmp_path / "sign.key.pem"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    before = key.read_bytes()
    assert "is there already and is not replaced" in refused(*arguments)
    assert key.read_bytes() == before


def test_the_development_authority_says_what_it_is(site, tmp_path):
    good("cert", "request", NEWCOMER, "--organization", "x", "--usage", "tls", "--host", "portal.vn", "--out", tmp_path)
    ca = site.folder / "pki/ca"
    ran = good(
        "cert", "issue", tmp_path / "tls.csr.pem", "--usage", "tls",
        "--ca", ca / "issuing.pem", "--ca-key", ca / "issuing.key.pem",
    )  # fmt: skip
    assert "DEVELOPMENT ONLY" in ran.err
    own, chain = good("cert", "show", tmp_path / "tls.pem", "--list", site.pki.trust_list, "--json").values
    assert (own["hosts"], own["listed"], own["state"]) == (["portal.vn"], "no", "valid")
    assert own["issuer"] == chain["subject"]


def test_a_draft_that_is_none(tmp_path):
    file = tmp_path / "draft.json"
    file.write_text("[]")
    assert "trust_list_invalid" in refused("member", "list", file)


@pytest.mark.parametrize("identifier", ["VN/GOV/H41", "VN/GOV/H41/portal/x", "VN//H41/portal"])
def test_an_identifier_that_is_none_is_a_mistake_in_the_command_line(identifier, tmp_path):
    refused("member", "new", identifier, "--organization", "x", "--draft", tmp_path / "draft.json", code=2)


def test_a_name_cannot_paint_over_what_a_signer_reads(published, tmp_path):
    file = tmp_path / "draft.json"
    good(
        "member",
        "new",
        NEWCOMER,
        "--organization",
        "x",
        "--name",
        "a\x1b[2Jb\u202ec",
        "--draft",
        file,
        "--list",
        published,
    )
    shown = good("member", "list", file).out
    assert r"a\u001b[2Jb\u202ec" in shown
    assert not {"\x1b", "\u202e"} & set(shown)


def test_an_encrypted_key_is_opened_with_its_passphrase(published, tmp_path):
    """Asked for at the terminal: never an argument."""
    arguments = ["cert", "request", str(NEWCOMER), "--organization", "x", "--out", str(tmp_path), "--passphrase"]
    made = CliRunner().invoke(cli, arguments, input="mật khẩu\nmật khẩu\n")
    assert made.exit_code == 0, made.output
    key = tmp_path / "sign.key.pem"
    assert b"ENCRYPTED" in key.read_bytes()
    arguments = ["trust", "sign", str(published), "--yes", "--key", str(key), "--out", str(tmp_path / "out.jws")]
    assert CliRunner().invoke(cli, arguments, input="sai\n").exit_code == 1
    signed = CliRunner().invoke(cli, arguments, input="mật khẩu\n")
    assert signed.exit_code == 0, signed.output
    assert (tmp_path / "out.jws").exists()


def test_it_speaks_vietnamese(draft):
    assert "Danh sách số 2" in run("member", "list", draft, lang="vi").out
    assert "List 2" in run("member", "list", draft, "--lang", "en", lang="vi").out


def test_exit_status_of_the_real_command(tmp_path):
    command = [sys.executable, "-c", "import sys; from gateway.cli.main import main; sys.exit(main())"]
    wrong = tmp_path / "wrong.json"
    wrong.write_text(json.dumps({"serial": 1}))
    ended = subprocess.run([*command, "member", "list", str(wrong)], check=False, capture_output=True, text=True)
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr


def test_a_log_may_have_two_keys_while_one_replaces_the_other(tmp_path):
    site = make_site(tmp_path, "http://127.0.0.1:9")
    old = site.pki.log_vkey
    new = good("log", "key", old.partition("+")[0], tmp_path / "new.key.pem").out.strip()
    draft = tmp_path / "next.json"
    good("trust", "draft", draft, "--list", site.pki.trust_list, "--log", new, "--log", old)
    assert [log.vkey for log in read_draft(draft).logs] == [old, new]
    good("trust", "draft", draft, "--drop-log", old)
    assert [log.vkey for log in read_draft(draft).logs] == [new]
