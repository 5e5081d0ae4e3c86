"""A search about somebody finds nothing, rather than everything, where nobody can be known."""

import pytest

from gateway.exchange.audit import Audit, Question, Reader
from gateway.ledger.record import InForce
from gateway.model.instant import from_seconds

READER = Reader(name="kt.lan", case="KT-1", reason="complaint", key=object())


class Log:
    """A log of one period that no key here opens: it has records, and no epochs."""

    searched = 0

    async def epochs(self):
        return []

    async def search(self, query):
        self.searched += 1
        for found in ():
            yield found


class Recorder:
    def __init__(self):
        self.committed = []

    async def commit(self, event):
        self.committed.append(event)


class Clock:
    def now(self):
        return from_seconds(1_800_000_000)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("question", "searched"),
    [
        (Question(person="031090001234"), 0),
        (Question(officer=("VN/GOV/H24/portal", "ht.nam")), 0),
        (Question(case="H24-1"), 0),
        (Question(client="VN/GOV/H24/portal"), 1),
    ],
)
async def test_search_about_nobody_known_is_recorded_and_empty(question, searched):
    log, recorder = Log(), Recorder()
    audit = Audit(log, recorder, Clock(), bytes, InForce(policy=None, trust=None, build="test"))
    assert await audit.search(question, READER) == []
    assert (log.searched, len(recorder.committed)) == (searched, 1)
