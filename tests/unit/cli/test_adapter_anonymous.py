"""Recordings made nobody's: personal values where a dictionary of field names does not look."""

import json
import time
from typing import Any

import pytest

from adapters.kit.anonymous import Anonymiser
from adapters.kit.names import Meaning
from gateway.model.errors import ExchangeError
from gateway.model.errors.kit import RECORDING_UNSAFE, SAMPLE_UNUSABLE
from gateway.model.text import fold
from gateway.wiring.kit_texts import Texts

SECRET = b"sixteen bytes, or more"
NAME = "Đặng Thị Hồng Nhung"


def cleaned(document: Any, **options: Any) -> tuple[Any, Texts]:
    texts = Texts(Anonymiser(SECRET, **options))
    data = json.dumps(document, ensure_ascii=False).encode()
    texts.note(data)
    return json.loads(texts.clean(data)), texts


def left(document: Any, text: Any) -> tuple[str, ...]:
    """What of a recorded document is seen in another."""
    _, texts = cleaned(document)
    return texts.remaining(json.dumps(text, ensure_ascii=False).encode())


@pytest.mark.parametrize(
    "field",
    [
        *("hoTenCha", "ten_vo", "nguoiKy", "fullNameOfOwner", "applicant", "chuHo", "tenNguoiDaiDien"),
        *("holder", "Signer_Name", "canBoXuLy"),
    ],
)
def test_a_name_by_a_part_of_its_fields_name(field: str) -> None:
    made, _ = cleaned({field: NAME})
    assert made[field] != NAME
    assert len(made[field].split()) == 4


@pytest.mark.parametrize(
    ("document", "value"),
    [
        ({"cccdNguoiMua": "079123"}, "079123"),
        ({"soCmndCu": "B1234"}, "B1234"),
        ({"noiDangKyThuongTru": "12 ngõ 3 Hàng Bún"}, "12 ngõ 3 Hàng Bún"),
        ({"diaChiLienHe": "tổ 4, xã Yên Mỹ"}, "tổ 4, xã Yên Mỹ"),
        ({"queQuan": {"moTa": "xã Yên Mỹ"}}, "xã Yên Mỹ"),
        ({"hoTen": {"phan1": "Nhung"}}, "Nhung"),
        ({"ngaySinh": {"giaTri": "1993"}}, "1993"),
        ({"ngaySinhCon": "27/11/2013"}, "27/11/2013"),
        ({"place": "thôn Đoài"}, "thôn Đoài"),
    ],
)
def test_a_value_by_a_part_of_a_name_or_by_where_it_stands(document: Any, value: str) -> None:
    made, _ = cleaned(document)
    assert value not in json.dumps(made, ensure_ascii=False)


@pytest.mark.parametrize(
    "document",
    [
        {"maHuyenThuongTru": "003"},
        {"queQuan": {"maTinh": "31"}},
        {"tenXe": "Honda Wave"},
        {"soCon": 2},
        {"mayeucau": "R-17"},
        {"trangThai": "1"},
        {"nguoiKy": "GD"},
        {"ngaySinhLoai": "3"},
    ],
)
def test_codes_and_things_are_kept(document: Any) -> None:
    assert cleaned(document)[0] == document


@pytest.mark.parametrize(
    "value",
    [
        *("0912 345 678", "+84 912 345 678", "84912345678", "0912.345.678", "lan.nt+1@example.org", "031 093 271 828"),
        *("GD 4 01 2345678901", "27/11/1993", "031.093.271.828", "sinh 1993-11-27"),
        "eyJob1RlbiI6Ik5ndXnhu4VuIFRo4buLIEhvYSIsInNkdCI6IjA5MTIzNDU2NzgifQeyJob1RlbiI6Ik5n",
    ],
)
def test_numbers_addresses_and_days_in_any_text(value: str) -> None:
    made, texts = cleaned({"ghiChu": f"gọi {value}, gấp", "x": [value]})
    assert value not in json.dumps(made, ensure_ascii=False)
    assert not texts.remaining(json.dumps(made, ensure_ascii=False).encode())


def test_what_nobody_can_look_into_is_replaced_whole() -> None:
    scan = "iVBORw0KGgoAAAANSUhEUgAA" * 8
    for value in (scan, f"data:image/png;base64,{scan}", f"{scan[:76]}\r\n{scan[76:]}"):
        made, _ = cleaned({"anh": value})
        assert scan[:40] not in made["anh"]
        assert len(made["anh"]) == len(value)


@pytest.mark.parametrize(
    "text",
    [
        *("Kính gửi bà Hồng Nhung", "THI HONG NHUNG", "nguyen:dangthihongnhung", "dang.thi.hong.nhung", "Hồng_Nhung_1"),
        *("031-093-271-828", "CCCD031093271828X", "31093271828"),
    ],
)
def test_names_and_numbers_written_otherwise_are_seen(text: str) -> None:
    document = {"hoTen": NAME, "cccd": "031093271828"}
    assert left(document, {"x": text})
    assert left(document, {text: 1})  # in the name of a field


def test_a_name_without_its_first_words_becomes_another_too() -> None:
    made, texts = cleaned({"hoTen": NAME, "thu": "Bà Hồng Nhung đã ký", "log": "THI HONG NHUNG"})
    assert "nhung" not in fold(json.dumps(made, ensure_ascii=False)).lower()
    assert not texts.remaining(json.dumps(made, ensure_ascii=False).encode())


def test_numbers_that_are_numbers() -> None:
    made, texts = cleaned({"cccd": 31093271828, "cu": "031093271828", "taiTrong": 1.25, "dienThoai": 912345678})
    assert (made["taiTrong"], isinstance(made["cccd"], int), isinstance(made["dienThoai"], int)) == (1.25, True, True)
    assert made["cccd"] != 31093271828
    assert not texts.remaining(json.dumps(made).encode())


# -- documents within texts --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "inner",
    [
        f'{{"hoTen": "{NAME}"}}',
        f'\ufeff {{"a": [{{"hoTen": "{NAME}"}}]}}',
        f"<a><hoTen>{NAME}</hoTen></a>",
        json.dumps(json.dumps({"hoTen": NAME}, ensure_ascii=False), ensure_ascii=False),
        f'[1, {{"hoTen": "{NAME}"}}]',
    ],
)
def test_a_document_within_a_text_is_looked_into(inner: str) -> None:
    made, texts = cleaned({"ketQua": inner, "ghiChu": "Nhung"})
    assert "Nhung" not in made["ketQua"]
    assert not texts.remaining(made["ketQua"].encode())


def test_a_text_inside_a_personal_structure_stays_personal() -> None:
    made, _ = cleaned({"hoTen": json.dumps({"phan": "Nhung"})})
    assert "Nhung" not in made["hoTen"]


@pytest.mark.parametrize(
    "inner",
    [f"<a><hoTen>{NAME}</hoTen>", f'{{"hoTen": "{NAME}"', f"{{'hoTen': '{NAME}'}}", f'[{{"hoTen": "{NAME}",}}]'],
)
def test_what_looks_like_a_document_and_cannot_be_read_is_refused(inner: str) -> None:
    with pytest.raises(ExchangeError) as refused:
        cleaned({"ketQua": inner})
    assert refused.value.kind is RECORDING_UNSAFE
    assert refused.value.detail is not None
    assert "ketQua" in refused.value.detail
    assert "Nhung" not in str(refused.value)


def test_what_was_said_of_such_a_field_holds() -> None:
    document = {"hoTen": NAME, "ketQua": f"<a>{NAME}"}
    whole, _ = cleaned(document, also={"ketQua": Meaning.NAME})
    kept, _ = cleaned(document, never=["ketQua"])
    assert "a>" not in whole["ketQua"]
    assert kept["ketQua"] == f"<a>{kept['hoTen']}"


def test_documents_nested_too_deep_are_refused() -> None:
    inner: Any = {"hoTen": NAME}
    for _ in range(6):
        inner = {"x": json.dumps(inner, ensure_ascii=False)}
    with pytest.raises(ExchangeError) as refused:
        cleaned(inner)
    assert refused.value.kind is RECORDING_UNSAFE


@pytest.mark.parametrize("note", ["[1] Ghi chú", "<5 tuổi", "{x}", "[gấp] gọi lại", '"lặp lại"', "[", "<"])
def test_a_note_that_only_begins_like_a_document_is_a_note(note: str) -> None:
    assert cleaned({"ghiChu": note})[0] == {"ghiChu": note}


def test_an_answer_that_is_no_document_is_refused() -> None:
    for data in (b"Unauthorized: Nguyen Van A", b"\x00\x01", b"--b\r\n\r\n<a/>\r\n--b--"):
        with pytest.raises(ExchangeError) as refused:
            Texts(Anonymiser(SECRET)).note(data)
        assert refused.value.kind is SAMPLE_UNUSABLE


def test_an_empty_answer_is_kept() -> None:
    texts = Texts(Anonymiser(SECRET))
    texts.note(b"")
    assert (texts.clean(b""), texts.remaining(b"")) == (b"", ())


def test_many_people_are_looked_for_at_once() -> None:
    """A list of three hundred takes a second, not half a minute."""
    people = [
        {
            "hoTen": f"Nguyễn Thị {chr(65 + n % 26)}inh{n}",
            "cccd": f"0011990{n:05d}",
            "sdt": f"09123{n:05d}",
            "ghiChu": "-",
        }
        for n in range(300)
    ]
    made, texts = cleaned(people)
    data = json.dumps(made, ensure_ascii=False).encode()
    start = time.process_time()
    assert not texts.remaining(data)
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    "name", ["031090001234", "p-031 090 001 234", "0912345678", "DN 4019900000001", "an@example.vn"]
)
@pytest.mark.parametrize("value", [{}, None, "đạt", "<broken", [{"x": 1}]])
@pytest.mark.parametrize("within", [lambda document: document, json.dumps])
def test_a_field_called_after_somebody_is_refused_and_not_repeated(name: str, value: Any, within: Any) -> None:
    """An answer keyed by people: names of fields are kept as they are, so there is nothing that could be written."""
    with pytest.raises(ExchangeError) as refused:
        cleaned({"found": [within({name: value})]})
    assert refused.value.kind is RECORDING_UNSAFE
    assert name not in str(refused.value)


@pytest.mark.parametrize("name", ["maTTHC_1_001193", "2026-11-22", "tien_1000000", "so31"])
def test_a_field_with_digits_in_its_name_is_kept(name: str) -> None:
    assert cleaned({name: {}})[0] == {name: {}}
