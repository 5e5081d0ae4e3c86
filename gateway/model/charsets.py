"""Decoding what agencies send: UTF-8, UTF-16, Windows-1258, and the two old encodings that Python has no codec for.

Which one a source uses is declared in its mapping, never guessed. Decoding is strict: bytes that make no sense in the
declared encoding are an error (the adapter's INVALID_REPLY), never a replacement character. The Vietnamese single-byte
encodings come out in NFC, and neither control characters nor a tone mark without its vowel pass, since these are how a
wrongly declared encoding shows.
"""

import re
import unicodedata
from enum import StrEnum


class Charset(StrEnum):
    """Encodings that a mapping may declare."""

    UTF_8 = "utf-8"
    """A byte order mark is dropped."""
    UTF_16 = "utf-16"
    """With its byte order mark, which is required."""
    UTF_16_LE = "utf-16-le"
    UTF_16_BE = "utf-16-be"
    WINDOWS_1258 = "windows-1258"
    TCVN3 = "tcvn3"
    """TCVN 5712:1993 (ABC): one byte a letter. Capitals with tones have codes only in the full set (VN1), which is
    read; text set in a capitals-only font (".VnTimeH") arrives in the lower case that its bytes say."""
    VNI = "vni"
    """VNI Windows: a letter, then a byte for its marks."""


class UndecodableError(ValueError):
    """The bytes are not text in the declared encoding. Names encoding and offset, never the bytes."""

    def __init__(self, charset: Charset, offset: int) -> None:
        super().__init__(f"not {charset.value} at byte {offset}")
        self.charset = charset
        self.offset = offset


def decode(data: bytes, charset: Charset) -> str:
    """The text of ``data``. Raises UndecodableError."""
    match charset:
        case Charset.TCVN3:
            return _composed(_tcvn3(data), charset)
        case Charset.VNI:
            return _vni(data)
        case Charset.WINDOWS_1258:
            _refuse_controls(data, charset)
            return _composed(_python(data, "cp1258", charset), charset)
        case Charset.UTF_8:
            return _python(data, "utf-8-sig", charset)
        case Charset.UTF_16:
            if data[:2] not in {b"\xff\xfe", b"\xfe\xff"}:
                raise UndecodableError(charset, 0)
            return _python(data, "utf-16", charset)
        case Charset.UTF_16_LE | Charset.UTF_16_BE:
            return _python(data, charset.value, charset)


def _python(data: bytes, codec: str, charset: Charset) -> str:
    try:
        return data.decode(codec)
    except UnicodeDecodeError as error:
        raise UndecodableError(charset, error.start) from None


_CONTROLS = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_MARKED = re.compile("([^\u0300\u0301\u0303\u0309\u0323]?)([\u0300\u0301\u0303\u0309\u0323]+)")


def _refuse_controls(data: bytes, charset: Charset) -> None:
    found = _CONTROLS.search(data)
    if found:
        raise UndecodableError(charset, found.start())


def _composed(text: str, charset: Charset) -> str:
    """NFC of a text with one character for each byte."""
    for found in _MARKED.finditer(text):
        if not found[1] or len(unicodedata.normalize("NFC", found[0])) != 1:
            raise UndecodableError(charset, found.start(2))
    return unicodedata.normalize("NFC", text)


# -- TCVN 5712:1993, VN1 -----------------------------------------------------------------------------------------------

_TCVN3_LOW = {
    **dict(zip((0x01, 0x02, 0x04, 0x05, 0x06), "ÚỤỪỬỮ", strict=True)),
    **dict(zip(range(0x11, 0x18), "ỨỰỲỶỸÝỴ", strict=True)),
}
_TCVN3_HIGH = (
    "ÀẢÃÁẠẶẬÈẺẼÉẸỆÌỈĨ"  # 80
    "ÍỊÒỎÕÓỌỘỜỞỠỚỢÙỦŨ"  # 90
    "\N{NO-BREAK SPACE}ĂÂÊÔƠƯĐăâêôơưđẰ"  # A0
    "\u0300\u0309\u0303\u0301\u0323àảãáạẲằẳẵắẴ"  # B0: five tone marks, then letters
    "ẮẦẨẪẤỀặầẩẫấậèỂẻẽ"  # C0
    "éẹềểễếệìỉỄẾỒĩíịò"  # D0
    "Ổỏõóọồổỗốộờởỡớợù"  # E0
    "ỖủũúụừửữứựỳỷỹýỵỐ"  # F0
)
_TCVN3_BYTES = {byte: chr(byte) for byte in (*b"\t\n\r", *range(0x20, 0x7F))} | _TCVN3_LOW
_TCVN3_BYTES |= dict(zip(range(0x80, 0x100), _TCVN3_HIGH, strict=True))
_TCVN3 = [_TCVN3_BYTES.get(byte) for byte in range(256)]


def _tcvn3(data: bytes) -> str:
    letters = []
    for offset, byte in enumerate(data):
        letter = _TCVN3[byte]
        if letter is None:
            raise UndecodableError(Charset.TCVN3, offset)
        letters.append(letter)
    return "".join(letters)


# -- VNI Windows -------------------------------------------------------------------------------------------------------

_GRAVE, _HOOK, _TILDE, _ACUTE, _DOT = "\u0300", "\u0309", "\u0303", "\u0301", "\u0323"
_CIRCUMFLEX, _BREVE = "\u0302", "\u0306"
_VNI_TONES = {0xF8: _GRAVE, 0xFB: _HOOK, 0xF5: _TILDE, 0xF9: _ACUTE, 0xEF: _DOT}
_VNI_CIRCUMFLEX = {0xE2: "", 0xE0: _GRAVE, 0xE5: _HOOK, 0xE3: _TILDE, 0xE1: _ACUTE, 0xE4: _DOT}
_VNI_BREVE = {0xEA: "", 0xE8: _GRAVE, 0xFA: _HOOK, 0xFC: _TILDE, 0xE9: _ACUTE, 0xEB: _DOT}
_VNI_ALONE = {0xEC: "ì", 0xE6: "ỉ", 0xF3: "ĩ", 0xED: "í", 0xF2: "ị", 0xEE: "ỵ", 0xF1: "đ", 0xF4: "ơ", 0xF6: "ư"}
_CASE = 0x20  # as in Latin-1, a capital's code lies so much below its small letter's


def _vni_pairs() -> dict[tuple[str, int], str]:
    """(letter, mark byte) → letter, small ones."""
    pairs = {(base, byte): base + tone for base in "aeouơưy" for byte, tone in _VNI_TONES.items()}
    del pairs["y", 0xEF]  # ỵ has a code of its own
    pairs |= {(base, byte): base + _CIRCUMFLEX + tone for base in "aeo" for byte, tone in _VNI_CIRCUMFLEX.items()}
    pairs |= {("a", byte): "a" + _BREVE + tone for byte, tone in _VNI_BREVE.items()}
    return {key: unicodedata.normalize("NFC", value) for key, value in pairs.items()}


def _vni_alone() -> dict[int, str]:
    """Bytes that are a character by themselves: ASCII, Windows' punctuation below C0, and some letters."""
    alone = {byte: chr(byte) for byte in (*b"\t\n\r", *range(0x20, 0x7F), *range(0xA0, 0xC0))}
    alone |= {byte: bytes([byte]).decode("cp1252") for byte in range(0x80, 0xA0) if byte not in b"\x81\x8d\x8f\x90\x9d"}
    alone |= _VNI_ALONE
    return alone | {byte - _CASE: letter.upper() for byte, letter in _VNI_ALONE.items()}


_PAIRS = _vni_pairs()
_PAIRS |= {(base.upper(), byte - _CASE): letter.upper() for (base, byte), letter in _PAIRS.items()}
_ALONE = _vni_alone()


def _vni(data: bytes) -> str:
    letters: list[str] = []
    before = ""  # the letter that a mark may still follow
    for offset, byte in enumerate(data):
        marked = _PAIRS.get((before, byte))
        if marked is not None:
            letters[-1], before = marked, ""
            continue
        letter = _ALONE.get(byte)
        if letter is None:
            raise UndecodableError(Charset.VNI, offset)
        letters.append(letter)
        before = letter
    return "".join(letters)
