"""The wheel works where people install it: outside the checkout, with only what it says it requires."""

import json
from pathlib import Path

import pytest

from tests.support.installed import build_wheel, install, run
from tests.support.source import ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def client(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``pip install motlan``: the client and the verifier."""
    return install(wheel, tmp_path_factory.mktemp("client") / "venv")


@pytest.fixture(scope="module")
def gateway(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``pip install motlan[gateway]``: all of it."""
    return install(wheel, tmp_path_factory.mktemp("gateway") / "venv", "gateway")


def test_the_client_is_importable_without_the_server(client: Path, tmp_path: Path) -> None:
    program = (
        "import gateway.client, gateway.ledger, sys; print(gateway.client.__file__); assert 'apsw' not in sys.modules"
    )
    ran = run([str(client / "python"), "-c", program], tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert str(client.parent) in ran.stdout
    assert str(ROOT) not in ran.stdout


CLIENTS = (
    *("", "call", "prefill", "sidecar", "log verify", "log prove", "log mirror", "evidence verify"),
    *("member new", "cert request", "trust sign", "trust publish"),
)
SERVERS = ("demo", "serve", "check", "signature debug", "policy explain", "adapter new", "adapter test")
"""Verbs that the client alone has, and those of the gateway."""


@pytest.mark.parametrize("verb", CLIENTS)
def test_the_clients_commands_explain_themselves(client: Path, tmp_path: Path, verb: str) -> None:
    ran = run([str(client / "motlan"), *verb.split(), "--help"], tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert "motlan" in ran.stdout


INSIDE = ("log receipt 01a2016c-2478-7588-bb31-1885b3452b05 --config gateway.toml --out r", "witness key w --out w.pem")
"""Of verbs that the client has, what only a gateway can do."""


@pytest.mark.parametrize("verb", [*(f"{verb} --help" for verb in SERVERS), *INSIDE])
def test_the_gateways_commands_say_what_to_install(client: Path, tmp_path: Path, verb: str) -> None:
    (tmp_path / "gateway.toml").touch()
    ran = run([str(client / "motlan"), *verb.split()], tmp_path)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.count("\n") == 1
    assert "pip install 'motlan[gateway]'" in ran.stderr


def test_evidence_is_verified_with_the_client_alone(client: Path, tmp_path: Path) -> None:
    kept = ROOT / "tests" / "evidence_samples" / "v1"
    command = [client / "motlan", "--lang", "en", "evidence", "verify", kept / "soap.asice"]
    trust = ["--trust", kept / "list.jws", "--tsa-ca", kept / "tsa-roots.pem"]
    ran = run([*map(str, [*command, *trust])], tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "all that the container claims holds" in ran.stdout


def test_the_plugin_for_zeep_is_the_clients(client: Path, tmp_path: Path) -> None:
    program = "import sys, gateway.client.zeep_wsse as it; it.xroad_headers; assert 'zeep' not in sys.modules"
    ran = run([str(client / "python"), "-c", program], tmp_path)
    assert ran.returncode == 0, ran.stderr


def test_schemas_and_configuration_travel_in_the_wheel(client: Path, tmp_path: Path) -> None:
    program = (
        "from importlib.resources import files; import json;"
        "data = files('gateway') / '_data';"
        "print(json.dumps(sorted(each.name for each in data.iterdir())))"
    )
    ran = run([str(client / "python"), "-c", program], tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert {"config", "schemas"} <= set(json.loads(ran.stdout))


def test_the_demo_plays_outside_the_checkout(gateway: Path, tmp_path: Path) -> None:
    ran = run([str(gateway / "motlan"), "demo", "--dir", str(tmp_path / "demo")], tmp_path, seconds=120)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert (tmp_path / "demo" / "story.html").exists()
    assert len(ran.stdout.splitlines()) <= 60
