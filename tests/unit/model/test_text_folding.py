"""Folding and the order of the Vietnamese alphabet, by vectors."""

import unicodedata

import pytest

from gateway.model.text import fold, has_control, nfc, sort_key
from tests.support.vietnamese import CAPITAL, SMALL


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Nguyễn Văn Đức", "NGUYEN VAN DUC"),
        ("đặng thị ĐÀO", "DANG THI DAO"),
        ("Trần  Quốc\tTuấn ", "TRAN QUOC TUAN"),
        ("Y Moan Êđê", "Y MOAN EDE"),
        ("H'Hen Niê", "H'HEN NIE"),
        ("K’sor Phước", "K’SOR PHUOC"),
        ("Lò", "LO"),
        ("François Müller-Weiß", "FRANCOIS MULLER-WEISS"),
        (unicodedata.normalize("NFD", "Lưỡng Ưởng"), "LUONG UONG"),
        ("Nguyễn\N{NO-BREAK SPACE}An\N{ZERO WIDTH SPACE}h", "NGUYEN ANH"),
        ("김정은", unicodedata.normalize("NFD", "김정은")),
        ("", ""),
    ],
)
def test_fold(text, folded):
    assert fold(text) == folded


def test_every_vietnamese_letter_folds_to_ascii():
    assert fold(SMALL).isascii()
    assert fold(SMALL) == fold(CAPITAL)
    assert fold(SMALL) == "A" * 17 + "D" + "E" * 11 + "I" * 5 + "O" * 17 + "U" * 11 + "Y" * 5


def in_order(words):
    disordered = [*words[1::2], *words[::2]]
    return sorted(disordered, key=sort_key)


def test_the_alphabet_is_in_its_order():
    alphabet = list("aăâbcdđeêfghijklmnoôơpqrstuưvwxyz")
    assert in_order(alphabet) == alphabet


def test_tones_are_in_dictionary_order_and_count_after_all_letters():
    tones = ["ma", "mà", "mả", "mã", "má", "mạ"]
    assert in_order(tones) == tones
    words = ["ân", "ấn", "ẩn", "ba", "bá", "bác", "bạc", "bách", "bạch", "bai"]
    assert in_order(words) == ["ân", "ẩn", "ấn", "ba", "bá", "bác", "bạc", "bách", "bạch", "bai"]


def test_names_are_sorted_word_by_word():
    names = ["An", "An Bình", "Anh", "Ánh", "Đào", "Dũng", "Đức Anh", "Ê", "Niê", "Ơn", "Zoe", "Ông"]
    assert in_order(names) == [
        "An",
        "An Bình",
        "Anh",
        "Ánh",
        "Dũng",
        "Đào",
        "Đức Anh",
        "Ê",
        "Niê",
        "Ông",
        "Ơn",
        "Zoe",
    ]


def test_case_punctuation_and_normal_form_do_not_count_in_the_order():
    assert sort_key("H'HEN NIÊ") == sort_key("hhen niê")
    assert sort_key("Đặng") == sort_key(unicodedata.normalize("NFD", "ĐẶNG"))


def test_digits_come_first_and_other_scripts_last():
    assert sorted(["김", "Zoe", "An", "2 An"], key=sort_key) == ["2 An", "An", "Zoe", "김"]


def test_nfc_and_controls():
    assert nfc("a\u0302\u0301") == "ấ"
    assert has_control("a\nb")
    assert has_control("a\u2028b")
    assert not has_control("Nguyễn Văn A")
