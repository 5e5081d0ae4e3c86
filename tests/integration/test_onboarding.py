"""docs/onboarding.md, walked: its commands, in its order, from an empty folder to the newcomer's first 200."""

import contextlib
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from tests.support.source import ROOT

PAGE = (ROOT / "docs/onboarding.md").read_text(encoding="utf-8")
SECONDS = 90
FLOW = ("member new", "cert request", "trust sign", "trust publish", "policy explain", "call POST")


def script() -> str:
    return "\n".join(re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))


def test_the_page_goes_the_whole_way() -> None:
    places = [script().find(step) for step in FLOW]
    assert -1 not in places
    assert places == sorted(places)


def test_its_commands_lead_to_the_first_answer(tmp_path: Path) -> None:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONUTF8": "1"}
    process = subprocess.Popen(
        ["sh", "-eu", "-c", script()],
        cwd=tmp_path,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        said, _ = process.communicate(timeout=SECONDS)
    finally:
        with contextlib.suppress(ProcessLookupError):  # all of them ended by themselves
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 0, said[-3000:] + (tmp_path / "demo.out").read_text(encoding="utf-8")[-2000:]
    refused, _, granted = said.partition("[[grant]]")
    assert "server.serverproxy.access_denied" in refused
    assert "allowed by h41-birth-citizen, released: /identity_number, /name, /birth_date" in granted
    assert "✓ 200 FOUND" in granted
    answer = granted[granted.index("✓ 200 FOUND") :]
    assert re.search(r'^  "identity_number": "\d{12}",$', answer, re.MULTILINE)
    assert "hometown" not in answer
    assert "nv.lan" in answer  # the auditor found it
