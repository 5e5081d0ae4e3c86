"""Receipts of real exchanges: what each party is shown of them, verified by a reader that is not ours."""

import time

import pytest

from gateway.client import Call, CallFailedError, Scheme
from gateway.model.errors import ExchangeError
from gateway.model.errors.receipt import RECEIPT_UNKNOWN
from gateway.model.ids import parse_service
from tests.support import tlog_proof
from tests.support.exchanges import HOLDING, STATED, Caller, connect, json_answer, office, records, sha256
from tests.support.gateways import ECHO, OTHER, PORTAL, PROVIDER, STRANGER

ASKED, OWNER = "031090001234", "031060000017"
SERVICE = "VN/GOV/G22/motlan/receipts"
NO_SUCH = "01932d3e-8f1c-7abc-8def-000000000001"
CASE = "000.00.01.H24-261122-0001"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with office(tmp_path_factory.mktemp("receipts")) as made:
        yield made


@pytest.fixture(autouse=True)
def _told(place):
    document = {"owner": {"identity_number": OWNER, "full_name": "Đặng Thị Ánh"}, "area": 61.5, "note": "thửa 12"}
    place.provider.reply = json_answer(document)


@pytest.fixture(scope="module")
def vkey(place):
    return place.site.pki.log_vkey


def proved(place, call, subsystem=PORTAL, *, audience=None, **options):
    """Make a call, then fetch, verify and compare its receipts with the client that agencies use."""

    async def work():
        async with connect(place.site, subsystem, logs=[place.site.pki.log_vkey], **options) as client:
            answer = await client.send(call)
            return answer, await client.receipt(answer, audience=audience)

    return place.run(work())


def ask(place, path, subsystem=PORTAL, **more):
    """Ask for a receipt, as whom, once."""
    return Caller(place, subsystem).send(Call(own_path=path, **{"method": "GET", **more}))


def receipt(place, record_id, subsystem=PORTAL):
    """A receipt, waited for."""

    async def work():
        async with connect(place.site, subsystem) as client:
            return await client.fetch_receipt(record_id)

    return place.run(work())


def look_up(**more):
    return Call(
        **{
            "service": HOLDING,
            "purpose": STATED,
            "body": {"identity_number": ASKED},
            "officer": "ht.nam",
            "case": CASE,
            **more,
        }
    )


def test_every_message_has_a_receipt_within_a_second_that_others_verify(place, vkey):
    answer = Caller(place).send(look_up())
    began = time.monotonic()
    file = receipt(place, answer.receipt)
    assert time.monotonic() - began < 1
    proof = tlog_proof.check(file, vkey)
    assert (proof.record["id"], proof.record["kind"]) == (answer.receipt, "answer")
    before = tlog_proof.check(receipt(place, proof.record["parent"]), vkey)
    assert (before.record["kind"], before.record["client"]) == ("request", str(PORTAL))


def test_the_consumer_sees_what_it_said_and_got_itself(place, vkey):
    answer, exchange = proved(place, look_up(message_id="m-1"))
    ended, asked = (tlog_proof.check(file, vkey) for file in exchange.files)
    assert {name for name, _ in asked.opened} == {
        "person", "officer", "case", "message_id", "target", "body_sha256", "signature_base", "signature",
    }  # fmt: skip
    assert (asked.all("person"), asked.all("officer"), asked.all("case")) == ([ASKED], ["ht.nam"], [CASE])
    assert asked.all("signature_base") == [answer.sent.signed.base.decode()]
    assert ended.all("body_sha256") == [sha256(answer.body.data)]
    assert ended.all("signature_base") == [answer.proof.proof.base.decode()]
    assert exchange.unopened == ()
    wanted = {"request.body", "request.signature_base", "request.purpose", "answer.body", "answer.signature"}
    assert wanted <= set(exchange.compared)


def test_a_consumer_is_never_told_its_address_nor_what_the_provider_showed(place, vkey):
    _, exchange = proved(place, look_up())
    hidden = {"address", "forwarded_sha256", "provider_sha256", "provider_signature", "provider_keyid"}
    kept = {name for record in records(place.site) for name, _ in record.private}
    assert "address" in kept
    assert not hidden & {name for file in exchange.files for name, _ in tlog_proof.check(file, vkey).opened}


def test_a_number_that_the_grant_withholds_is_not_given_by_the_receipt(place, vkey):
    _, exchange = proved(place, look_up())
    assert OWNER.encode() not in exchange.files[0]
    assert OWNER not in tlog_proof.check(exchange.files[0], vkey).all("person")
    _, exchange = proved(place, look_up(), OTHER)  # whose grant is for everything
    assert tlog_proof.check(exchange.files[0], vkey).all("person") == [OWNER]


def test_a_number_that_was_asked_about_is_given_back(place, vkey):
    document = {"owner": {"identity_number": ASKED, "full_name": "Đặng Thị Ánh"}, "area": 61.5}
    place.provider.reply = json_answer(document)
    _, exchange = proved(place, look_up())
    assert tlog_proof.check(exchange.files[0], vkey).all("person") == [ASKED]


def test_the_provider_sees_what_it_received_and_nothing_of_who_asked(place, vkey):
    answer, exchange = proved(place, look_up())
    asked = tlog_proof.check(receipt(place, exchange.request.skeleton.id, PROVIDER), vkey)
    assert asked.opened == [("body_sha256", sha256(place.provider.last.body))]
    ended = tlog_proof.check(receipt(place, answer.receipt, PROVIDER), vkey)
    assert not {"person", "body_sha256", "signature", "signature_base"} & {name for name, _ in ended.opened}


@pytest.mark.parametrize("subsystem", [OTHER, STRANGER], ids=str)
def test_another_subsystem_learns_nothing_not_even_that_it_is_there(place, subsystem):
    answer = Caller(place).post()
    receipt(place, answer.receipt)
    told = ask(place, f"/v1/receipts/{answer.receipt}", subsystem)
    never = ask(place, f"/v1/receipts/{NO_SUCH}", subsystem)
    assert (told.status, told.error_code, told.outcome) == (404, RECEIPT_UNKNOWN.code, "NOT_FOUND")
    alike = [{k: v for k, v in each.json().items() if k != "instance"} for each in (told, never)]
    assert alike[0] == alike[1]


@pytest.mark.parametrize(
    "path",
    [
        "", "x", "..", "%2e%2e", NO_SUCH.upper(), f"{NO_SUCH}/", f"{NO_SUCH}/x", f"%20{NO_SUCH}", f"{NO_SUCH}%00",
        NO_SUCH.replace("-7", "-4"), "A" * 2000, "031090001234", "' OR 1=1 --".replace(" ", "%20"),
    ],
    ids=lambda path: path[:24],
)  # fmt: skip
def test_what_is_no_records_id_is_refused(place, path):
    answer = ask(place, f"/v1/receipts/{path}")
    assert answer.status in {400, 404}
    assert answer.error_code is not None


def test_only_reading_is_allowed(place):
    answer = Caller(place).post()
    for method in ("POST", "DELETE", "PUT"):
        assert ask(place, f"/v1/receipts/{answer.receipt}", method=method).status == 403
    plain = Caller(place).send(Call(service=parse_service(SERVICE), method="GET"))
    assert plain.status == 404


def test_each_reading_is_a_record_and_receipts_are_not_kept_by_caches(place):
    answer = Caller(place).post()
    receipt(place, answer.receipt)
    read = ask(place, f"/v1/receipts/{answer.receipt}")
    assert read.head.get("cache-control") == "no-store"
    recorded = {record["id"]: record for record in records(place.site)}
    asked = recorded[recorded[read.receipt]["parent"]]
    assert (asked["service"], asked["client"], asked["kind"]) == (SERVICE, str(PORTAL), "request")
    assert asked.shown("target") == f"/v1/receipts/{answer.receipt}"
    assert asked.shown("person") is None


def test_a_refusal_has_its_receipt_too(place, vkey):
    answer, exchange = proved(place, Call(service=HOLDING, purpose=STATED, body={"identity_number": ASKED}), STRANGER)
    assert answer.status == 403
    assert exchange.request is None
    [proof] = [tlog_proof.check(file, vkey) for file in exchange.files]
    assert (proof.record["kind"], proof.record["decision"]["ruling"]) == ("refusal", "denied")
    assert {"request.body", "request.signature", "answer.error"} <= set(exchange.compared)
    with pytest.raises(CallFailedError):  # its provider never saw it
        receipt(place, answer.receipt, PROVIDER)


def test_an_unknown_services_refusal_is_compared_by_what_is_private(place):
    call = Call(service=parse_service("VN/GOV/G15/registry/nothing"), purpose=STATED, body={})
    answer, exchange = proved(place, call)
    assert answer.error_code == "server.serverproxy.unknown_service"
    assert {"request.service", "request.purpose"} <= set(exchange.compared)
    assert exchange.unopened == ()


def test_an_exchange_that_fails_at_the_provider_has_both_receipts(place):
    place.provider.reply = json_answer({"error": "busy"}, status=404)
    answer, exchange = proved(place, look_up())
    assert (exchange.request.skeleton.kind, exchange.answer.skeleton.outcome) == ("request", answer.outcome)
    assert exchange.unopened == ()


def test_an_unproved_call_has_none(place):
    answer = ask(place, f"/v1/receipts/{NO_SUCH}", extra=(("Motlan-Consent", "x"),))
    assert answer.error_code == "client.consent_unsupported"

    async def work():
        async with connect(place.site, logs=[place.site.pki.log_vkey]) as client:
            await client.receipt(answer)

    with pytest.raises(ExchangeError, match=RECEIPT_UNKNOWN.code):
        place.run(work())


def test_jws_callers_name_the_service(place):
    call = Call(service=ECHO, purpose=STATED, body={"a": 1})
    _, exchange = proved(place, call, audience=SERVICE, scheme=Scheme.JWS)
    assert {"request.signature_base", "answer.signature"} <= set(exchange.compared)
    with pytest.raises(ValueError, match="JWS"):
        proved(place, call, scheme=Scheme.JWS)


def test_after_a_restart_the_receipt_still_proves_the_record_but_opens_nothing(place, vkey):
    answer, exchange = proved(place, look_up())
    place.restart()
    proof = tlog_proof.check(receipt(place, answer.receipt), vkey)
    assert (proof.record["id"], proof.opened) == (answer.receipt, [])
    assert proof.size > exchange.answer.checkpoint.checkpoint.size
