"""A gateway that lies in its log, and receipts that somebody altered: the client that holds the message notices each."""

import base64
import contextlib
import json

import pytest

from gateway.client import Call
from gateway.client.receipt import Exchanged, compare
from gateway.ledger.note import KeyType, cosign, parse_vkey
from gateway.ledger.receipt import verify_receipt_by
from gateway.ledger.record import Facts, RecordKind, Ruling, SignedBy, build, random_needed
from gateway.model.errors import ExchangeError
from gateway.model.errors.ledger import LOG_SIGNATURE_INVALID
from gateway.model.errors.receipt import RECEIPT_DIFFERS
from gateway.model.ids import parse_service, parse_subsystem
from tests.support import tlog_proof
from tests.support.exchanges import HOLDING, STATED, connect, json_answer, office
from tests.support.gateways import OTHER, PORTAL, WRITE
from tests.support.ledger import IN_FORCE, ORIGIN, MemoryLog, noise, record_id, signing_key

NOTHING = (tlog_proof.NotProvedError, ValueError, IndexError, KeyError, AttributeError)
"""What the other verifier says of what proves nothing."""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with office(tmp_path_factory.mktemp("lies")) as made:
        made.provider.reply = json_answer({"owner": {"identity_number": "031060000017", "full_name": "Ánh"}})
        yield made


def exchange(place, officer):
    call = Call(
        service=HOLDING, purpose=STATED, body={"identity_number": "031090001234"}, officer=officer, case="H24-1",
        message_id=f"m-{officer}",
    )  # fmt: skip

    async def work():
        async with connect(place.site, logs=[place.site.pki.log_vkey]) as client:
            answer = await client.send(call)
            proved = await client.receipt(answer)
            known = Exchanged(sent=answer.sent, head=answer.head, body=answer.body, proof=answer.proof)
            return known, proved

    return place.run(work())


@pytest.fixture(scope="module")
def honest(place):
    return exchange(place, "ht.nam")


@pytest.fixture(scope="module")
def other(place):
    return exchange(place, "ht.lan")


def facts_of(receipt, **changes):
    """The facts of a proved record, as the gateway wrote them, changed. ``private``: name → another value, or None."""
    said = receipt.skeleton
    altered = changes.pop("private", {})
    private = [(each.name, altered.get(each.name, each.value)) for each in receipt.openings.shown]
    usual = {
        "id": said.id,
        "at": said.instant,
        "kind": RecordKind(said.kind),
        "in_force": IN_FORCE,
        "parent": said.parent,
        "client": parse_subsystem(said.client),
        "service": parse_service(said.service),
        "method": said.method,
        "purpose": said.purpose,
        "basis": said.basis,
        "grant": said.grant,
        "ruling": None if said.decision is None else Ruling(said.decision.ruling),
        "reasons": () if said.decision is None else said.decision.reasons,
        "outcome": said.outcome,
        "released": said.released,
        "signed_by": SignedBy(said.signed_by),
        "private": tuple(pair for pair in private if pair[1] is not None),
    }
    return Facts(**usual | changes)


def written(*facts):
    """What a gateway's log would prove that had recorded these facts."""
    log = MemoryLog()
    records = [build(each, noise(each.id, random_needed(len(each.private)))) for each in facts]
    log.append([record.entry for record in records])
    return [verify_receipt_by(log.receipt(index, record), [log.key]) for index, record in enumerate(records)]


def test_the_truth_is_believed(honest):
    known, proved = honest
    request, answer = written(facts_of(proved.request), facts_of(proved.answer))
    assert compare(known, answer, request, ()).unopened == ()


REQUEST_LIES = {
    "client": {"client": OTHER},
    "service": {"service": WRITE},
    "method": {"method": "PUT"},
    "purpose": {"purpose": "1.004222"},
    "kind": {"kind": RecordKind.DELIVERY},
    "officer": {"private": {"officer": "ht.lan"}},
    "case": {"private": {"case": "H24-2"}},
    "message_id": {"private": {"message_id": "m-2"}},
    "target": {"private": {"target": "/r1/VN/GOV/G15/registry/holding?x"}},
    "body": {"private": {"body_sha256": "00" * 32}},
    "signature_base": {"private": {"signature_base": "another"}},
    "signature": {"private": {"signature": ":AAAA:"}},
}
ANSWER_LIES = {
    "id": {"id": record_id(7)},
    "outcome": {"outcome": "NOT_FOUND"},
    "parent": {"parent": record_id(7)},
    "kind": {"kind": RecordKind.ABANDONED},
    "purpose": {"purpose": "1.004222"},
    "body": {"private": {"body_sha256": "00" * 32}},
    "signature_base": {"private": {"signature_base": "another"}},
    "signature": {"private": {"signature": "00"}},
}


@pytest.mark.parametrize("what", REQUEST_LIES)
def test_a_record_of_another_request_is_noticed(honest, what):
    known, proved = honest
    lie = facts_of(proved.request, **REQUEST_LIES[what])
    request, answer = written(lie, facts_of(proved.answer))
    with pytest.raises(ExchangeError) as caught:
        compare(known, answer, request, ())
    assert caught.value.kind is RECEIPT_DIFFERS
    assert f"request.{what}" in caught.value.parts


@pytest.mark.parametrize("what", ANSWER_LIES)
def test_a_record_of_another_answer_is_noticed(honest, what):
    known, proved = honest
    request, answer = written(facts_of(proved.request), facts_of(proved.answer, **ANSWER_LIES[what]))
    with pytest.raises(ExchangeError) as caught:
        compare(known, answer, request, ())
    assert f"answer.{what}" in caught.value.parts


@pytest.mark.parametrize("name", ["body_sha256", "signature_base", "officer", "target"])
def test_what_a_receipt_leaves_out_is_said_to_be_unproved(honest, name):
    known, proved = honest
    request, answer = written(facts_of(proved.request, private={name: None}), facts_of(proved.answer))
    unopened = compare(known, answer, request, ()).unopened
    assert unopened == (f"request.{name.removesuffix('_sha256')}",)


def test_receipts_of_another_exchange_are_not_of_this_one(honest, other):
    known, proved = honest
    _, theirs = other
    with pytest.raises(ExchangeError) as caught:
        compare(known, theirs.answer, theirs.request, ())
    assert {"answer.id", "request.officer", "request.signature_base", "request.signature"} <= set(caught.value.parts)
    with pytest.raises(ExchangeError, match=r"answer\.parent"):
        compare(known, proved.answer, theirs.request, ())


def test_openings_of_another_record_or_place_are_refused(place, honest, other):
    log, (file, swapped) = vkey_of(place), (honest[1].files[1], other[1].files[1])
    mine, theirs = extra_of(file), extra_of(swapped)
    for openings in (
        theirs["openings"],
        {**mine["openings"], "fields": theirs["openings"]["fields"]},
        {**mine["openings"], "fields": mine["openings"]["fields"][::-1], "salts": mine["openings"]["salts"][::-1]},
        {**mine["openings"], "fields": mine["openings"]["fields"][:-1], "salts": mine["openings"]["salts"][:-1]},
        {**mine["openings"], "id": theirs["openings"]["id"]},
    ):
        refused(with_extra(file, {**mine, "openings": openings}), log)
    refused(with_extra(file, {**mine, "skeleton": theirs["skeleton"]}), log)
    refused(with_extra(file, {**mine, "skeleton": mine["skeleton"].replace("ND-63/2024", "ND-64/2024")}), log)


def test_a_receipt_altered_anywhere_is_refused(place, honest):
    file, log = honest[1].files[0], vkey_of(place)
    told = tlog_proof.check(file, log[0].encode())
    for at in range(0, len(file), 5):
        altered = file[:at] + bytes([file[at] ^ 1 << at % 7]) + file[at + 1 :]
        with pytest.raises(ExchangeError):
            verify_receipt_by(altered, log)
        with contextlib.suppress(*NOTHING):  # which takes other spellings of the same bytes: it proves the same then
            assert tlog_proof.check(altered, log[0].encode()) == told
    for end in range(0, len(file), 11):
        refused(file[:end], log)
    refused(file + b"x", log)
    refused(b"A" * (5 << 20), log)


def test_a_checkpoint_of_another_log_or_key_is_refused(place, honest):
    file = honest[1].files[0]
    for seed, name in (("stranger", place.site.pki.log_vkey.partition("+")[0]), ("stranger", ORIGIN)):
        key, _ = signing_key(seed, name)
        with pytest.raises(ExchangeError) as caught:
            verify_receipt_by(file, [key])
        assert caught.value.kind is LOG_SIGNATURE_INVALID
        with pytest.raises(tlog_proof.NotProvedError):
            tlog_proof.check(file, key.encode())
    head, _, note = file.partition(b"\n\n")
    log = MemoryLog()
    log.append([noise("entry", 33)])
    refused(head + b"\n\n" + log.publish(), vkey_of(place))
    with pytest.raises(ExchangeError):
        verify_receipt_by(head + b"\n\n" + log.publish(), [log.key])  # signed, and of another tree
    assert verify_receipt_by(head + b"\n\n" + note, [log.key, *vkey_of(place)]).index >= 0


def test_the_key_of_a_log_that_changed_it_is_found(place, honest):
    old, _ = signing_key("old", vkey_of(place)[0].name)
    assert verify_receipt_by(honest[1].files[0], [old, *vkey_of(place)]).skeleton.client == str(PORTAL)


def test_a_quorum_counts_only_named_witnesses_that_really_signed(place, honest):
    file, log = honest[1].files[0], vkey_of(place)
    known, sign = signing_key("witness", "witness.example/w1", KeyType.COSIGNATURE)
    stranger, signs = signing_key("stranger", "witness.example/w2", KeyType.COSIGNATURE)
    head, _, note = file.partition(b"\n\n")
    cosigned = head + b"\n\n" + cosign(cosign(note, stranger, signs, 1_795_000_000), known, sign, 1_795_000_001)
    proved = verify_receipt_by(cosigned, log, witnesses=[known], quorum=1)
    assert [each.key.name for each in proved.checkpoint.cosignatures] == [known.name]
    outside = tlog_proof.check(cosigned, log[0].encode(), witnesses=(known.encode(), stranger.encode()))
    assert outside.cosigned == {known.name: 1_795_000_001, stranger.name: 1_795_000_000}
    for witnesses, file_ in (([known], file), ([stranger, known], head + b"\n\n" + cosign(note, known, sign, 1))):
        with pytest.raises(ExchangeError):
            verify_receipt_by(file_, log, witnesses=witnesses, quorum=2 if len(witnesses) > 1 else 1)
    false = head + b"\n\n" + cosign(note, known, signs, 1)
    with pytest.raises(ExchangeError):
        verify_receipt_by(false, log, witnesses=[known])


def vkey_of(place):
    return [parse_vkey(place.site.pki.log_vkey)]


def extra_of(file):
    return json.loads(base64.b64decode(file.split(b"\n")[1].removeprefix(b"extra ")))


def with_extra(file, extra):
    text = json.dumps(extra, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
    lines = file.split(b"\n")
    lines[1] = b"extra " + base64.b64encode(text)
    return b"\n".join(lines)


def refused(file, keys):
    """By ours and by the other verifier."""
    with pytest.raises(ExchangeError):
        verify_receipt_by(file, keys)
    with pytest.raises(NOTHING):
        tlog_proof.check(file, keys[0].encode())
