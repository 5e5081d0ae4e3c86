"""``motlan demo`` as its users meet it, and demo.json as outside programs read it."""

import itertools
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest
import requests
from lxml import etree

from gateway import client as motlan
from gateway.cli.prefill import prove_bundle
from gateway.client import Call
from gateway.model.envelope import Purpose
from gateway.model.ids import parse_service
from gateway.storage.kept_file import AtomicFile
from tests.support.source import ROOT
from tests.support.world import RunningWorld

VARIES = r"\d+(\.\d+)? m?s\b|\d+ (records|rows|receipts)|(entry|row) \d+|\(\d{1,2}\)|ht\.to-mo\.\w+|record …\w+"
"""Durations, counts of what a second run has more of, names made anew by each run."""
LANGUAGES = {
    "vi": ("Người dân không phải khai lại", "Bảo hiểm"),
    "en": ("The citizen did not have to type", "Insurance"),
}


def _motlan(*arguments: str, folder: Path = ROOT, seconds: float = 60, **options) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "gateway.cli", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=seconds, check=False, **options)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """The demo twice in one folder, in either language."""
    folder = tmp_path_factory.mktemp("demo")
    runs = {}
    for language in LANGUAGES:
        began = time.monotonic()
        ran = _motlan("--lang", language, "demo", "--dir", str(folder))
        runs[language] = (ran, time.monotonic() - began, (folder / "story.html").read_text(encoding="utf-8"))
    return {"folder": folder, **runs}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_story_turns_out_as_told(told, language):
    ran, took, _ = told[language]
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert took < 20
    assert len(ran.stdout.splitlines()) <= 60
    assert ran.stderr == ""
    assert ran.stdout.count("✓") >= 17
    assert "✗" not in ran.stdout
    assert LANGUAGES[language][0] in ran.stdout
    assert "motlan demo --serve" in ran.stdout.splitlines()[-1]


def test_the_readme_shows_what_is_printed(told):
    def told_so(text: str) -> set[str]:
        return {re.sub(VARIES, "…", line) for line in text.splitlines() if line.startswith("  ✓")}

    shown = told_so((ROOT / "README.md").read_text(encoding="utf-8"))
    assert shown
    assert shown <= told_so(told["en"][0].stdout)


BLOCKS = re.findall(
    r"^```sh\n(.*?)^```$", (ROOT / "docs/demo.md").read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
)


@pytest.mark.parametrize("block", BLOCKS[1:])
def test_the_commands_of_the_page_say_what_it_says_that_they_say(told, block):
    """In order, with the gateway gone, on what the demo left behind."""
    expected = re.findall(r"^# (.*)$", block, re.MULTILINE)
    said = _shell(told, BLOCKS[0] + block)
    assert expected
    place = 0
    for text in expected:
        assert text in said[place:]
        place = said.index(text, place) + len(text)


def test_there_are_commands_on_the_page():
    assert len(BLOCKS) == 4


def test_the_three_commands_of_the_readme_do_what_it_says(told):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```sh\n(DEMO=.*?)^```$", readme, re.DOTALL | re.MULTILINE)
    place, *commands = re.split(r"^(?=motlan|DEMO)", block, flags=re.MULTILINE)[1:]
    assert place == "DEMO=var/demo PATH=$PWD/.venv/bin:$PATH\n"
    who, edited, evidence = commands
    assert "FOUND" in _shell(told, who)
    assert "✗" in _shell(told, edited, code=1)
    assert "✗ " not in _shell(told, evidence).split("\n", 1)[1]


def _shell(told: dict, commands: str, *, code: int = 0) -> str:
    """What they print."""
    variables = {
        "DEMO": str(told["folder"]),
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
    }
    ran = subprocess.run(
        ["bash", "-euc", commands], cwd=ROOT, env=variables, capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == code, ran.stdout + ran.stderr
    return ran.stdout


def test_a_second_run_extends_the_log_of_the_first(told):
    assert "extends the checkpoint kept from last time" in told["en"][0].stdout


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_stands_alone(told, language):
    page = told[language][2]
    root = etree.fromstring(page.encode())
    assert root.get("lang") == language
    assert LANGUAGES[language][1] in page
    assert not re.findall(r"https?://", page)
    assert not root.xpath("//*[@src or local-name()='script' or local-name()='link']")
    assert [each for each in root.xpath("//@href") if not each.startswith("#")] == []
    assert "url(" not in page
    assert "@import" not in page


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_can_be_read_by_everybody(told, language):
    root = etree.fromstring(told[language][2].encode())
    for drawing in root.xpath("//svg"):
        assert drawing.get("role") == "img"
        assert "".join(root.xpath("//title[@id=$name]/text()", name=drawing.get("aria-labelledby"))).strip()
    levels = [int(each.tag[1]) for each in root.xpath("//h1|//h2|//h3")]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert all(each.get("scope") for each in root.xpath("//th"))
    ids = root.xpath("//@id")
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_numbers_of_the_page_add_up(told, language):
    """What nobody typed came from the registers; with what was typed, and is asked, it is the whole form."""
    root = etree.fromstring(told[language][2].encode())
    saved, fields = [int(text.split()[-1]) for text in root.xpath("(//dl//dd)[1]//text()") if text.strip()]
    typed, asked = [int(text) for text in root.xpath("(//dl//dd)[position() = 2 or position() = 3]/text()")]
    assert saved == sum(map(int, root.xpath("//*[contains(@class, 'num-')]/text()")))
    assert saved + typed + asked == fields


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_number_of_a_person_is_shown(told, language):
    ran, _, page = told[language]
    numbers = json.loads((told["folder"] / "demo.json").read_bytes())["people"]
    assert len(numbers) >= 30
    assert [number for number in numbers if number in page or number in ran.stdout] == []


def test_what_is_secret_is_the_owners_alone(told):
    folder = told["folder"]
    for name in (
        "truth.jsonl", "demo.json", "story.html", "state/vault.key", "state/secrets/population", "neighbour",
        "who-looked.csv", "who-looked-edited.csv", "evidence.asice", "form.tlog-proof", "form.request.tlog-proof",
        "edited", "edited/state/vault.key", "pki/citizens", "state/witness/witness.key.pem",
    ):  # fmt: skip
        assert (folder / name).stat().st_mode & 0o077 == 0, name
    assert not (folder / "restored").exists()
    configured = "".join(path.read_text() for path in (folder / "config").rglob("*.toml"))
    assert "truth" not in configured


def test_a_busy_port_is_one_line_that_says_what_to_do(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ran = _motlan("--lang", "en", "demo", "--dir", str(tmp_path), "--port", str(port))
    assert ran.returncode == 1
    assert ran.stderr.strip().splitlines() == [
        f"Error: Port {port} cannot be used: stop what listens there, or choose another one with --port N."
    ]


def test_a_witness_that_a_killed_demo_left_behind_is_said(told):
    state = told["folder"] / "state/witness/witness.json"
    remembered = state.read_bytes()
    left = AtomicFile(state)
    try:
        ran = _motlan("--lang", "en", "demo", "--dir", str(told["folder"]))
    finally:
        left.close()
    assert ran.returncode == 1
    (line,) = ran.stderr.strip().splitlines()
    assert "another witness is using it" in line
    assert state.read_bytes() == remembered


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    kept = tmp_path / "config" / "gateway.toml"
    kept.parent.mkdir()
    kept.write_text("mine")
    ran = _motlan("--lang", "en", "demo", "--dir", str(tmp_path))
    assert ran.returncode == 1
    assert "holds something else than a demo" in ran.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["config"]
    assert kept.read_text() == "mine"


def test_served_it_stays_up_answers_and_stops_cleanly(tmp_path):
    """The lines that it prints are those that its reader types: one is answered, one refused."""
    command = [sys.executable, "-u", "-m", "gateway.cli", "demo", "--serve", "--dir", str(tmp_path / "demo")]
    served = subprocess.Popen(
        command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True
    )
    try:
        lines = []
        for line in served.stdout:
            lines.append(line.strip())
            if line.strip().startswith("curl "):
                break
        assert len(lines) <= 60
        call = next(line for line in lines if line.startswith("motlan call"))
        called = _motlan(*call.split()[1:], "--json")
        assert called.returncode == 0, called.stderr
        answer = json.loads(called.stdout)
        assert (answer["outcome"], answer["proved"]["proved"]) == ("FOUND", True)
        asked = _unsigned(json.loads((tmp_path / "demo" / "demo.json").read_bytes()))
        assert asked == (400, "client.signature_missing")
        second = _motlan("--lang", "en", "demo", "--dir", str(tmp_path / "demo"))
        assert second.returncode == 1
        assert "Another demo runs in" in second.stderr
    finally:
        served.send_signal(signal.SIGINT)
        assert served.wait(20) == 0


def _unsigned(contract: dict) -> tuple[int, str]:
    """What a plain client without our libraries gets: X-Road's own form of an error."""
    subsystem, theirs = next(iter(contract["subsystems"].items()))
    grant = theirs["grants"][0]
    answer = requests.request(
        grant["method"], contract["gateway"] + grant["path"], json=grant["body"],
        headers={"X-Road-Client": subsystem}, verify=contract["ca"], timeout=10,
    )  # fmt: skip
    return answer.status_code, answer.headers["X-Road-Error"]


# -- demo.json -----------------------------------------------------------------------------------------------------


def _client(contract: dict, subsystem: str):
    keys = contract["subsystems"][subsystem]
    return motlan.open(
        contract["gateway"], subsystem=subsystem, key=keys["key"], certificate=keys["certificate"],
        gateway_certificates=[contract["gateway_certificate"]], authorities=contract["ca"], seconds=20,
    )  # fmt: skip


def _call(grant: dict) -> Call:
    own = grant["path"] if not grant["path"].startswith("/r1/") else None
    return Call(
        service=None if own else parse_service(grant["service"]), own_path=own, method=grant["method"],
        body=grant["body"], purpose=Purpose(grant["purpose"]), officer=grant["officer"], case=grant["case"],
    )  # fmt: skip


@pytest.mark.asyncio
async def test_every_grant_is_answered(demo: RunningWorld):
    contract = demo.contract
    called = 0
    for subsystem, theirs in contract["subsystems"].items():
        async with _client(contract, subsystem) as client:
            for grant in theirs["grants"]:
                assert grant["path"] in {f"/r1/{grant['service']}", "/v1/prefill"}
                answer = await client.send(_call(grant))
                assert (answer.status, answer.outcome) == (200, "FOUND"), grant
                called += 1
    assert called >= 6


@pytest.mark.asyncio
async def test_the_denied_one_is_refused(demo: RunningWorld):
    contract = demo.contract
    denied = contract["denied"]
    assert contract["subsystems"][denied["subsystem"]]["grants"] == []
    async with _client(contract, denied["subsystem"]) as client:
        asked = Call(
            service=parse_service(denied["service"]), body={"identity_number": contract["people"][0]},
            purpose=Purpose("1.001193"), officer="cb.la", case="000.00.00.H31-1",
        )  # fmt: skip
        assert f"/r1/{denied['service']}" == denied["path"]
        answer = await client.send(asked)
    assert (answer.status, answer.error_code) == (403, "server.serverproxy.access_denied")


@pytest.mark.asyncio
async def test_everybody_named_there_exists(demo: RunningWorld):
    contract = demo.contract
    grant = next(each for each in contract["subsystems"]["VN/GOV/H26/one-stop"]["grants"])
    async with _client(contract, "VN/GOV/H26/one-stop") as client:
        for number in contract["people"]:
            answer = await client.send(_call({**grant, "body": {"identity_number": number}}))
            assert answer.outcome == "FOUND"


def test_it_names_files_that_are_there(demo: RunningWorld):
    contract = demo.contract
    files = [contract[name] for name in ("ca", "config", "trust_list", "gateway_certificate")]
    for theirs in contract["subsystems"].values():
        files += [theirs[name] for name in ("key", "certificate", "tls_key", "tls_certificate")]
    assert all(Path(file).is_absolute() and Path(file).is_file() for file in files)
    assert contract["log"]["vkey"].startswith(contract["log"]["origin"] + "+")
    assert contract["log"]["url"] == contract["gateway"] + "/log"


# -- motlan prefill ------------------------------------------------------------------------------------------------


def _prefill(contract: dict, *more: str, numbers: str = "", **options) -> "subprocess.CompletedProcess[str]":
    keys = contract["subsystems"]["VN/GOV/H24/portal"]
    return _motlan(
        "--lang", "en", "prefill", contract["gateway"], "--procedure", "1.001193", "--as", "VN/GOV/H24/portal",
        "--key", keys["key"], "--cert", keys["certificate"], "--gateway-cert", contract["gateway_certificate"],
        "--ca", contract["ca"], "--officer", f"ht.{time.monotonic_ns()}", "--case", "000.00.00.H24-1",
        *more, input=numbers, **options,
    )  # fmt: skip


def test_prefill_takes_numbers_from_standard_input_and_prints_the_form(demo: RunningWorld):
    father, mother = demo.contract["people"][:2]
    ran = _prefill(demo.contract, "--person", "mother=-", "--person", "father=-", numbers=f"{mother}\n{father}\n")
    assert ran.returncode == 0, ran.stderr
    assert "mother.full_name" in ran.stdout
    assert "Hoàng Thị Thuỳ Linh" in ran.stdout
    assert "bundle verified" in ran.stdout


def test_prefill_gives_programs_a_form_whose_bundle_proves_it(demo: RunningWorld, tmp_path):
    whom = tmp_path / "people.json"
    whom.write_text(json.dumps({"mother": {"identity_number": demo.contract["people"][1]}}))
    ran = _prefill(demo.contract, "--person", f"@{whom}", "--json")
    form = json.loads(ran.stdout)
    certificates = (Path(demo.contract["gateway_certificate"]),)
    prove_bundle(form, certificates)
    form["elements"]["mother.full_name"]["value"] = "Somebody Else"
    with pytest.raises(click.ClickException):
        prove_bundle(form, certificates)
    with pytest.raises(click.ClickException):
        prove_bundle({**form, "bundle": ""}, certificates)


def test_prefill_says_why_it_was_refused(demo: RunningWorld):
    ran = _prefill(demo.contract, "--person", "mother=12")
    assert ran.returncode == 1
    assert "client.schema_mismatch" in ran.stderr
    assert "→" in ran.stderr or "Correct" in ran.stderr
