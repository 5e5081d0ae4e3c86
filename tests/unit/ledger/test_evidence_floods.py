"""Small containers that would like to become large: memory and time of a verifier are bounded, whatever it is given."""

import base64
import hashlib
import json
import subprocess
import sys
import time

import pytest
from cryptography.hazmat.primitives.hashes import SHA256

from gateway.keys.issue import DevelopmentAuthority, new_key
from gateway.ledger import evidence_revocation
from gateway.ledger.evidence import media_type
from gateway.ledger.evidence_decision import grant_in
from gateway.ledger.evidence_findings import Verdict
from gateway.ledger.evidence_pack import Signed, pack
from gateway.ledger.evidence_verify import verify_evidence
from gateway.model.instant import Instant
from gateway.signing.algorithms import keyid_of
from gateway.signing.asice import SIGNATURES, read_container, write_container
from gateway.signing.xades import Archive, SignedFile, sign_files, write_signatures
from gateway.signing.xades_read import read_signatures
from tests.support.evidence import usual
from tests.support.evidence_attested import authority_of

MADE, MATERIAL, CONTAINER = usual()
FILES = read_container(CONTAINER)
CONTENT = {path: content for path, content in FILES.items() if not path.startswith("META-INF")}
LIST = next(path for path in CONTENT if path.endswith(".jws"))
SIGNER = f"certificates/{keyid_of(MATERIAL.signer)}.pem"
MIB = 1 << 20
_LIMIT = 800
"""MiB of address space, for what unpacks to 100 MiB."""
_CHILD = f"""
import resource, sys
from pathlib import Path
from gateway.ledger.evidence_trust import Anchors
from gateway.ledger.evidence_verify import verify_evidence
resource.setrlimit(resource.RLIMIT_AS, ({_LIMIT} << 20, {_LIMIT} << 20))
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
for file in sys.argv[2:]:
    found = verify_evidence(Path(file).read_bytes(), Anchors(lists=(Path(sys.argv[1]).read_bytes(),)))
    print(file, found.holds, [each.detail for each in found.findings if each.verdict == "failed"][:1])
"""


def signed(files):
    """Under a right signature of a listed gateway: a dishonest one."""
    listed = [SignedFile(path, media_type(path), hashlib.sha256(content).digest()) for path, content in files.items()]
    return pack(Signed(files, sign_files(listed, key=MADE.gateway, now=MATERIAL.made), Archive()))


def failed(data):
    """What failed; something must, and quickly."""
    start = time.monotonic()
    verified = verify_evidence(data, MADE.anchors())
    assert time.monotonic() - start < 10
    wrong = [each.detail for each in verified.findings if each.verdict is Verdict.FAILED]
    assert wrong
    return wrong


def _index(**changes):
    return json.dumps(json.loads(CONTENT["evidence.json"]) | changes).encode()


def _list_of(payload):
    text = base64.urlsafe_b64encode(payload).rstrip(b"=").decode()
    return json.dumps(json.loads(CONTENT[LIST]) | {"payload": text}).encode()


def _floods():
    yield "zeros", {"zeros.bin": bytes(100 * MIB)}
    yield "names", {"evidence.json": _index(trust=["x"]).replace(b'["x"]', b"[" + b'"",' * (14 * MIB) + b'"x"]')}
    yield "members", {LIST: _list_of(b'{"serial":1,"members":[' + b'{"id":"a/b/c","name":"d"},' * (2 * MIB) + b"{}]}")}
    yield "certificates", {SIGNER: CONTENT[SIGNER] * (50 * MIB // len(CONTENT[SIGNER]))}


def test_memory_is_bounded(tmp_path):
    files = [tmp_path / "list.jws"]
    files[0].write_bytes(MADE.list)
    for name, changes in _floods():
        data = signed({**CONTENT, **changes})
        assert len(data) < 2 * MIB
        files.append(tmp_path / name)
        files[-1].write_bytes(data)
    ran = subprocess.run(
        [sys.executable, "-c", _CHILD, *files], capture_output=True, text=True, timeout=100, check=False
    )
    assert ran.returncode == 0, ran.stderr[-500:]
    lines = ran.stdout.splitlines()
    assert [" False [" in line for line in lines] == [True] * 4, lines
    assert "zeros.bin: unknown" in lines[0]
    assert [f"over {most} bytes" in line for line, most in zip(lines[1:], (MIB, 32 * MIB, 65536), strict=True)] == [
        True
    ] * 3


@pytest.mark.parametrize(
    "changes",
    [
        {"evidence.json": CONTENT["evidence.json"] + b" " * MIB},
        {"evidence.json": _index(trust=[LIST] * 16)},
        {"evidence.json": _index(documents=json.loads(CONTENT["evidence.json"])["documents"] * 2)},
        {"evidence.json": _index(records=json.loads(CONTENT["evidence.json"])["records"] * 4)},
        {"evidence.json": _index(build="x" * MIB)},
        {SIGNER: CONTENT[SIGNER] * 100},
        {SIGNER: b"-----BEGIN CERTIFICATE-----\n" * 1000},
        {"records/request.tlog-proof": CONTENT["records/request.tlog-proof"] + b"\n" * (5 * MIB)},
    ],
)
def test_what_would_grow_is_refused(changes):
    failed(signed({**CONTENT, **changes}))


LINES = {
    "one dotted key": b"a" + b".a" * 500_000 + b" = 1\n",
    "one table's name": b"[a" + b".a" * 500_000 + b"]\n",
    "a quoted one": b'a."b"' * 100_000 + b" = 1\n",
    "inside an inline table": b"a = {b" + b".b" * 500_000 + b" = 1}\n",
    "nested arrays": b"a = " + b"[" * 500_000 + b"\n",
    "nested tables": b"a = " + b"{a=" * 100_000 + b"\n",
    "many arrays of tables": b"[[grant]]\n" * 50_000,
}


@pytest.mark.parametrize("content", LINES.values(), ids=LINES)
def test_a_policy_that_is_read_slowly(content):
    """TOML's dotted keys cost the square of their length; a policy comes with the container."""
    start = time.monotonic()
    policy = b"grants.toml\n%d\n" % len(content) + content
    assert grant_in(policy, "portal-birth") is None
    assert time.monotonic() - start < 5


def test_a_signature_file_of_very_many_elements():
    many = b"<a/>" * 300_000
    for signatures in (FILES[SIGNATURES].replace(b"<ds:Object>", b"<ds:Object>" + many), b"<r>" + many + b"</r>"):
        found = failed(write_container(CONTENT, signatures, {path: media_type(path) for path in CONTENT}))
        assert found[0].startswith("the signature file: at most 200000 tags")
    read = read_signatures(FILES[SIGNATURES])
    assert read.files


def test_very_many_revocation_lists_beside_the_signature(monkeypatch):
    """They are not signed, so anybody may add some; each in the CA's name costs the verification of a signature."""
    read = read_signatures(FILES[SIGNATURES])
    authority = authority_of(MADE.pki)
    other = DevelopmentAuthority(authority.certificate, new_key())
    more = tuple(
        other.crl({}, this_update=Instant(0), next_update=MADE.now, number=number) for number in range(1, 1001)
    )
    archive = Archive(read.archive.certificates, (*read.archive.crls, *more))
    signatures = write_signatures(read.draft, token=read.token, archive=archive)
    data = write_container(CONTENT, signatures, {path: media_type(path) for path in CONTENT})
    asked = []
    judge = evidence_revocation._is_by
    monkeypatch.setattr(evidence_revocation, "_is_by", lambda crl, issuer: asked.append(crl) or judge(crl, issuer))
    start = time.monotonic()
    verified = verify_evidence(data, MADE.anchors())
    assert verified.holds  # what was there before is judged first
    assert time.monotonic() - start < 10
    assert 200 < len({crl.fingerprint(SHA256()) for crl in asked}) <= 256
