"""Programs that forward, open, record or release what they must not: mypy rejects each, on the very line."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.source import ROOT

PROGRAMS = sorted((ROOT / "tests" / "architecture" / "bad").glob("*.py"))
MARK = re.compile(r"# rejected: ([a-z, -]+)$")
FOUND = re.compile(r"^(?P<file>[^:]+):(?P<line>\d+): error: .*\[(?P<code>[a-z-]+)\]$", re.MULTILINE)

Rejections = set[tuple[int, str]]


def _expected(program: Path) -> Rejections:
    lines = enumerate(program.read_text(encoding="utf-8").splitlines(), 1)
    marked = ((number, MARK.search(line)) for number, line in lines)
    return {(number, code.strip()) for number, mark in marked if mark for code in mark[1].split(",")}


@pytest.fixture(scope="module")
def rejected() -> dict[str, Rejections]:
    """What mypy says of all of them, in one run: file name → (line, error code)."""
    names = [str(program.relative_to(ROOT)) for program in PROGRAMS]
    options = ["--no-error-summary", "--hide-error-context", "--no-color-output", "--no-pretty"]
    command = [sys.executable, "-m", "mypy", *options, *names]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert not ran.stderr, ran.stderr
    said: dict[str, Rejections] = {program.name: set() for program in PROGRAMS}
    for found in FOUND.finditer(ran.stdout):
        assert Path(found["file"]).name in said, f"an error outside the programs: {found[0]}"
        said[Path(found["file"]).name].add((int(found["line"]), found["code"]))
    return said


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.stem)
def test_only_the_marked_lines_are_rejected(program: Path, rejected: dict[str, Rejections]) -> None:
    assert rejected[program.name] == _expected(program)


def test_every_program_but_the_right_one_is_wrong() -> None:
    assert [program.stem for program in PROGRAMS if not _expected(program)] == ["right_way"]
    assert len(PROGRAMS) > 5
