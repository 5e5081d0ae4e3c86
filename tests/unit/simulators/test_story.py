"""The people whom demo and tests call by name."""

from datetime import date

import pytest

from adapters.simulators import places
from adapters.simulators.people import TODAY, People
from adapters.simulators.quirks import PERSONAL, QUIRKS
from adapters.simulators.story import SIZE, story
from tests.support.simulators import people

STORY = people().story


def test_the_parents_live_together_and_are_registered_apart():
    father, mother = STORY.father, STORY.mother
    assert father.spouse == mother.relative()
    assert mother.spouse == father.relative()
    assert father.current_address == mother.current_address
    assert (father.residence.province, mother.residence.province) == ("31", "40")
    assert mother.residence.code_list == places.BEFORE
    assert mother.identity_number.startswith("040")


def test_the_new_born_is_in_no_register():
    assert people().by_name(STORY.newborn.name.full, STORY.newborn.birth.date) == []
    assert 0 < (TODAY - date.fromisoformat(STORY.newborn.birth.date)).days < 60


def test_people_who_are_missing_in_one_register():
    assert not STORY.absent.in_population
    assert STORY.absent.insurance is not None
    assert STORY.uninsured.in_population
    assert STORY.uninsured.insurance is None


def test_thirty_neighbours_live_in_one_commune():
    assert len(STORY.neighbours) == 30
    assert len({one.residence.commune for one in STORY.neighbours}) == 1
    assert len({one.identity_number for one in STORY.neighbours}) == 30
    assert all(one.in_population and one.insurance for one in STORY.neighbours)


def test_there_is_somebody_for_each_quirk_of_a_record():
    assert set(STORY.quirky) == set(PERSONAL)
    assert set(QUIRKS) >= PERSONAL
    for quirk, person in STORY.quirky.items():
        assert person.quirks == {quirk}
        assert person.in_population
    assert not STORY.plain.quirks


@pytest.mark.parametrize("seed", [1, 2])
def test_the_story_is_the_same_for_every_seed(seed):
    assert People(seed=seed, count=SIZE).story == story(TODAY)
    assert [one.index for one in People(seed=seed, count=SIZE)] == list(range(SIZE))
