"""From sources' fields to canonical elements, and comparing with what was asked."""

import pytest

from gateway.mapping import values
from gateway.mapping.asking import Written, compile_request
from gateway.mapping.comparing import same_name
from gateway.mapping.context import Context
from gateway.mapping.formats import date_reader
from gateway.mapping.reading import Shapes
from gateway.mapping.tables import Codes
from gateway.mapping.values import AnswerError
from tests.support.adapters import NOON, mapping_file


def shape(file, name):
    document = mapping_file(file).document
    read = Shapes(document.shape, {key: Codes(tables) for key, tables in document.codes.items()}).get(name)
    return lambda tree: read(tree, tree, Context(document={}, facts={}, now=NOON))


citizen = shape("population.toml", "citizen")
insured = {"maSoBhxh": "0123456789", "hoTen": "A"}


def card(entry):
    return shape("social-insurance.toml", "card")({**insured, **entry})


def date(written):
    return values.date_document(date_reader(None)(written))


def criteria(asked):
    document = mapping_file("social-insurance.toml").document
    written = Written()
    codes = {key: Codes(tables) for key, tables in document.codes.items()}
    compile_request(["by_criteria"], document.request, codes)(
        written, asked, Context(document=asked, facts={}, now=NOON)
    )
    return written.body


@pytest.mark.parametrize(
    ("parts", "made"),
    [
        (("Nguyễn", "Văn", "An"), {"full": "Nguyễn Văn An", "family": "Nguyễn", "middle": "Văn", "given": "An"}),
        (("Nguyễn", None, "An"), {"full": "Nguyễn An", "family": "Nguyễn", "given": "An"}),
        ((None, None, "Y Moan Êđê"), {"full": "Y Moan Êđê"}),
        ((" ", "", " H'Hen Niê "), {"full": "H'Hen Niê"}),
        (("Nguye\u0302\u0303n", None, "An"), {"full": "Nguyễn An", "family": "Nguyễn", "given": "An"}),
        ((None, None, None), None),
    ],
)
def test_names_keep_the_parts_that_the_source_gives(parts, made):
    assert values.name(*parts) == made


@pytest.mark.parametrize(
    ("written", "made"),
    [
        ("19900131", ("1990-01-31", "day")),
        ("1990-01-31", ("1990-01-31", "day")),
        ("199001", ("1990-01", "month")),
        ("1990-01", ("1990-01", "month")),
        ("1990", ("1990", "year")),
        ("19900000", ("1990", "year")),
        ("19900100", ("1990-01", "month")),
    ],
)
def test_dates(written, made):
    assert date(written) == {"date": made[0], "precision": made[1]}


@pytest.mark.parametrize("written", ["19900231", "1990-13-01", "31/01/1990", "hôm qua", "199", "1990-1-1", "19900131T"])
def test_what_is_no_date_is_an_invalid_answer(written):
    with pytest.raises(AnswerError) as caught:
        card({"ngaySinh": written})
    assert written not in str(caught.value)


@pytest.mark.parametrize(
    ("places", "made"),
    [
        (
            ("31", "303", "11320"),
            {
                "province": {"code": "31", "code_list": "2004-07-08"},
                "district": {"code": "303", "code_list": "2004-07-08"},
                "commune": {"code": "11320", "code_list": "2004-07-08"},
            },
        ),
        (("31", "", "11320"), {"province": {"code": "31"}, "commune": {"code": "11320"}}),
        (("31", None, None), {"province": {"code": "31"}}),
        (("Hải Phòng", None, "x"), None),
        ((None, None, None), None),
    ],
)
def test_addresses(places, made):
    assert values.address(places, None, "") == made


@pytest.mark.parametrize("value", [[], {}, True, 1.5])
def test_text_is_text(value):
    with pytest.raises(AnswerError):
        values.text(value)


@pytest.mark.parametrize(
    ("asked", "held", "same"),
    [
        ("Nguyễn Văn An", "NGUYỄN  VĂN AN", True),
        ("NGUYEN VAN AN", "Nguyễn Văn Ân", True),
        ("Nguyễn Văn Ân", "Nguyễn Văn An", False),
        ("Lê Thị Hoà", "Lê Thị Hòa", True),
        ("Nguyễn Thuỷ", "Nguyễn Thủy", True),
        ("Nguyễn Thuý", "Nguyễn Thủy", False),
        ("Đỗ A", "Đỗ Á", False),
        ("Do A", "Đỗ Á", True),
        ("Nguyễn An", "Nguyễn An Bình", False),
    ],
)
def test_names_are_compared_as_people_would(asked, held, same):
    assert same_name(asked, held) is same


@pytest.mark.parametrize(
    "tree",
    [
        {},
        {"HoVaTen": {"Ten": "A"}, "DiemTinDung": "700"},
        {"HoVaTen": {"Ten": "A"}, "SoDinhDanh": {"Nam": "x"}},
        {"HoVaTen": {"Ten": "A"}, "NgayThangNamSinh": "1990"},
        {"HoVaTen": {"Ten": "A"}, "NgayThangNamSinh": {"Nam": "1991", "NgayThangNam": "19900101"}},
        {"HoVaTen": {"Ten": "A"}, "ThuongTru": "Hà Nội"},
        {"HoVaTen": {"Ten": "A"}, "Cha": "B"},
        {"HoVaTen": {"Ten": "A" * 300}},
        {"HoVaTen": {"Ten": ["A"]}},
    ],
)
def test_records_that_contradict_their_contract(tree):
    with pytest.raises(AnswerError):
        citizen(tree)


@pytest.mark.parametrize(
    ("kind", "digits", "made"),
    [
        ("0", "19900131", {"date": "1990-01-31", "precision": "day"}),
        ("1", "19900101", {"date": "1990", "precision": "year"}),
        ("2", "19900501", {"date": "1990-05", "precision": "month"}),
    ],
)
def test_fillers_of_insurance_dates_are_not_data(kind, digits, made):
    assert card({"ngaySinh": digits, "loaiNgaySinh": kind})["birth_date"] == made


@pytest.mark.parametrize(
    "entry",
    [
        {"ngaySinh": "1990", "loaiNgaySinh": "0"},
        {"ngaySinh": "19900101", "loaiNgaySinh": "9"},
        {"giaTriTu": "202501"},
        {"noiDangKyKcb": "x"},
    ],
)
def test_cards_that_contradict_their_contract(entry):
    with pytest.raises(AnswerError):
        card(entry)


@pytest.mark.parametrize(
    ("birth", "digits", "kind"),
    [("1990-01-31", "19900131", "0"), ("1990", "19900101", "1"), ("1990-05", "19900501", "2")],
)
def test_criteria_fill_what_is_not_known(birth, digits, kind):
    wanted = criteria({"full_name": "A", "birth_date": birth, "sex": "other", "province": "31"})
    assert wanted == {"hoTen": "A", "ngaySinh": digits, "loaiNgaySinh": kind, "gioiTinh": "3", "maTinhKs": "31"}


def test_unlisted_codes_are_said_to_be_so():
    made = citizen({"HoVaTen": {"Ten": "A"}, "GioiTinh": "7", "NhomMau": "05", "TinhTrangHonNhan": "9"})
    assert {made["sex"], made["blood_group"], made["marital_status"]} == {values.UNLISTED}
    made = card({"gioiTinh": "4", "trangThai": "8"})
    assert (made["sex"], made["status"]) == ("unlisted", "unlisted")
