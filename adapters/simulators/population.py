"""The national population database: SOAP 1.1 on a socket, with every quirk of ``quirks.QUIRKS``.

Names in requests must be unaccented and in upper case (Q04), elements in the schema's order (Q01). Whoever is looked up
by number and named or dated otherwise is not found: the register does not say why (Q07).
"""

import re
from typing import ClassVar, Final

from lxml import etree
from msgspec import Struct
from msgspec.structs import replace

from adapters.simulators import population_twists, population_xml
from adapters.simulators.access import Access
from adapters.simulators.assets import schemas
from adapters.simulators.misbehave import Misbehaviour, Mode
from adapters.simulators.people import People, unaccented
from adapters.simulators.person import Person
from adapters.simulators.population_xml import ENVELOPE
from adapters.simulators.simulator import Simulator
from adapters.simulators.wire import Answer, Received

LOOK_UP: Final = "TraCuuThongTinCongDan"
VERIFY: Final = "XacThucThongTinCongDan"
RELATIVES: Final = "XacMinhThongTinNhanThan"

_NOT_AUTHORISED: Final = {
    "004": "Thủ tục chưa được phân quyền khai thác dữ liệu",
    "005": "Cán bộ chưa được phân quyền khai thác dữ liệu",
}
_OPERATION: Final = re.compile(rf"<(?:[\w.-]+:)?({LOOK_UP}|{VERIFY}|{RELATIVES})[\s>/]".encode())
_XSD: Final = re.compile(r"population-(request|answer)\.xsd")


class Query(Struct, frozen=True, kw_only=True):
    """A request that was read: the purpose and audit triple, and whom it asks about."""

    operation: str
    procedure: str
    agency: str
    officer: str
    number: str | None = None
    name: str | None = None
    birth: str | None = None
    """Four digits of the year, or eight of the date."""


class Refused(Exception):  # noqa: N818 - a request is refused, nothing failed
    """The request is not one that the register answers; the text says why, without anybody's data."""


class PopulationSimulator(Simulator):
    """The population database of ``people``.

    access: who may call, everybody by default. refused_procedures, refused_officers: answered with 004 and 005 (Q08).
    quirks: record quirks that everybody shows besides their own, such as ``{"Q03"}``.
    """

    PATH: ClassVar[str] = "/population"
    UNSUPPORTED: ClassVar[frozenset[Mode]] = frozenset(
        {Mode.DUPLICATE_KEYS, Mode.NAN, Mode.HUGE_NUMBER, Mode.LONE_SURROGATE}
    )

    def __init__(self, people: People, *, access: Access | None = None, quirks: frozenset[str] = frozenset()) -> None:
        super().__init__()
        self.people = people
        self.access = access
        self.quirks = quirks
        self.refused_procedures: set[str] = set()
        self.refused_officers: set[str] = set()
        self._schema = etree.XMLSchema(file=str(schemas() / "xsd" / "population-request.xsd"))

    def operation(self, received: Received) -> str:
        """The operation's name, or what else was asked for."""
        if received.path == "/token":
            return "token"
        if received.method == "GET":
            return "wsdl"
        found = _OPERATION.search(received.body)
        return found[1].decode() if found else "unreadable"

    def answer(self, received: Received) -> Answer:
        """The right answer; a token or a schema where that was asked for."""
        if received.path == "/token" and self.access:
            return self.access.token(received) or _plain(404, "Not Found")
        if received.path != self.PATH:
            return _plain(404, "Not Found")
        if received.method == "GET":
            return self._describe(received)
        if self.access and not self.access.admits(received, self.url):
            self.answers["unauthorised"] += 1
            return _plain(401, "Unauthorized")
        try:
            query = self.read(received.body)
        except Refused as refused:
            self.answers["fault"] += 1
            return soap(population_xml.fault(str(refused)), status=500)
        return soap(self._content(query))

    def twist(self, received: Received, right: Answer, how: Misbehaviour) -> Answer:
        """The answer that misbehaves."""
        return population_twists.twist(self, received, right, how)

    def read(self, body: bytes) -> Query:
        """Parse a request safely and check it against the schema, element order included (Q01). Raises Refused."""
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
        try:
            root = etree.fromstring(body, parser)
        except etree.XMLSyntaxError as error:
            raise Refused("the request is not well-formed XML") from error
        if root.getroottree().docinfo.internalDTD is not None:
            raise Refused("a DOCTYPE is not allowed")
        wrapper = root.find(f"{{{ENVELOPE}}}Body/*")
        if wrapper is None or not self._schema.validate(wrapper):
            raise Refused("the request does not follow the schema")
        fields = {child.tag.rpartition("}")[2]: child for child in wrapper}
        birth = fields.get("NgayThangNamSinh")
        number = fields.get("SoDinhDanh", fields.get("SoCMND"))
        name = fields.get("HoVaTen")
        if number is None and (name is None or birth is None):
            raise Refused("a number is needed, or a name with a date of birth")
        return Query(
            operation=wrapper.tag.rpartition("}")[2],
            procedure=fields["MaDVC"].text or "",
            agency=fields["MaDonVi"].text or "",
            officer=fields["MaCanBo"].text or "",
            number=None if number is None else number.text,
            name=None if name is None else name.text,
            birth=None if birth is None else (birth[0].text or "").replace("-", ""),
        )

    def find(self, query: Query) -> list[Person]:
        """Those whom the register holds and the query fits."""
        if query.number is not None:
            person = self.people.by_number(query.number)
            candidates = [person] if person else []
        else:
            candidates = self.people.by_name(query.name or "", _iso(query.birth or ""))
        return [person for person in candidates if person.in_population and _fits(person, query)]

    def with_quirks(self, person: Person) -> Person:
        """The person with the quirks that everybody shows."""
        return replace(person, quirks=person.quirks | self.quirks) if self.quirks else person

    def _content(self, query: Query) -> str:
        refused = self._refusal(query)
        if refused:
            self.answers[refused] += 1
            show = population_xml.verdict_refusal if query.operation == VERIFY else population_xml.refusal
            return show(refused, _NOT_AUTHORISED[refused])
        found = [self.with_quirks(person) for person in self.find(query)]
        self.answers["found" if len(found) == 1 else "ambiguous" if found else "not found"] += 1
        if query.operation == VERIFY:
            return population_xml.verdict(exists=bool(found))
        render = population_xml.relatives_of if query.operation == RELATIVES else population_xml.citizen
        as_of = self.people.today.strftime("%Y%m%d") + "000000"
        return population_xml.collection(map(render, found), as_of=as_of)

    def _refusal(self, query: Query) -> str | None:
        if query.procedure in self.refused_procedures:
            return "004"
        return "005" if query.officer in self.refused_officers else None

    def _describe(self, received: Received) -> Answer:
        """The WSDL, with this server's address and its schemas below ``?xsd=``."""
        query = {name.lower(): value for name, value in received.query.items()}
        if "wsdl" in query:
            text = (schemas() / "wsdl" / "population.wsdl").read_text("utf-8")
            text = text.replace("http://127.0.0.1/population", self.url)
            text = text.replace("../xsd/", f"{self.url}?xsd=")
        elif _XSD.fullmatch(query.get("xsd", "")):
            text = (schemas() / "xsd" / query["xsd"]).read_text("utf-8")
        else:
            return _plain(405, "Method Not Allowed")
        return Answer(content_type="text/xml; charset=utf-8", body=text.encode())


def soap(content: str, *, status: int = 200) -> Answer:
    """An envelope in UTF-8."""
    body = population_xml.envelope(content).encode()
    return Answer(status=status, content_type="text/xml; charset=utf-8", body=body)


def _plain(status: int, text: str) -> Answer:
    return Answer(status=status, content_type="text/plain", body=text.encode())


def _iso(digits: str) -> str:
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}" if len(digits) > 4 else digits  # noqa: PLR2004 - a year


def _fits(person: Person, query: Query) -> bool:
    """Whether name and date are the register's; the name as the register wants to be asked (Q04)."""
    if query.name is not None and query.name != unaccented(person.name.full):
        return False
    if query.birth is None:
        return True
    known = person.birth.date.replace("-", "")
    return query.birth == known or (len(query.birth) == 4 and known[:4] == query.birth)  # noqa: PLR2004 - a year
