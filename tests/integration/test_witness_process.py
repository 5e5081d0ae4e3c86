"""``motlan witness`` as its operator runs it: a process of its own, killed without warning."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from gateway.ledger import proofs
from gateway.ledger.checkpoint import open_checkpoint
from gateway.ledger.note import parse_vkey
from gateway.ledger.witness import AddCheckpoint
from tests.support.cli import good, refused
from tests.support.ledger import MemoryLog, noise

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def serving(folder: Path, vkey: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process, and its address."""
    command = [sys.executable, "-u", "-m", "gateway.cli", "--lang", "en", "witness", "serve"]
    command += ["--listen", "127.0.0.1:0", "--key", "w.key.pem", "--state", "w.json", "--log", vkey]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        watchdog = threading.Timer(30, process.kill)
        watchdog.start()
        try:
            line = next(line for line in process.stderr if "listening on" in line)
            yield process, line.split()[-1]
        finally:
            watchdog.cancel()
            process.kill()


def test_a_witness_that_is_killed_remembers_and_goes_on(tmp_path: Path) -> None:
    vkey = good("witness", "key", "witness.example/w1", "--out", tmp_path / "w.key.pem").out.strip()
    witness = parse_vkey(vkey)
    assert (tmp_path / "w.key.pem").stat().st_mode & 0o077 == 0
    log = MemoryLog()
    log.append([noise(number, 33) for number in range(5)])
    with serving(tmp_path, log.key.encode()) as (process, url):
        body = AddCheckpoint(0, (), log.files["checkpoint"]).encode()
        answer = requests.post(f"{url}/add-checkpoint", data=body, timeout=10)
        assert answer.status_code == 200
        process.send_signal(signal.SIGKILL)
        process.wait()
    signed = open_checkpoint(log.files["checkpoint"] + answer.content, log.key, witnesses=(witness,))
    assert [each.key for each in signed.cosignatures] == [witness]
    log.append([noise(number, 33) for number in range(5, 9)])
    fork = MemoryLog()
    fork.append([noise(("fork", number), 33) for number in range(9)])
    with serving(tmp_path, log.key.encode()) as (process, url):
        for old, proof, note, status in (
            (0, (), log.files["checkpoint"], 409),
            (5, (), fork.files["checkpoint"], 422),
            (5, tuple(proofs.consistency_proof(5, 9, log.read_tile)), log.files["checkpoint"], 200),
        ):
            body = AddCheckpoint(old, proof, note).encode()
            answer = requests.post(f"{url}/add-checkpoint", data=body, timeout=10)
            assert answer.status_code == status
            if status == 409:
                assert (answer.headers["Content-Type"], answer.text) == ("text/x.tlog.size", "5\n")
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--listen", "here"], "HOST:PORT"),
        (["--log", "nonsense"], "--log"),
        (["--tls-key", "w.key.pem"], "belong together"),
    ],
)
def test_what_a_witness_is_not_started_with(
    tmp_path: Path, options: list[str], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    good("witness", "key", "witness.example/w1", "--out", "w.key.pem")
    usual = {"--listen": "127.0.0.1:0", "--key": "w.key.pem", "--state": "w.json", "--log": MemoryLog().key.encode()}
    usual.update(dict(zip(options[::2], options[1::2], strict=True)))
    flat = [text for pair in usual.items() for text in pair]
    assert why in refused("witness", "serve", *flat, code=2)


def test_a_key_is_not_replaced_and_a_witnesss_key_is_no_logs(tmp_path: Path) -> None:
    vkey = good("witness", "key", "witness.example/w1", "--out", tmp_path / "w.key.pem").out.strip()
    assert "not replaced" in refused("witness", "key", "witness.example/w2", "--out", tmp_path / "w.key.pem")
    said = refused(
        "witness", "serve", "--listen", "127.0.0.1:0", "--key", tmp_path / "w.key.pem",
        "--state", tmp_path / "w.json", "--log", vkey, code=2,
    )  # fmt: skip
    assert "not a log's" in said
    shown = good("log", "key", "log.example/x", tmp_path / "log.key.pem").out.strip()
    assert good("log", "key", "log.example/x", tmp_path / "log.key.pem", "--json").values["vkey"] == shown
