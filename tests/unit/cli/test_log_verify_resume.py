"""``motlan log verify --resume``: it goes on where it was stopped, forgets no finding, and notices a log that went back."""

import contextlib
import json
import sqlite3

import pytest

from gateway.cli import log_verify_stored
from gateway.cli.log_verify_state import Keeper
from gateway.ledger import verify as verifying
from tests.support.cli import auditor, fill, good, refused, run
from tests.support.gateways import make_site
from tests.support.ledger import MemoryLog, built, noise
from tests.support.storage import copied


@pytest.fixture
def log():
    made = MemoryLog()
    made.append([b"\x01" + noise(number, 32) for number in range(70_000)])
    return made


@pytest.fixture
def folder(log, tmp_path):
    """A copy of the log, as ``motlan log mirror`` keeps it."""
    for path, data in log.files.items():
        (tmp_path / "copy" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "copy" / path).write_bytes(data)
    return tmp_path / "copy"


def over(folder, log, kept):
    return ["log", "verify", "--dir", folder, "--vkey", log.key.encode(), "--resume", kept, "--json"]


class Counting:
    """Which files are read."""

    def __init__(self, monkeypatch, stop_at=None):
        self.read = []
        real = verifying.run

        def counting(steps, fetch):
            def seen(path):
                self.read.append(path)
                if path == stop_at:
                    raise KeyboardInterrupt
                return fetch(path)

            return real(steps, seen)

        monkeypatch.setattr(log_verify_stored, "run", counting)


def test_what_was_verified_is_not_read_again(folder, log, tmp_path, monkeypatch):
    kept = tmp_path / "verified.json"
    assert good(*over(folder, log, kept)).values["size"] == 70_000
    counting = Counting(monkeypatch)
    assert good(*over(folder, log, kept)).values["valid"] is True
    assert len([path for path in counting.read if "entries" in path]) <= 1


def test_it_goes_on_where_it_was_stopped(folder, log, tmp_path, monkeypatch):
    kept = tmp_path / "verified.json"
    stopped = Counting(monkeypatch, stop_at="tile/entries/200")
    run(*over(folder, log, kept))
    first = {path for path in stopped.read if "entries" in path}
    assert json.loads(kept.read_bytes())["entries"] == 192 * 256
    rest = Counting(monkeypatch)
    assert good(*over(folder, log, kept)).values["valid"] is True
    second = {path for path in rest.read if "entries" in path}
    assert len(first) < 202
    assert len(second) < 100
    assert len(first | second) == 274


def test_what_was_found_before_it_stopped_is_still_said(folder, log, tmp_path, monkeypatch):
    kept = tmp_path / "verified.json"
    bundle = folder / "tile/entries/003"
    data = bytearray(bundle.read_bytes())
    data[40] ^= 1
    bundle.write_bytes(bytes(data))
    with monkeypatch.context() as patched:
        Counting(patched, stop_at="tile/entries/200")
        run(*over(folder, log, kept))
    found = run(*over(folder, log, kept))
    assert found.code == 1
    assert found.values["faults"] == ["tile/entries/003: entry 769 is not the one logged"]


def test_a_log_that_does_not_extend_what_was_verified_is_named(folder, log, tmp_path):
    kept = tmp_path / "verified.json"
    good(*over(folder, log, kept))
    other = MemoryLog()
    other.append([built(number).entry for number in range(300)])
    for path, data in other.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    assert "the log has shrunk to 300 entries since" in refused(*over(folder, log, kept))


def test_a_file_that_is_something_else_is_refused(folder, log, tmp_path):
    kept = tmp_path / "verified.json"
    kept.write_text("{")
    assert "is not what an earlier verification left" in refused(*over(folder, log, kept))


def test_it_is_written_whole_and_only_where_asked(tmp_path):
    Keeper(None).write()
    keeper = Keeper(tmp_path / "kept.json")
    keeper.reached.entries = 7
    keeper.write()
    assert Keeper(tmp_path / "kept.json").reached.entries == 7
    assert [file.name for file in tmp_path.iterdir()] == ["kept.json"]


# -- a gateway's records ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    site = make_site(tmp_path_factory.mktemp("site"), "http://127.0.0.1:9")
    fill(site)
    return site


@pytest.fixture
def database(filled, monkeypatch, tmp_path):
    copy = copied(filled.folder / "motlan.sqlite", tmp_path / "copy.sqlite")
    monkeypatch.setenv("MOTLAN_LEDGER_DATABASE", str(copy))
    return copy


def edit(database, statement):
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(statement)


def stored(site, *more):
    return ["log", "verify", "--config", site.config, "--auditor-key", auditor(site)[3], "--json", *more]


def test_records_that_were_verified_are_not_read_again(filled, database, tmp_path):
    kept = tmp_path / "verified.json"
    first = good(*stored(filled, "--resume", kept)).values
    assert first["records"] == first["size"]
    assert good(*stored(filled, "--resume", kept)).values["records"] == 0


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("UPDATE epoch SET sealed = sealed || 'x'", "table epoch"),
        ("DELETE FROM ending", "table ending does not lead to it"),
        ("UPDATE document SET note = 'x'", "table document"),
        ("DELETE FROM tile", "tile/0/000"),
        ("DROP INDEX document_kind", "database: the description of document_kind"),
    ],
)
def test_what_is_damaged_beside_the_records_is_named(filled, database, statement, fault):
    good(*stored(filled))
    edit(database, statement)
    found = run("log", "verify", "--config", filled.config, "--json")
    assert found.code == 1
    assert any(fault in each for each in found.values["faults"]), found.values["faults"]
