"""What tests of the agency systems share: requests that each of them takes, their mappings, how trouble ends."""

import json
from functools import cache
from typing import Any
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from adapters.mapped import MappedOptions, MappedTarget
from adapters.mapped_answer import PARSERS
from adapters.mapped_session import Sessions
from adapters.rest.http1 import Client, ClientOptions
from adapters.simulators import dossiers
from adapters.simulators.json_system import JsonSystem
from adapters.simulators.misbehave import Mode
from adapters.simulators.person import Person
from gateway.config.mappings import load_mapping
from gateway.config.product import product_folder
from gateway.config.schemas import SchemaFolder
from gateway.mapping.compile import Mapping
from gateway.model.outcomes import Outcome
from tests.support.adapters import Known, ask, provider, recorded

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


# -- the mappings of these systems, without a gateway ------------------------------------------------------------------

SYSTEMS = ("civil-status", "business-register", "judicial-record", "lgsp", "public-service-portal")
"""Names of their mapping files, service files and samples."""
UNIT = "000.00.00.H24"
USERS = {"motlan": ("s3cret", UNIT)}


@cache
def mapping(name: str) -> Mapping:
    """The product's own mapping of that name, compiled."""
    problems: list[Any] = []
    schemas = SchemaFolder.read(product_folder("schemas") / "json", problems)
    file, wrong = load_mapping(product_folder("config") / "mappings" / f"{name}.toml", schemas)
    assert file is not None, [str(each) for each in (*problems, *wrong)]
    return Mapping(file.document, PARSERS)


def target(name: str, url: str, *, sessions: bool = False, settings: dict[str, str] | None = None, **more: Any) -> Any:
    """A target that follows it. sessions: the provider wants a login first."""
    more.setdefault("body_limit", 1024 * 1024)
    if sessions:
        more["credentials"] = Sessions("motlan", Known("s3cret"), Client(ClientOptions()), url)
    return MappedTarget(
        provider(url, **more), mapping(name), options=MappedOptions(settings=settings or {"unit": UNIT})
    )


TROUBLE: dict[Mode, Outcome] = {
    Mode.SLOW: Outcome.UNAVAILABLE,
    Mode.FREEZE: Outcome.UNAVAILABLE,
    Mode.BAD_GATEWAY: Outcome.UNAVAILABLE,
    Mode.DROP: Outcome.UNAVAILABLE,
    Mode.HALF: Outcome.INVALID_REPLY,
    Mode.UNAUTHORIZED_TEXT: Outcome.DENIED,
    Mode.LIE: Outcome.INVALID_REPLY,
    Mode.OTHER_PERSON: Outcome.INVALID_REPLY,
    Mode.DEEP: Outcome.INVALID_REPLY,
    Mode.HUGE: Outcome.INVALID_REPLY,
    Mode.WINDOWS_1258: Outcome.INVALID_REPLY,
    Mode.TCVN3: Outcome.INVALID_REPLY,
    Mode.DUPLICATE_KEYS: Outcome.INVALID_REPLY,
    Mode.NAN: Outcome.INVALID_REPLY,
    Mode.HUGE_NUMBER: Outcome.INVALID_REPLY,
    Mode.LONE_SURROGATE: Outcome.INVALID_REPLY,
}
"""How a look-up ends with a system that misbehaves so."""
TROUBLE_OF_A_WRITE: dict[Mode, Outcome] = {
    **dict.fromkeys(TROUBLE, Outcome.UNKNOWN),
    Mode.UNAUTHORIZED_TEXT: Outcome.DENIED,
}
"""A write may have been acted on, whatever came back."""


async def once(
    sim: JsonSystem, name: str, document: Any, *, path: str = "", mode: Mode | None = None, **more: Any
) -> Any:
    """One call of a running system through its mapping."""
    if mode is not None:
        sim.misbehave(mode)
    seconds = 0.1 if mode in {Mode.SLOW, Mode.FREEZE} else 5.0
    try:
        return await ask(target(name, sim.url, **more), recorded(document, path=path), seconds=seconds)
    finally:
        sim.behave()
