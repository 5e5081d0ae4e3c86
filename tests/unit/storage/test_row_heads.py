"""Entries read out of the beginnings of rows are those of the rows."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model.instant import Instant
from gateway.model.storage import Row
from gateway.storage.sqlite.rows import entries_of_heads, entry_in, is_whole, pack, unpack
from tests.support.storage import row

OWNERS = (0, 1, 127, 128, 255, 256, 65_535, 65_536, 2**31)


def heads(packed):
    return b"".join([each[:96] for each in packed])


@pytest.mark.parametrize("owner", OWNERS)
def test_usual_rows(owner):
    made = [row(number) for number in range(1, 20)]
    packed = [pack(each, Instant(1_795_315_862_123_456), owner) for each in made]
    assert entries_of_heads(heads(packed), 19) == [entry_in(each) for each in packed] == [each.entry for each in made]


def test_rows_of_several_processes():
    packed = [pack(row(number), Instant(1_795_315_862_123_456), number % 128) for number in range(1, 300)]
    assert entries_of_heads(heads(packed), 299) == [entry_in(each) for each in packed]


@pytest.mark.parametrize(("first", "second"), [(127, 128), (255, 256), (1, 65_536), (65_536, 127)])
def test_rows_of_two_shapes_are_left_to_who_decodes_them(first, second):
    packed = [pack(row(number), Instant(1_795_315_862_123_456), (first, second)[number // 8]) for number in range(16)]
    assert entries_of_heads(heads(packed), 16) is None


def test_a_short_row_does_not_shift_its_neighbours():
    packed = [pack(row(number), Instant(1_795_315_862_123_456), 1)[:96] for number in range(8)]
    assert entries_of_heads(b"".join([packed[0][:40], packed[1], packed[2] + bytes(56)]), 3) is None
    assert entries_of_heads(heads(packed), 7) is None
    assert entries_of_heads(b"", 0) is None


@settings(max_examples=60)
@given(
    rows=st.lists(
        st.tuples(st.integers(0, 2**62), st.integers(0, 2**40), st.text(max_size=40), st.binary(max_size=70)),
        min_size=1,
        max_size=4,
    )
)
def test_any_rows(rows):
    made = [
        (Row(id=name, entry=entry, skeleton=b"", openings=b"", epoch=""), at, owner) for at, owner, name, entry in rows
    ]
    packed = [pack(each, Instant(at), owner) for each, at, owner in made]
    assert entries_of_heads(heads(packed), len(packed)) in (None, [entry for *_, entry in rows])
    assert [entry_in(each) for each in packed] == [entry for *_, entry in rows]


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
