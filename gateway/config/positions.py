"""Where in a TOML text each key stands, which ``tomllib`` does not tell.

The text is known to be valid TOML (``tomllib`` has read it), so this scanner only finds its way: tables, arrays of
tables, dotted keys, inline tables, arrays, and the four kinds of strings.
"""

import re
from bisect import bisect_right

from msgspec import Struct

Path = tuple[str | int, ...]
"""Keys, and indexes in arrays, from the top of the file."""

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SPACE = re.compile(r"[ \t]*")
_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_STRING = re.compile(
    r'"""(?:[^\\"]|\\.|"(?!""))*"{3,5}'
    r"|'''(?:[^']|'(?!''))*'{3,5}"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_SCALAR = re.compile(r"[^,\]}\n#]+")
_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "\\": "\\"}
_ESCAPE = re.compile(r'\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([btnfr"\\]))')


class Position(Struct, frozen=True, order=True):
    """A place in a file; both count from 1."""

    line: int
    column: int


def locate(text: str) -> dict[Path, Position]:
    """The position of every key, table header and array item."""
    return _Scanner(text).run()


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.found: dict[Path, Position] = {}
        self.last: dict[Path, int] = {}
        """Arrays of tables → the index of their newest table."""
        self.starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def run(self) -> dict[Path, Position]:
        base: Path = ()
        self.skip(_BLANK)
        while self.at < len(self.text):
            base = self.header() if self.text[self.at] == "[" else self.pair(base)
            self.skip(_BLANK)
        return self.found

    def skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self.text, self.at)
        if match is not None:
            self.at = match.end()

    def note(self, path: Path, offset: int) -> None:
        line = bisect_right(self.starts, offset)
        self.found.setdefault(path, Position(line, offset - self.starts[line - 1] + 1))

    def header(self) -> Path:
        begin = self.at
        width = 2 if self.text.startswith("[[", self.at) else 1
        self.at += width
        keys = self.keys()
        self.at += width
        parent: Path = ()
        for key, _ in keys[:-1]:
            parent = self.inside((*parent, key), begin)
        path: Path = (*parent, keys[-1][0])
        self.note(path, begin)
        if width == 1:
            return self.inside(path, begin)
        self.last[path] = self.last.get(path, -1) + 1
        path = (*path, self.last[path])
        self.note(path, begin)
        return path

    def inside(self, path: Path, offset: int) -> Path:
        self.note(path, offset)
        return (*path, self.last[path]) if path in self.last else path

    def pair(self, base: Path) -> Path:
        path = base
        for key, offset in self.keys():
            path = (*path, key)
            self.note(path, offset)
        self.at += 1  # the equals sign
        self.skip(_SPACE)
        self.value(path)
        return base

    def keys(self) -> list[tuple[str, int]]:
        """A dotted key, and the white space after it."""
        keys: list[tuple[str, int]] = []
        while True:
            self.skip(_SPACE)
            offset = self.at
            match = _BARE.match(self.text, self.at) or _STRING.match(self.text, self.at)
            assert match is not None
            self.at = match.end()
            keys.append((_unquoted(match.group()), offset))
            self.skip(_SPACE)
            if not self.text.startswith(".", self.at):
                return keys
            self.at += 1

    def value(self, path: Path) -> None:
        if self.text[self.at] == "[":
            self.array(path)
        elif self.text[self.at] == "{":
            self.table(path)
        else:
            match = _STRING.match(self.text, self.at) or _SCALAR.match(self.text, self.at)
            assert match is not None
            self.at = match.end()

    def array(self, path: Path) -> None:
        self.at += 1
        index = 0
        while True:
            self.skip(_BLANK)
            if self.text[self.at] == "]":
                self.at += 1
                return
            if self.text[self.at] == ",":
                self.at += 1
                continue
            self.note((*path, index), self.at)
            self.value((*path, index))
            index += 1

    def table(self, path: Path) -> None:
        self.at += 1
        while True:
            self.skip(_BLANK)
            if self.text[self.at] == "}":
                self.at += 1
                return
            if self.text[self.at] == ",":
                self.at += 1
                continue
            self.pair(path)


def _unquoted(key: str) -> str:
    if key.startswith("'"):
        return key[1:-1]
    return _ESCAPE.sub(_character, key[1:-1]) if key.startswith('"') else key


def _character(match: re.Match[str]) -> str:
    short, long, letter = match.groups()
    return _ESCAPES[letter] if letter else chr(int(short or long, 16))
