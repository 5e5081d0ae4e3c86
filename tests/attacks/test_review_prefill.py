"""A form is filled for the case that the log names, and a source that answers nonsense spoils its own elements only."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from adapters.simulators.parties import PORTAL
from adapters.simulators.portal import BIRTH, INSURANCE
from gateway.client import Call, Client
from gateway.model.ids import parse_service
from gateway.model.message import Body
from gateway.model.outcomes import Outcome
from gateway.model.stages import Reply
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
