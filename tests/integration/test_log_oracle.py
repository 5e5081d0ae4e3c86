"""A running gateway's receipts and whole log, by readers that are not ours: C2SP formats, and the tree as pymerkle has it."""

import time

import pytest

from tests.support.exchanges import Caller, connect, fetch_log, office
from tests.support.gateways import PORTAL
from tests.support.rfc6962 import check_log, check_receipt
from tests.support.tlog_proof import check, read_log


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with office(tmp_path_factory.mktemp("oracle")) as made:
        yield made


def test_receipts_and_the_whole_log_over_http(place):
    vkey = place.site.pki.log_vkey
    caller = Caller(place)
    answers = [caller.post() for _ in range(130)]

    async def receipts(answer):
        async with connect(place.site, PORTAL, logs=[vkey]) as client:
            return (await client.receipt(answer)).files

    proofs = [check(file, vkey) for answer in (answers[0], answers[-1]) for file in place.run(receipts(answer))]
    for proof in proofs:
        check_receipt(proof)
    for _ in range(200):
        log = read_log(fetch_log(place.site), vkey)
        if log.size > 260:
            break
        time.sleep(0.05)  # the sequencer publishes within a second
    check_log(log)
    assert log.above != []
    for proof in proofs:
        assert log.entries[proof.index] == proof.entry
