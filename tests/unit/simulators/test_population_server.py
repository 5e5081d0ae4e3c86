"""The population database on its socket: a stock SOAP client gets a person, and every quirk of the field shows."""

import asyncio
import base64
import hashlib
import json
import unicodedata

import aiohttp
import pytest
import zeep
from lxml import etree

from adapters.simulators.access import HashedBasic, LgspToken
from adapters.simulators.assets import schemas
from adapters.simulators.people import unaccented
from adapters.simulators.population import RELATIVES, VERIFY, PopulationSimulator
from adapters.simulators.population_xml import ENVELOPE
from adapters.simulators.wire import Received
from tests.support.simulators import NS, TRIPLE, citizens, people, post, soap_request, text

STORY = people().story
pytestmark = pytest.mark.asyncio


async def _citizen(person, **simulator):
    async with PopulationSimulator(people(), **simulator) as sim:
        status, kind, body = await post(sim.url, soap_request(SoDinhDanh=person.identity_number))
    assert (status, kind) == (200, "text/xml; charset=utf-8")
    (found,) = citizens(body)
    return found


async def test_a_stock_zeep_client_gets_a_person():
    async with PopulationSimulator(people()) as sim:
        client = await asyncio.to_thread(zeep.Client, sim.url + "?wsdl")
        person = STORY.father
        call = client.service.TraCuuThongTinCongDan
        answer = await asyncio.to_thread(call, **TRIPLE, SoDinhDanh=person.identity_number)
    (found,) = answer.CongDan
    assert found.SoDinhDanh == person.identity_number
    assert (found.HoVaTen.Ho, found.HoVaTen.ChuDem, found.HoVaTen.Ten) == ("Phạm", "Đình", "Trung")
    assert found.NgayThangNamSinh.NgayThangNam == "19930814"
    assert found.ThuongTru.MaTinhThanh == "31"
    assert found.VoChong.SoDinhDanh == STORY.mother.identity_number
    assert found.VoChong.HoVaTen == "Hoàng Thị Thuỳ Linh"
    assert answer.ThoiDiemDuLieu == "20261101000000"


async def test_a_stock_zeep_client_verifies_and_asks_for_relatives():
    person = STORY.mother
    about = {**TRIPLE, "SoDinhDanh": person.identity_number, "HoVaTen": unaccented(person.name.full)}
    async with PopulationSimulator(people()) as sim:
        client = await asyncio.to_thread(zeep.Client, sim.url + "?wsdl")
        verify = client.service.XacThucThongTinCongDan
        right = await asyncio.to_thread(verify, **about, NgayThangNamSinh={"Nam": "1995"})
        wrong = await asyncio.to_thread(verify, **about, NgayThangNamSinh={"NgayThangNam": "1995-03-03"})
        relatives = await asyncio.to_thread(client.service.XacMinhThongTinNhanThan, **about)
    assert (right.TonTai, wrong.TonTai) == (True, False)
    (found,) = relatives.CongDan
    assert found.VoChong.SoDinhDanh == STORY.father.identity_number
    assert found.ThuongTru is None


async def test_every_answer_follows_the_published_schema():
    schema = etree.XMLSchema(file=str(schemas() / "xsd" / "population-answer.xsd"))
    async with PopulationSimulator(people()) as sim:
        for index in range(200):
            person = people()[index]
            answer = sim.answer(Received("POST", sim.PATH, (), soap_request(SoDinhDanh=person.identity_number)))
            schema.assertValid(etree.fromstring(answer.body).find("s:Body/a:CongdanCollection", NS))


async def test_an_old_card_number_finds_the_same_person():
    async with PopulationSimulator(people()) as sim:
        _, _, body = await post(sim.url, soap_request(SoCMND=STORY.plain.old_card_number))
    assert text(citizens(body)[0], "SoDinhDanh") == STORY.plain.identity_number


async def test_shows_q01_elements_out_of_order_are_a_fault():
    order = ("MaDVC", "MaYeuCau", "MaTichHop", "MaDonVi", "MaCanBo", "SoDinhDanh")
    request = soap_request(order=order, SoDinhDanh=STORY.plain.identity_number)
    async with PopulationSimulator(people()) as sim:
        status, _, body = await post(sim.url, request)
    assert status == 500
    assert etree.fromstring(body).findtext("s:Body/s:Fault/faultcode", None, NS) == "soapenv:Client"


async def test_shows_q02_the_whole_name_in_ten():
    found = await _citizen(STORY.quirky["Q02"])
    assert [text(found, f"HoVaTen/{part}") for part in ("Ho", "ChuDem", "Ten")] == ["", "", "Ngô Bá Khải"]


@pytest.mark.parametrize("who", ["man of the Ê Đê", "woman of the Ê Đê", "one word", "foreigner"])
async def test_shows_q02_for_names_that_do_not_divide(who):
    person = STORY.others[who]
    found = await _citizen(person)
    assert text(found, "HoVaTen/Ten") == person.name.full
    assert text(found, "HoVaTen/Ho") == ""


async def test_shows_q03_relatives_as_text_or_as_structure():
    structured = await _citizen(STORY.quirky["Q03"])
    plain = await _citizen(STORY.father)
    assert [text(structured, f"Cha/HoVaTen/{part}") for part in ("Ho", "ChuDem", "Ten")] == ["Lê", "Quang", "Vinh"]
    assert text(plain, "Cha/HoVaTen") == "Phạm Văn Định"
    assert text(await _citizen(STORY.father, quirks=frozenset({"Q03"})), "Cha/HoVaTen/Ten") == "Định"


async def test_shows_q04_the_name_must_be_unaccented_and_upper_case():
    person = STORY.plain
    async with PopulationSimulator(people()) as sim:
        found = {}
        for name in (person.name.full, "Do Minh Quan", "ĐỖ MINH QUÂN", "DO MINH QUAN"):
            _, _, body = await post(sim.url, soap_request(SoDinhDanh=person.identity_number, HoVaTen=name))
            found[name] = len(citizens(body))
    assert found == {person.name.full: 0, "Do Minh Quan": 0, "ĐỖ MINH QUÂN": 0, "DO MINH QUAN": 1}


async def test_shows_q05_dates_with_and_without_dashes():
    assert text(await _citizen(STORY.quirky["Q05"]), "NgayThangNamSinh/NgayThangNam") == "1979-12-24"
    assert text(await _citizen(STORY.plain), "NgayThangNamSinh/NgayThangNam") == "19880818"
    month = await _citizen(STORY.others["year and month"])
    assert text(month, "NgayThangNamSinh/NgayThangNam") == "195804"


async def test_shows_q06_the_year_alone():
    found = await _citizen(STORY.quirky["Q06"])
    assert text(found, "NgayThangNamSinh/Nam") == "1944"
    assert text(found, "NgayThangNamSinh/NgayThangNam") is None


@pytest.mark.parametrize(
    "fields",
    [
        {"SoDinhDanh": "031099999999"},
        {"SoDinhDanh": STORY.absent.identity_number},
        {"SoDinhDanh": STORY.plain.identity_number, "birth": "1988-08-19"},
        {"HoVaTen": "KHONG AI CA", "birth": "19900101"},
    ],
)
async def test_shows_q07_not_found_is_a_200_without_anybody(fields):
    async with PopulationSimulator(people()) as sim:
        status, _, body = await post(sim.url, soap_request(**fields))
    assert status == 200
    assert etree.fromstring(body).find("s:Body/a:CongdanCollection", NS) is not None
    assert citizens(body) == []


@pytest.mark.parametrize(("what", "value", "code"), [("MaDVC", "9.9", "004"), ("MaCanBo", "cb-666", "005")])
async def test_shows_q08_refusals_inside_a_200(what, value, code):
    async with PopulationSimulator(people()) as sim:
        sim.refused_procedures.add("9.9")
        sim.refused_officers.add("cb-666")
        status, _, body = await post(sim.url, soap_request(SoDinhDanh=STORY.plain.identity_number, **{what: value}))
        _, _, verdict = await post(
            sim.url, soap_request(VERIFY, SoDinhDanh=STORY.plain.identity_number, **{what: value})
        )
    assert status == 200
    assert etree.fromstring(body).findtext("s:Body/a:CongdanCollection/a:MaLoi", None, NS) == code
    assert citizens(body) == []
    assert etree.fromstring(verdict).findtext("s:Body/r:KetQuaXacThuc/r:MaLoi", None, NS) == code


def _hashed(url: str, user: str, secret: str, stamp: str) -> dict[str, str]:
    digest = hashlib.sha256(f"{url}{user}{stamp}{secret}".encode()).hexdigest()
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{digest}".encode()).decode(), "Timestamp": stamp}


@pytest.mark.parametrize(
    ("unit", "stamp", "secret", "status"),
    [
        ("s", "1700000000", "bí mật", 200),
        ("ms", "1700000000123", "bí mật", 200),
        ("any", "1700000000", "bí mật", 200),
        ("any", "1700000000123", "bí mật", 200),
        ("s", "1700000000123", "bí mật", 401),
        ("ms", "1700000000", "bí mật", 401),
        ("s", "1700000000", "other", 401),
        ("s", "1699990000", "bí mật", 401),
        ("s", "now", "bí mật", 401),
    ],
)
async def test_shows_q09_basic_over_a_hash_of_time_and_secret(unit, stamp, secret, status):
    access = HashedBasic(user="h24", secret="bí mật", unit=unit, clock=lambda: 1_700_000_001.0)
    async with PopulationSimulator(people(), access=access) as sim:
        headers = _hashed(sim.url, "h24", secret, stamp)
        got, _, body = await post(sim.url, soap_request(SoDinhDanh=STORY.plain.identity_number), **headers)
    assert got == status
    assert status == 200 or body == b"Unauthorized"


async def test_shows_q10_a_platform_token_beside_a_bearer():
    now = [1_000.0]
    access = LgspToken(
        access_key="a", secret_key="s", app_name="n", partner_code="p", lifetime=60, clock=lambda: now[0]
    )
    named = {"AccessKey": "a", "SecretKey": "s", "AppName": "n", "PartnerCode": "p"}
    lgsp = base64.b64encode(json.dumps(named).encode()).decode()
    request = soap_request(SoDinhDanh=STORY.plain.identity_number)
    async with PopulationSimulator(people(), access=access) as sim:
        refused, _, _ = await post(sim.root + "/token", b"")
        _, _, grant = await post(sim.root + "/token", b"grant_type=client_credentials", lgspaccesstoken=lgsp)
        bearer = "Bearer " + json.loads(grant)["access_token"]
        both, _, _ = await post(sim.url, request, lgspaccesstoken=lgsp, Authorization=bearer)
        only_bearer, _, _ = await post(sim.url, request, Authorization=bearer)
        other, _, _ = await post(sim.url, request, lgspaccesstoken=lgsp, Authorization="Bearer x")
        now[0] += 61
        late, _, _ = await post(sim.url, request, lgspaccesstoken=lgsp, Authorization=bearer)
    assert (refused, both, only_bearer, other, late) == (401, 200, 401, 401, 401)


async def test_shows_q11_plain_text_where_a_document_is_promised():
    async with PopulationSimulator(people()) as sim:
        sim.misbehave("unauthorized-text")
        answer = await post(sim.url, soap_request(SoDinhDanh=STORY.plain.identity_number))
    assert answer == (200, "text/xml; charset=utf-8", b"Unauthorized")


async def test_shows_q12_freezes_and_502s_and_recovers():
    request = soap_request(SoDinhDanh=STORY.plain.identity_number)
    async with PopulationSimulator(people()) as sim:
        sim.misbehave("502", count=1)
        assert (await post(sim.url, request))[0] == 502
        sim.misbehave("freeze", count=1)
        with pytest.raises(asyncio.TimeoutError):
            await post(sim.url, request, within=0.1)
        assert (await post(sim.url, request))[0] == 200


async def test_shows_q13_json_inside_body():
    async with PopulationSimulator(people()) as sim:
        sim.misbehave("json-body")
        _, _, body = await post(sim.url, soap_request(SoDinhDanh=STORY.father.identity_number))
        _, _, nobody = await post(sim.url, soap_request(SoDinhDanh="031099999999"))
    found = json.loads(etree.fromstring(body).findtext("s:Body", None, NS))["CongdanCollection"]["CongDan"]
    assert found["SoDinhDanh"] == STORY.father.identity_number
    assert found["HoVaTen"] == {"Ho": "Phạm", "ChuDem": "Đình", "Ten": "Trung"}
    assert found["Cha"]["HoVaTen"] == "Phạm Văn Định"
    assert json.loads(etree.fromstring(nobody).findtext("s:Body", None, NS)) == {"CongdanCollection": {}}


async def test_shows_q14_districts_there_empty_or_gone():
    seen = {
        who: text(await _citizen(person), "ThuongTru/MaQuanHuyen")
        for who, person in (
            ("there", STORY.others["old address"]),
            ("empty", STORY.quirky["Q14"]),
            ("gone", STORY.plain),
        )
    }
    assert seen == {"there": STORY.others["old address"].residence.district, "empty": "", "gone": None}
    assert len(seen["there"]) == 3


async def test_shows_q15_several_people_of_one_name_and_date():
    async with PopulationSimulator(people()) as sim:
        _, _, body = await post(sim.url, soap_request(HoVaTen="NGUYEN VAN NAM", birth="1985-05-05"))
    assert {text(one, "SoDinhDanh") for one in citizens(body)} == {one.identity_number for one in STORY.namesakes}


async def test_shows_q16_codes_outside_their_lists():
    found = await _citizen(STORY.quirky["Q16"])
    assert text(found, "GioiTinh") not in {"0", "1", "2", "3"}
    assert text(found, "TinhTrangHonNhan") not in {"1", "2", "3"}
    assert text(found, "NhomMau") not in {"00", "01", "02", "03", "04"}


async def test_shows_q17_text_outside_nfc_and_old_code_pages():
    person = STORY.quirky["Q17"]
    found = await _citizen(person)
    name = " ".join(text(found, f"HoVaTen/{part}") for part in ("Ho", "ChuDem", "Ten"))
    assert name != person.name.full
    assert unicodedata.normalize("NFC", name) == person.name.full
    request = soap_request(SoDinhDanh=STORY.mother.identity_number)
    async with PopulationSimulator(people()) as sim:
        for mode, sample in (("windows-1258", "Hoàng".encode("cp1258")), ("tcvn3", b"Ho\xb5ng")):
            sim.misbehave(mode)
            _, kind, body = await post(sim.url, request)
            assert kind == "text/xml; charset=utf-8"
            assert sample in body
            with pytest.raises(UnicodeDecodeError):
                body.decode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<a",
        b"<!DOCTYPE a [<!ENTITY x 'y'>]>" + soap_request(SoDinhDanh="0" * 12),
        soap_request(SoDinhDanh="12"),
        soap_request(HoVaTen="AI DO"),
        soap_request("KhongCo", SoDinhDanh="0" * 12),
        f'<s:Envelope xmlns:s="{ENVELOPE}"><s:Body/></s:Envelope>'.encode(),
    ],
)
async def test_bad_requests_are_faults(body):
    async with PopulationSimulator(people()) as sim:
        status, _, answer = await post(sim.url, body)
        assert sim.answers == {"fault": 1}
    assert status == 500
    assert etree.fromstring(answer).find("s:Body/s:Fault", NS) is not None


async def test_counters_name_operations_and_hold_nobodys_data():
    async with PopulationSimulator(people()) as sim:
        await post(sim.url, soap_request(SoDinhDanh=STORY.plain.identity_number))
        await post(sim.url, soap_request(RELATIVES, SoDinhDanh="0" * 12))
        async with aiohttp.ClientSession() as session, session.get(sim.url + "?xsd=../wsdl/population.wsdl") as got:
            assert got.status == 405
        assert sim.requests == {"TraCuuThongTinCongDan": 1, "XacMinhThongTinNhanThan": 1, "wsdl": 1}
        assert sim.answers == {"found": 1, "not found": 1}
