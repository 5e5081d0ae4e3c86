"""Evidence that earlier releases wrote verifies for ever: the kept samples of every version, made by
``tests/evidence_samples/make_samples.py`` and never changed since.
"""

import hashlib
from pathlib import Path

import pytest

from gateway.keys.file import load_certificates, load_public_key
from gateway.ledger.evidence import VERSION
from gateway.ledger.evidence_conclusion import conclude
from gateway.ledger.evidence_findings import Verdict
from gateway.ledger.evidence_trust import Anchors
from gateway.ledger.evidence_verify import verify_evidence
from gateway.ledger.note import parse_vkey
from gateway.trust.document import Signers
from tests.evidence_samples.make_samples import bench, samples

FOLDER = Path(__file__).parents[2] / "evidence_samples"
SAMPLES = sorted(FOLDER.glob("v*/*.asice"))
KEPT = {
    # SHA-256 of each sample, so that nobody makes an old one anew to please a test.
    "v1/abandoned": "a719484e7072190b51476cb5c71025ba94cab7c7f5d019388f170763824ada6e",
    "v1/erased": "f2398508033c601bd802cec39ddea24ac5ba77712da8f2520bf2bf20f6285efa",
    "v1/exchange": "3ef03f67aec68bf1df44c12886446615d994eb1c224520b0bcf130706dd7e434",
    "v1/jws-unstamped": "3a282b5b4577691b30c2558713b7f78b31a2bc33f3c79e88bdc9c582c76fc533",
    "v1/refusal": "5b0f16a692adef8af167572c41f6cf7cd4843239e1c75099a8d9e5a3ab29c746",
    "v1/soap": "2a1874a77a0aae391290a2a0ff829cb7ee4496b277042e60e073811ac7734f10",
    "v1/witnessed": "83ce071288423e63e2fc958759624c4061378438b80d115a1c5ccc124e9bddcb",
}
ABSENT = {
    "exchange": 1,
    "jws-unstamped": 4,
    "soap": 1,
    "refusal": 1,
    "erased": 6,
    "abandoned": 2,
    "witnessed": 0,
}
"""How many lines say of each that something is not claimed."""


def anchors(folder, **changes):
    keys = tuple(load_public_key(file) for file in sorted(folder.glob("signer-*.pem")))
    vkeys = [file.read_text().strip() for file in sorted(folder.glob("witness-*.vkey"))]
    usual = {
        "witnesses": tuple(map(parse_vkey, vkeys)),
        "lists": ((folder / "list.jws").read_bytes(),),
        "signers": Signers(required=2, keys=keys),
        "authorities": load_certificates(folder / "tsa-roots.pem"),
    }
    return Anchors(**{**usual, **changes})


@pytest.mark.parametrize("file", SAMPLES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_a_kept_sample_verifies(file):
    data = file.read_bytes()
    assert hashlib.sha256(data).hexdigest() == KEPT[f"{file.parent.name}/{file.stem}"]
    verified = verify_evidence(data, anchors(file.parent))
    verdicts = [each.verdict for each in verified.findings]
    assert verified.holds, verified.findings
    assert verdicts.count(Verdict.ABSENT) == ABSENT[file.stem], verified.findings
    assert verdicts.count(Verdict.PROVED) >= 12


@pytest.mark.parametrize(("quorum", "holds"), [(1, True), (2, True), (3, False)])
def test_a_kept_sample_with_cosignatures(quorum, holds):
    folder = FOLDER / "v1"
    assert verify_evidence((folder / "witnessed.asice").read_bytes(), anchors(folder, quorum=quorum)).holds is holds
    assert not verify_evidence((folder / "exchange.asice").read_bytes(), anchors(folder, quorum=quorum)).holds


def test_what_is_concluded_of_the_erased_sample():
    folder = FOLDER / "v1"
    concluded = conclude(verify_evidence((folder / "erased.asice").read_bytes(), anchors(folder)))
    assert [each.en.partition(" at ")[0] for each in concluded.proved] == ["request:", "answer:"]
    assert [each.vi.partition(":")[0] for each in concluded.proved] == ["request", "answer"]
    assert "request: what 6 of 6 private fields said" in concluded.left_open[0].en
    assert "request: nội dung của 6/6 trường riêng tư" in concluded.left_open[0].vi


def test_every_version_has_samples():
    assert {f"{file.parent.name}/{file.stem}" for file in SAMPLES} == set(KEPT)
    assert {file.parent.name for file in SAMPLES} == {f"v{version}" for version in range(1, VERSION + 1)}


def test_the_script_still_makes_what_verifies(tmp_path):
    made = bench(tmp_path)
    for name, container in samples(made).items():
        assert verify_evidence(container, made.anchors()).holds, name


def test_a_sample_is_of_its_own_keys_alone():
    """The keys of the shared test PKI are none of theirs."""
    from tests.support.evidence import usual  # noqa: PLC0415 - it makes a PKI, and only this test needs it

    made, _, container = usual()
    assert not verify_evidence(container, anchors(FOLDER / "v1")).holds
    assert not verify_evidence(SAMPLES[0].read_bytes(), made.anchors()).holds
