"""Old Vietnamese code pages."""

import unicodedata

import pytest

from adapters.simulators import charsets


@pytest.mark.parametrize(
    ("word", "expected"),
    [("Nguyễn", "4e677579d46e"), ("Đặng", "a7c66e67"), ("Trường Ơ", "5472ad ea6e6720a5"), ("Ánh", "b86e68"), ("", "")],
)
def test_tcvn3_by_the_standards_table(word, expected):
    assert charsets.tcvn3(word) == bytes.fromhex(expected)


def test_tcvn3_refuses_what_it_lacks():
    with pytest.raises(UnicodeEncodeError):
        charsets.tcvn3("François")


@pytest.mark.parametrize("word", ["Nguyễn Thị Huệ", "Đặng Hữu Phước", "Hoàng Thuỳ Lữ", "abc"])
def test_windows_1258_is_what_pythons_decoder_reads(word):
    assert unicodedata.normalize("NFC", charsets.windows_1258(word).decode("cp1258")) == word
