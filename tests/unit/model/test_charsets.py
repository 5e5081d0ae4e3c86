"""The declared encodings, letter by letter, and what must not decode."""

import unicodedata

import pytest

from gateway.model.charsets import Charset, UndecodableError, decode
from tests.support.vietnamese import LETTERS, TCVN3, VNI, encode_1258, encode_tcvn3, encode_vni

SENTENCE = "Cộng hòa xã hội chủ nghĩa Việt Nam - Độc lập, Tự do, Hạnh phúc"


@pytest.mark.parametrize("letter", LETTERS)
def test_every_letter_in_every_encoding(letter):
    assert decode(bytes([TCVN3[letter]]), Charset.TCVN3) == letter
    assert decode(VNI[letter].encode("cp1252"), Charset.VNI) == letter
    assert decode(encode_1258(letter), Charset.WINDOWS_1258) == letter


@pytest.mark.parametrize(
    ("data", "charset", "text"),
    [
        (b"Nguy\xd4n V\xa8n \xa7\xf8c", Charset.TCVN3, "Nguyễn Văn Đức"),
        (b"Tr\xc7n Qu\xe8c Tu\xcan", Charset.TCVN3, "Trần Quốc Tuấn"),
        (b"Nguye\xe3n Va\xean \xd1\xf6\xf9c", Charset.VNI, "Nguyễn Văn Đức"),
        (b"Tra\xe0n Quo\xe1c Tua\xe1n", Charset.VNI, "Trần Quốc Tuấn"),
        (b"L\xf6\xf4ng \x93\xf4\x94 y\xee", Charset.VNI, "Lương “ơ” yỵ"),
        ("Nguyê\u0303n Văn Đư\u0301c".encode("cp1258"), Charset.WINDOWS_1258, "Nguyễn Văn Đức"),
        (b"a\xb3 \xa2\xb4", Charset.TCVN3, "á Ậ"),  # combining tones of VN1
        (b"\xef\xbb\xbfAn", Charset.UTF_8, "An"),
        (b"\xff\xfeA\x00n\x00", Charset.UTF_16, "An"),
        (b"\xfe\xff\x00A\x00n", Charset.UTF_16, "An"),
        (b"A\x00n\x00", Charset.UTF_16_LE, "An"),
        (b"\x00A\x00n", Charset.UTF_16_BE, "An"),
        (b"a\tb\r\nc", Charset.TCVN3, "a\tb\r\nc"),
        (b"a\tb\r\nc", Charset.VNI, "a\tb\r\nc"),
    ],
)
def test_decode(data, charset, text):
    assert decode(data, charset) == text


@pytest.mark.parametrize("charset", list(Charset))
def test_nothing_is_nothing(charset):
    if charset is Charset.UTF_16:
        with pytest.raises(UndecodableError):
            decode(b"", charset)
    else:
        assert decode(b"", charset) == ""


@pytest.mark.parametrize(
    ("encode", "charset"),
    [(encode_tcvn3, Charset.TCVN3), (encode_vni, Charset.VNI), (encode_1258, Charset.WINDOWS_1258)],
)
def test_a_sentence_comes_back_in_nfc(encode, charset):
    decoded = decode(encode(SENTENCE), charset)
    assert decoded == SENTENCE
    assert unicodedata.is_normalized("NFC", decoded)


def test_utf_8_is_taken_as_it_is():
    text = "Nguye\u0302\u0303n"
    assert decode(text.encode(), Charset.UTF_8) == text


@pytest.mark.parametrize(
    ("data", "charset", "offset"),
    [
        (b"An \xd4", Charset.UTF_8, 3),
        (b"\xed\xa0\x80", Charset.UTF_8, 0),  # a lone surrogate
        (b"\xc0\x80", Charset.UTF_8, 0),  # an over-long NUL
        (encode_tcvn3("Trần Quốc"), Charset.UTF_8, 2),
        (b"A\x00", Charset.UTF_16, 0),
        (b"\xff\xfeA", Charset.UTF_16, 2),
        (b"\xff\xfe\x00\xd8", Charset.UTF_16, 2),
        (b"A\x00n", Charset.UTF_16_LE, 2),
        (b"A\x00", Charset.TCVN3, 1),
        (b"A\x03", Charset.TCVN3, 1),
        (b"A\x7f", Charset.TCVN3, 1),
        (b"b\xb3", Charset.TCVN3, 1),  # a tone on a consonant
        (b"\xb3a", Charset.TCVN3, 0),
        (b"\xb8\xb3", Charset.TCVN3, 1),  # two tones
        (b"An\x00", Charset.WINDOWS_1258, 2),
        (b"b\xec", Charset.WINDOWS_1258, 1),
        (b"\xec", Charset.WINDOWS_1258, 0),
        (b"An\x81", Charset.VNI, 2),
        (b"b\xf9", Charset.VNI, 1),  # a mark on a consonant
        (b"\xf9a", Charset.VNI, 0),
        (b"i\xf9", Charset.VNI, 1),  # í has a code of its own
        (b"y\xef", Charset.VNI, 1),
        (b"a\xf9\xf9", Charset.VNI, 2),
        (b"A\xf9", Charset.VNI, 1),  # capital letter, small mark
        (b"o\xea", Charset.VNI, 1),  # no breve on o
        (b"A\x07", Charset.VNI, 1),
        (b"a\xff", Charset.VNI, 1),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_place(data, charset, offset):
    with pytest.raises(UndecodableError) as refused:
        decode(data, charset)
    assert refused.value.offset == offset
    assert refused.value.charset is charset
    assert str(refused.value) == f"not {charset.value} at byte {offset}"
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__ or refused.value.__context__ is None
