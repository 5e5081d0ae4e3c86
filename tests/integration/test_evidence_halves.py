"""Both halves of an exchange in one container, and the receipts that consumer and provider keep of their own: the same
records, seen by three.
"""

import hashlib
import json

import pytest

from gateway.client import Call
from gateway.signing.asice import read_container
from tests.support import tlog_proof
from tests.support.cli import CASE, OFFICER
from tests.support.evidence_office import KEPT, export, stamped_office, verify, wait_for_stamp
from tests.support.exchanges import STATED, connect, json_answer
from tests.support.gateways import PORTAL, PROVIDER

PERSON = "031093271828"


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    with stamped_office(tmp_path_factory.mktemp("halves")) as made:
        made.provider.reply = json_answer({"full_name": "Nguyễn Thị Ánh"})
        yield made


def called(office):
    """A call, and the receipts that its consumer fetched and compared."""

    async def work():
        call = Call(service=KEPT, purpose=STATED, body={"identity_number": PERSON}, officer=OFFICER, case=CASE)
        async with connect(office.site, PORTAL, logs=[office.site.pki.log_vkey]) as client:
            answer = await client.send(call)
            return answer, await client.receipt(answer)

    return office.run(work())


def fetched(office, record, subsystem):
    async def work():
        async with connect(office.site, subsystem) as client:
            return await client.fetch_receipt(record)

    return office.run(work())


def test_one_container_holds_what_each_party_can_show_by_itself(office, tmp_path):
    answer, own = called(office)
    wait_for_stamp(office, answer.receipt)
    file = tmp_path / "x.asice"
    roles = export(office, answer.receipt, file)["records"]
    assert verify(office, file)[0] == 0
    files, vkey = read_container(file.read_bytes()), office.site.pki.log_vkey
    assert list(roles) == ["request", "answer"]
    # The consumer's half: what it signed, byte for byte, its body, and its own receipts.
    assert files["messages/request-signature.base"] == answer.sent.signed.base
    assert files["messages/answer-signature.base"] == answer.proof.proof.base
    assert json.loads(files["messages/request.body"]) == {"identity_number": PERSON}
    assert files["messages/answer.body"] == answer.body.data
    kept = {each.record["kind"]: each for each in (tlog_proof.check(file, vkey) for file in own.files)}
    # The provider's half: what it got and gave, by the receipt that it fetches itself.
    provided = {role: tlog_proof.check(fetched(office, record, PROVIDER), vkey) for role, record in roles.items()}
    for role in roles:
        skeleton = json.loads(files[f"records/{role}.skeleton.json"])
        assert skeleton == kept[role].record == provided[role].record
    assert hashlib.sha256(office.provider.last.body).hexdigest() == provided["request"].all("body_sha256")[0]
    # The container opens all that either of them can open, with the same values.
    for role in roles:
        opened = tlog_proof.check(files[f"records/{role}.tlog-proof"], vkey).opened
        for each in (kept[role], provided[role]):
            assert set(map(repr, each.opened)) <= set(map(repr, opened))
