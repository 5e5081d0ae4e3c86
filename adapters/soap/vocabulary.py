"""The names in messages of strangers: libxml2 remembers every one that it ever saw, for as long as its thread lives.

Found in the bytes, before libxml2 is shown them.
"""

import re
from collections.abc import Iterable

from msgspec import Struct

from gateway.model.errors import ExchangeError
from gateway.model.errors.gateway import OVERLOADED
from gateway.model.errors.soap import INVALID_XML

NAMES_KEPT = 16 * 1024 * 1024
"""Bytes of names, of all proved messages together, that the process may remember; far more than any country's services
have.
"""
NAMES_OF_ONE = 1024 * 1024
"""Of these, most that one caller may add, so that none takes away from the others: some seven thousand."""
_OVERHEAD = 128
"""Bytes that a name costs beside itself, in libxml2 and here."""
SUSPECT = (b"include", b"chemaLocation")
"""In names of elements and attributes that are refused where they have their usual meaning; never known well."""
_MOST_NAMES = 4096
_MOST_NAMESPACES = 128
_LONGEST_NAME = 1024
_LONGEST_SHAPE = 16384
_MOST_SHAPES = 256

_TAG = re.compile(rb"<[^!?>][^>]*")
"""A start or end tag: in what is not well-formed, names of end tags are others than those of start tags."""
_QUOTED = re.compile(rb"\"[^\"<]*\"|'[^'<]*'")
_QUOTE = re.compile(rb"[\"']")
_WHOLE_TAG = re.compile(rb"""<[^!?>](?:"[^"<]*"|'[^'<]*'|["'][^<]*|[^<>"']++)*+""")
"""A tag with all that its values hold; of one whose quotes do not match, all that could be taken for its names."""
_WORD = re.compile(rb"""[^\s=<>"'/]+""")
"""What is left of tags without their values: names of elements and attributes, with a value or not."""
_INSTRUCTION = re.compile(rb"<\?[^\s?>]*")
_ENTITY = re.compile(rb"""&[^\s;#<>&"']+""")
_ENTITIES = (b"&amp", b"&lt", b"&gt", b"&quot", b"&apos")
_REFERENCES = (*[each + b";" for each in _ENTITIES], b"&#")
"""What everybody may use, and what stands for a character: no names."""
_NAMESPACE = re.compile(rb"""\s(xmlns(?::[^\s=]+)?\s*=\s*(?:"[^"]*"|'[^']*'))""")
_BLANK = re.compile(rb">([ \t\r\n]{8,120})<")
"""White space that libxml2 remembers as it does names: up to 59 characters that are all of a text."""


class Looked(Struct, frozen=True):
    """A document, looked at. octets: UTF-8. attributes: that an element has at most. new: tokens that nobody proved.
    usual: none of its names is one of ``SUSPECT``.
    """

    octets: bytes
    attributes: int
    new: frozenset[bytes]
    usual: bool = False


class Vocabulary:
    """The names that libxml2 is shown for good: ours, and those of proved messages. most: bytes of the latter, share:
    of one caller's.

    A name is a local name, a prefix or a namespace. What holds a new one must be read in a thread of its own until it
    is proved: with the thread goes what libxml2 remembers, so that strangers leave nothing and take nothing away.
    """

    def __init__(self, most: int = NAMES_KEPT, share: int = NAMES_OF_ONE) -> None:
        self._room = most
        self._share = share
        self._added: dict[str, int] = {}
        """Caller → bytes of names that it added."""
        self._room_for_tokens = most // 4
        self._names: set[bytes] = set()
        self._known: set[bytes] = set(_ENTITIES)
        """Tokens as messages have them, of which all names are known: saves looking at them again."""
        self._pieces: set[bytes] = set()
        """What stands between the values of tags, of which all names are known."""
        self._shapes: dict[bytes, tuple[int, ...]] = {}
        """Messages' tags without their values → which of the values are namespaces."""

    def learn(self, names: Iterable[bytes]) -> None:
        """Names of ours: they take no room."""
        self._names.update(names)

    def look(self, data: bytes) -> Looked:
        """Refuse what is too much, else find what is new. Raises ExchangeError (client.invalid_xml).

        Tags without attributes are names by themselves, so of a message of known elements little is looked through.
        """
        tags = _TAG.findall(data)
        usual = data.count(b"&") == sum(map(data.count, _REFERENCES)) if b"&" in data else True
        if (not usual or b"<?" in data) and (new := self._elsewhere(data)):
            looked = self._closely(data, set(tags))
            return Looked(data, looked.attributes, looked.new | new)
        cut = None if 2 * len(tags) > _LONGEST_SHAPE else _cut(tags)
        shape = b"" if cut is None else b'"'.join(cut[0])
        places = self._shapes.get(shape)
        blank = self._known.issuperset(_BLANK.findall(data))
        if cut is not None and places is not None and blank and self._names.issuperset([cut[1][at] for at in places]):
            return Looked(data, len(cut[1]), frozenset(), usual=True)
        looked = self._by_pieces(data, set(tags) - self._known, blank=blank)
        if cut is not None and not looked.new:
            self._learn_shape(shape, cut[0])
        return looked

    def _elsewhere(self, data: bytes) -> frozenset[bytes]:
        """New names of entities and processing instructions, whether or not they are refused later on."""
        tokens = set(_ENTITY.findall(data)).union(_INSTRUCTION.findall(data)) - self._known
        if len(tokens) > _MOST_NAMES:
            raise _too_many()
        return self._unknown(tokens) if tokens else frozenset()

    def _by_pieces(self, data: bytes, new: set[bytes], *, blank: bool) -> Looked:
        usual = self._usual(new)
        if blank and usual is not None:
            return Looked(data, usual, frozenset(), usual=True)
        looked = self._closely(data, new)
        if not looked.new:
            self._learn_pieces(new)
        return looked

    def _learn_shape(self, shape: bytes, pieces: list[bytes]) -> None:
        """All names in a message of this shape are known, but for its namespaces."""
        places = tuple([at for at, piece in enumerate(pieces) if b"xmlns" in piece])
        if len(shape) > _LONGEST_SHAPE or len(places) > _MOST_NAMESPACES or not _plain({shape}):
            return
        if len(self._shapes) >= _MOST_SHAPES:
            self._shapes.clear()
        self._shapes[shape] = places

    def _usual(self, tags: set[bytes]) -> int | None:
        """How many attributes stand in tags of which all pieces are known; None where that takes a closer look."""
        cut = _cut(tags)
        if cut is None or not self._pieces.issuperset(cut[0]):
            return None
        namespaces = {value for piece, value in zip(*cut, strict=False) if b"xmlns" in piece}
        if len(namespaces) > _MOST_NAMESPACES or not self._names.issuperset(namespaces):
            return None
        return len(cut[1])

    def _learn_pieces(self, tags: set[bytes]) -> None:
        """All names in these tags are known."""
        cut = _cut(tags)
        pieces = set() if cut is None else _plain(set(cut[0]) - self._pieces)
        if (size := _size(pieces)) <= self._room_for_tokens:
            self._room_for_tokens -= size
            self._pieces |= pieces

    def _closely(self, data: bytes, new: set[bytes]) -> Looked:
        plain = {tag for tag in new if b"=" not in tag}
        text = b"".join(new - plain)
        bare = _QUOTED.sub(b" ", text)
        if _QUOTE.search(bare):  # a value holds ">": tags were cut in the wrong place
            plain, text = set(), b"".join(_WHOLE_TAG.findall(data))
            bare = _QUOTED.sub(b" ", text)
        names = plain.union(_WORD.findall(bare))
        namespaces = set(_NAMESPACE.findall(text))
        if len(names) > _MOST_NAMES or len(namespaces) > _MOST_NAMESPACES:
            raise _too_many()
        tokens = (names | namespaces).union(_BLANK.findall(data)) - self._known
        return Looked(data, bare.count(b"="), self._unknown(tokens) if tokens else frozenset())

    def _unknown(self, tokens: set[bytes]) -> frozenset[bytes]:
        names = {name: token for token in tokens for name in _names(token)}
        if any(len(name) > _LONGEST_NAME for name in names):
            raise ExchangeError(INVALID_XML, "a name is too long")
        new = names.keys() - self._names
        if not new and (size := _size(tokens)) <= self._room_for_tokens:
            self._room_for_tokens -= size
            self._known |= _plain(tokens)
        return frozenset([names[name] for name in new])

    def remember(self, looked: Looked, caller: str = "") -> None:
        """Learn what is new in a proved message of a caller. Raises ExchangeError (overloaded)."""
        names = {name for token in looked.new for name in _names(token)} - self._names
        size = _size(names)
        added = self._added.get(caller, 0) + size
        if size > self._room or added > self._share:
            raise ExchangeError(OVERLOADED, "names that were never seen here are not taken any more")
        self._room -= size
        self._added[caller] = added
        self._names |= names


def _too_many() -> ExchangeError:
    return ExchangeError(INVALID_XML, "there are too many different names or namespaces")


def _cut(tags: Iterable[bytes]) -> tuple[list[bytes], list[bytes]] | None:
    """Tags cut at their quotes: what stands outside of values, and the values, by turns.

    None where some value may hold a quote or the end of its tag, so that inside and outside could change places: then a
    value would hold the start of a tag, or the last one would not end.
    """
    text = b"".join(tags)
    pieces = text.split(b'"')
    values = pieces[1::2]
    if len(pieces) % 2 == 0 or b"'" in text or b"<" in b"".join(values):
        return None
    return pieces[::2], values


def _plain(tokens: set[bytes]) -> set[bytes]:
    return {token for token in tokens if not any(name in token for name in SUSPECT)}


def _size(texts: set[bytes]) -> int:
    return sum(len(text) + _OVERHEAD for text in texts)


def _names(token: bytes) -> list[bytes]:
    """The names in a token: of ``<p:name``, ``p:name``, or ``xmlns:p="uri"`` (whose prefix is a token of its own)."""
    quote = _QUOTE.search(token)
    if quote:
        return [token[quote.end() : -1]]
    return token.strip(b"</ \t\r\n").split(b":") if not token.isspace() else [token]
