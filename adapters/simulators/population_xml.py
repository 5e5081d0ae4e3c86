"""The population database's answers as text: a person's record with the quirks that it shows."""

import unicodedata
from collections.abc import Iterable
from typing import Final
from xml.sax.saxutils import escape

from adapters.simulators.person import Address, Person, Relative

ANSWER: Final = "http://www.mic.gov.vn/dancu/1.0"
REQUEST: Final = "http://dancuquocgia.bca"
ENVELOPE: Final = "http://schemas.xmlsoap.org/soap/envelope/"
_DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'

SEXES: Final = {"male": "1", "female": "2"}
MARITAL: Final = {"single": "1", "married": "2", "divorced_or_widowed": "3"}
BLOOD: Final = {"unknown": "00", "A": "01", "B": "02", "AB": "03", "O": "04"}
UNLISTED: Final = {"GioiTinh": "7", "TinhTrangHonNhan": "9", "NhomMau": "05"}
"""What records with Q16 hold."""


def envelope(content: str) -> str:
    """A SOAP 1.1 envelope around the content of Body."""
    return (
        f'{_DECLARATION}<soapenv:Envelope xmlns:soapenv="{ENVELOPE}"><soapenv:Header/>'
        f"<soapenv:Body>{content}</soapenv:Body></soapenv:Envelope>"
    )


def collection(citizens: Iterable[str], *, as_of: str = "") -> str:
    """CongdanCollection around whole CongDan elements; ``as_of``: ThoiDiemDuLieu, yyyyMMddHHmmss."""
    moment = f' ThoiDiemDuLieu="{as_of}"' if as_of else ""
    return f'<ns1:CongdanCollection xmlns:ns1="{ANSWER}"{moment}>{"".join(citizens)}</ns1:CongdanCollection>'


def refusal(code: str, text: str) -> str:
    """CongdanCollection with an error instead of people (Q08)."""
    return collection([_element("MaLoi", code), _element("MoTaLoi", text)])


def verdict(*, exists: bool) -> str:
    """KetQuaXacThuc of a verification."""
    return (
        f'<dan:KetQuaXacThuc xmlns:dan="{REQUEST}"><dan:TonTai>{"true" if exists else "false"}</dan:TonTai>'
        "</dan:KetQuaXacThuc>"
    )


def verdict_refusal(code: str, text: str) -> str:
    """KetQuaXacThuc with an error instead of a verdict (Q08)."""
    return (
        f'<dan:KetQuaXacThuc xmlns:dan="{REQUEST}"><dan:MaLoi>{code}</dan:MaLoi>'
        f"<dan:MoTaLoi>{escape(text)}</dan:MoTaLoi></dan:KetQuaXacThuc>"
    )


def fault(text: str) -> str:
    """A SOAP 1.1 fault that blames the client."""
    return (
        f"<soapenv:Fault><faultcode>soapenv:Client</faultcode><faultstring>{escape(text)}</faultstring></soapenv:Fault>"
    )


def citizen(person: Person) -> str:
    """The whole CongDan."""
    shown = person.quirks
    unlisted = UNLISTED if "Q16" in shown else {}
    parts = [
        *_identity(person),
        _element("GioiTinh", unlisted.get("GioiTinh", SEXES[person.sex])),
        _element("DanToc", person.ethnicity),
        _element("TonGiao", person.religion),
        _element("TinhTrangHonNhan", unlisted.get("TinhTrangHonNhan", MARITAL[person.marital_status])),
        _element("NhomMau", unlisted.get("NhomMau", BLOOD[person.blood_group])),
        _birth(person),
        _address("NoiDangKyKhaiSinh", person.birth_registration_place, shown),
        _element("QuocTich", person.nationality),
        _address("QueQuan", person.hometown, shown),
        _address("ThuongTru", person.residence, shown),
        _address("NoiOHienTai", person.current_address, shown),
        *_relatives(person),
        _element("SoSoHoKhau", person.household_number or ""),
    ]
    return _finish(parts, shown)


def relatives_of(person: Person) -> str:
    """CongDan as XacMinhThongTinNhanThan shows it: identity, date of birth and relatives."""
    return _finish([*_identity(person), _birth(person), *_relatives(person)], person.quirks)


def _finish(parts: Iterable[str], shown: frozenset[str]) -> str:
    text = f"<ns1:CongDan>{''.join(parts)}</ns1:CongDan>"
    return unicodedata.normalize("NFD", text) if "Q17" in shown else text


def _identity(person: Person) -> tuple[str, str, str]:
    return (
        _element("SoDinhDanh", person.identity_number),
        _element("SoCMND", person.old_card_number or ""),
        _name(person),
    )


def _element(name: str, text: str) -> str:
    return f"<ns1:{name}>{escape(text)}</ns1:{name}>" if text else f"<ns1:{name}/>"


def _name(person: Person) -> str:
    name = person.name
    if "Q02" in person.quirks or name.family is None:
        return _wrap("HoVaTen", _element("Ho", ""), _element("ChuDem", ""), _element("Ten", name.full))
    return _wrap(
        "HoVaTen", _element("Ho", name.family), _element("ChuDem", name.middle or ""), _element("Ten", name.given or "")
    )


def _wrap(name: str, *parts: str) -> str:
    return f"<ns1:{name}>{''.join(parts)}</ns1:{name}>"


def _birth(person: Person) -> str:
    date = person.birth.date
    year = _element("Nam", date[:4])
    if person.birth.precision == "year":
        return _wrap("NgayThangNamSinh", year)
    written = date if "Q05" in person.quirks else date.replace("-", "")
    return _wrap("NgayThangNamSinh", year, _element("NgayThangNam", written))


def _address(name: str, address: Address, shown: frozenset[str]) -> str:
    """The district: with the old list there, with the new one gone, or empty where the record shows Q14."""
    district = (
        "" if address.district is None and "Q14" not in shown else _element("MaQuanHuyen", address.district or "")
    )
    return _wrap(
        name,
        _element("MaTinhThanh", address.province),
        district,
        _element("MaPhuongXa", address.commune),
        _element("ChiTiet", address.detail),
        _element("QuocGia", address.country),
    )


def _relatives(person: Person) -> list[str]:
    structured = "Q03" in person.quirks
    named = (
        ("Cha", person.father),
        ("Me", person.mother),
        ("VoChong", person.spouse),
        ("NguoiDaiDien", person.representative),
    )
    parts = [_relative(name, relative, structured=structured) for name, relative in named if relative]
    head = person.household_head
    if head:
        parts.append(
            _wrap(
                "ChuHo",
                _element("QuanHe", person.household_relation),
                *_numbers(head),
                _whole(head, structured=structured),
            )
        )
    return parts


def _relative(name: str, relative: Relative, *, structured: bool) -> str:
    return _wrap(
        name, _whole(relative, structured=structured), _element("QuocTich", relative.nationality), *_numbers(relative)
    )


def _numbers(relative: Relative) -> tuple[str, str]:
    return _element("SoDinhDanh", relative.identity_number or ""), _element("SoCMND", relative.old_card_number or "")


def _whole(relative: Relative, *, structured: bool) -> str:
    name = relative.name
    if not structured:
        return _element("HoVaTen", name.full)
    if name.family is None:
        return _wrap("HoVaTen", _element("Ten", name.full))
    parts = (("Ho", name.family), ("ChuDem", name.middle), ("Ten", name.given))
    return _wrap("HoVaTen", *(_element(part, text or "") for part, text in parts))
