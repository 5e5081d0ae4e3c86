"""What tests of the agency systems share: requests that each of them takes, as bytes and as documents."""

import json
from typing import Any
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from adapters.simulators import dossiers
from adapters.simulators.json_system import JsonSystem
from adapters.simulators.person import Person

Json = dict[str, Any]


async def call(sim: JsonSystem, operation: str, asked: Json | bytes, **headers: str) -> tuple[int, Json]:
    """POST to an operation of a running system: status, and the JSON that came back."""
    body = asked if isinstance(asked, bytes) else json.dumps(asked).encode()
    return await _send(sim, "POST", f"/{operation}", body, headers)


async def fetch(sim: JsonSystem, operation: str, query: dict[str, str], **headers: str) -> tuple[int, Json]:
    """GET, in the same way."""
    return await _send(sim, "GET", f"/{operation}?{urlencode(query)}", None, headers)


async def _send(
    sim: JsonSystem, method: str, path: str, body: bytes | None, headers: dict[str, str]
) -> tuple[int, Json]:
    limit = aiohttp.ClientTimeout(total=5)
    url = URL(sim.url + path, encoded=True)
    async with (
        aiohttp.ClientSession(timeout=limit) as session,
        session.request(method, url, data=body, headers=headers) as got,
    ):
        assert got.headers["Content-Type"] == "application/json; charset=utf-8"
        return got.status, json.loads(await got.read())


def birth_xml(**changes: str | None) -> str:
    """The text inside a birth registration; None leaves a field out."""
    fields: dict[str, str | None] = {
        "nksHoTen": "Phạm Hoàng An",
        "nksGioiTinh": "2",
        "nksNgaySinh": "26/10/2026",
        "meHoTen": "Hoàng Thị Thuỳ Linh",
        "nycHoTen": "Phạm Đình Trung",
        "nycQuanHe": "Cha",
        **changes,
    }
    content = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items() if value is not None)
    return f"<hotich><hoso>{content}</hoso></hotich>"


def birth(person: Person, **changes: Any) -> Json:
    """A birth registration for a commune that exists, under a code that nobody has."""
    return {
        "maDonVi": int(person.residence.commune),
        "module": "KS",
        "maHoSo": "H24.15-261101-9001",
        "ngayTiepNhan": "01/11/2026",
        "data": birth_xml(),
        **changes,
    }


def declaration(person: Person, code: str = "H24.15-261101-9002", **changes: Any) -> Json:
    """A request for a judicial record certificate, complete."""
    form = {
        "fullName": person.name.full,
        "genderId": {"male": 1, "female": 0}[person.sex],
        "birthDateStr": dossiers.slashed(person.birth.date),
        "nationalityId": 1,
        "idTypeId": 3,
        "identifyNo": person.identity_number,
        "phone": 84912345678,
        "declareDate": "01/11/2026",
        "declareTypeId": 3846,
        "requestQty": 1,
        "objectRequestId": 72,
        "formType": 1,
        "receiveNo": code,
    }
    form.update(changes.pop("form", {}))
    return {
        "idMinistryJustice": "STP24",
        "idReceivedDec": code,
        "dateReceivedDec": "01/11/2026",
        "datePromissoryDec": "15/11/2026",
        "declarationWSForm": form,
        **changes,
    }


def portal_dossier(person: Person, code: str = "H24.15-261101-9003", **changes: Any) -> Json:
    """A dossier as units synchronise it with the national portal."""
    return {
        "MaHoSo": code,
        "MaTTHC": "1.001193",
        "TenTTHC": "Đăng ký khai sinh",
        "ChuHoSo": person.name.full,
        "NgayTiepNhan": "20261101083000",
        "TrangThaiHoSo": "2",
        "HinhThuc": "0",
        "DonViXuLy": "UBND phường Lê Chân",
        "TaiLieuNop": [{"TenTepDinhKem": "a.pdf", "DuocSoHoa": "1", "DuocLayTuKhoDMQG": "1"}],
        **changes,
    }
