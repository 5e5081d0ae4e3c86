"""``Motlan-Purpose``: an RFC 9651 string with the legal basis as a parameter, ``"1.001193";basis="ND-63/2024"``."""

import re
from functools import lru_cache

from gateway.model.envelope import Purpose

_STRING = r'"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"'
_PURPOSE = re.compile(rf"{_STRING}(?:; *basis={_STRING})?")
_ESCAPED = re.compile(r'\\(["\\])')


@lru_cache(maxsize=4096)
def parse_purpose(value: str) -> Purpose:
    """The purpose in a header's value. Raises ValueError for anything but a string with at most a ``basis``.

    Stricter than RFC 9651 on purpose: an unknown parameter might restrict what the caller means.
    """
    match = _PURPOSE.fullmatch(value.strip(" "))
    if match is None:
        raise ValueError('Motlan-Purpose is written "procedure code";basis="legal basis"')
    code, basis = match.groups()
    return Purpose(_ESCAPED.sub(r"\1", code), None if basis is None else _ESCAPED.sub(r"\1", basis))


def write_purpose(purpose: Purpose) -> str | None:
    """The header's value for a purpose; None for one that a header cannot carry (RFC 9651 §3.3.3: ASCII)."""
    texts = [purpose.code] if purpose.basis is None else [purpose.code, purpose.basis]
    if not all(text.isascii() and text.isprintable() for text in texts):
        return None
    written = [f'"{text.replace(chr(92), chr(92) * 2).replace(chr(34), chr(92) + chr(34))}"' for text in texts]
    return ";basis=".join(written)
