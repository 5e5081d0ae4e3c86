"""The population adapter against its register on a socket: what is asked, who answers, and every way of misbehaving."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from adapters.breaker import BreakerOptions, State
from adapters.mapped import MappedOptions
from adapters.simulators.misbehave import Mode
from adapters.simulators.population import PopulationSimulator
from gateway.model.instant import from_datetime
from gateway.model.outcomes import Outcome
from tests.support.adapters import Countersigned, ask, canonical, population, recorded
from tests.support.provider_socket import MemorySink
from tests.support.simulators import people

STORY = people().story
PLAIN = STORY.plain
NUMBER = {"identity_number": PLAIN.identity_number}


async def once(request, *, mode=None, path="", seconds=5.0, officer="cb-7", purpose="1.001193", method="POST", **more):
    async with PopulationSimulator(people()) as register:
        if mode is not None:
            register.misbehave(mode)
        made = recorded(request, path=path, officer=officer, purpose=purpose, method=method)
        return await ask(population(register.url, **more), made, seconds=seconds)


@pytest.mark.asyncio
async def test_citizen_is_what_the_register_holds():
    reply = await once({"identity_number": STORY.father.identity_number})
    father = STORY.father
    assert reply.outcome is Outcome.FOUND
    assert (reply.status, reply.fields) == (200, (("Content-Type", "application/json"),))
    canonical("citizen-lookup.response").check(reply.document)
    document = reply.document
    assert document["identity_number"] == father.identity_number
    assert document["name"]["full"] == father.name.full
    assert document["sex"] == father.sex
    assert document["birth_date"] == {"date": father.birth.date, "precision": "day"}
    assert document["marital_status"] == father.marital_status
    assert document["spouse"]["identity_number"] == STORY.mother.identity_number
    assert document["ethnicity"] == {"code": father.ethnicity}
    assert document["nationality"] == {"code": "VN"}
    assert document["hometown"]["detail"] == father.hometown.detail
    midnight = people().today
    as_of = datetime(midnight.year, midnight.month, midnight.day, tzinfo=UTC) - timedelta(hours=7)
    assert reply.source_updated_at == from_datetime(as_of)


@pytest.mark.asyncio
async def test_every_generated_citizen_is_canonical():
    schema = canonical("citizen-lookup.response")
    async with PopulationSimulator(people()) as register:
        target = population(register.url)
        for person in list(people())[:300]:
            request = recorded({"identity_number": person.identity_number})
            reply = await target.send(request, Countersigned(), time.monotonic() + 5)
            if person.in_population:
                schema.check(reply.document)
                assert reply.document["name"]["full"] == person.name.full
            else:
                assert reply.outcome is Outcome.NOT_FOUND
        await target.close()
        assert register.server.connections == 1


@pytest.mark.parametrize(
    ("request_", "outcome", "differing"),
    [
        ({**NUMBER, "full_name": "Đỗ Minh Quân", "birth_date": "1988-08-18"}, Outcome.FOUND, ()),
        ({**NUMBER, "full_name": "DO MINH QUAN", "birth_date": "1988-08"}, Outcome.FOUND, ()),
        ({**NUMBER, "full_name": "đỗ minh quân", "birth_date": "1988"}, Outcome.FOUND, ()),
        ({**NUMBER, "full_name": "Đỗ Minh Quần"}, Outcome.MISMATCH, ("full_name",)),
        ({**NUMBER, "full_name": "Đỗ Minh"}, Outcome.MISMATCH, ("full_name",)),
        ({**NUMBER, "birth_date": "1988-08-19"}, Outcome.MISMATCH, ("birth_date",)),
        ({**NUMBER, "full_name": "Trần Văn B", "birth_date": "1990"}, Outcome.MISMATCH, ("full_name", "birth_date")),
        ({"old_card_number": PLAIN.old_card_number}, Outcome.FOUND, ()),
        ({"old_card_number": "000000000"}, Outcome.NOT_FOUND, ()),
        ({"full_name": "Đỗ Minh Quân", "birth_date": "1988"}, Outcome.FOUND, ()),
        ({"full_name": "Đỗ Minh Quân", "birth_date": "1988-08"}, Outcome.FOUND, ()),
        ({"full_name": "Đỗ Minh Quân", "birth_date": "1988-09"}, Outcome.NOT_FOUND, ()),
        ({"full_name": "Đô Minh Quân", "birth_date": "1988-08-18"}, Outcome.MISMATCH, ("full_name",)),
        ({"full_name": "Nguyễn Văn Nam", "birth_date": "1985-05-05"}, Outcome.AMBIGUOUS, ()),
    ],
)
@pytest.mark.asyncio
async def test_asked_values_are_compared_and_a_difference_is_named_not_shown(request_, outcome, differing):
    reply = await once(request_)
    assert (reply.outcome, reply.differing) == (outcome, differing)
    if outcome is not Outcome.FOUND:
        assert (reply.status, reply.body.size, reply.fields) == (0, 0, ())


@pytest.mark.parametrize(
    ("birth", "outcome"), [("1988-08-18", Outcome.FOUND), ("1988", Outcome.FOUND), ("1988-08-17", Outcome.NOT_FOUND)]
)
@pytest.mark.asyncio
async def test_verification_confirms_or_does_not(birth, outcome):
    asked = {**NUMBER, "full_name": "Đỗ Minh Quân", "birth_date": birth}
    reply = await once(asked, path="/verify")
    assert reply.outcome is outcome
    if outcome is Outcome.FOUND:
        canonical("citizen-lookup.response").check(reply.document)
        assert reply.document["identity_number"] == PLAIN.identity_number


@pytest.mark.asyncio
async def test_relatives_are_a_smaller_citizen():
    reply = await once({"identity_number": STORY.father.identity_number}, path="/relatives")
    canonical("citizen-lookup.response").check(reply.document)
    assert "residence" not in reply.document
    assert reply.document["spouse"]["name"]["full"] == STORY.mother.name.full


@pytest.mark.parametrize(
    ("more", "differing"),
    [
        ({"officer": None}, ("officer",)),
        ({"officer": "x" * 21}, ("officer",)),
        ({"purpose": "1" * 21}, ("purpose",)),
        ({"path": "/other"}, ()),
        ({"method": "GET"}, ()),
        ({"request": {"identity_number": "12"}}, ("identity_number",)),
        ({"request": {"identity_number": "00119000000１"}}, ("identity_number",)),
        ({"request": {"full_name": "A"}}, ("identity_number",)),
        ({"request": {"full_name": "A\0", "birth_date": "1990"}}, ("full_name",)),
        ({"request": {"full_name": "A", "birth_date": "1990-02-31"}}, ("birth_date",)),
        ({"request": {"identity_number": 1}}, ("identity_number",)),
        ({"request": ["x"]}, ("identity_number",)),
        ({"path": "/verify"}, ("full_name", "birth_date")),
    ],
)
@pytest.mark.asyncio
async def test_what_the_register_cannot_take_is_rejected_and_nothing_is_sent(more, differing):
    async with PopulationSimulator(people()) as register:
        request = more.pop("request", NUMBER)
        reply = await ask(population(register.url), recorded(request, **more))
        assert (reply.outcome, reply.differing) == (Outcome.REJECTED, differing)
        assert not register.requests


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
        (Mode.DOCTYPE, Outcome.INVALID_REPLY),
        (Mode.WINDOWS_1258, Outcome.FOUND),
        (Mode.TCVN3, Outcome.FOUND),
        (Mode.JSON_BODY, Outcome.FOUND),
    ],
)
@pytest.mark.asyncio
async def test_every_way_of_misbehaving_has_its_outcome(mode, outcome):
    seconds = 0.2 if mode in {Mode.SLOW, Mode.FREEZE} else 5.0
    reply = await once(NUMBER, mode=mode, seconds=seconds)
    assert reply.outcome is outcome
    assert (reply.body.size > 0) is (outcome is Outcome.FOUND)


@pytest.mark.asyncio
async def test_an_answer_large_enough_to_be_spooled_is_no_citizen_and_leaves_nothing_behind():
    sink = MemorySink()
    reply = await once(NUMBER, mode=Mode.HUGE, body_limit=2**26, open_sink=lambda: sink)
    assert reply.outcome is Outcome.INVALID_REPLY
    assert sink.spool.closed


def test_no_way_of_misbehaving_is_left_out():
    (marks,) = [mark for mark in test_every_way_of_misbehaving_has_its_outcome.pytestmark if mark.name == "parametrize"]
    assert {mode for mode, _ in marks.args[1]} == set(Mode) - PopulationSimulator.UNSUPPORTED


@pytest.mark.parametrize("mode", [Mode.LIE, Mode.OTHER_PERSON, Mode.UNAUTHORIZED_TEXT, Mode.DEEP])
@pytest.mark.asyncio
async def test_verification_is_as_suspicious(mode):
    reply = await once({**NUMBER, "full_name": "Đỗ Minh Quân", "birth_date": "1988"}, path="/verify", mode=mode)
    expected = Outcome.DENIED if mode is Mode.UNAUTHORIZED_TEXT else Outcome.INVALID_REPLY
    assert reply.outcome is expected


@pytest.mark.asyncio
async def test_passing_trouble_is_retried_each_time_under_a_new_signature():
    async with PopulationSimulator(people()) as register:
        register.misbehave(Mode.BAD_GATEWAY, count=2)
        target, sign = population(register.url), Countersigned()
        reply = await target.send(recorded(NUMBER), sign, time.monotonic() + 5)
        await target.close()
        assert (reply.outcome, len(sign.outbound)) == (Outcome.FOUND, 3)


@pytest.mark.asyncio
async def test_breaker_opens_and_answers_at_once_until_a_probe_succeeds():
    breaker = BreakerOptions(minimum_calls=4, open_seconds=0.05, longest_open_seconds=0.05)
    async with PopulationSimulator(people()) as register:
        register.misbehave(Mode.DROP)
        target = population(register.url, breaker=breaker, attempts=1)
        for _ in range(4):
            reply = await target.send(recorded(NUMBER), Countersigned(), time.monotonic() + 5)
        sent = sum(register.requests.values())
        reply = await target.send(recorded(NUMBER), Countersigned(), time.monotonic() + 5)
        assert (reply.outcome, reply.retry_after) == (Outcome.UNAVAILABLE, 1)
        assert sum(register.requests.values()) == sent, "nothing is sent while it is open"
        register.behave()
        while target._provider.state is State.OPEN:
            await ask(population(register.url), recorded(NUMBER))
        reply = await target.send(recorded(NUMBER), Countersigned(), time.monotonic() + 5)
        assert (reply.outcome, target._provider.state) == (Outcome.FOUND, State.CLOSED)
        await target.close()


@pytest.mark.asyncio
async def test_agency_codes_and_integration_codes_come_from_the_options():
    seen = []
    options = MappedOptions(agencies={"H24": "000.00.00.H24"}, integration_codes={"TraCuuThongTinCongDan": "999"})
    async with PopulationSimulator(people()) as register:
        register.watch = seen.append
        await ask(population(register.url, options=options), NUMBER)
    assert b"MaDonVi>000.00.00.H24<" in seen[0].body
    assert b"MaTichHop>999<" in seen[0].body


@pytest.mark.asyncio
async def test_what_is_sent_is_what_was_countersigned():
    seen, sign = [], Countersigned()
    async with PopulationSimulator(people()) as register:
        register.watch = seen.append
        target = population(register.url)
        await target.send(recorded(NUMBER), sign, time.monotonic() + 5)
        await target.close()
    (outbound,) = sign.outbound
    assert (outbound.method, outbound.url, outbound.body.data) == ("POST", register.url, seen[0].body)
    sent = {name.lower(): value for name, value in seen[0].headers}
    assert {name.lower(): value for name, value in outbound.fields}.items() <= sent.items()
    assert sent["signature"] == "gw=:1:"
