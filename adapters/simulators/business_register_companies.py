"""Enterprises of the generated people: every fourth adult represents one, computed from the index like the people."""

from random import Random
from typing import Final

from msgspec import Struct

from adapters.simulators import places
from adapters.simulators.people import People
from adapters.simulators.person import Address, Person

EVERY: Final = 4
_WEIGHTS: Final = (31, 29, 23, 19, 17, 13, 7, 5, 3)
_FACTOR: Final = 381_966
_ROOM: Final = 1_000_000
_INVERSE: Final = pow(_FACTOR + 1, -1, _ROOM)
_ADULT: Final = 18
_TYPES: Final = {
    "1TNHH": "Công ty TNHH một thành viên",
    "2TNHH": "Công ty TNHH hai thành viên trở lên",
    "CP": "Công ty cổ phần",
    "DNTN": "Doanh nghiệp tư nhân",
}
_TRADES: Final = {
    "4719": "Bán lẻ khác trong các cửa hàng kinh doanh tổng hợp",
    "5610": "Nhà hàng và các dịch vụ ăn uống phục vụ lưu động",
    "4933": "Vận tải hàng hóa bằng đường bộ",
    "4100": "Xây dựng nhà các loại",
    "0127": "Trồng cây chè",
    "6201": "Lập trình máy vi tính",
}
STATES: Final = {"active": "1", "suspended": "2", "dissolving": "3", "dissolved": "4"}


class Company(Struct, frozen=True, kw_only=True):
    """An enterprise. representatives: persons of the population. trades: code → name, the main one first."""

    number: str
    old_certificate: str | None
    kind: tuple[str, str]
    name: str
    short_name: str
    founded: str
    amended: str | None
    amendments: int
    state: str
    capital: int
    address: Address
    trades: dict[str, str]
    representatives: tuple[Person, ...]


def check_digit(nine: str) -> int | None:
    """The tenth digit of an enterprise number; None where no number begins so (remainder 0)."""
    remainder = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, nine, strict=True)) % 11
    return 10 - remainder if remainder else None


def number_of(person: Person) -> str:
    """The enterprise number of the person's enterprise: province, six digits of the index, one to make it valid."""
    six = f"{person.index * (_FACTOR + 1) % _ROOM:06d}"
    head = person.residence.province + six
    for filler in "0123456789":
        check = check_digit(head + filler)
        if check is not None:
            return f"{head}{filler}{check}"
    raise AssertionError("two of ten neighbours cannot both be invalid")


def company_of(person: Person, people: People) -> Company | None:
    """The enterprise that the person represents; None for whoever represents none."""
    if person.index % EVERY or people.today.year - int(person.birth.date[:4]) <= _ADULT:
        return None
    rng = Random(f"motlan/company/{people.seed}/{person.index}")  # noqa: S311 - reproducible enterprises, no secret
    kind = rng.choice(list(_TYPES.items()))
    spouse = person.spouse.index if person.spouse and kind[0] == "2TNHH" else None
    partner = () if spouse is None or spouse >= len(people) else (people[spouse],)
    given = person.name.given or person.name.full.split()[-1]
    year = rng.randint(max(2001, int(person.birth.date[:4]) + _ADULT), people.today.year - 1)
    changes = rng.randint(0, 6)
    return Company(
        number=number_of(person),
        old_certificate=f"{person.residence.province}02{person.index:06d}" if year < 2009 else None,  # noqa: PLR2004 - numbers were joined then
        kind=kind,
        name=f"{kind[1]} {given} {places.CURRENT.get(person.residence.province, 'Việt')}".upper(),
        short_name=f"{given} Co.",
        founded=f"{year}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}",
        amended=f"{people.today.year - 1}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}" if changes else None,
        amendments=changes,
        state=rng.choices(list(STATES.values()), weights=(85, 8, 3, 4))[0],
        capital=rng.randint(1, 400) * 50_000_000,
        address=person.residence,
        trades=dict(rng.sample(list(_TRADES.items()), 2)),
        representatives=(person, *partner),
    )


def by_number(number: str, people: People) -> Company | None:
    """The enterprise of a number of ten digits; None where there is none."""
    if len(number) != 10 or not (number.isascii() and number.isdigit()):  # noqa: PLR2004 - an enterprise number
        return None
    index = int(number[2:8]) * _INVERSE % _ROOM
    found = company_of(people[index], people) if index < len(people) else None
    return found if found and found.number == number else None
