"""The threat model names the tests that show its claims: they are there."""

import re

from tests.support.source import ROOT

TEXT = (ROOT / "docs/threat-model.md").read_text(encoding="utf-8")
NAMED = re.compile(r"def (test_\w+)\(")


def test_every_test_that_is_named_exists() -> None:
    files = set(re.findall(r"`(tests/[\w/]+(?:\.py)?)`", TEXT))
    assert files
    assert not [name for name in files if not (ROOT / name).exists()]
    there = {
        name for path in (ROOT / "tests").rglob("*.py") for name in NAMED.findall(path.read_text(encoding="utf-8"))
    }
    claimed = set(re.findall(r"`(test_\w+)`", TEXT))
    assert claimed
    assert not claimed - there


def test_every_module_that_is_named_exists() -> None:
    assert not [name for name in re.findall(r"`(gateway/[\w/]+\.py)`", TEXT) if not (ROOT / name).exists()]
