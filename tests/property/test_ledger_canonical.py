"""Canonical JSON against the reference implementation of RFC 8785, over values that a record may hold."""

import json
import math
import unicodedata

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger.canonical import canonical

SAFE = 2**53 - 1
texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=12)
# Marks that compose, marks that reorder, control characters that are escaped, astral keys that sort by UTF-16.
awkward = st.text(alphabet='aeonE\u0301\u0303\u0323\u0302đ\n\t"\\\x00\x1f\x7f\u2028\ue000\U0001f600', max_size=8)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
    | awkward
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts | awkward, inner, max_size=4),
    max_leaves=12,
)


def prepared(value):
    """What the two rules of records make of a value, before RFC 8785 writes it."""
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, dict):
        return {unicodedata.normalize("NFC", key): prepared(item) for key, item in value.items()}
    if isinstance(value, list):
        return [prepared(item) for item in value]
    if isinstance(value, float) and value.is_integer() and SAFE < abs(value) < 1e21:
        return str(int(rfc8785.dumps(value)))
    return str(value) if type(value) is int and abs(value) > SAFE else value


def collides(value):
    if isinstance(value, dict):
        keys = {unicodedata.normalize("NFC", key) for key in value}
        return len(keys) != len(value) or any(map(collides, value.values()))
    return isinstance(value, list) and any(map(collides, value))


@given(values)
def test_agrees_with_the_reference_implementation(value):
    if collides(value):
        with pytest.raises(ValueError, match="same text in NFC"):
            canonical(value)
    else:
        assert canonical(value) == rfc8785.dumps(prepared(value))


@given(values)
def test_reading_it_with_any_json_reader_and_writing_it_again_changes_nothing(value):
    if not collides(value):
        once = canonical(value)
        assert canonical(json.loads(once)) == once


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_is_read_back_as_the_same_number(value):
    read = float(json.loads(canonical(value)))
    assert read == value or math.isclose(read, value, rel_tol=0)
