"""``motlan log``: what an auditor finds and is shown, and that whatever was altered is named."""

import asyncio
import contextlib
import http.server
import json
import re
import sqlite3
import threading
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from gateway.cli import log_files
from gateway.cli.values import VIETNAM
from gateway.ledger.tiles import ENTRIES, TileId
from gateway.storage.sqlite.store import SqliteStore
from tests.support.cli import CASE, OFFICER, PERSONS, auditor, fill, good, refused, run
from tests.support.gateways import ECHO, OTHER, PORTAL, make_site
from tests.support.ledger import MemoryLog, built
from tests.support.storage import copied, published


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    site = make_site(tmp_path_factory.mktemp("site"), "http://127.0.0.1:9")
    return site, fill(site)


@pytest.fixture
def site(filled, monkeypatch, tmp_path):
    """The filled site, with a database of the test's own."""
    found, _ = filled
    copy = copied(found.folder / "motlan.sqlite", tmp_path / "copy.sqlite")
    monkeypatch.setenv("MOTLAN_LEDGER_DATABASE", str(copy))
    return found


@pytest.fixture
def ids(filled):
    return filled[1]


@pytest.fixture
def database(site, tmp_path):
    return tmp_path / "copy.sqlite"


def search(site, *conditions, stdin=""):
    found = good("log", "search", *auditor(site), *conditions, "--json", stdin=stdin).values["records"]
    return [each["id"] for each in found if each["record"]["kind"] != "audit"]


def private(record):
    return {field["name"]: field["value"] for field in record["private"]}


def altered(database, number, **changes):
    """Change a row of the journal, as somebody with the disk could."""
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        (packed,) = connection.execute("SELECT row FROM journal WHERE seq = ?", (number,)).fetchone()
        row = msgspec.msgpack.decode(packed)
        for place, change in changes.items():
            index = {"entry": 3, "skeleton": 4, "openings": 5}[place]
            row[index] = change(row[index])
        connection.execute("UPDATE journal SET row = ? WHERE seq = ?", (msgspec.msgpack.encode(row), number))
        return row[2]


# -- search -----------------------------------------------------------------------------------------------------------


def test_everything_newest_first(site, ids):
    assert search(site)[:5] == ids[::-1]


@pytest.mark.parametrize(
    ("conditions", "which"),
    [
        (("--officer", f"{PORTAL}:{OFFICER}"), [4, 3, 2, 1, 0]),
        (("--officer", f"{OTHER}:{OFFICER}"), []),
        (("--about-case", CASE), [4, 3, 2, 1, 0]),
        (("--kind", "answer"), [3, 1]),
        (("--outcome", "FOUND", "--client", PORTAL, "--service", ECHO), [3, 1]),
        (("--about-case", CASE, "--kind", "request", "--limit", "1"), [2]),
        (("--since", "2020-01-01", "--until", "2020-12-31"), []),
        (("--since", "2020-01-01", "--kind", "refusal"), [4]),
        (("--purpose", "9.999"), []),
    ],
)
def test_by_what_is_asked(site, ids, conditions, which):
    assert search(site, *conditions) == [ids[index] for index in which]


def test_a_day_is_in_it_to_its_end(site, ids, database):
    with contextlib.closing(sqlite3.connect(database)) as connection:
        (packed,) = connection.execute("SELECT row FROM journal WHERE seq = 5").fetchone()
    committed = datetime.fromtimestamp(msgspec.msgpack.decode(packed)[0] / 1e6, VIETNAM)
    day, before = f"{committed:%Y-%m-%d}", f"{committed - timedelta(days=1):%Y-%m-%d}"
    assert len(search(site, "--since", day, "--until", day, "--about-case", CASE)) >= 1
    assert search(site, "--until", before, "--about-case", CASE) == []


def test_a_person_is_read_from_standard_input(site, ids):
    assert search(site, "--person", "-", stdin=f"{PERSONS[1]}\n") == [ids[3], ids[2]]


def test_a_person_is_asked_for(site, ids):
    ran = run("log", "search", *auditor(site), "--json", "--person", stdin=f"{PERSONS[0]}\n")
    assert "Identity number" in ran.err
    found = json.loads(ran.out[ran.out.index("{") :])["records"]
    assert [each["id"] for each in found if each["record"]["kind"] != "audit"] == [ids[1], ids[0]]


def test_a_number_on_the_command_line_is_warned_of(site, ids):
    ran = good("log", "search", *auditor(site), "--person", PERSONS[0])
    assert "other users of this machine can see" in ran.err
    assert ids[0] in ran.out
    assert "on the command line" not in good("log", "search", *auditor(site), "--person", "-", stdin=PERSONS[0]).err


def test_pages(site, ids):
    first = good("log", "search", *auditor(site), "--json", "--limit", "2", "--about-case", CASE).values
    assert [each["id"] for each in first["records"]] == [ids[4], ids[3]]
    after = first["next_before"]
    second = good("log", "search", *auditor(site), "--json", "--limit", "9", "--about-case", CASE, "--before", after)
    assert [each["id"] for each in second.values["records"]] == [ids[2], ids[1], ids[0]]
    assert second.values["next_before"] is None


def test_the_search_itself_is_recorded_with_who_and_why(site, database):
    search(site, "--person", "-", stdin=PERSONS[0])
    with contextlib.closing(sqlite3.connect(database)) as connection:
        (packed,) = connection.execute("SELECT row FROM journal ORDER BY seq DESC LIMIT 1").fetchone()
    said = json.loads(msgspec.msgpack.decode(packed)[4])
    assert (said["kind"], said["decision"]["reasons"]) == ("audit", ["search"])
    shown = good("log", "show", said["id"], *auditor(site), "--json").values[0]
    fields = private(shown)
    assert (fields["auditor"], fields["audit_case"], fields["reason"]) == ("Kiem", "TT-1", "complaint")
    assert fields["question"]["person"] == PERSONS[0]


@pytest.mark.parametrize("missing", ["--auditor", "--case", "--reason", "--auditor-key"])
def test_nobody_reads_without_saying_who_and_why(site, missing):
    options = auditor(site)
    at = options.index(missing)
    refused("log", "search", *options[:at], *options[at + 2 :], code=2)
    if missing != "--auditor-key":
        refused("log", "search", *options[: at + 1], " ", *options[at + 2 :])


def test_another_key_opens_nothing(site):
    options = auditor(site)
    options[options.index("--auditor-key") + 1] = site.pki.signers[0]
    assert "role_unknown" in refused("log", "search", *options)


def test_where_no_gateway_ever_ran(filled, monkeypatch, tmp_path):
    monkeypatch.setenv("MOTLAN_LEDGER_DATABASE", str(tmp_path / "nothing.sqlite"))
    assert "there is no database" in refused("log", "search", *auditor(filled[0]))
    assert not (tmp_path / "nothing.sqlite").exists()


# -- show -------------------------------------------------------------------------------------------------------------


def test_a_record_whole_each_field_verified(site, ids):
    (shown,) = good("log", "show", ids[0], *auditor(site), "--json").values
    assert shown["record"]["grant"] == "portal-echo"
    assert private(shown) == {"person": PERSONS[0], "officer": OFFICER, "case": CASE}
    assert all(field["verified"] for field in shown["private"])
    text = good("log", "show", ids[0], ids[4], *auditor(site)).out
    assert len(re.findall(r"^ ✓ ", text, re.MULTILINE)) == 4
    assert PERSONS[0] in text


def test_a_field_that_is_not_what_was_committed_to(site, database, ids):
    with contextlib.closing(sqlite3.connect(database)) as connection:
        sizes = connection.execute("SELECT count(*) FROM journal").fetchone()[0]
    number = next(seq for seq in range(1, sizes + 1) if altered(database, seq) == ids[0])

    def forged(skeleton):
        said = json.loads(skeleton)
        said["private"][0] = "00" * 32
        return json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()

    altered(database, number, skeleton=forged)
    assert "not what its record commits to" in refused("log", "show", ids[0], *auditor(site))


def test_a_record_that_is_not_there(site):
    assert "no such record" in refused("log", "show", "01932d3e-8f1c-7abc-8def-000000000001", *auditor(site))


# -- verify: stored records -------------------------------------------------------------------------------------------


def verify(site, *more):
    return ["log", "verify", "--config", site.config, *more]


def with_key(site):
    return ["--auditor-key", auditor(site)[3]]


def test_stored_records_are_those_of_the_log(site):
    found = good(*verify(site, *with_key(site), "--json")).values
    assert found["valid"] is True
    assert found["records"] == found["opened"] == found["size"] > 5
    assert good(*verify(site, "--json")).values["opened"] == 0
    assert "stored records are those of the log" in good(*verify(site)).out


def flipped(data):
    return data[:-1] + bytes([data[-1] ^ 1])


ALTERED = [
    ({"skeleton": lambda text: text.replace(b"VN/GOV/H24/portal", b"VN/GOV/H24/porter")}, "record {id}: its skeleton"),
    ({"openings": flipped}, "record {id}: the openings were altered"),
    ({"entry": flipped}, "tile/entries/000.p/{size}: entry 4 is not the one logged"),
]


@pytest.mark.parametrize(("changes", "fault"), ALTERED)
def test_an_edited_row_is_named(site, database, changes, fault):
    size = good(*verify(site, "--json")).values["size"]
    record = altered(database, 5, **changes)
    ran = run(*verify(site, *with_key(site), "--json"))
    assert ran.code == 1
    assert ran.values["valid"] is False
    assert any(name.startswith(fault.format(id=record, size=size)) for name in ran.values["faults"])
    said = refused(*verify(site, *with_key(site)))
    assert fault.format(id=record, size=size) in said
    assert "→" in said


def test_a_row_that_does_not_parse_any_more(site, database):
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE journal SET row = x'c1' WHERE seq = 3")
    assert "tile/entries/000" in refused(*verify(site))


def test_a_row_that_is_gone(site, database):
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("DELETE FROM journal WHERE seq = 3")
    assert "tile/entries/000" in refused(*verify(site))


# -- verify: over HTTP ------------------------------------------------------------------------------------------------


class Files(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    files: dict[str, bytes]
    status = 200

    def do_GET(self):
        data = self.files.get(self.path.removeprefix("/log/"))
        self.send_response(404 if data is None else self.status)
        self.send_header("Content-Length", str(len(data or b"")))
        self.end_headers()
        self.wfile.write(data or b"")

    def log_message(self, *_):
        pass


@pytest.fixture
def log():
    made = MemoryLog()
    made.append([built(number).entry for number in range(600)])
    return made


@pytest.fixture
def url(log):
    Files.files, Files.status = log.files, 200
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Files)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/log"
    server.shutdown()
    thread.join()
    server.server_close()


def over_http(url, log):
    return ["log", "verify", "--url", url, "--vkey", log.key.encode()]


def test_a_whole_log_over_http(url, log):
    found = good(*over_http(url, log), "--json").values
    assert (found["valid"], found["size"], found["origin"]) == (True, 600, log.key.name)
    assert "all 600 entries" in good(*over_http(url, log)).out


def test_every_wrong_tile_is_named(url, log):
    bundle, tile = TileId(ENTRIES, 1).path, TileId(0, 0).path
    log.files[bundle] = flipped(log.files[bundle])
    log.files[tile] = flipped(log.files[tile])
    del log.files[TileId(ENTRIES, 2, 88).path]
    ran = run(*over_http(url, log), "--json")
    assert ran.code == 1
    faults = " | ".join(ran.values["faults"])
    for name in (bundle, tile, TileId(ENTRIES, 2, 88).path):
        assert name in faults


def test_a_history_that_was_rewritten_is_noticed_by_who_kept_a_checkpoint(url, log, tmp_path):
    kept = tmp_path / "kept.note"
    good(*over_http(url, log), "--remember", kept)
    note = kept.read_bytes()
    log.append([built(number).entry for number in range(600, 610)])
    good(*over_http(url, log), "--remember", kept)
    assert kept.read_bytes() != note
    note = kept.read_bytes()
    other = MemoryLog()
    other.append([built(number).entry for number in range(1000, 1700)])
    log.files.clear()
    log.files.update(other.files)
    good(*over_http(url, log))
    assert "was rewritten" in refused(*over_http(url, log), "--remember", kept)
    assert kept.read_bytes() == note


def test_another_key(url, log):
    other = MemoryLog().key.encode().replace("example.vn", "example.com")
    assert "log_malformed" in refused("log", "verify", "--url", url, "--vkey", other)


def test_what_cannot_be_read_is_not_called_wrong(log, url, monkeypatch):
    monkeypatch.setattr(log_files, "BACKOFF_SECONDS", 0)
    Files.status = 503
    said = refused(*over_http(url, log))
    assert "nothing is said about the log itself" in said
    assert "✗" not in said


def test_where_there_is_no_log(log, url):
    log.files.clear()
    assert "no checkpoint" in refused(*over_http(url, log))


@pytest.mark.parametrize(
    "options",
    [(), ("--url", "https://gateway.example/log"), ("--url", "file:///etc", "--vkey", "a+b+c")],
)
def test_a_mistake_in_the_command_line(options):
    refused("log", "verify", *options, code=2)


def test_records_against_the_published_log(site, url, log):
    """Stored records of one gateway are not those of another's log."""
    key = log.key.encode()
    assert refused(*verify(site, "--url", url, "--vkey", key)).count("✗") > 5


def test_a_record_that_is_gone_from_the_gateway_but_was_published(site, url, log, database):
    log.files.clear()
    log.files.update(asyncio.run(_published(database)))
    options = verify(site, "--url", url, *with_key(site))
    assert good(*options, "--json").values["opened"] > 5
    gone = altered(database, 7)
    first = altered(database, 5, skeleton=lambda text: text.replace(b"portal", b"porter"))
    second = altered(database, 6, openings=flipped)
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("DELETE FROM journal WHERE seq = 7")
    faults = run(*options, "--json").values["faults"]
    assert [fault.partition(":")[0] for fault in faults] == [
        f"record {first}",
        "entry 6",
        f"record {second}",
    ]
    assert gone not in str(faults)


async def _published(database):
    store = SqliteStore(database)
    try:
        return await published(store.log)
    finally:
        await store.close()


def test_it_works_without_the_gateway_installed(url, log):
    """What an auditor installs has no database and no server in it."""
    import subprocess  # noqa: PLC0415 - this test alone
    import sys  # noqa: PLC0415 - this test alone

    blocked = [
        "apsw",
        "jsonschema_rs",
        "httptools",
        "zeep",
        "lxml",
        "structlog",
        "prometheus_client",
        "uvloop",
        "jinja2",
    ]
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({blocked!r}))\n"
        "from gateway.cli.main import main; sys.exit(main())"
    )
    command = [sys.executable, "-c", program, *over_http(url, log)]
    ended = subprocess.run(command, cwd=Path(__file__).parents[3], check=False, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    command = [sys.executable, "-c", program, "log", "verify", "--config", __file__]
    ended = subprocess.run(command, cwd=Path(__file__).parents[3], check=False, capture_output=True, text=True)
    assert ended.returncode == 1
    assert "motlan[gateway]" in ended.stderr
