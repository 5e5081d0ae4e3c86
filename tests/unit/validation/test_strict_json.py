"""JSON is read strictly, and numbers stay as they were written."""

import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model.errors import ExchangeError
from gateway.model.jsontext import WrittenNumber, encode
from gateway.validation.limits import Limits
from gateway.validation.strict_json import parse_json

REFUSED = {
    "nothing": b"",
    "white space only": b" \n",
    "nested 10,000 deep": b"[" * 10_000 + b"]" * 10_000,
    "objects nested 10,000 deep": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "opened 100,000 times and never closed": b"[" * 100_000,
    "one level too deep": b"[" * 65 + b"]" * 65,
    "too deep behind a string with brackets": b'["]]]]]",' + b"[" * 64 + b"]" * 64 + b"]",
    "too deep behind an escaped quote": b'["\\"]",' + b"[" * 64 + b"]" * 64 + b"]",
    "a repeated name": b'{"a":1,"a":1}',
    "a repeated name with space": b'{"a" : 1, "a" : 2}',
    "a repeated name, once escaped": b'{"a":1,"\\u0061":2}',
    "a repeated name deep inside": b'[{"x":{"a":1,"b":2,"a":3}}]',
    "NaN": b'{"a":NaN}',
    "Infinity": b"[Infinity]",
    "minus Infinity": b"[-Infinity]",
    "1e400": b'{"a":1e400}',
    "1E+400": b"[1E+400]",
    "minus 1e400": b"[-1e400]",
    "too small to tell from zero": b"[1e-400]",
    "a zero with an absurd exponent": b"[0e999999999]",
    "a number of 5,000 digits": b"1" * 5_000,
    "a number of 1,001 digits": b"9" * 1_001,
    "a fraction of 5,000 digits": b"0." + b"1" * 5_000,
    "a leading zero": b"[01]",
    "a plus sign": b"[+1]",
    "a hexadecimal number": b"[0x1]",
    "a lone high surrogate": b'"\\ud800"',
    "a lone low surrogate": b'["\\uDC00"]',
    "a surrogate before a letter": b'"\\ud83dx"',
    "a lone surrogate as a name": b'{"\\ud800":1}',
    "an encoded surrogate": b'"\xed\xa0\x80"',
    "an overlong encoding": b'"\xc0\xae"',
    "a stray byte": b'{"a":"\xff"}',
    "UTF-16": '{"a":1}'.encode("utf-16"),
    "two byte-order marks": b"\xef\xbb\xbf\xef\xbb\xbf{}",
    "a control character in a string": b'{"a":"\x01"}',
    "a line feed in a string": b'{"a":"\n"}',
    "NUL behind the value": b"{}\x00",
    "two values": b"{}{}",
    "a comma too many": b'{"a":1,}',
    "single quotes": b"{'a':1}",
    "a comment": b"{}//",
    "half an object": b'{"a":',
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
def test_refused(data):
    with pytest.raises(ExchangeError) as refused:
        parse_json(data)
    assert refused.value.kind.code == "client.bad_json"


def test_what_is_refused_is_not_repeated_in_the_error():
    with pytest.raises(ExchangeError) as refused:
        parse_json(b'{"031203004567":"Nguyen","031203004567":"Nhung"}')
    assert "0312" not in str(refused.value)
    assert "Nhung" not in str(refused.value)


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 64 + b"]" * 64,
        b'["' + b"[" * 500 + b'"]',
        b"[" + b"[]," * 500 + b"[]]",
        b'{"a":"' + b'\\"[' * 100 + b'"}',
    ],
    ids=["64 deep", "brackets in a string", "many side by side", "brackets after escaped quotes"],
)
def test_not_too_deep(data):
    assert parse_json(data) == json.loads(data)


def test_the_nesting_limit_is_a_setting():
    assert parse_json(b"[[[[]]]]", Limits(nesting=4)) == [[[[]]]]
    with pytest.raises(ExchangeError):
        parse_json(b"[[[[]]]]", Limits(nesting=3))


LEXEMES = [
    "0", "-0", "1", "-1", "1.10", "1.0", "0.10", "-0.0", "1e2", "1E2", "1E+2", "1.50e+3", "100e-2", "0e5",
    "9223372036854775807", "9223372036854775809", "18446744073709551616", "-9223372036854775809", "1" * 900,
    "0.1000000000000000055511151231257827", "123456789012345678901234567890.0", "5e-324", "1.7976931348623157e308",
]  # fmt: skip


@pytest.mark.parametrize("lexeme", LEXEMES)
@pytest.mark.parametrize("form", ["[%s]", '{"a": %s}', '{"a":{"b":[%s,"x"]}}'])
def test_numbers_come_out_as_they_went_in(lexeme, form):
    text = form % lexeme
    assert encode(parse_json(text.encode())).decode() == text.replace(": ", ":")


def test_numbers_have_exact_values():
    value = parse_json(b'{"a": 1.10, "b": 9223372036854775809, "c": 1e2, "d": 7}')
    assert value == {"a": Decimal("1.10"), "b": 2**63 + 1, "c": Decimal(100), "d": 7}
    assert type(value["a"]) is Decimal
    assert type(value["c"]) is WrittenNumber
    assert type(value["b"]) is type(value["d"]) is int


def test_long_runs_of_digits_in_strings_are_no_numbers():
    assert parse_json(b'{"a":"' + b"1" * 2000 + b'","b":' + b"7" * 1000 + b"}")["a"] == "1" * 2000


def test_one_byte_order_mark_is_ignored():
    assert parse_json(b'\xef\xbb\xbf{"a":1}') == {"a": 1}


def test_surrogate_pairs_are_characters():
    assert parse_json(b'{"a":"\\ud83d\\ude00"}') == {"a": "😀"}


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(st.characters(codec="utf-8"))
    | st.decimals(-1000, 1000, places=3),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(JSON)
@settings(max_examples=100, deadline=None)
def test_both_readers_read_the_same(value):
    compact = encode(value)
    spaced = json.dumps(json.loads(compact, parse_float=str), ensure_ascii=False, separators=(", ", ": "))
    assert encode(parse_json(compact)) == compact
    if b"." not in compact:
        assert parse_json(spaced.encode()) == parse_json(compact) == json.loads(compact)
