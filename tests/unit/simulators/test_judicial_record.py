"""The judicial record register on its socket."""

import pytest

from adapters.simulators import dossiers
from adapters.simulators.judicial_record import STATUS, SUBMIT, JudicialRecordSimulator
from tests.support.agencies import call, declaration
from tests.support.simulators import people

STORY = people().story
PERSON = STORY.plain
pytestmark = pytest.mark.asyncio


async def test_a_request_is_received_then_processed_then_issued():
    asked = declaration(
        PERSON, residenceWSForm=[{"fromDateStr": "2001", "toDateStr": "11/2026", "residencePlace": "Huế"}]
    )
    query = {"idReceivedDec": asked["idReceivedDec"], "infoType": "2"}
    async with JudicialRecordSimulator(people()) as sim:
        status, taken = await call(sim, SUBMIT, asked)
        assert (status, taken["STATUS"]) == (200, 1)
        assert taken["ID"]
        seen = []
        for state in (3, 4, 5):
            sim.move(asked["idReceivedDec"], state)
            _, found = await call(sim, STATUS, query)
            seen.append((found["DEC_STATUS_ID"], found["ISSUE_DATE"]))
    assert seen == [(3, ""), (4, ""), (5, "01/11/2026")]


async def test_the_generated_people_have_dossiers_in_every_state():
    async with JudicialRecordSimulator(people()) as sim:
        states = [
            (await call(sim, STATUS, {"idReceivedDec": dossiers.code_of(people()[n]), "infoType": "2"}))[1]
            for n in range(3)
        ]
    assert [one["DEC_STATUS_ID"] for one in states] == [3, 4, 5]
    assert [one["DEC_STATUS_NAME"] for one in states] == ["STP đã tiếp nhận", "Đang xử lý", "Đã có phiếu"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"idMinistryJustice": "STP31"}, 106),
        ({"dateReceivedDec": "2026-11-01"}, 500),
        ({"idReceivedDec": dossiers.code_of(PERSON)}, 500),
        ({"declarationWSForm": []}, 500),
        ({"form": {"genderId": 2}}, 500),
        ({"form": {"genderId": "1"}}, 500),
        ({"form": {"phone": "0912345678"}}, 500),
        ({"form": {"fullName": ""}}, 500),
        ({"form": {"identifyNo": "031099999999"}}, 500),
        ({"residenceWSForm": [{"fromDateStr": "2001"}]}, 500),
    ],
)
async def test_what_is_not_a_declaration_is_refused(changes, code):
    async with JudicialRecordSimulator(people()) as sim:
        status, refused = await call(sim, SUBMIT, declaration(PERSON, **changes))
        assert not sim.cases
    assert (status, refused["STATUS"]) == (200, code)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"idReceivedDec": "000.00.15.H24-261001-9999", "infoType": "2"}, 201),
        ({"idReceivedDec": dossiers.code_of(PERSON), "infoType": "1"}, 302),
        ({"infoType": "2"}, 500),
    ],
)
async def test_bad_queries(query, code):
    async with JudicialRecordSimulator(people()) as sim:
        assert (await call(sim, STATUS, query))[1]["STATUS"] == code
