"""Each way in which a simulated system can go wrong, seen from the outside."""

import asyncio
import json

import aiohttp
import pytest
import pytest_asyncio
from lxml import etree

from adapters.simulators.backend import Backend
from adapters.simulators.insurance import BY_NUMBER, InsuranceSimulator
from adapters.simulators.misbehave import LEVELS, Mode
from adapters.simulators.population import PopulationSimulator
from tests.support.simulators import citizens, people, post, soap_request, text

STORY = people().story
ASKED = STORY.plain
SOAP = soap_request(SoDinhDanh=ASKED.identity_number)
JSON = json.dumps({"soDinhDanh": ASKED.identity_number}).encode()
pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture(params=["population", "insurance"])
async def system(request):
    if request.param == "population":
        sim, path, body = PopulationSimulator(people()), "", SOAP
    else:
        sim, path, body = InsuranceSimulator(people()), "/" + BY_NUMBER, JSON
    async with sim:

        async def ask(**more):
            return await post(sim.url + path, body, **more)

        yield sim, ask


async def test_it_goes_wrong_so_often_and_then_is_well(system):
    sim, ask = system
    right = await ask()
    sim.misbehave(Mode.BAD_GATEWAY, count=2)
    assert [(await ask())[0] for _ in range(2)] == [502, 502]
    assert await ask() == right
    sim.misbehave("502")
    assert [(await ask())[0] for _ in range(3)] == [502] * 3
    sim.behave()
    assert await ask() == right
    assert sim.requests.total() == 8
    assert sim.answers["502"] == 5


async def test_slow_gives_the_right_answer_later(system):
    sim, ask = system
    right = await ask()
    sim.misbehave("slow", seconds=0.05)
    loop = asyncio.get_running_loop()
    before = loop.time()
    assert await ask() == right
    assert loop.time() - before >= 0.05


async def test_freeze_never_answers(system):
    sim, ask = system
    sim.misbehave("freeze")
    with pytest.raises(asyncio.TimeoutError):
        await ask(within=0.05)


async def test_half_an_answer_breaks_off(system):
    sim, ask = system
    sim.misbehave("half")
    with pytest.raises(aiohttp.ClientPayloadError):
        await ask()


async def test_drop_answers_nothing(system):
    sim, ask = system
    sim.misbehave("drop")
    with pytest.raises((aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)):
        await ask()
    assert sim.requests.total() >= 1


async def test_unauthorized_is_text_under_the_documents_type(system):
    sim, ask = system
    _, kind, _ = await ask()
    sim.misbehave("unauthorized-text")
    assert await ask() == (200, kind, b"Unauthorized")


async def test_huge_is_as_large_as_was_said(system):
    sim, ask = system
    sim.misbehave("huge", megabytes=3)
    status, _, body = await ask()
    assert status == 200
    assert 3 * 2**20 < len(body) < 3 * 2**20 + 1_000
    assert body.rstrip()[-1:] in b">}"


async def test_old_code_pages_come_under_a_utf8_header(system):
    sim, ask = system
    for mode in ("windows-1258", "tcvn3"):
        sim.misbehave(mode)
        _, kind, body = await ask()
        assert "charset=utf-8" in kind
        with pytest.raises(UnicodeDecodeError):
            body.decode()


async def test_another_person_is_answered_for():
    async with PopulationSimulator(people()) as sim:
        sim.misbehave("other-person")
        _, _, body = await post(sim.url, SOAP)
    (found,) = citizens(body)
    assert text(found, "SoDinhDanh") != ASKED.identity_number
    assert people().by_number(text(found, "SoDinhDanh")) is not None
    async with InsuranceSimulator(people()) as sim:
        sim.misbehave("other-person")
        _, _, body = await post(f"{sim.url}/{BY_NUMBER}", JSON)
    found = json.loads(body)["soDinhDanh"]
    assert found != ASKED.identity_number
    assert people().by_number(found) is not None


async def test_xml_bombs_are_what_they_say():
    async with PopulationSimulator(people()) as sim:
        sim.misbehave("doctype")
        _, _, bomb = await post(sim.url, SOAP)
        sim.misbehave("deep")
        _, _, deep = await post(sim.url, SOAP)
        sim.misbehave("lie")
        _, _, lie = await post(sim.url, SOAP)
    assert bomb.count(b"<!ENTITY") == 10
    with pytest.raises(etree.XMLSyntaxError):
        etree.fromstring(bomb, etree.XMLParser(resolve_entities=True))
    assert deep.count(b"<a>") == LEVELS
    assert len(citizens(lie)) == 1


@pytest.mark.parametrize(
    ("mode", "shows"),
    [
        ("deep", lambda body: body.count(b"[") == LEVELS),
        ("duplicate-keys", lambda body: body.count(b'"maSoBhxh"') == 2),
        ("nan", lambda body: b"NaN" in body),
        ("huge-number", lambda body: b"1e400" in body),
        ("lone-surrogate", lambda body: b"\\ud800" in body),
        ("lie", lambda body: isinstance(json.loads(body)["maSoBhxh"], dict)),
    ],
)
async def test_json_that_nobody_may_take_for_an_answer(mode, shows):
    async with InsuranceSimulator(people()) as sim:
        sim.misbehave(mode)
        status, kind, body = await post(f"{sim.url}/{BY_NUMBER}", JSON)
    assert (status, kind) == (200, "application/json; charset=utf-8")
    assert shows(body)


@pytest.mark.parametrize("make", [lambda: PopulationSimulator(people()), lambda: InsuranceSimulator(people()), Backend])
async def test_every_mode_is_shown_or_refused(make):
    async with make() as sim:
        for mode in Mode:
            if mode in sim.UNSUPPORTED:
                with pytest.raises(ValueError):
                    sim.misbehave(mode)
            else:
                sim.misbehave(mode, count=1)
    with pytest.raises(ValueError):
        sim.misbehave("sulk")


async def test_a_bad_request_is_refused_in_every_mood(system):
    sim, _ = system
    for mode in set(Mode) - sim.UNSUPPORTED - {Mode.FREEZE, Mode.DROP, Mode.SLOW, Mode.HALF}:
        sim.misbehave(mode)
        status, _, _ = await post(sim.url + "/" + BY_NUMBER if sim.PATH == "/apiBHXH" else sim.url, b"?")
        assert status in {400, 500, 502} or mode is Mode.UNAUTHORIZED_TEXT
