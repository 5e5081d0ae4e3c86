"""Motlan-Purpose as a caller writes it: what is read, and what is refused."""

import pytest

from adapters.rest.purpose import parse_purpose
from gateway.model.envelope import Purpose
from gateway.signing.sf import purpose_item


@pytest.mark.parametrize(
    ("text", "purpose"),
    [
        ('"1.001193";basis="ND-63/2024"', Purpose("1.001193", "ND-63/2024")),
        ('"1.001193"', Purpose("1.001193")),
        (' "1.001193"; basis="a\\"b" ', Purpose("1.001193", 'a"b')),
    ],
)
def test_purpose_is_read(text, purpose):
    assert parse_purpose(text) == purpose
    assert parse_purpose(purpose_item(purpose)) == purpose


@pytest.mark.parametrize(
    "text",
    ["", "1.001193", '""', '"a";basis=""', '"a";basis=b', '"a";basis', '"a";basis="b";basis="c"', '"a";other="b"',
     '"a", "b"', '"a" x', '("a")', '"é"', '"' + "a" * 65 + '"'],
)  # fmt: skip
def test_purpose_that_is_wrong_is_refused(text):
    with pytest.raises(ValueError):
        parse_purpose(text)
