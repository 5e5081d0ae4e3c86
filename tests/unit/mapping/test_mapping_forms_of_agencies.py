"""Forms that the agency systems brought into the language: numeric codes, moments, dates known in part, tax codes."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.mapping.asking import Written, compile_asked, compile_request
from gateway.mapping.context import Context, UnfitError
from gateway.mapping.document import Asked, AskedForm, CodeTable, RequestPart, Sent, SentForm
from gateway.mapping.formats import date_reader, date_writer
from gateway.mapping.tables import Codes
from gateway.model.dates import PartialDate
from gateway.model.instant import from_datetime

NOW = from_datetime(datetime(2026, 11, 1, 2, tzinfo=UTC))


def context(document):
    return Context(document=document, facts={}, now=NOW)


def written(sent, document):
    codes = {"sex": Codes((CodeTable(source="t", values={"1": "male", "0": "female"}),))}
    fill = compile_request(("part",), {"part": RequestPart(fields=(sent,))}, codes)
    made = Written()
    fill(made, document, context(document))
    return made.body


DATES = st.dates(min_value=date(1801, 1, 1), max_value=date(2199, 12, 31))


@given(day=DATES, known=st.sampled_from(["day", "month", "year"]))
@settings(max_examples=60)
@pytest.mark.parametrize("form", ["dd/MM/yyyy", "yyyy-MM-dd", "yyyyMMdd", "dd.MM.yyyy"])
def test_a_date_of_a_format_is_read_as_it_was_written(form, day, known):
    partial = PartialDate(day.year, None if known == "year" else day.month, day.day if known == "day" else None)
    assert date_reader(form)(date_writer(form, None)(partial)) == partial


@pytest.mark.parametrize(
    "text", ["1/2/2026", "31/02/2026", "2026/11/01", "13/2026", "11/01", "01/11/2026 ", "", "/2026", "٠١/١١/٢٠٢٦"]
)
def test_what_is_no_date_of_the_format_is_refused(text):
    with pytest.raises(ValueError):
        date_reader("dd/MM/yyyy")(text)


def test_a_code_may_be_a_number():
    sent = Sent(to="genderId", from_="/sex", codes="sex", as_=SentForm.INTEGER)
    assert written(sent, {"sex": "female"}) == {"genderId": 0}
    with pytest.raises(UnfitError) as refused:
        written(sent, {"sex": "other"})
    assert refused.value.elements == ("sex",)


@pytest.mark.parametrize(
    ("moment", "sent"),
    [
        ("2026-11-01T08:30:00+07:00", "20261101083000"),
        ("2026-11-01T01:30:00Z", "20261101083000"),
        ("2026-10-31T23:30:00.250000+00:00", "20261101063000"),
    ],
)
def test_a_moment_of_the_request_is_written_in_vietnamese_time(moment, sent):
    assert written(Sent(to="NgayTiepNhan", from_="/at", as_=SentForm.MOMENT), {"at": moment}) == {"NgayTiepNhan": sent}


@pytest.mark.parametrize("moment", ["hôm nay", "2026-13-01T00:00:00Z", True, {"at": 1}, 1.5])
def test_what_is_no_moment_is_refused(moment):
    with pytest.raises(UnfitError):
        written(Sent(to="NgayTiepNhan", from_="/at", as_=SentForm.MOMENT), {"at": moment})


@pytest.mark.parametrize(
    ("code", "fits"),
    [
        ("3100000009", True),
        ("3100000009-001", True),
        ("3100000008", False),
        ("3100000009-000", False),
        ("310000000", False),
        ("٣١٠٠٠٠٠٠٠٩", False),
        (3100000009, False),
    ],
)
def test_a_tax_code_has_its_check_digit(code, fits):
    check = compile_asked((Asked(element="/code", as_=AskedForm.TAX_CODE, max_length=14),), ())
    if fits:
        check({"code": code}, context({}))
    else:
        with pytest.raises(UnfitError):
            check({"code": code}, context({}))
