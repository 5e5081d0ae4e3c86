"""What records must be to one another: gaps, doubles, answers without requests, requests without ends, clocks."""

import msgspec
import pytest

from gateway.ledger.record import RecordKind
from gateway.ledger.skeleton import read_skeleton
from gateway.ledger.verify_order import Order, OrderState, Rhythm
from gateway.ledger.verify_record import StoredRecord, check_record
from gateway.model.errors import ExchangeError
from gateway.model.instant import MICROSECONDS, Instant
from tests.support.ledger import built, record_id

START = 1_795_315_862_000_000
HOUR = 3600


def said(number, index, kind, parent=None, seconds=0.0, **marks):
    """A record as it is stored, and its skeleton."""
    at = Instant(START + int(seconds * MICROSECONDS))
    made = built(number, kind=kind, parent=None if parent is None else record_id(parent), at=at)
    stored = StoredRecord(made.id, index, made.skeleton, made.openings, **marks)
    return stored, read_skeleton(made.skeleton)


def request(number, index, **more):
    return said(number, index, RecordKind.REQUEST, **more)


def answer(number, index, parent, **more):
    return said(number, index, RecordKind.ANSWER, parent, **more)


def checked(*records, rhythm=None, finish=True):
    order = Order(rhythm)
    for record, skeleton in records:
        order.add(record, skeleton)
    if finish:
        order.finish()
    return list(order.faults.names), list(order.notices.names)


def test_an_orderly_log_has_nothing_to_be_named():
    records = [
        request(1, 0, opens=True, ends=None),
        request(2, 1, seconds=1),
        answer(3, 2, 2, seconds=2, opens=False, ends=record_id(2)),
        said(4, 3, RecordKind.ABANDONED, 1, seconds=90_000 - 7000),
        said(5, 4, RecordKind.AUDIT, seconds=90_000 - 7000),
        said(6, 5, RecordKind.REFUSAL, 2, seconds=90_000 - 7000),
    ]
    assert checked(*records) == ([], [])


@pytest.mark.parametrize(
    ("records", "fault"),
    [
        ([request(1, 0), answer(2, 2, 1)], "entry 1: its record is missing"),
        ([request(1, 1), answer(2, 2, 1)], "entry 0: its record is missing"),
        (
            [request(1, 0), answer(2, 1, 1), request(1, 2), answer(4, 3, 1)],
            f"record {record_id(1)}: it is there twice, as entry 0 and as entry 2",
        ),
        (
            [answer(2, 0, 1)],
            f"record {record_id(2)}: an end (entry 0) of {record_id(1)}, but its request is not in the log before it",
        ),
        (
            [answer(2, 0, 1), request(1, 1), answer(3, 2, 1)],
            f"record {record_id(2)}: an end (entry 0) of {record_id(1)}, but its request is not in the log before it",
        ),
        (
            [request(1, 0), answer(2, 1, 1), said(3, 2, RecordKind.ABANDONED, 1)],
            f"record {record_id(3)}: an end (entry 2) of {record_id(1)}, but entry 1 had ended it",
        ),
        ([answer(1, 0, None)], f"record {record_id(1)}: an end (entry 0) that names no request"),
        (
            [request(1, 0), said(2, 1, RecordKind.AUDIT, seconds=HOUR + 1)],
            f"record {record_id(1)}: the request (entry 0) never got an end",
        ),
        (
            [request(1, 0, opens=False), answer(2, 1, 1)],
            f"record {record_id(1)}: the store has other marks for it than its skeleton (opens, ends)",
        ),
        (
            [request(1, 0), answer(2, 1, 1, opens=False, ends=record_id(9))],
            f"record {record_id(2)}: the store has other marks for it than its skeleton (opens, ends)",
        ),
    ],
)
def test_what_is_out_of_order_is_named_alone(records, fault):
    assert checked(*records) == ([fault], [])


def test_a_request_that_still_runs_is_no_fault():
    assert checked(request(1, 0), said(2, 1, RecordKind.AUDIT, seconds=HOUR)) == ([], [])


def test_how_long_a_request_may_take_is_a_matter_of_time_that_went_by_not_of_the_clock():
    back = [request(1, 0), said(2, 1, RecordKind.AUDIT, seconds=-5 * HOUR), said(3, 2, RecordKind.AUDIT)]
    faults, notices = checked(*back)
    assert faults == [f"record {record_id(1)}: the request (entry 0) never got an end"]
    assert notices == ["entry 1: the clock went back by 5.0 h"]


def test_clock_jumps_are_noticed_once_each_and_are_no_faults():
    moments = [0, -100, 5, -HOUR, -HOUR + 5, 30 * HOUR, 30 * HOUR]
    found = checked(*[said(n, n, RecordKind.AUDIT, seconds=at) for n, at in enumerate(moments)])
    assert found == (
        [],
        [
            "entry 3: the clock went back by 1.0 h",
            "entry 5: nothing was recorded for 31.0 h before it, or the clock jumped",
        ],
    )


def test_what_is_normal_is_a_setting():
    rhythm = Rhythm(back=1, forward=10, end=5)
    records = [
        request(1, 0),
        said(2, 1, RecordKind.AUDIT, seconds=-2),
        said(3, 2, RecordKind.AUDIT, seconds=7),
        said(4, 3, RecordKind.AUDIT, seconds=18),
    ]
    faults, notices = checked(*records, rhythm=rhythm)
    assert (len(faults), len(notices)) == (1, 2), (faults, notices)


def test_a_check_goes_on_where_another_stopped():
    first = Order()
    first.add(*request(1, 0))
    first.add(*request(2, 1))
    kept = msgspec.json.encode(first.state)
    second = Order(state=msgspec.json.decode(kept, type=OrderState))
    second.add(*answer(3, 2, 1))
    second.add(*request(2, 3))
    assert list(second.faults.names) == [f"record {record_id(2)}: it is there twice, as entry 1 and as entry 3"]


def test_a_long_gap_costs_no_more_than_its_first_thousand():
    order = Order()
    order.add(*request(1, 10**9))
    assert len(order.faults.names) == 1000
    assert order.state.next == 10**9 + 1


def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr("gateway.ledger.verify_order._REMEMBERED", 4)
    order = Order()
    for number in range(40):
        order.add(*said(number, number, RecordKind.AUDIT))
    assert sum(map(len, order.state.ids)) <= 8
    order.add(*said(39, 40, RecordKind.AUDIT))
    assert order.faults.names


@pytest.mark.parametrize(
    "openings",
    [
        lambda text: text.replace(b'"nv.an"', b'"nv.bo"'),
        lambda text: text.replace(b'"version":1', b'"version": 1'),
        lambda text: text.replace(b'["officer","nv.an"]', b"null"),
        lambda text: text.replace(b'"salts":["', b'"salts":["0'),
        lambda text: text[:-1],
        lambda text: text + b" ",
    ],
)
def test_the_quick_way_accepts_nothing_that_the_long_way_refuses(openings):
    made = built(7)
    record = StoredRecord(made.id, 0, made.skeleton, openings(made.openings))
    with pytest.raises(ExchangeError):
        check_record(record, made.entry)
