"""The business register through its mapping: GET with a query, counts and states in a 200, one or many representatives."""

import pytest

from adapters.simulators import business_register_companies as companies
from adapters.simulators.access import ApiKey
from adapters.simulators.business_register import BusinessRegisterSimulator
from adapters.simulators.json_system import RefusedError
from gateway.model.outcomes import Outcome
from tests.support.adapters import canonical
from tests.support.agencies import TROUBLE, once
from tests.support.simulators import people

NAME = "business-register"
FATHERS = companies.company_of(people().story.father, people())
ASKED = {"enterprise_number": FATHERS.number}
NOBODYS = "999999999" + str(companies.check_digit("999999999"))
pytestmark = pytest.mark.asyncio


async def test_an_enterprise_by_its_number():
    async with BusinessRegisterSimulator(people()) as sim:
        reply = await once(sim, NAME, ASKED)
    assert reply.outcome is Outcome.FOUND
    canonical("business-lookup.response").check(reply.document)
    found = reply.document
    assert found["enterprise_number"] == FATHERS.number
    assert found["type"] == {"code": FATHERS.kind[0], "name": FATHERS.kind[1]}
    assert (found["founded_on"], found["amendments"]) == (FATHERS.founded, FATHERS.amendments)
    assert found["charter_capital"] == str(FATHERS.capital)
    assert found["head_office"] == {"detail": FATHERS.address.detail}
    (father,) = found["representatives"]
    assert father == {
        "name": {"full": "PHẠM ĐÌNH TRUNG"},
        "identity_number": people().story.father.identity_number,
        "birth_date": {"date": "1993-08-14", "precision": "day"},
        "sex": "male",
        "nationality": {"code": "VN"},
    }
    assert [each["main"] for each in found["activities"]] == [True, False]


async def test_every_enterprise_is_canonical():
    schema = canonical("business-lookup.response")
    seen = set()
    async with BusinessRegisterSimulator(people()) as sim:
        for company in sim.companies(150):
            reply = await once(sim, NAME, {"enterprise_number": company.number})
            schema.check(reply.document)
            assert reply.document["status"] == {code: name for name, code in companies.STATES.items()}[company.state]
            assert len(reply.document["representatives"]) == len(company.representatives)
            seen |= {reply.document["status"]} | {
                one["birth_date"]["precision"] for one in reply.document["representatives"]
            }
    assert {"active", "suspended", "dissolved", "day", "year", "month"} <= seen


async def test_codes_outside_their_lists_are_told_as_such():
    async with BusinessRegisterSimulator(people()) as sim:
        sim.unlisted.add(FATHERS.number)
        found = (await once(sim, NAME, ASKED)).document
    canonical("business-lookup.response").check(found)
    assert (found["status"], found["representatives"][0]["sex"]) == ("unlisted", "unlisted")


@pytest.mark.parametrize(
    ("document", "outcome", "forwarded"),
    [
        ({"enterprise_number": NOBODYS}, Outcome.NOT_FOUND, 1),
        ({"enterprise_number": f"{FATHERS.number}-001"}, Outcome.NOT_FOUND, 1),
        ({"enterprise_number": FATHERS.number[:9] + "3"}, Outcome.REJECTED, 0),
        ({"enterprise_number": f"{FATHERS.number}&x=1"}, Outcome.REJECTED, 0),
        ({"enterprise_number": "031093271828"}, Outcome.REJECTED, 0),
        ({}, Outcome.REJECTED, 0),
        (None, Outcome.REJECTED, 0),
    ],
)
async def test_outcomes_are_told_apart(document, outcome, forwarded):
    async with BusinessRegisterSimulator(people()) as sim:
        reply = await once(sim, NAME, document)
        assert sim.requests.total() == forwarded
    assert (reply.outcome, reply.body.size) == (outcome, 0)


async def test_a_failure_with_a_sentence_says_nothing_about_the_enterprise():
    async with BusinessRegisterSimulator(people()) as sim:
        sim.out_of_order = RefusedError("0", "Không tìm thấy máy chủ")
        reply = await once(sim, NAME, ASKED)
    assert reply.outcome is Outcome.UNAVAILABLE


async def test_an_enterprise_that_is_counted_but_not_there_is_not_nobody():
    async with BusinessRegisterSimulator(people()) as sim:
        sim.operations["chiTietDoanhNghiep"] = lambda _: {"Data": None, "DataCount": 1, "Status": "1"}
        assert (await once(sim, NAME, ASKED)).outcome is Outcome.INVALID_REPLY


@pytest.mark.parametrize("mode", TROUBLE)
async def test_every_way_of_misbehaving_has_its_outcome(mode):
    async with BusinessRegisterSimulator(people()) as sim:
        reply = await once(sim, NAME, ASKED, mode=mode)
    assert (reply.outcome, reply.body.size) == (TROUBLE[mode], 0)


async def test_without_its_token_nobody_is_answered():
    async with BusinessRegisterSimulator(people(), access=ApiKey(key="Bearer t", header="Authorization")) as sim:
        assert (await once(sim, NAME, ASKED)).outcome is Outcome.DENIED
