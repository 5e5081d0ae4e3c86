"""What people read of a record in a table: one cell for each question they have.

Pure, so that a verifier makes the same cells of the same record.
"""

from collections.abc import Callable
from typing import Any

import msgspec

_TEXTS: tuple[tuple[str, str, str], ...] = (
    # Column, heading in English, heading in Vietnamese.
    ("id", "record", "bản ghi"),
    ("at", "time (UTC)", "thời gian (UTC)"),
    ("kind", "kind", "loại"),
    ("client", "client", "bên gọi"),
    ("officer", "officer", "cán bộ"),
    ("case", "case", "hồ sơ"),
    ("person", "persons", "số định danh"),
    ("service", "service", "dịch vụ"),
    ("method", "method", "phương thức"),
    ("purpose", "purpose", "mục đích"),
    ("basis", "basis", "căn cứ pháp lý"),
    ("ruling", "decision", "quyết định"),
    ("reasons", "reasons", "lý do"),
    ("grant", "grant", "quyền được cấp"),
    ("outcome", "outcome", "kết quả"),
    ("released", "elements released", "trường đã cung cấp"),
    ("parent", "follows record", "theo bản ghi"),
)
COLUMNS = tuple(name for name, _, _ in _TEXTS)
"""The columns for people, between the index and those that prove."""

_PROOF = {
    "en": ("leaf hash", "skeleton", "openings", "hashes before"),
    "vi": ("mã băm lá", "phần công khai", "phần mở", "mã băm phía trước"),
}
HEADINGS: dict[str, tuple[str, ...]] = {
    "en": ("index", *(en for _, en, _ in _TEXTS), *_PROOF["en"]),
    "vi": ("vị trí", *(vi for _, _, vi in _TEXTS), *_PROOF["vi"]),
}
"""Headings of a table, by language."""

_FORMULA = frozenset("=+-@\t\r")
_decode: Callable[[bytes], dict[str, Any]] = msgspec.json.Decoder(dict[str, Any]).decode


def cells_of(skeleton: bytes, openings: bytes | None) -> tuple[str, ...]:
    """The cells of ``COLUMNS``. What a spreadsheet would run as a formula is written as a text, after an apostrophe.

    Raises ValueError or msgspec.MsgspecError for what is no record.
    """
    said = _decode(skeleton)
    private: dict[str, list[str]] = {}
    if openings is not None:
        for field in _decode(openings)["fields"]:
            if field is not None and isinstance(field[1], str):
                private.setdefault(field[0], []).append(field[1])
    decision = said.get("decision") or {"ruling": None, "reasons": ()}
    said = {**said, "ruling": decision["ruling"], "reasons": "; ".join(decision["reasons"])}
    said["released"] = "; ".join(said.get("released") or ())
    cells = []
    for name in COLUMNS:
        text = "; ".join(private.get(name, ())) if name in {"officer", "case", "person"} else said.get(name) or ""
        cells.append(f"'{text}" if text[:1] in _FORMULA else text)
    return tuple(cells)
