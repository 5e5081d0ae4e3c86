"""Every quirk that the field has shown has a test named after it."""

import re

import pytest

from adapters.simulators.quirks import QUIRKS
from tests.support.source import ROOT


def test_all_seventeen_are_listed() -> None:
    assert list(QUIRKS) == [f"Q{number:02}" for number in range(1, 18)]


@pytest.fixture(scope="module")
def tested() -> set[str]:
    tests = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    return {f"Q{number}" for number in re.findall(r"(?m)^(?:async )?def test_q(\d\d)_", tests)}


@pytest.mark.parametrize("quirk", QUIRKS)
def test_every_quirk_has_a_test(quirk: str, tested: set[str]) -> None:
    assert quirk in tested, f"no test is named test_{quirk.lower()}_…: {QUIRKS[quirk]}"
