"""A form is filled for the case that the log names, and a source that answers nonsense spoils its own elements only."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from msgspec import structs

from adapters.simulators.parties import PORTAL
from adapters.simulators.portal import BIRTH, CITIZEN, INSURANCE
from gateway.client import Call, Client
from gateway.client.session import Answer
from gateway.model.ids import parse_service
from gateway.model.message import Body
from gateway.model.outcomes import Outcome
from gateway.model.stages import Reply
from gateway.policy.grants import ServiceTerms
from gateway.policy.policyset import PolicySet
from gateway.wiring.demo import World, demo_world
from tests.support.exchanges import read_records

pytestmark = pytest.mark.asyncio(loop_scope="module")

Place = tuple[World, Client]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    async with demo_world(tmp_path_factory.mktemp("prefill"), count=200) as made, made.client(PORTAL) as client:
        yield made, client


def call(place: Place, *, case: str | None, body_case: str) -> Call:
    number = place[0].people.story.mother.identity_number
    people = {"mother": {"identity_number": number}, "child": {}}
    document = {"procedure": BIRTH.code, "people": people, "case": body_case}
    return Call(own_path="/v1/prefill", body=document, purpose=BIRTH, officer="ht.review", case=case)


def sources(answer: Answer) -> set[str]:
    """Where the values of a form come from."""
    return {each["source"] for each in answer.json()["elements"].values() if "value" in each}


async def test_form_of_one_case_is_not_filled_under_another(place: Place) -> None:
    """The registers' look-ups would stand in the log under a case that has nothing to do with them."""
    answer = await place[1].send(call(place, case="000.00.01.H24-1", body_case="000.00.01.H24-2"))
    assert answer.error_code == "client.inconsistent_headers"
    files = place[0].files
    assert [each["kind"] for each in read_records(files.state / "motlan.sqlite", files.pki)][-2:] == [
        "request",
        "answer",
    ]


async def test_source_that_answers_no_json_costs_its_own_elements(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, client = place

    async def nonsense(*_: object) -> Reply:
        return Reply(outcome=Outcome.FOUND, status=200, body=Body(b"<html>"))

    route = made.gateway.pipeline.rules.routes[parse_service(INSURANCE)]
    monkeypatch.setattr(route.target, "send", nonsense)
    answer = await client.send(call(place, case="000.00.01.H24-3", body_case="000.00.01.H24-3"))
    assert (answer.status, answer.error_code) == (200, None)
    elements = answer.json()["elements"]
    assert elements["mother.full_name"]["outcome"] == "FOUND"
    assert elements["mother.insurance_number"]["outcome"] == "INVALID_REPLY"


async def test_repeated_prefill_is_decided_and_recorded_source_by_source(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A form kept for a retry would give away what a source's grant no longer allows, and no record would name whose
    data it was.
    """
    made, client = place
    case = "000.00.01.H24-4"
    first = call(place, case=case, body_case=case)
    keyed = structs.replace(first, idempotency_key="form-1")
    assert CITIZEN in sources(await client.send(keyed))
    rules = made.gateway.pipeline.rules
    kept = [each for each in rules.policy.grants if str(each.service) != CITIZEN]
    terms = [ServiceTerms(service=service) for service in rules.routes]
    narrower = structs.replace(rules, policy=PolicySet.compile(kept, terms))
    monkeypatch.setattr(made.gateway.pipeline, "rules", narrower)
    answer = await client.send(keyed)
    assert (answer.status, answer.error_code) == (200, None)
    assert CITIZEN not in sources(answer)
