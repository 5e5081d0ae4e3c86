"""The population: named people, then families; anybody is computed from an index or a number, nobody is kept."""

import os
import unicodedata
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Final

import msgspec

from adapters.simulators import families, numbers, story
from adapters.simulators.person import Person

DEFAULT_COUNT: Final = 2_000
TODAY: Final = date(2026, 11, 1)
"""The day on which the generated people are as old as they are."""

_INDEX_BITS: Final = 20


def unaccented(text: str) -> str:
    """Upper case, no marks, đ as D, single spaces: how the population database wants and compares names (Q04)."""
    bare = "".join(c for c in unicodedata.normalize("NFD", text.upper()) if not unicodedata.combining(c))
    return " ".join(bare.replace("Đ", "D").split())


class People:
    """``count`` people, the same for the same ``seed``, ``count`` and ``today``.

    Indexing and iterating make the person on the way. ``count`` is at most a million (the free digits of a number) and
    at least the story's size. The first search by name reads everybody once and keeps eight bytes a person.
    """

    def __init__(self, *, seed: int = 1, count: int = DEFAULT_COUNT, today: date = TODAY) -> None:
        if not story.SIZE <= count <= numbers.CAPACITY:
            raise ValueError(f"from {story.SIZE} to {numbers.CAPACITY} people")
        self.seed, self.count, self.today = seed, count, today
        self.story = story.story(today)
        self._named = self.story.everybody()
        self._block = lru_cache(maxsize=256)(self._make_block)
        self._by_name: array[int] | None = None

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Person:
        """The person at ``index`` from 0; raises IndexError beyond."""
        if not 0 <= index < self.count:
            raise IndexError("nobody has that index")
        if index < story.SIZE:
            return self._named[index]
        block, place = divmod(index - story.SIZE, families.SIZE)
        return self._block(block)[place]

    def __iter__(self) -> Iterator[Person]:
        yield from self._named
        made = story.SIZE
        for block in range(-(-(self.count - story.SIZE) // families.SIZE)):
            for person in self._make_block(block)[: self.count - made]:
                made += 1
                yield person

    def by_number(self, number: str) -> Person | None:
        """Whoever has that personal, old card or insurance number."""
        index = numbers.index_of(number)
        if index is None or index >= self.count:
            return None
        person = self[index]
        insurance = person.insurance.number if person.insurance else None
        return person if number in {person.identity_number, person.old_card_number, insurance} else None

    def by_name(self, name: str, birth: str) -> list[Person]:
        """Everybody of that name, accents and case aside, born then.

        birth: ISO text as precise as the person's date is known, or a year, which fits every date in it.
        """
        key = _key(name, birth[:4])
        table = self._names()
        found = []
        place = bisect_left(table, key << _INDEX_BITS)
        while place < len(table) and table[place] >> _INDEX_BITS == key:
            person = self[table[place] & ((1 << _INDEX_BITS) - 1)]
            born = person.birth.date
            if unaccented(person.name.full) == unaccented(name) and birth in {born, born[:4]}:
                found.append(person)
            place += 1
        return found

    def household(self, person: Person) -> list[Person]:
        """The insured people of the insurance register's household of that person, themselves included."""
        if person.insurance is None:
            return []
        code = person.insurance.household_code
        if person.index < story.SIZE:
            around: tuple[Person, ...] = self._named
        else:
            around = self._block((person.index - story.SIZE) // families.SIZE)
        return [
            one for one in around if one.index < self.count and one.insurance and one.insurance.household_code == code
        ]

    def write_truth(self, path: Path) -> None:
        """Write everybody as JSON Lines, readable by the owner only (mode 0600). The gateway never opens it."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, 0o600)
            encoder = msgspec.json.Encoder(order="deterministic")
            for person in self:
                file.write(encoder.encode(person) + b"\n")

    def _make_block(self, block: int) -> tuple[Person, ...]:
        return families.family(self.seed, block, story.SIZE + block * families.SIZE, self.today)

    def _names(self) -> "array[int]":
        if self._by_name is None:
            entries = (_key(one.name.full, one.birth.date[:4]) << _INDEX_BITS | one.index for one in self)
            self._by_name = array("Q", sorted(array("Q", entries)))
        return self._by_name


def _key(name: str, year: str) -> int:
    """44 bits of name and year, so that key and index fit into eight bytes."""
    digest = blake2b(f"{unaccented(name)}/{year}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) >> _INDEX_BITS
