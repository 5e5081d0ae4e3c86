"""docs/adapters.md, walked: its commands, in its order, from a contract to a 200 and a recorded sample."""

import contextlib
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from tests.support.source import ROOT

PAGE = (ROOT / "docs/adapters.md").read_text(encoding="utf-8")
SECONDS = 120
FLOW = ("adapter new", "adapter test", "adapter install", "check --config", "call POST", "adapter record")


def script() -> str:
    return "\n".join(re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))


def test_the_page_goes_the_whole_way() -> None:
    places = [script().find(step) for step in FLOW]
    assert -1 not in places
    assert places == sorted(places)


def test_its_commands_lead_to_a_running_adapter(tmp_path: Path) -> None:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONUTF8": "1", "PYTHONPATH": str(ROOT)}
    log = tmp_path / "said.txt"
    with log.open("wb") as out:  # no pipe: what the script left running would keep it open
        process = subprocess.Popen(
            ["sh", "-eu", "-c", script()],
            cwd=tmp_path,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            process.wait(timeout=SECONDS)
        finally:
            with contextlib.suppress(ProcessLookupError):  # all of them ended by themselves
                os.killpg(process.pid, signal.SIGKILL)
    said = log.read_text(encoding="utf-8")
    assert process.returncode == 0, said[-4000:] + (tmp_path / "demo.out").read_text(encoding="utf-8")[-2000:]
    assert "✓ 20 of 20 fields are mapped" in said
    assert "did you mean whole_name?" in said
    assert "✓ ready to serve" in said
    assert "✓ 200 FOUND" in said
    answer = said[said.index("✓ 200 FOUND") :]
    asked = (tmp_path / "demo/ask.json").read_text(encoding="utf-8")
    number = re.findall(r"\d{12}", asked)[0]
    assert f'"identity_number": "{number}"' in answer
    recorded = [file.read_text(encoding="utf-8") for file in (tmp_path / "card/samples").glob("real.*")]
    assert len(recorded) == 3
    assert not any(number in text for text in recorded)
    assert re.search(r"✓ +real +FOUND +FOUND", said)
