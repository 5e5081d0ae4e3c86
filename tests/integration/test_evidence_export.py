"""Evidence out of a running gateway's database, by its command: exported, recorded, verified, and nothing hidden told."""

import json

import pytest
from cryptography.x509 import ReasonFlags

from gateway.ledger.evidence_pem import crl_pem
from gateway.ledger.evidence_stamps import NOT_REVOKED
from gateway.ledger.evidence_witnesses import COSIGNED
from gateway.model.ids import parse_service
from gateway.model.instant import plus
from gateway.signing.asice import read_container
from tests.support.cli import CASE, OFFICER, auditor, good, refused, run
from tests.support.evidence_office import KEPT, TSA, export, stamped_office, verify, wait_for_stamp
from tests.support.exchanges import Caller, json_answer, records
from tests.support.gateways import PORTAL

PERSON = "031093271828"


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    with stamped_office(tmp_path_factory.mktemp("office")) as made:
        yield made


def call(office, service=KEPT, person=PERSON, **more):
    """An exchange; the id of its answer's record."""
    office.provider.reply = json_answer({"full_name": "Nguyễn Thị Ánh"})
    answer = Caller(office).post({"identity_number": person}, service=service, officer=OFFICER, case=CASE, **more)
    return next(value for name, value in answer.head.fields if name.lower() == "motlan-receipt")


def test_an_exchange_is_exported_stamped_with_its_bodies_and_verified_offline(office, tmp_path):
    record = call(office)
    wait_for_stamp(office, record)
    file = tmp_path / "x.asice"
    made = export(office, record, file)
    assert made["log_stamped"] is made["stamped"] is True
    assert list(made["records"]) == ["request", "answer"]
    assert made["records"]["answer"] == record
    assert made["opened"] == made["private"]
    assert made["wrong"] == []
    code, found = verify(office, file)
    assert code == 0
    assert [each["what"] for each in found["findings"] if each["verdict"] != "proved"] == [COSIGNED.en]  # no witness
    judged = [each["verdict"] for each in found["findings"] if each["what"] == NOT_REVOKED.en]
    assert judged == ["proved", "proved"]  # by the lists that [[timestamps.authorities]] names
    assert [each.partition(":")[0] for each in found["proves"]] == ["request", "answer"]
    files = read_container(file.read_bytes())
    assert json.loads(files["messages/request.body"]) == {"identity_number": PERSON}
    assert json.loads(files["messages/answer.body"]) == {"full_name": "Nguyễn Thị Ánh"}
    assert file.stat().st_mode & 0o077 == 0
    # Whichever record of the exchange is named, the same is exported.
    assert export(office, made["records"]["request"], tmp_path / "y.asice")["records"] == made["records"]
    signers = [part for each in office.site.pki.signer_keys for part in ("--signer", each)]
    assert verify(office, file, *signers, "--required", "2")[0] == 0
    assert verify(office, file, *signers)[0] == 1  # all three must have signed, and two have
    assert verify(office, file, roots=False)[0] == 1


def test_the_export_is_a_record_that_says_who_and_why(office, tmp_path):
    record = call(office)
    wait_for_stamp(office, record)
    before = len(records(office.site))
    made = export(office, record, tmp_path / "x.asice", "--hide", "case")
    (audit,) = [each for each in records(office.site, before) if each["kind"] == "audit"]
    assert audit["decision"]["reasons"] == ["evidence"]
    assert (audit.shown("auditor"), audit.shown("audit_case"), audit.shown("reason")) == ("Kiem", "TT-1", "complaint")
    assert audit.shown("record") == record
    assert audit.shown("question")["records"] == list(made["records"].values())
    assert audit.shown("question")["hide"] == ["case"]


def test_whoever_is_no_auditor_gets_nothing(office, tmp_path):
    record = call(office)
    options = auditor(office.site)
    options[options.index("--auditor-key") + 1] = office.site.pki.identities[PORTAL].key
    file = tmp_path / "x.asice"
    refused("evidence", "export", record, *options, "--out", file)
    assert not file.exists()


@pytest.mark.parametrize("name", ["person", "officer", "case", "target"])
def test_what_is_hidden_stands_nowhere(office, tmp_path, name):
    record = call(office)
    wait_for_stamp(office, record)
    file = tmp_path / "x.asice"
    export(office, record, file, "--hide", name)
    secret = {"person": PERSON, "officer": OFFICER, "case": CASE, "target": "/r1/VN/GOV/G15/registry/kept"}[name]
    for path, content in read_container(file.read_bytes()).items():
        assert secret.encode() not in content, path
    code, found = verify(office, file)
    assert code == 0
    assert "absent" in {each["verdict"] for each in found["findings"]}


def test_a_refusal_is_exported_alone(office, tmp_path):
    answer = Caller(office).post({}, service=parse_service("VN/GOV/G15/registry/record"), purpose=None)
    record = next((value for name, value in answer.head.fields if name.lower() == "motlan-receipt"), None)
    assert record is not None, answer.head
    wait_for_stamp(office, record)
    file = tmp_path / "x.asice"
    assert list(export(office, record, file)["records"]) == ["refusal"]
    assert verify(office, file)[0] == 0


def test_a_body_that_a_party_kept_is_held_against_the_record(office, tmp_path):
    record = call(office, service=parse_service("VN/GOV/G15/registry/echo"))
    wait_for_stamp(office, record)
    right, wrong, file = tmp_path / "right", tmp_path / "wrong", tmp_path / "x.asice"
    right.write_bytes(office.provider.last.body)
    wrong.write_bytes(b"{}")
    export(office, record, file, "--body", f"request={right}")
    assert verify(office, file)[0] == 0
    made = export(office, record, tmp_path / "y.asice", "--body", f"request={wrong}")
    assert [each.partition(": ")[0] for each in made["wrong"]] == ["request"]
    code, found = verify(office, tmp_path / "y.asice")
    assert code == 1
    assert [each["what"] for each in found["findings"] if each["verdict"] == "failed"] == [
        "the kept body is the recorded one"
    ]


def test_a_body_of_no_message_of_the_exchange_is_refused(office, tmp_path):
    body, file = tmp_path / "body", tmp_path / "x.asice"
    body.write_bytes(b"{}")
    record = call(office)
    wait_for_stamp(office, record)
    options = [*auditor(office.site), "--out", file]
    assert "has no refusal" in refused("evidence", "export", record, *options, "--body", f"refusal={body}")
    refused("evidence", "export", record, *options, "--body", f"../x={body}", code=2)
    assert not file.exists()


def test_a_file_is_not_replaced_and_an_unknown_record_leaves_none(office, tmp_path):
    file = tmp_path / "x.asice"
    file.write_text("mine")
    assert "not replaced" in refused("evidence", "export", call(office), *auditor(office.site), "--out", file)
    assert file.read_text() == "mine"
    missing = tmp_path / "y.asice"
    nobody = "01932d3e-8f1c-7abc-8def-000000000001"
    assert "evidence_unavailable" in refused("evidence", "export", nobody, *auditor(office.site), "--out", missing)
    assert not missing.exists()


def test_for_people_in_their_language(office, tmp_path):
    record = call(office)
    wait_for_stamp(office, record)
    file = tmp_path / "x.asice"
    good("evidence", "export", record, *auditor(office.site), "--out", file)
    ran = run("evidence", "verify", file, "--trust", office.site.pki.trust_list, lang="vi")
    assert ran.code == 1
    assert "gói không chứng minh được" in ran.said
    given = ("--tsa-ca", TSA.write(office.site.folder)[0])
    assert (
        "mọi điều gói nêu ra đều đúng"
        in run("evidence", "verify", file, "--trust", office.site.pki.trust_list, *given, lang="vi").said
    )
    assert PERSON not in ran.said


def test_an_authority_that_does_not_answer_is_said_and_can_be_done_without(office, tmp_path):
    record = call(office)
    wait_for_stamp(office, record)
    tsa = office.provider.tsa
    url = office.site.config.read_text()
    office.site.config.write_text(url.replace(tsa.url, "http://127.0.0.1:1/tsa"))
    try:
        file = tmp_path / "x.asice"
        said = refused("evidence", "export", record, *auditor(office.site), "--out", file)
        assert "attesting_unavailable" in said
        made = export(office, record, file, "--unstamped")
        assert (made["log_stamped"], made["stamped"]) == (True, False)
        assert verify(office, file)[0] == 0
    finally:
        office.site.config.write_text(url)


def test_newer_revocation_lists_of_the_authority_are_the_verifiers_to_bring(office, tmp_path):
    record = call(office)
    wait_for_stamp(office, record)
    file, crl = tmp_path / "x.asice", tmp_path / "newer.pem"
    export(office, record, file)
    serial, now = TSA.certificates["tsa"].serial_number, office.clock.now()
    for since, reason, code in (
        (plus(now, 3600), ReasonFlags.superseded, 0),
        (plus(now, 3600), ReasonFlags.key_compromise, 1),
        (plus(now, -3600), ReasonFlags.superseded, 1),
    ):
        crl.write_bytes(crl_pem(TSA.crl("issuing", {serial: (since, reason)}, issued=now)))
        assert verify(office, file, "--crl", crl)[0] == code
    assert verify(office, file)[0] == 0


def test_a_revocation_list_that_is_configured_and_not_there(office, tmp_path):
    text = office.site.config.read_text()
    office.site.config.write_text(text.replace("tsa-issuing.crl", "nowhere.crl"))
    try:
        said = refused("evidence", "export", call(office), *auditor(office.site), "--out", tmp_path / "x.asice")
        assert "timestamps.authorities" in said
        assert "nowhere.crl" in said
    finally:
        office.site.config.write_text(text)
