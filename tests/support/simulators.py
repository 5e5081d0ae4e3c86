"""What tests of and with the simulated systems share: people, requests as bytes, answers as elements."""

from functools import cache
from xml.sax.saxutils import escape

import aiohttp
from lxml import etree
from yarl import URL

from adapters.simulators.people import People
from adapters.simulators.population import LOOK_UP
from adapters.simulators.population_xml import ANSWER, ENVELOPE, REQUEST

NS = {"s": ENVELOPE, "a": ANSWER, "r": REQUEST}
TRIPLE = {"MaYeuCau": "yc-1", "MaDVC": "1.001193", "MaTichHop": "037", "MaDonVi": "H24.11", "MaCanBo": "cb-7"}


@cache
def people(seed: int = 1, count: int = 2_000) -> People:
    """The same population for every test that asks for it."""
    return People(seed=seed, count=count)


def soap_request(operation: str = LOOK_UP, *, order: tuple[str, ...] = (), **fields: str) -> bytes:
    """A request to the population database, elements in the schema's order or in ``order``.

    ``birth`` becomes NgayThangNamSinh: four characters the year, else the date. MaDVC and so on replace the usual ones.
    """
    birth = fields.pop("birth", None)
    values = {name: escape(value) for name, value in {**TRIPLE, **fields}.items()}
    if birth is not None:
        kind = "Nam" if len(birth) == 4 else "NgayThangNam"
        values["NgayThangNamSinh"] = f"<d:{kind}>{birth}</d:{kind}>"
    names = order or (*TRIPLE, "SoDinhDanh", "SoCMND", "HoVaTen", "NgayThangNamSinh")
    content = "".join(f"<d:{name}>{values[name]}</d:{name}>" for name in names if name in values)
    return (
        f'<s:Envelope xmlns:s="{ENVELOPE}" xmlns:d="{REQUEST}"><s:Body>'
        f"<d:{operation}>{content}</d:{operation}></s:Body></s:Envelope>"
    ).encode()


async def post(url: str, body: bytes, *, within: float = 5, **headers: str) -> tuple[int, str, bytes]:
    """Status, content type and body of one POST on a connection of its own."""
    limit = aiohttp.ClientTimeout(total=within)
    async with (
        aiohttp.ClientSession(timeout=limit) as session,
        session.post(
            URL(url, encoded=True),
            data=body,
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        ) as got,
    ):
        return got.status, got.headers.get("Content-Type", ""), await got.read()


def citizens(body: bytes) -> list[etree._Element]:
    """The CongDan elements of an answer."""
    return etree.fromstring(body).findall("s:Body/a:CongdanCollection/a:CongDan", NS)


def text(element: etree._Element, path: str) -> str | None:
    """The text at a path of local names below an element; None where there is no such element."""
    return element.findtext("/".join(f"a:{part}" for part in path.split("/")), None, NS)
