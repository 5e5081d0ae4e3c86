"""Each way in which the five JSON systems can go wrong, seen from the outside."""

import json

import aiohttp
import pytest
import pytest_asyncio

from adapters.simulators import business_register_companies as companies
from adapters.simulators import dossiers
from adapters.simulators.business_register import BusinessRegisterSimulator
from adapters.simulators.civil_status import CivilStatusSimulator, registered
from adapters.simulators.json_system import RefusedError
from adapters.simulators.judicial_record import JudicialRecordSimulator
from adapters.simulators.lgsp import LgspSimulator
from adapters.simulators.misbehave import LEVELS, Mode
from adapters.simulators.public_service_portal import PublicServicePortalSimulator
from tests.support.agencies import call, fetch
from tests.support.simulators import people, post

STORY = people().story
PERSON = STORY.father
REGISTERED = registered(people()[60])
"""Done, so that there is a result too."""
pytestmark = pytest.mark.asyncio

ASKED = {
    "civil status": ("traTrangThaiHoSo", {"maDonVi": REGISTERED.unit, "maHoSo": REGISTERED.code}),
    "judicial record": ("traTrangThaiHs", {"idReceivedDec": dossiers.code_of(PERSON), "infoType": "2"}),
    "lgsp": (
        "traCuuThongTinCongDan",
        {"maYeuCau": "1", "maThuTuc": "1", "maCanBo": "1", "soDinhDanh": PERSON.identity_number},
    ),
    "portal": ("g", {"service": "TraCuuHoSo", "madonvi": "H24", "mahoso": dossiers.code_of(PERSON)}),
}


def _made(name):
    if name == "portal":
        sim = PublicServicePortalSimulator(people())
        sim.sessions["s"] = ("H24", 1e18)
        return sim
    systems = {"civil status": CivilStatusSimulator, "judicial record": JudicialRecordSimulator, "lgsp": LgspSimulator}
    return systems[name](people()) if name in systems else BusinessRegisterSimulator(people())


@pytest_asyncio.fixture(params=["civil status", "business register", "judicial record", "lgsp", "portal"])
async def system(request):
    async with _made(request.param) as sim:
        operation, asked = ASKED.get(request.param, ("chiTietDoanhNghiep", {}))
        if request.param == "portal":
            asked = {"session": "s", **asked}
        number = companies.company_of(PERSON, people()).number

        async def ask():
            if request.param == "business register":
                return await fetch(sim, operation, {"msdn": number})
            return await call(sim, operation, asked)

        async def raw():
            if request.param == "business register":
                return await _get(f"{sim.url}/{operation}?msdn={number}")
            return (await post(f"{sim.url}/{operation}", json.dumps(asked).encode()))[2]

        yield sim, ask, raw


async def _get(url):
    async with aiohttp.ClientSession() as session, session.get(url) as got:
        return await got.read()


async def test_another_is_answered_for(system):
    sim, ask, _ = system
    right = await ask()
    sim.misbehave("other-person", count=1)
    other = await ask()
    assert other[0] == 200
    assert {**other[1], "correlationId": ""} != {**right[1], "correlationId": ""}


async def test_lies_are_json_that_says_yes(system):
    sim, ask, _ = system
    right = await ask()
    sim.misbehave("lie", count=1)
    status, lie = await ask()
    assert status == 200
    assert lie != right[1]
    assert not {"maLoi", "error"} & {key for key, value in lie.items() if value}


@pytest.mark.parametrize(
    ("mode", "shows"),
    [
        ("deep", lambda body: body.count(b"[") >= LEVELS),
        ("nan", lambda body: b"NaN" in body),
        ("huge-number", lambda body: b"1e400" in body),
        ("lone-surrogate", lambda body: b"\\ud800" in body),
        ("huge", lambda body: len(body) > 8 * 2**20),
        ("unauthorized-text", lambda body: body == b"Unauthorized"),
    ],
)
async def test_bodies_that_nobody_may_take_for_an_answer(system, mode, shows):
    sim, _, raw = system
    sim.misbehave(mode, count=1)
    assert shows(await raw())


async def test_a_key_comes_twice(system):
    sim, _, raw = system
    sim.misbehave("duplicate-keys", count=1)
    body = await raw()
    pairs = json.loads(body, object_pairs_hook=list)
    names = [name for name, _ in pairs]
    assert len(names) == len(set(names)) + 1


async def test_every_mode_is_shown_or_refused(system):
    sim, _, _ = system
    for mode in Mode:
        if mode in sim.UNSUPPORTED:
            with pytest.raises(ValueError):
                sim.misbehave(mode)
        else:
            sim.misbehave(mode, count=1)


async def test_a_refusal_stays_one_in_every_mood(system):
    sim, ask, _ = system
    sim.out_of_order = RefusedError("500", "DATA_INCORRECT")
    right = await ask()
    for mode in (Mode.LIE, Mode.OTHER_PERSON, Mode.NAN, Mode.DEEP, Mode.TCVN3):
        sim.misbehave(mode, count=1)
        status, refused = await ask()
        assert (status, {**refused, "correlationId": ""}) == (200, {**right[1], "correlationId": ""})
