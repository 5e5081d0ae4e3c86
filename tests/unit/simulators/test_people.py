"""The generated population: the same every time, plausible, findable, and streamed."""

import stat
from collections import Counter
from datetime import date
from itertools import islice

import msgspec
import psutil
import pytest

from adapters.simulators import numbers, places, quirks
from adapters.simulators.people import People, unaccented
from adapters.simulators.person import Person
from gateway.model.text import fold
from tests.support.simulators import people


def test_the_same_seed_gives_the_same_people_and_another_seed_others():
    first, again, other = People(seed=7, count=300), People(seed=7, count=300), People(seed=8, count=300)
    assert list(first) == list(again)
    assert [one.name for one in first][60:] != [one.name for one in other][60:]


def test_a_person_is_computed_from_the_index_alone():
    streamed = list(People(seed=3, count=500))
    fresh = People(seed=3, count=500)
    for index in (499, 51, 0, 300, 55, 56):
        assert fresh[index] == streamed[index]
    with pytest.raises(IndexError):
        fresh[500]


def test_a_person_does_not_depend_on_how_many_there_are():
    assert People(seed=3, count=100)[99] == People(seed=3, count=1_000_000)[99]


def test_numbers_say_province_sex_century_and_year():
    for person in people():
        number = person.identity_number
        assert len(number) == 12
        assert number[:3] in places.FORMER or person.nationality != "VN"
        century_and_sex = int(number[3])
        assert century_and_sex % 2 == (0 if person.sex == "male" else 1)
        assert 1900 + 100 * (century_and_sex // 2) + int(number[4:6]) == int(person.birth.date[:4])


def test_nobody_shares_a_number():
    for kind in ("identity_number", "old_card_number"):
        found = [getattr(one, kind) for one in people() if getattr(one, kind)]
        assert len(set(found)) == len(found)
    insured = [one.insurance.number for one in people() if one.insurance]
    assert len(set(insured)) == len(insured)
    everywhere = range(0, numbers.CAPACITY, 997)
    made = {numbers.identity_number(index, prefix="001", male=True, year=1990) for index in everywhere}
    assert len(made) == len(everywhere)


def test_everybody_is_found_by_each_of_their_numbers():
    for person in people():
        assert people().by_number(person.identity_number) == person
        if person.old_card_number:
            assert people().by_number(person.old_card_number) == person
        if person.insurance:
            assert people().by_number(person.insurance.number) == person


@pytest.mark.parametrize("number", ["", "1", "0" * 12, "001090000000", "abcdefghijkl", "٠" * 12, "0" * 30])
def test_nobody_is_found_by_a_number_that_nobody_has(number):
    assert people().by_number(number) is None


def test_people_are_found_by_name_and_date_of_birth_whatever_the_accents():
    namesakes = people().story.namesakes
    assert people().by_name("nguyễn văn nam", "1985-05-05") == list(namesakes)
    assert people().by_name("NGUYEN VAN NAM", "1985-05-05") == list(namesakes)
    assert people().by_name("NGUYEN VAN NAM", "1985-05-06") == []
    assert people().by_name("NGUYEN VAN NAM", "1985") == list(namesakes)
    lanh = people().story.others["year and month"]
    assert lanh in people().by_name("Cao Thị Lành", "1958")
    assert people().by_name("Cao Thị Lành", "1958-04") == [lanh]
    for person in islice(people(), 60, 90):
        assert person in people().by_name(unaccented(person.name.full), person.birth.date)


def test_the_population_has_what_the_field_has():
    everybody = list(people())
    residences = Counter(one.residence.province for one in everybody if one.residence.code_list == places.SINCE)
    assert set(residences) == set(places.CURRENT)
    assert Counter(one.birth.precision for one in everybody).keys() == {"day", "month", "year"}
    assert sum(one.ethnicity != "01" for one in everybody) > 100
    assert any(" " not in one.name.full for one in everybody)
    assert any(one.nationality != "VN" for one in everybody)
    assert any(not one.in_population for one in everybody)
    assert any(one.insurance is None for one in everybody)
    here = [one for one in everybody if one.nationality == "VN"]
    assert all(one.birth_registration_place.province == one.identity_number[1:3] for one in here)
    moved = [one for one in here if one.residence.province != places.SUCCESSOR.get("0" + one.hometown.province)]
    assert len(moved) > 200
    assert {quirk for one in everybody for quirk in one.quirks} == set(quirks.PERSONAL)


def test_common_family_names_are_common():
    families = Counter(one.name.family for one in people() if one.ethnicity == "01")
    assert [name for name, _ in families.most_common(3)] == ["Nguyễn", "Trần", "Lê"]
    assert 0.3 < families["Nguyễn"] / families.total() < 0.45


def test_names_are_whole_and_parts_are_never_more_than_the_whole():
    for person in people():
        name = person.name
        parts = [part for part in (name.family, name.middle, name.given) if part]
        assert name.full
        assert not parts or " ".join(parts) == name.full


def test_unaccented_agrees_with_the_gateways_own_folding():
    for person in people():
        assert unaccented(person.name.full) == fold(person.name.full)


def _age(person: Person) -> int:
    return 2026 - int(person.birth.date[:4])


def test_families_hold_together():
    parents = 0
    for person in people():
        for relation in ("father", "mother"):
            relative = getattr(person, relation)
            if relative is None or relative.index is None:
                continue
            parent = people()[relative.index]
            parents += 1
            assert relative == parent.relative()
            assert parent.sex == ("male" if relation == "father" else "female")
            assert 15 <= _age(parent) - _age(person) <= 60
        if person.spouse is not None and person.spouse.index is not None:
            spouse = people()[person.spouse.index]
            assert spouse.spouse == person.relative()
            assert person.marital_status == spouse.marital_status == "married"
            assert spouse.sex != person.sex
        if person.representative is not None:
            assert _age(person) < 18
            assert person.representative in {person.father, person.mother}
    assert parents > 1_000


def test_a_household_has_one_head_and_one_address():
    heads: dict[str, str] = {}
    for person in list(people())[51:]:
        assert person.household_head is not None
        number = person.household_head.identity_number
        assert (person.household_relation == "CH01") == (number == person.identity_number)
        detail = heads.setdefault(number, person.residence.detail)
        assert person.residence.detail == detail


def test_contradictions_between_the_registers_are_declared_and_nothing_else_contradicts():
    seen: set[str] = set()
    for person in people():
        insurance = person.insurance
        if insurance is None:
            assert person.discrepancies == ()
            continue
        pairs = {
            "name": (person.name.full, insurance.full_name),
            "birth_date": (person.birth.date, insurance.birth.date),
            "sex": (person.sex, insurance.sex),
        }
        differing = {element: pair for element, pair in pairs.items() if pair[0] != pair[1]}
        declared = {one.element: (one.population, one.insurance) for one in person.discrepancies}
        assert declared == differing
        seen.update(declared)
    assert seen == {"name", "birth_date", "sex"}


def test_the_truth_is_for_its_owner_only(tmp_path):
    path = tmp_path / "truth.jsonl"
    path.write_bytes(b"old")
    path.chmod(0o644)
    small = People(count=80)
    small.write_truth(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    decoder = msgspec.json.Decoder(Person)
    assert [decoder.decode(line) for line in path.read_bytes().splitlines()] == list(small)


def test_a_million_people_stream_without_being_held():
    million = iter(People(count=1_000_000))
    assert sum(1 for _ in islice(million, 2_000)) == 2_000
    before = psutil.Process().memory_info().rss
    assert sum(1 for _ in islice(million, 48_000)) == 48_000
    assert psutil.Process().memory_info().rss - before < 16 * 2**20


def test_the_last_of_a_million_is_found_at_once():
    million = People(count=1_000_000)
    last = million[999_999]
    assert million.by_number(last.identity_number) == last


@pytest.mark.parametrize("count", [0, 50, 1_000_001])
def test_there_is_room_for_the_story_and_a_million(count):
    with pytest.raises(ValueError):
        People(count=count)


def test_ages_follow_the_day():
    later = People(count=60, today=date(2030, 1, 1))
    assert later.story.newborn.birth.date == "2029-12-26"
