"""Other people's programs that verify a log, run as somebody without ours runs them: by the commands in docs/log.md."""

import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.support.source import ROOT

SECONDS = 400
"""The first run fetches and compiles these programs."""
_PAGE = ROOT / "docs/log.md"


def missing(*programs: str) -> list[str]:
    """Which of these programs are not installed."""
    return [each for each in programs if shutil.which(each) is None]


def command(label: str) -> str:
    """The block of docs/log.md with this label."""
    [found] = re.findall(rf"^```{label}\n(.*?)^```$", _PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return str(found)


class LogTools:
    """A folder with the log's key in ``log.vkey``, and what is verified there. url: the log's. Each answer is whether it
    verified, and what was said.
    """

    def __init__(self, folder: Path, url: str, vkey: str) -> None:
        self.folder = folder
        self.url = url
        (folder / "log.vkey").write_text(f"{vkey}\n")

    def receipts(self, *files: bytes, witnesses: str = "") -> tuple[bool, str]:
        """Receipts, with the log's key alone; with witnesses' keys, by these too."""
        self._keep(files)
        holds, said = self._run(command("sh go"))
        if holds and witnesses:
            (self.folder / "witnesses").write_text(witnesses)
            return self._run(command("sh go witnesses"))
        return holds, said

    def receipts_online(self, *files: bytes) -> tuple[bool, str]:
        """Receipts against the log as it is now."""
        self._keep(files)
        return self._run(command("sh go online"))

    def whole_log(self) -> tuple[bool, str]:
        """The log as it is served."""
        return self._run(command("sh fsck"))

    def _keep(self, files: tuple[bytes, ...]) -> None:
        for old in self.folder.glob("*.tlog-proof"):
            old.unlink()
        for number, data in enumerate(files):
            (self.folder / f"{number}.tlog-proof").write_bytes(data)

    def _run(self, line: str) -> tuple[bool, str]:
        ran = subprocess.run(
            ["sh", "-e", "-c", line],
            cwd=self.folder,
            env={**os.environ, "DOCS": str(_PAGE.parent), "LOG_URL": self.url},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        return ran.returncode == 0, ran.stdout + ran.stderr


@contextmanager
def served(files: Mapping[str, bytes]) -> Iterator[str]:
    """A log's files on a web server that knows nothing about logs; its URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet

        def do_GET(self) -> None:
            data = files.get(self.path.removeprefix("/log/"))
            self.send_response(404 if data is None else 200)
            self.send_header("Content-Length", str(len(data or b"")))
            self.end_headers()
            self.wfile.write(data or b"")

        def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002 - the base class calls it so

    class Many(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

    server = Many(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/log"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
