"""Civil status on its socket: birth registrations as XML text inside JSON, states, results."""

import pytest

from adapters.simulators import dossiers
from adapters.simulators.access import ApiKey
from adapters.simulators.civil_status import REGISTER, RESULT, STATUS, CivilStatusSimulator, registered
from tests.support.agencies import birth, birth_xml, call
from tests.support.simulators import people

STORY = people().story
FATHER, MOTHER = STORY.father, STORY.mother
pytestmark = pytest.mark.asyncio


def _query(dossier):
    return {"maDonVi": dossier.unit, "maHoSo": dossier.code}


async def test_a_registration_is_received_then_goes_its_way_to_a_certificate():
    async with CivilStatusSimulator(people()) as sim:
        data = birth_xml(meSoDDCN=MOTHER.identity_number, chaSoDDCN=FATHER.identity_number)
        asked = birth(FATHER, data=data)
        status, taken = await call(sim, REGISTER, asked)
        assert (status, str(taken["trangThai"]), taken["maHoSo"], taken["maLoi"]) == (200, "1", asked["maHoSo"], "")
        query = {"maDonVi": str(asked["maDonVi"]), "maHoSo": asked["maHoSo"]}
        assert str((await call(sim, STATUS, query))[1]["trangThai"]) == "1"
        assert (await call(sim, RESULT, query))[1]["maLoi"] == "200"
        sim.move(asked["maHoSo"], "4")
        assert str((await call(sim, STATUS, query))[1]["trangThai"]) == "4"
        (entry,) = (await call(sim, RESULT, query))[1]["giaTri"]
    assert entry["nksHoTen"] == "Phạm Hoàng An"
    assert entry["meSoDDCN"] == MOTHER.identity_number
    assert entry["nksSoDDCN"][:6] == "031326"
    assert people().by_number(entry["nksSoDDCN"]) is None


async def test_a_parent_whom_nobody_knows_needs_a_supplement():
    async with CivilStatusSimulator(people()) as sim:
        await call(sim, REGISTER, birth(FATHER, data=birth_xml(meSoDDCN="031199999999")))
        _, found = await call(sim, STATUS, {"maDonVi": int(FATHER.residence.commune), "maHoSo": "H24.15-261101-9001"})
    assert str(found["trangThai"]) == "2"
    assert "031199999999" not in found["moTaTrangThai"]


async def test_the_generated_people_are_registered():
    states = set()
    async with CivilStatusSimulator(people()) as sim:
        for person in [people()[index] for index in (*range(60, 68), STORY.quirky["Q16"].index)]:
            dossier = registered(person)
            _, found = await call(sim, STATUS, _query(dossier))
            states.add(str(found["trangThai"]))
            _, result = await call(sim, RESULT, _query(dossier))
            if dossier.state == "4":
                assert result["giaTri"][0]["nksSoDDCN"] == person.identity_number
            else:
                assert (result["trangThai"], result["maLoi"]) == ("0", "200")
    assert states == {"1", "2", "3", "4"}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"maDonVi": 99_999}, "106"),
        ({"maDonVi": True}, "106"),
        ({"module": "KH"}, "500"),
        ({"maHoSo": "so 1"}, "500"),
        ({"maHoSo": dossiers.code_of(FATHER)}, "500"),
        ({"ngayTiepNhan": "2026-11-01"}, "500"),
        ({"data": birth_xml(nksGioiTinh="9")}, "500"),
        ({"data": birth_xml(nksHoTen=None)}, "500"),
        ({"data": birth_xml(soThich="bóng đá")}, "500"),
        ({"data": birth_xml() + birth_xml()}, "500"),
        ({"data": f'<!DOCTYPE a [<!ENTITY b "c">]>{birth_xml()}'}, "500"),
        ({"data": {"hotich": {}}}, "500"),
    ],
)
async def test_what_cannot_be_registered_is_state_0_with_an_error(changes, code):
    async with CivilStatusSimulator(people()) as sim:
        status, refused = await call(sim, REGISTER, birth(FATHER, **changes))
        assert len(sim.dossiers) == 0
    assert (status, refused["trangThai"], refused["maLoi"]) == (200, "0", code)


@pytest.mark.parametrize("change", [{"maHoSo": "H24.15-261101-0000"}, {"maDonVi": 1}])
async def test_an_unknown_dossier_is_201(change):
    async with CivilStatusSimulator(people()) as sim:
        for operation in (STATUS, RESULT):
            _, found = await call(sim, operation, {**_query(registered(FATHER)), **change})
            assert (found["trangThai"], found["maLoi"]) == ("0", "201")


async def test_only_who_shows_the_token_is_answered():
    async with CivilStatusSimulator(people(), access=ApiKey(key="Bearer t", header="Authorization")) as sim:
        query = _query(registered(FATHER))
        assert (await call(sim, STATUS, query, Authorization="Bearer x"))[0] == 401
        assert (await call(sim, STATUS, query, Authorization="Bearer t"))[0] == 200
