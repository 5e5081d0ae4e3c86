"""docs/soap.md, "The sidecar": its two commands are run against the demo, and say what the page says that they say."""

import re
import subprocess
import sys
from pathlib import Path

from tests.support.curl import install
from tests.support.gateways import free_port
from tests.support.source import ROOT
from tests.support.world import RunningWorld

PAGE = (ROOT / "docs" / "soap.md").read_text(encoding="utf-8")
START, CALL = re.findall(r"^```bash\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def test_the_example_works_as_it_stands(demo: RunningWorld, tmp_path: Path) -> None:
    programs = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin:{install(tmp_path)}"
    variables = {
        "GATEWAY": demo.contract["gateway"],
        "PERSON": demo.contract["people"][4],
        "DEMO": str(demo.world.files.folder),
        "LISTEN": f"127.0.0.1:{free_port()}",
        "PATH": programs,
        "LANG": "C.UTF-8",
    }
    # The page's last command takes the shell's place, so that its end is the sidecar's.
    start = START.replace("\nmotlan ", "\nexec motlan --lang en ")
    with subprocess.Popen(
        ["bash", "-euc", start], cwd=tmp_path, env=variables, stderr=subprocess.PIPE, text=True
    ) as running:
        try:
            assert running.stderr is not None
            assert f"listening on http://{variables['LISTEN']}" in running.stderr.readline()
            ran = subprocess.run(
                ["bash", "-euc", CALL], cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=30,
                check=False,
            )  # fmt: skip
        finally:
            running.terminate()
        assert running.wait(10) == 0
    assert (ran.returncode, ran.stderr) == (0, "")
    for text in re.findall(r"^# (.*)$", CALL, re.MULTILINE):
        assert text in ran.stdout
    assert variables["PERSON"] in ran.stdout
    assert not re.search(r"Security|requestHash|x-road", ran.stdout, re.IGNORECASE)
