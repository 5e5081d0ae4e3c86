"""From the few facts that a family decides to a whole person: numbers, register quirks, insurance, discrepancies."""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any, Final, Literal

from msgspec.structs import replace

from adapters.simulators import numbers, places
from adapters.simulators.person import Address, BirthDate, Discrepancy, Insurance, Marital, Name, Person, Relative, Sex
from adapters.simulators.shares import happens

_OLD_CARDS_UNTIL: Final = 1999
"""Who was born later never had a nine-digit card."""
_SCHOOL_AGE: Final = 6
"""Children below it have a card of their own kind."""
_TONE_PLACES: Final = {
    "oà": "òa",
    "oá": "óa",
    "uỷ": "ủy",
    "uý": "úy",
    "uỳ": "ùy",
    "òa": "oà",
    "ủy": "uỷ",
    "úy": "uý",
    "ùy": "uỳ",
}
"""The two ways to place a tone mark: the same syllable, other characters."""
_CLINICS: Final = ("Trạm y tế", "Trung tâm y tế", "Bệnh viện đa khoa")


@dataclass(frozen=True, kw_only=True)
class Home:
    """Where a household lives: province, commune and house, and since when the register writes it in the new list."""

    prefix: str
    commune: int
    house: int
    household_number: str | None
    renewed: bool

    def address(self) -> Address:
        """The address as the population register holds it."""
        make = places.address_since if self.renewed else places.address_before
        return make(self.prefix, self.commune, self.house)


@dataclass(kw_only=True)
class Draft:
    """A person being made. ``prefix``: province or country of birth registration. ``head``: None for a head."""

    index: int
    sex: Sex
    born: date
    precision: Literal["day", "month", "year"] = "day"
    prefix: str
    home: Home
    name: Name
    ethnicity: str = "01"
    nationality: str = "VN"
    marital: Marital = "single"
    father: "Draft | Relative | None" = None
    mother: "Draft | Relative | None" = None
    spouse: "Draft | None" = None
    representative: "Draft | None" = None
    relation: str = "CH01"
    head: "Draft | None" = None

    @property
    def identity_number(self) -> str:
        """The 12 digits."""
        return numbers.identity_number(self.index, prefix=self.prefix, male=self.sex == "male", year=self.born.year)

    @property
    def old_card_number(self) -> str | None:
        """The nine digits of the card before, of those who are old enough."""
        if self.born.year > _OLD_CARDS_UNTIL or not self.prefix.startswith("0"):
            return None
        return numbers.old_card_number(self.index, prefix=self.prefix)

    @property
    def birth(self) -> BirthDate:
        """The date of birth, cut to what is known of it."""
        length = {"day": 10, "month": 7, "year": 4}[self.precision]
        return BirthDate(date=self.born.isoformat()[:length], precision=self.precision)

    def relative(self) -> Relative:
        """This person as another's record names them."""
        return Relative(
            name=self.name,
            nationality=self.nationality,
            identity_number=self.identity_number,
            old_card_number=self.old_card_number,
            index=self.index,
        )


def _named(who: "Draft | Relative | None") -> Relative | None:
    return who.relative() if isinstance(who, Draft) else who


def finish(draft: Draft, rng: Random, today: date) -> Person:
    """The whole person. Draws from ``rng`` in a fixed order, so that the same draft gives the same person."""
    home = draft.home
    origin = places.address_before(draft.prefix if draft.prefix in places.FORMER else home.prefix, rng.randrange(90), 0)
    residence = home.address()
    current = (
        places.address_since(places.any_prefix(rng), rng.randrange(90), rng.randrange(9999))
        if happens(rng, "lives elsewhere now")
        else residence
    )
    facts: dict[str, Any] = {
        "index": draft.index,
        "identity_number": draft.identity_number,
        "old_card_number": draft.old_card_number,
        "name": draft.name,
        "sex": draft.sex,
        "birth": draft.birth,
        "ethnicity": draft.ethnicity,
        "religion": rng.choices(("00", "01", "02", "03"), cum_weights=(80, 90, 98, 100))[0],
        "nationality": draft.nationality,
        "marital_status": draft.marital,
        "blood_group": rng.choices(("unknown", "O", "A", "B", "AB"), cum_weights=(70, 82, 88, 97, 100))[0],
        "birth_registration_place": origin,
        "hometown": origin,
        "residence": residence,
        "current_address": current,
        "father": _named(draft.father),
        "mother": _named(draft.mother),
        "spouse": _named(draft.spouse),
        "representative": _named(draft.representative),
        "household_relation": draft.relation,
        "household_head": (draft.head or draft).relative(),
        "household_number": home.household_number,
        "in_population": not happens(rng, "not in the population register"),
        "quirks": _quirks(draft, residence, rng),
    }
    facts["insurance"], facts["discrepancies"] = _insure(draft, rng, today)
    return Person(**facts)


def _quirks(draft: Draft, residence: Address, rng: Random) -> frozenset[str]:
    shown = {quirk for quirk in ("Q02", "Q03", "Q05", "Q14", "Q16", "Q17") if happens(rng, quirk)}
    if draft.name.family is None:
        shown.add("Q02")
    if draft.precision == "year":
        shown.add("Q06")
    if residence.code_list == places.BEFORE:
        shown.add("Q14")
    return frozenset(shown)


def _insure(draft: Draft, rng: Random, today: date) -> tuple[Insurance | None, tuple[Discrepancy, ...]]:
    """The insurance register's entry, of nine in ten people, with an error in one of twenty-five."""
    home = draft.home
    insured, discrepancy = happens(rng, "insured"), happens(rng, "registers contradict")
    start = date(today.year, 1, 1) - timedelta(days=rng.randrange(200))
    address = places.address_since(home.prefix, home.commune, home.house)
    clinic = f"{rng.choice(_CLINICS)} {places.FORMER[home.prefix]}"
    if not insured:
        return None, ()
    number = numbers.insurance_number(draft.index, prefix=home.prefix)
    category = "TE1" if today.year - draft.born.year < _SCHOOL_AGE else "GD4"
    entry = Insurance(
        number=number,
        card_number=category + home.prefix[1:] + number,
        full_name=draft.name.full,
        birth=draft.birth,
        sex=draft.sex,
        address=address,
        facility=(f"{home.prefix[1:]}{home.commune:03d}", clinic),
        valid_from=start.isoformat(),
        valid_to=start.replace(year=start.year + 2, day=min(start.day, 28)).isoformat(),
        household_code=home.prefix[1:] + f"{(draft.head or draft).index:08d}",
        status="suspended" if happens(rng, "insurance suspended") else "active",
    )
    return err(entry, draft, rng) if discrepancy else (entry, ())


def err(entry: Insurance, draft: Draft, rng: Random) -> tuple[Insurance, tuple[Discrepancy, ...]]:
    """Put one of the registers' usual contradictions into the insurance entry, and declare it."""
    changed, element, was, is_now = _contradict(entry, draft, rng)
    right: Literal["population", "insurance"] = (
        "population" if happens(rng, "population register is right") else "insurance"
    )
    return changed, (Discrepancy(element=element, population=was, insurance=is_now, right=right),)


def _contradict(entry: Insurance, draft: Draft, rng: Random) -> tuple[Insurance, str, str, str]:
    respelled = next((entry.full_name.replace(a, b) for a, b in _TONE_PLACES.items() if a in entry.full_name), None)
    if respelled and happens(rng, "contradiction by spelling"):
        return replace(entry, full_name=respelled), "name", entry.full_name, respelled
    if draft.precision == "day" and happens(rng, "contradiction by date"):
        other = _slip(draft.born)
        birth = BirthDate(date=other.isoformat(), precision="day")
        return replace(entry, birth=birth), "birth_date", draft.birth.date, birth.date
    sex: Sex = "female" if draft.sex == "male" else "male"
    return replace(entry, sex=sex), "sex", draft.sex, sex


def _slip(born: date) -> date:
    """Day and month changed for each other where that is a date, else the day before or after."""
    if born.day != born.month and born.day <= 12:  # noqa: PLR2004 - the months of a year
        return date(born.year, born.day, born.month)
    return born + timedelta(days=1 if born.day == 1 else -1)
