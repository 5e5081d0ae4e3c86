"""Dates known to the day, the month or the year."""

from datetime import date

import pytest

from gateway.model.dates import DateMatch, PartialDate, Precision, parse_date

FILLERS = {(1, 1), (12, 31)}


@pytest.mark.parametrize(
    ("text", "written", "compact", "precision"),
    [
        ("1990-05-17", "1990-05-17", "19900517", Precision.DAY),
        ("19900517", "1990-05-17", "19900517", Precision.DAY),
        ("1990-05", "1990-05", "199005", Precision.MONTH),
        ("199005", "1990-05", "199005", Precision.MONTH),
        ("1990", "1990", "1990", Precision.YEAR),
        ("19900500", "1990-05", "199005", Precision.MONTH),
        ("1990-00-00", "1990", "1990", Precision.YEAR),
        ("2024-02-29", "2024-02-29", "20240229", Precision.DAY),
    ],
)
def test_parse(text, written, compact, precision):
    parsed = parse_date(text)
    assert (str(parsed), parsed.compact(), parsed.precision) == (written, compact, precision)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "90",
        "1990-5-17",
        "17/05/1990",
        "1990-0517",
        "199005-17",
        "1990-13",
        "2023-02-29",
        "1990-00-17",
        "0990",
        "2990",
        "1990-05-17T00:00",
        " 1990",
        "１９９０",
        "19900517120000",
    ],
)
def test_what_is_no_date_is_refused_without_repeating_it(text):
    with pytest.raises(ValueError) as refused:
        parse_date(text)
    assert not text or text not in str(refused.value)


@pytest.mark.parametrize("parts", [(1990, None, 1), (1990, 0), (1990, 5, 0), (1799,), (1990, 4, 31)])
def test_impossible_dates_cannot_be_built(parts):
    with pytest.raises(ValueError):
        PartialDate(*parts)


@pytest.mark.parametrize(
    ("one", "other", "match"),
    [
        ("1990-05-17", "1990-05-17", DateMatch.SAME),
        ("1990", "1990", DateMatch.SAME),
        ("1990-05-17", "1990-05", DateMatch.CONSISTENT),
        ("1990-05-17", "1990", DateMatch.CONSISTENT),
        ("1990-05", "1990", DateMatch.CONSISTENT),
        ("1990-05-17", "1990-05-18", DateMatch.DIFFERENT),
        ("1990-05-17", "1990-06", DateMatch.DIFFERENT),
        ("1990-05", "1991", DateMatch.DIFFERENT),
    ],
)
def test_comparison_respects_precision(one, other, match):
    assert parse_date(one).compare(parse_date(other)) is match
    assert parse_date(other).compare(parse_date(one)) is match


def test_a_declared_filler_day_is_a_year_and_an_undeclared_one_a_day():
    assert parse_date("1950-01-01").without_filler(FILLERS) == PartialDate(1950)
    assert parse_date("1950-12-31").without_filler(FILLERS) == PartialDate(1950)
    assert parse_date("1950-12-31").without_filler({(1, 1)}) == PartialDate(1950, 12, 31)
    assert parse_date("1950-01").without_filler(FILLERS) == PartialDate(1950, 1)


def test_the_days_it_may_be():
    assert (PartialDate(1990).earliest, PartialDate(1990).latest) == (date(1990, 1, 1), date(1990, 12, 31))
    assert PartialDate(2024, 2).latest == date(2024, 2, 29)
    assert PartialDate(1990, 5, 17).earliest == PartialDate(1990, 5, 17).latest == date(1990, 5, 17)


def test_partial_dates_have_no_order():
    with pytest.raises(TypeError):
        assert PartialDate(1990) < PartialDate(1991)
