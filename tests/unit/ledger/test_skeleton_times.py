"""The one form that a record's time has."""

import pytest

from gateway.ledger.skeleton import read_skeleton
from gateway.model.errors import ExchangeError
from gateway.model.instant import Instant
from tests.support.ledger import built

TIME = b"2026-11-22T02:51:02.123Z"


def test_a_time_is_read_to_the_millisecond():
    assert read_skeleton(built().skeleton).instant == Instant(1_795_315_862_123_000)


@pytest.mark.parametrize(
    "other",
    [
        "2026-11-22t02:51:02.123Z",
        "2026-11-22T02:51:02.123z",
        "2026-11-22 02:51:02.123Z",
        "2026-11-22T02:51:02Z",
        "2026-11-22T02:51:02.1230Z",
        "2026-11-22T02:51:02.12Z ",
        "2026-11-22T02:51:02.12 Z",
        "2026-11-22T02:51:02,123Z",
        "2026-11-22T02:51:02+00Z0",
        "2026-W47-7T02:51:02.123Z",
        "2026-11-22T02:51:60.123Z",
        "2026-11-22T24:00:00.000Z",
        "2026-02-30T02:51:02.123Z",
        "1969-12-31T23:59:59.999Z",
        "2026-11-22T02:51:02.\u0661\u0662\u0663Z",
        "",
    ],
)
def test_any_other_form_is_refused(other):
    with pytest.raises(ExchangeError):
        read_skeleton(built().skeleton.replace(TIME, other.encode()))
