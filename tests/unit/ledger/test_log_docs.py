"""docs/log.md: its program verifies our receipts and no forged ones, and its example is what the code makes."""

import contextlib
import re
from pathlib import Path

import pytest

from gateway.ledger.openings import parse_openings
from gateway.ledger.record import RecordKind
from tests.support.ledger import MemoryLog, built

PAGE = (Path(__file__).parents[3] / "docs" / "log.md").read_text()


def block(label):
    [found] = re.findall(rf"^```{label}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    return found


@pytest.fixture(scope="module")
def check():
    names = {}
    exec(compile(block("python"), "docs/log.md", "exec"), names)
    return names["check"]


@pytest.fixture(scope="module")
def log():
    made = MemoryLog()
    made.append([built(number).entry for number in range(300)])
    return made


@pytest.mark.parametrize("index", [0, 1, 255, 256, 298, 299])
def test_an_outsider_verifies_our_receipts(check, log, index):
    assert check(log.receipt(index, built(index)), log.key.encode())["id"] == built(index).id
    assert check(log.receipt(index, built(index), lambda _: False), log.key.encode())["kind"] == "request"


def test_an_outsider_is_told_nothing_else_by_an_altered_one(check, log):
    receipt = log.receipt(5, built(5))
    honest = check(receipt, log.key.encode())
    told = []
    for place in range(0, len(receipt), 3):
        altered = bytearray(receipt)
        altered[place] ^= 1
        with contextlib.suppress(Exception):
            told.append(check(bytes(altered), log.key.encode()))
    # A short program reads leniently what proves nothing, such as the version of the openings.
    assert all(record == honest for record in told)
    assert len(told) < 5


def test_the_example_is_what_the_code_makes():
    record = built()
    assert block("json skeleton").rstrip("\n").encode() == record.skeleton
    assert block("json openings").rstrip("\n").encode() == record.openings
    assert block("text entry").strip() == record.entry.hex()
    assert len(parse_openings(record.openings).shown) == 3


def test_every_kind_is_described():
    for kind in RecordKind:
        assert f"`{kind}`" in PAGE
