"""Receipts of a form that the gateway filled: of the form itself, and of each register that was asked for it."""

import pytest

from adapters.simulators.parties import PORTAL
from adapters.simulators.portal import BIRTH
from gateway.client import Call
from gateway.ledger.note import parse_vkey
from gateway.ledger.receipt import verify_receipt_by
from gateway.wiring.demo import demo_world
from tests.support import tlog_proof


@pytest.mark.asyncio
async def test_every_call_that_a_form_is_made_of_can_be_proved_by_who_asked_for_it(tmp_path):
    async with demo_world(tmp_path, count=200) as world, world.client(PORTAL) as client:
        story, case = world.people.story, world.desk.case("00.H24")
        people = {"mother": {"identity_number": story.mother.identity_number}, "child": {}}
        people["father"] = {"identity_number": story.father.identity_number}
        document = {"procedure": BIRTH.code, "people": people, "case": case}
        call = Call(own_path="/v1/prefill", body=document, purpose=BIRTH, officer="ht.bien-nhan", case=case)
        answer = await client.send(call)
        assert answer.error_code is None, answer.body.data
        vkey = world.gateway.log_key.encode()
        form = verify_receipt_by(await client.fetch_receipt(answer.receipt), [parse_vkey(vkey)])
        named = {each["receipt"] for each in answer.json()["elements"].values() if each.get("receipt")}
        proofs = [tlog_proof.check(await client.fetch_receipt(record_id), vkey) for record_id in sorted(named)]
    assert len(proofs) > 1
    for proof in proofs:
        assert (proof.record["kind"], proof.record["client"]) == ("answer", str(PORTAL))
        assert proof.all("body_sha256")
    assert form.skeleton.service == "VN/GOV/G22/motlan/prefill"
