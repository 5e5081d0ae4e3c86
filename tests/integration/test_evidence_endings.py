"""Evidence of what did not end well, out of real gateways: erased, abandoned, refused before and after proof.

Each says in words what can still be proved, and what not.
"""

import json
import threading
import time

import pytest

from gateway.model.usage import RoleName
from gateway.signing.asice import read_container
from tests.support import tlog_proof
from tests.support.cli import auditor, good, run
from tests.support.evidence_office import (
    KEPT,
    erasable_office,
    export,
    forward,
    in_words,
    verify,
    wait_for_stamp,
)
from tests.support.exchanges import json_answer, records
from tests.support.gateways import PORTAL
from tests.support.served import outside, serving

PERSON, OFFICER, CASE = "031093271828", "ht.nam", "000.00.01.H24-261122-0001"
_FIELDS = {"X-Road-UserId": OFFICER, "X-Road-Issue": CASE}
_STILL = {
    "en": (
        "✓ request: at ",
        " the gateway let VN/GOV/H24/portal ask VN/GOV/G15/registry/kept for the purpose 1.001193, under the grant kept. ",
        "It stands in the log as entry ",
        "✓ answer: at ",
        "– request: what 9 of 9 private fields said",
        "– request: that VN/GOV/H24/portal signed the message itself; the signature is among what is not shown. ",
        "The record says so: caller.",
        "– answer: that the gateway signed the message itself",
        "✓ all that the container claims holds",
    ),
    "vi": (
        "Gói chứng minh:",
        " cổng đã cho VN/GOV/H24/portal hỏi VN/GOV/G15/registry/kept với mục đích 1.001193, theo quyền kept. Bản ghi là mục ",
        "Gói không chứng minh:",
        "– request: nội dung của 9/9 trường riêng tư",
        "– request: rằng chính VN/GOV/H24/portal đã ký thông điệp",
        "✓ mọi điều gói nêu ra đều đúng",
    ),
}


# -- erased ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def aged(tmp_path_factory):
    """An exchange of 200 days ago, and a second one that nobody has erased."""
    with erasable_office(tmp_path_factory.mktemp("aged")) as office:
        office.provider.reply = json_answer({"full_name": "Nguyễn Thị Ánh"})
        made = []
        for _ in range(2):
            body = f'{{"identity_number":"{PERSON}"}}'.encode()
            answer = office.accepts(office.message(service=KEPT, body=body, fields=_FIELDS))
            made.append(answer.head.get("motlan-receipt"))
        wait_for_stamp(office, made[1])
        forward(office)
        yield office, made


def order(office, folder, *which):
    """Erase records, as the data-protection officer and an auditor have ordered."""
    officer = office.site.pki.role_keys[RoleName.DATA_PROTECTION_OFFICER]
    file, config = folder / "order.jws", office.site.config
    why = ("--reason", "asked", "--legal-basis", "Luật 91/2025/QH15", "--case", "XD-1", "--log", "motlan.example/log")
    named = [part for each in which for part in ("--record", each)]
    good("log", "order", *named, *why, "--key", officer, "--out", file)
    good("log", "order", "--sign", file, "--key", office.site.pki.role_keys[RoleName.AUDITOR])
    return good("log", "erase", "--order", file, "--config", config, "--dpo-key", officer, "--json").values


def test_an_erased_exchange_end_to_end(aged, tmp_path):
    office, (erased, kept) = aged
    before = tmp_path / "before.asice"
    whole = export(office, erased, before)
    assert whole["opened"] == whole["private"] == 13
    assert verify(office, before)[0] == 0
    done = order(office, tmp_path, *whole["records"].values())
    assert done["complete"]
    assert sorted(done["erased"]) == sorted(whole["records"].values())

    file = tmp_path / "erased.asice"
    made = export(office, erased, file)
    assert (made["opened"], made["private"], made["wrong"]) == (0, 13, [])
    code, found = verify(office, file)
    assert code == 0
    verdicts = {(each["subject"], each["what"]): each["verdict"] for each in found["findings"]}
    for role in ("request", "answer"):
        # Still proved: that the record was made, when, and that it is the log's own.
        assert verdicts[role, "the record is in the log, and what is shown of it is its own"] == "proved"
        assert verdicts[role, "a timestamp authority has seen the log with this record in it"] == "proved"
        # Not any more: what it said of persons, and whatever hangs from that.
        assert verdicts[role, "every private field of the record is shown"] == "absent"
        assert verdicts[role, "a signature of the message"] == "absent"
    assert verdicts["exchange", "request and end belong together"] == "proved"
    assert verdicts["exchange", "the answer's signature is bound to the request's"] == "absent"
    for lang, texts in _STILL.items():
        said = in_words(office, file, lang)
        for text in texts:
            assert text in said, (lang, text, said)
    # Nothing of the person is left in it, neither body nor signature nor digest.
    files = read_container(file.read_bytes())
    assert not any(path.startswith("messages/") for path in files)
    for path, content in files.items():
        for secret in (PERSON, OFFICER, CASE, "Nguyễn Thị Ánh"):
            assert secret.encode() not in content, path
    # Whoever kept an own receipt proves the same record with it, and what the log's keeper has erased.
    mine = read_container(before.read_bytes())["records/request.tlog-proof"]
    proved = tlog_proof.check(mine, office.site.pki.log_vkey)
    assert proved.all("person") == [PERSON]
    assert proved.record == json.loads(files["records/request.skeleton.json"])
    # What was handed out before holds as before, and so does what others kept of it; nobody else was touched.
    assert verify(office, before)[0] == 0
    assert export(office, kept, tmp_path / "kept.asice")["opened"] == 13


def test_the_order_itself_can_be_proved(aged, tmp_path):
    """Its record: who looks at an erased exchange may ask whether it was erased lawfully."""
    office, (_, kept) = aged
    order(office, tmp_path, kept)
    (first, *_) = [each["id"] for each in office.all_records() if each["kind"] == "erasure"]
    wait_for_stamp(office, first)
    file = tmp_path / "order.asice"
    assert list(export(office, first, file)["records"]) == ["erasure"]
    code, found = verify(office, file)
    assert code == 0
    assert "a record of kind erasure was made" in found["proves"][0]


# -- refused -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    with erasable_office(tmp_path_factory.mktemp("refusing")) as made:
        forward(made)
        yield made


def test_a_refusal_after_proof(office, tmp_path):
    message = office.message(
        service="VN/GOV/G15/registry/record", body=b"{}", fields={**_FIELDS, "Motlan-Purpose": None}
    )
    refused = office.send(message)
    record = refused.head.get("motlan-receipt")
    assert (refused.status, record is None) == (400, False), refused
    wait_for_stamp(office, record)
    file = tmp_path / "x.asice"
    export(office, record, file)
    code, found = verify(office, file)
    assert code == 0
    verdicts = {each["what"]: each["verdict"] for each in found["findings"] if each["subject"] == "refusal"}
    assert verdicts["signed by the caller, its certificate valid then"] == "proved"
    (proved,) = found["proves"]
    assert proved.startswith("refusal: at ")
    assert f"VN/GOV/H24/portal was refused VN/GOV/G15/registry/record: {refused.code}" in proved
    assert "bị từ chối đối với" in in_words(office, file, "vi")


def test_refusals_before_proof(office, tmp_path):
    """Nobody proved anything, so there is one record of a minute's refusals, and it proves no more than that."""
    wrong = office.message(fields=_FIELDS, sign=lambda _: bytes(64))
    answer = office.send(wrong)
    assert answer.head.get("motlan-receipt") is None
    before = len(records(office.site))
    office.restart()  # what was counted is written at the end
    (record,) = [each for each in records(office.site, before) if each["kind"] == "refusals"]
    wait_for_stamp(office, record["id"])
    file = tmp_path / "x.asice"
    assert list(export(office, record["id"], file)["records"]) == ["refusals"]
    code, found = verify(office, file)
    assert code == 0
    subjects = {each["what"]: each["verdict"] for each in found["findings"] if each["subject"] == "refusals"}
    assert subjects["a signature of the message"] == "absent"
    assert "the gateway refused calls whose senders proved nothing: client.signature_invalid" in found["proves"][0]
    assert "Who sent the calls that were refused before proof: the names in them are claims." in found["leaves_open"]
    assert "tên nêu trong đó chỉ là tự khai" in in_words(office, file, "vi")


# -- abandoned ---------------------------------------------------------------------------------------------------------


def test_a_request_that_never_got_an_end(tmp_path):
    """The gateway is killed while the provider works; what it finds when it starts again is the request's end."""
    gate = threading.Event()
    with outside(tmp_path / "site") as place:
        place.provider.reply = _held(gate)
        with serving(place.site) as process, place.connect() as wire:
            wire.send(place.message(fields=_FIELDS).encode())
            _until(lambda: place.provider.seen)
            process.kill()
            gate.set()
        with serving(place.site) as process:
            (request,) = [each for each in records(place.site) if each["kind"] == "request"]
            _until(lambda: [each for each in records(place.site) if each["kind"] == "abandoned"])
            (end,) = [each for each in records(place.site) if each["kind"] == "abandoned"]
            file = tmp_path / "x.asice"
            _until(lambda: _exported(place, end["id"], file))
        found = good("evidence", "verify", file, "--trust", place.site.pki.trust_list, "--json").values
        said = good("evidence", "verify", file, "--trust", place.site.pki.trust_list).out
    assert [(each["role"], each["id"]) for each in found["records"]] == [
        ("request", request["id"]),
        ("abandoned", end["id"]),
    ]
    verdicts = {(each["subject"], each["what"]): each["verdict"] for each in found["findings"]}
    assert verdicts["request", "signed by the caller, its certificate valid then"] == "proved"
    assert verdicts["exchange", "request and end belong together"] == "proved"
    assert f"abandoned: at {end['at']} the gateway found the request of {PORTAL} to" in found["proves"][1]
    assert "Whether the provider did what was asked: nothing that it answered was recorded." in found["leaves_open"]
    assert "Whether the provider did what was asked" in said


def _held(gate):
    async def answer():
        import asyncio  # noqa: PLC0415 - on the provider's loop only

        while not gate.is_set():  # noqa: ASYNC110 - set from another thread
            await asyncio.sleep(0.005)
        return json_answer({"done": True})

    return lambda _: answer()


def _until(condition):
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def _exported(place, record, file):
    """Exported, once it is in the tree."""
    ran = run("evidence", "export", record, *auditor(place.site), "--out", file, "--json")
    assert ran.code == 0 or "receipt_pending" in ran.said, ran.said
    return ran.code == 0
