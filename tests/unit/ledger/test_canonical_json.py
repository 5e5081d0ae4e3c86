from enum import StrEnum

import pytest

from gateway.ledger.canonical import canonical


class Colour(StrEnum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        # RFC 8785 §3.2.2 and §3.2.3
        (
            {"numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001]},
            '{"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27]}',
        ),
        ({"string": '€$\u000f\nA\'B"\\\\"/'}, '{"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'),
        ({"literals": [None, True, False]}, '{"literals":[null,true,false]}'),
        (
            {"€": 1, "\r": 2, "\ufb01": 3, "1": 4, "😀": 5, "\u0080": 6, "ö": 7},
            '{"\\r":2,"1":4,"\u0080":6,"ö":7,"€":1,"😀":5,"\ufb01":3}',
        ),
        # numbers that a JSON reader may round are texts
        (
            [2**53 - 1, 2**53, -(2**53), 2**64 - 1],
            '[9007199254740991,"9007199254740992","-9007199254740992","18446744073709551615"]',
        ),
        # text is NFC, in keys and values
        ({"te\u0302n": "Nguye\u0302\u0303n"}, '{"tên":"Nguyễn"}'),
        (Colour.RED, '"red"'),
        ((1, (2,)), "[1,[2]]"),
        ({}, "{}"),
        ("", '""'),
    ],
)
def test_writes_the_one_form(value, expected):
    assert canonical(value).decode() == expected


def nested(depth):
    value: list = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        float("nan"), float("inf"), 2**64, -(2**63) - 1, "\ud800", {"\udfff": 1}, b"bytes", {1: 2}, {b"a": 1}, {None: 1},
        {"a": 1, 2: 3}, {1, 2}, object(), {"\u00e9": 1, "e\u0301": 2}, nested(100_000),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_refuses_what_has_no_form_and_does_not_quote_it(value):
    with pytest.raises(ValueError) as refused:
        canonical(value)
    assert "\\ud" not in str(refused.value)
    assert "bytes" not in str(refused.value)
