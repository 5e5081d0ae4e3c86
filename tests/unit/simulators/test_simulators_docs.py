"""What docs/simulators.md says is so."""

import re
from pathlib import Path

from adapters.simulators.misbehave import Mode
from adapters.simulators.quirks import PERSONAL, QUIRKS

PAGE = (Path(__file__).parents[3] / "docs" / "simulators.md").read_text("utf-8")


def test_its_example_runs():
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(example, "docs/simulators.md", "exec"), {})


def test_it_names_every_mode_and_every_quirk_that_is_not_a_records():
    assert [mode for mode in Mode if f"`{mode}`" not in PAGE] == []
    table = PAGE[PAGE.index("## The quirks") :]
    assert [quirk for quirk in QUIRKS if quirk not in PERSONAL and quirk not in table] == []
