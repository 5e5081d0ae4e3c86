"""The people whom the demo and the tests call by name: the same for every seed, at the indexes 0 to 50."""

from datetime import date, timedelta
from functools import lru_cache
from random import Random
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from adapters.simulators import names, places
from adapters.simulators.draft import Draft, Home, finish
from adapters.simulators.person import BirthDate, Discrepancy, Name, Person, Relative, Sex

NEIGHBOURS: Final = 30
SIZE: Final = 21 + NEIGHBOURS
"""How many indexes the story takes."""

_NGHE_AN: Final = "040"
_DAK_LAK: Final = "066"
_LE_CHAN: Final = 3
"""The couple's and the neighbours' commune in Hải Phòng."""
_NEIGHBOURS_COMMUNE: Final = 12


class NewBorn(Struct, frozen=True, kw_only=True):
    """The child whose birth is being registered: in no register yet, and without a number."""

    name: Name
    sex: Sex
    birth: BirthDate


class Story(Struct, frozen=True, kw_only=True):
    """The named people.

    father, mother, newborn: a couple in Hải Phòng; the mother's register is still in Nghệ An, in the code list before,
    and the insurance register spells her name otherwise.
    absent: insured, but not in the population database. uninsured: the other way round.
    namesakes: two people of one name and date of birth (Q15). contradicted: insured under another date of birth.
    quirky: quirk → a person whose record shows it, and no other personal one. plain: shows none.
    others: a foreigner, people of the Ê Đê, a one-word name, a year and month of birth.
    neighbours: thirty people of one commune, for the officer who browses.
    """

    father: Person
    mother: Person
    newborn: NewBorn
    absent: Person
    uninsured: Person
    namesakes: tuple[Person, Person]
    contradicted: Person
    quirky: dict[str, Person]
    plain: Person
    others: dict[str, Person]
    neighbours: tuple[Person, ...]

    def everybody(self) -> tuple[Person, ...]:
        """Those who are in a register, by index."""
        people = {
            person.index: person
            for person in (
                self.father,
                self.mother,
                self.absent,
                self.uninsured,
                *self.namesakes,
                self.contradicted,
                *self.quirky.values(),
                self.plain,
                *self.others.values(),
                *self.neighbours,
            )
        }
        return tuple(people[index] for index in range(SIZE))


@lru_cache(maxsize=4)
def story(today: date) -> Story:
    """The named people as of ``today``; the new-born is six days old."""
    father, mother = _couple(today)
    return Story(
        father=father,
        mother=mother,
        newborn=NewBorn(
            name=names.kinh("Phạm", "Hoàng", "An"),
            sex="female",
            birth=BirthDate(date=(today - timedelta(days=6)).isoformat(), precision="day"),
        ),
        absent=_person(today, 2, "Vũ|Đình|Khánh", "1990-02-11", in_population=False),
        uninsured=_person(today, 3, "Bùi|Thị|Yến", "1992-09-30", insurance=None),
        namesakes=(
            _person(today, 4, "Nguyễn|Văn|Nam", "1985-05-05"),
            _person(today, 5, "Nguyễn|Văn|Nam", "1985-05-05", prefix=_NGHE_AN),
        ),
        contradicted=_contradicted(today),
        quirky=_quirky(today),
        plain=_person(today, 20, "Đỗ|Minh|Quân", "1988-08-18"),
        others=_others(today),
        neighbours=tuple(_neighbour(today, 21 + n, n) for n in range(NEIGHBOURS)),
    )


def _home(prefix: str, commune: int, house: int, *, renewed: bool = True) -> Home:
    return Home(prefix=prefix, commune=commune, house=house, household_number=None, renewed=renewed)


def _draft(index: int, name: str | Name, born: str, prefix: str = places.HAI_PHONG, home: Home | None = None) -> Draft:
    """A draft with a middle name of a woman (Thị …) or else a man's; ``born`` as precise as it is long."""
    parts = name if isinstance(name, Name) else names.kinh(*name.split("|"))
    female = "Thị" in parts.full or parts.full.startswith("H'")
    return Draft(
        index=index,
        sex="female" if female else "male",
        born=date.fromisoformat((born + "-01-01")[:10]),
        precision={10: "day", 7: "month", 4: "year"}[len(born)],  # type: ignore[arg-type] # the three precisions
        prefix=prefix,
        home=home or _home(prefix, _LE_CHAN + index, index),
        name=parts,
    )


def _finish(draft: Draft, today: date, **more: Any) -> Person:
    """The person, without the generator's chances except where ``more`` says otherwise."""
    for attempt in range(100):
        made = finish(draft, Random(f"motlan/story/{draft.index}/{attempt}"), today)  # noqa: S311 - no secret
        if _settled(made):
            return replace(made, **{"in_population": True, "quirks": frozenset(), **more})
    raise AssertionError("a hundred attempts always hold an insured person without contradictions")


def _settled(person: Person) -> bool:
    """Insured, and the registers agree."""
    return person.insurance is not None and not person.discrepancies and person.insurance.status == "active"


def _person(
    today: date, index: int, name: str | Name, born: str, prefix: str = places.HAI_PHONG, **more: Any
) -> Person:
    return _finish(_draft(index, name, born, prefix), today, **more)


def _couple(today: date) -> tuple[Person, Person]:
    """Married, living together, registered apart."""
    his = _draft(0, "Phạm|Đình|Trung", "1993-08-14", home=_home(places.HAI_PHONG, _LE_CHAN, 18))
    theirs = _home(_NGHE_AN, 40, 27, renewed=False)
    hers = _draft(1, "Hoàng|Thị Thuỳ|Linh", "1995-03-02", _NGHE_AN, theirs)
    his.spouse, hers.spouse = hers, his
    his.marital = hers.marital = "married"
    his.father = Relative(name=names.kinh("Phạm", "Văn", "Định"))
    hers.head = _draft(1, "Hoàng|Xuân|Bách", "1966", _NGHE_AN)
    hers.relation = "CH03"
    together = his.home.address()
    father = _finish(his, today, current_address=together)
    mother = _finish(hers, today, current_address=together, quirks=frozenset({"Q03", "Q14"}))
    mother = replace(mother, household_head=Relative(name=names.kinh("Hoàng", "Xuân", "Bách")))
    assert mother.insurance is not None
    spelled = mother.name.full.replace("uỳ", "ùy")
    contradiction = Discrepancy(element="name", population=mother.name.full, insurance=spelled, right="population")
    insurance = replace(mother.insurance, full_name=spelled)
    return father, replace(mother, insurance=insurance, discrepancies=(contradiction,))


def _contradicted(today: date) -> Person:
    person = _person(today, 6, "Trần|Đức|Thịnh", "1988-03-07")
    assert person.insurance is not None
    wrong = BirthDate(date="1988-07-03", precision="day")
    contradiction = Discrepancy(
        element="birth_date", population=person.birth.date, insurance=wrong.date, right="population"
    )
    return replace(person, insurance=replace(person.insurance, birth=wrong), discrepancies=(contradiction,))


def _quirky(today: date) -> dict[str, Person]:
    whole = Relative(name=names.kinh("Lê", "Quang", "Vinh"), identity_number="031060123456")
    return {
        "Q02": _person(today, 11, "Ngô|Bá|Khải", "1991-11-01", quirks=frozenset({"Q02"})),
        "Q03": _person(today, 12, "Lê|Thị|Hòa", "1984-04-04", quirks=frozenset({"Q03"}), father=whole),
        "Q05": _person(today, 13, "Đặng|Hữu|Phúc", "1979-12-24", quirks=frozenset({"Q05"})),
        "Q06": _person(today, 14, "Võ|Thị|Sương", "1944", quirks=frozenset({"Q06"})),
        "Q14": _finish(
            _draft(15, "Mai|Văn|Hậu", "1977-07-17", home=_home(places.HAI_PHONG, 20, 5)),
            today,
            quirks=frozenset({"Q14"}),
        ),
        "Q16": _person(today, 17, "Phan|Công|Lý", "1969-06-19", quirks=frozenset({"Q16"})),
        "Q17": _person(today, 18, "Huỳnh|Thị Diễm|Phượng", "1996-01-26", quirks=frozenset({"Q17"})),
    }


def _others(today: date) -> dict[str, Person]:
    before = _draft(16, "Tạ|Quốc|Bảo", "1982-02-28", home=_home(places.HAI_PHONG, 31, 6, renewed=False))
    foreigner = _draft(7, Name(full="Jean-François Lefèvre"), "1975-05-25", "299", _home(places.HAI_PHONG, 9, 7))
    foreigner.nationality, foreigner.ethnicity = "FR", "00"
    ede = [
        _draft(8, Name(full="Y Moan Êđê"), "1957-09-18", _DAK_LAK),
        _draft(9, Name(full="H'Hen Niê"), "1992-05-15", _DAK_LAK),
    ]
    for draft in ede:
        draft.ethnicity = "12"
    one_word = _draft(10, Name(full="Thút"), "1980-10-10", "062")
    one_word.ethnicity = "14"
    return {
        "old address": _finish(before, today, quirks=frozenset({"Q14"})),
        "foreigner": _finish(foreigner, today),
        "man of the Ê Đê": _finish(ede[0], today),
        "woman of the Ê Đê": _finish(ede[1], today),
        "one word": _finish(one_word, today),
        "year and month": _person(today, 19, "Cao|Thị|Lành", "1958-04"),
    }


def _neighbour(today: date, index: int, place: int) -> Person:
    rng = Random(f"motlan/neighbour/{place}")  # noqa: S311 - reproducible people, no secret
    sex: Sex = "female" if place % 2 else "male"
    name = names.person_name(rng, sex, "01", names.family_name(rng, "01"))
    born = f"{1950 + place * 2}-{place % 12 + 1:02d}-{place % 27 + 1:02d}"
    draft = _draft(index, name, born, home=_home(places.HAI_PHONG, _NEIGHBOURS_COMMUNE, 100 + place))
    draft.sex = sex
    return _finish(draft, today)
