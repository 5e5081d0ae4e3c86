"""Judicial records through their mapping: codes as numbers, requests that are accepted, states."""

import json

import pytest

from adapters.simulators import dossiers
from adapters.simulators.access import ApiKey
from adapters.simulators.json_system import RefusedError
from adapters.simulators.judicial_record import JudicialRecordSimulator
from gateway.model.outcomes import Outcome
from tests.support.adapters import canonical
from tests.support.agencies import TROUBLE, TROUBLE_OF_A_WRITE, once
from tests.support.simulators import people

NAME = "judicial-record"
PERSON = people().story.plain
CODE = "H24.15-261101-9002"
QUERY = {"dossier_code": dossiers.code_of(PERSON)}
pytestmark = pytest.mark.asyncio


def request(**changes):
    applicant = {
        "name": {"full": PERSON.name.full},
        "sex": PERSON.sex,
        "birth_date": {"date": PERSON.birth.date, "precision": PERSON.birth.precision},
        "identity_number": PERSON.identity_number,
        "phone": "0912345678",
        "father": {"name": {"full": "Đỗ Văn Minh"}, "birth_date": {"date": "1960-05", "precision": "month"}},
        **changes.pop("applicant", {}),
    }
    document = {
        "dossier_code": CODE,
        "unit": "STP24",
        "received_on": "2026-11-01",
        "due_on": "2026-11-15",
        "applicant": applicant,
        "form": 1,
        "copies": 2,
        "bans_wanted": True,
        "declared_on": "2026-10-31",
        "residences": [
            {
                "from": {"date": "2002", "precision": "year"},
                "to": {"date": "2026-10", "precision": "month"},
                "place": "Lê Chân, Hải Phòng",
            }
        ],
        **changes,
    }
    canonical("judicial-record.request").check(document)
    return document


async def test_a_request_is_accepted_with_codes_as_numbers():
    seen = []
    async with JudicialRecordSimulator(people()) as sim:
        sim.watch = lambda received: seen.append(json.loads(received.body))
        reply = await once(sim, NAME, request(), path="/request")
        assert sim.cases[CODE].identity_number == PERSON.identity_number
    assert reply.outcome is Outcome.ACCEPTED
    canonical("judicial-record.response").check(reply.document)
    assert (reply.document["dossier_code"], reply.document["status"]) == (CODE, "received")
    form = seen[0]["declarationWSForm"]
    numbers = {name: form[name] for name in ("genderId", "requestQty", "formType", "isBanPosition", "declareTypeId")}
    assert numbers == {"genderId": 1, "requestQty": 2, "formType": 1, "isBanPosition": 1, "declareTypeId": 3846}
    assert (form["birthDateStr"], form["dadDob"]) == (dossiers.slashed(PERSON.birth.date), "05/1960")
    (residence,) = seen[0]["residenceWSForm"]
    assert (residence["fromDateStr"], residence["toDateStr"]) == ("2002", "10/2026")


async def test_states_and_one_outside_the_list():
    seen = []
    async with JudicialRecordSimulator(people()) as sim:
        for state in (3, 4, 5, 8):
            sim.move(QUERY["dossier_code"], state)
            reply = await once(sim, NAME, QUERY, path="/status")
            canonical("judicial-record-status.response").check(reply.document)
            seen.append((reply.document["status"], reply.document.get("issued_on")))
    day = dossiers.received_on(QUERY["dossier_code"])
    assert seen == [("received", None), ("processing", None), ("issued", day), ("unlisted", None)]


@pytest.mark.parametrize(
    ("path", "document", "outcome", "code", "differing"),
    [
        ("/status", {"dossier_code": "000.00.15.H24-261001-9999"}, Outcome.NOT_FOUND, "201", ()),
        ("/status", {}, Outcome.REJECTED, None, ("dossier_code",)),
        ("/request", request(dossier_code=QUERY["dossier_code"]), Outcome.REJECTED, "500", ()),
        ("/request", request(unit="STP31"), Outcome.REJECTED, "106", ()),
        ("/request", request(applicant={"identity_number": "031099999999"}), Outcome.REJECTED, "500", ()),
        ("/request", {**request(), "due_on": "mai"}, Outcome.REJECTED, None, ("due_on",)),
        (
            "/request",
            {**request(), "applicant": {**request()["applicant"], "sex": "other"}},
            Outcome.REJECTED,
            None,
            ("sex",),
        ),
        ("/delete", QUERY, Outcome.REJECTED, None, ()),
    ],
)
async def test_outcomes_are_told_apart(path, document, outcome, code, differing):
    async with JudicialRecordSimulator(people()) as sim:
        reply = await once(sim, NAME, document, path=path)
    assert (reply.outcome, reply.provider_code, reply.differing) == (outcome, code, differing)
    assert reply.body.size == 0


@pytest.mark.parametrize(
    ("error", "outcome"), [("100", Outcome.DENIED), ("101", Outcome.DENIED), ("77", Outcome.REJECTED)]
)
async def test_errors_of_the_platform(error, outcome):
    async with JudicialRecordSimulator(people()) as sim:
        sim.out_of_order = RefusedError(error, "")
        assert (await once(sim, NAME, QUERY, path="/status")).outcome is outcome


@pytest.mark.parametrize("mode", TROUBLE)
async def test_every_way_of_misbehaving_has_its_outcome(mode):
    async with JudicialRecordSimulator(people()) as sim:
        reply = await once(sim, NAME, QUERY, path="/status", mode=mode)
    assert (reply.outcome, reply.body.size) == (TROUBLE[mode], 0)


@pytest.mark.parametrize("mode", TROUBLE_OF_A_WRITE)
async def test_a_write_that_goes_wrong_is_unknown_and_sent_once(mode):
    async with JudicialRecordSimulator(people()) as sim:
        reply = await once(sim, NAME, request(), path="/request", mode=mode)
        assert sim.requests.total() == 1
    assert reply.outcome is TROUBLE_OF_A_WRITE[mode]


async def test_without_its_token_nobody_is_answered():
    async with JudicialRecordSimulator(people(), access=ApiKey(key="Bearer t", header="Authorization")) as sim:
        assert (await once(sim, NAME, QUERY, path="/status")).outcome is Outcome.DENIED
