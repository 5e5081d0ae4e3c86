"""The population database's CongDan as the canonical citizen."""

from collections.abc import Mapping

from adapters.canonical import codes, elements
from adapters.canonical.elements import AnswerError, Document

_SEX = codes.table("population.sex")
_MARITAL = codes.table("population.marital_status")
_BLOOD = codes.table("population.blood_group")

_RELATIVES = (("Cha", "father"), ("Me", "mother"), ("VoChong", "spouse"), ("NguoiDaiDien", "representative"))
_ADDRESSES = (
    ("NoiDangKyKhaiSinh", "birth_registration_place"),
    ("QueQuan", "hometown"),
    ("ThuongTru", "residence"),
    ("NoiOHienTai", "current_address"),
)
_LISTED = (
    ("GioiTinh", "sex", _SEX),
    ("TinhTrangHonNhan", "marital_status", _MARITAL),
    ("NhomMau", "blood_group", _BLOOD),
)
_CODED = (("DanToc", "ethnicity"), ("TonGiao", "religion"))
_KNOWN = frozenset(
    [name for name, _ in (*_RELATIVES, *_ADDRESSES, *_CODED)]
    + [name for name, _, _ in _LISTED]
    + ["SoDinhDanh", "SoCMND", "HoVaTen", "NgayThangNamSinh", "QuocTich", "ChuHo", "SoSoHoKhau"]
)

Tree = Mapping[str, object]


def citizen(tree: Tree) -> Document:
    """The canonical citizen of a CongDan. Raises AnswerError where the record contradicts its contract."""
    if not tree.keys() <= _KNOWN:
        raise AnswerError("CongDan has elements that the contract does not know")
    made: Document = {}
    _put(made, "identity_number", elements.text(tree.get("SoDinhDanh")))
    _put(made, "old_card_number", elements.text(tree.get("SoCMND")))
    made_name = _name(tree.get("HoVaTen"))
    if made_name is None:
        raise AnswerError("CongDan without a name")
    made["name"] = made_name
    for source, key, table in _LISTED:
        code = elements.text(tree.get(source))
        _put(made, key, table.get(code, codes.UNLISTED) if code else None)
    _put(made, "birth_date", _birth(_structure(tree.get("NgayThangNamSinh"))))
    for source, key in _CODED:
        _put(made, key, elements.coded(tree.get(source)))
    _put(made, "nationality", elements.nationality(tree.get("QuocTich")))
    for source, key in _ADDRESSES:
        _put(made, key, _address(_structure(tree.get(source))))
    for source, key in _RELATIVES:
        _put(made, key, _relative(_structure(tree.get(source))))
    _put(made, "household_head", _head(_structure(tree.get("ChuHo"))))
    _put(made, "household_number", elements.text(tree.get("SoSoHoKhau")))
    return made


def _put(made: Document, key: str, value: object) -> None:
    if value is not None:
        made[key] = value


def _structure(value: object) -> Tree:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise AnswerError("text stands where a structure belongs")
    return value


def _name(value: object) -> Document | None:
    """A name as a structure, or as text (Q03)."""
    if isinstance(value, dict):
        return elements.name(value.get("Ho"), value.get("ChuDem"), value.get("Ten"))
    return elements.whole_name(value)


def _birth(tree: Tree) -> Document | None:
    year, whole = elements.text(tree.get("Nam")), elements.text(tree.get("NgayThangNam"))
    if whole is None:
        return elements.date(year) if year else None
    if year and not whole.startswith(year):
        raise AnswerError("Nam and NgayThangNam are of different years")
    return elements.date(whole)


def _address(tree: Tree) -> Document | None:
    if not tree:
        return None
    places = (tree.get("MaTinhThanh"), tree.get("MaQuanHuyen"), tree.get("MaPhuongXa"))
    return elements.address(places, tree.get("ChiTiet"), tree.get("QuocGia"))


def _relative(tree: Tree) -> Document | None:
    if not tree:
        return None
    made: Document = {}
    _put(made, "name", _name(tree.get("HoVaTen")))
    _put(made, "identity_number", elements.text(tree.get("SoDinhDanh")))
    _put(made, "old_card_number", elements.text(tree.get("SoCMND")))
    _put(made, "nationality", elements.nationality(tree.get("QuocTich")))
    return made or None


def _head(tree: Tree) -> Document | None:
    made = _relative(tree)
    if made is not None:
        _put(made, "relationship", elements.coded(tree.get("QuanHe")))
    return made
