"""A program that fails says where, never what it had in hand; and what it leaves on disk is its owner's alone."""

import logging
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.model.storage import JournalUnavailableError
from tests.support.attacks import World, world

NUMBER = "031190001234"


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[World]:
    before = os.umask(0o022)
    try:
        with world(tmp_path) as made:
            yield made
    finally:
        os.umask(before)


def test_text_of_an_unforeseen_exception_reaches_no_log(
    gate: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    async def fail(*_: Any) -> None:
        raise ValueError(f"no element of {NUMBER}")

    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(gate.gateway.pipeline, "exchange", fail)
    response = gate.send(gate.message())
    assert (response.status, response.code) == (500, "server.clientproxy.internal_error")
    printed = capfd.readouterr()
    written = caplog.text + printed.out + printed.err
    assert NUMBER not in written + repr(response)
    assert "ValueError" in written  # but the operator knows that something is wrong, and where
    assert gate.counted("client.bad_header") == 0


def test_files_of_the_log_are_their_owners_alone(gate: World) -> None:
    gate.accepts(gate.message())
    files = [path for path in gate.site.folder.iterdir() if path.name.startswith("motlan.sqlite")]
    assert len(files) >= 3
    assert {path.name: stat.S_IMODE(path.stat().st_mode) & 0o077 for path in files} == dict.fromkeys(
        [path.name for path in files], 0
    )


def test_counted_refusals_outlive_a_journal_that_fails(gate: World, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "client.signature_missing"
    unsigned = gate.message().having(signature=None, signature_input=None)
    for _ in range(3):
        assert gate.send(unsigned).code == code
    recorder, rows = gate.gateway.core.recorder, gate.rows()
    real = recorder.commit

    async def fail(*_: Any, **__: Any) -> None:
        raise JournalUnavailableError("full")

    monkeypatch.setattr(type(recorder), "commit", fail)
    with pytest.raises(JournalUnavailableError):
        gate.run(gate.gateway.chores.flush_tally())
    monkeypatch.setattr(type(recorder), "commit", lambda _, *given, **more: real(*given, **more))
    assert gate.send(unsigned).code == code
    assert gate.counted(code) == 4
    gate.run(gate.gateway.chores.flush_tally())
    assert gate.counted(code) == 0
    assert gate.rows() == rows + 1


def test_idempotency_keys_stand_nowhere_in_clear(gate: World) -> None:
    """A caller may make them of a dossier's or a person's number."""
    message = gate.message(fields={"Idempotency-Key": f"birth-{NUMBER}"})
    gate.accepts(message)
    again = gate.send(gate.message(fields={"Idempotency-Key": f"birth-{NUMBER}"}))
    assert again.status == 200
    assert gate.forwarded == 1
    for path in gate.site.folder.glob("motlan.sqlite*"):
        assert NUMBER.encode() not in path.read_bytes(), path.name
