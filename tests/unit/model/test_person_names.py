"""Names as registers write them, parts only where a source gives them."""

import unicodedata

import pytest

from gateway.model.person import NameMatch, PersonName


def test_a_name_is_kept_as_written():
    assert PersonName(full="nguyễn  VĂN a").full == "nguyễn  VĂN a"
    assert PersonName(full=unicodedata.normalize("NFD", "Đặng")).full == "Đặng"


def test_parts_are_kept_where_the_source_has_them():
    name = PersonName.from_parts(family="Nguyễn", middle="Thị Minh", given="Khai")
    assert name.full == "Nguyễn Thị Minh Khai"
    assert (name.family, name.middle, name.given) == ("Nguyễn", "Thị Minh", "Khai")
    assert PersonName.from_parts(family="Lê", middle="", given=" An ").middle is None


@pytest.mark.parametrize(
    "parts", [("", "", "Nguyễn Văn An"), (None, None, "An"), ("Nguyễn Văn An", "", ""), ("", "Văn", "An")]
)
def test_a_whole_name_in_one_part_makes_no_parts(parts):
    family, middle, given = parts
    name = PersonName.from_parts(family=family, middle=middle, given=given)
    assert name.full == " ".join(part for part in parts if part)
    assert (name.family, name.middle, name.given) == (None, None, None)


@pytest.mark.parametrize("full", ["Y Moan Êđê", "H'Hen Niê", "Thu", "Jean-Pierre Dupont", "Ma. Cristina O’Neill-Ñuñez"])
def test_names_of_every_kind_are_names_without_guessed_parts(full):
    name = PersonName(full=full)
    assert (name.full, name.family, name.given) == (full, None, None)


@pytest.mark.parametrize("full", ["", "  ", "An\n", "A\x00", "A" * 257])
def test_what_is_no_name_cannot_be_built(full):
    with pytest.raises(ValueError, match="name"):
        PersonName(full=full)


def test_an_empty_part_is_none_and_not_an_empty_text():
    with pytest.raises(ValueError, match="middle"):
        PersonName(full="Lê An", middle="")


@pytest.mark.parametrize(
    ("one", "other", "match"),
    [
        ("Nguyễn Văn An", "NGUYỄN  VĂN AN", NameMatch.SAME),
        ("Nguyễn Văn An", "NGUYEN VAN AN", NameMatch.FOLDED),
        ("Nguyễn Văn An", "Nguyễn Văn Ân", NameMatch.FOLDED),
        ("Đỗ", "Do", NameMatch.FOLDED),
        ("Nguyễn Văn An", "Nguyễn Văn Anh", NameMatch.DIFFERENT),
        ("Hoà", "Hòa", NameMatch.FOLDED),
    ],
)
def test_compare(one, other, match):
    assert PersonName(full=one).compare(PersonName(full=other)) is match
    assert PersonName(full=other).compare(PersonName(full=one)) is match


def test_the_given_name_sorts_first_where_it_is_known():
    people = [
        PersonName.from_parts(family="Trần", middle=None, given="An"),
        PersonName.from_parts(family="Lê", middle="Văn", given="Bình"),
        PersonName.from_parts(family="Lê", middle="Thị", given="Bình"),
        PersonName.from_parts(family="Nguyễn", middle=None, given="Bình"),
        PersonName.from_parts(family="Lê", middle=None, given="Bình"),
    ]
    order = [name.full for name in sorted(people, key=lambda name: name.sort_key)]
    assert order == ["Trần An", "Lê Bình", "Lê Thị Bình", "Lê Văn Bình", "Nguyễn Bình"]
    assert PersonName(full="Trần An").sort_key > PersonName(full="Lê Bình").sort_key


def test_folded():
    assert PersonName(full="Đặng Thị Hường").folded == "DANG THI HUONG"
