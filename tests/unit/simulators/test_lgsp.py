"""A provincial platform on its socket: token and bearer, wrapper, error codes, citizens as a converter writes them."""

import base64
import json

import aiohttp
import pytest

from adapters.simulators.access import LgspToken
from adapters.simulators.lgsp import LOOK_UP, LgspSimulator
from tests.support.agencies import call
from tests.support.simulators import people

STORY = people().story
TRIPLE = {"maYeuCau": "yc-1", "maThuTuc": "1.001193", "maDonVi": "H24.11", "maCanBo": "cb-7"}
KEYS = {"AccessKey": "ak", "SecretKey": "sk", "AppName": "motlan", "PartnerCode": "000.00.00.H24"}
pytestmark = pytest.mark.asyncio


def token():
    return LgspToken(access_key="ak", secret_key="sk", app_name="motlan", partner_code="000.00.00.H24", tokens={})


async def _look_up(asked, **options):
    async with LgspSimulator(people(), **options) as sim:
        return await call(sim, LOOK_UP, {**TRIPLE, **asked})


async def test_the_wrapper_holds_a_citizen_that_was_xml():
    status, found = await _look_up({"soDinhDanh": STORY.father.identity_number})
    assert (status, found["code"], found["status"]) == (200, "0", "success")
    assert len(found["correlationId"]) == 36
    citizen = found["response"]["CongdanCollection"]["CongDan"]
    assert citizen["HoVaTen"] == {"Ho": "Phạm", "ChuDem": "Đình", "Ten": "Trung"}
    assert citizen["VoChong"]["SoDinhDanh"] == STORY.mother.identity_number
    assert citizen["SoSoHoKhau"] is None


async def test_the_code_is_a_number_here_and_text_there():
    _, found = await _look_up({"soDinhDanh": STORY.mother.identity_number})
    assert found["code"] == 0


async def test_two_citizens_are_a_list():
    one = STORY.namesakes[0]
    _, found = await _look_up({"hoVaTen": "NGUYEN VAN NAM", "ngaySinh": one.birth.date})
    numbers = {each["SoDinhDanh"] for each in found["response"]["CongdanCollection"]["CongDan"]}
    assert numbers == {person.identity_number for person in STORY.namesakes}


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"soDinhDanh": "031099999999"}, "201"),
        ({"soDinhDanh": STORY.absent.identity_number}, "201"),
        ({"soDinhDanh": STORY.father.identity_number, "hoVaTen": "AI DO"}, "201"),
        ({"soDinhDanh": STORY.mother.identity_number, "maDonVi": "H99"}, "106"),
        ({"soDinhDanh": STORY.plain.identity_number}, "200"),
        ({"soDinhDanh": STORY.father.identity_number, "maCanBo": ""}, "302"),
        ({"hoVaTen": "AI DO"}, "302"),
        ({"hoVaTen": "AI DO", "ngaySinh": "hôm qua"}, "302"),
    ],
)
async def test_errors_are_codes_in_a_200(asked, code):
    async with LgspSimulator(people(), agencies=frozenset({"H24.11"})) as sim:
        sim.incomplete.add(STORY.plain.identity_number)
        status, found = await call(sim, LOOK_UP, {**TRIPLE, **asked})
    assert (status, found["code"], found["status"]) == (200, code, "error")
    assert set(found["response"]) == {"message"}


async def test_it_wants_the_access_token_and_a_bearer():
    asked = {**TRIPLE, "soDinhDanh": STORY.father.identity_number}
    named = {"lgspaccesstoken": base64.b64encode(json.dumps(KEYS).encode()).decode()}
    async with LgspSimulator(people(), access=token()) as sim:
        status, refused = await call(sim, LOOK_UP, asked)
        assert (status, refused["code"]) == (401, "100")
        async with aiohttp.ClientSession() as session, session.post(sim.root + "/token", headers=named) as got:
            bearer = (await got.json())["access_token"]
        status, _ = await call(sim, LOOK_UP, asked, Authorization=f"Bearer {bearer}", **named)
        assert status == 200
