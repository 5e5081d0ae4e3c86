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


@pytest.mark.parametrize("verb", [[], ["call"]])
def test_the_client_command_explains_itself(client: Path, tmp_path: Path, verb: list[str]) -> None:
    ran = run([str(client / "motlan"), *verb, "--help"], tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert "motlan" in ran.stdout


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
