"""Encoders for the code pages of old Vietnamese systems, which Python lacks or has for decomposed text only."""

import unicodedata
from typing import Final

_TONES: Final = {"\u0300", "\u0301", "\u0303", "\u0309", "\u0323"}

_VN3: Final = dict(
    zip(
        "ĂÂÊÔƠƯĐăâêôơưđàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ",
        bytes.fromhex(
            "a1a2a3a4a5a6a7a8a9aaabacadae"
            "b5b6b7b8b9bbbcbdbec6c7c8c9cacb"
            "cccecfd0d1d2d3d4d5d6d7d8dcddde"
            "dfe1e2e3e4e5e6e7e8e9eaebecedee"
            "eff1f2f3f4f5f6f7f8f9fafbfcfdfe"
        ),
        strict=True,
    )
)
"""TCVN 5712:1993, the set VN3: capitals with a tone mark are not in it; fonts of capitals showed the small letters."""


def tcvn3(text: str) -> bytes:
    """Encode as VN3; capitals with a tone become small, as in the field. Raises UnicodeEncodeError otherwise."""
    out = bytearray()
    for char in unicodedata.normalize("NFC", text):
        code = _VN3.get(char, _VN3.get(char.lower()) if ord(char) > 127 else None)  # noqa: PLR2004 - beyond ASCII
        out += bytes([code]) if code is not None else char.encode("ascii")
    return bytes(out)


def windows_1258(text: str) -> bytes:
    """Encode as windows-1258: a letter that is not in the page is its base followed by the tone mark."""
    out = bytearray()
    for char in unicodedata.normalize("NFC", text):
        try:
            out += char.encode("cp1258")
        except UnicodeEncodeError:
            parts = unicodedata.normalize("NFD", char)
            base = unicodedata.normalize("NFC", "".join(p for p in parts if p not in _TONES))
            out += (base + "".join(p for p in parts if p in _TONES)).encode("cp1258")
    return bytes(out)
