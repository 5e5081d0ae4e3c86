"""Prefill against both simulated registers: the form fills itself, and says of every element where it comes from."""

import asyncio
import hashlib
import json
import time

import jwt
import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from joserfc import jws
from joserfc.jwk import ECKey

from adapters.simulators.misbehave import Mode
from adapters.simulators.parties import ONE_STOP, PORTAL
from adapters.simulators.portal import BIRTH, CITIZEN, INSURANCE
from gateway.client import Call
from gateway.model.envelope import Purpose
from gateway.wiring.demo import demo_world
from tests.support.exchanges import read_records

pytestmark = pytest.mark.asyncio(loop_scope="module")

PREFILL = "VN/GOV/G22/motlan/prefill"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory):
    async with demo_world(tmp_path_factory.mktemp("prefill"), count=200) as made, made.client(PORTAL) as client:
        yield made, client


@pytest_asyncio.fixture(loop_scope="module")
async def desk(world):
    made, client = world
    made.population.behave()
    made.insurance.behave()
    await made.gateway.reload()  # with circuit breakers that know nothing of earlier tests
    yield Desk(made, client)
    made.population.behave()
    made.insurance.behave()


class Desk:
    """A registrar with a dossier of their own, and people to register."""

    def __init__(self, world, client):
        self.world = world
        self.story = world.people.story
        self.client = client
        self.case = world.desk.case("00.H24")
        self.officer = f"ht.{self.case[-4:]}"  # whose day's quota nobody else uses

    async def send(self, people, **more):
        document = {"procedure": BIRTH.code, "people": people, "case": self.case, **more}
        stated = Call(own_path="/v1/prefill", body=document, purpose=BIRTH, officer=self.officer, case=self.case)
        return await self.client.send(stated)

    async def fill(self, people=None, **more):
        answer = await self.send(people or self.parents(), **more)
        assert (answer.status, answer.error_code) == (200, None), answer.body.data
        return answer.json()

    def parents(self, mother=None, father=None):
        return {
            "mother": {"identity_number": (mother or self.story.mother).identity_number},
            "father": {"identity_number": (father or self.story.father).identity_number},
            "child": {},
        }

    def records(self):
        files = self.world.files
        return {each["id"]: each for each in read_records(files.state / "motlan.sqlite", files.pki)}


async def test_form_fills_itself_from_both_registers(desk):
    form = await desk.fill()
    mother, father = desk.story.mother, desk.story.father
    elements = form["elements"]
    assert form["complete"] is True
    assert (form["procedure"], form["case"]) == (BIRTH.code, desk.case)
    for role, person in (("mother", mother), ("father", father)):
        assert elements[f"{role}.identity_number"]["value"] == person.identity_number
        assert elements[f"{role}.full_name"]["value"] == person.name.full
        assert elements[f"{role}.birth_date"]["value"]["date"] == person.birth.date
        assert elements[f"{role}.full_name"]["source"] == CITIZEN
        assert elements[f"{role}.insurance_number"]["source"] == INSURANCE
        assert elements[f"{role}.residence"]["value"]
    found = [each for name, each in elements.items() if not name.startswith("child.")]
    for each in found:
        assert each["outcome"] == "FOUND"
        assert each["confidence"] == "tls_source"
        assert each["retrieved_at"] < each["fresh_until"]
        assert {"value", "source", "receipt"} <= each.keys()
        assert "reason" not in each
    assert form["ask_citizen"] == [name for name in elements if name.startswith("child.")]
    assert form["not_typed"] == len(found) - 2  # of each parent the number was known


async def test_child_is_asked_of_the_citizen_unless_declared(desk):
    declared = {"child.full_name": "Phạm Gia Hân", "child.sex": "female"}
    form = await desk.fill(declared=declared)
    name = form["elements"]["child.full_name"]
    assert (name["value"], name["source"], name["confidence"]) == ("Phạm Gia Hân", "declared", "declared")
    assert "receipt" not in name
    assert "child.full_name" not in form["ask_citizen"]
    assert "child.birth_date" in form["ask_citizen"]


async def test_bundle_is_the_gateways_word_on_all_of_it(desk):
    form = await desk.fill()
    certificate = x509.load_pem_x509_certificate(desk.world.files.gateway_certificate.read_bytes())
    header = jwt.get_unverified_header(form["bundle"])
    thumbprint = hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest()
    assert header["typ"] == "motlan-bundle+jwt"
    assert header["x5t#S256"] == jwt.utils.base64url_encode(thumbprint).decode()
    content = jwt.PyJWS().decode(form["bundle"], certificate.public_key(), algorithms=["ES256"])
    assert json.loads(content) == {name: value for name, value in form.items() if name != "bundle"}
    key = ECKey.import_key(certificate.public_key())
    assert jws.deserialize_compact(form["bundle"], key, algorithms=["ES256"]).payload == content
    head, payload, signature = form["bundle"].split(".")
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.PyJWS().decode(f"{head}.{payload[:-4]}AAAA.{signature}", certificate.public_key(), algorithms=["ES256"])


async def test_every_element_has_a_record_that_leads_to_the_request(desk):
    answer = await desk.send(desk.parents())
    kept = desk.records()
    request = kept[answer.head.get("x-road-request-id")]
    assert (request["kind"], request["service"], request["signed_by"]) == ("request", PREFILL, "caller")
    assert set(request.all("person")) == {desk.story.mother.identity_number, desk.story.father.identity_number}
    receipts = {each["receipt"] for each in answer.json()["elements"].values() if "receipt" in each}
    assert len(receipts) == 4
    for receipt in receipts:
        told = kept[receipt]
        inner = kept[told["parent"]]
        assert (told["kind"], told["outcome"], inner["kind"]) == ("answer", "FOUND", "request")
        assert inner["parent"] == request["id"]
        assert (inner["signed_by"], inner["client"], inner["purpose"]) == ("parent", str(PORTAL), BIRTH.code)
        assert inner["service"] in {CITIZEN, INSURANCE}
        assert (inner.shown("officer"), inner.shown("case")) == (desk.officer, desk.case)
        assert inner["grant"] in {"h24-birth-citizen", "h24-birth-insurance"}
        assert "/identity_number" in told["released"]
    ended = [each for each in kept.values() if each["parent"] == request["id"] and each["kind"] == "answer"]
    assert [each["outcome"] for each in ended] == ["FOUND"]


async def test_sources_are_asked_at_once(desk):
    await desk.fill()
    desk.world.population.misbehave(Mode.SLOW, seconds=0.4)
    desk.world.insurance.misbehave(Mode.SLOW, seconds=0.4)
    start = time.perf_counter()
    form = await desk.fill()
    assert time.perf_counter() - start < 0.7
    assert form["complete"] is True


async def test_source_that_fails_costs_its_own_elements_only(desk):
    desk.world.insurance.misbehave(Mode.BAD_GATEWAY)
    form = await desk.fill()
    number = form["elements"]["mother.insurance_number"]
    assert number["outcome"] == "UNAVAILABLE"
    assert number["reason"].startswith("server.serverproxy.service_failed.unavailable")
    assert "value" not in number
    assert number["receipt"] in desk.records()
    assert form["elements"]["mother.full_name"]["value"] == desk.story.mother.name.full
    assert form["complete"] is True  # it is not required


async def test_where_the_first_source_fails_the_second_stands_in(desk):
    desk.world.population.misbehave(Mode.DROP)
    form = await desk.fill()
    elements = form["elements"]
    assert elements["father.full_name"]["source"] == INSURANCE
    assert elements["father.residence"]["outcome"] == "UNAVAILABLE"
    assert form["complete"] is False
    assert {"mother.residence", "father.residence"} <= set(form["ask_citizen"])


async def test_deadline_is_kept_and_late_calls_still_get_their_end(desk):
    desk.world.population.misbehave(Mode.SLOW, seconds=0.8)
    start = time.perf_counter()
    answer = await desk.send(desk.parents(), deadline_ms=250)
    assert time.perf_counter() - start < 0.6
    form = answer.json()
    late = form["elements"]["mother.residence"]
    assert (late["outcome"], late["reason"]) == ("UNAVAILABLE", "no answer in time")
    assert form["elements"]["mother.insurance_number"]["outcome"] == "FOUND"
    inner = [each for each in desk.records().values() if each["parent"] == answer.head.get("x-road-request-id")]
    requests = {each["id"] for each in inner if each["kind"] == "request"}
    assert len(requests) == 4
    async with asyncio.timeout(10):
        while {each["parent"] for each in desk.records().values()} & requests != requests:  # noqa: ASYNC110 - the database has no event
            await asyncio.sleep(0.1)
    ends = [each for each in desk.records().values() if each["parent"] in requests]
    assert {(each["kind"], each["outcome"]) for each in ends} == {("answer", "FOUND")}


async def test_person_whom_nobody_has_is_not_found_and_asked(desk):
    form = await desk.fill(desk.parents(father=desk.story.absent))
    assert form["elements"]["father.residence"]["outcome"] == "NOT_FOUND"
    assert "father.residence" in form["ask_citizen"]
    assert form["elements"]["father.insurance_number"]["outcome"] == "FOUND"
    assert form["complete"] is False


async def test_registers_that_contradict_each_other_are_named_never_quoted(desk):
    form = await desk.fill(desk.parents(mother=desk.story.contradicted))
    assert {"element": "mother.birth_date", "between": [CITIZEN, INSURANCE]} in form["discrepancies"]
    assert form["elements"]["mother.birth_date"]["source"] == CITIZEN
    assert all(set(each) == {"element", "between"} for each in form["discrepancies"])


async def test_what_the_citizen_declares_otherwise_is_a_discrepancy(desk):
    form = await desk.fill(
        declared={
            "father.ethnicity": {"code": "05"},
            "mother.ethnicity": {"code": desk.story.mother.ethnicity},
            "mother.full_name": desk.story.mother.name.full.upper(),
        }
    )
    named = [each["element"] for each in form["discrepancies"]]
    assert named == ["father.ethnicity"]
    assert form["elements"]["father.ethnicity"]["source"] == CITIZEN


@pytest.mark.parametrize(
    ("changed", "code", "status"),
    [
        ({"procedure": "9.999999"}, "client.unknown_procedure", 404),
        ({"people": {"father": {}}}, "client.schema_mismatch", 422),
        ({"people": {"mother": {"identity_number": "12"}}}, "client.schema_mismatch", 422),
        ({"people": {"mother": {}, "uncle": {}}}, "client.schema_mismatch", 422),
        ({"deadline_ms": 0}, "client.schema_mismatch", 422),
        ({"basis": "ND-1/1999"}, "client.schema_mismatch", 422),
        ({"consent": "eyJ"}, "client.consent_unsupported", 400),
        ({"more": 1}, "client.schema_mismatch", 422),
    ],
)
async def test_wrong_requests_are_refused_before_anybody_is_asked(desk, changed, code, status):
    before = desk.world.population.requests.total()
    document = {"people": desk.parents(), **changed}
    answer = await desk.send(**document)
    assert (answer.error_code, answer.status) == (code, status)
    assert desk.world.population.requests.total() == before
    assert desk.records()[answer.receipt]["kind"] == "refusal"


async def test_refusal_of_a_source_by_policy_is_said_element_by_element(desk):
    for _ in range(10):  # the officer's twenty look-ups a day, two each
        form = await desk.fill()
        assert form["complete"] is True
    form = await desk.fill()
    name = form["elements"]["mother.residence"]
    assert (name["outcome"], name["reason"]) == ("DENIED", "server.serverproxy.quota_spent")
    assert form["elements"]["mother.full_name"]["source"] == INSURANCE
    assert desk.records()[name["receipt"]]["kind"] == "refusal"


async def test_prefill_is_granted_like_any_service(desk):
    async with desk.world.client(ONE_STOP) as other:
        document = {"procedure": BIRTH.code, "people": desk.parents(), "case": desk.case}
        call = Call(own_path="/v1/prefill", body=document, purpose=BIRTH, officer="cb", case=desk.case)
        assert (await other.send(call)).error_code == "server.serverproxy.access_denied"
    call = Call(own_path="/v1/prefill", body=document, purpose=Purpose("1.004222"), officer="cb", case=desk.case)
    assert (await desk.client.send(call)).error_code == "server.serverproxy.purpose_not_granted"


async def test_purpose_without_its_basis_is_enough(desk):
    document = {"procedure": BIRTH.code, "people": desk.parents(), "case": desk.case}
    stated = Purpose(BIRTH.code)
    call = Call(own_path="/v1/prefill", body=document, purpose=stated, officer=desk.officer, case=desk.case)
    answer = await desk.client.send(call)
    assert answer.json()["complete"] is True
    kept = desk.records()
    assert {each["basis"] for each in kept.values() if each["parent"] == answer.head.get("x-road-request-id")} == {
        BIRTH.basis,
        None,  # of the answer
    }


async def test_mismatch_names_elements_and_never_the_registers_values(desk):
    portal = desk.world.portal(desk.client, officer="mm")
    father = desk.story.father
    answer = await portal.citizen(father.identity_number, full_name="Nguyễn Văn Sai", birth_date="1901-01-01")
    assert (answer.status, answer.error_code) == (409, "server.serverproxy.record_mismatch")
    assert answer.outcome == "MISMATCH"
    assert sorted(answer.json()["parts"]) == ["birth_date", "full_name"]
    text = answer.body.data.decode()
    assert father.name.full not in text
    assert father.birth.date not in text
    assert desk.records()[answer.receipt]["outcome"] == "MISMATCH"


async def test_ambiguous_is_no_ones_data(desk):
    one, _ = desk.story.namesakes
    call = Call(
        service=None,
        own_path=f"/r1/{CITIZEN}",
        body={"full_name": one.name.full, "birth_date": one.birth.date},
        purpose=BIRTH,
        officer=desk.officer,
        case=desk.case,
    )
    answer = await desk.client.send(call)
    assert (answer.error_code, answer.outcome) == ("server.serverproxy.record_ambiguous", "AMBIGUOUS")
    assert one.identity_number not in answer.body.data.decode()
