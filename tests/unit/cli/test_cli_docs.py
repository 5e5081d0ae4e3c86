"""docs/cli.md is what the verbs say of themselves, and each says enough."""

import re
import subprocess
import sys

import pytest

from tests.support.cli import refused
from tests.support.source import ROOT

PAGE = (ROOT / "docs/cli.md").read_text(encoding="utf-8")
HELP = dict(re.findall(r"^## (motlan[^\n]*)\n\n```text\n(.*?)```", PAGE, re.MULTILINE | re.DOTALL))
PRINTS_DATA = (
    "check",
    "call",
    "member list",
    "cert show",
    "trust show",
    "policy explain",
    "log search",
    "log show",
    "log verify",
)


def test_the_page_is_what_the_verbs_say() -> None:
    made = subprocess.run([sys.executable, "docs/make_cli.py", "--print"], cwd=ROOT, check=True, capture_output=True)
    assert made.stdout.decode() == PAGE, "run docs/make_cli.py"


@pytest.mark.parametrize("name", HELP)
def test_every_verb_has_an_example(name: str) -> None:
    assert re.search(r"Example:\s+motlan ", HELP[name])
    assert len(HELP[name].splitlines()) > 5


@pytest.mark.parametrize("name", PRINTS_DATA)
def test_what_prints_data_prints_json_too(name: str) -> None:
    assert "--json" in HELP[f"motlan {name}"]


@pytest.mark.parametrize("name", [name for name in HELP if f"\n## {name} " not in PAGE])
def test_examples_name_options_that_exist(name: str) -> None:
    usage, _, example = HELP[name].partition("Example:")
    own = [each for each in re.split(r"(?=motlan )", example) if each.startswith(name)]
    assert own
    assert {option for option in re.findall(r"--[a-z-]+", "".join(own)) if option not in usage} == set()


def test_an_unknown_verb() -> None:
    assert "No such command" in refused("nothing", code=2)
