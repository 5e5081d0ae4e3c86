"""Numbers and codes of the administration."""

from datetime import date

import pytest

from gateway.model.numbers import (
    AgencyCode,
    DossierCode,
    IdentityNumber,
    OldIdentityNumber,
    Sex,
    TaxCode,
    holds_person_number,
    parse_dossier_code,
    parse_person_number,
    parse_tax_code,
)


@pytest.mark.parametrize(
    ("number", "prefix", "sex", "year"),
    [
        ("031090001234", "031", Sex.MALE, 1990),
        ("001190001234", "001", Sex.FEMALE, 1990),
        ("079205001234", "079", Sex.MALE, 2005),
        ("079315001234", "079", Sex.FEMALE, 2015),
        ("001999001234", "001", Sex.FEMALE, 2399),
        ("999400001234", "999", Sex.MALE, 2100),  # a prefix that no table knows
    ],
)
def test_what_an_identity_number_hints_at(number, prefix, sex, year):
    parsed = IdentityNumber(number)
    assert (parsed.prefix, parsed.sex_hint, parsed.birth_year_hint, str(parsed)) == (prefix, sex, year, number)


@pytest.mark.parametrize(
    "text", ["", "03109000123", "0310900012345", "03109000123x", " 31090001234", "０31090001234", "031090001234\n"]
)
def test_what_is_no_identity_number_is_refused_without_repeating_it(text):
    with pytest.raises(ValueError) as refused:
        parse_person_number(text)
    assert not text.strip() or text not in str(refused.value)


def test_both_kinds_of_person_numbers_are_told_apart():
    assert parse_person_number("012345678") == OldIdentityNumber("012345678")
    assert parse_person_number("031090001234") == IdentityNumber("031090001234")
    with pytest.raises(ValueError, match="9 digits"):
        OldIdentityNumber("031090001234")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("/r1/VN/GOV/G01/population/citizen/031090001234", True),
        ("/p?id=012345678", True),
        ("/p?id=012345678&x=1", True),
        ("/p/0310900012%334", True),
        ("/p/%30%33%31%30%39%30%30%30%31%32%33%34", True),
        ("/p/%25303109000123%2534", True),
        ("/p/%25253031090001234", True),
        ("/p/x031090001234y", True),
        ("/p/０３１０９０００１２３４", True),
        ("/p/%EF%BC%90%EF%BC%931090001234", True),
        ("/p/0123456789", False),  # ten digits: a tax code
        ("/p/0310900012345", False),
        ("/p/03109000-1234", False),
        ("/p/20210101?page=12345678", False),
        ("/p/%201234567", False),  # a space and seven digits
        ("/p/%25201234567", True),  # a per cent sign and nine digits
        ("/p/%20012345678", True),
        ("/p/%zz", False),
        ("", False),
    ],
)
def test_persons_numbers_are_found_in_urls(text, found):
    assert holds_person_number(text) is found


# Published codes of enterprises: Vinamilk, FPT, Viettel, Vietcombank.
@pytest.mark.parametrize("code", ["0300588569", "0101248141", "0100109106", "0100112437"])
def test_real_tax_codes_have_right_check_digits(code):
    assert str(TaxCode(code)) == code


def test_branches():
    assert parse_tax_code("0100109106-011") == TaxCode("0100109106", "011")
    assert str(parse_tax_code("0100109106011")) == "0100109106-011"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "010010910",
        "0100109107",
        "0100109106-000",
        "0100109106-1",
        "0100109106-0011",
        "0100109106 ",
        "０100109106",
        "0000000000",
        "0000000000-001",
    ],
)
def test_wrong_tax_codes_are_refused(text):
    with pytest.raises(ValueError):
        parse_tax_code(text)


def test_a_sum_divisible_by_eleven_has_no_check_digit():
    # 31·0 + … + 5·0 + 3·0 with remainder 0: no tenth digit makes it right
    assert all(_refused(f"000000000{digit}") for digit in range(10))


def _refused(code):
    try:
        TaxCode(code)
    except ValueError:
        return True
    return False


@pytest.mark.parametrize(
    ("code", "top", "legacy"),
    [
        ("G01", "G01", False),
        ("H37.DN.001", "H37", False),
        ("G12.103.5A", "G12", False),
        ("000.00.01.H22", "H22", True),
    ],
)
def test_agency_codes(code, top, legacy):
    parsed = AgencyCode(code)
    assert (parsed.top, parsed.is_legacy, str(parsed)) == (top, legacy, code)


@pytest.mark.parametrize(
    "code", ["", "g01", "G1", "G001", "G01.", "G01..1", ".G01", "G01.đ", "G01 ", "G01" + ".ABCDEFG" * 5, "000.0.01.H22"]
)
def test_wrong_agency_codes_are_refused(code):
    with pytest.raises(ValueError):
        AgencyCode(code)


@pytest.mark.parametrize("text", ["000.00.01.H26-210101-0001", "H26.12.3-251231-12345", "G22-240229-0042"])
def test_dossier_codes(text):
    assert str(parse_dossier_code(text)) == text


def test_a_dossier_code_says_where_and_when():
    parsed = parse_dossier_code("000.00.01.H26-210103-0001")
    assert parsed == DossierCode(AgencyCode("000.00.01.H26"), date(2021, 1, 3), "0001")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "H26",
        "H26-210101",
        "H26-210101-1",
        "H26-210230-0001",
        "h26-210101-0001",
        "26-210101-0001",
        "H26-210101-0001-2",
    ],
)
def test_wrong_dossier_codes_are_refused(text):
    with pytest.raises(ValueError):
        parse_dossier_code(text)
