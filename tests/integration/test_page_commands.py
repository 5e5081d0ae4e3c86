"""docs/xroad.md and docs/soap.md: their commands are run, in order, and say what the pages say that they say."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.support.curl import install
from tests.support.source import ROOT
from tests.support.world import RunningWorld

COMMANDS = {"xroad.md": 8, "soap.md": 4}


def blocks(page: str) -> list[str]:
    """The shell blocks of a page; the first one sets variables for the others."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return re.findall(r"^```sh\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


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


STEPS = [(page, *step) for page in COMMANDS for block in blocks(page)[1:] for step in commands(block)]


def test_there_are_commands():
    assert {page: sum(each == page for each, _, _ in STEPS) for page in COMMANDS} == COMMANDS
    assert all(expected for _, _, expected in STEPS)


@pytest.mark.parametrize(("page", "command", "expected"), STEPS)
def test_each_command_says_what_the_page_says(
    demo: RunningWorld, tmp_path: Path, page: str, command: str, expected: list[str]
):
    contract = demo.contract
    variables = {
        "GATEWAY": contract["gateway"],
        "PERSON": contract["people"][0],
        "DEMO": str(demo.world.files.folder),
        "PATH": f"/usr/local/bin:/usr/bin:/bin:{install(tmp_path)}",  # where there is a curl, it is used
    }
    ran = subprocess.run(
        ["bash", "-euc", blocks(page)[0] + command],
        cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (0, "")
    for text in expected:
        assert text in ran.stdout
