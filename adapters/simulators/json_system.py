"""What the simulated systems that answer in JSON have in common: reading, refusing, and going wrong."""

import json
from abc import abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Final

from msgspec.structs import replace

from adapters.simulators import charsets
from adapters.simulators.access import Access
from adapters.simulators.misbehave import LEVELS, Misbehaviour, Mode
from adapters.simulators.people import People
from adapters.simulators.simulator import Simulator
from adapters.simulators.wire import Answer, Received

Content = dict[str, Any]

JSON_TYPE: Final = "application/json; charset=utf-8"
_PIECE: Final = 64 * 1024
_UNKNOWN: Final = "unknown"


class RefusedError(Exception):
    """The system does not do what is asked. code: its own; the text is its message."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class JsonSystem(Simulator):
    """A system with one JSON operation for each last part of the path.

    access: who may call, everybody by default. out_of_order: the error that the system tells instead of working,
    whatever is asked; None where it works.
    """

    UNSUPPORTED: ClassVar[frozenset[Mode]] = frozenset({Mode.DOCTYPE, Mode.JSON_BODY})

    def __init__(self, people: People, *, access: Access | None = None) -> None:
        super().__init__()
        self.people = people
        self.access = access
        self.out_of_order: RefusedError | None = None
        self.operations: dict[str, Callable[[Content], Content]] = {}
        self._refusing = False

    def operation(self, received: Received) -> str:
        """The last part of the path, where it is an operation."""
        if received.path == "/token":
            return "token"
        name = received.path.removeprefix(self.PATH + "/")
        return name if name in self.operations else _UNKNOWN

    def answer(self, received: Received) -> Answer:
        """The right answer; a token where that was asked for."""
        if received.path == "/token" and self.access:
            return self.access.token(received) or Answer(status=404, content_type="text/plain", body=b"Not Found")
        if self.access and not self.access.admits(received, self.url):
            self.answers["unauthorised"] += 1
            return json_answer(self.refusal(RefusedError("100", "AUTHEN_ERROR")), status=401)
        operation = self.operations.get(self.operation(received))
        if operation is None:
            self.answers["no such operation"] += 1
            return json_answer(self.refusal(RefusedError("302", "DATA_TYPE_INVALID")), status=404)
        try:
            return self.carry_out(operation, received)
        except RefusedError as refused:
            return self.refuse(refused)

    def carry_out(self, operation: Callable[[Content], Content], received: Received) -> Answer:
        """Do what is asked. Raises RefusedError."""
        if self.out_of_order:
            raise self.out_of_order
        content = operation(self.read(received))
        self._refusing = False
        self.answers["done"] += 1
        return json_answer(content)

    def refuse(self, refused: RefusedError) -> Answer:
        """The answer to a request that is refused: 200 with the system's error in it."""
        self._refusing = True
        self.answers[f"refused {refused.code}"] += 1
        return json_answer(self.refusal(refused))

    def twist(self, received: Received, right: Answer, how: Misbehaviour) -> Answer:
        """The answer that misbehaves; a refusal stays one."""
        if self._refusing:
            return right
        match how.mode:
            case Mode.WINDOWS_1258 | Mode.TCVN3 as mode:
                encode = charsets.tcvn3 if mode is Mode.TCVN3 else charsets.windows_1258
                return replace(right, body=encode(right.body.decode()))
            case Mode.OTHER_PERSON:
                return json_answer(self.other(received, json.loads(right.body)))
            case Mode.LIE:
                return json_answer(self.lie(json.loads(right.body)))
            case Mode.HUGE:
                return replace(right, body=b"", pieces=_huge(right.body, how.megabytes * 2**20))
            case mode:
                return replace(right, body=_broken(mode, right.body))

    def read(self, received: Received) -> Content:
        """What is asked: the body's JSON object. Raises RefusedError."""
        try:
            asked = json.loads(received.body)
        except ValueError:
            asked = None
        if received.method != "POST" or not isinstance(asked, dict):
            raise self.malformed("a JSON object is expected")
        return asked

    @abstractmethod
    def malformed(self, text: str) -> RefusedError:
        """The error for a request that cannot be read."""

    @abstractmethod
    def refusal(self, refused: RefusedError) -> Content:
        """The answer to a request that is refused."""

    @abstractmethod
    def other(self, received: Received, right: Content) -> Content:
        """A right answer about somebody, or a dossier, that was not asked about."""

    @abstractmethod
    def lie(self, right: Content) -> Content:
        """An answer that says yes, with content that contradicts what is promised."""

    def text(self, asked: Content, name: str, *, longest: int = 200) -> str:
        """A text that must be there. Raises RefusedError, which names it."""
        value = asked.get(name)
        if not isinstance(value, str) or not 0 < len(value) <= longest:
            raise self.malformed(name)
        return value


def json_answer(content: Content, *, status: int = 200) -> Answer:
    """An answer in JSON, letters as they are."""
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return Answer(status=status, content_type=JSON_TYPE, body=body)


def _broken(mode: Mode, right: bytes) -> bytes:
    """The right answer with something before its end that no client may take for JSON."""
    if mode is Mode.DUPLICATE_KEYS:
        name = next(iter(json.loads(right)))
        return right[:-1] + b"," + json.dumps(name).encode() + b':"9"}'
    return right[:-1] + b',"_":' + _VALUES[mode] + b"}"


_VALUES: Final = {
    Mode.DEEP: b"[" * LEVELS + b"]" * LEVELS,
    Mode.NAN: b"NaN",
    Mode.HUGE_NUMBER: b"1e400",
    Mode.LONE_SURROGATE: b'"\\ud800"',
}


def _huge(right: bytes, size: int) -> Iterator[bytes]:
    yield right[:-1] + b',"_":"'
    filler = b"A" * _PIECE
    for _ in range(size // _PIECE):
        yield filler
    yield b'"}'
