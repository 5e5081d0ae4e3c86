"""The 134 Vietnamese letters beyond ASCII with their bytes in the old encodings, and encoders made of these tables.

Written down from the encodings' published tables, apart from the product's, so that an error would have to be made twice.
"""

import unicodedata

SMALL = "àảãáạăằẳẵắặâầẩẫấậđèẻẽéẹêềểễếệìỉĩíịòỏõóọôồổỗốộơờởỡớợùủũúụưừửữứựỳỷỹýỵ"
CAPITAL = "ÀẢÃÁẠĂẰẲẴẮẶÂẦẨẪẤẬĐÈẺẼÉẸÊỀỂỄẾỆÌỈĨÍỊÒỎÕÓỌÔỒỔỖỐỘƠỜỞỠỚỢÙỦŨÚỤƯỪỬỮỨỰỲỶỸÝỴ"
LETTERS = SMALL + CAPITAL
assert len(set(LETTERS)) == 134
assert all(unicodedata.is_normalized("NFC", letter) for letter in LETTERS)


def _hex(*rows):
    return bytes.fromhex("".join(rows))


TCVN3 = dict(
    zip(
        LETTERS,
        _hex(
            "b5b6b7b8b9 a8bbbcbdbec6 a9c7c8c9cacb ae cccecfd0d1 aad2d3d4d5d6 d7d8dcddde dfe1e2e3e4",
            "abe5e6e7e8e9 aceaebecedee eff1f2f3f4 adf5f6f7f8f9 fafbfcfdfe",
            "8081828384 a1afbabfc085 a2c1c2c3c486 a7 8788898a8b a3c5cdd9da8c 8d8e8f9091 9293949596",
            "a4dbe0f0ff97 a598999a9b9c",
            "9d9e9f0102 a60405061112 1314151617",
        ),
        strict=True,
    )
)

VNI = dict(
    zip(
        LETTERS,
        # As the bytes look in Windows-1252: a letter and its mark.
        [
            "aø",
            "aû",
            "aõ",
            "aù",
            "aï",
            "aê",
            "aè",
            "aú",
            "aü",
            "aé",
            "aë",
            "aâ",
            "aà",
            "aå",
            "aã",
            "aá",
            "aä",
            "ñ",
            "eø",
            "eû",
            "eõ",
            "eù",
            "eï",
            "eâ",
            "eà",
            "eå",
            "eã",
            "eá",
            "eä",
            "ì",
            "æ",
            "ó",
            "í",
            "ò",
            "oø",
            "oû",
            "oõ",
            "où",
            "oï",
            "oâ",
            "oà",
            "oå",
            "oã",
            "oá",
            "oä",
            "ô",
            "ôø",
            "ôû",
            "ôõ",
            "ôù",
            "ôï",
            "uø",
            "uû",
            "uõ",
            "uù",
            "uï",
            "ö",
            "öø",
            "öû",
            "öõ",
            "öù",
            "öï",
            "yø",
            "yû",
            "yõ",
            "yù",
            "î",
            "AØ",
            "AÛ",
            "AÕ",
            "AÙ",
            "AÏ",
            "AÊ",
            "AÈ",
            "AÚ",
            "AÜ",
            "AÉ",
            "AË",
            "AÂ",
            "AÀ",
            "AÅ",
            "AÃ",
            "AÁ",
            "AÄ",
            "Ñ",
            "EØ",
            "EÛ",
            "EÕ",
            "EÙ",
            "EÏ",
            "EÂ",
            "EÀ",
            "EÅ",
            "EÃ",
            "EÁ",
            "EÄ",
            "Ì",
            "Æ",
            "Ó",
            "Í",
            "Ò",
            "OØ",
            "OÛ",
            "OÕ",
            "OÙ",
            "OÏ",
            "OÂ",
            "OÀ",
            "OÅ",
            "OÃ",
            "OÁ",
            "OÄ",
            "Ô",
            "ÔØ",
            "ÔÛ",
            "ÔÕ",
            "ÔÙ",
            "ÔÏ",
            "UØ",
            "UÛ",
            "UÕ",
            "UÙ",
            "UÏ",
            "Ö",
            "ÖØ",
            "ÖÛ",
            "ÖÕ",
            "ÖÙ",
            "ÖÏ",
            "YØ",
            "YÛ",
            "YÕ",
            "YÙ",
            "Î",
        ],
        strict=True,
    )
)


def encode_tcvn3(text):
    """TCVN 5712 VN1 bytes of a text of ASCII and Vietnamese letters."""
    return bytes(TCVN3.get(char, ord(char) if char < "\x80" else -1) for char in text)


def encode_vni(text):
    """VNI Windows bytes of a text of ASCII and Vietnamese letters."""
    return "".join(VNI.get(char, char) for char in text).encode("cp1252")


def encode_1258(text):
    """Windows-1258 bytes: letters that it has, and its five combining tones after them."""
    encoded = []
    for char in text:
        decomposed = unicodedata.normalize("NFD", char)
        tone = "".join(mark for mark in decomposed[1:] if mark in "\u0300\u0301\u0303\u0309\u0323")
        rest = unicodedata.normalize("NFC", "".join(part for part in decomposed if part not in tone or not tone))
        encoded.append((rest + tone).encode("cp1258"))
    return b"".join(encoded)
