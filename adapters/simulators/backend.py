"""A plain REST provider for tests and benchmarks: JSON of any size, echo, streamed blobs, counted idempotent writes."""

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import ClassVar, Final

from adapters.simulators.misbehave import Misbehaviour, Mode
from adapters.simulators.simulator import Simulator
from adapters.simulators.wire import Answer, Received

Verify = Callable[[Received], str | None]
"""Checks a request's signature: None when it is good, otherwise what is wrong."""

_PIECE: Final = 64 * 1024
_PIECES: Final = b"0123456789abcdef" * (_PIECE // 16)


class Backend(Simulator):
    """Serves at any path; the last part of it says what.

    ``echo``: method, target, headers and body (base64) as JSON. ``blob?size=N``: N bytes, streamed.
    ``status?code=N``: that status. ``write``: counts, once per ``Idempotency-Key``.
    Anything else: a JSON object of ``size`` bytes, or ``?size=N``.

    verify: asked about every request; what it complains about is answered with 401. writes: how often each
    idempotency key was carried out; repeats are answered from ``stored``.
    last: the last request, where ``keep`` is set.
    """

    PATH: ClassVar[str] = ""
    UNSUPPORTED: ClassVar[frozenset[Mode]] = frozenset(set(Mode)) - {
        Mode.SLOW,
        Mode.FREEZE,
        Mode.BAD_GATEWAY,
        Mode.HALF,
        Mode.UNAUTHORIZED_TEXT,
        Mode.DROP,
    }

    def __init__(self, *, size: int = 1024, verify: Verify | None = None, keep: bool = True) -> None:
        super().__init__()
        self.verify = verify
        self.keep = keep
        self.last: Received | None = None
        self.writes: Counter[str] = Counter()
        self.stored: dict[str, Answer] = {}
        self._json = {size: Answer(body=sized_json(size))}
        self._default = self._json[size]
        self._special: dict[str, Callable[[Received], Answer]] = {
            "echo": _echo,
            "blob": _blob,
            "status": _status,
            "write": self._write,
        }

    def operation(self, received: Received) -> str:
        """The last part of the path where it names one, else ``json``."""
        name = received.target.partition("?")[0].rpartition("/")[2]
        return name if name in self._special else "json"

    def answer(self, received: Received) -> Answer:
        """The right answer."""
        if self.keep:
            self.last = received
        complaint = self.verify(received) if self.verify else None
        if complaint is not None:
            self.answers["unauthorised"] += 1
            return Answer(status=401, body=json.dumps({"error": complaint}).encode())
        special = self._special.get(self.operation(received))
        if special:
            return special(received)
        if "?" not in received.target:
            return self._default
        size = int(received.query.get("size", 0)) or len(self._default.body)
        return self._json.setdefault(size, Answer(body=sized_json(size)))

    def twist(self, received: Received, right: Answer, how: Misbehaviour) -> Answer:
        """There is no document of its own to twist."""
        del right
        raise AssertionError(f"{how.mode} is unsupported, {received.method}")

    def _write(self, received: Received) -> Answer:
        """Carry out once per key: a repeat gets the first answer again. Without a key, always carry out."""
        key = received.header("Idempotency-Key") or ""
        if key and key in self.stored:
            return self.stored[key]
        self.writes[key] += 1
        done = {"done": True, "number": self.writes.total(), "sha256": hashlib.sha256(received.body).hexdigest()}
        answer = Answer(status=201, body=json.dumps(done).encode())
        if key:
            self.stored[key] = answer
        return answer


def sized_json(size: int) -> bytes:
    """A JSON object of exactly ``size`` bytes (at least 60), with a few fields and a filler."""
    opening = b'{"id":"31090000001","name":"Nguy\xe1\xbb\x85n V\xc4\x83n An","filler":"'
    return opening + b"x" * max(0, size - len(opening) - 2) + b'"}'


def _echo(received: Received) -> Answer:
    seen = {
        "method": received.method,
        "target": received.target,
        "headers": list(received.headers),
        "body": base64.b64encode(received.body).decode(),
    }
    return Answer(body=json.dumps(seen).encode())


def _blob(received: Received) -> Answer:
    size = int(received.query.get("size", 2**20))
    return Answer(content_type="application/octet-stream", pieces=_pieces(size), length=size)


def _pieces(size: int) -> Iterator[bytes]:
    for _ in range(size // _PIECE):
        yield _PIECES
    yield _PIECES[: size % _PIECE]


def _status(received: Received) -> Answer:
    code = int(received.query.get("code", 500))
    return Answer(status=code, body=json.dumps({"status": code}).encode())
