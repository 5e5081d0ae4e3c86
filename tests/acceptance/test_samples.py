"""docs/samples: each sample whose runtime is here makes signed calls, and believes no answer that was tampered with."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.signed_server import CONTENT, LIES, SignedServer

pytestmark = pytest.mark.acceptance

FOLDER = Path(__file__).parents[2] / "docs/samples"
COMMANDS = {
    "sample.sh": ("sh", "curl", "openssl"),
    "Sample.java": ("java",),
    "sample.mjs": ("node",),
    "sample.py": (sys.executable,),
    "sample_jws.py": (sys.executable,),
    "sample.php": ("php",),
}
PRESENT = [name for name, programs in COMMANDS.items() if all(map(shutil.which, programs))]
PATH = "/r1/VN/GOV/G01/population/citizen/a%2Fb?kind=%20x&page=1"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = SignedServer(tmp_path_factory.mktemp("pki"))
    yield server
    server.close()


@pytest.fixture
def body(tmp_path):
    file = tmp_path / "body.json"
    file.write_bytes('{"full_name":"Nguyễn Văn An"}\n'.encode())
    return file


def _run(server, sample, *, lie="", body=None, key=None, purpose="1.001193", **environment):
    server.lie = lie
    command = [
        shutil.which(COMMANDS[sample][0]), str(FOLDER / sample), server.url.origin, str(server.ca.certificate_file),
        "VN/GOV/H31/portal", str((key or server.caller).key_file), str((key or server.caller).certificate_file),
        str(server.gateway.certificate_file), PATH, purpose, *([str(body)] if body else []),
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, env=os.environ | environment, timeout=60, check=False)


@pytest.mark.parametrize("sample", PRESENT)
def test_get_is_signed_and_its_answer_verified(server, sample):
    ran = _run(server, sample, OFFICER="officer-17", CASE="H31-2026-000123")
    assert (ran.returncode, ran.stdout) == (0, CONTENT), ran.stderr
    head, _ = server.seen[-1]
    assert (head.method, head.target) == ("GET", PATH)
    assert head.get("motlan-purpose") == '"1.001193"'
    assert ("motlan-jws" in head.index) == ("jws" in sample)
    assert head.get("x-road-userid") == "officer-17"
    assert head.get("x-road-issue") == "H31-2026-000123"


@pytest.mark.parametrize("sample", PRESENT)
def test_post_is_signed_and_its_answer_verified(server, sample, body):
    ran = _run(server, sample, body=body, purpose='"1.001193";basis="ND-63/2024"')
    assert (ran.returncode, ran.stdout) == (0, CONTENT), ran.stderr
    head, content = server.seen[-1]
    assert (head.method, content) == ("POST", body.read_bytes())
    assert head.get("motlan-purpose") == '"1.001193";basis="ND-63/2024"'


@pytest.mark.parametrize("sample", PRESENT)
def test_error_of_the_gateway_is_verified_too(server, sample, body):
    ran = _run(server, sample, lie="error", body=body)
    assert (ran.returncode, ran.stdout) == (1, b'{"code":"denied"}'), ran.stderr


@pytest.mark.parametrize("sample", PRESENT)
def test_refused_caller_gets_a_verified_error(server, sample):
    ran = _run(server, sample, key=server.other)
    assert (ran.returncode, ran.stdout) == (1, b'{"code":"refused"}'), ran.stderr
    assert server.refused[-1].startswith("client.signature_invalid")


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("sample", PRESENT)
def test_tampered_answer_is_not_believed(server, sample, lie, body):
    ran = _run(server, sample, lie=lie, body=body)
    assert (ran.returncode, ran.stdout) == (2, b""), ran.stderr
    assert b"not verified: " in ran.stderr
    assert b"Traceback" not in ran.stderr
    assert b"Exception in" not in ran.stderr


def test_every_sample_is_in_the_readme_and_marked():
    readme = (FOLDER / "README.md").read_text()
    samples = {path.name for path in FOLDER.iterdir() if path.is_file()} - {"README.md"}
    assert samples == {*COMMANDS, "Sample.cs"}
    for name in samples:
        row = next(line for line in readme.splitlines() if line.startswith(f"| `{name}`"))
        assert ("untested" in row) == (name == "Sample.cs")
