import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.cli import log_mirror
from gateway.cli.log_copy import CopyFolder
from gateway.cli.log_files import HttpLog
from gateway.ledger.checkpoint import Checkpoint, sign_checkpoint
from gateway.ledger.note import KeyType, add_signature
from gateway.ledger.tree import EMPTY
from gateway.ledger.verify import verify_log
from gateway.ledger.witness import cosignature
from tests.support.cli import run
from tests.support.ledger import ORIGIN, MemoryLog, noise, signing_key

NEW_KEY, NEW_SIGN = signing_key("the log's next key", ORIGIN)
WITNESS, WITNESS_SIGN = signing_key("witness", "witness.example/w1", KeyType.COSIGNATURE)


class Served:
    """A log in memory behind a real server. asked: the paths that were fetched."""

    def __init__(self) -> None:
        self.log = MemoryLog()
        self.asked: list[str] = []
        self.after: int | None = None
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                path = self.path.removeprefix("/log/")
                outer.asked.append(path)
                if outer.after is not None and len(outer.asked) > outer.after:
                    self.close_connection = True
                    return
                data = outer.log.files.get(path)
                self.send_response(200 if data is not None else 404)
                self.send_header("Content-Length", str(len(data or b"")))
                self.end_headers()
                self.wfile.write(data or b"")

            def log_message(self, *_: Any) -> None: ...

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/log"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def grow(self, size: int, seed: str = "") -> None:
        self.log.append([noise((seed, number), 33) for number in range(self.log.state.size, size)])

    def fork(self, common: int, size: int) -> None:
        """Another log of the same key, with the same first entries."""
        self.log.files.clear()
        self.log.state = EMPTY
        self.grow(common)
        self.grow(size, "fork")


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setattr("gateway.cli.log_files.BACKOFF_SECONDS", 0.001)
    monkeypatch.setattr("gateway.cli.log_copy._sync", lambda _: None)  # nobody cuts the power here
    made = Served()
    yield made
    made.server.shutdown()
    made.server.server_close()


def mirror(served: Served, folder: Path, *more: str) -> Any:
    return run("log", "mirror", served.url, str(folder), "--vkey", served.log.key.encode(), *more)


def verified(folder: Path, *keys: Any) -> int:
    """Its size, once it is verified as a stranger would, over the files that any static web server gives."""
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        files = HttpLog(f"http://127.0.0.1:{server.server_address[1]}/")
        try:
            return verify_log(files.fetch, keys).checkpoint.checkpoint.size
        finally:
            files.close()
            server.shutdown()


class Quiet(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_: Any) -> None: ...


def test_a_copy_follows_the_log_and_verifies_by_itself(served: Served, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    for size in (0, 1, 5, 255, 256, 257, 700, 1024, 1025):
        served.grow(size)
        done = mirror(served, folder)
        assert done.code == 0, done.said
        assert verified(folder, served.log.key) == size
    # Partial tiles of former checkpoints are gone, those of this one are there.
    partial = {str(file.relative_to(folder)) for file in folder.rglob("*.p/*")}
    assert partial == {"tile/0/004.p/1", "tile/1/000.p/4", "tile/entries/004.p/1"}
    assert len(list((folder / "checkpoints").rglob("*"))) == 9 + 1
    said = run("log", "verify", "--dir", str(folder), "--vkey", served.log.key.encode(), "--json")
    assert said.values["valid"] is True
    again = mirror(served, folder, "--json")
    assert again.values == {"size": 1025, "root": served.log.state.root.hex(), "files": 0}


def test_only_what_is_new_is_fetched(served: Served, tmp_path: Path) -> None:
    served.grow(70_000)
    assert mirror(served, tmp_path / "copy").code == 0
    bundles = [path for path in served.asked if path.startswith("tile/entries/")]
    assert len(bundles) == len(set(bundles)) == 70_000 // 256 + 1
    served.asked.clear()
    served.grow(70_300)
    assert mirror(served, tmp_path / "copy").code == 0
    assert len([path for path in served.asked if path.startswith("tile/entries/")]) <= 4
    assert verified(tmp_path / "copy", served.log.key) == 70_300


@pytest.mark.parametrize("after", [1, 3, 40, 262])
def test_broken_off_anywhere_it_goes_on_also_when_the_log_has_grown(
    served: Served, tmp_path: Path, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.cli.log_copy._SAFE_EVERY", 16)
    served.grow(68_000)
    served.after = after
    assert mirror(served, tmp_path / "copy").code == 1
    assert not (tmp_path / "copy/checkpoint").exists()
    marked = CopyFolder(tmp_path / "copy")
    done = marked.verified
    marked.close()
    served.after = None
    served.asked.clear()
    served.grow(68_001)
    result = mirror(served, tmp_path / "copy")
    assert result.code == 0, result.said
    assert verified(tmp_path / "copy", served.log.key) == 68_001
    assert len([path for path in served.asked if "entries" in path]) <= (68_000 - done) // 256 + 3


@pytest.mark.parametrize(("common", "size"), [(700, 1200), (0, 1000), (999, 1000), (500, 600), (256, 1000)])
def test_a_fork_is_refused_named_and_kept_as_proof(served: Served, tmp_path: Path, common: int, size: int) -> None:
    served.grow(1000)
    folder = tmp_path / "copy"
    assert mirror(served, folder).code == 0
    before = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    served.fork(common, size)
    done = mirror(served, folder)
    assert done.code == 1
    assert "two histories" in done.said
    assert f"entry {common} is the first that differs" in done.said
    after = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    proof = folder / f"forked/{size}"
    assert after.pop(proof) == served.log.files["checkpoint"]
    assert after == before


def test_a_log_that_has_shrunk_is_a_fork(served: Served, tmp_path: Path) -> None:
    served.grow(300)
    assert mirror(served, tmp_path / "copy").code == 0
    served.log.files.clear()
    served.log.state = EMPTY
    served.grow(299)
    done = mirror(served, tmp_path / "copy")
    assert done.code == 1
    assert "has 299 entries, and had 300" in done.said


def test_a_fork_during_the_first_copy_is_refused_too(served: Served, tmp_path: Path) -> None:
    served.grow(68_000)
    served.after = 100
    assert mirror(served, tmp_path / "copy").code == 1
    served.after = None
    served.fork(67_000, 68_100)
    done = mirror(served, tmp_path / "copy")
    assert done.code == 1
    assert "two histories" in done.said


@pytest.mark.parametrize(
    "path",
    ["tile/0/000", "tile/0/003.p/232", "tile/1/000.p/3", "tile/entries/001", "tile/entries/003.p/232", "checkpoint"],
)
def test_a_flipped_bit_anywhere_is_named_and_not_taken_over(served: Served, tmp_path: Path, path: str) -> None:
    served.grow(1000)
    data = bytearray(served.log.files[path])
    data[len(data) // 2] ^= 1
    served.log.files[path] = bytes(data)
    done = mirror(served, tmp_path / "copy")
    if path == "tile/0/000":  # derived from the entries, and vouched for from above: never fetched
        assert done.code == 0
        assert path not in served.asked
        return
    assert done.code == 1
    assert path in done.said or path == "checkpoint"
    assert not (tmp_path / "copy/checkpoint").exists()


@pytest.mark.parametrize("path", ["tile/1/000.p/3", "tile/entries/001"])
def test_a_file_that_is_missing_is_named(served: Served, tmp_path: Path, path: str) -> None:
    served.grow(1000)
    del served.log.files[path]
    done = mirror(served, tmp_path / "copy")
    assert done.code == 1
    assert f"{path}: missing" in done.said


def test_a_log_of_another_key_or_another_origin_is_not_copied_into_it(served: Served, tmp_path: Path) -> None:
    served.grow(10)
    done = run("log", "mirror", served.url, str(tmp_path / "copy"), "--vkey", NEW_KEY.encode())
    assert done.code == 1
    assert mirror(served, tmp_path / "copy").code == 0
    other, sign = signing_key("other", "other.example/log")
    served.log.files["checkpoint"] = sign_checkpoint(
        Checkpoint("other.example/log", 10, served.log.state.root), other, sign
    )
    both = ("--vkey", other.encode())
    done = mirror(served, tmp_path / "copy", *both)
    assert done.code == 1
    assert "other.example/log" in done.said


def test_a_log_that_changes_its_key_stays_one_log(served: Served, tmp_path: Path) -> None:
    served.grow(300)
    assert mirror(served, tmp_path / "copy").code == 0
    served.grow(400)
    served.log.files["checkpoint"] = add_signature(served.log.files["checkpoint"], NEW_KEY, NEW_SIGN)
    assert mirror(served, tmp_path / "copy").code == 0  # knows the old key only
    served.grow(500)
    served.log.files["checkpoint"] = sign_checkpoint(Checkpoint(ORIGIN, 500, served.log.state.root), NEW_KEY, NEW_SIGN)
    assert mirror(served, tmp_path / "copy").code == 1
    both = mirror(served, tmp_path / "copy", "--vkey", NEW_KEY.encode())
    assert both.code == 0, both.said
    assert verified(tmp_path / "copy", NEW_KEY) == 500


def test_the_cosigned_checkpoint_is_kept_too_and_can_be_demanded(served: Served, tmp_path: Path) -> None:
    served.grow(300)
    note = served.log.files["checkpoint"]
    served.log.files["checkpoint.cosigned"] = note + cosignature(note, WITNESS, WITNESS_SIGN, 1_700_000_000)
    served.grow(400)
    assert mirror(served, tmp_path / "copy").code == 0
    assert (tmp_path / "copy/checkpoint.cosigned").read_bytes() == served.log.files["checkpoint.cosigned"]
    demanding = ("--witness", WITNESS.encode(), "--quorum", "1")
    done = mirror(served, tmp_path / "only", *demanding, "--json")
    assert done.values["size"] == 300
    served.log.files["checkpoint.cosigned"] = note
    assert mirror(served, tmp_path / "none", *demanding).code == 1


def test_it_stays_and_looks_again_until_a_fork(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    served.grow(10)
    turns = iter([lambda: served.grow(20), lambda: served.grow(30), lambda: served.fork(5, 40)])
    monkeypatch.setattr(log_mirror.time, "sleep", lambda _: next(turns)())
    done = mirror(served, tmp_path / "copy", "--every", "60")
    assert done.code == 1
    assert verified(tmp_path / "copy", served.log.key) == 30
    assert "entry 5 is the first that differs" in done.said


def test_a_folder_of_something_else_is_left_alone_and_two_do_not_share_one(served: Served, tmp_path: Path) -> None:
    served.grow(3)
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters/one.txt").write_text("dear")
    assert mirror(served, tmp_path / "letters").code == 1
    assert [file.name for file in (tmp_path / "letters").iterdir()] == ["one.txt"]
    held = CopyFolder(tmp_path / "copy")
    assert mirror(served, tmp_path / "copy").code == 1
    held.close()
    assert mirror(served, tmp_path / "copy").code == 0
