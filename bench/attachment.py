"""An attachment of 200 MB through a SOAP exchange, signed: how much more memory the gateway holds meanwhile."""

import hashlib
import socket
import tempfile
import time
from pathlib import Path

from bench.envelopes import envelope
from bench.exchange import python
from bench.gateways import plain_answer, wsse_gateway
from bench.large import Large, Watch
from bench.processes import free_port, resident, running
from gateway.keys.file import load_signing_key
from gateway.model.instant import Instant
from gateway.model.message import Part
from gateway.signing.wsse_sign import sign_envelope
from tests.support.gateways import BASIS, PORTAL, PURPOSE, RECORD

SIZE = 200_000_000
_TURNS = 3
_PIECE = b"\0" * (1 << 20)
_BOUNDARY = "motlan-bench"


def run() -> Large:
    """Send it a few times over, one after the other."""
    digest = hashlib.sha256()
    for _ in range(SIZE // len(_PIECE)):
        digest.update(_PIECE)
    digest.update(_PIECE[: SIZE % len(_PIECE)])
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        answer = folder / "record.xml"
        answer.write_bytes(plain_answer())
        argv = python("bench.backend", "--port", port, "--body", answer, "--content-type", "text/xml; charset=utf-8")
        server = wsse_gateway(folder / "gateway", port)
        with running(argv, port), running(server.argv, server.port) as process:
            before = resident(process)
            with Watch(process) as watch:
                seconds = sorted(_upload(folder / "gateway", server.port, digest.digest()) for _ in range(_TURNS))
    return Large(watch.most - before, seconds[_TURNS // 2], SIZE)


def _upload(folder: Path, port: int, digest: bytes) -> float:
    """Seconds from the first byte to the answer. Raises RuntimeError if there is none, or a Fault."""
    root = _root(folder, digest)
    start, end = _frame(root)
    started = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port), 120) as connection:
        head = (
            f"POST /soap HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: {len(start) + SIZE + len(end)}\r\n"
            f'Content-Type: multipart/related; type="text/xml"; start="<root>"; boundary="{_BOUNDARY}"\r\n\r\n'
        )
        connection.sendall(head.encode() + start)
        left = SIZE
        while left:
            piece = _PIECE[: min(left, len(_PIECE))]
            connection.sendall(piece)
            left -= len(piece)
        connection.sendall(end)
        answer = connection.recv(1 << 16)
    if not answer.startswith(b"HTTP/1.1 200 ") or b"Fault" in answer:
        raise RuntimeError(f"the attachment was refused: {answer[:600]!r}")
    return time.perf_counter() - started


def _root(folder: Path, digest: bytes) -> bytes:
    member = folder / "pki" / "members" / str(PORTAL).replace("/", "_")
    key = load_signing_key(member / "sign.key.pem", member / "sign.pem")
    part = Part(fields=(("Content-Id", "<large>"),), offset=0, size=SIZE, sha256=digest)
    plain = envelope(PORTAL, RECORD, RECORD.service_code, purpose=(PURPOSE, BASIS))
    return sign_envelope(plain, key=key, now=Instant(time.time_ns() // 1000), attachments=(part,)).envelope


def _frame(root: bytes) -> tuple[bytes, bytes]:
    start = (
        f"--{_BOUNDARY}\r\nContent-Type: text/xml; charset=utf-8\r\nContent-Id: <root>\r\n\r\n".encode()
        + root
        + f"\r\n--{_BOUNDARY}\r\nContent-Type: application/octet-stream\r\nContent-Id: <large>\r\n"
        f"Content-Transfer-Encoding: binary\r\n\r\n".encode()
    )
    return start, f"\r\n--{_BOUNDARY}--\r\n".encode()
