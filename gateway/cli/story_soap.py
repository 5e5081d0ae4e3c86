"""The scene of languages: an old SOAP program that cannot sign, one that knows nothing but the register's own SOAP, and
a portal that speaks REST, ask one register.
"""

import time
from html import escape
from http import HTTPStatus
from uuid import UUID

import aiohttp
from lxml import etree

from gateway.cli.story import Call, Teller
from gateway.client import Client
from gateway.keys.file import load_certificates
from gateway.keys.tls import client_context
from gateway.model.errors.base import Text
from gateway.model.ids import ServiceId, SubsystemId, parse_service
from gateway.wiring.demo import CITIZEN, LEGACY, Person, unaccented
from gateway.wiring.demo_contract import RESIDENCE

HUE = Text("Huế's one-stop software", "Một cửa điện tử Huế")
FACADE = "/soap/G01/population/verification"
"""Where callers of the register's own SOAP are served."""
_VERIFY = "XacThucThongTinCongDan"
_XROAD = "http://x-road.eu/xsd/xroad.xsd"
_IDS = "http://x-road.eu/xsd/identifiers"


async def languages(teller: Teller, client: Client) -> None:
    """The same citizen over SOAP and REST, and in the register's own words: one register."""
    teller.scene("Three ways to ask, one register", "Ba cách hỏi, một nguồn dữ liệu")
    world = teller.world
    person = world.people.story.plain
    start = time.perf_counter()
    answer = await _ask(teller, person.identity_number)
    took = time.perf_counter() - start
    citizen = _text(answer, "identity_number"), _text(answer, "full")
    what = Text("asks about the same citizen over SOAP", "tra cứu cùng một công dân qua SOAP")
    found = citizen[0] == person.identity_number
    teller.told.calls.append(
        Call(
            start=start - teller.began,
            seconds=took,
            who=HUE,
            what=what,
            status=HTTPStatus.OK,
            outcome="FOUND" if found else "",
        )
    )
    teller.step(
        found,
        "Huế's software of 2015 speaks X-Road SOAP and cannot sign: its TLS certificate is enough, we sign for it",
        "Phần mềm một cửa Huế chỉ biết SOAP X-Road, không ký được: chỉ cần chứng thư TLS, cổng ký thay",
    )
    portal = world.portal(client, officer="ht.lan")
    rest = await portal.citizen(person.identity_number)
    document = rest.json() if rest.status == HTTPStatus.OK else {}
    teller.step(
        (document.get("identity_number"), document.get("name", {}).get("full")) == citizen,
        "The portal asks the same over REST: the same citizen, word for word, from the same register",
        "Cổng Hải Phòng hỏi qua REST: cùng một công dân, giống từng chữ, từ cùng một nguồn",
    )
    await _facade(teller, person)


async def _facade(teller: Teller, person: Person) -> None:
    """The register's own SOAP, with no header of ours: right name and date, and then another name."""
    right, wrong = [
        _text(await _post(teller, FACADE, _native(teller, person, name)), "TonTai")
        for name in (unaccented(person.name.full), "NGUYEN VAN KHAC")
    ]
    teller.step(
        (right, wrong) == ("true", "false"),
        "Another program knows only the register's own SOAP: it may call one operation of it, which says yes or no",
        "Phần mềm khác chỉ biết SOAP gốc của nguồn: vẫn gọi được, đúng một thao tác, trả lời có hoặc không",
    )


async def _ask(teller: Teller, number: str) -> etree._Element:
    message = str(UUID(bytes=teller.world.gateway.core.entropy(16)))
    return await _post(teller, "/soap", _envelope(parse_service(CITIZEN), LEGACY, message, number))


async def _post(teller: Teller, path: str, envelope: str) -> etree._Element:
    """Over mutual TLS, which is all that Huế's software shows of itself."""
    world = teller.world
    identity = world.files.identity(LEGACY)
    context = client_context(load_certificates(world.files.authorities), identity.tls_certificate, identity.tls_key)
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as http,
        http.post(
            f"{world.url}{path}",
            data=envelope.encode(),
            headers={"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'},
        ) as response,
    ):
        return etree.fromstring(await response.read(), etree.XMLParser(resolve_entities=False, no_network=True))


def _envelope(service: ServiceId, client: SubsystemId, message: str, number: str) -> str:
    """As the X-Road message protocol for SOAP has it; nothing in it is ours."""
    names = ("xRoadInstance", "memberClass", "memberCode", "subsystemCode", "serviceCode")

    def identifier(parts: tuple[str | None, ...]) -> str:
        return "".join(f"<id:{name}>{escape(part or '')}</id:{name}>" for name, part in zip(names, parts, strict=False))

    caller = (client.instance, client.member_class, client.member_code, client.subsystem_code)
    called = (
        service.instance,
        service.member_class,
        service.member_code,
        service.subsystem_code,
        service.service_code,
    )
    return (
        f'<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xrd="{_XROAD}" xmlns:id="{_IDS}">'
        f'<soap:Header><xrd:client id:objectType="SUBSYSTEM">{identifier(caller)}</xrd:client>'
        f'<xrd:service id:objectType="SERVICE">{identifier(called)}</xrd:service>'
        f"<xrd:userId>hue.an</xrd:userId><xrd:issue>000.00.16.H57-260101-0001</xrd:issue>"
        f"<xrd:id>{message}</xrd:id><xrd:protocolVersion>4.0</xrd:protocolVersion></soap:Header>"
        f'<soap:Body><p:{service.service_code} xmlns:p="urn:motlan:service:{service}">'
        f"<p:identity_number>{escape(number)}</p:identity_number>"
        f"</p:{service.service_code}></soap:Body></soap:Envelope>"
    )


def _native(teller: Teller, person: Person, name: str) -> str:
    """As the population database's WSDL has it; purpose, officer and agency are elements of its own."""
    values = {
        "MaYeuCau": teller.world.gateway.core.entropy(8).hex(),
        "MaDVC": RESIDENCE,
        "MaTichHop": "037",
        "MaDonVi": "000.00.16.H57",
        "MaCanBo": "hue.an",
        "SoDinhDanh": person.identity_number,
        "HoVaTen": name,
    }
    inner = "".join(f"<d:{element}>{escape(value)}</d:{element}>" for element, value in values.items())
    return (
        '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
        f'<d:{_VERIFY} xmlns:d="http://dancuquocgia.bca">{inner}</d:{_VERIFY}></soap:Body></soap:Envelope>'
    )


def _text(answer: etree._Element, name: str) -> str | None:
    """The first element of this name in Body."""
    found = answer.xpath("(//*[local-name()='Body']//*[local-name()=$name])[1]/text()", name=name)
    assert isinstance(found, list)
    return str(found[0]) if found else None
