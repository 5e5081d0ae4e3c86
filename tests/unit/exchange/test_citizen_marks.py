"""Marks for citizens' own lists: only of exchanges, only where lists are kept, and gone with the person."""

import pytest

from gateway.exchange.accesses_question import Cursor, parse_question
from gateway.exchange.marks import Marks, citizen_mark
from gateway.ledger.erasure import marks_left
from gateway.ledger.openings import Opening, Openings
from gateway.ledger.order_withheld import Withheld, parse_withheld
from gateway.model.errors import ExchangeError
from gateway.model.ids import RecordId
from gateway.model.instant import Instant, plus
from gateway.model.numbers import holds_person_number
from gateway.model.storage import Row

KEY, CITIZENS, EPOCH = b"k" * 32, b"c" * 32, "20600-aa"
ALICE, BINH = "031090001234", "040195889861"
NOW = Instant(1_795_000_000_000_000)


def marks(*persons):
    made = Marks(KEY, EPOCH, CITIZENS)
    return (*made.of(persons, ("portal", "ht.nam"), "H24-1"), *made.listed(persons))


def row(*persons):
    return Row(id=RecordId("r"), entry=b"", skeleton=b"", openings=b"", epoch=EPOCH, pseudonyms=marks(*persons))


def openings(*persons):
    fields = [Opening(position, "person", each, bytes(16)) for position, each in enumerate(persons)]
    return Openings(RecordId("r"), (*fields, Opening(8, "officer", "ht.nam", bytes(16)), Opening(9, "case", "1", b"")))


def test_a_person_has_another_mark_in_each_epoch_and_none_without_lists():
    assert citizen_mark(CITIZENS, "a", ALICE) != citizen_mark(CITIZENS, "b", ALICE)
    assert Marks(KEY, EPOCH, None).listed((ALICE,)) == ()
    assert Marks(KEY, EPOCH, CITIZENS).listed((ALICE,)) == (("citizen", citizen_mark(CITIZENS, EPOCH, ALICE)),)


def test_erasing_one_person_takes_their_mark_and_leaves_the_others():
    kinds = {value: kind for kind, value in marks(ALICE, BINH)}
    erased = [Marks(KEY).of((ALICE,), None, None)[0][1]]
    left = marks_left(row(ALICE, BINH), openings(ALICE, BINH), openings(BINH), erased=erased)
    assert citizen_mark(CITIZENS, EPOCH, ALICE) not in {value for _, value in left}
    assert citizen_mark(CITIZENS, EPOCH, BINH) in {value for _, value in left}
    assert len(left) == len(kinds) - 2


def test_erasing_the_field_takes_everybodys_mark():
    left = marks_left(row(ALICE), openings(ALICE), openings(), erased=[])
    assert {kind for kind, _ in left} == {"officer", "case"}


@pytest.mark.parametrize(("before", "top"), [(1, 1), (10, 9), (2**40, 2**41)])
def test_a_cursor_comes_back_as_it_was_and_is_no_number(before, top):
    text = str(Cursor(before, top))
    assert Cursor.parse(text) == Cursor(before, top)
    assert text.isalpha()
    assert not holds_person_number(text)


def test_days_are_vietnamese_and_the_last_one_is_within():
    found = parse_question("since=2026-11-22&until=2026-11-22", NOW, 12)
    assert found.until - found.since == 86_400 * 1_000_000
    assert (found.since // 1_000_000) % 86_400 == 17 * 3600
    assert parse_question(None, NOW, 12).since < plus(NOW, -360 * 86_400)


def withheld(**change):
    usual = {
        "id": "0a" * 16, "log": "motlan.example/log", "issued": NOW, "until": plus(NOW, 60.0), "why": "x",
        "records": (RecordId("01932d3e-8f1c-7abc-8def-000000000001"),),
    }  # fmt: skip
    return Withheld(**{**usual, **change})


def test_a_withholding_is_read_as_it_was_written_and_no_other_way():
    made = withheld()
    assert parse_withheld(made.encode()) == made
    for other in (made.encode() + b" ", b"{}", b"", made.encode().replace(b"1", b"2", 1)):
        with pytest.raises(ExchangeError):
            parse_withheld(other)


@pytest.mark.parametrize(
    "change",
    [{"until": NOW}, {"until": plus(NOW, 367 * 86_400.0)}, {"records": ()}, {"id": "x"}, {"log": ""},
     {"clients": ("VN/GOV/H24/portal",)}, {"records": (RecordId("031090001234"),)}, {"persons": ("031090001234",)}],
)  # fmt: skip
def test_what_withholds_nothing_or_for_ever_cannot_be_made(change):
    with pytest.raises(ValueError):
        withheld(**change)
