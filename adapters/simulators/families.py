"""Blocks of five people each: a couple, their children, and a grandparent, a third child or a lodger.

A block depends on the seed and its number only, so that any person can be made without the others.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random
from typing import Final, Literal

from adapters.simulators import names, places
from adapters.simulators.draft import Draft, Home, finish
from adapters.simulators.person import Name, Person, Relative, Sex
from adapters.simulators.shares import happens

SIZE: Final = 5
"""People in a block."""
FOREIGN_PREFIX: Final = "299"
"""Stands for any country of birth registration; not among the provinces (the real list of countries is not public)."""

_MAJORITY: Final = 18


@dataclass(frozen=True, kw_only=True)
class _Family:
    """What the people of a block share: their block's random numbers, ethnic group, family name and home."""

    rng: Random
    today: date
    block: int
    ethnicity: str
    family: str | None
    home: Home

    def elsewhere(self) -> Home:
        """A home in any province, for those who do not live with the others."""
        return _home(self.rng, places.any_prefix(self.rng), self.block + 5_000_000)

    def other(self, ethnicity: str) -> "_Family":
        """The family that somebody of this household was born into."""
        return replace(self, ethnicity=ethnicity, family=names.family_name(self.rng, ethnicity))

    def name(self, sex: Sex) -> Name:
        """A name of this family."""
        return names.person_name(self.rng, sex, self.ethnicity, self.family)

    def parent(self) -> Relative | None:
        """A father of whom the record has the name only, or nothing."""
        name = self.name("male")
        return Relative(name=name) if happens(self.rng, "parent known by name only") else None

    def birthplace(self) -> str:
        """The prefix under which somebody of this household was registered."""
        return places.any_prefix(self.rng) if happens(self.rng, "born in another province") else self.home.prefix


def family(seed: int, block: int, first: int, today: date) -> tuple[Person, ...]:
    """The five people of a block, whose indexes begin at ``first``, as of ``today``."""
    rng = Random(f"motlan/{seed}/{block}")  # noqa: S311 - reproducible people, no secret
    prefix = places.any_prefix(rng)
    groups = places.HIGHLAND.get(prefix)
    ethnicity = rng.choice(groups) if groups and happens(rng, "of the province's own ethnic groups") else "01"
    name = names.family_name(rng, ethnicity)
    home = _home(rng, prefix, block)
    own = _Family(rng=rng, today=today, block=block, ethnicity=ethnicity, family=name, home=home)
    father = _father(own, first)
    mother = _mother(own, father, first + 1)
    _marry(own, father, mother)
    children = [_child(own, father, mother, first + place) for place in (2, 3)]
    drafts = (father, mother, *children, _fifth(own, father, mother, first + 4))
    head = father if father.spouse else mother
    for draft in drafts:
        if draft.home is home and draft is not head:
            draft.head = head
    return tuple(finish(draft, rng, today) for draft in drafts)


def _home(rng: Random, prefix: str, block: int) -> Home:
    number = f"{prefix[1:]}{block:07d}" if happens(rng, "has a household book number") else None
    return Home(
        prefix=prefix,
        commune=rng.randrange(places.COMMUNES_PER_PROVINCE),
        house=rng.randrange(9999),
        household_number=number,
        renewed=happens(rng, "residence rewritten in the new code list"),
    )


def _born(rng: Random, year: int) -> tuple[date, Literal["day", "month", "year"]]:
    """A date in that year, and how much of it the register knows: the older, the vaguer."""
    born = date(year, 1, 1) + timedelta(days=rng.randrange(365))
    draw = rng.random()
    year_only = next(share for until, share in ((1960, 0.3), (1975, 0.08), (2999, 0.004)) if year < until)
    if draw < year_only:
        return born, "year"
    return born, "month" if draw < year_only * 1.2 else "day"


def _father(own: _Family, index: int) -> Draft:
    born, precision = _born(own.rng, own.today.year - own.rng.randint(26, 72))
    return Draft(
        index=index,
        sex="male",
        born=born,
        precision=precision,
        prefix=own.birthplace(),
        home=own.home,
        name=own.name("male"),
        ethnicity=own.ethnicity,
        father=own.parent(),
    )


def _mother(own: _Family, father: Draft, index: int) -> Draft:
    born, precision = _born(own.rng, father.born.year + own.rng.randint(-3, 6))
    if happens(own.rng, "mother from abroad"):
        return _foreigner(own.rng, index, "female", born, own.home)
    theirs = own.other(own.ethnicity if happens(own.rng, "mother of the same group") else "01")
    return Draft(
        index=index,
        sex="female",
        born=born,
        precision=precision,
        prefix=own.birthplace(),
        home=own.home,
        name=theirs.name("female"),
        ethnicity=theirs.ethnicity,
        father=theirs.parent(),
    )


def _foreigner(rng: Random, index: int, sex: Sex, born: date, home: Home) -> Draft:
    name, country = names.foreign(rng, sex)
    return Draft(
        index=index,
        sex=sex,
        born=born,
        prefix=FOREIGN_PREFIX,
        home=home,
        name=name,
        ethnicity="00",
        nationality=country,
    )


def _marry(own: _Family, father: Draft, mother: Draft) -> None:
    if happens(own.rng, "couple divorced"):
        father.marital = mother.marital = "divorced_or_widowed"
        father.home = own.elsewhere()
    else:
        father.marital = mother.marital = "married"
        father.spouse, mother.spouse, mother.relation = mother, father, "CH02"


def _child(own: _Family, father: Draft, mother: Draft, index: int) -> Draft:
    after = max(father.born.year, mother.born.year) + own.rng.randint(19, 38)
    born, _ = _born(own.rng, min(after, own.today.year - 1))
    sex: Sex = "male" if happens(own.rng, "boy") else "female"
    minor = own.today.year - born.year < _MAJORITY
    return Draft(
        index=index,
        sex=sex,
        born=born,
        prefix=own.home.prefix,
        home=own.home,
        name=own.name(sex),
        ethnicity=own.ethnicity,
        father=father,
        mother=mother,
        representative=(father if father.spouse else mother) if minor else None,
        relation="CH03",
    )


def _fifth(own: _Family, father: Draft, mother: Draft, index: int) -> Draft:
    if happens(own.rng, "third child"):
        return _child(own, father, mother, index)
    if father.spouse and happens(own.rng, "grandmother"):
        return _grandmother(own, father, index)
    return _lodger(own, index)


def _grandmother(own: _Family, father: Draft, index: int) -> Draft:
    born, precision = _born(own.rng, father.born.year - own.rng.randint(18, 35))
    theirs = own.other(own.ethnicity)
    grandmother = Draft(
        index=index,
        sex="female",
        born=born,
        precision=precision,
        prefix=father.prefix,
        home=own.home,
        name=theirs.name("female"),
        ethnicity=theirs.ethnicity,
        marital="divorced_or_widowed",
        relation="CH04",
    )
    father.mother = grandmother
    return grandmother


def _lodger(own: _Family, index: int) -> Draft:
    home = own.elsewhere()
    sex: Sex = "male" if happens(own.rng, "lodger is a man") else "female"
    born, precision = _born(own.rng, own.today.year - own.rng.randint(19, 85))
    if happens(own.rng, "lodger from abroad"):
        return _foreigner(own.rng, index, sex, born, home)
    return Draft(
        index=index,
        sex=sex,
        born=born,
        precision=precision,
        prefix=places.any_prefix(own.rng),
        home=home,
        name=own.other("01").name(sex),
    )
