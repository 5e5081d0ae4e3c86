"""Entries read out of the beginnings of rows are those of the rows."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model.instant import Instant
from gateway.model.storage import Row
from gateway.storage.sqlite.rows import entry_in, entry_of_head, is_whole, pack, unpack
from tests.support.storage import row

OWNERS = (0, 1, 127, 128, 255, 256, 65_535, 65_536, 2**31)


@pytest.mark.parametrize("owner", OWNERS)
def test_a_usual_row(owner):
    made = row(7)
    packed = pack(made, Instant(1_795_315_862_123_456), owner)
    assert entry_of_head(packed[:96]) == entry_in(packed) == made.entry


@settings(max_examples=60)
@given(
    at=st.integers(0, 2**62),
    owner=st.integers(0, 2**40),
    name=st.text(max_size=40),
    entry=st.binary(max_size=70),
)
def test_any_row(at, owner, name, entry):
    made = Row(id=name, entry=entry, skeleton=b"", openings=b"", epoch="")
    packed = pack(made, Instant(at), owner)
    assert entry_of_head(packed[:96]) in {None, entry}
    assert entry_in(packed) == entry


def test_a_checksum_finds_any_flipped_bit_of_a_row_that_still_parses():
    packed = pack(row(3), Instant(1_795_315_862_123_456), 5)
    assert is_whole(packed, unpack(packed))
    for place in range(len(packed)):
        for bit in range(8):
            flipped = bytearray(packed)
            flipped[place] ^= 1 << bit
            try:
                parsed = unpack(bytes(flipped))
            except ValueError:
                continue
            assert not is_whole(bytes(flipped), parsed)
