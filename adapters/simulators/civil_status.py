"""Civil status (birth registration): JSON over REST with XML text inside, as published by one provincial platform.

``dangKyHoTich`` takes a registration, ``traTrangThaiHoSo`` says how far it is, ``ketQuaDangKyHS`` gives what was
registered. Registrations of the generated people are there from the start; those that are sent are kept beside them.
"""

from typing import Any, ClassVar, Final

from msgspec import Struct

from adapters.simulators import civil_status_xml, dossiers, numbers, places
from adapters.simulators.access import Access
from adapters.simulators.civil_status_xml import Registration
from adapters.simulators.json_system import Content, JsonSystem, RefusedError
from adapters.simulators.people import People
from adapters.simulators.person import Person
from adapters.simulators.wire import Received

REGISTER: Final = "dangKyHoTich"
STATUS: Final = "traTrangThaiHoSo"
RESULT: Final = "ketQuaDangKyHS"

RECEIVED: Final = "1"
SUPPLEMENT: Final = "2"
ELIGIBLE: Final = "3"
DONE: Final = "4"
ERROR: Final = "0"
_DESCRIPTIONS: Final = {
    RECEIVED: "Đã tiếp nhận hồ sơ, chờ xử lý",
    SUPPLEMENT: "Hồ sơ cần bổ sung thông tin",
    ELIGIBLE: "Hồ sơ đủ điều kiện giải quyết",
    DONE: "Đã hoàn thành đăng ký",
}
_SHARES: Final = {1: RECEIVED, 2: SUPPLEMENT, 3: ELIGIBLE}
"""Index modulo 8 → how far the dossier is; the others are done."""
_KEPT: Final = 10_000
"""The most registrations that are kept; the oldest goes."""
BIRTH: Final = "KS"
"""The module of birth registration, the only one that is simulated."""


class Dossier(Struct, frozen=True, kw_only=True):
    """A registration and how far it is. unit: the Ministry of Justice's code of the place. number: given when done."""

    code: str
    unit: int
    state: str
    registration: Registration
    number: str | None = None
    note: str = ""


class CivilStatusSimulator(JsonSystem):
    """Civil status in ``people``.

    dossiers: code → what was sent, or what ``move`` put there. A parent's number that nobody has makes a registration
    one that needs a supplement.
    """

    PATH: ClassVar[str] = "/apiHoTichTuPhap"

    def __init__(self, people: People, *, access: Access | None = None) -> None:
        super().__init__(people, access=access)
        self.dossiers: dict[str, Dossier] = {}
        self._units = {int(places.commune_code(prefix, n)) for prefix in places.FORMER for n in range(_COMMUNES)}
        self.operations = {REGISTER: self._register, STATUS: self._status, RESULT: self._result}

    def find(self, code: str) -> Dossier | None:
        """The dossier of a code: one that was sent, or a generated person's."""
        person = dossiers.owner_of(code, self.people)
        return self.dossiers.get(code) or (None if person is None else registered(person, code))

    def move(self, code: str, state: str, *, note: str = "") -> None:
        """Take a dossier on to a state, one outside the list too. Raises KeyError where there is none."""
        found = self.find(code)
        if found is None:
            raise KeyError("no such dossier")
        number = found.number or (self._new_number(found) if state == DONE else None)
        self.dossiers[code] = Dossier(
            code=code, unit=found.unit, state=state, registration=found.registration, number=number, note=note
        )

    def malformed(self, text: str) -> RefusedError:
        """DATA_INCORRECT: the system's one code for data that it cannot take."""
        return RefusedError("500", f"DATA_INCORRECT: {text}")

    def refusal(self, refused: RefusedError) -> Content:
        """State 0 with the error."""
        return {"trangThai": ERROR, "giaTri": None, "maLoi": refused.code, "moTaLoi": str(refused)}

    def other(self, received: Received, right: Content) -> Content:
        """The answer about the next person's dossier."""
        person = dossiers.owner_of(str(right.get("maHoSo")), self.people)
        neighbour = registered(self.people[(person.index if person else 0) + 1])
        if self.operation(received) == RESULT:
            return self._entry(neighbour)
        return {**right, "maHoSo": neighbour.code}

    def lie(self, right: Content) -> Content:
        """A state that is a structure, beside a value that is none."""
        return {**right, "trangThai": {"ma": [1]}, "giaTri": "không có", "diemTinDung": 700}

    def _register(self, asked: Content) -> Content:
        unit, code = self._unit(asked), self.text(asked, "maHoSo", longest=50)
        if asked.get("module") != BIRTH:
            raise self.malformed("module")
        if not dossiers.is_code(code) or not _is_slashed_day(asked.get("ngayTiepNhan")):
            raise self.malformed("maHoSo, ngayTiepNhan")
        if self.find(code):
            raise self.malformed("maHoSo đã tồn tại")
        try:
            registration = civil_status_xml.read(self.text(asked, "data", longest=100_000))
        except ValueError as error:
            raise self.malformed(str(error)) from None
        unknown = [n for n in registration.parents() if self.people.by_number(n) is None]
        state, note = (SUPPLEMENT, "số định danh của cha, mẹ") if unknown else (RECEIVED, "")
        if len(self.dossiers) >= _KEPT:
            del self.dossiers[next(iter(self.dossiers))]
        self.dossiers[code] = Dossier(code=code, unit=unit, state=state, registration=registration, note=note)
        return _said(RECEIVED, code, "Gửi thông tin thành công")

    def _status(self, asked: Content) -> Content:
        dossier = self._asked(asked)
        description = _DESCRIPTIONS.get(dossier.state, "Trạng thái khác")
        return _said(dossier.state, dossier.code, f"{description}: {dossier.note}" if dossier.note else description)

    def _result(self, asked: Content) -> Content:
        dossier = self._asked(asked)
        if dossier.state != DONE:
            raise RefusedError("200", "RECORD_UNCOMPLETE")
        return self._entry(dossier)

    def _entry(self, dossier: Dossier) -> Content:
        serial = int(dossier.code[-4:])
        entry = {
            "id": str(1_000_000 + serial),
            "so": str(serial % 500 + 1),
            "quyenSo": f"01/20{dossier.code[-11:-9]}",
            "trangSo": str(serial % 200 + 1),
            "ngayDangKy": dossiers.slashed(dossiers.received_on(dossier.code)),
            "nksSoDDCN": dossier.number or "",
            **dossier.registration.fields,
        }
        return {**_said("1", dossier.code, "Giao dịch thành công"), "giaTri": [entry]}

    def _asked(self, asked: Content) -> Dossier:
        unit, dossier = self._unit(asked), self.find(self.text(asked, "maHoSo", longest=50))
        if dossier is None or dossier.unit != unit:
            raise RefusedError("201", "RECORD_NOT_FOUND")
        return dossier

    def _unit(self, asked: Content) -> int:
        """``maDonVi`` is a number, though many send its digits as text."""
        value: Any = asked.get("maDonVi")
        unit = int(value) if isinstance(value, str) and value.isdecimal() else value
        if not isinstance(unit, int) or isinstance(unit, bool) or unit not in self._units:
            raise RefusedError("106", "AGENCY_ID_INCORRECT")
        return unit

    def _new_number(self, dossier: Dossier) -> str:
        """A number that nobody of the people has."""
        fields = dossier.registration.fields
        index = min(len(self.people) + int(dossier.code[-4:]), numbers.CAPACITY - 1)
        year = int(fields["nksNgaySinh"][-4:])
        return numbers.identity_number(index, prefix="031", male=fields["nksGioiTinh"] == "1", year=year)


_COMMUNES: Final = places.COMMUNES_PER_PROVINCE


def registered(person: Person, code: str | None = None) -> Dossier:
    """The registration of a generated person's own birth."""
    return Dossier(
        code=code or dossiers.code_of(person),
        unit=int(person.birth_registration_place.commune),
        state=_SHARES.get(person.index % 8, DONE),
        registration=civil_status_xml.of_person(person),
        number=person.identity_number,
    )


def _said(state: str, code: str, text: str) -> Content:
    """An answer without error. The state is a number in some answers and text in others."""
    number = int(state) if int(code[-4:]) % 2 else state
    return {"maHoSo": code, "trangThai": number, "moTaTrangThai": text, "giaTri": None, "maLoi": "", "moTaLoi": ""}


def _is_slashed_day(value: object) -> bool:
    parts = value.split("/") if isinstance(value, str) else []
    return [len(part) for part in parts] == [2, 2, 4] and all(part.isdecimal() for part in parts)
