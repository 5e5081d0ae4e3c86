"""``make`` on a machine that lacks something says what to do, in one line."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.source import ROOT


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """As much of a checkout as setting it up needs, without an environment."""
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def _make(checkout: Path, *arguments: str, **environment: str) -> list[str]:
    """The lines of complaint of a ``make`` that must fail."""
    outside = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    ran = subprocess.run(
        ["make", "setup", *arguments],
        cwd=checkout,
        env={**outside, "LC_ALL": "C", **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode != 0
    assert not ran.stdout
    return [line for line in ran.stderr.splitlines() if not line.startswith("Setting up")]


def _fake_python(folder: Path, script: str) -> Path:
    path = folder / "fake-python"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="ascii")
    path.chmod(0o755)
    return path


def test_an_old_python(checkout: Path) -> None:
    old = _fake_python(checkout, f"exec {sys.executable} -c 'import sys; sys.exit(True)'")
    (line,) = _make(checkout, f"PYTHON={old}")
    assert "Python 3.11 or newer" in line
    assert "PYTHON=" in line


def test_no_python_by_that_name(checkout: Path) -> None:
    (line,) = _make(checkout, "PYTHON=no-such-python")
    assert "no usable no-such-python" in line


def test_no_index(checkout: Path) -> None:
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/", "PIP_RETRIES": "0", "PIP_CONFIG_FILE": os.devnull}
    (line,) = _make(checkout, f"PYTHON={sys.executable}", **nowhere)
    assert "check the network" in line
    assert "PIP_INDEX_URL" in line
    assert not (checkout / ".venv" / ".locked").exists(), "the next make would believe that all is well"


def test_a_package_that_is_not_what_was_locked(checkout: Path) -> None:
    pip = "echo 'ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.'; exit 1"
    made = f'mkdir -p .venv/bin && printf "#!/bin/sh\\n{pip}\\n" > .venv/bin/python && chmod +x .venv/bin/python'
    fake = _fake_python(checkout, f'case "$*" in *venv\\ --clear*) {made};; *-V*) echo Python 3.13;; esac')
    (line,) = _make(checkout, f"PYTHON={fake}")
    assert "differs from requirements.lock" in line
