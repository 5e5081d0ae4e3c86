"""A provincial platform (LGSP) in front of the population database: JSON in a wrapper, with the platform's own errors.

``{code, status, correlationId, response}``: an error is a code inside a 200. The platform turns the database's XML into
JSON as converters do: names stay, an element that occurs once is a structure and one that occurs twice a list, an empty
one is null. The records and their quirks are the population simulator's.
"""

import uuid
from typing import Any, ClassVar, Final

from lxml import etree

from adapters.simulators import population_xml
from adapters.simulators.access import Access
from adapters.simulators.json_system import Content, JsonSystem, RefusedError
from adapters.simulators.people import People, unaccented
from adapters.simulators.person import Person
from adapters.simulators.wire import Received

LOOK_UP: Final = "traCuuThongTinCongDan"
_OK: Final = "0"


class LgspSimulator(JsonSystem):
    """The platform of ``people``'s province; ``access`` is usually a LgspToken.

    agencies: those that are registered with the platform; None takes any. incomplete: personal numbers whose record is
    not complete yet (200).
    """

    PATH: ClassVar[str] = "/apiDanCu"

    def __init__(self, people: People, *, access: Access | None = None, agencies: frozenset[str] | None = None) -> None:
        super().__init__(people, access=access)
        self.agencies = agencies
        self.incomplete: set[str] = set()
        self.operations = {LOOK_UP: self._look_up}

    def malformed(self, text: str) -> RefusedError:
        """DATA_TYPE_INVALID."""
        return RefusedError("302", f"DATA_TYPE_INVALID: {text}")

    def refusal(self, refused: RefusedError) -> Content:
        """The wrapper with an error; its response has a sentence only."""
        return _wrapped(refused.code, "error", {"message": str(refused)})

    def other(self, received: Received, right: Content) -> Content:
        """The next person."""
        asked = self.read(received)
        person = self.people.by_number(str(asked.get("soDinhDanh") or asked.get("soCMND") or ""))
        start = person.index if person else 0
        after = (self.people[(start + step) % len(self.people)] for step in range(1, len(self.people)))
        neighbour = next(one for one in after if one.in_population)
        return {**right, "response": {"CongdanCollection": {"CongDan": _record(neighbour)}}}

    def lie(self, right: Content) -> Content:
        """Success, and the citizen is made of numbers."""
        citizen = {"SoDinhDanh": {"so": 1}, "HoVaTen": [["Ai đó"]], "DiemTinDung": 700}
        return {**right, "code": _OK, "status": "success", "response": {"CongdanCollection": {"CongDan": citizen}}}

    def _look_up(self, asked: Content) -> Content:
        for name, longest in (("maYeuCau", 40), ("maThuTuc", 20), ("maCanBo", 20)):
            self.text(asked, name, longest=longest)
        if self.agencies is not None and asked.get("maDonVi") not in self.agencies:
            raise RefusedError("106", "AGENCY_ID_INCORRECT")
        found = [person for person in self._candidates(asked) if person.in_population and _fits(person, asked)]
        if not found:
            raise RefusedError("201", "RECORD_NOT_FOUND")
        if any(person.identity_number in self.incomplete for person in found):
            raise RefusedError("200", "RECORD_UNCOMPLETE")
        records = [_record(person) for person in found]
        citizens: Any = records[0] if len(records) == 1 else records
        # the code is a number in some answers and text in others
        return _wrapped(0 if found[0].index % 2 else _OK, "success", {"CongdanCollection": {"CongDan": citizens}})

    def _candidates(self, asked: Content) -> list[Person]:
        number = asked.get("soDinhDanh") or asked.get("soCMND")
        if number:
            person = self.people.by_number(str(number))
            return [person] if person else []
        name, birth = self.text(asked, "hoVaTen", longest=100), self.text(asked, "ngaySinh", longest=10)
        if not birth.replace("-", "").isdecimal():
            raise self.malformed("ngaySinh")
        return self.people.by_name(name, birth)


def _fits(person: Person, asked: Content) -> bool:
    """Whether name and date are the register's; the name as the register wants to be asked (Q04)."""
    name, birth = asked.get("hoVaTen"), asked.get("ngaySinh")
    if name and name != unaccented(person.name.full):
        return False
    known = person.birth.date
    return not birth or birth in {known, known[:4]}


def _wrapped(code: str | int, status: str, response: Content) -> Content:
    return {"code": code, "status": status, "correlationId": str(uuid.uuid4()), "response": response}


def _record(person: Person) -> Any:
    """The database's CongDan, as a converter writes it."""
    text = population_xml.collection([population_xml.citizen(person)])
    return _converted(etree.fromstring(text)[0])


def _converted(element: etree._Element) -> Any:
    if not len(element):
        return element.text
    made: dict[str, Any] = {}
    for child in element:
        name = etree.QName(child).localname
        value = _converted(child)
        if name not in made:
            made[name] = value
        else:
            made[name] = [*made[name], value] if isinstance(made[name], list) else [made[name], value]
    return made
