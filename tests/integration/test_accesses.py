"""Citizens' own lists of accesses, at a real gateway: what is in them, what never is, and what is withheld."""

import hashlib
import time

import apsw
import jsonschema_rs
import jwt
import pytest

from gateway.client import Call, Scheme
from gateway.config.product import product_schemas
from gateway.exchange.accesses import _Looking
from gateway.exchange.accesses_question import parse_question
from gateway.exchange.withholding import KIND, withheld_in_force
from gateway.keys.file import load_private_key
from gateway.ledger.order_jws import sign
from gateway.ledger.order_withheld import LIFTING_TYP, WITHHELD_TYP, Lifting, Withheld
from gateway.model import failpoints
from gateway.model.errors import citizen as kinds
from gateway.model.errors.request import MISSING_HEADER
from gateway.model.errors.signature import SIGNATURE_COVER_INCOMPLETE
from gateway.model.ids import RecordId, parse_service
from gateway.model.instant import plus
from gateway.model.log import Document
from tests.support import tlog_proof
from tests.support.attacks import world
from tests.support.citizens import ACCESSES, STRANGER_KEY, Citizen, make_citizens_office, token
from tests.support.cli import good, run
from tests.support.exchanges import HOLDING, STATED, Caller, Provider, json_answer, records
from tests.support.gateways import OTHER, PORTAL, STRANGER

ALICE, OWNER, BINH = "031090001234", "031060000017", "040195889861"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with world(tmp_path_factory.mktemp("accesses"), provider=Provider(), make=make_citizens_office) as made:
        document = {"owner": {"identity_number": OWNER, "full_name": "Đặng Thị Ánh"}, "area": 61.5}
        made.provider.reply = json_answer(document)
        yield made


def look_up(place, number, portal=PORTAL):
    """An exchange about a person, in the tree when this returns; the answer."""
    call = Call(service=HOLDING, purpose=STATED, body={"identity_number": number}, officer="ht.nam")
    answer = Caller(place, portal).send(call)
    assert answer.status == 200
    settled(place, answer.receipt)
    return answer


def settled(place, record):
    """Wait until a record is in the tree."""
    until = time.monotonic() + 10
    while place.run(place.gateway.core.store.log.record(record)).index is None:
        assert time.monotonic() < until


def test_the_list_says_who_when_why_what_and_gives_receipts(place):
    answer = look_up(place, ALICE, OTHER)
    found = Citizen(place, ALICE).page()
    schema = (product_schemas() / "accesses.response.json").read_text()
    jsonschema_rs.validator_for(schema).validate(found)
    newest = found["accesses"][0]
    assert (newest["client"], newest["name"]) == (str(OTHER), "Huế")
    assert (newest["service"], newest["purpose"], newest["basis"]) == (str(HOLDING), STATED.code, STATED.basis)
    assert (newest["asked"], newest["released"], newest["fields"]) == (True, False, ["*"])
    assert newest["outcome"] == "FOUND"
    assert [each["id"] for each in newest["receipts"]][1] == answer.receipt


def test_receipts_of_the_list_are_verified_by_others_and_open_nothing(place):
    look_up(place, ALICE)
    newest = Citizen(place, ALICE, OTHER).list()[0]
    assert newest["fields"] == ["/owner/full_name", "/area"]
    for each, kind in zip(newest["receipts"], ("request", "answer"), strict=True):
        answer = Citizen(place, ALICE, OTHER).ask(each["href"])  # a portal that was no party of the exchange
        assert answer.head.get("cache-control") == "no-store"
        proof = tlog_proof.check(answer.body.data, place.site.pki.log_vkey)
        assert (proof.record["id"], proof.record["kind"], proof.opened) == (each["id"], kind, [])


def test_whose_data_was_released_without_being_asked_about_sees_it_too(place):
    look_up(place, BINH, OTHER)
    newest = Citizen(place, OWNER).list()[0]
    assert (newest["asked"], newest["released"], newest["client"]) == (False, True, str(OTHER))


def test_nothing_of_another_person_shows(place):
    look_up(place, BINH)
    answer = Citizen(place, OWNER).ask()
    assert BINH.encode() not in answer.body.data
    assert ALICE.encode() not in answer.body.data
    theirs = {each["id"] for entry in Citizen(place, BINH).list() for each in entry["receipts"]}
    assert not theirs & {each["id"] for entry in Citizen(place, "031099999999").list() for each in entry["receipts"]}
    [record] = [each["id"] for each in Citizen(place, BINH).list()[0]["receipts"]][:1]
    refused = Citizen(place, ALICE).ask(f"/v1/accesses/{record}")
    unknown = Citizen(place, ALICE).ask("/v1/accesses/01932d3e-8f1c-7abc-8def-000000000001")
    assert refused.status == unknown.status == 404
    assert refused.json()["title"] == unknown.json()["title"]


def test_each_reading_is_a_record_about_the_person_and_in_the_list(place):
    before = len(records(place.site))
    answer = Citizen(place, ALICE, OTHER).ask()
    asked = next(each for each in records(place.site, before) if each["kind"] == "request")
    assert (asked["service"], asked["client"], asked.all("person")) == (ACCESSES, str(OTHER), [ALICE])
    settled(place, answer.receipt)
    newest = Citizen(place, ALICE).page()["accesses"][0]
    assert (newest["service"], newest["client"]) == (ACCESSES, str(OTHER))


def test_pages_hold_each_exchange_once_though_more_come_between_them(place):
    person = "079201000111"
    for _ in range(5):
        look_up(place, person)
    whole = Citizen(place, person).list()
    seen, cursor = [], ""
    while True:
        page = Citizen(place, person).page(f"limit=2{cursor}")
        assert len(page["accesses"]) <= 2
        seen += page["accesses"]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
        look_up(place, person)
    assert [each for each in seen if each["service"] != ACCESSES] == whole
    assert [each["at"] for each in whole] == sorted((each["at"] for each in whole), reverse=True)


def test_a_period_can_be_named_by_days(place):
    look_up(place, ALICE)
    assert Citizen(place, ALICE).page("since=2020-01-01&until=2020-12-31")["accesses"] == []
    assert Citizen(place, ALICE).page("since=2020-01-01")["accesses"]


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=101", "limit=x", "since=x", "since=2026-02-30", "cursor=aaaa", "person=x", "limit=1&limit=2",
     "since=2026-02-02&until=2026-01-01", "cursor=" + "p" * 32, "since=9999-12-31&until=9999-12-31", "xyz", "&&"],
)  # fmt: skip
def test_questions_that_make_no_sense_are_refused_without_an_echo(place, query):
    answer = Citizen(place, ALICE).ask(query=query)
    assert (answer.status, answer.error_code) == (400, kinds.ACCESSES_QUESTION.code)
    assert query not in answer.body.data.decode()


def test_a_number_in_the_url_is_refused(place):
    for path, query, status in ((f"/v1/accesses/{ALICE}", None, 404), ("/v1/accesses", f"person={ALICE}", 400)):
        answer = Citizen(place, ALICE).ask(path, query)
        assert answer.status == status
        assert ALICE.encode() not in answer.body.data


def _wrong():
    now = int(time.time())
    return {
        "another issuer's key": {"key": STRANGER_KEY},
        "unknown issuer": {"iss": "https://other.example"},
        "for another gateway": {"aud": "VN/GOV/G22/other"},
        "another use": {"typ": "JWT"},
        "no use": {"typ": None},
        "expired": {"iat": now - 600, "exp": now - 301},
        "too long": {"exp": now + 301},
        "of the future": {"iat": now + 120, "exp": now + 300},
        "not yet": {"nbf": now + 120},
        "for another portal": {"azp": str(OTHER)},
        "no jti": {"jti": None},
        "short jti": {"jti": "1"},
        "no person": {"sub": None},
        "no number": {"sub": "alice"},
        "two audiences": {"aud": ["VN/GOV/G22/motlan", "x"]},
    }


@pytest.mark.parametrize("how", list(_wrong()))
def test_tokens_that_do_not_count(place, how):
    wrong = token(ALICE, **_wrong()[how])
    answer = Citizen(place, ALICE).ask(with_token=wrong)
    assert (answer.status, answer.error_code) == (403, kinds.CITIZEN_TOKEN_INVALID.code)
    assert ALICE.encode() not in answer.body.data


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "PS256"])
def test_every_algorithm_of_an_issuer_is_read(place, algorithm):
    assert Citizen(place, ALICE).ask(with_token=token(ALICE, algorithm=algorithm)).status == 200


@pytest.mark.parametrize("text", ["x", "a.b", "a.b.c.d", "..", "e30.e30.AAAA", "ey" * 3000])
def test_what_is_no_token_is_refused(place, text):
    answer = Citizen(place, ALICE).ask(with_token=text)
    assert (answer.status, answer.error_code) == (403, kinds.CITIZEN_TOKEN_INVALID.code)


def test_a_token_without_a_signature_is_none(place):
    unsigned = jwt.encode({"sub": ALICE}, None, algorithm="none", headers={"typ": "motlan-citizen+jwt"})
    assert Citizen(place, ALICE).ask(with_token=unsigned).status == 403


def test_without_a_token_there_is_no_list(place):
    answer = Citizen(place, ALICE).ask(with_token="")
    assert (answer.status, answer.error_code) == (403, kinds.CITIZEN_TOKEN_NEEDED.code)


def test_a_token_is_for_one_call_also_at_another_portal_and_after_a_restart(place):
    once = token(ALICE)
    assert Citizen(place, ALICE).ask(with_token=once).status == 200
    for portal in (PORTAL, OTHER):
        again = Citizen(place, ALICE, portal).ask(with_token=once)
        assert (again.status, again.error_code) == (409, kinds.CITIZEN_TOKEN_USED.code)
    place.restart()
    assert Citizen(place, ALICE).ask(with_token=once).status == 409


def test_a_restarted_gateway_still_finds_what_was_before(place):
    answer = look_up(place, ALICE)
    place.restart()
    assert Citizen(place, ALICE).list()[0]["receipts"][1]["id"] == answer.receipt


def test_a_portal_without_a_grant_gets_nothing(place):
    answer = Citizen(place, ALICE, STRANGER).ask()
    assert answer.status == 403
    assert answer.error_code not in {kinds.CITIZEN_TOKEN_INVALID.code, MISSING_HEADER.code}


def test_the_callers_signature_covers_the_token(place):
    message = place.message(
        method="GET", service=parse_service(ACCESSES), body=None, added=(("Motlan-Citizen", token(ALICE)),)
    )
    answer = place.send(message)
    assert answer.code == SIGNATURE_COVER_INCOMPLETE.code


def test_a_jws_covers_the_token_too(place):
    call = Call(
        own_path="/v1/accesses",
        audience=parse_service(ACCESSES),
        method="GET",
        purpose=STATED,
        extra=(("Motlan-Citizen", token(ALICE)),),
    )
    assert Caller(place, scheme=Scheme.JWS).send(call).status == 200


def test_no_number_stands_in_clear_in_the_database(place):
    look_up(place, ALICE)
    assert Citizen(place, ALICE).list()
    for file in place.site.folder.glob("motlan.sqlite*"):
        assert ALICE.encode() not in file.read_bytes(), file.name


def test_the_token_reaches_no_provider(place):
    call = Call(
        service=HOLDING,
        purpose=STATED,
        body={"identity_number": ALICE},
        extra=(("Motlan-Citizen", token(ALICE)),),
    )
    assert Caller(place).send(call).status == 200
    assert place.provider.last.header("Motlan-Citizen") is None


# -- withholding -------------------------------------------------------------------------------------------------------


def withhold(place, *arguments, days=30, stdin="", command=good, key="data-protection-officer"):
    until = time.strftime("%Y-%m-%d", time.gmtime(place.clock.now() / 1e6 + days * 86_400))
    return command(
        "log", "withhold", *arguments, "--until", until, "--config", place.site.config,
        "--dpo-key", place.site.folder / f"pki/roles/{key}.key.pem", "--case", "TT-17", "--reason", "inquiry 44",
        "--json", stdin=stdin,
    )  # fmt: skip


def test_a_withheld_entry_shows_to_nobody_until_its_time(place):
    person = "079201000222"
    kept, hidden = look_up(place, person), look_up(place, person, OTHER)
    before = Citizen(place, person).list()
    assert len(before) == 2
    answer_id = hidden.receipt
    withhold(place, answer_id)
    page = Citizen(place, person).page("limit=1")
    assert answer_id not in str(page)
    [left] = Citizen(place, person).list()
    assert left["receipts"][1]["id"] == kept.receipt
    assert Citizen(place, person).ask(f"/v1/accesses/{answer_id}").status == 404
    recorded = records_about(place, KIND)
    assert (recorded[-1].shown("case"), recorded[-1].shown("reason")) == ("TT-17", "inquiry 44")
    place.clock.ahead = 32 * 86_400
    try:
        later = place.run(_listed(place, person))
    finally:
        place.clock.ahead = 0.0
    assert later == before


def records_about(place, kind):
    return [each for each in records(place.site) if each["decision"] and each["decision"]["reasons"][:1] == [kind]]


async def _listed(place, person):
    """The list as the service makes it at another time; nobody's signature would be of that time."""
    target = place.gateway.pipeline.rules.routes[parse_service(ACCESSES)].target
    listing = target._of
    withheld = await withheld_in_force(listing.log, listing.trust.document.roles, listing.origin, listing.clock.now())
    looking = _Looking(listing, person, withheld, RecordId("none"))
    page = await looking.page(parse_question(None, listing.clock.now(), 12))
    return [each for each in page["accesses"] if each["service"] != ACCESSES]


def test_a_persons_entries_of_one_client_are_withheld_those_to_come_too(place):
    person = "079201000333"
    look_up(place, person)
    look_up(place, person, OTHER)
    ran = withhold(place, "--person", "-", "--client", OTHER, stdin=f"{person}\n")
    look_up(place, person, OTHER)
    assert {each["client"] for each in Citizen(place, person).list()} == {str(PORTAL)}
    [document] = place.run(place.gateway.core.store.log.documents("withheld"))[-1:]
    assert person.encode() not in document.content
    assert person not in ran.said
    look_up(place, ALICE, OTHER)  # somebody else's stay
    assert Citizen(place, ALICE).list()[0]["client"] == str(OTHER)


def test_only_the_data_protection_officer_withholds_and_not_for_ever(place):
    answer = look_up(place, ALICE)
    assert withhold(place, answer.receipt, key="auditor", command=run).code == 1
    assert withhold(place, answer.receipt, days=400, command=run).code == 1
    assert withhold(place, answer.receipt, days=-2, command=run).code == 1
    assert withhold(place, command=run).code == 2
    assert Citizen(place, ALICE).list()[0]["receipts"][1]["id"] == answer.receipt


WHO = ("--auditor", "Bảo Vệ", "--case", "TT-18", "--reason", "review")


def withheld(place, key="auditor", command=good):
    file = place.site.folder / f"pki/roles/{key}.key.pem"
    return command("log", "withheld", "list", "--config", place.site.config, "--auditor-key", file, *WHO, "--json")


def lift(place, name, key="data-protection-officer", command=good):
    file = place.site.folder / f"pki/roles/{key}.key.pem"
    return command(
        "log", "withheld", "lift", name, "--config", place.site.config, "--dpo-key", file,
        "--case", "TT-17", "--reason", "closed", "--json",
    )  # fmt: skip


def test_withholdings_are_listed_with_why_and_each_list_is_recorded(place):
    answer = look_up(place, "079201000444")
    given = withhold(place, answer.receipt).values["id"]
    before = len(records(place.site))
    listed = {each["id"]: each for each in withheld(place).values}
    assert (listed[given]["records"], listed[given]["case"], listed[given]["reason"]) == (
        [answer.receipt], "TT-17", "inquiry 44",
    )  # fmt: skip
    [reading] = [each for each in records(place.site, before) if each["kind"] == "audit"]
    assert reading["decision"]["reasons"] == ["withheld"]
    assert (reading.shown("auditor"), reading.shown("audit_case"), reading.shown("reason")) == WHO[1::2]
    refused = withheld(place, key="operator", command=run)
    assert refused.code == 1
    assert given not in refused.said
    lift(place, given)


def test_an_officer_lifts_a_withholding_and_nobody_else(place):
    person = "079201000555"
    answer = look_up(place, person)
    given = withhold(place, answer.receipt).values["id"]
    assert Citizen(place, person).list() == []
    before = len(records(place.site))
    for key in ("auditor", "operator"):
        assert "role_denied" in lift(place, given, key=key, command=run).said
    assert "withheld_unknown" in lift(place, "00" * 16, command=run).said
    assert records(place.site, before) == []
    assert Citizen(place, person).list() == []
    assert lift(place, given).values["id"] == given
    [entry] = Citizen(place, person).list()
    assert entry["receipts"][1]["id"] == answer.receipt
    recorded = records_about(place, KIND)[-1]
    assert recorded["decision"]["reasons"][3:] == ["lift"]
    assert (recorded.shown("case"), recorded.shown("reason"), recorded.shown("lifts")) == ("TT-17", "closed", given)
    assert given not in {each["id"] for each in withheld(place).values}
    assert "withheld_unknown" in lift(place, given, command=run).said


def test_a_lifting_that_no_officer_signed_lifts_nothing(place):
    person = "079201000666"
    log = place.gateway.core.store.log
    answer = look_up(place, person)
    given = withhold(place, answer.receipt).values["id"]
    key = load_private_key(place.site.folder / "pki/roles/auditor.key.pem")
    now = place.clock.now() // 1000 * 1000
    lifting = Lifting(id="ab" * 16, log="motlan.example/log", issued=now, lifts=given, why="x")
    forged = sign(LIFTING_TYP, lifting.encode(), key)
    place.run(log.keep_document(Document(kind=KIND, digest="01", content=forged, at=now)))
    assert Citizen(place, person).list() == []
    lift(place, given)


def test_a_withholding_that_an_officer_signed_and_nothing_records_hides_nothing(place):
    person = "079201000888"
    answer = look_up(place, person)
    log = place.gateway.core.store.log
    key = load_private_key(place.site.folder / "pki/roles/data-protection-officer.key.pem")
    now = place.clock.now() // 1000 * 1000
    secret = Withheld(
        id="cd" * 16,
        log="motlan.example/log",
        issued=now,
        until=plus(now, 86_400.0),
        records=(answer.receipt,),
        why="x",
    )
    data = sign(WITHHELD_TYP, secret.encode(), key)
    digest = hashlib.sha256(secret.encode()).hexdigest()
    place.run(log.keep_document(Document(kind=KIND, digest=digest, content=data, at=now)))
    [left] = Citizen(place, person).list()
    assert left["receipts"][1]["id"] == answer.receipt
    assert secret.id not in {each["id"] for each in withheld(place).values}


def test_a_crash_right_after_the_record_loses_no_withholding(place):
    person = "079201000777"
    answer = look_up(place, person)

    def fail(name):
        if name == "withheld.recorded":
            raise SystemExit(9)

    failpoints.set_hook(fail)
    try:
        assert withhold(place, answer.receipt, command=run).code == 9
    finally:
        failpoints.set_hook(None)
    settled(place, records_about(place, KIND)[-1]["id"])
    assert Citizen(place, person).list() == []
    [given] = [each["id"] for each in withheld(place).values if each["records"] == [answer.receipt]]
    lift(place, given)
    assert len(Citizen(place, person).list()) == 1


def test_a_withholding_that_nobody_signed_hides_nothing_and_one_that_is_lost_stops_the_list(place):
    log = place.gateway.core.store.log
    answer = look_up(place, ALICE)
    [real] = place.run(log.documents(KIND))[-1:]
    forged = real.content.replace(b'"signature":"', b'"signature":"AA')
    place.run(log.keep_document(Document(kind=KIND, digest="00", content=forged, at=real.at)))
    assert Citizen(place, ALICE).list()[0]["receipts"][1]["id"] == answer.receipt
    database = apsw.Connection(str(place.site.folder / "motlan.sqlite"))
    database.execute("DELETE FROM document WHERE kind LIKE 'withheld%'")
    database.close()
    refused = Citizen(place, ALICE).ask()
    assert (refused.status, refused.error_code) == (503, kinds.WITHHELD_LOST.code)
