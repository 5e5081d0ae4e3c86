"""Which field of a recording is a person's: more than the dictionary of whole names, since a wrong guess costs little.

A field is also personal if a known name is a part of its own (``hoTenCha``), or it stands inside a known structure
(``name/full``), or says whose name it holds (``nguoiKy``).
"""

import re
from functools import lru_cache

from adapters.kit.names import MEANINGS, NAME_PARTS, PARTS, PERSONAL, Meaning, folded, meaning, snake

_SHORTEST_PART = 5
"""Characters of a known name that is looked for inside other names."""
_INSIDE = {name: meant for name, meant in MEANINGS.items() if len(name) >= _SHORTEST_PART and meant in PERSONAL}
_INSIDE |= {"cccd": Meaning.IDENTITY_NUMBER, "cmnd": Meaning.OLD_CARD_NUMBER, "street": Meaning.ADDRESS}
_LONGEST_FIRST = sorted(_INSIDE, key=len, reverse=True)
_SOMEBODY = frozenset(
    {
        *("cha", "bo", "me", "vo", "chong", "con", "ong", "ba", "nguoi", "canbo", "chuho", "daidien", "congdan"),
        *("father", "mother", "husband", "wife", "spouse", "child", "owner", "officer", "applicant", "requester"),
        *("representative", "signer", "person", "citizen", "holder", "user"),
    }
)
_FIRST = frozenset({"nguoi", "chu"})
_NAMED = frozenset({"ten", "name", "ho"})
_PLACES = frozenset(
    {
        *(Meaning.ADDRESS, Meaning.RESIDENCE, Meaning.CURRENT_ADDRESS, Meaning.HOMETOWN),
        Meaning.BIRTH_REGISTRATION_PLACE,
    }
)
_NAMES = frozenset({Meaning.NAME, *NAME_PARTS})
_CODE = re.compile(r"[0-9]+|[A-Z]{1,3}")
_DATE = re.compile(r"[0-9]{4}(?:-?[0-9]{2}){0,2}(?![0-9]).*|[0-9]{1,2}([-/.])[0-9]{1,2}\1[0-9]{4}.*", re.DOTALL)
_REAL_NAME = re.compile(r"[^\W\d_][^\d_]*\s[^\d_]+")


def personal(way: tuple[str, ...], value: str) -> Meaning | None:
    """What a text means by the names of the fields it is in, if it is a person's. value: without white space around."""
    if not way:
        return None
    *above, last = way
    name = folded(last)
    known = meaning(last)
    if known in PERSONAL:
        return known
    if PARTS.get(name) == "detail":
        return Meaning.ADDRESS
    for outer in reversed(above):
        found = _within(_outer(outer), value)
        if found is not None:
            return found
    return _guessed(last, name, value)


def _within(outer: Meaning | None, value: str) -> Meaning | None:
    """What stands inside a structure of that meaning."""
    if outer in _NAMES:
        return Meaning.NAME
    if outer is Meaning.BIRTH_DATE:
        return Meaning.BIRTH_DATE if _DATE.fullmatch(value) else None
    if outer in _PLACES:
        return None if _CODE.fullmatch(value) else Meaning.ADDRESS
    return None


@lru_cache(maxsize=1024)
def _outer(name: str) -> Meaning | None:
    return Meaning.NAME if folded(name) == "name" else meaning(name)


def _guessed(last: str, name: str, value: str) -> Meaning | None:
    for part in _LONGEST_FIRST:
        if part in name:
            guess = _INSIDE[part]
            if guess in _NAMES | _PLACES and _CODE.fullmatch(value):
                return None
            return None if guess is Meaning.BIRTH_DATE and not _DATE.fullmatch(value) else guess
    words = snake(last).split("_")
    if name == "place":
        return None if _CODE.fullmatch(value) else Meaning.ADDRESS
    somebody = name in _SOMEBODY or not _SOMEBODY.isdisjoint(words) or words[0] in _FIRST
    if somebody and (_REAL_NAME.fullmatch(value) or not _NAMED.isdisjoint(words)):
        return None if _CODE.fullmatch(value) else Meaning.NAME
    return None
