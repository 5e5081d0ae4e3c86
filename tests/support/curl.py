"""Stands in for curl where the machine has none: as much of it as our pages use, with the standard library."""

import argparse
import http.client
import ssl
import sys
from pathlib import Path
from urllib.parse import urlsplit


def main() -> None:
    """One request; the answer's head (where asked for) and body go to standard output."""
    options = argparse.ArgumentParser()
    for name in ("--silent", "--show-error", "--include"):
        options.add_argument(name, action="store_true")
    for name in ("--cacert", "--cert", "--key"):
        options.add_argument(name)
    options.add_argument("-H", action="append", default=[])
    options.add_argument("-d")
    options.add_argument("url")
    asked = options.parse_args()
    context = ssl.create_default_context(cafile=asked.cacert)
    if asked.cert is not None:
        context.load_cert_chain(asked.cert, asked.key)
    parts = urlsplit(asked.url)
    assert parts.hostname is not None
    connection = (
        http.client.HTTPSConnection(parts.hostname, parts.port, context=context, timeout=20)
        if parts.scheme == "https"
        else http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    )
    fields = dict(field.split(": ", 1) for field in asked.H)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    body = None if asked.d is None else asked.d.encode()
    connection.request("GET" if body is None else "POST", target, body, fields)
    response = connection.getresponse()
    head = [f"HTTP/1.1 {response.status} {response.reason}", *(f"{n}: {v}" for n, v in response.getheaders()), ""]
    lines = [*(head if asked.include else []), response.read().decode()]
    sys.stdout.write("\n".join(lines))


def install(folder: Path) -> Path:
    """Put it into a folder, as ``curl``; returns the folder."""
    program = folder / "curl"
    program.write_text(
        f"#!{sys.executable}\nimport runpy\nrunpy.run_path({str(Path(__file__))!r}, run_name='__main__')\n"
    )
    program.chmod(0o755)
    return folder


if __name__ == "__main__":
    main()
