"""The business register on its socket."""

import pytest

from adapters.simulators import business_register_companies as companies
from adapters.simulators.business_register import DETAILS, BusinessRegisterSimulator
from gateway.model.numbers import TaxCode
from tests.support.agencies import call, fetch
from tests.support.simulators import people

FATHERS = companies.company_of(people().story.father, people())
pytestmark = pytest.mark.asyncio


async def test_an_enterprise_by_its_number():
    async with BusinessRegisterSimulator(people()) as sim:
        status, found = await fetch(sim, DETAILS, {"msdn": FATHERS.number})
    assert (status, found["Status"], found["DataCount"]) == (200, "1", 1)
    main, head = found["Data"]["MainInformation"], found["Data"]["HOAdress"]
    assert main["ENTERPRISE_GDT_CODE"] == FATHERS.number
    assert found["Data"]["Representatives"]["IDENTITY_NO"] == people().story.father.identity_number
    assert main["LEGAL_NAMES"] == "PHẠM ĐÌNH TRUNG"
    assert head["AddressFullText"] == people().story.father.residence.detail


async def test_several_representatives_come_as_a_list():
    async with BusinessRegisterSimulator(people()) as sim:
        two = next(one for one in sim.companies(200) if len(one.representatives) == 2)
        _, found = await fetch(sim, DETAILS, {"msdn": two.number})
    assert [one["FULL_NAME"] for one in found["Data"]["Representatives"]] == [
        person.name.full.upper() for person in two.representatives
    ]


async def test_every_number_has_its_check_digit_and_leads_back():
    sim = BusinessRegisterSimulator(people())
    found = sim.companies(300)
    assert len({one.number for one in found}) == 300
    for one in found:
        assert TaxCode(one.number)
        assert companies.by_number(one.number, people()) == one


NOBODYS = "999999999" + str(companies.check_digit("999999999"))


@pytest.mark.parametrize("number", [NOBODYS, f"{FATHERS.number}-001"])
async def test_nobody_is_a_count_of_none(number):
    async with BusinessRegisterSimulator(people()) as sim:
        _, found = await fetch(sim, DETAILS, {"msdn": number})
    assert (found["Status"], found["DataCount"], found["Data"]) == ("1", 0, None)


@pytest.mark.parametrize("query", [{"msdn": "3100000001"}, {"msdn": "031093271828"}, {"msdn": ""}, {}])
async def test_a_number_that_is_none_is_status_0(query):
    async with BusinessRegisterSimulator(people()) as sim:
        status, found = await fetch(sim, DETAILS, query)
    assert (status, found["Status"]) == (200, "0")
    assert found["Message"] != "success"


async def test_it_is_asked_by_get():
    async with BusinessRegisterSimulator(people()) as sim:
        assert (await call(sim, DETAILS, {"msdn": FATHERS.number}))[1]["Status"] == "0"
