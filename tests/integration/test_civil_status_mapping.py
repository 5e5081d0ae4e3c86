"""Civil status through its mapping: XML text inside JSON, a write that is accepted, states, certificates."""

import json

import pytest
from lxml import etree

from adapters.simulators.access import ApiKey
from adapters.simulators.civil_status import CivilStatusSimulator, registered
from adapters.simulators.json_system import RefusedError
from gateway.model.outcomes import Outcome
from tests.support.adapters import ask, canonical, recorded
from tests.support.agencies import TROUBLE, TROUBLE_OF_A_WRITE, once, target
from tests.support.simulators import people

STORY = people().story
FATHER, MOTHER, CHILD = STORY.father, STORY.mother, STORY.newborn
NAME = "civil-status"
DONE = next(one for one in map(registered, map(people().__getitem__, range(60, 80))) if one.state == "4")
QUERY = {"dossier_code": DONE.code, "place": str(DONE.unit)}
CHILD_BIRTH = {"date": CHILD.birth.date, "precision": "day"}
pytestmark = pytest.mark.asyncio


def registration(**changes):
    document = {
        "dossier_code": "H24.15-261101-9001",
        "place": FATHER.residence.commune,
        "received_on": "2026-11-01",
        "child": {
            "name": {"full": CHILD.name.full},
            "sex": CHILD.sex,
            "birth_date": CHILD_BIRTH,
            "ethnicity": {"code": "01"},
        },
        "mother": {"name": {"full": MOTHER.name.full}, "identity_number": MOTHER.identity_number},
        "father": {
            "name": {"full": FATHER.name.full},
            "identity_number": FATHER.identity_number,
            "birth_date": {"date": "1993", "precision": "year"},
        },
        "requester": {"name": {"full": FATHER.name.full}, "relationship": "Cha"},
        **changes,
    }
    canonical("birth-registration.request").check(document)
    return document


async def test_a_registration_is_accepted_and_becomes_a_certificate():
    asked = registration()
    async with CivilStatusSimulator(people()) as sim:
        taken = await once(sim, NAME, asked, path="/registration")
        assert (taken.outcome, taken.document["status"]) == (Outcome.ACCEPTED, "received")
        query = {"dossier_code": asked["dossier_code"], "place": asked["place"]}
        seen = []
        for state in ("1", "2", "3", "4", "7"):
            sim.move(asked["dossier_code"], state)
            reply = await once(sim, NAME, query, path="/status")
            canonical("civil-status-dossier.response").check(reply.document)
            seen.append(reply.document["status"])
        sim.move(asked["dossier_code"], "4")
        certificate = await once(sim, NAME, query, path="/certificate")
    canonical("birth-registration.response").check(taken.document)
    assert seen == ["received", "supplement_needed", "eligible", "done", "unlisted"]
    canonical("birth-certificate.response").check(certificate.document)
    child = certificate.document["child"]
    assert (child["name"], child["sex"]) == ({"full": CHILD.name.full}, CHILD.sex)
    assert child["birth_date"] == CHILD_BIRTH
    assert certificate.document["mother"]["identity_number"] == MOTHER.identity_number


async def test_what_is_sent_is_xml_text_that_cannot_be_broken_out_of():
    evil = "</nksHoTen><nksHoTen>Ai & Đó <!--"
    seen = []
    async with CivilStatusSimulator(people()) as sim:
        sim.watch = lambda received: seen.append(json.loads(received.body))
        asked = registration(child={"name": {"full": evil}, "sex": "female", "birth_date": CHILD_BIRTH})
        await once(sim, NAME, asked, path="/registration")
        assert sim.dossiers[asked["dossier_code"]].registration.fields["nksHoTen"] == evil
    (sent,) = seen
    assert list(sent) == ["maDonVi", "module", "maHoSo", "ngayTiepNhan", "data"]
    assert (sent["maDonVi"], sent["module"], sent["ngayTiepNhan"]) == (int(asked["place"]), "KS", "01/11/2026")
    root = etree.fromstring(sent["data"].encode())
    assert [each.text for each in root.iterfind("hoso/nksHoTen")] == [evil]
    assert root.findtext("hoso/chaNgaySinh") == "1993"


async def test_every_generated_certificate_is_canonical():
    schema = canonical("birth-certificate.response")
    sexes = set()
    async with CivilStatusSimulator(people()) as sim:
        for person in list(people())[:120]:
            dossier = registered(person)
            sim.move(dossier.code, "4")
            reply = await once(
                sim, NAME, {"dossier_code": dossier.code, "place": str(dossier.unit)}, path="/certificate"
            )
            assert reply.outcome is Outcome.FOUND
            schema.check(reply.document)
            assert reply.document["child"]["birth_date"]["date"] == person.birth.date
            assert reply.document["child"]["identity_number"] == person.identity_number
            sexes.add(reply.document["child"]["sex"])
    assert sexes == {"male", "female", "unlisted"}


@pytest.mark.parametrize(
    ("path", "document", "outcome", "code"),
    [
        ("/status", QUERY | {"dossier_code": "H24.15-261101-9999"}, Outcome.NOT_FOUND, "201"),
        ("/certificate", QUERY | {"dossier_code": "H24.15-261101-9999"}, Outcome.NOT_FOUND, "201"),
        ("/status", QUERY | {"place": "99999"}, Outcome.REJECTED, "106"),
        ("/status", {"dossier_code": DONE.code}, Outcome.REJECTED, None),
        ("/status", QUERY | {"place": "một"}, Outcome.REJECTED, None),
        ("/registration", registration(dossier_code=DONE.code), Outcome.REJECTED, "500"),
        ("/registration", registration(place="99999"), Outcome.REJECTED, "106"),
        ("/registration", {**registration(), "received_on": "hôm qua"}, Outcome.REJECTED, None),
        ("/registration", {**registration(), "requester": {}}, Outcome.REJECTED, None),
        ("/marriage", QUERY, Outcome.REJECTED, None),
    ],
)
async def test_outcomes_are_told_apart(path, document, outcome, code):
    async with CivilStatusSimulator(people()) as sim:
        reply = await once(sim, NAME, document, path=path)
    assert (reply.outcome, reply.provider_code, reply.body.size) == (outcome, code, 0)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        ("100", Outcome.DENIED),
        ("101", Outcome.DENIED),
        ("106", Outcome.REJECTED),
        ("200", Outcome.REJECTED),
        ("201", Outcome.NOT_FOUND),
        ("302", Outcome.REJECTED),
        ("500", Outcome.REJECTED),
        ("999", Outcome.REJECTED),
    ],
)
async def test_every_error_of_the_platform_has_its_outcome(error, outcome):
    async with CivilStatusSimulator(people()) as sim:
        sim.out_of_order = RefusedError(error, "")
        reply = await once(sim, NAME, QUERY, path="/status")
    assert (reply.outcome, reply.provider_code) == (outcome, error)


async def test_a_certificate_before_its_time_is_not_nobodys():
    early = next(one for one in map(registered, map(people().__getitem__, range(60, 80))) if one.state == "1")
    async with CivilStatusSimulator(people()) as sim:
        query = {"dossier_code": early.code, "place": str(early.unit)}
        reply = await once(sim, NAME, query, path="/certificate")
    assert (reply.outcome, reply.provider_code) == (Outcome.REJECTED, "200")


@pytest.mark.parametrize("path", ["/status", "/certificate"])
@pytest.mark.parametrize("mode", TROUBLE)
async def test_every_way_of_misbehaving_has_its_outcome(path, mode):
    async with CivilStatusSimulator(people()) as sim:
        reply = await once(sim, NAME, QUERY, path=path, mode=mode)
    assert (reply.outcome, reply.body.size) == (TROUBLE[mode], 0)


@pytest.mark.parametrize("mode", TROUBLE_OF_A_WRITE)
async def test_a_write_that_goes_wrong_is_unknown_and_sent_once(mode):
    async with CivilStatusSimulator(people()) as sim:
        reply = await once(sim, NAME, registration(), path="/registration", mode=mode)
        assert sim.requests.total() == 1
    assert reply.outcome is TROUBLE_OF_A_WRITE[mode]


async def test_a_registration_that_nobody_took_is_unavailable():
    async with CivilStatusSimulator(people()) as sim:
        url = sim.url
    reply = await ask(target(NAME, url), recorded(registration(), path="/registration"))
    assert reply.outcome is Outcome.UNAVAILABLE


async def test_without_its_token_nobody_is_answered():
    async with CivilStatusSimulator(people(), access=ApiKey(key="Bearer t", header="Authorization")) as sim:
        assert (await once(sim, NAME, QUERY, path="/status")).outcome is Outcome.DENIED
