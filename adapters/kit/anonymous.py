"""Recordings without anybody's data: personal values are replaced, by the names of their fields and wherever else they
stand, and what still holds one is not written.

Two passes over all texts of a recording, requests and answers: ``note`` collects, ``text`` replaces. ``remaining`` is
the last look at the bytes that would be written.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from adapters.kit.invented import Inventor
from adapters.kit.names import NAME_PARTS, PERSONAL, Meaning, folded
from adapters.kit.personal import personal
from gateway.model.text import fold, nfc

_NAMES = frozenset({Meaning.NAME, *NAME_PARTS})
_RUN = re.compile(r"(?<!\d)(?:\d{12}|\d{9})(?!\d)")
_IN_TEXT = (
    (_RUN, Meaning.IDENTITY_NUMBER),
    (re.compile(r"(?<!\w)\d(?:[ .-]?\d){11}(?!\w)"), Meaning.IDENTITY_NUMBER),
    (re.compile(r"(?<![\w+])(?:\+?84|0)[ .-]?[35789](?:[ .-]?\d){8}(?!\d)"), Meaning.PHONE),
    (re.compile(r"(?<!\w)[A-Z]{2}[ .-]?\d(?:[ .-]?\d){12}(?!\d)"), Meaning.CARD_NUMBER),
    (re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w.-]{1,255}\w"), Meaning.EMAIL),
    (re.compile(r"(?<![A-Za-z0-9+/_=-])[A-Za-z0-9+/_=-]{64,}"), Meaning.CARD_NUMBER),
    (re.compile(r"(?<!\w)\d{1,2}([-/.])\d{1,2}\1(?:19|20)\d{2}(?!\w)"), Meaning.BIRTH_DATE),
    (re.compile(r"(?<!\w)(?:19|20)\d{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?!\w)"), Meaning.BIRTH_DATE),
)
"""What is a person's in any text, whatever its field is called."""
_OPAQUE = re.compile(r"(?:data:[^,]{0,100},)?[A-Za-z0-9+/_.=-]{64,}")
"""What nobody can look into: pictures, scans, certificates, tokens."""
_LINE_ENDS = re.compile(r"[\r\n]+[ \t]*")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?", re.ASCII)
_SHORTEST_TEXT, _SHORTEST_NUMBER, _SHORTEST_FOLDED = 2, 4, 5
_LONG_NUMBER = 8
"""Characters of a value that is looked for where its field does not stand: shorter ones occur by chance."""
_ISO_DAY = re.compile(r"(?:19|20)\d{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?!\d)")
_COMPACT_DAY = re.compile(r"(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:\d{6})?")
_DATED = re.compile("ngay|date|thoidiem|time")


class Anonymiser:
    """One recording. secret: random, thrown away with it. also: further personal fields, by name.

    never: names of fields that are no person's, though the dictionary thinks so.
    """

    def __init__(self, secret: bytes, *, also: Mapping[str, Meaning] = {}, never: Iterable[str] = ()) -> None:
        self._invent = Inventor(secret)
        self._also = {folded(name): meant for name, meant in also.items()}
        self._never = frozenset(folded(each) for each in never)
        self._real: dict[str, tuple[Meaning, str]] = {}
        self._joined: dict[str, str] = {}
        """Names and numbers as letters and digits alone, however they are written → field name."""
        self._pattern: re.Pattern[str] | None = None
        self.replaced: dict[str, int] = {}
        """Field name → how many of its values were replaced, for the report."""
        self.kept: dict[str, int] = {}

    def was_told(self, name: str) -> bool:
        """Whether somebody said of a field that it is a person's, or none's."""
        return (each := folded(name)) in self._also or each in self._never

    def note(self, way: tuple[str, ...], value: str) -> None:
        """See a text. way: names of the fields it is in, the outermost first."""
        meant = self._meant(way, value)
        name = way[-1] if way else ""
        if _opaque(value):
            return
        if meant is not None and value.strip():
            self._learn(value.strip(), meant, name)
        for pattern, known in _IN_TEXT:
            for found in pattern.finditer(nfc(value)):
                self._learn(found.group(), known, name)

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
        squeezed = _squeezed(text)
        found = {name for joined, name in self._joined.items() if joined in squeezed}
        known = self._known()
        if known.search(plain) or known.search(bare):  # more than what counts, and all at once
            found |= {name for value, (_, name) in self._real.items() if _left(value, plain, bare)}
        return tuple(sorted(found))

    def numbers_in(self, text: str) -> tuple[str, ...]:
        """The same for numbers alone, anywhere in a file: in names of fields, inside words."""
        long = {value: name for value, (_, name) in self._real.items() if len(value) >= _LONG_NUMBER}
        return tuple(sorted({name for value, name in long.items() if value.isdigit() and value in text}))

    def _learn(self, value: str, meant: Meaning, name: str) -> None:
        value = nfc(value)
        self._real.setdefault(value, (meant, name))
        number = re.sub(r"[ .+-]", "", value)
        if meant in _NAMES:
            self._invent.words.update(fold(word) for word in value.split())
            self._learn_parts(value.split(), name)
        elif meant not in {Meaning.BIRTH_DATE, Meaning.ADDRESS} and number.isdigit() and len(number) >= _LONG_NUMBER:
            self._real.setdefault(number.lstrip("0"), (meant, name))  # where it stands as a number
            self._joined[number] = name
        self._pattern = None

    def _learn_parts(self, words: list[str], name: str) -> None:
        """A name without its first words, too, as people are called: at least two words."""
        for start in range(len(words) - 1):
            part = " ".join(words[start:])
            self._real.setdefault(part, (Meaning.NAME, name))
            if len(joined := _squeezed(part)) >= _LONG_NUMBER:
                self._joined[joined] = name

    def _meant(self, way: tuple[str, ...], value: str) -> Meaning | None:
        """What a text means if it is personal."""
        name = folded(way[-1]) if way else ""
        if name in self._never:
            return None
        if (known := self._also.get(name)) in PERSONAL:
            return known
        bare = value.strip()
        if (known := personal(way, bare)) is not None:
            return known
        if _opaque(value):
            return Meaning.CARD_NUMBER
        if _ISO_DAY.match(bare) or (_DATED.search(name) and _COMPACT_DAY.fullmatch(bare)):
            return Meaning.BIRTH_DATE
        return None

    def _everywhere(self, value: str) -> str:
        """Real values that stand in a text of another field: in a message, a note, an id made of a number."""
        return self._known().sub(lambda found: self._instead(found.group()), nfc(value))

    def _known(self) -> re.Pattern[str]:
        """All real values, as they are and folded, in any case."""
        if self._pattern is None:
            known = [each for each in self._real if _searched(each)]
            known += [fold(each) for each in known if len(each) >= _SHORTEST_FOLDED]
            alternatives = "|".join(re.escape(each) for each in sorted(set(known), key=len, reverse=True))
            self._pattern = re.compile(rf"(?<!\w)(?:{alternatives})(?!\w)", re.IGNORECASE) if known else _RUN
        return self._pattern

    def _instead(self, found: str) -> str:
        if found in self._real:
            return self._invent(self._real[found][0], found)
        for value, (meant, _) in self._real.items():
            if fold(value) == fold(found):
                made = self._invent(meant, value)
                return fold(made) if found == fold(found) else made
        return self._invent(Meaning.IDENTITY_NUMBER, found)


def _opaque(value: str) -> bool:
    return _OPAQUE.fullmatch(_LINE_ENDS.sub("", value.strip())) is not None


def _squeezed(text: str) -> str:
    return "".join(each for each in fold(text) if each.isalnum())


def _searched(value: str) -> bool:
    return len(value) >= (_SHORTEST_NUMBER if value.isdigit() else _SHORTEST_TEXT)


def _left(value: str, plain: str, bare: str) -> bool:
    """Whether a value stands in a text. bare: the text, folded."""
    if not _searched(value):
        return False
    return _stands(value, plain) or (len(value) >= _SHORTEST_FOLDED and _stands(fold(value), bare))


def _stands(value: str, text: str) -> bool:
    return value in text and re.search(rf"(?<!\w){re.escape(value)}(?!\w)", text) is not None


def names_somebody(document: Any) -> bool:
    """Whether a field of a JSON document is called after a person: by a number, a phone or an address of theirs."""
    if isinstance(document, dict):
        return any(_is_of_somebody(name) or names_somebody(value) for name, value in document.items())
    return isinstance(document, list) and any(map(names_somebody, document))


def _is_of_somebody(name: str) -> bool:
    return any(meant is not Meaning.BIRTH_DATE and pattern.search(nfc(name)) for pattern, meant in _IN_TEXT)


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
    if isinstance(document, int | Decimal) and not isinstance(document, bool):
        made = visit(way, str(document))
        if made is None or made == str(document):
            return document
        return int(made) if made.isdecimal() else Decimal(made) if _NUMBER.fullmatch(made) else made
    return document
