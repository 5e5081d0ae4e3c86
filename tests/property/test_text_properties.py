"""What holds for every text, name, date and number."""

import unicodedata
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model.charsets import Charset, UndecodableError, decode
from gateway.model.dates import DateMatch, PartialDate, parse_date
from gateway.model.numbers import holds_person_number
from gateway.model.person import NameMatch, PersonName
from gateway.model.text import fold, sort_key
from tests.support.vietnamese import LETTERS, encode_1258, encode_tcvn3, encode_vni

ASCII = "".join(chr(code) for code in range(0x20, 0x7F))
vietnamese = st.text(LETTERS + ASCII, max_size=60)
modest = settings(max_examples=80, deadline=None)


@pytest.mark.parametrize(
    ("encode", "charset"),
    [(encode_tcvn3, Charset.TCVN3), (encode_vni, Charset.VNI), (encode_1258, Charset.WINDOWS_1258)],
)
@given(text=vietnamese)
@modest
def test_encoded_text_decodes_to_itself(encode, charset, text):
    assert decode(encode(text), charset) == text


@pytest.mark.parametrize("charset", list(Charset))
@given(data=st.binary(max_size=60))
@modest
def test_any_bytes_decode_or_are_refused_at_a_place_in_them(charset, data):
    offset, text = 0, ""
    try:
        text = decode(data, charset)
    except UndecodableError as refused:
        offset = refused.offset
    assert 0 <= offset <= len(data)
    if charset in {Charset.TCVN3, Charset.VNI, Charset.WINDOWS_1258}:
        assert unicodedata.is_normalized("NFC", text)
        assert "\N{REPLACEMENT CHARACTER}" not in text


@given(text=st.text(max_size=60))
@modest
def test_folding_twice_changes_nothing_more(text):
    assert fold(fold(text)) == fold(text)


@given(text=vietnamese)
@modest
def test_folding_does_not_depend_on_normal_form_or_case(text):
    assert fold(text).isascii()
    assert fold(unicodedata.normalize("NFD", text)) == fold(text) == fold(text.lower())


@given(text=st.text(max_size=60))
@modest
def test_sorting_does_not_depend_on_normal_form(text):
    assert sort_key(unicodedata.normalize("NFD", text)) == sort_key(unicodedata.normalize("NFC", text))


@given(words=st.lists(st.text("aăâdđeêoôơuưynmh", min_size=1, max_size=5), min_size=2, max_size=2))
@modest
def test_words_without_tones_sort_letter_by_letter(words):
    alphabet = "aăâdđeêhmnoôơuưy"
    one, other = words
    ranks = [[alphabet.index(letter) for letter in word] for word in words]
    assert (sort_key(one) < sort_key(other)) == (ranks[0] < ranks[1])


@given(full=vietnamese.filter(lambda text: text.strip()))
@modest
def test_a_name_is_the_same_as_itself_and_matches_its_folded_form(full):
    name = PersonName(full=full)
    assert name.full == full
    assert name.compare(name) is NameMatch.SAME
    if name.folded:
        assert name.compare(PersonName(full=name.folded)) is not NameMatch.DIFFERENT


days = st.dates(min_value=date(1800, 1, 1), max_value=date(2200, 12, 31))


@given(day=days)
@modest
def test_dates_are_read_as_they_are_written_and_lie_within_their_month_and_year(day):
    whole = PartialDate(day.year, day.month, day.day)
    month, year = PartialDate(day.year, day.month), PartialDate(day.year)
    for partial in (whole, month, year):
        assert parse_date(str(partial)) == parse_date(partial.compact()) == partial
        assert partial.earliest <= day <= partial.latest
        assert partial.compare(whole) is (DateMatch.SAME if partial is whole else DateMatch.CONSISTENT)


@given(
    before=st.text("abc/?&=-", max_size=8),
    number=st.from_regex(r"(?:[0-9]{9}|[0-9]{12})", fullmatch=True),
    encoded=st.sets(st.integers(0, 11)),
    after=st.text("abc/?&=-", max_size=8),
)
@modest
def test_a_persons_number_is_found_however_it_is_encoded(before, number, encoded, after):
    written = "".join(f"%{ord(digit):02x}" if place in encoded else digit for place, digit in enumerate(number))
    assert holds_person_number(before + written + after)
