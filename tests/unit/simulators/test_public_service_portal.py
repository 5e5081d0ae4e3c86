"""The National Public Service Portal's adapter on its socket: sessions, dossiers, progress, procedures."""

import pytest

from adapters.simulators import dossiers
from adapters.simulators.public_service_portal import LOGIN, PublicServicePortalSimulator
from tests.support.agencies import call, portal_dossier
from tests.support.simulators import people

STORY = people().story
UNIT = "000.00.00.H24"
USERS = {"haiphong": ("s3cret", UNIT)}
pytestmark = pytest.mark.asyncio


class Portal:
    """A session with a running portal."""

    def __init__(self, sim, session):
        self.sim, self.session = sim, session

    async def ask(self, service, **content):
        _, found = await call(self.sim, "g", {"session": self.session, "madonvi": UNIT, "service": service, **content})
        return found


async def _open(sim):
    _, got = await call(sim, LOGIN, {"username": "haiphong", "password": "s3cret"})
    assert got["error_code"] == 0
    return Portal(sim, got["session"])


@pytest.mark.parametrize(
    "given", [{"username": "haiphong", "password": "x"}, {"username": "hue", "password": "s3cret"}, {}]
)
async def test_a_wrong_password_gives_no_session(given):
    async with PublicServicePortalSimulator(people(), users=USERS) as sim:
        _, got = await call(sim, LOGIN, given)
        assert got["session"] == ""
        assert got["error_code"] != 0
        assert sim.sessions == {}


async def test_a_session_ends():
    now = 1000.0
    async with PublicServicePortalSimulator(people(), users=USERS, lifetime=60, clock=lambda: now) as sim:
        portal = await _open(sim)
        assert (await portal.ask("LayThuTuc", maTTHC="1.001193"))["error_code"] == 0
        now += 61
        assert (await portal.ask("LayThuTuc", maTTHC="1.001193"))["error_code"] == "-1"
        portal = await _open(sim)
        sim.forget_sessions()
        assert (await portal.ask("LayThuTuc", maTTHC="1.001193"))["error_code"] == "-1"


async def test_a_unit_speaks_for_itself_only():
    async with PublicServicePortalSimulator(people(), users=USERS) as sim:
        portal = await _open(sim)
        assert (await portal.ask("TraCuuHoSo", mahoso="H24-261101-0001", madonvi="000.00.00.H31"))["error_code"] == "02"


async def test_dossiers_are_synchronised_moved_and_found():
    dossier = portal_dossier(STORY.father)
    step = {
        "MaHoSo": dossier["MaHoSo"],
        "NguoiXuLy": "Trần A",
        "ThoiDiemXuLy": "20261101090000",
        "TrangThai": "4",
    }
    async with PublicServicePortalSimulator(people(), users=USERS) as sim:
        portal = await _open(sim)
        assert (await portal.ask("DongBoHoSoMC", isUpdating="False", data=[dossier]))["error_code"] == "00"
        assert (await portal.ask("DongBoHoSoMC", isUpdating=False, data=[dossier]))["error_code"] == "03"
        assert (await portal.ask("DongBoHoSoMC", isUpdating=True, data=[dossier]))["error_code"] == "00"
        assert (await portal.ask("CapNhatTienDoHoSoMC", data=[step]))["error_code"] == "00"
        (found,) = (await portal.ask("TraCuuHoSo", mahoso=dossier["MaHoSo"]))["result"]
        assert sim.requests["DongBoHoSoMC"] == 3
    assert found == {**dossier, "TrangThaiHoSo": "4"}


async def test_an_update_of_what_is_not_there_is_refused():
    async with PublicServicePortalSimulator(people(), users=USERS) as sim:
        portal = await _open(sim)
        assert (await portal.ask("DongBoHoSoMC", isUpdating="True", data=[portal_dossier(STORY.father)]))[
            "error_code"
        ] == "04"
        assert sim.kept == {}


@pytest.mark.parametrize(
    "change",
    [
        {"MaHoSo": "1"},
        {"TrangThaiHoSo": "11"},
        {"NgayTiepNhan": "2026-11-01"},
        {"HinhThuc": "2"},
        {"ChuHoSo": ""},
        {"NhomMau": "A"},
        {"TaiLieuNop": [{"DuocSoHoa": "có"}]},
        {"TaiLieuNop": "a.pdf"},
    ],
)
async def test_what_is_no_dossier_is_refused_and_not_one_of_them_kept(change):
    async with PublicServicePortalSimulator(people(), users=USERS) as sim:
        portal = await _open(sim)
        data = [portal_dossier(STORY.father), portal_dossier(STORY.mother, code="H24.15-261101-9004", **change)]
        if "MaHoSo" in change:
            data[1]["MaHoSo"] = change["MaHoSo"]
        assert (await portal.ask("DongBoHoSoMC", isUpdating="False", data=data))["error_code"] == "01"
        assert sim.kept == {}


async def test_the_generated_people_have_dossiers_in_every_state():
    async with PublicServicePortalSimulator(people(), users=USERS) as sim:
        portal = await _open(sim)
        found = [
            (await portal.ask("TraCuuHoSo", mahoso=dossiers.code_of(people()[index])))["result"][0]
            for index in range(10)
        ]
        nobody = await portal.ask("TraCuuHoSo", mahoso="000.00.15.H24-261001-9999")
    assert sorted(int(one["TrangThaiHoSo"]) for one in found) == list(range(1, 11))
    assert found[0]["DinhDanhCHS"][0]["SoDinhDanh"] == STORY.father.identity_number
    assert nobody["result"] == []


async def test_procedures():
    async with PublicServicePortalSimulator(people(), users=USERS) as sim:
        portal = await _open(sim)
        (found,) = (await portal.ask("LayThuTuc", maTTHC="1.001193"))["result"]
        assert found["TENTTHC"] == "Đăng ký khai sinh"
        assert (await portal.ask("LayThuTuc", maTTHC="9.999999"))["result"] == []
        assert (await portal.ask("XoaHoSo"))["error_code"] == "01"
