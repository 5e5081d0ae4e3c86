"""A newcomer's way: request, certificate, draft, signatures, publication, first recognised key."""

import json
import subprocess
import sys

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from adapters.simulators import parties
from gateway.keys import onboarding
from gateway.keys.file import load_signing_key
from gateway.keys.issue import KeyKind, new_key, read_request, request
from gateway.model.errors import ExchangeError
from gateway.model.errors import trust as kinds
from gateway.model.ids import parse_service, parse_subsystem
from gateway.model.instant import plus
from gateway.model.usage import ServiceType, Usage
from gateway.trust import edit
from gateway.trust.document import Service
from tests.support import pki as support
from tests.support.pki import DAY, NOW

PKI = support.shared()
NEWCOMER = parse_subsystem("VN/GOV/H41/portal")


def certificate_for(request_file, usage):
    authority = onboarding.load_authority(PKI.folder / "ca/issuing.pem", PKI.folder / "ca/issuing.key.pem")
    return onboarding.issue(
        authority, request_file.read_bytes(), usage=usage, not_before=NOW, not_after=plus(NOW, 30 * DAY)
    )


@pytest.mark.parametrize("kind", list(KeyKind))
def test_from_request_to_recognised_key(tmp_path, kind):
    key_file, request_file = onboarding.request_certificate(
        tmp_path / "member", NEWCOMER, organization="Ủy ban nhân dân tỉnh Nghệ An", usage=Usage.SIGN, kind=kind
    )
    certificate = certificate_for(request_file, Usage.SIGN)
    draft = onboarding.read_draft(PKI.trust_list)
    draft = edit.with_member(draft, NEWCOMER.member, "Ủy ban nhân dân tỉnh Nghệ An")
    draft = edit.with_subsystem(draft, NEWCOMER, name="Cổng dịch vụ công Nghệ An")
    draft = edit.with_certificate(draft, certificate, Usage.SIGN, NEWCOMER)
    draft = edit.renewed(draft, issued=NOW, valid_until=plus(NOW, 90 * DAY))
    onboarding.write_draft(tmp_path / "draft.json", draft)

    first, second = (onboarding.load_list_key(path) for path in PKI.signers[:2])
    onboarding.sign_file(tmp_path / "draft.json", tmp_path / "list.jws", first)
    seen = support.verified(PKI).last_seen
    published = tmp_path / "published.jws"
    arguments = {"pinned": support.pinned(PKI), "last_seen": seen, "now": NOW}
    with pytest.raises(ExchangeError) as refused:
        onboarding.publish(tmp_path / "list.jws", published, **arguments)
    assert refused.value.kind is kinds.TRUST_LIST_SIGNERS
    assert not published.exists()

    onboarding.sign_file(tmp_path / "list.jws", tmp_path / "list.jws", second)
    verified, store = onboarding.publish(tmp_path / "list.jws", published, **arguments)
    assert published.read_bytes() == verified.data
    (tmp_path / "sign.pem").write_bytes(onboarding.certificate_pem(certificate))
    keyid = load_signing_key(key_file, tmp_path / "sign.pem").keyid
    assert store.signing_key(keyid, NOW).owner == NEWCOMER


def test_a_tls_request_keeps_its_hosts(tmp_path):
    _, request_file = onboarding.request_certificate(
        tmp_path, NEWCOMER, organization="Nghệ An", usage=Usage.TLS, hosts=("portal.example.vn", "10.1.2.3")
    )
    certificate = x509.load_der_x509_certificate(certificate_for(request_file, Usage.TLS))
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["portal.example.vn"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["10.1.2.3"]


def test_a_second_request_replaces_no_key(tmp_path):
    arguments = {"organization": "Nghệ An", "usage": Usage.SIGN}
    onboarding.request_certificate(tmp_path, NEWCOMER, **arguments)
    with pytest.raises(FileExistsError):
        onboarding.request_certificate(tmp_path, NEWCOMER, **arguments)


def test_a_request_must_be_signed_with_its_own_key():
    pem = request(new_key(), common_name="VN/GOV/H41/portal", organization="Nghệ An")
    der = bytearray(x509.load_pem_x509_csr(pem).public_bytes(Encoding.DER))
    der[-1] ^= 1
    forged = x509.load_der_x509_csr(bytes(der)).public_bytes(Encoding.PEM)
    with pytest.raises(ValueError, match="not signed"):
        read_request(forged)


def test_a_request_with_a_key_that_we_never_take_is_refused():
    key = dsa.generate_private_key(1024)
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    pem = builder.sign(key, SHA256()).public_bytes(Encoding.PEM)
    authority = onboarding.load_authority(PKI.folder / "ca/issuing.pem", PKI.folder / "ca/issuing.key.pem")
    with pytest.raises(ValueError, match="kind"):
        onboarding.issue(authority, pem, usage=Usage.SIGN, not_before=NOW, not_after=plus(NOW, DAY))


@pytest.mark.parametrize(
    ("name", "words"), [("other-ca", "trusted authority"), ("sha1", "weak"), ("wrong-usage", "may not")]
)
def test_a_draft_takes_no_certificate_that_could_never_be_used(name, words):
    draft = edit.without_certificate(support.document(PKI), support.bad_key(PKI, name).keyid)
    with pytest.raises(ValueError, match=words):
        edit.with_certificate(draft, support.bad_key(PKI, name).certificate, Usage.SIGN, parties.PORTAL)


def test_editing_keeps_the_list_consistent():
    draft = support.document(PKI)
    with pytest.raises(ValueError, match="not listed"):
        edit.with_subsystem(draft, NEWCOMER)
    with pytest.raises(ValueError, match="not listed"):
        edit.with_service(draft, Service(id=parse_service("VN/GOV/H41/portal/x"), type=ServiceType.REST))
    with pytest.raises(ValueError, match="twice"):
        edit.with_certificate(draft, support.signing_key(PKI, parties.PORTAL).certificate, Usage.SIGN, parties.PORTAL)
    with pytest.raises(ValueError, match="no certificate"):
        edit.without_certificate(draft, "x")
    with pytest.raises(ValueError, match="revocation list"):
        edit.with_revocations(draft, [b"junk"])


def test_a_signer_reads_what_changed():
    old = support.document(PKI)
    keyid = support.signing_key(PKI, parties.PORTAL).keyid
    new = edit.without_certificate(edit.with_member(old, NEWCOMER.member, "Nghệ An"), keyid)
    new = edit.with_subsystem(new, parties.LEGACY, name="Tên mới")
    assert edit.differences(old, new) == (
        f"- certificate sign of VN/GOV/H24/portal {keyid}",
        "+ member VN/GOV/H41",
        "~ subsystem VN/GOV/H57/one-stop",
    )


def test_a_file_that_is_no_list_is_refused(tmp_path):
    file = tmp_path / "x"
    file.write_bytes(b"nothing")
    with pytest.raises(ExchangeError) as refused:
        onboarding.sign_file(file, file, new_key())
    assert refused.value.kind is kinds.TRUST_LIST_INVALID
    assert file.read_bytes() == b"nothing"


def test_the_development_script_makes_everything_and_overwrites_nothing(tmp_path):
    command = [sys.executable, "certs/make_dev_pki.py", "--out", str(tmp_path / "dev")]
    subprocess.run(command, check=True, capture_output=True)
    assert json.loads((tmp_path / "dev/trust/draft.json").read_bytes())["serial"] == 1
    assert sorted(path.stem for path in (tmp_path / "dev/bad").glob("*.pem") if ".key" not in path.name) == [
        "expired",
        "not-yet-valid",
        "other-ca",
        "revoked",
        "sha1",
        "tls-expired",
        "tls-revoked",
        "wrong-usage",
    ]
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "dev").rglob("*.key.pem"))
    again = subprocess.run(command, check=False, capture_output=True, text=True)
    assert again.returncode == 1
    assert "choose another folder" in again.stderr
