"""A provincial platform through its mapping: wrapper, error codes, token and bearer, citizens that were XML."""

import pytest

from adapters.credentials import OAuth, TokenSource
from adapters.provider_auth import PlatformKeys
from adapters.rest.http1 import Client, ClientOptions, split_url
from adapters.simulators.access import LgspToken
from adapters.simulators.json_system import RefusedError
from adapters.simulators.lgsp import LgspSimulator
from adapters.simulators.misbehave import Mode
from adapters.simulators.population import PopulationSimulator
from gateway.model.outcomes import Outcome
from tests.support.adapters import Known, ask, canonical, population, recorded
from tests.support.agencies import TROUBLE, once
from tests.support.simulators import people

STORY = people().story
NAME = "lgsp"
NUMBER = {"identity_number": STORY.father.identity_number}
TROUBLE_HERE = {**TROUBLE, Mode.WINDOWS_1258: Outcome.FOUND, Mode.TCVN3: Outcome.FOUND}
"""The mapping names the old charsets (Q17)."""
pytestmark = pytest.mark.asyncio


@pytest.mark.parametrize("person", [STORY.father, STORY.mother, *STORY.quirky.values(), *STORY.others.values()])
async def test_it_gives_the_same_citizen_as_the_register_itself(person):
    asked = {"identity_number": person.identity_number}
    async with LgspSimulator(people()) as platform, PopulationSimulator(people()) as register:
        through = await once(platform, NAME, asked)
        direct = await ask(population(register.url), recorded(asked))
    assert through.outcome is Outcome.FOUND
    canonical("citizen-lookup.response").check(through.document)
    assert through.document == direct.document


async def test_every_generated_citizen_is_canonical():
    schema = canonical("citizen-lookup.response")
    async with LgspSimulator(people()) as sim:
        for person in list(people())[:150]:
            reply = await once(sim, NAME, {"identity_number": person.identity_number})
            if person.in_population:
                schema.check(reply.document)
                assert reply.document["identity_number"] == person.identity_number
            else:
                assert reply.outcome is Outcome.NOT_FOUND


@pytest.mark.parametrize(
    ("document", "outcome", "code", "differing"),
    [
        ({"identity_number": "031099999999"}, Outcome.NOT_FOUND, "201", ()),
        ({"identity_number": STORY.absent.identity_number}, Outcome.NOT_FOUND, "201", ()),
        ({**NUMBER, "full_name": "Ai Đó"}, Outcome.MISMATCH, None, ("full_name",)),
        ({**NUMBER, "birth_date": "1901"}, Outcome.MISMATCH, None, ("birth_date",)),
        ({"full_name": "Nguyễn Văn Nam", "birth_date": "1985-05-05"}, Outcome.AMBIGUOUS, None, ()),
        ({"full_name": "Phạm Đình Trung", "birth_date": "1993-08-14"}, Outcome.FOUND, None, ()),
        ({"identity_number": STORY.plain.identity_number}, Outcome.REJECTED, "200", ()),
        ({"identity_number": "1"}, Outcome.REJECTED, None, ("identity_number",)),
        ({"full_name": "Ai Đó"}, Outcome.REJECTED, None, ("identity_number",)),
        (None, Outcome.REJECTED, None, ("identity_number",)),
    ],
)
async def test_outcomes_are_told_apart(document, outcome, code, differing):
    async with LgspSimulator(people()) as sim:
        sim.incomplete.add(STORY.plain.identity_number)
        reply = await once(sim, NAME, document)
    told = code if outcome is not Outcome.FOUND else reply.provider_code
    assert (reply.outcome, reply.provider_code, reply.differing) == (outcome, told, differing)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        ("100", Outcome.DENIED),
        ("101", Outcome.DENIED),
        ("106", Outcome.DENIED),
        ("200", Outcome.REJECTED),
        ("201", Outcome.NOT_FOUND),
        ("302", Outcome.REJECTED),
        ("500", Outcome.REJECTED),
        ("999", Outcome.REJECTED),
    ],
)
async def test_every_error_of_the_platform_has_its_outcome(error, outcome):
    async with LgspSimulator(people()) as sim:
        sim.out_of_order = RefusedError(error, "")
        reply = await once(sim, NAME, NUMBER)
    assert (reply.outcome, reply.provider_code) == (outcome, error)


async def test_an_agency_that_the_platform_does_not_know_is_denied():
    async with LgspSimulator(people(), agencies=frozenset({"H31"})) as sim:
        reply = await once(sim, NAME, NUMBER)
    assert (reply.outcome, reply.provider_code) == (Outcome.DENIED, "106")


@pytest.mark.parametrize("mode", TROUBLE_HERE)
async def test_every_way_of_misbehaving_has_its_outcome(mode):
    async with LgspSimulator(people()) as sim:
        reply = await once(sim, NAME, NUMBER, mode=mode)
    assert reply.outcome is TROUBLE_HERE[mode]
    if reply.outcome is Outcome.FOUND:
        assert reply.document["name"]["full"] == "Phạm Đình Trung"


def _credentials(url, platform_secret):
    origin, _ = split_url(url)
    source = TokenSource(origin=origin, path="/token", client_id="motlan")
    keys = PlatformKeys(access_key="ak", app_name="motlan", partner_code=NAME)
    return OAuth(source, Known("s"), Client(ClientOptions()), platform=(keys, Known(platform_secret)))


@pytest.mark.parametrize(("secret", "outcome"), [("sk", Outcome.FOUND), ("wrong", Outcome.DENIED)])
async def test_token_and_bearer_open_the_platform(secret, outcome):
    access = LgspToken(access_key="ak", secret_key="sk", app_name="motlan", partner_code=NAME, tokens={})
    async with LgspSimulator(people(), access=access) as sim:
        reply = await once(sim, NAME, NUMBER, credentials=_credentials(sim.url, secret))
        assert reply.outcome is outcome


async def test_a_platform_that_forgot_its_tokens_is_asked_for_another():
    access = LgspToken(access_key="ak", secret_key="sk", app_name="motlan", partner_code=NAME, tokens={})
    async with LgspSimulator(people(), access=access) as sim:
        credentials = _credentials(sim.url, "sk")
        assert (await once(sim, NAME, NUMBER, credentials=credentials)).outcome is Outcome.FOUND
        access.revoke()
        assert (await once(sim, NAME, NUMBER, credentials=credentials)).outcome is Outcome.FOUND
        assert sim.requests["token"] == 2
