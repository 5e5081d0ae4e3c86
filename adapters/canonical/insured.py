"""Social insurance's entries as the canonical insurance card."""

from collections.abc import Mapping

from adapters.canonical import codes, elements
from adapters.canonical.elements import AnswerError, Document

_SEX = codes.table("insurance.sex")
_STATUS = codes.table("insurance.status")
_PRECISION = codes.table("insurance.birth_precision")
_LENGTHS = {"day": 8, "month": 6, "year": 4}


def card(entry: Mapping[str, object]) -> Document:
    """The canonical card of a The or of a household's member. Raises AnswerError where it contradicts its contract."""
    made: Document = {}
    _put(made, "insurance_number", elements.text(entry.get("maSoBhxh")))
    _put(made, "card_number", elements.text(entry.get("maTheBhyt")))
    _put(made, "identity_number", elements.text(entry.get("soDinhDanh")))
    _put(made, "name", elements.whole_name(entry.get("hoTen")))
    sex, status = elements.text(entry.get("gioiTinh")), elements.text(entry.get("trangThai"))
    _put(made, "sex", _SEX.get(sex, codes.UNLISTED) if sex else None)
    _put(made, "birth_date", _birth(elements.text(entry.get("ngaySinh")), elements.text(entry.get("loaiNgaySinh"))))
    _put(made, "valid_from", _day(entry.get("giaTriTu")))
    _put(made, "valid_to", _day(entry.get("giaTriDen")))
    _put(made, "registered_facility", _facility(entry.get("noiDangKyKcb")))
    _put(made, "household_code", elements.text(entry.get("maHo")))
    places = (entry.get("maTinhKs"), entry.get("maHuyenKs"), entry.get("maXaKs"))
    _put(made, "address", elements.address(places, entry.get("diaChi"), None))
    _put(made, "status", _STATUS.get(status, codes.UNLISTED) if status else None)
    return made


def criteria(asked: Mapping[str, str]) -> dict[str, str]:
    """The look-up by criteria: name, date of birth with its kind, sex. asked: canonical request elements.

    Raises KeyError for a sex that the register has no code for.
    """
    birth = asked["birth_date"].replace("-", "")
    precision = next(key for key, length in _LENGTHS.items() if length == len(birth))
    kind = next(code for code, value in _PRECISION.items() if value == precision)
    sexes = {value: code for code, value in _SEX.items()}
    wanted = {
        "hoTen": asked["full_name"],
        "ngaySinh": birth + "0101"[len(birth) - 4 :],
        "loaiNgaySinh": kind,
        "gioiTinh": sexes[asked["sex"]],
    }
    if "province" in asked:
        wanted["maTinhKs"] = asked["province"]
    return wanted


def _put(made: Document, key: str, value: object) -> None:
    if value is not None:
        made[key] = value


def _birth(digits: str | None, kind: str | None) -> Document | None:
    """The date: ngaySinh is always whole; loaiNgaySinh says how much of it is known, the rest is filler."""
    if digits is None:
        return None
    precision = _PRECISION.get(kind or "0")
    if precision is None or len(digits) != _LENGTHS["day"]:
        raise AnswerError("ngaySinh or loaiNgaySinh is none of its forms")
    return elements.date(digits[: _LENGTHS[precision]])


def _day(value: object) -> str | None:
    digits = elements.text(value)
    if digits is None:
        return None
    made = elements.date(digits)
    if made["precision"] != "day":
        raise AnswerError("a day of validity is not one")
    return str(made["date"])


def _facility(value: object) -> Document | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise AnswerError("text stands where a structure belongs")
    made = elements.coded(value.get("ma"))
    if made is not None:
        _put(made, "name", elements.text(value.get("ten")))
    return made
