"""Dossiers as the National Public Service Portal keeps them: what it takes, and what the generated people's hold."""

import re
from typing import Any, Final

from adapters.simulators import dossiers
from adapters.simulators.person import Person

Dossier = dict[str, Any]

BIRTH: Final = "1.001193"
RECORD: Final = "2.000488"
PROCEDURES: Final = {
    BIRTH: ("Đăng ký khai sinh", ("G15-HT", "Hộ tịch")),
    RECORD: ("Cấp Phiếu lý lịch tư pháp cho công dân Việt Nam", ("G15-LLTP", "Lý lịch tư pháp")),
}
"""Code → name, and the code and name of its field; the fields' codes are synthetic."""

_STATES: Final = frozenset(str(number) for number in range(1, 11))
_MOMENT: Final = re.compile(r"[0-9]{14}")
_REQUIRED: Final = ("MaHoSo", "MaTTHC", "TenTTHC", "ChuHoSo", "NgayTiepNhan", "TrangThaiHoSo", "HinhThuc", "DonViXuLy")
_MOMENTS: Final = ("NgayTiepNhan", "NgayHenTra", "NgayTra", "NgayKetThucXuLy", "NgayNopHoSo")
_TEXTS: Final = frozenset(
    {
        *_REQUIRED,
        *_MOMENTS,
        *("MaLinhVuc", "TenLinhVuc", "LoaiDoiTuong", "MaDoiTuong", "Email", "SoDienThoai", "TrichYeuHoSo", "GhiChu"),
        *("NoiNopHoSo", "TaiKhoanDuocXacThucVoiVNeID", "DuocThanhToanTrucTuyen"),
    }
)
_LISTS: Final = {
    "TaiLieuNop": frozenset(
        {
            *("TepDinhKemId", "TenTepDinhKem", "IsDeleted", "MaThanhPhanHoSo", "DuongDanTaiTepTin"),
            *("DuocSoHoa", "DuocTaiSuDung", "DuocLayTuKhoDMQG", "MaKetQuaThayThe"),
        }
    ),
    "DanhSachGiayToKetQua": frozenset(
        {"TenGiayTo", "MaThanhPhanHoSo", "GiayToId", "DuongDanTepTinKetQua", "MaGiayToKetQua"}
    ),
    "DinhDanhCHS": frozenset({"LoaiDinhDanh", "SoDinhDanh"}),
}
"""List → the texts that its items may have."""
_FLAGS: Final = ("DuocSoHoa", "DuocLayTuKhoDMQG")
_PROGRESS: Final = ("MaHoSo", "NguoiXuLy", "ThoiDiemXuLy", "TrangThai")
_PROGRESS_OTHER: Final = ("ChucDanh", "PhongBanXuLy", "NoiDungXuLy", "NgayBatDau", "NgayKetThucTheoQuyDinh")


def check(dossier: Any) -> Dossier:
    """A dossier as ``DongBoHoSoMC`` takes it. Raises ValueError, which names fields, never values."""
    if not isinstance(dossier, dict):
        raise ValueError("data")  # noqa: TRY004 - one error for whatever is wrong with it
    wrong = sorted(dossier.keys() - _TEXTS - _LISTS.keys())
    wrong += [name for name in _REQUIRED if not dossier.get(name)]
    wrong += [name for name in _TEXTS & dossier.keys() if not isinstance(dossier[name], str)]
    wrong += [name for name in _MOMENTS if dossier.get(name) and not _MOMENT.fullmatch(str(dossier[name]))]
    wrong += [name for name in _LISTS if not _is_list(dossier.get(name, []), _LISTS[name])]
    if not wrong:
        wrong += [] if dossiers.is_code(dossier["MaHoSo"]) else ["MaHoSo"]
        wrong += [] if dossier["TrangThaiHoSo"] in _STATES else ["TrangThaiHoSo"]
        wrong += [] if dossier["HinhThuc"] in {"0", "1"} else ["HinhThuc"]
        wrong += [f for one in dossier.get("TaiLieuNop", []) for f in _FLAGS if one.get(f, "0") not in {"0", "1"}]
    if wrong:
        raise ValueError(", ".join(wrong))
    return dossier


def check_progress(step: Any) -> Dossier:
    """A step as ``CapNhatTienDoHoSoMC`` takes it. Raises ValueError, which names fields."""
    if not isinstance(step, dict) or not all(isinstance(value, str) for value in step.values()):
        raise ValueError("data")
    wrong = sorted(step.keys() - set(_PROGRESS) - set(_PROGRESS_OTHER))
    wrong += [name for name in _PROGRESS if not step.get(name)]
    if not wrong and (step["TrangThai"] not in _STATES or not _MOMENT.fullmatch(step["ThoiDiemXuLy"])):
        wrong = ["TrangThai, ThoiDiemXuLy"]
    if wrong:
        raise ValueError(", ".join(wrong))
    return step


def of_person(person: Person, code: str) -> Dossier:
    """The dossier of a generated person: a judicial record certificate, at some state."""
    day = dossiers.received_on(code).replace("-", "")
    state = str(person.index % 10 + 1)
    reused = person.index % 2 == 0
    done = state in {"9", "10"}
    name, (field, field_name) = PROCEDURES[RECORD]
    document = {
        "TepDinhKemId": str(9_000_000 + person.index),
        "TenTepDinhKem": "to-khai.pdf",
        "MaThanhPhanHoSo": "KQ.G15.000001",
        "DuocSoHoa": "1",
        "DuocTaiSuDung": "1" if reused else "0",
        "DuocLayTuKhoDMQG": "1" if reused else "0",
    }
    result = {
        "TenGiayTo": "Phiếu lý lịch tư pháp số 1",
        "GiayToId": str(7_000_000 + person.index),
        "MaGiayToKetQua": "KQ.G15.000002",
    }
    return {
        "MaHoSo": code,
        "MaTTHC": RECORD,
        "TenTTHC": name,
        "MaLinhVuc": field,
        "TenLinhVuc": field_name,
        "ChuHoSo": person.name.full,
        "LoaiDoiTuong": "1",
        "DinhDanhCHS": [{"LoaiDinhDanh": "1", "SoDinhDanh": person.identity_number}],
        "NgayNopHoSo": f"{day}080500",
        "NgayTiepNhan": f"{day}083000",
        "NgayHenTra": f"{day[:6]}30170000",
        "NgayKetThucXuLy": f"{day[:6]}29153000" if done else "",
        "TrangThaiHoSo": state,
        "HinhThuc": str(person.index % 2),
        "DonViXuLy": "Sở Tư pháp",
        "TaiKhoanDuocXacThucVoiVNeID": "1",
        "TaiLieuNop": [document],
        "DanhSachGiayToKetQua": [result] if done else [],
    }


def _is_list(items: Any, names: frozenset[str]) -> bool:
    return isinstance(items, list) and all(
        isinstance(one, dict) and one.keys() <= names and all(isinstance(value, str) for value in one.values())
        for one in items
    )
