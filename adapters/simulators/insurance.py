"""Social insurance: JSON over REST on a socket, with an API key (``schemas/openapi/insurance.json``)."""

import json
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Final

from msgspec.structs import replace

from adapters.simulators import charsets
from adapters.simulators.access import Access
from adapters.simulators.misbehave import LEVELS, Misbehaviour, Mode
from adapters.simulators.people import People, unaccented
from adapters.simulators.person import Address, BirthDate, Person
from adapters.simulators.simulator import Simulator
from adapters.simulators.wire import Answer, Received

HOUSEHOLD: Final = "getTraCuuTtHgdByMaSoBhxh"
BY_CRITERIA: Final = "getMaSoBhxhTheoTieuChi"
BY_NUMBER: Final = "getTheBhytBySoDinhDanh"

SEXES: Final = {"male": "1", "female": "2"}
BIRTH_KINDS: Final = {"day": "0", "year": "1", "month": "2"}
STATES: Final = {"active": "1", "suspended": "2", "expired": "0"}

_UNREADABLE: Final = {"errorCode": "302", "message": "DATA_TYPE_INVALID"}
_NOT_FOUND: Final = "201"
_JSON: Final = "application/json; charset=utf-8"
_PIECE: Final = 64 * 1024


class InsuranceSimulator(Simulator):
    """The insurance register of ``people``: its own values, which contradict the population database's here and there.

    access: who may call, everybody by default; usually ``ApiKey``.
    """

    PATH: ClassVar[str] = "/apiBHXH"
    UNSUPPORTED: ClassVar[frozenset[Mode]] = frozenset({Mode.DOCTYPE, Mode.JSON_BODY})

    def __init__(self, people: People, *, access: Access | None = None) -> None:
        super().__init__()
        self.people = people
        self.access = access
        self._by_name: dict[tuple[str, str], list[int]] | None = None
        self._operations: dict[str, Callable[[dict[str, str]], dict[str, Any]]] = {
            HOUSEHOLD: self._household,
            BY_CRITERIA: self._by_criteria,
            BY_NUMBER: self._by_number,
        }

    def operation(self, received: Received) -> str:
        """The last part of the path, where it is an operation."""
        name = received.path.removeprefix(self.PATH + "/")
        return name if name in self._operations else "unknown"

    def answer(self, received: Received) -> Answer:
        """The right answer."""
        if self.access and not self.access.admits(received, self.url):
            self.answers["unauthorised"] += 1
            return _answer({"errorCode": "100", "message": "AUTHEN_ERROR"}, status=401)
        operation = self._operations.get(self.operation(received))
        if operation is None or received.method != "POST":
            return _answer({"errorCode": "302", "message": "no such operation"}, status=404)
        try:
            content = operation(_strings(received.body))
        except (ValueError, KeyError):
            self.answers["unreadable"] += 1
            return _answer(_UNREADABLE, status=400)
        self.answers["not found" if content["errorCode"] else "found"] += 1
        return _answer(content)

    def twist(self, received: Received, right: Answer, how: Misbehaviour) -> Answer:
        """The answer that misbehaves."""
        match how.mode:
            case Mode.WINDOWS_1258:
                return replace(right, body=charsets.windows_1258(right.body.decode()))
            case Mode.TCVN3:
                return replace(right, body=charsets.tcvn3(right.body.decode()))
            case Mode.OTHER_PERSON:
                return _answer(self._other(received))
            case Mode.HUGE:
                return replace(right, body=b"", pieces=_huge(how.megabytes * 2**20))
            case mode:
                return replace(right, body=_BROKEN[mode])

    def _household(self, asked: dict[str, str]) -> dict[str, Any]:
        person = self._insured(asked["maSoBhxh"])
        if person is None or person.insurance is None or person.insurance.number != asked["maSoBhxh"]:
            return {"errorCode": _NOT_FOUND}
        members = [entry(one) for one in self.people.household(person)]
        return {"errorCode": "", "maHo": person.insurance.household_code, "thanhVien": members}

    def _by_criteria(self, asked: dict[str, str]) -> dict[str, Any]:
        birth = _birth(asked["ngaySinh"], asked["loaiNgaySinh"])
        found = [
            one
            for one in map(self.people.__getitem__, self._names().get((unaccented(asked["hoTen"]), birth.date), ()))
            if one.insurance
            and SEXES[one.insurance.sex] == asked["gioiTinh"]
            and asked.get("maTinhKs", "") in {"", one.insurance.address.province}
        ]
        if len(found) != 1 or found[0].insurance is None:
            return {"maSoBhxh": "", "trangThai": "", "errorCode": "200" if found else _NOT_FOUND}
        insurance = found[0].insurance
        return {"maSoBhxh": insurance.number, "trangThai": STATES[insurance.status], "errorCode": ""}

    def _by_number(self, asked: dict[str, str]) -> dict[str, Any]:
        number = asked["soDinhDanh"]
        person = self._insured(number)
        if person is None or person.identity_number != number:
            return {"errorCode": _NOT_FOUND}
        return {"errorCode": "", **card(person)}

    def _insured(self, number: str) -> Person | None:
        person = self.people.by_number(number)
        return person if person and person.insurance else None

    def _names(self) -> dict[tuple[str, str], list[int]]:
        """Everybody's index by the name and date of this register; read once, which suits some thousand people."""
        if self._by_name is None:
            self._by_name = {}
            for one in self.people:
                if one.insurance:
                    key = (unaccented(one.insurance.full_name), one.insurance.birth.date)
                    self._by_name.setdefault(key, []).append(one.index)
        return self._by_name

    def _other(self, received: Received) -> dict[str, Any]:
        """The next insured person after the one who was asked about."""
        asked = _strings(received.body)
        person = self._insured(asked.get("soDinhDanh") or asked.get("maSoBhxh") or "")
        start = person.index if person else 0
        after = (self.people[(start + step) % len(self.people)] for step in range(1, len(self.people)))
        return {"errorCode": "", **card(next(one for one in after if one.insurance))}


def entry(person: Person) -> dict[str, Any]:
    """One insured person as the register lists them in a household."""
    insurance = person.insurance
    assert insurance is not None
    return {
        "maSoBhxh": insurance.number,
        "soDinhDanh": person.identity_number,
        "hoTen": insurance.full_name,
        "soSoCu": "",
        "ngaySinh": _filled(insurance.birth),
        "loaiNgaySinh": BIRTH_KINDS[insurance.birth.precision],
        "gioiTinh": SEXES[insurance.sex],
        **_codes(insurance.address),
        "trangThai": STATES[insurance.status],
    }


def card(person: Person) -> dict[str, Any]:
    """One insured person with card, household and address."""
    insurance = person.insurance
    assert insurance is not None
    return {
        **entry(person),
        "maTheBhyt": insurance.card_number,
        "giaTriTu": insurance.valid_from.replace("-", ""),
        "giaTriDen": insurance.valid_to.replace("-", ""),
        "noiDangKyKcb": {"ma": insurance.facility[0], "ten": insurance.facility[1]},
        "maHo": insurance.household_code,
        "diaChi": insurance.address.detail,
    }


def _codes(address: Address) -> dict[str, str]:
    return {"maTinhKs": address.province, "maHuyenKs": address.district or "", "maXaKs": address.commune}


def _filled(birth: BirthDate) -> str:
    """yyyyMMdd, with 01 for what is not known."""
    return (birth.date + "-01-01")[:10].replace("-", "")


def _birth(digits: str, kind: str) -> BirthDate:
    """The date that a query names. Raises ValueError or KeyError."""
    precision, length = {"0": ("day", 10), "1": ("year", 4), "2": ("month", 7)}[kind]
    if len(digits) != 8 or not digits.isdigit():  # noqa: PLR2004 - yyyyMMdd
        raise ValueError("a date has eight digits")
    iso = f"{digits[:4]}-{digits[4:6]}-{digits[6:]}"
    return BirthDate(date=iso[:length], precision=precision)  # type: ignore[arg-type] # one of the three


def _strings(body: bytes) -> dict[str, str]:
    """A JSON object of strings. Raises ValueError for anything else."""
    asked = json.loads(body)
    if not isinstance(asked, dict) or not all(isinstance(value, str) for value in asked.values()):
        raise ValueError("an object of strings is expected")
    return asked


def _answer(content: dict[str, Any], *, status: int = 200) -> Answer:
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return Answer(status=status, content_type=_JSON, body=body)


def _huge(size: int) -> Iterator[bytes]:
    yield b'{"errorCode":"","diaChi":"'
    filler = b"A" * _PIECE
    for _ in range(size // _PIECE):
        yield filler
    yield b'"}'


_BROKEN: Final = {
    Mode.LIE: '{"errorCode":0,"maSoBhxh":{"so":1},"hoTen":["Ai đó"],"diemTinDung":700}'.encode(),
    Mode.DEEP: b'{"errorCode":"","noiDangKyKcb":' + b"[" * LEVELS + b"]" * LEVELS + b"}",
    Mode.DUPLICATE_KEYS: b'{"errorCode":"","maSoBhxh":"3120000001","maSoBhxh":"3120000002"}',
    Mode.NAN: b'{"errorCode":"","maSoBhxh":"3120000001","tyLe":NaN}',
    Mode.HUGE_NUMBER: b'{"errorCode":"","maSoBhxh":"3120000001","tyLe":1e400}',
    Mode.LONE_SURROGATE: b'{"errorCode":"","maSoBhxh":"3120000001","hoTen":"\\ud800"}',
}
"""Bodies that no client may take for an answer."""
