"""``motlan call --receipt``, ``motlan log prove`` and ``motlan log receipt``."""

import json

import pytest

from gateway.cli import log_keys
from gateway.cli.values import now
from gateway.ledger.note import KeyType
from tests.support import tlog_proof
from tests.support.cli import good, refused, run
from tests.support.exchanges import HOLDING, json_answer, office, records
from tests.support.gateways import BASIS, PORTAL, PURPOSE, STRANGER
from tests.support.ledger import ORIGIN, signing_key

ASKED = "031090001234"
CASE = "000.00.01.H24-261122-0001"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with office(tmp_path_factory.mktemp("cli-receipts")) as made:
        made.provider.reply = json_answer({"owner": {"identity_number": ASKED, "full_name": "Đặng Thị Ánh"}})
        yield made


@pytest.fixture(scope="module")
def vkey(place):
    return place.site.pki.log_vkey


def calling(place, subsystem=PORTAL, service=HOLDING):
    identity = place.site.pki.identities[subsystem]
    return [
        "call", "POST", f"{place.site.url}/r1/{service}", "-d", f'{{"identity_number":"{ASKED}"}}',
        "--as", subsystem, "--key", identity.key, "--cert", identity.certificate,
        "--gateway-cert", place.site.pki.gateway.certificate, "--ca", place.site.pki.bundle,
        "--purpose", PURPOSE, "--basis", BASIS, "--officer", "ht.nam", "--case", CASE,
    ]  # fmt: skip


def trusting(place, *, required=2):
    signers = [each for file in place.site.pki.signer_keys for each in ("--signer", file)]
    return ["--trust", place.site.folder / "pki/trust/list.jws", *signers, "--required", required]


@pytest.fixture(scope="module")
def called(place, vkey, tmp_path_factory):
    """The folder with the receipts of one call, and what the command said."""
    folder = tmp_path_factory.mktemp("kept")
    ran = good(*calling(place), "--receipt", folder / "answer.tlog-proof", "--vkey", vkey)
    return folder, ran


def test_a_call_keeps_its_receipts_and_says_what_they_prove(called, vkey):
    folder, ran = called
    answer = tlog_proof.check((folder / "answer.tlog-proof").read_bytes(), vkey)
    request = tlog_proof.check((folder / "answer.request.tlog-proof").read_bytes(), vkey)
    assert (answer.record["parent"], request.all("officer")) == (request.record["id"], ["ht.nam"])
    assert "request.signature_base" in ran.err
    assert f"answer {answer.record['id']} is entry {answer.index} of {answer.origin}" in ran.err
    assert json.loads(ran.out)["owner"]["full_name"] == "Đặng Thị Ánh"  # standard output is the answer alone


def test_a_call_tells_programs_what_was_proved(place, tmp_path):
    ran = good(*calling(place), "--receipt", tmp_path / "r.tlog-proof", *trusting(place), "--json")
    proved = ran.values["proved"]
    assert (proved["proved"], proved["unopened"]) == (True, [])
    assert proved["request"]["record"]["client"] == str(PORTAL)
    assert {"name": "case", "value": CASE} in proved["request"]["private"]


def test_a_refused_call_is_proved_too_and_still_fails(place, vkey, tmp_path):
    kept = tmp_path / "refused.tlog-proof"
    ran = run(*calling(place, STRANGER), "--receipt", kept, "--vkey", vkey, "--json")
    assert (ran.code, ran.values["proved"]["proved"], ran.values["proved"]["request"]) == (1, True, None)
    assert tlog_proof.check(kept.read_bytes(), vkey).record["kind"] == "refusal"


def test_a_log_that_is_not_the_trusted_one_fails_the_call(place, tmp_path):
    key, _ = signing_key("stranger", ORIGIN)
    kept = tmp_path / "r.tlog-proof"
    ran = run(*calling(place), "--receipt", kept, "--vkey", key.encode())
    assert (ran.code, kept.exists()) == (1, False)
    assert "log_signature_invalid" in ran.err
    assert "full_name" in ran.out  # the call has been made: its answer is not lost


def test_receipts_need_a_key_to_be_believed_by(place, tmp_path, called):
    before = len(records(place.site))
    assert "--vkey" in refused(*calling(place), "--receipt", tmp_path / "r", code=2)
    assert len(records(place.site)) == before  # said before anything is sent
    assert "--signer" in refused("log", "prove", called[0] / "answer.tlog-proof", *trusting(place)[:2], code=2)
    assert "--vkey" in refused("log", "prove", called[0] / "answer.tlog-proof", code=2)


def test_prove_says_offline_what_a_receipt_proves(place, called, vkey, tmp_path):
    file = called[0] / "answer.request.tlog-proof"
    ran = good("log", "prove", file, "--vkey", vkey)
    assert "✓ record" in ran.out
    assert all(text in ran.out for text in (ASKED, "ht.nam", str(PORTAL), PURPOSE))
    assert "witness" in ran.err
    body = tmp_path / "ask.json"
    body.write_text(f'{{"identity_number":"{ASKED}"}}')
    values = good("log", "prove", file, *trusting(place), "--body", body, "--json").values
    assert (values["proved"], values["record"]["kind"], values["log"]["origin"]) == (
        True,
        "request",
        "motlan.example/log",
    )
    body.write_text("{}")
    assert "receipt_differs" in refused("log", "prove", file, "--vkey", vkey, "--body", body)


def test_prove_refuses_what_proves_nothing(called, vkey, tmp_path):
    whole = (called[0] / "answer.tlog-proof").read_bytes()
    altered = tmp_path / "altered.tlog-proof"
    for data in (whole[:-9], whole.replace(b"index ", b"index 1"), b"", b"c2sp.org/tlog-proof@v1\n", b"\xff" * 99):
        altered.write_bytes(data)
        assert "server.clientproxy.log_" in refused("log", "prove", altered, "--vkey", vkey)
    altered.write_bytes(bytes(5 << 20))
    assert "4 MiB" in refused("log", "prove", altered, "--vkey", vkey)
    assert "log_malformed" in refused("log", "prove", called[0] / "answer.tlog-proof", "--vkey", "log+00+AA")


def test_a_quorum_that_is_not_there_fails(called, vkey):
    file, witness = called[0] / "answer.tlog-proof", _witness()
    assert "log_signature_invalid" in refused(
        "log", "prove", file, "--vkey", vkey, "--witness", witness, "--quorum", "1"
    )
    assert "--quorum" in refused("log", "prove", file, "--vkey", vkey, "--quorum", "1", code=2)


def test_an_ended_trust_list_still_says_whose_log_it_was(place, called, monkeypatch):
    monkeypatch.setattr(log_keys, "now", lambda: now() + 10 * 365 * 86_400_000_000)
    ran = good("log", "prove", called[0] / "answer.tlog-proof", *trusting(place))
    assert "ended" in ran.err
    assert "trust_list_signers" in refused(
        "log", "prove", called[0] / "answer.tlog-proof", *trusting(place, required=3)
    )


def test_receipts_are_made_from_the_database_and_show_nothing_private(place, vkey, called, tmp_path):
    known = tlog_proof.check((called[0] / "answer.request.tlog-proof").read_bytes(), vkey).record["id"]
    made = tmp_path / "made.tlog-proof"
    good("log", "receipt", known, "--config", place.site.config, "--out", made)
    proof = tlog_proof.check(made.read_bytes(), vkey)
    assert (proof.record["id"], proof.opened) == (known, [])
    assert ASKED.encode() not in made.read_bytes()
    assert "already" in refused("log", "receipt", known, "--config", place.site.config, "--out", made)
    for wrong in ("x", "01932d3e-8f1c-7abc-8def-000000000001"):
        out = tmp_path / "none"
        assert "receipt_unknown" in refused("log", "receipt", wrong, "--config", place.site.config, "--out", out)
        assert not out.exists()


def _witness() -> str:
    key, _ = signing_key("witness", "witness.example/w1", KeyType.COSIGNATURE)
    return key.encode()


def test_a_call_can_demand_particular_witnesses(place, vkey, tmp_path):
    policy, kept = tmp_path / "w.policy", tmp_path / "r.tlog-proof"
    policy.write_text(f"witness ministry {_witness()}\nquorum ministry\n")
    demand = ("--receipt", kept, "--vkey", vkey, "--witness-policy", policy, "--receipt-seconds", "0")
    ran = run(*calling(place), *demand)
    assert (ran.code, kept.exists()) == (1, False)
    assert "not there: ministry" in ran.err
    assert "full_name" in ran.out  # the call has been made: its answer is not lost
    before = len(records(place.site))
    policy.write_text("quorum ministry\n")
    assert "witness_policy_invalid" in refused(*calling(place), *demand)
    assert len(records(place.site)) == before  # said before anything is sent
