"""docs/soap.md: its commands are run, in order, and say what the page says that they say."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.support.curl import install
from tests.support.source import ROOT
from tests.support.world import RunningWorld

PAGE = (ROOT / "docs" / "soap.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def commands(block: str) -> list[tuple[str, list[str]]]:
    """Commands, each with what its output must hold: the comments behind it."""
    found: list[tuple[str, list[str]]] = [("", [])]
    for line in block.splitlines():
        if line.startswith("# "):
            found[-1][1].append(line[2:])
        elif found[-1][1]:
            found.append((line + "\n", []))
        else:
            found[-1] = (found[-1][0] + line + "\n", [])
    return found


STEPS = [step for block in BLOCKS[1:] for step in commands(block)]


def test_there_are_commands():
    assert len(STEPS) == 4
    assert all(expected for _, expected in STEPS)


@pytest.mark.parametrize(("command", "expected"), STEPS)
def test_each_command_says_what_the_page_says(demo: RunningWorld, tmp_path: Path, command: str, expected: list[str]):
    variables = {
        "GATEWAY": demo.contract["gateway"],
        "PERSON": demo.contract["people"][0],
        "DEMO": str(demo.world.files.folder),
        "PATH": f"/usr/local/bin:/usr/bin:/bin:{install(tmp_path)}",  # where there is a curl, it is used
    }
    ran = subprocess.run(
        ["bash", "-euc", BLOCKS[0] + command],
        cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (0, "")
    for text in expected:
        assert text in ran.stdout
