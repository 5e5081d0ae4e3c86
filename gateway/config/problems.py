"""What is wrong with a configuration: every problem at once, each with file, line and the nearest right name."""

import difflib
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from msgspec import Struct

from gateway.config.positions import Path as KeyPath
from gateway.config.positions import Position, locate
from gateway.model.errors import ExchangeError
from gateway.model.errors.config import CONFIGURATION_INCOMPLETE, CONFIGURATION_INVALID

_PLACE = re.compile(r" \(at line ([0-9]+), column ([0-9]+)\)")


class Problem(Struct, frozen=True, kw_only=True):
    """One thing that is wrong.

    file, line, column: where; line and column are 0 where the file as a whole is meant. key: dotted, as in
    ``grant[2].service``. text: what is wrong, in English. absent: a clause without which a gateway does not start.
    warning: worth reading, but not wrong.
    """

    file: Path
    line: int = 0
    column: int = 0
    key: str = ""
    text: str
    absent: bool = False
    warning: bool = False

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else str(self.file)
        return f"{place}: {self.key + ': ' if self.key else ''}{self.text}"


class ConfigurationError(ExchangeError):
    """The configuration is wrong. problems: all of it, warnings left out."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        absent = any(problem.absent for problem in self.problems)
        kind = CONFIGURATION_INCOMPLETE if absent else CONFIGURATION_INVALID
        super().__init__(kind, "\n".join(str(problem) for problem in self.problems))


class Document:
    """A parsed TOML file that knows where its keys stand, and collects what is wrong in it.

    problems: where to; shared between the files of one configuration.
    """

    def __init__(self, file: Path, text: str, problems: list[Problem]) -> None:
        self.file = file
        self.problems = problems
        self._positions: dict[KeyPath, Position] = {}
        self.table: dict[str, Any] = {}
        self.usable = True
        """False for a file that cannot be read at all, of which nothing more need be said."""
        try:
            self.table = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            self.usable = False
            place = _PLACE.search(str(error))
            line, column = (int(place[1]), int(place[2])) if place else (0, 0)
            text = _PLACE.sub("", str(error))
            problems.append(Problem(file=file, line=line, column=column, text=f"not TOML: {text}"))
        else:
            self._positions = locate(text)

    @classmethod
    def read(cls, file: Path, problems: list[Problem]) -> "Document":
        """Read a file. One that cannot be read is a problem, and an empty document."""
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
            problems.append(Problem(file=file, text=f"cannot be read: {reason}"))
            document = cls(file, "", problems)
            document.usable = False
            return document
        return cls(file, text, problems)

    def complain(self, path: KeyPath, text: str, *, absent: bool = False, warning: bool = False) -> None:
        """Note a problem at a key; or, where that is not in the file, at the nearest table around it."""
        place: Position | None = None
        for length in range(len(path), 0, -1):
            place = self._positions.get(path[:length])
            if place is not None:
                break
        self.problems.append(
            Problem(
                file=self.file,
                line=place.line if place else 0,
                column=place.column if place else 0,
                key=dotted(path),
                text=text,
                absent=absent,
                warning=warning,
            )
        )


def dotted(path: KeyPath) -> str:
    """A key as people read it: ``grant[2].service``, counting from 1."""
    text = ""
    for step in path:
        text += f"[{step + 1}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def nearest(name: str, known: Iterable[str]) -> str:
    """``"; did you mean X?"`` for the closest known name, or nothing."""
    found = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.6)
    return f"; did you mean {found[0]}?" if found else ""
