"""Judicial records: ``nhanHoSoDangKy`` takes a request for a certificate, ``traTrangThaiHs`` says how far it is.

JSON over REST as published by one provincial platform; codes are numbers, dates ``dd/MM/yyyy``, sex 1 or 0.
"""

import re
from typing import Any, ClassVar, Final

from msgspec import Struct

from adapters.simulators import dossiers
from adapters.simulators.access import Access
from adapters.simulators.dossiers import slashed
from adapters.simulators.json_system import Content, JsonSystem, RefusedError
from adapters.simulators.people import People
from adapters.simulators.wire import Received

SUBMIT: Final = "nhanHoSoDangKy"
STATUS: Final = "traTrangThaiHs"

RECEIVED: Final = 3
PROCESSING: Final = 4
ISSUED: Final = 5
_NAMES: Final = {RECEIVED: "STP đã tiếp nhận", PROCESSING: "Đang xử lý", ISSUED: "Đã có phiếu"}
_ONE_STOP: Final = "2"
_PROVINCE: Final = re.compile(r"H([0-9]{2})")
_OK: Final = 1
_KEPT: Final = 10_000

_TEXTS: Final = ("fullName", "birthDateStr", "identifyNo", "declareDate")
_NUMBERS: Final = (
    "genderId",
    "nationalityId",
    "idTypeId",
    "phone",
    "declareTypeId",
    "requestQty",
    "objectRequestId",
    "formType",
)
"""What a declaration must have, and in which of JSON's types: a number as text is refused."""


class Case(Struct, frozen=True, kw_only=True):
    """A request for a certificate and how far it is. reference: the register's own id. Dates are ISO text."""

    code: str
    reference: str
    identity_number: str
    state: int
    approved: str | None = None
    issued: str | None = None


class JudicialRecordSimulator(JsonSystem):
    """The judicial record register of ``people``; a dossier of a generated person is there from the start.

    cases: code → what was sent, or what ``move`` put there.
    """

    PATH: ClassVar[str] = "/apiLyLichTuPhap"

    def __init__(self, people: People, *, access: Access | None = None) -> None:
        super().__init__(people, access=access)
        self.cases: dict[str, Case] = {}
        self.operations = {SUBMIT: self._submit, STATUS: self._status}

    def find(self, code: str) -> Case | None:
        """The dossier of a code: one that was sent, or a generated person's."""
        person = dossiers.owner_of(code, self.people)
        known = self.cases.get(code)
        if known or person is None:
            return known
        state = (RECEIVED, PROCESSING, ISSUED)[person.index % 3]
        return _case(code, person.identity_number, state)

    def move(self, code: str, state: int) -> None:
        """Take a dossier on to a state, one outside the list too. Raises KeyError where there is none."""
        found = self.find(code)
        if found is None:
            raise KeyError("no such dossier")
        self.cases[code] = _case(code, found.identity_number, state)

    def malformed(self, text: str) -> RefusedError:
        """DATA_INCORRECT."""
        return RefusedError("500", f"DATA_INCORRECT: {text}")

    def refusal(self, refused: RefusedError) -> Content:
        """The error's code stands in STATUS."""
        return {"STATUS": int(refused.code), "DESCRIPTION": str(refused)}

    def other(self, received: Received, right: Content) -> Content:
        """The answer about the next person's dossier."""
        person = dossiers.owner_of(str(right.get("RECEIVE_NO")), self.people)
        neighbour = self.people[(person.index if person else 0) + 1]
        code = dossiers.code_of(neighbour)
        if self.operation(received) == STATUS:
            return self._status({"idReceivedDec": code, "infoType": _ONE_STOP})
        return {**right, "RECEIVE_NO": code}

    def lie(self, right: Content) -> Content:
        """It worked, and the state is a structure."""
        return {
            **right,
            "STATUS": _OK,
            "DEC_STATUS_ID": {"id": [5]},
            "ISSUE_DATE": 20261101,
            "ID": {"so": 1},
            "AN_TICH": 3,
        }

    def _submit(self, asked: Content) -> Content:
        code = self.text(asked, "idReceivedDec", longest=50)
        if self.text(asked, "idMinistryJustice", longest=20) != _unit(code):
            raise RefusedError("106", "AGENCY_ID_INCORRECT")
        for name in ("dateReceivedDec", "datePromissoryDec"):
            _day(self.text(asked, name, longest=10), self.malformed(name))
        form = asked.get("declarationWSForm")
        if not isinstance(form, dict):
            raise self.malformed("declarationWSForm")
        self._check(form)
        residences = asked.get("residenceWSForm", [])
        if not isinstance(residences, list) or not all(_is_residence(one) for one in residences):
            raise self.malformed("residenceWSForm")
        if self.find(code):
            raise self.malformed("idReceivedDec đã tồn tại")
        if len(self.cases) >= _KEPT:
            del self.cases[next(iter(self.cases))]
        self.cases[code] = _case(code, form["identifyNo"], RECEIVED)
        return {
            "STATUS": _OK,
            "DESCRIPTION": "Tiếp nhận thành công",
            "ID": self.cases[code].reference,
            "RECEIVE_NO": code,
        }

    def _check(self, form: dict[str, Any]) -> None:
        for name in _TEXTS:
            self.text(form, name)
        wrong = [name for name in _NUMBERS if not isinstance(form.get(name), int) or isinstance(form[name], bool)]
        if wrong:
            raise self.malformed(", ".join(wrong))
        if form["genderId"] not in {0, 1} or form["formType"] not in {1, 2} or form.get("receiveNo") is None:
            raise self.malformed("genderId, formType, receiveNo")
        _day(form["declareDate"], self.malformed("declareDate"))
        if self.people.by_number(form["identifyNo"]) is None:
            raise self.malformed("identifyNo không có trong cơ sở dữ liệu")

    def _status(self, asked: Content) -> Content:
        if asked.get("infoType") != _ONE_STOP:
            raise RefusedError("302", "DATA_TYPE_INVALID")
        found = self.find(self.text(asked, "idReceivedDec", longest=50))
        if found is None:
            raise RefusedError("201", "RECORD_NOT_FOUND")
        return {
            "STATUS": _OK,
            "DESCRIPTION": "",
            "RECEIVE_NO": found.code,
            "DEC_STATUS_ID": found.state,
            "DEC_STATUS_NAME": _NAMES.get(found.state, "Trạng thái khác"),
            "APPROVE_DATE": slashed(found.approved) if found.approved else "",
            "ISSUE_DATE": slashed(found.issued) if found.issued else "",
        }


def _case(code: str, identity_number: str, state: int) -> Case:
    received = dossiers.received_on(code)
    issued = state == ISSUED
    return Case(
        code=code,
        reference=f"LLTP{int(code[-11:-5]):06d}{code[-4:]}",
        identity_number=identity_number,
        state=state,
        approved=received if issued else None,
        issued=received if issued else None,
    )


def _unit(code: str) -> str:
    """The department of justice's code that goes with a dossier's agency; the form is assumed."""
    found = _PROVINCE.search(code)
    return "STP" + (found[1] if found else "")


def _day(text: str, error: RefusedError) -> None:
    if [len(part) for part in text.split("/") if part.isdecimal()] != [2, 2, 4]:
        raise error


def _is_residence(one: object) -> bool:
    return isinstance(one, dict) and all(
        isinstance(one.get(name), str) and one[name] for name in ("fromDateStr", "toDateStr", "residencePlace")
    )
