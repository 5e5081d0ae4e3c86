"""The social insurance adapter against its register on a socket."""

import pytest

from adapters.credentials import Fixed
from adapters.provider_auth import api_key
from adapters.simulators.access import ApiKey
from adapters.simulators.insurance import InsuranceSimulator
from adapters.simulators.misbehave import Mode
from gateway.model.outcomes import Outcome
from tests.support.adapters import Known, ask, canonical, insurance, recorded
from tests.support.simulators import people

STORY = people().story
FATHER = STORY.father
NUMBER = {"identity_number": FATHER.identity_number}


def criteria(person):
    entry = person.insurance
    return {"full_name": entry.full_name, "birth_date": entry.birth.date, "sex": entry.sex}


async def once(request, *, mode=None, path="", seconds=5.0, access=None, **more):
    async with InsuranceSimulator(people(), access=access) as register:
        if mode is not None:
            register.misbehave(mode)
        return await ask(insurance(register.url, **more), recorded(request, path=path), seconds=seconds)


@pytest.mark.parametrize(
    "request_",
    [NUMBER, {"insurance_number": FATHER.insurance.number}, criteria(FATHER), {**NUMBER, **criteria(FATHER)}],
)
@pytest.mark.asyncio
async def test_card_by_number_by_insurance_number_and_by_criteria(request_):
    reply = await once(request_)
    assert reply.outcome is Outcome.FOUND
    canonical("insurance-lookup.response").check(reply.document)
    card, entry = reply.document, FATHER.insurance
    assert card["insurance_number"] == entry.number
    assert card["name"] == {"full": entry.full_name}
    assert card["sex"] == entry.sex
    assert card["birth_date"]["date"] == entry.birth.date
    assert card["household_code"] == entry.household_code
    assert card["status"] == "active"


@pytest.mark.asyncio
async def test_card_by_number_has_validity_facility_and_address():
    card, entry = (await once(NUMBER)).document, FATHER.insurance
    assert (card["valid_from"], card["valid_to"]) == (entry.valid_from, entry.valid_to)
    assert card["registered_facility"] == {"code": entry.facility[0], "name": entry.facility[1]}
    assert card["address"]["detail"] == entry.address.detail
    assert card["card_number"] == entry.card_number


@pytest.mark.asyncio
async def test_every_generated_card_is_canonical():
    schema = canonical("insurance-lookup.response")
    async with InsuranceSimulator(people()) as register:
        for person in list(people())[:150]:
            reply = await ask(insurance(register.url), {"identity_number": person.identity_number})
            if person.insurance:
                schema.check(reply.document)
            else:
                assert reply.outcome is Outcome.NOT_FOUND


@pytest.mark.asyncio
async def test_household_lists_its_members():
    head = next(one for one in list(people())[60:] if one.insurance and len(people().household(one)) > 3)
    reply = await once({"identity_number": head.identity_number}, path="/household")
    expected = {one.insurance.number for one in people().household(head) if one.insurance}
    assert {each["insurance_number"] for each in reply.document["members"]} == expected
    assert reply.document["household_code"] == head.insurance.household_code
    for each in reply.document["members"]:
        canonical("insurance-card").check(each)


@pytest.mark.parametrize(
    ("request_", "outcome", "differing"),
    [
        ({**NUMBER, "full_name": "Ai Đó"}, Outcome.MISMATCH, ("full_name",)),
        ({**NUMBER, "birth_date": "1901"}, Outcome.MISMATCH, ("birth_date",)),
        ({**NUMBER, "sex": "female"}, Outcome.MISMATCH, ("sex",)),
        ({**NUMBER, "insurance_number": "0000000000"}, Outcome.MISMATCH, ("insurance_number",)),
        ({"identity_number": STORY.uninsured.identity_number}, Outcome.NOT_FOUND, ()),
        ({"insurance_number": "0000000000"}, Outcome.NOT_FOUND, ()),
        ({"full_name": "Ai Đó", "birth_date": "1990-01-01", "sex": "male"}, Outcome.NOT_FOUND, ()),
        (criteria(STORY.namesakes[0]), Outcome.AMBIGUOUS, ()),
        ({"full_name": "A", "birth_date": "1990"}, Outcome.REJECTED, ("full_name", "birth_date", "sex")),
        ({"full_name": "A", "birth_date": "19", "sex": "male"}, Outcome.REJECTED, ("birth_date",)),
        ({"identity_number": "1"}, Outcome.REJECTED, ("identity_number",)),
        ({}, Outcome.REJECTED, ("full_name", "birth_date", "sex")),
        (None, Outcome.REJECTED, ("full_name", "birth_date", "sex")),
    ],
)
@pytest.mark.asyncio
async def test_outcomes_are_told_apart(request_, outcome, differing):
    reply = await once(request_)
    assert (reply.outcome, reply.differing, reply.body.size) == (outcome, differing, 0)


@pytest.mark.parametrize(
    ("mode", "outcome"),
    [
        (Mode.SLOW, Outcome.UNAVAILABLE),
        (Mode.FREEZE, Outcome.UNAVAILABLE),
        (Mode.BAD_GATEWAY, Outcome.UNAVAILABLE),
        (Mode.DROP, Outcome.UNAVAILABLE),
        (Mode.HALF, Outcome.INVALID_REPLY),
        (Mode.UNAUTHORIZED_TEXT, Outcome.DENIED),
        (Mode.LIE, Outcome.INVALID_REPLY),
        (Mode.OTHER_PERSON, Outcome.INVALID_REPLY),
        (Mode.DEEP, Outcome.INVALID_REPLY),
        (Mode.HUGE, Outcome.INVALID_REPLY),
        (Mode.WINDOWS_1258, Outcome.INVALID_REPLY),
        (Mode.TCVN3, Outcome.INVALID_REPLY),
        (Mode.DUPLICATE_KEYS, Outcome.INVALID_REPLY),
        (Mode.NAN, Outcome.INVALID_REPLY),
        (Mode.HUGE_NUMBER, Outcome.INVALID_REPLY),
        (Mode.LONE_SURROGATE, Outcome.INVALID_REPLY),
    ],
)
@pytest.mark.asyncio
async def test_every_way_of_misbehaving_has_its_outcome(mode, outcome):
    seconds = 0.2 if mode in {Mode.SLOW, Mode.FREEZE} else 5.0
    reply = await once(NUMBER, mode=mode, seconds=seconds)
    assert (reply.outcome, reply.body.size) == (outcome, 0)


@pytest.mark.asyncio
async def test_household_of_somebody_else_is_an_invalid_reply():
    async with InsuranceSimulator(people()) as register:
        register.misbehave(Mode.OTHER_PERSON)
        reply = await ask(insurance(register.url), {"insurance_number": FATHER.insurance.number})
    assert reply.outcome is Outcome.INVALID_REPLY


@pytest.mark.parametrize(("key", "outcome"), [("right", Outcome.FOUND), ("wrong", Outcome.DENIED)])
@pytest.mark.asyncio
async def test_api_key_opens_the_register(key, outcome):
    credentials = Fixed(lambda: api_key("ApiKey", Known(key)))
    reply = await once(NUMBER, access=ApiKey(key="right"), credentials=credentials)
    assert reply.outcome is outcome
    assert reply.provider_code == (None if outcome is Outcome.FOUND else "100")
