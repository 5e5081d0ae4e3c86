"""Recordings without anybody's data: personal values are replaced, by the names of their fields and wherever else they
stand, and what still holds one is not written.

Two passes over all texts of a recording, requests and answers: ``note`` collects, ``text`` replaces. ``remaining`` is
the last look at the bytes that would be written.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from adapters.kit.invented import Inventor
from adapters.kit.names import NAME_PARTS, PARTS, PERSONAL, Meaning, folded, meaning
from gateway.model.text import fold, nfc

_NAMES = frozenset({Meaning.NAME, *NAME_PARTS})
_RUN = re.compile(r"(?<!\d)(?:\d{12}|\d{9})(?!\d)")
_SHORTEST_TEXT, _SHORTEST_NUMBER, _SHORTEST_FOLDED = 2, 4, 5
_LONG_NUMBER = 8
"""Characters of a value that is looked for where its field does not stand: shorter ones occur by chance."""
_ISO_DAY = re.compile(r"(?:19|20)\d{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?!\d)")
_COMPACT_DAY = re.compile(r"(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:\d{6})?")
_DATED = re.compile("ngay|date|thoidiem|time")
_YEARS = frozenset({"nam", "year", "namsinh"})


class Anonymiser:
    """One recording. secret: random, thrown away with it. also: further personal fields, by name.

    never: names of fields that are no person's, though the dictionary thinks so.
    """

    def __init__(self, secret: bytes, *, also: Mapping[str, Meaning] = {}, never: Iterable[str] = ()) -> None:
        self._invent = Inventor(secret)
        self._also = {folded(name): meant for name, meant in also.items()}
        self._never = frozenset(folded(each) for each in never)
        self._real: dict[str, tuple[Meaning, str]] = {}
        self._pattern: re.Pattern[str] | None = None
        self.replaced: dict[str, int] = {}
        """Field name → how many of its values were replaced, for the report."""
        self.kept: dict[str, int] = {}

    def note(self, way: tuple[str, ...], value: str) -> None:
        """See a text. way: names of the fields it is in, the outermost first."""
        meant = self._meant(way, value)
        if meant is not None and value.strip():
            self._learn(value.strip(), meant, way[-1] if way else "")
        for run in _RUN.findall(value):
            self._learn(run, Meaning.IDENTITY_NUMBER, way[-1] if way else "")

    def text(self, way: tuple[str, ...], value: str) -> str:
        """The text to write in place of one that was noted."""
        name = way[-1] if way else ""
        meant = self._meant(way, value)
        bare = value.strip()
        if meant is not None and bare:
            self.replaced[name] = self.replaced.get(name, 0) + 1
            return value.replace(bare, self._invent(meant, bare))
        made = self._everywhere(value)
        counted = self.kept if made == value else self.replaced
        if bare:
            counted[name] = counted.get(name, 0) + 1
        return made

    def remaining(self, text: str) -> tuple[str, ...]:
        """Names of personal fields one of whose real values still stands in a text."""
        plain = nfc(text)
        bare = fold(plain)
        return tuple(
            sorted(
                {
                    name
                    for value, (_, name) in self._real.items()
                    if _searched(value)
                    and (_stands(value, plain) or (len(value) >= _SHORTEST_FOLDED and _stands(fold(value), bare)))
                }
            )
        )

    def numbers_in(self, text: str) -> tuple[str, ...]:
        """The same for numbers alone, anywhere in a file: in names of fields, inside words."""
        long = {value: name for value, (_, name) in self._real.items() if len(value) >= _LONG_NUMBER}
        return tuple(sorted({name for value, name in long.items() if value.isdigit() and value in text}))

    def _learn(self, value: str, meant: Meaning, name: str) -> None:
        value = nfc(value)
        self._real.setdefault(value, (meant, name))
        if meant in _NAMES:
            self._invent.words.update(fold(word) for word in value.split())
        self._pattern = None

    def _meant(self, way: tuple[str, ...], value: str) -> Meaning | None:
        """What a text means if it is personal."""
        name = folded(way[-1]) if way else ""
        if name in self._never:
            return None
        known = (self._also.get(name) or meaning(name)) if name else None
        if known in PERSONAL and known is not Meaning.REQUEST_ID:
            return known
        if PARTS.get(name) == "detail":
            return Meaning.ADDRESS
        above = {meaning(each) for each in way[:-1]}
        if name in _YEARS and Meaning.BIRTH_DATE in above:
            return Meaning.BIRTH_DATE
        if _ISO_DAY.match(value.strip()) or (_DATED.search(name) and _COMPACT_DAY.fullmatch(value.strip())):
            return Meaning.BIRTH_DATE
        return None

    def _everywhere(self, value: str) -> str:
        """Real values that stand in a text of another field: in a message, a note, an id made of a number."""
        if self._pattern is None:
            known = [each for each in self._real if _searched(each)]
            known += [fold(each) for each in known if len(each) >= _SHORTEST_FOLDED]
            alternatives = "|".join(re.escape(each) for each in sorted(set(known), key=len, reverse=True))
            self._pattern = re.compile(rf"(?<!\w)(?:{alternatives})(?!\w)", re.IGNORECASE) if known else _RUN
        return self._pattern.sub(lambda found: self._instead(found.group()), nfc(value))

    def _instead(self, found: str) -> str:
        if found in self._real:
            return self._invent(self._real[found][0], found)
        for value, (meant, _) in self._real.items():
            if fold(value) == fold(found):
                made = self._invent(meant, value)
                return fold(made) if found == fold(found) else made
        return self._invent(Meaning.IDENTITY_NUMBER, found)


def _searched(value: str) -> bool:
    return len(value) >= (_SHORTEST_NUMBER if value.isdigit() else _SHORTEST_TEXT)


def _stands(value: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(value)}(?!\w)", text) is not None


Visit = Callable[[tuple[str, ...], str], str | None]


def walk_json(document: Any, visit: Visit, way: tuple[str, ...] = ()) -> Any:
    """A JSON document with every text and number that ``visit`` returns something for replaced."""
    if isinstance(document, dict):
        return {name: walk_json(value, visit, (*way, name)) for name, value in document.items()}
    if isinstance(document, list):
        return [walk_json(value, visit, way) for value in document]
    if isinstance(document, str):
        made = visit(way, document)
        return document if made is None else made
    if isinstance(document, int) and not isinstance(document, bool):
        made = visit(way, str(document))
        return int(made) if made is not None and made.isdigit() else document
    return document
