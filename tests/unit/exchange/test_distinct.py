"""Counting different values: the same in memory and beyond it."""

import os

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.exchange.distinct import Distinct

VALUES = st.one_of(st.integers(0, 40), st.text(max_size=2))


@settings(max_examples=60)
@given(batches=st.lists(st.lists(VALUES, max_size=12), max_size=8), most=st.integers(1, 20))
def test_as_many_as_a_set_has(batches, most):
    with Distinct(b"k" * 32, most=most) as distinct:
        for batch in batches:
            distinct.add(batch)
        assert distinct.count() == len({value for batch in batches for value in batch})


def test_a_number_and_its_text_are_two():
    with Distinct(b"k" * 32, most=1) as distinct:
        distinct.add([12, "12", 13])
        assert distinct.count() == 3


def test_what_goes_to_the_disk_names_nobody_and_has_no_name():
    number = 31093271828
    with Distinct(b"k" * 32, most=1) as distinct:
        distinct.add(["Nguy\u1ec5n", number, number + 1])
        file = distinct._file
        assert file is not None
        assert os.fstat(file.fileno()).st_nlink == 0
        file.seek(0)
        data = file.read()
        assert len(data) == 3 * 16
        assert str(number).encode() not in data
        assert "Nguy\u1ec5n".encode() not in data
    assert file.closed
