"""Vietnamese text: normal form, folding for comparison, and the order of the alphabet.

Messages are digested and signed as received; only values of canonical data elements pass through here.
"""

import re
import unicodedata

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_INVISIBLE = frozenset({"Mn", "Me", "Cf"})
_D = str.maketrans({"đ": "d", "Đ": "D"})  # a letter of its own: no mark that decomposition could take off

_ALPHABET = "aăâbcdđeêfghijklmnoôơpqrstuưvwxyz"
_FIRST_DIGIT, _FIRST_LETTER, _FOREIGN = 0x10, 0x20, b"\xf0"
_PRIMARY = {letter: bytes([_FIRST_LETTER + place]) for place, letter in enumerate(_ALPHABET)} | {
    str(digit): bytes([_FIRST_DIGIT + digit]) for digit in range(10)
}
_QUALITY = "\N{COMBINING CIRCUMFLEX ACCENT}\N{COMBINING BREVE}\N{COMBINING HORN}"
# Dictionary order of the tones: ngang, huyền, hỏi, ngã, sắc, nặng.
_TONES = {
    mark: bytes([2 + place])
    for place, mark in enumerate(
        "\N{COMBINING GRAVE ACCENT}\N{COMBINING HOOK ABOVE}\N{COMBINING TILDE}"
        "\N{COMBINING ACUTE ACCENT}\N{COMBINING DOT BELOW}"
    )
}
_NO_TONE = b"\x01"
_LETTER = re.compile(r"(.)([\u0300-\u036f]*)", re.DOTALL)


def nfc(text: str) -> str:
    """Unicode normal form C, in which every canonical element is written."""
    return unicodedata.normalize("NFC", text)


def has_control(text: str) -> bool:
    """Whether a text holds control characters or line separators, which no name or code has."""
    return _CONTROL.search(text) is not None


def fold(text: str) -> str:
    """Upper case without marks, đ as D, single spaces: ``"Nguyễn  Đức"`` → ``"NGUYEN DUC"``.

    For comparing, and for sources that want names so; never for showing. Letters of other scripts stay what they are.
    """
    if not text.isascii():
        decomposed = unicodedata.normalize("NFD", text.upper())
        text = "".join(char for char in decomposed if unicodedata.category(char) not in _INVISIBLE).translate(_D)
    return " ".join(text.upper().split())


def sort_key(text: str) -> bytes:
    """A key that sorts texts in Vietnamese alphabetical order, word by word.

    Within a word letters count first (a ă â b c d đ e ê … ư v x y, foreign letters in their Latin places, other scripts
    last), then tones (ngang huyền hỏi ngã sắc nặng). Case and punctuation do not count.
    """
    return b"\0".join(_word_key(word) for word in unicodedata.normalize("NFD", text.lower()).split()) + b"\0"


def _word_key(word: str) -> bytes:
    primary, tones = bytearray(), bytearray()
    for base, marks in _LETTER.findall(word):
        quality = "".join(mark for mark in marks if mark in _QUALITY)
        letter = unicodedata.normalize("NFC", base + quality)
        weight = _PRIMARY.get(letter) or _PRIMARY.get(base)
        if weight is None:
            if not base.isalnum():
                continue
            weight = _FOREIGN + base.encode("utf-8", "surrogatepass")
        primary += weight
        tones += next((_TONES[mark] for mark in marks if mark in _TONES), _NO_TONE)
    return bytes(primary) + b"\0" + bytes(tones)
