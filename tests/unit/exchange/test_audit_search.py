"""A search about somebody finds nothing, rather than everything, where nobody can be known."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.exchange.audit import Audit
from gateway.exchange.audit_desk import Desk, Reader
from gateway.exchange.audit_question import Question
from gateway.ledger.record import InForce
from gateway.model.instant import Instant, from_seconds
from gateway.model.usage import RoleName
from gateway.trust.document import Role, Signers, TrustList

KEY = ec.generate_private_key(ec.SECP256R1())
PUBLIC = KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
READER = Reader(name="kt.lan", case="KT-1", reason="complaint", key=KEY)
TRUST = TrustList(
    serial=1,
    issued=Instant(0),
    valid_until=Instant(2**60),
    signers=Signers(required=1, keys=(b"signer",)),
    roles=(Role(role=RoleName.AUDITOR, name="Lan", key=PUBLIC),),
)


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

    async def commit(self, event, charges=()):
        self.committed.append((event, charges))


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
        (Question(message="m-1"), 0),
        (Question(client="VN/GOV/H24/portal"), 1),
    ],
)
async def test_search_about_nobody_known_is_recorded_and_empty(question, searched):
    log, recorder = Log(), Recorder()
    in_force = InForce(policy=None, trust=None, build="test")
    desk = Desk(log, recorder, clock=Clock(), entropy=bytes, in_force=in_force, trust=TRUST)
    assert await Audit(desk).search(question, READER) == []
    assert (log.searched, len(recorder.committed)) == (searched, 1)
    _, charges = recorder.committed[0]
    # The person asked about counts: that nobody asked about them is an answer too.
    assert [charge.key.partition(":")[0] for charge in charges] == [
        *(["audit-alone", "audit-persons"] if question.person else []),
        "audit-reads",
    ]
