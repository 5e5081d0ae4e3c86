"""The quirks of the population database (domain notes, Q01 to Q17), each against the simulator on a socket."""

import json
import unicodedata

import pytest
from lxml import etree

from adapters.canonical.reading import decoders
from adapters.credentials import OAuth, SignedBasic, TokenSource
from adapters.provider_auth import PlatformKeys, TimestampUnit
from adapters.rest.http1 import Client, ClientOptions, split_url
from adapters.simulators import charsets, population_xml
from adapters.simulators.access import HashedBasic, LgspToken
from adapters.simulators.misbehave import Mode
from adapters.simulators.population import LOOK_UP, PopulationSimulator
from gateway.model.instant import from_seconds
from gateway.model.outcomes import Outcome
from tests.support.adapters import RECORD, Known, ask, canonical, mapping_file, population
from tests.support.simulators import NS, people

STORY = people().story
NOW = 1_795_316_400.123


def by_number(person):
    return {"identity_number": person.identity_number}


def by_name(person):
    return {"full_name": person.name.full, "birth_date": person.birth.date}


async def look_up(request, *, simulator=None, misbehave=None, path="", seconds=5.0, **more):
    """The reply to one look-up of the story's people; ``simulator``: options of it."""
    async with PopulationSimulator(people(), **(simulator or {})) as register:
        if misbehave:
            register.misbehave(misbehave)
        return await ask(population(register.url, **more), request, path=path, seconds=seconds)


def is_canonical(reply):
    canonical("citizen-lookup.response").check(reply.document)
    assert json.loads(reply.body.data) == reply.document


@pytest.mark.asyncio
async def test_q01_elements_go_in_the_order_of_the_schema():
    seen = []
    async with PopulationSimulator(people()) as register:
        register.watch = seen.append
        reply = await ask(population(register.url), by_name(STORY.plain))
    assert reply.outcome is Outcome.FOUND
    order = [etree.QName(child).localname for child in etree.fromstring(seen[0].body).find("s:Body/*", NS)]
    assert order == ["MaYeuCau", "MaDVC", "MaTichHop", "MaDonVi", "MaCanBo", "HoVaTen", "NgayThangNamSinh"]
    triple = [each.text for each in etree.fromstring(seen[0].body).find("s:Body/*", NS)][:5]
    assert triple == [RECORD, "1.001193", "037", "H24", "cb-7"]


@pytest.mark.asyncio
async def test_q02_whole_name_in_ten_has_no_parts():
    person = STORY.quirky["Q02"]
    reply = await look_up(by_number(person))
    assert reply.document["name"] == {"full": person.name.full}
    other = await look_up(by_number(STORY.plain))
    assert other.document["name"] == {"full": "Đỗ Minh Quân", "family": "Đỗ", "middle": "Minh", "given": "Quân"}
    is_canonical(reply)


@pytest.mark.parametrize("quirks", [frozenset(), frozenset({"Q03"})], ids=["text", "structure"])
@pytest.mark.asyncio
async def test_q03_relatives_names_as_text_and_as_structure(quirks):
    child = next(one for one in people() if one.father and one.mother and one.in_population and "Q03" not in one.quirks)
    for path in ("", "/relatives"):
        reply = await look_up(by_number(child), simulator={"quirks": quirks}, path=path)
        assert reply.document["father"]["name"]["full"] == child.father.name.full
        assert ("family" in reply.document["father"]["name"]) is (bool(quirks) and child.father.name.family is not None)
        assert reply.document["household_head"]["relationship"] == {"code": child.household_relation}
        is_canonical(reply)


@pytest.mark.asyncio
async def test_q04_names_are_asked_for_without_marks_in_upper_case():
    seen = []
    async with PopulationSimulator(people()) as register:
        register.watch = seen.append
        reply = await ask(population(register.url), {"full_name": "đỗ  minh quân", "birth_date": "1988-08-18"})
    assert reply.outcome is Outcome.FOUND
    assert etree.fromstring(seen[0].body).findtext(f"s:Body/r:{LOOK_UP}/r:HoVaTen", None, NS) == "DO MINH QUAN"


@pytest.mark.parametrize("quirks", [frozenset(), frozenset({"Q05"})], ids=["yyyyMMdd", "yyyy-MM-dd"])
@pytest.mark.asyncio
async def test_q05_dates_with_and_without_hyphens(quirks):
    reply = await look_up(by_number(STORY.plain), simulator={"quirks": quirks})
    assert reply.document["birth_date"] == {"date": "1988-08-18", "precision": "day"}


@pytest.mark.asyncio
async def test_q06_year_alone_stays_a_year():
    person = STORY.quirky["Q06"]
    reply = await look_up(by_number(person))
    assert reply.document["birth_date"] == {"date": person.birth.date[:4], "precision": "year"}
    assert (await look_up(by_name(person))).outcome is Outcome.FOUND
    is_canonical(reply)


@pytest.mark.parametrize(
    "request_", [{"identity_number": "001190000000"}, by_number(STORY.absent), by_name(STORY.absent)]
)
@pytest.mark.asyncio
async def test_q07_no_citizen_in_a_200_is_not_found(request_):
    reply = await look_up(request_)
    assert (reply.outcome, reply.status, reply.body.size) == (Outcome.NOT_FOUND, 0, 0)


@pytest.mark.parametrize("path", ["", "/verify", "/relatives"])
@pytest.mark.parametrize(("code", "kind"), [("004", "refused_procedures"), ("005", "refused_officers")])
@pytest.mark.asyncio
async def test_q08_error_code_in_a_200_is_denied(code, kind, path):
    async with PopulationSimulator(people()) as register:
        getattr(register, kind).update({"1.001193", "cb-7"})
        reply = await ask(population(register.url), {**by_number(STORY.plain), **by_name(STORY.plain)}, path=path)
    assert (reply.outcome, reply.provider_code, reply.body.size) == (Outcome.DENIED, code, 0)


@pytest.mark.parametrize(("unit", "wanted"), [(TimestampUnit.SECONDS, "s"), (TimestampUnit.MILLISECONDS, "ms")])
@pytest.mark.asyncio
async def test_q09_hashed_basic_with_either_timestamp(unit, wanted):
    access = HashedBasic(user="motlan", secret="s3cret", unit=wanted, clock=lambda: NOW)
    credentials = SignedBasic("motlan", Known("s3cret"), unit, lambda: from_seconds(NOW))
    reply = await look_up(by_number(STORY.plain), simulator={"access": access}, credentials=credentials)
    assert reply.outcome is Outcome.FOUND
    wrong = SignedBasic("motlan", Known("other"), unit, lambda: from_seconds(NOW))
    reply = await look_up(by_number(STORY.plain), simulator={"access": access}, credentials=wrong)
    assert reply.outcome is Outcome.DENIED


@pytest.mark.asyncio
async def test_q10_platform_token_beside_a_bearer_that_is_renewed():
    access = LgspToken(access_key="ak", secret_key="sk", app_name="motlan", partner_code="H24", tokens={})
    async with PopulationSimulator(people(), access=access) as register:
        origin, _ = split_url(register.root)
        fetching = Client(ClientOptions())
        credentials = OAuth(
            TokenSource(origin=origin, path="/token", client_id="motlan"),
            Known("oauth"),
            fetching,
            platform=(PlatformKeys(access_key="ak", app_name="motlan", partner_code="H24"), Known("sk")),
        )
        target = population(register.url, credentials=credentials)
        first = await ask(target, by_number(STORY.plain))
        again = await ask(population(register.url, credentials=credentials), by_number(STORY.plain))
        assert register.requests["token"] == 1
        access.revoke()
        revoked = await ask(population(register.url, credentials=credentials), by_number(STORY.plain))
        await fetching.close()
        assert [each.outcome for each in (first, again, revoked)] == [Outcome.FOUND] * 3
        assert register.requests["token"] == 2


@pytest.mark.asyncio
async def test_q11_plain_unauthorized_is_denied():
    assert (await look_up(by_number(STORY.plain), misbehave=Mode.UNAUTHORIZED_TEXT)).outcome is Outcome.DENIED
    access = HashedBasic(user="x", secret="y")
    assert (await look_up(by_number(STORY.plain), simulator={"access": access})).outcome is Outcome.DENIED


@pytest.mark.parametrize(
    ("mode", "code"),
    [(Mode.FREEZE, "timeout"), (Mode.BAD_GATEWAY, None), (Mode.DROP, None)],
    ids=str,
)
@pytest.mark.asyncio
async def test_q12_freezing_and_502_are_unavailable_never_not_found(mode, code):
    reply = await look_up(by_number(STORY.absent), misbehave=mode, seconds=0.2)
    assert (reply.outcome, reply.provider_code) == (Outcome.UNAVAILABLE, code)


@pytest.mark.asyncio
async def test_q13_json_inside_the_body_element():
    right = await look_up(by_number(STORY.father))
    reply = await look_up(by_number(STORY.father), misbehave=Mode.JSON_BODY)
    assert reply.document == right.document
    assert (await look_up(by_number(STORY.absent), misbehave=Mode.JSON_BODY)).outcome is Outcome.NOT_FOUND
    assert (await look_up(by_name(STORY.namesakes[0]), misbehave=Mode.JSON_BODY)).outcome is Outcome.AMBIGUOUS


@pytest.mark.asyncio
async def test_q14_district_there_empty_or_gone():
    old = (await look_up(by_number(STORY.mother))).document["residence"]
    assert old["district"] == {"code": STORY.mother.residence.district, "code_list": "2004-07-08"}
    assert old["commune"]["code_list"] == "2004-07-08"
    for quirks in (frozenset(), frozenset({"Q14"})):
        reply = await look_up(by_number(STORY.plain), simulator={"quirks": quirks})
        residence = STORY.plain.residence
        assert reply.document["residence"] == {
            "province": {"code": residence.province},
            "commune": {"code": residence.commune},
            "detail": residence.detail,
            "country": "VN",
        }
        is_canonical(reply)


@pytest.mark.asyncio
async def test_q15_several_citizens_are_ambiguous():
    reply = await look_up(by_name(STORY.namesakes[0]))
    assert (reply.outcome, reply.status, reply.body.size) == (Outcome.AMBIGUOUS, 0, 0)
    assert (await look_up(by_number(STORY.namesakes[1]))).outcome is Outcome.FOUND


@pytest.mark.asyncio
async def test_q16_codes_outside_their_lists_are_unlisted():
    reply = await look_up(by_number(STORY.quirky["Q16"]))
    unlisted = {key: reply.document[key] for key in ("sex", "marital_status", "blood_group")}
    assert set(unlisted.values()) == {"unlisted"}
    is_canonical(reply)


@pytest.mark.parametrize("mode", [None, Mode.WINDOWS_1258, Mode.TCVN3])
@pytest.mark.asyncio
async def test_q17_text_not_in_nfc_and_old_code_pages_under_a_utf8_header(mode):
    person = STORY.quirky["Q17"]
    reply = await look_up(by_number(person), misbehave=mode)
    assert reply.outcome is Outcome.FOUND
    full = reply.document["name"]["full"]
    assert unicodedata.is_normalized("NFC", full)
    assert full.casefold() == person.name.full.casefold()  # TCVN3 has no capitals with tones
    assert reply.document["residence"]["detail"].casefold() == person.residence.detail.casefold()
    is_canonical(reply)


@pytest.mark.parametrize("mode", [Mode.WINDOWS_1258, Mode.TCVN3])
@pytest.mark.asyncio
async def test_q17_a_code_page_that_the_mapping_does_not_declare_is_an_invalid_reply(mode):
    reply = await look_up(by_number(STORY.plain), misbehave=mode, charsets=())
    assert reply.outcome is Outcome.INVALID_REPLY


@pytest.mark.parametrize("mode", [Mode.WINDOWS_1258, Mode.TCVN3])
def test_q17_the_two_code_pages_are_told_apart_for_every_citizen(mode):
    read = decoders(mapping_file("population.toml").document.contract.charsets)
    encode = charsets.windows_1258 if mode is Mode.WINDOWS_1258 else charsets.tcvn3
    foreigners = 0
    for person in list(people())[:400]:
        text = unicodedata.normalize("NFC", population_xml.citizen(person))
        try:
            octets = encode(text)
        except UnicodeEncodeError:
            continue
        got = _first(read, octets)
        foreigners += got is None
        assert got is None or got.casefold() == text.casefold(), "refused rather than wrong"
    assert foreigners <= 3


def _first(decoders, octets):
    for decode in decoders:
        try:
            return decode(octets)
        except ValueError:
            continue
    return None
