"""The texts of a recording: walked, also where a document travels as text inside another, and made nobody's."""

import re
from typing import Any

from adapters.kit.anonymous import Anonymiser, names_somebody, walk_json
from adapters.kit.names import NAME_PARTS, Meaning, meaning
from adapters.soap.inferring_samples import walk_xml
from adapters.soap.xml import UnreadableXmlError
from gateway.mapping.document import Form, MappingDocument
from gateway.model.errors import ExchangeError
from gateway.model.errors.kit import RECORDING_UNSAFE, SAMPLE_UNUSABLE
from gateway.model.jsontext import encode
from gateway.validation.strict_json import parse_json

_BOM = b"\xef\xbb\xbf"
_DOCUMENT = re.compile(
    r"""\ufeff?\s*(?:<[?!A-Za-z_]|\{\s*["'}]|\[\s*(?:[\[{"']|-?[0-9][0-9.eE+-]*\s*,)|"\s*[\\{\["<])"""
)
"""How a text begins in which a document travels: XML, JSON, or JSON written as a text once more."""
_DEEPEST = 3
"""Documents within documents within a recording."""


def meant(document: MappingDocument, personal: tuple[str, ...]) -> dict[str, Meaning]:
    """Field names of the provider that the mapping says are a person's, and those that the integrator names."""
    found = dict.fromkeys(personal, Meaning.CARD_NUMBER)
    for shape in document.shape.values():
        for field in shape.fields:
            name = (field.from_ or "").rpartition("/")[2]
            known = meaning(field.to.rpartition("/")[2])
            if field.as_ in {Form.NAME, Form.WHOLE_NAME}:
                known = Meaning.NAME
            parts = {part: path for part, path in field.parts.items() if part in set(NAME_PARTS.values())}
            found |= dict.fromkeys((path.rpartition("/")[2] for path in parts.values()), Meaning.NAME)
            if name and known is not None and not field.parts:
                found[name] = known
    return found


class Texts:
    """Walks documents, and documents that travel as text inside them."""

    def __init__(self, cleaner: Anonymiser) -> None:
        self.cleaner = cleaner

    def note(self, data: bytes) -> None:
        """See every text."""
        self._walk(data, self._noted, 0, ())

    def clean(self, data: bytes) -> bytes:
        """The document with invented values."""
        return self._walk(data, self._replaced, 0, ())

    def remaining(self, data: bytes) -> tuple[str, ...]:
        """Personal fields of which something is left, in texts, in names of fields, and numbers in the bytes."""
        found: set[str] = set()

        def look(way: tuple[str, ...], text: str, _: int) -> None:
            for each in (*way, text):
                found.update(self.cleaner.remaining(each))

        self._walk(data, look, 0, ())
        found.update(self.cleaner.numbers_in(data.decode("utf-8", "replace")))
        return tuple(sorted(found))

    def _noted(self, way: tuple[str, ...], text: str, depth: int) -> None:
        if self._inner(way, text, self._noted, depth) is None:
            self.cleaner.note(way, text)

    def _replaced(self, way: tuple[str, ...], text: str, depth: int) -> str:
        inner = self._inner(way, text, self._replaced, depth)
        return self.cleaner.text(way, text) if inner is None else inner.decode()

    def _inner(self, way: tuple[str, ...], text: str, visit: Any, depth: int) -> bytes | None:
        """A document inside a text, walked; None where the text is none. What looks like one is never taken as text."""
        if _DOCUMENT.match(text) is None:
            return None
        name = way[-1] if way else "the answer"
        if depth >= _DEEPEST:
            raise ExchangeError(RECORDING_UNSAFE, f"{name} holds documents within documents, too deep to look")
        try:
            return self._walk(text.encode(), visit, depth + 1, way)
        except ExchangeError as error:
            if error.kind is RECORDING_UNSAFE:
                raise
            if way and self.cleaner.was_told(name):
                return None
            raise ExchangeError(RECORDING_UNSAFE, f"{name} holds a document that cannot be read") from None

    def _walk(self, data: bytes, visit: Any, depth: int, above: tuple[str, ...]) -> bytes:
        def each(way: tuple[str, ...], text: str) -> Any:
            return visit((*above, *(name.removeprefix("@") for name in way)), text, depth)

        data = data.removeprefix(_BOM)
        if not data.strip():
            return data
        if data.lstrip()[:1] == b"<":
            try:
                return walk_xml(data, each)
            except UnreadableXmlError as error:
                raise ExchangeError(SAMPLE_UNUSABLE, f"the answer is no XML that can be kept: {error}") from error
        try:
            document = parse_json(data)
        except (ExchangeError, ValueError):
            raise ExchangeError(SAMPLE_UNUSABLE, "the answer is neither JSON nor XML that can be looked into") from None
        # Names are kept as they are, and told in errors and reports: so this comes first.
        if visit == self._noted and names_somebody(document):
            raise ExchangeError(
                RECORDING_UNSAFE, "a field is called after a person: by a number, a phone or an address"
            )
        return encode(walk_json(document, each))
