"""Whether two sources say the same of an element."""

import unicodedata
from typing import Any

from gateway.onceonly.procedure import Compare


def same(one: Any, other: Any, how: Compare) -> bool:
    """Compare two values. Texts are compared in NFC whatever ``how`` says."""
    if how is Compare.DATE:
        first, second = _date(one), _date(other)
        shorter = min(len(first), len(second))
        return first[:shorter] == second[:shorter]
    return bool(_plain(one, how) == _plain(other, how))


def _date(value: Any) -> str:
    """A partial date's text: ``2001``, ``2001-05`` or ``2001-05-17``, alone or in an element."""
    return str(value.get("date", "")) if isinstance(value, dict) else str(value)


def _plain(value: Any, how: Compare) -> Any:
    if isinstance(value, str):
        return _name(value) if how is Compare.NAME else unicodedata.normalize("NFC", value)
    if isinstance(value, dict):
        return {name: _plain(member, how) for name, member in value.items()}
    if isinstance(value, list):
        return [_plain(item, how) for item in value]
    return value


_TONES = "\u0300\u0301\u0303\u0309\u0323"
"""Huyền, sắc, ngã, hỏi, nặng, as combining characters."""


def _name(text: str) -> str:
    """A name without its capitals and needless spaces, each word's tone behind it: ``Hoà`` and ``Hòa`` are one name."""
    words = []
    for word in unicodedata.normalize("NFD", text.casefold()).split():
        tones = [char for char in word if char in _TONES]
        words.append("".join([*(char for char in word if char not in _TONES), *tones]))
    return " ".join(words)
