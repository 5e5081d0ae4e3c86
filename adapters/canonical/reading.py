"""Bytes of an old charset under a UTF-8 header (Q17): read by the charsets that the mapping declares, in their order.

One-byte charsets give some text for almost any bytes, so a reading counts only if it could be Vietnamese: nothing but
Vietnamese letters beyond ASCII, no marked capital after a small letter (TCVN3's ``ễ`` is windows-1258's ``Ô``), and no
two tones in one word. A foreigner's ``ç`` makes the answer undecodable rather than wrong.
"""

import re
from collections.abc import Callable

from gateway.model.charsets import Charset, decode

_SMALL = "àáảãạăằắẳẵặâầấẩẫậđèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵ"  # what Vietnamese has beyond ASCII
_FOREIGN = re.compile(rf"[^\x00-\x7f\u00a0“”‘’–—°{_SMALL}{_SMALL.upper()}]")
_CAPITAL_INSIDE = re.compile(rf"[a-z{_SMALL}][{_SMALL.upper()}]")


_TONED = "àáảãạằắẳẵặầấẩẫậèéẻẽẹềếểễệìíỉĩịòóỏõọồốổỗộờớởỡợùúủũụừứửữựỳýỷỹỵ"
_TWO_TONES = re.compile(rf"[{_TONED}{_TONED.upper()}][a-zA-Z{_SMALL}{_SMALL.upper()}]*[{_TONED}{_TONED.upper()}]")


def decoders(charsets: tuple[Charset, ...]) -> tuple[Callable[[bytes], str], ...]:
    """A decoder for each charset, which raises ValueError for bytes that are not Vietnamese in it."""
    return tuple(_decoder(charset) for charset in charsets)


def _decoder(charset: Charset) -> Callable[[bytes], str]:
    def read(data: bytes) -> str:
        text = decode(data, charset)
        if _FOREIGN.search(text) or _CAPITAL_INSIDE.search(text) or _TWO_TONES.search(text):
            raise ValueError("the text is not Vietnamese")
        return text

    return read
