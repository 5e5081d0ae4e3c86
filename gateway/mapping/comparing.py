"""Is what a source holds what was asked about? Names and dates are compared as people would, without guessing."""

from unicodedata import normalize

from gateway.model.text import fold

_TONES = frozenset("\u0300\u0301\u0303\u0309\u0323")
"""Grave, acute, tilde, hook above, dot below."""


def same_name(asked: str, held: str) -> bool:
    """Whether two spellings are one name.

    Case and spacing do not count, nor on which vowel of a syllable its tone stands (``Hoà``, ``Hòa``). Where the asked
    name has no marks at all it was written without them, and marks do not count.
    """
    if asked == held:
        return True
    if asked.isascii():
        return fold(asked) == fold(held)
    return _syllables(asked) == _syllables(held)


def _syllables(name: str) -> list[tuple[str, list[str]]]:
    """Each syllable's letters without tone, and its tones."""
    syllables = []
    for syllable in normalize("NFD", name.casefold()).split():
        letters = "".join([letter for letter in syllable if letter not in _TONES])
        syllables.append((normalize("NFC", letters), [letter for letter in syllable if letter in _TONES]))
    return syllables
