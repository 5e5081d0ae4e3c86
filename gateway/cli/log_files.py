"""A log's files over HTTP, or out of a folder, for the verifier.

What is not there is told apart from what cannot be had just now.
"""

import http.client
import ssl
import time
from pathlib import Path
from urllib.parse import urlsplit

import click

from gateway.cli.output import say
from gateway.keys.file import load_certificates
from gateway.keys.tls import client_context

BACKOFF_SECONDS = 0.2
"""Before the second attempt half of what is waited before the third, and so on."""

_TIMEOUT = 30.0
_ATTEMPTS = 4
_LARGEST = 64 * 1024 * 1024
"""A bundle is 256 entries of at most 64 KiB, and a little."""

_OK, _NOT_FOUND, _GONE = 200, 404, 410


class FolderLog:
    """``fetch`` out of a folder that is laid out as the log's files are (``motlan log mirror``)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def fetch(self, path: str) -> bytes:
        """A file of the log. Raises FileNotFoundError where there is none; other OSErrors end the verb."""
        file = self._folder / path
        if file.is_file() and file.stat().st_size > _LARGEST:
            raise click.ClickException(f"{path} is larger than a file of a log can be")
        return file.read_bytes()


class HttpLog:
    """``fetch`` for ``gateway.ledger.verify``. url: the log's prefix. ca: CA certificates to believe, PEM."""

    def __init__(self, url: str, ca: Path | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise click.UsageError("--url is the log's http(s) address, for instance https://gateway.example/log")
        self._url = url
        self._prefix = parts.path.rstrip("/") + "/"
        self._connection = _connection(parts.scheme, parts.hostname, parts.port, ca)

    def fetch(self, path: str) -> bytes:
        """A file of the log. Raises LookupError where there is none, ClickException where the log cannot be reached."""
        problem = ""
        for attempt in range(_ATTEMPTS):
            if attempt:
                self._connection.close()
                time.sleep(BACKOFF_SECONDS * 2**attempt)
            try:
                status, data = self._get(path)
            except (OSError, http.client.HTTPException) as error:
                problem = str(error) or type(error).__name__
                if isinstance(error, ssl.SSLCertVerificationError):
                    break
                continue
            if status == _OK:
                return data
            if status in {_NOT_FOUND, _GONE}:
                raise LookupError(path)
            problem = f"{path}: status {status}"
        raise click.ClickException(
            say(
                f"the log at {self._url} cannot be read ({problem}): "
                "check the address, and --ca; nothing is said about the log itself",
                f"không đọc được nhật ký tại {self._url} ({problem}): "
                "hãy kiểm tra địa chỉ và --ca; chưa có kết luận gì về bản thân nhật ký",
            )
        )

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

    def _get(self, path: str) -> tuple[int, bytes]:
        self._connection.request("GET", self._prefix + path, headers={"Accept-Encoding": "identity"})
        response = self._connection.getresponse()
        data = response.read(_LARGEST + 1)
        if len(data) > _LARGEST:
            raise http.client.HTTPException(f"{path} is larger than a file of a log can be")
        return response.status, data


def _connection(scheme: str, host: str, port: int | None, ca: Path | None) -> http.client.HTTPConnection:
    if scheme == "http":
        return http.client.HTTPConnection(host, port, timeout=_TIMEOUT)
    authorities = None if ca is None else load_certificates(ca)
    return http.client.HTTPSConnection(host, port, timeout=_TIMEOUT, context=client_context(authorities))
