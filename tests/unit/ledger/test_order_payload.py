"""What role holders sign has one form: each of these documents is read back, and nothing that is like one."""

import json
from typing import Any

import pytest

from gateway.ledger.canonical import canonical
from gateway.ledger.order import Order, parse_order
from gateway.ledger.order_hold import Hold, parse_hold
from gateway.ledger.order_withheld import Lifting, Withheld, parse_lifting, parse_withheld
from gateway.model.errors import ExchangeError
from gateway.model.errors.erasure import ORDER_MALFORMED
from gateway.model.ids import RecordId
from gateway.model.instant import Instant, from_seconds

ID, AT = "ab" * 16, from_seconds(1_800_000_000)
RECORD = RecordId("01932d3e-8f1c-7abc-8def-000000000001")
UNTIL = Instant(AT + 86_400_000_000)
KINDS: dict[str, tuple[Any, Any]] = {
    "order": (
        Order(id=ID, log="x/log", issued=AT, records=(RECORD,), reason="r", legal_basis="l", case="c"),
        parse_order,
    ),
    "hold": (
        Hold(id=ID, log="x/log", issued=AT, role="auditor", subjects={"e": (ID,)}, records=(RECORD,), why="w"),
        parse_hold,
    ),
    "lifting of a hold": (Hold(id=ID, log="x/log", issued=AT, role="auditor", lifts=ID, why="w"), parse_hold),
    "withholding": (
        Withheld(id=ID, log="x/log", issued=AT, until=UNTIL, persons=(ID,), clients=("a",), why="w"),
        parse_withheld,
    ),
    "lifting": (Lifting(id=ID, log="x/log", issued=AT, lifts=ID, why="w"), parse_lifting),
}
WRONG: dict[str, dict[str, Any]] = {
    "another version": {"version": 2},
    "a version that is true": {"version": True},
    "a version in words": {"version": "1"},
    "one member more": {"more": 1},
    "no time": {"issued": 5},
    "a time of no zone": {"issued": "2027-01-15T08:00:00"},
    "a time in another form": {"issued": "2027-01-15 08:00:00Z"},
    "an id that is too short": {"id": "ab"},
    "an id in capitals": {"id": "AB" * 16},
    "a list where a text is": {"log": ["x/log"]},
    "nothing where a text is": {"log": None},
}


@pytest.mark.parametrize("name", KINDS)
def test_what_was_written_is_read(name: str) -> None:
    document, parse = KINDS[name]
    assert parse(document.encode()) == document


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("name", KINDS)
def test_what_is_like_one_is_none(name: str, wrong: str) -> None:
    document, parse = KINDS[name]
    _refused(parse, canonical({**json.loads(document.encode()), **WRONG[wrong]}))


@pytest.mark.parametrize("name", KINDS)
def test_a_member_that_is_missing_or_another_form_of_the_same(name: str) -> None:
    document, parse = KINDS[name]
    written = json.loads(document.encode())
    for missing in written:
        _refused(parse, canonical({key: value for key, value in written.items() if key != missing}))
    _refused(parse, json.dumps(written).encode())  # with spaces
    _refused(parse, document.encode().replace(b'"version":1', b'"version":1,"version":1'))
    for nonsense in (b"", b"[]", b"null", b"\xff", b"[" * 5000, b"{" * 5000):
        _refused(parse, nonsense)


@pytest.mark.parametrize("name", KINDS)
def test_no_kind_is_read_as_another(name: str) -> None:
    document, own = KINDS[name]
    for _, parse in KINDS.values():
        if parse is not own:
            _refused(parse, document.encode())


def _refused(parse: Any, payload: bytes) -> None:
    with pytest.raises(ExchangeError) as caught:
        parse(payload)
    assert caught.value.kind is ORDER_MALFORMED
