"""Personal, card and insurance numbers of the generated people: unique, and leading back to the person's index.

A number's last six digits are a permutation of the index, so that no two of a million people share one, and a number is
looked up without holding anybody in memory.
"""

from typing import Final

CAPACITY: Final = 1_000_000
"""How many people there can be: the six free digits of a personal number."""

_FACTOR: Final = 618_033
_INVERSE: Final = pow(_FACTOR, -1, CAPACITY)
_OFFSETS: Final = {"identity": 271_828, "card": 314_159, "insurance": 577_215}


def _digits(index: int, kind: str) -> str:
    if not 0 <= index < CAPACITY + 5:  # the last family may be cut off; its rest is in nobody's register
        raise ValueError("there is room for a million people")
    return f"{(index * _FACTOR + _OFFSETS[kind]) % CAPACITY:06d}"


def _index(digits: str, kind: str) -> int:
    return (int(digits) - _OFFSETS[kind]) * _INVERSE % CAPACITY


def identity_number(index: int, *, prefix: str, male: bool, year: int) -> str:
    """Three digits of the province or country of birth registration, century and sex, year, six free ones."""
    if not 1900 <= year <= 2399:  # noqa: PLR2004 - the centuries that the fourth digit can say
        raise ValueError("a personal number knows the years 1900 to 2399")
    century_and_sex = (year // 100 - 19) * 2 + (0 if male else 1)
    return f"{prefix}{century_and_sex}{year % 100:02d}{_digits(index, 'identity')}"


def old_card_number(index: int, *, prefix: str) -> str:
    """Nine digits: the province's three, six free ones."""
    return prefix + _digits(index, "card")


def insurance_number(index: int, *, prefix: str) -> str:
    """Ten digits: the province's two, 20, six free ones."""
    return f"{prefix[1:]}20{_digits(index, 'insurance')}"


def index_of(number: str) -> int | None:
    """The index that a personal (12 digits), old card (9) or insurance (10) number would belong to, None otherwise.

    Whoever asks must compare the whole number: other people's numbers lead to some index too.
    """
    kind = {12: "identity", 9: "card", 10: "insurance"}.get(len(number))
    if kind is None or not (number.isascii() and number.isdigit()):
        return None
    return _index(number[-6:], kind)
