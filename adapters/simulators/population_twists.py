"""The population database's answers that go wrong inside the document."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from lxml import etree
from msgspec.structs import replace

from adapters.simulators import charsets, population_xml
from adapters.simulators.misbehave import LEVELS, Misbehaviour, Mode
from adapters.simulators.person import Person
from adapters.simulators.wire import Answer, Received

if TYPE_CHECKING:
    from adapters.simulators.population import PopulationSimulator

_XML: Final = "text/xml; charset=utf-8"
_PIECE: Final = 64 * 1024


def twist(simulator: "PopulationSimulator", received: Received, right: Answer, how: Misbehaviour) -> Answer:
    """The answer that misbehaves as ``how`` says; ``right`` is the one that does not."""
    match how.mode:
        case Mode.WINDOWS_1258:
            return replace(right, body=charsets.windows_1258(right.body.decode()))
        case Mode.TCVN3:
            return replace(right, body=charsets.tcvn3(right.body.decode()))
        case Mode.OTHER_PERSON:
            return _xml(population_xml.envelope(_other(simulator, received)))
        case Mode.HUGE:
            return Answer(content_type=_XML, pieces=_huge(how.megabytes * 2**20))
        case Mode.JSON_BODY:
            return _xml(population_xml.envelope(_as_json(simulator, received)))
        case mode:
            return _xml({Mode.LIE: _lie, Mode.DEEP: _deep, Mode.DOCTYPE: _doctype}[mode]())


def _xml(text: str) -> Answer:
    return Answer(content_type=_XML, body=text.encode())


def _other(simulator: "PopulationSimulator", received: Received) -> str:
    """The next person of the register after the one who was asked about."""
    asked = simulator.find(simulator.read(received.body))
    start = asked[0].index if asked else 0
    people = simulator.people
    after = (people[(start + step) % len(people)] for step in range(1, len(people)))
    return population_xml.collection([population_xml.citizen(next(one for one in after if one.in_population))])


def _lie() -> str:
    """Elements that nobody promised, a structure where text belongs, text where a structure belongs."""
    citizen = (
        "<ns1:CongDan><ns1:SoDinhDanh><ns1:Nam>abc</ns1:Nam></ns1:SoDinhDanh>"
        "<ns1:NgayThangNamSinh>hôm qua</ns1:NgayThangNamSinh><ns1:DiemTinDung>700</ns1:DiemTinDung></ns1:CongDan>"
    )
    return population_xml.envelope(population_xml.collection([citizen]))


def _deep() -> str:
    return population_xml.envelope("<a>" * LEVELS + "</a>" * LEVELS)


def _doctype() -> str:
    """Ten entities, each ten times the one before: ten thousand million letters when expanded."""
    entities = "".join(
        f'<!ENTITY e{n} "{"&e" + str(n - 1) + ";" if n else "a"}{("&e" + str(n - 1) + ";" if n else "a") * 9}">'
        for n in range(10)
    )
    declaration, _, rest = population_xml.envelope(population_xml.collection(["&e9;"])).partition("\n")
    return f"{declaration}\n<!DOCTYPE bomb [{entities}]>{rest}"


def _huge(size: int) -> Iterator[bytes]:
    """A well-formed answer with one detail of ``size`` bytes."""
    opening = "<ns1:CongDan><ns1:ThuongTru><ns1:ChiTiet>"
    frame = population_xml.envelope(
        population_xml.collection([opening + "\0" + "</ns1:ChiTiet></ns1:ThuongTru></ns1:CongDan>"])
    )
    before, _, after = frame.partition("\0")
    yield before.encode()
    filler = b"A" * _PIECE
    for _ in range(size // _PIECE):
        yield filler
    yield after.encode()


def _as_json(simulator: "PopulationSimulator", received: Received) -> str:
    """The record as JSON text inside Body (Q13), with the names of the XML elements."""
    found = [as_object(simulator.with_quirks(one)) for one in simulator.find(simulator.read(received.body))]
    content: dict[str, object] = {"CongDan": found[0] if len(found) == 1 else found} if found else {}
    return json.dumps({"CongdanCollection": content}, ensure_ascii=False).replace("&", "&amp;").replace("<", "&lt;")


def as_object(person: Person) -> dict[str, object]:
    """CongDan as a JSON object: the XML's elements by name, text for text; empty elements are null."""
    text = population_xml.citizen(person).replace(
        "<ns1:CongDan>", f'<ns1:CongDan xmlns:ns1="{population_xml.ANSWER}">', 1
    )
    made = _object(etree.fromstring(text))
    assert isinstance(made, dict)
    return made


def _object(element: etree._Element) -> object:
    if len(element) == 0:
        return element.text
    return {child.tag.rpartition("}")[2]: _object(child) for child in element}
