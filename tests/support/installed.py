"""The product as others install it: from its wheel, in an environment of its own, away from the checkout, offline."""

import os
import re
import subprocess
import sys
import tomllib
import venv
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement

from tests.support.source import ROOT


def build_wheel(folder: Path) -> Path:
    """Build the wheel of this checkout."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def install(wheel: Path, folder: Path, *extras: str) -> Path:
    """Make an environment with the wheel and what it requires, linked from the one that runs the tests.

    Gives its ``bin``. Nothing else of the running environment can be seen in it, least of all the checkout.
    """
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    (packages,) = folder.glob("lib/python*/site-packages")
    for name in sorted(_required(*extras)):
        _link(name, packages)
    options = ["--no-deps", "--no-index", "--quiet", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", *options, str(wheel)]
    subprocess.run(command, check=True, capture_output=True)
    return python.parent


def run(command: list[str], folder: Path, *, seconds: float = 60) -> "subprocess.CompletedProcess[str]":
    """Run a command in a folder, with an environment that knows nothing of the checkout."""
    keep = {name: os.environ[name] for name in ("PATH", "LANG", "SSL_CERT_FILE") if name in os.environ}
    environment = {**keep, "HOME": str(folder), "PYTHONUTF8": "1"}
    return subprocess.run(
        command, cwd=folder, env=environment, timeout=seconds, check=False, capture_output=True, text=True
    )


def _required(*extras: str) -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = list(project["dependencies"])
    for extra in extras:
        wanted += project["optional-dependencies"][extra]
    found: set[str] = set()
    waiting = [Requirement(text) for text in wanted]
    while waiting:
        requirement = waiting.pop()
        name = re.sub(r"[-_.]+", "-", requirement.name).lower()
        if name in found:
            continue
        found.add(name)
        needed = [Requirement(text) for text in distribution(name).requires or []]
        waiting += [each for each in needed if _applies(each, requirement.extras)]
    return found


def _applies(requirement: Requirement, extras: set[str]) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in (*extras, ""))


def _link(name: str, packages: Path) -> None:
    installed = distribution(name)
    tops = {file.parts[0] for file in installed.files or [] if file.parts[0] not in {"..", "__pycache__"}}
    for top in tops:
        target = packages / top
        if not target.exists():
            target.symlink_to(Path(str(installed.locate_file(top))))
